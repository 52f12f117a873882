use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use crate::model::Reading;

/// The number of identities that are compared one by one before they are hashed.
const FEW: usize = 24;
/// The number of bytes by which a row can be longer than the others: names of schedulers and engines, an address
/// instead of a mark.
const SLACK: usize = 100;

/// A list while it is being read: drops repeated rows, and determines the consistency of the list.
///
/// The kernel fills a datagram as long as the next row fits, and continues by position. So a list whose first datagram
/// had room for another row was complete with it, and later rows are the end of the list once more, because other
/// programs have inserted rows meanwhile. A longer list can lack rows. Of two rows with the same identity the first is
/// kept, because they differ only in the time at which they were read.
///
/// ```
/// use ipvs_rs::engine::Listing;
/// use ipvs_rs::model::Reading;
///
/// let mut listing = Listing::default();
/// let mut rows = Vec::new();
/// listing.begin(4096);
/// for row in [(1, "one"), (2, "two"), (1, "one again")] {
///     listing.push(&mut rows, row, |row| row.0);
/// }
/// listing.end_datagram(3 * 356);
/// assert_eq!(rows, [(1, "one"), (2, "two")]);
/// assert_eq!(listing.pass().reading, Reading::Whole);
/// assert!(listing.pass().has_repeats);
/// ```
#[derive(Clone)]
pub struct Listing<I> {
    seen: HashSet<I>,
    room: usize,
    /// Rows of the first datagram.
    first: usize,
    is_later: bool,
    pass: Pass,
}

/// The consistency of one pass over a list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Pass {
    /// Whether it was in one piece; a single pass confirms nothing.
    pub reading: Reading,
    /// The first datagram had no room for another row: a larger one would have held more.
    pub is_full: bool,
    /// A row was repeated.
    pub has_repeats: bool,
}

impl<I: Eq + Hash> Listing<I> {
    /// Begins a list whose datagrams hold up to this many bytes.
    pub fn begin(&mut self, room: usize) {
        self.room = room;
        self.restart();
    }

    /// Begins the same list again.
    pub fn restart(&mut self) {
        self.seen.clear();
        self.first = 0;
        self.is_later = false;
        self.pass = Pass::default();
    }

    /// Adds a row to those that came before, unless one with its identity is among them.
    pub fn push<R>(&mut self, rows: &mut Vec<R>, row: R, identity: impl Fn(&R) -> I) {
        if !self.is_later {
            self.first = self.first.saturating_add(1);
        }
        let id = identity(&row);
        let is_new = if rows.len() < FEW {
            rows.iter().all(|known| identity(known) != id)
        } else {
            if self.seen.is_empty() {
                self.seen.extend(rows.iter().map(identity));
            }
            self.seen.insert(id)
        };
        if !is_new {
            self.pass.has_repeats = true;
            return;
        }
        rows.push(row);
        if self.is_later {
            // This also covers a kernel that was short of memory and sent smaller datagrams.
            self.pass.reading = Reading::Fragmented;
        }
    }

    /// Ends a datagram of this many bytes.
    pub fn end_datagram(&mut self, length: usize) {
        if self.is_later || self.first == 0 {
            return;
        }
        self.is_later = true;
        let row = length.checked_div(self.first).unwrap_or_default().saturating_add(SLACK);
        if length.saturating_add(row) > self.room {
            self.pass.is_full = true;
            self.pass.reading = Reading::Fragmented;
        }
    }

    /// The result.
    pub const fn pass(&self) -> Pass {
        self.pass
    }
}

/// The consistency of the list so far, without its rows.
impl<I> fmt::Debug for Listing<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("pass", &self.pass).finish_non_exhaustive()
    }
}

impl<I> Default for Listing<I> {
    fn default() -> Self {
        Self { seen: HashSet::new(), room: 0, first: 0, is_later: false, pass: Pass::default() }
    }
}
