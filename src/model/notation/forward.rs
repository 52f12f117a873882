use std::fmt;

use super::piece::pad;
use crate::model::{ForwardMethod, Tunnel, TunnelFlags, TunnelKind};

impl fmt::Display for ForwardMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Masquerade => f.pad("Masq"),
            Self::Local => f.pad("Local"),
            Self::Tunnel(tunnel) if *tunnel == Tunnel::ipip() => f.pad("Tunnel"),
            Self::Tunnel(tunnel) => pad(f, format_args!("Tunnel {tunnel}")),
            Self::DirectRoute => f.pad("Route"),
            Self::Bypass => f.pad("Bypass"),
            Self::Unknown(unknown) => pad(f, format_args!("Unknown-{}", unknown.number())),
        }
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.kind().to_string();
        if let Some(port) = self.port() {
            text.push_str(&format!(":{port}"));
        }
        for flag in flag_words(self.tunnel_flags()) {
            text.push('+');
            text.push_str(&flag);
        }
        f.pad(&text)
    }
}

impl fmt::Display for TunnelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipip => f.pad("ipip"),
            Self::Gue => f.pad("gue"),
            Self::Gre => f.pad("gre"),
            Self::Unknown(unknown) => pad(f, format_args!("tunnel-{}", unknown.number())),
        }
    }
}

impl fmt::Display for TunnelFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() { f.pad("nocsum") } else { f.pad(&flag_words(*self).collect::<Vec<_>>().join(",")) }
    }
}

/// One word for each flag, and one for all bits that have no name.
fn flag_words(flags: TunnelFlags) -> impl Iterator<Item = String> {
    let named = [(TunnelFlags::CHECKSUM, "csum"), (TunnelFlags::REMOTE_CHECKSUM, "remcsum")];
    let unnamed = flags - TunnelFlags::CHECKSUM - TunnelFlags::REMOTE_CHECKSUM;
    let words = named.into_iter().filter(move |(flag, _)| flags.contains(*flag)).map(|(_, word)| word.to_owned());
    words.chain((!unnamed.is_empty()).then(|| format!("{:#x}", unnamed.bits())))
}
