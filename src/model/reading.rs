use std::fmt;

/// The consistency of a list, which follows from the way that it was read.
///
/// The kernel sends a list in pieces, and between two of them another program may change the table. It continues by
/// position: an entry that was there all the time can be left out, and nothing in the answer shows it. Repeated entries
/// are dropped in any case.
///
/// ```
/// use ipvs_rs::model::Reading;
///
/// assert!(Reading::Whole.is_complete());
/// assert!(Reading::Confirmed { passes: 2 }.is_complete());
/// assert!(!Reading::Fragmented.is_complete());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reading {
    /// In one piece: the first datagram had room for one more entry (some 90 entries fit). The list has every entry
    /// that was there all the time. A table is in one piece when each of its lists is.
    #[default]
    Whole,
    /// In several pieces, once. The list is complete if the table did not change meanwhile; otherwise entries may be
    /// missing.
    Fragmented,
    /// In several pieces, until two passes in a row had the same entries and none twice. The list has every entry that
    /// was there all the time.
    Confirmed {
        /// The number of passes, two at least; for a table, that of the list with the most passes.
        passes: u32,
    },
}

impl Reading {
    /// Whether the list has every entry that was there all the time, even if the table changed meanwhile.
    pub const fn is_complete(self) -> bool {
        !matches!(self, Self::Fragmented)
    }

    /// The consistency of two lists together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fragmented, _) | (_, Self::Fragmented) => Self::Fragmented,
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
            Self::Fragmented => f.pad("in several pieces"),
            Self::Confirmed { passes } => write!(f, "confirmed by pass {passes}"),
        }
    }
}
