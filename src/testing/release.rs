use std::fmt;

/// The release of Linux that is simulated.
///
/// The messages of all three are the same. The differences:
///
/// | | 6.1 | 6.12 | 7 |
/// |---|---|---|---|
/// | size of the connection table | 4096 | 4096 | 0 until the namespace needs one, then 256 |
/// | order of services in a list | addresses, then marks | the same | mixed |
/// | services of other namespaces | shift lists of more than one datagram | the same | no effect |
/// | scheduler `twos` | not built | built | built |
/// | answers that fit a receive buffer of 212,992 bytes | 277 | 237 | 237 |
/// | an upper threshold above 2,147,483,647 | accepted | accepted | `EINVAL` |
/// | without privilege, a command in a form (list or not) that it lacks | `EPERM` | `EOPNOTSUPP` | `EOPNOTSUPP` |
/// | a malformed request for a list of all families | answered | `EINVAL` | `EINVAL` |
/// | the end of that list | a separate datagram | after the last row | after the last row |
///
/// Patch releases as late as 6.1.192 and 6.12.107 refuse that threshold too; 6.1.176 and 6.12.95 accept it.
///
/// ```
/// use ipvs_rs::Scheduler;
/// use ipvs_rs::testing::{FakeKernel, Release};
///
/// let service = ipvs_rs::Service::new("FWM 7".parse()?, Scheduler::Twos);
/// assert!(FakeKernel::new().handle()?.new_service(&service).unwrap_err().is_scheduler_unavailable());
/// FakeKernel::of(Release::V7).handle()?.new_service(&service)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Release {
    /// Linux 6.1, as Debian builds it.
    #[default]
    V6_1,
    /// Linux 6.12, as Debian builds it.
    V6_12,
    /// Linux 7, as Debian builds it.
    V7,
}

impl Release {
    /// All releases, the oldest first.
    pub const ALL: [Self; 3] = [Self::V6_1, Self::V6_12, Self::V7];

    /// Whether one table holds the services of all namespaces.
    pub(super) fn shares_the_table(self) -> bool {
        self < Self::V7
    }

    /// Whether the connection table is only allocated when it is needed.
    pub(super) fn grows_the_table(self) -> bool {
        self >= Self::V7
    }

    /// Whether an upper threshold has to be positive as a signed number.
    pub(super) fn limits_thresholds(self) -> bool {
        self >= Self::V7
    }

    pub(super) fn has_twos(self) -> bool {
        self >= Self::V6_12
    }

    /// Whether privilege is checked before it is known that the command has the requested form.
    pub(super) fn asks_for_privilege_first(self) -> bool {
        self == Self::V6_1
    }

    /// Whether the controller validates the attributes of a request for a list of families.
    pub(super) fn checks_lists_of_families(self) -> bool {
        self >= Self::V6_12
    }

    /// Whether a list of families ends in the datagram of its last row.
    pub(super) fn ends_lists_of_families_at_once(self) -> bool {
        self >= Self::V6_12
    }

    /// The number that the family had when the golden transcripts were recorded.
    pub(super) fn family(self) -> u16 {
        match self {
            Self::V6_1 => 31,
            Self::V6_12 => 33,
            Self::V7 => 35,
        }
    }

    /// The cost of a datagram of `allocated` bytes in a receive buffer: a header of 256 bytes, and a piece of memory.
    pub(super) fn cost(self, allocated: usize) -> usize {
        const BEHIND: usize = 320;
        let piece = match allocated + BEHIND {
            piece @ ..=640 if self > Self::V6_1 => piece.max(640),
            piece => piece.next_power_of_two().max(512),
        };
        256 + piece
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::V7 => "7",
        })
    }
}
