use std::hash::Hash;

use crate::engine::Passes;

/// The consistency required of a list while other programs change the table; see [lists](crate::Handle#lists).
///
/// ```no_run
/// use ipvs_rs::Handle;
/// use ipvs_rs::handle::Consistency;
///
/// let handle = Handle::new()?;
/// let services = handle.get_services_with(Consistency::Stable { attempts: 10 })?;
/// if services.is_empty() {
///     println!("there is no service, rather than none that was seen");
/// }
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Consistency {
    /// Reads each list once. While other programs write, an entry may be missing from a list that does not fit one
    /// piece.
    #[default]
    Once,
    /// Reads each list until it can be relied on: every entry that existed throughout the call is in it, and no entry
    /// that never existed.
    ///
    /// That takes one pass if the list fits one piece, some 90 entries, and two or more otherwise: two in a row have
    /// to be the same. Each costs as much as reading once. When no two are the same, the call fails with
    /// [`ErrorKind::Unstable`](crate::error::ErrorKind::Unstable).
    Stable {
        /// The number of passes over each list, at most; 0 counts as 1.
        ///
        /// 10 are plenty while the table changes less than once in five passes; when it changes with every pass, no
        /// number suffices.
        attempts: u32,
    },
}

impl Consistency {
    pub(super) fn passes<I: Eq + Hash>(self) -> Passes<I> {
        match self {
            Self::Once => Passes::once(),
            Self::Stable { attempts } => Passes::new(attempts),
        }
    }
}
