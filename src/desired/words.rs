//! The words of files for values that are a choice.

use crate::model::{AddressFamily, ForwardMethod, Tunnel, TunnelFlags};

/// Gives the variants of enums their words.
macro_rules! words {
    ($($type:ident: $($variant:ident $word:literal),*;)*) => { $(
        impl $type {
            /// All of them.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// Its word in a file or on a command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    )* };
}
pub(super) use words;

/// The forwarding methods that have names: that of every version, and that of version 2 only.
pub(super) const FORWARDS: [(&str, &str, ForwardMethod); 5] = [
    ("direct", "gate", ForwardMethod::DirectRoute),
    ("nat", "masq", ForwardMethod::Masquerade),
    ("tunnel", "ipip", ForwardMethod::Tunnel(Tunnel::ipip())),
    ("local", "local", ForwardMethod::Local),
    ("bypass", "bypass", ForwardMethod::Bypass),
];

/// The checksums of tunnels that have names.
pub(super) const CHECKSUMS: [(&str, TunnelFlags); 3] =
    [("off", TunnelFlags::empty()), ("on", TunnelFlags::CHECKSUM), ("remote", TunnelFlags::REMOTE_CHECKSUM)];

/// The families of firewall marks.
pub(super) const FAMILIES: [(&str, AddressFamily); 2] = [("ipv4", AddressFamily::Ipv4), ("ipv6", AddressFamily::Ipv6)];
