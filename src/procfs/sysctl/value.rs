#[cfg(target_os = "linux")]
use std::collections::BTreeSet;
use std::fmt;

use crate::model::ParseError;

/// The kind of values that a [`Sysctl`](super::Sysctl) has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SysctlKind {
    /// 0 for off, 1 for on. The kernel takes any number, and anything but 0 is on.
    Switch,
    /// A number within a range that makes sense. Not every kernel refuses a number outside of it.
    Number {
        /// The least.
        least: i64,
        /// The greatest.
        greatest: i64,
    },
    /// A power of two.
    PowerOfTwo {
        /// The greatest.
        greatest: i64,
    },
    /// A number of packets, and a period in packets that is greater, or 0.
    Threshold,
    /// A list of processors such as `0-3,8`, which may be empty.
    Cpus,
}

/// The range, in the words that an error message uses.
impl fmt::Display for SysctlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("0 or 1"),
            Self::Number { least, greatest } => write!(f, "{least} to {greatest}"),
            Self::PowerOfTwo { greatest } => write!(f, "a power of two, 1 to {greatest}"),
            Self::Threshold => f.write_str("two numbers, the first less than the second, or the second 0"),
            Self::Cpus => f.write_str("a list of processors, such as 0-3,8"),
        }
    }
}

/// A value of a [`Sysctl`](super::Sysctl). It prints as it is written to the file.
///
/// ```
/// use ipvs_rs::procfs::SysctlValue;
///
/// assert_eq!(SysctlValue::from(true), SysctlValue::Number(1));
/// assert_eq!(SysctlValue::from(-20).to_string(), "-20");
/// assert_eq!(SysctlValue::Threshold { packets: 3, period: 50 }.to_string(), "3 50");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SysctlValue {
    /// A number, or a switch. Wide enough for everything that a kernel can show.
    Number(i128),
    /// The two numbers of [`SyncThreshold`](super::Sysctl::SyncThreshold).
    Threshold {
        /// The number of packets after which a connection is synchronized.
        packets: i64,
        /// The number of further packets after which it is synchronized again; 0 for never.
        period: i64,
    },
    /// A list of processors, as it is written.
    Cpus(String),
}

impl SysctlValue {
    /// The number; `None` for a value that is not a single number.
    pub const fn as_number(&self) -> Option<i128> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the switch is on; `None` for a value that is not a single number.
    pub const fn as_switch(&self) -> Option<bool> {
        match self {
            Self::Number(number) => Some(*number != 0),
            _ => None,
        }
    }

    pub(super) fn read(what: &'static str, kind: SysctlKind, text: &str) -> Result<Self, ParseError> {
        let unfit = |expected: &str| ParseError::new(what, text, expected);
        match kind {
            SysctlKind::Switch | SysctlKind::Number { .. } | SysctlKind::PowerOfTwo { .. } => {
                Ok(Self::Number(integer(text).ok_or_else(|| unfit("a number"))?))
            }
            SysctlKind::Threshold => {
                let mut numbers = text.split_ascii_whitespace().map(integer);
                match (numbers.next(), numbers.next(), numbers.next()) {
                    (Some(Some(packets)), Some(Some(period)), None) => Ok(Self::Threshold { packets, period }),
                    _ => Err(unfit("two numbers")),
                }
            }
            SysctlKind::Cpus => {
                let is_list = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ',' | '-' | ':' | '/'));
                if is_list {
                    Ok(Self::Cpus(text.to_owned()))
                } else {
                    Err(unfit("a list of processors, such as 0-3,8"))
                }
            }
        }
    }

    /// Whether two values mean the same. A list of processors that only the kernel can resolve equals any other.
    #[cfg(target_os = "linux")]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cpus(left), Self::Cpus(right)) => match (processors(left), processors(right)) {
                (Some(left), Some(right)) => left == right,
                _ => true,
            },
            (left, right) => left == right,
        }
    }
}

impl fmt::Display for SysctlValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Threshold { packets, period } => write!(f, "{packets} {period}"),
            Self::Cpus(list) => f.pad(list),
        }
    }
}

impl From<bool> for SysctlValue {
    fn from(on: bool) -> Self {
        Self::Number(on.into())
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => { $(
        impl From<$integer> for SysctlValue {
            fn from(number: $integer) -> Self {
                Self::Number(number.into())
            }
        }
    )* };
}

from_integers!(i32 u32 i64 u64);

/// Parses a decimal number that may be negative; the parsers of the standard library accept a plus sign as well.
fn integer<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The processors of a list of numbers and ranges. `None` when only the kernel can resolve it: the words `all` and `N`
/// depend on the machine, and groups are left to the kernel as well.
#[cfg(target_os = "linux")]
fn processors(list: &str) -> Option<BTreeSet<u16>> {
    let mut processors = BTreeSet::new();
    for range in list.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        processors.extend(integer::<u16>(first)?..=integer::<u16>(last)?);
    }
    Some(processors)
}
