use std::fmt;

/// How a list was read, and so what it is worth.
///
/// The kernel gives a list in pieces, and between two of them anybody may change the table. It continues by position: an
/// entry that was there all the time can be left out, and nothing in the answer says so. Whatever comes twice is dropped
/// in any case.
///
/// ```
/// use ipvs_rs::model::Reading;
///
/// assert!(Reading::Whole.is_complete());
/// assert!(Reading::Confirmed { passes: 2 }.is_complete());
/// assert!(!Reading::Pieced.is_complete());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reading {
    /// In one piece: the first datagram had room for one more entry (some 90 entries fit). What was there all the time is
    /// in it. A table is in one piece when each of its lists is.
    #[default]
    Whole,
    /// In several pieces, once. If nobody wrote meanwhile it is right; if somebody did, entries may be missing.
    Pieced,
    /// In several pieces, until two passes in a row had the same entries and none twice. What was there all the time is
    /// in it.
    Confirmed {
        /// How many passes that took, two at least; of a table, those of the list that took most.
        passes: u32,
    },
}

impl Reading {
    /// Whether everything that was there all the time is in it, whoever wrote meanwhile.
    pub const fn is_complete(self) -> bool {
        !matches!(self, Self::Pieced)
    }

    /// What two lists are worth together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Pieced, _) | (_, Self::Pieced) => Self::Pieced,
            (Self::Whole, other) => other,
            (one, Self::Whole) => one,
            (Self::Confirmed { passes }, Self::Confirmed { passes: others }) => {
                Self::Confirmed { passes: passes.max(others) }
            }
        }
    }
}

impl fmt::Display for Reading {
    /// A few words for a log: `in one piece`, `in several pieces` or `confirmed by pass 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.pad("in one piece"),
            Self::Pieced => f.pad("in several pieces"),
            Self::Confirmed { passes } => write!(f, "confirmed by pass {passes}"),
        }
    }
}
