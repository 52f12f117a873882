use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::model::{
    Config, Destination, ForwardMethod, Granularity, Persistence, Service, Thresholds, Timeout, Tunnel, TunnelFlags,
    TunnelKind,
};

/// A setting that becomes another.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// Its key in a file.
    pub field: &'static str,
    /// What it was.
    pub from: FieldValue,
    /// What it will be.
    pub to: FieldValue,
}

/// A setting as it is printed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum FieldValue {
    /// A number, or a time in seconds.
    Number(u64),
    /// On or off.
    Switch(bool),
    /// A word, or several.
    Text(String),
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Switch(switch) => switch.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}

impl From<u32> for FieldValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for FieldValue {
    fn from(switch: bool) -> Self {
        Self::Switch(switch)
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The word of a forwarding method in a file; `?` for one that nobody knows.
pub(in crate::desired) fn forward_word(forward: ForwardMethod) -> &'static str {
    match forward {
        ForwardMethod::DirectRoute => "direct",
        ForwardMethod::Masquerade => "nat",
        ForwardMethod::Tunnel(_) => "tunnel",
        ForwardMethod::Local => "local",
        ForwardMethod::Bypass => "bypass",
        _ => "?",
    }
}

/// The word of a tunnel's kind in a file; `?` for one that nobody knows.
pub(in crate::desired) fn tunnel_word(kind: TunnelKind) -> &'static str {
    match kind {
        TunnelKind::Ipip => "ipip",
        TunnelKind::Gue => "gue",
        TunnelKind::Gre => "gre",
        _ => "?",
    }
}

/// The word of a tunnel's checksum in a file.
pub(in crate::desired) fn checksum_word(flags: TunnelFlags) -> &'static str {
    if flags.contains(TunnelFlags::REMOTE_CHECKSUM) {
        "remote"
    } else if flags.contains(TunnelFlags::CHECKSUM) {
        "on"
    } else {
        "off"
    }
}

/// The words of a scheduler's flags in a file.
pub(in crate::desired) fn flag_words(service: &Service) -> Vec<String> {
    let notation = service.scheduler_flags.notation(&service.scheduler);
    let words = notation.split(',').filter(|word| !word.is_empty());
    words.map(|word| word.strip_prefix("sh-").or_else(|| word.strip_prefix("mh-")).unwrap_or(word).to_owned()).collect()
}

pub(in crate::desired) fn changes_of_service(live: &Service, wanted: &Service) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    let flags = |service| {
        let words = flag_words(service);
        if words.is_empty() { "none".to_owned() } else { words.join(",") }
    };
    let persistence = |service: &Service| service.persistence.map_or_else(|| "off".to_owned(), persistence_text);
    add(&mut changes, "sched", live.scheduler.name(), wanted.scheduler.name());
    // The same flag has another name with another scheduler: that alone is no change.
    if live.scheduler_flags != wanted.scheduler_flags {
        add(&mut changes, "sched-flags", flags(live), flags(wanted));
    }
    add(&mut changes, "one-packet", live.one_packet, wanted.one_packet);
    add(&mut changes, "persistence", persistence(live), persistence(wanted));
    changes
}

pub(in crate::desired) fn changes_of_destination(live: &Destination, wanted: &Destination) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    let tunnel = |destination: &Destination| match destination.forward {
        ForwardMethod::Tunnel(tunnel) => tunnel_text(tunnel),
        _ => "none".to_owned(),
    };
    add(&mut changes, "weight", live.weight.get(), wanted.weight.get());
    add(&mut changes, "forward", forward_word(live.forward), forward_word(wanted.forward));
    add(&mut changes, "tunnel", tunnel(live), tunnel(wanted));
    add(&mut changes, "thresholds", thresholds_text(live.thresholds), thresholds_text(wanted.thresholds));
    changes
}

pub(in crate::desired) fn changes_of_config(live: &Config, wanted: &Config) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    let fields =
        [("tcp", live.tcp, wanted.tcp), ("tcpfin", live.tcp_fin, wanted.tcp_fin), ("udp", live.udp, wanted.udp)];
    for (field, live, wanted) in fields {
        if let Some(wanted) = wanted {
            add(&mut changes, field, live.map_or(0, Timeout::as_secs), wanted.as_secs());
        }
    }
    changes
}

fn add<T: Into<FieldValue>>(changes: &mut Vec<SettingChange>, field: &'static str, from: T, to: T) {
    let (from, to) = (from.into(), to.into());
    if from != to {
        changes.push(SettingChange { field, from, to });
    }
}

fn persistence_text(persistence: Persistence) -> String {
    let mut text = format!("{}s", persistence.timeout_secs());
    match persistence.granularity {
        Granularity::Client => {}
        Granularity::Mask(mask) => drop(write!(text, ", netmask {mask}")),
        Granularity::Prefix(prefix) => drop(write!(text, ", prefix {}", prefix.bits())),
    }
    if let Some(engine) = persistence.engine {
        let _ = write!(text, ", engine {engine}");
    }
    text
}

fn tunnel_text(tunnel: Tunnel) -> String {
    let mut text = tunnel_word(tunnel.kind()).to_owned();
    if let Some(port) = tunnel.port() {
        let _ = write!(text, ", port {port}");
    }
    if !tunnel.tunnel_flags().is_empty() {
        let _ = write!(text, ", checksum {}", checksum_word(tunnel.tunnel_flags()));
    }
    text
}

fn thresholds_text(thresholds: Thresholds) -> String {
    match (thresholds.upper(), thresholds.lower()) {
        (None, None) => "none".to_owned(),
        (upper, None) => format!("upper {}", upper.map_or(0, std::num::NonZeroU32::get)),
        (upper, Some(lower)) => format!("upper {}, lower {lower}", upper.map_or(0, std::num::NonZeroU32::get)),
    }
}
