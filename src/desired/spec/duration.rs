use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::ser::{Serialize, Serializer};

use crate::desired::escaped;

/// A time: whole seconds, or text such as `90s`, `1h30m`, `500ms`.
///
/// Units are `d`, `h`, `m`, `s` and `ms`, each with a whole number before it; they add up. Prints as a number of seconds
/// where it is one, and otherwise in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "SecondsOrText")]
pub struct DurationSpec(Duration);

/// A text that is not a valid time.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{}\" is not a valid time: expected seconds, or something like 90s, 15m, 1h30m, 1d", escaped(.0))]
pub struct DurationError(String);

impl DurationSpec {
    /// Whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The time.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for DurationSpec {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<DurationSpec> for Duration {
    fn from(duration: DurationSpec) -> Self {
        duration.0
    }
}

impl FromStr for DurationSpec {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        parse(text).map(Self).ok_or_else(|| DurationError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Duration> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let (mut sum, mut rest): (u64, _) = (0, text);
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, next) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(milliseconds)?)?;
        rest = next;
    }
    Some(Duration::from_millis(sum))
}

impl fmt::Display for DurationSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_millis() == 0 {
            write!(f, "{}s", self.0.as_secs())
        } else {
            write!(f, "{}ms", self.0.as_millis())
        }
    }
}

impl Serialize for DurationSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_millis() == 0 {
            serializer.serialize_u64(self.0.as_secs())
        } else {
            serializer.collect_str(self)
        }
    }
}

impl TryFrom<SecondsOrText> for DurationSpec {
    type Error = DurationError;

    fn try_from(written: SecondsOrText) -> Result<Self, DurationError> {
        match written {
            SecondsOrText::Seconds(seconds) => Ok(Self::from_secs(seconds)),
            SecondsOrText::Text(text) => text.parse(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number of seconds, or text such as 90s or 1h30m")]
enum SecondsOrText {
    Seconds(u64),
    Text(String),
}
