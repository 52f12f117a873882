use std::fmt;

use super::piece::pad;
use crate::model::{Config, Granularity, Persistence, Prefix, Thresholds, Timeout, Version, Weight};

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Display for Thresholds {
    /// The upper and the lower one, 0 where there is none: `10/5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |threshold: Option<std::num::NonZeroU32>| threshold.map_or(0, std::num::NonZeroU32::get);
        pad(f, format_args!("{}/{}", number(self.upper()), number(self.lower())))
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.pad("client"),
            Self::Mask(mask) => mask.fmt(f),
            Self::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bits().fmt(f)
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("persistent {}", self.timeout_secs());
        if self.granularity != Granularity::Client {
            text.push_str(&format!(" mask {}", self.granularity));
        }
        if let Some(engine) = self.engine {
            text.push_str(&format!(" pe {engine}"));
        }
        f.pad(&text)
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad(f, format_args!("{}s", self.as_secs()))
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [("tcp", self.tcp), ("tcpfin", self.tcp_fin), ("udp", self.udp)];
        let set = named.into_iter().filter_map(|(name, timeout)| Some(format!("{name} {}", timeout?)));
        let text = set.collect::<Vec<_>>().join(", ");
        f.pad(if text.is_empty() { "unchanged" } else { &text })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad(f, format_args!("{}.{}.{}", self.major, self.minor, self.patch))
    }
}
