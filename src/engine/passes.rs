use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::hash::Hash;

use super::Pass;
use crate::model::Reading;

/// The passes over a list: one, or as many as it takes until it is consistent: in one piece, or two equal passes in a row
/// without repeated rows.
///
/// ```
/// use ipvs_rs::engine::{Listing, Passes};
/// use ipvs_rs::model::Reading;
///
/// // A pass over a list of which the first datagram is full.
/// let read = |ids: [u8; 3]| {
///     let (mut listing, mut rows) = (Listing::default(), Vec::new());
///     listing.begin(400);
///     ids.iter().for_each(|id| listing.push(&mut rows, *id, |id| *id));
///     listing.end_datagram(400);
///     (listing.pass(), rows.into_iter())
/// };
/// let mut passes = Passes::new(3);
/// for (ids, reading) in [([1, 2, 3], None), ([1, 2, 4], None), ([4, 2, 1], Some(Reading::Confirmed { passes: 3 }))] {
///     let (pass, ids) = read(ids);
///     assert_eq!(passes.next(pass, ids)?, reading);
/// }
///
/// let (pass, ids) = read([1, 2, 3]);
/// assert_eq!(Passes::once().next(pass, ids)?, Some(Reading::Fragmented));
/// let (pass, ids) = read([1, 2, 3]);
/// assert_eq!(Passes::new(1).next(pass, ids).unwrap_err().passes, 1);
/// # Ok::<(), ipvs_rs::engine::Unstable>(())
/// ```
#[derive(Clone)]
pub struct Passes<I> {
    /// 0 for one pass, whatever its consistency.
    attempts: u32,
    done: u32,
    /// The identities in the pass before, if it had no repeated rows.
    before: Option<HashSet<I>>,
}

/// No two passes in a row were the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unstable {
    /// The number of passes.
    pub passes: u32,
}

impl fmt::Display for Unstable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.passes {
            1 => f.write_str("the list came in several pieces and was read only once"),
            passes => write!(f, "the list was read {passes} times and never twice in a row the same"),
        }
    }
}

impl Error for Unstable {}

impl<I: Eq + Hash> Passes<I> {
    /// One pass, whatever its consistency.
    pub const fn once() -> Self {
        Self { attempts: 0, done: 0, before: None }
    }

    /// At most this many passes until the list is consistent; 0 counts as 1.
    pub const fn new(attempts: u32) -> Self {
        Self { attempts: if attempts == 0 { 1 } else { attempts }, done: 0, before: None }
    }

    /// Processes a pass and returns the consistency of the list; `None` when it is to be read again.
    ///
    /// # Errors
    ///
    /// When the list is not consistent after the last allowed pass.
    pub fn next(&mut self, pass: Pass, identities: impl Iterator<Item = I>) -> Result<Option<Reading>, Unstable> {
        self.done = self.done.saturating_add(1);
        if pass.reading.is_complete() || self.attempts == 0 {
            return Ok(Some(pass.reading));
        }
        let now = (!pass.has_repeats).then(|| identities.collect());
        if now.is_some() && self.before == now {
            return Ok(Some(Reading::Confirmed { passes: self.done }));
        }
        self.before = now;
        if self.done < self.attempts { Ok(None) } else { Err(Unstable { passes: self.done }) }
    }
}

/// The numbers of passes done and allowed, without the rows of the last.
impl<I> fmt::Debug for Passes<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passes").field("attempts", &self.attempts).field("done", &self.done).finish_non_exhaustive()
    }
}
