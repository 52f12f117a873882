use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::str::FromStr;

use super::piece::{next, number, pad};
use crate::model::{
    Config, Granularity, ParseError, Persistence, PersistenceEngine, Prefix, Thresholds, Timeout, Version, Weight,
};

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl FromStr for Weight {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let weight = number(text).and_then(|number| Self::new(number).ok());
        weight.ok_or_else(|| ParseError::new("weight", text, "0 to 2147483647"))
    }
}

impl fmt::Display for Thresholds {
    /// The upper and the lower one, 0 where there is none: `10/5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |threshold: Option<NonZeroU32>| threshold.map_or(0, NonZeroU32::get);
        pad(f, format_args!("{}/{}", number(self.upper()), number(self.lower())))
    }
}

impl FromStr for Thresholds {
    type Err = ParseError;

    /// Both with a slash between them, or the upper one alone. The lower one must not be above the upper one, because
    /// kernels refuse that.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (upper, lower) = text.split_once('/').unwrap_or((text, "0"));
        thresholds(upper, lower)
    }
}

impl fmt::Display for Granularity {
    /// A mask, a prefix length, or `client`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.pad("client"),
            Self::Mask(mask) => mask.fmt(f),
            Self::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

impl FromStr for Granularity {
    type Err = ParseError;

    /// A number is the length of an IPv6 prefix; the mask of IPv4 is written in full.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.eq_ignore_ascii_case("client") {
            return Ok(Self::Client);
        }
        if text.contains('.') {
            return mask(text).map(Self::Mask);
        }
        let prefix = number(text).and_then(|bits| Prefix::new(bits).ok()).map(Self::Prefix);
        let expected = "a mask such as 255.255.255.0, an IPv6 prefix length of 1 to 128, or client";
        prefix.ok_or_else(|| ParseError::new("persistence granularity", text, expected))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bits().fmt(f)
    }
}

impl FromStr for Prefix {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let prefix = number(text).and_then(|bits| Self::new(bits).ok());
        prefix.ok_or_else(|| ParseError::new("IPv6 prefix length", text, "1 to 128"))
    }
}

impl fmt::Display for Persistence {
    /// As `ipvsadm -L` prints it: `persistent 300 mask 255.255.255.0 pe sip`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("persistent {}", self.timeout_secs());
        if self.granularity != Granularity::Client {
            write!(text, " mask {}", self.granularity)?;
        }
        if let Some(engine) = self.engine {
            write!(text, " pe {engine}")?;
        }
        f.pad(&text)
    }
}

impl FromStr for Persistence {
    type Err = ParseError;

    /// As [`Display`](fmt::Display) writes it; the first word may be left out: `300 pe sip`. The timeout is taken
    /// [verbatim](Persistence::verbatim).
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut words = text.split_whitespace().peekable();
        words.next_if(|word| word.eq_ignore_ascii_case("persistent"));
        let mut persistence = persistence(next(PERSISTENCE, &mut words, SECONDS)?)?;
        if words.next_if_eq(&"mask").is_some() {
            persistence.granularity = next(PERSISTENCE, &mut words, "a mask or a prefix length")?.parse()?;
        }
        if words.next_if_eq(&"pe").is_some() {
            let engine: PersistenceEngine = next(PERSISTENCE, &mut words, "the name of an engine")?.parse()?;
            persistence.engine = Some(engine);
        }
        match words.next() {
            Some(word) => Err(ParseError::new(PERSISTENCE, word, "mask and a mask, then pe and a name")),
            None => Ok(persistence),
        }
    }
}

impl fmt::Display for Timeout {
    /// The number of seconds and an `s`: `900s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad(f, format_args!("{}s", self.as_secs()))
    }
}

impl FromStr for Timeout {
    type Err = ParseError;

    /// Seconds, with or without the `s`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let timeout = number(text.strip_suffix('s').unwrap_or(text)).and_then(|seconds| Self::from_secs(seconds).ok());
        timeout.ok_or_else(|| ParseError::new("timeout", text, "1 to 21474836 seconds"))
    }
}

impl fmt::Display for Config {
    /// The timeouts to set: `tcp 900s, tcpfin 120s, udp 300s`; `unchanged` without any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [("tcp", self.tcp), ("tcpfin", self.tcp_fin), ("udp", self.udp)];
        let set = named.into_iter().filter_map(|(name, timeout)| Some(format!("{name} {}", timeout?)));
        let text = set.collect::<Vec<_>>().join(", ");
        f.pad(if text.is_empty() { UNCHANGED } else { &text })
    }
}

impl FromStr for Config {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut config = Self::new();
        if text.trim() == UNCHANGED {
            return Ok(config);
        }
        for item in text.split(',') {
            let mut words = item.split_whitespace();
            let name = next("timeouts", &mut words, NAMES)?;
            let field = match name {
                "tcp" => &mut config.tcp,
                "tcpfin" => &mut config.tcp_fin,
                "udp" => &mut config.udp,
                _ => return Err(ParseError::new("timeouts", name, NAMES)),
            };
            let timeout = next("timeouts", &mut words, SECONDS)?.parse()?;
            if field.replace(timeout).is_some() {
                return Err(ParseError::new("timeouts", name, "each name once"));
            }
            if let Some(word) = words.next() {
                return Err(ParseError::new("timeouts", word, "a comma between timeouts"));
            }
        }
        Ok(config)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad(f, format_args!("{}.{}.{}", self.major, self.minor, self.patch))
    }
}

impl FromStr for Version {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut numbers = text.splitn(3, '.');
        let version = (|| {
            let (major, minor, patch) = (numbers.next()?, numbers.next()?, numbers.next()?);
            Some(Self { major: number(major)?, minor: number(minor)?, patch: number(patch)? })
        })();
        version.ok_or_else(|| ParseError::new("version", text, "three numbers, as in 1.2.1"))
    }
}

pub(super) fn thresholds(upper: &str, lower: &str) -> Result<Thresholds, ParseError> {
    let invalid = |piece: &str, expected| ParseError::new("thresholds", piece, expected);
    let most = number(upper).ok_or_else(|| invalid(upper, "0 to 4294967295 connections"))?;
    let lower =
        number(lower).filter(|lower| *lower <= most).ok_or_else(|| invalid(lower, "0 to the upper threshold"))?;
    Ok(Thresholds::verbatim(most, lower))
}

/// Persistence with the timeout of the text.
pub(super) fn persistence(seconds: &str) -> Result<Persistence, ParseError> {
    let persistence = number(seconds).map(Persistence::verbatim);
    persistence.ok_or_else(|| ParseError::new(PERSISTENCE, seconds, "0 to 4294967295 seconds"))
}

pub(super) fn mask(text: &str) -> Result<Ipv4Addr, ParseError> {
    text.parse().ok().ok_or_else(|| ParseError::new("persistence granularity", text, "a mask such as 255.255.255.0"))
}

const PERSISTENCE: &str = "persistence";
const SECONDS: &str = "a number of seconds";
const NAMES: &str = "tcp, tcpfin or udp, each with a number of seconds";
const UNCHANGED: &str = "unchanged";
