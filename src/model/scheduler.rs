use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, ParseError, SchedulerName};

/// A scheduler, by which a service chooses the destination of a new connection.
///
/// The set is open: a kernel may load schedulers that this library does not know. They are [`Other`](Self::Other),
/// which cannot hold the name of a known one, so that two equal names are equal values.
///
/// ```
/// use ipvs_rs::Scheduler;
///
/// assert_eq!("wlc".parse(), Ok(Scheduler::Wlc));
/// assert_eq!("WLC".parse(), Ok(Scheduler::Wlc));
/// assert_eq!("hrw".parse::<Scheduler>()?.name(), "hrw");
/// assert!("a-name-of-16-byt".parse::<Scheduler>().is_err());
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
///
/// # Kernel
///
/// `IPVS_SVC_ATTR_SCHED_NAME`; the module of scheduler `x` is `ip_vs_x`, which the kernel loads by itself.
/// `ipvsadm --scheduler`.
#[doc(alias = "IPVS_SVC_ATTR_SCHED_NAME")]
#[doc(alias = "ipvsadm -s")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Scheduler {
    /// `rr`: round robin.
    Rr,
    /// `wrr`: weighted round robin.
    Wrr,
    /// `lc`: least connections.
    Lc,
    /// `wlc`: weighted least connections; the default of ipvsadm(8).
    Wlc,
    /// `fo`: the available destination with the highest weight (since Linux 3.18).
    Fo,
    /// `ovf`: overflow: the highest weight until its connections reach that weight (since Linux 4.3).
    Ovf,
    /// `lblc`: locality-based least connections.
    Lblc,
    /// `lblcr`: locality-based least connections with replication.
    Lblcr,
    /// `dh`: destination hashing.
    Dh,
    /// `sh`: source hashing; see [`SchedulerFlags`](super::SchedulerFlags).
    Sh,
    /// `mh`: Maglev hashing (since Linux 4.18); see [`SchedulerFlags`](super::SchedulerFlags).
    Mh,
    /// `sed`: shortest expected delay.
    Sed,
    /// `nq`: never queue.
    Nq,
    /// `twos`: power of two random choices (since Linux 5.13; not built by every distribution).
    Twos,
    /// `none`: no scheduler at all: the service forwards no new connection.
    None,
    /// A scheduler that has no constant here.
    Other(SchedulerName),
}

impl Scheduler {
    /// Every scheduler that has a constant, in the order of the constants.
    pub const KNOWN: [Self; 15] = [
        Self::Rr,
        Self::Wrr,
        Self::Lc,
        Self::Wlc,
        Self::Fo,
        Self::Ovf,
        Self::Lblc,
        Self::Lblcr,
        Self::Dh,
        Self::Sh,
        Self::Mh,
        Self::Sed,
        Self::Nq,
        Self::Twos,
        Self::None,
    ];

    /// The scheduler with this name. Known names may be written in any case.
    ///
    /// # Errors
    ///
    /// When the name is empty, longer than 15 bytes, or has a blank, a NUL or a non-ASCII character.
    pub fn from_name(name: &str) -> Result<Self, InvalidValue> {
        match Self::known(name.as_bytes()) {
            Some(known) => Ok(known),
            None => SchedulerName::new(name).map(Self::Other),
        }
    }

    /// The kernel's name of the scheduler; a replacement character where that is not text.
    pub fn name(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("\u{fffd}")
    }

    /// The bytes of the name, for the wire.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Rr => b"rr",
            Self::Wrr => b"wrr",
            Self::Lc => b"lc",
            Self::Wlc => b"wlc",
            Self::Fo => b"fo",
            Self::Ovf => b"ovf",
            Self::Lblc => b"lblc",
            Self::Lblcr => b"lblcr",
            Self::Dh => b"dh",
            Self::Sh => b"sh",
            Self::Mh => b"mh",
            Self::Sed => b"sed",
            Self::Nq => b"nq",
            Self::Twos => b"twos",
            Self::None => b"none",
            Self::Other(name) => name.as_bytes(),
        }
    }

    /// The scheduler that the kernel reports, with any name of at most 15 bytes.
    pub(crate) fn from_kernel(name: &[u8]) -> Option<Self> {
        Self::known(name).or_else(|| SchedulerName::from_kernel(name).map(Self::Other))
    }

    fn known(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"rr" => Self::Rr,
            b"wrr" => Self::Wrr,
            b"lc" => Self::Lc,
            b"wlc" => Self::Wlc,
            b"fo" => Self::Fo,
            b"ovf" => Self::Ovf,
            b"lblc" => Self::Lblc,
            b"lblcr" => Self::Lblcr,
            b"dh" => Self::Dh,
            b"sh" => Self::Sh,
            b"mh" => Self::Mh,
            b"sed" => Self::Sed,
            b"nq" => Self::Nq,
            b"twos" => Self::Twos,
            b"none" => Self::None,
            // The kernel writes them in lower case, but users may write them in any case.
            _ => return Self::KNOWN.into_iter().find(|scheduler| scheduler.as_bytes().eq_ignore_ascii_case(name)),
        })
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(name) => name.fmt(f),
            known => f.pad(known.name()),
        }
    }
}

impl FromStr for Scheduler {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::known(text.as_bytes()).map_or_else(|| text.parse().map(Self::Other), Ok)
    }
}
