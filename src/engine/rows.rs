use std::collections::HashSet;
use std::hash::Hash;

/// The rows of a list, each identity once.
///
/// The kernel continues a list by position: when others insert meanwhile, rows come twice. The first is kept, for both
/// say the same but for the moment.
///
/// ```
/// use ipvs_rs::engine::Rows;
///
/// let mut rows = Rows::new();
/// rows.push(1, "one");
/// rows.push(2, "two");
/// rows.push(1, "one again");
/// assert_eq!(rows.finish(), ["one", "two"]);
/// ```
#[derive(Debug)]
pub struct Rows<I, R> {
    seen: HashSet<I>,
    rows: Vec<R>,
}

impl<I: Eq + Hash, R> Rows<I, R> {
    /// No rows.
    pub fn new() -> Self {
        Self { seen: HashSet::new(), rows: Vec::new() }
    }

    /// Adds a row unless one with its identity is there.
    pub fn push(&mut self, identity: I, row: R) {
        if self.seen.insert(identity) {
            self.rows.push(row);
        }
    }

    /// Forgets all rows, to read the list again; memory is kept.
    pub fn clear(&mut self) {
        self.seen.clear();
        self.rows.clear();
    }

    /// The rows in the order in which they came; what is needed for the next list is kept.
    pub fn finish(&mut self) -> Vec<R> {
        self.seen.clear();
        std::mem::take(&mut self.rows)
    }
}

impl<I: Eq + Hash, R> Default for Rows<I, R> {
    fn default() -> Self {
        Self::new()
    }
}
