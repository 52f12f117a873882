use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::piece::{after, bits, end, name_of, named, number, pad};
use crate::model::{ForwardMethod, ParseError, Tunnel, TunnelFlags, TunnelKind, UnknownForwardMethod};

impl fmt::Display for ForwardMethod {
    /// The word of ipvsadm; a tunnel other than plain IP in IP adds its settings: `Tunnel gue:6080+csum`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (name_of(METHODS, self), self) {
            (Some(name), _) => f.pad(name),
            (None, Self::Tunnel(tunnel)) => pad(f, format_args!("{TUNNEL} {tunnel}")),
            (None, other) => pad(f, format_args!("Unknown-{}", other.number())),
        }
    }
}

impl FromStr for ForwardMethod {
    type Err = ParseError;

    /// The words of `Display`, the options of ipvsadm, and common names such as `nat`, `direct` and `gue:6080`. Words
    /// may be written in any case; options are case-sensitive.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut words = text.split_whitespace();
        let head = words.next().unwrap_or_default();
        let method = if let Some(method) = named(METHODS, head) {
            match (method, words.next()) {
                (Self::Tunnel(_), Some(tunnel)) => Self::Tunnel(tunnel.parse()?),
                (_, Some(word)) => return Err(ParseError::new("forwarding method", word, "nothing more")),
                (_, None) => method,
            }
        } else if let Some(digits) = after("unknown-", head) {
            let unknown = number(digits).and_then(UnknownForwardMethod::new).map(Self::Unknown);
            unknown.ok_or_else(|| ParseError::new("forwarding method", digits, "5, 6 or 7"))?
        } else if head.split([':', '+']).next().and_then(kind).is_some() {
            Self::Tunnel(head.parse()?)
        } else {
            return Err(ParseError::new("forwarding method", head, "Masq, Tunnel, Route, Local or Bypass"));
        };
        end("forwarding method", words)?;
        Ok(method)
    }
}

impl fmt::Display for Tunnel {
    /// The kind, the port after a colon, each flag after a plus: `ipip`, `gue:6080`, `gre+csum`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.kind().to_string();
        if let Some(port) = self.port() {
            write!(text, ":{port}")?;
        }
        for flag in flag_words(self.tunnel_flags()) {
            write!(text, "+{flag}")?;
        }
        f.pad(&text)
    }
}

impl FromStr for Tunnel {
    type Err = ParseError;

    /// As [`Display`](fmt::Display) writes it, in any case; `ipvsadm --tun-info` has the flags in another form, which
    /// is read as well: `gue:6080:-c`, `gue:6080:+c`, `gue:6080:r+c`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (head, flags) = if let Some(head) = text.strip_suffix(":-c") {
            (head, TunnelFlags::empty())
        } else if let Some(head) = text.strip_suffix(":r+c") {
            (head, TunnelFlags::REMOTE_CHECKSUM)
        } else if let Some(head) = text.strip_suffix(":+c") {
            (head, TunnelFlags::CHECKSUM)
        } else if let Some((head, words)) = text.split_once('+') {
            (head, parse_flags("tunnel", words.split('+'))?)
        } else {
            (text, TunnelFlags::empty())
        };
        let (name, port) = match head.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (head, None),
        };
        let kind = kind(name).ok_or_else(|| ParseError::new("tunnel", name, EXPECTED_KINDS))?;
        match port {
            Some(port) => {
                let expected = || ParseError::new("tunnel", port, "a port of 1 to 65535");
                let port: u16 = number(port).filter(|port| *port > 0).ok_or_else(expected)?;
                Ok(Self::from_kernel(kind.number(), port, flags.bits()))
            }
            // The kernel refuses GUE without a port, and only stores the port of any other kind.
            None if kind == TunnelKind::Gue => Err(ParseError::new("tunnel", head, "a port, as in gue:6080")),
            None => Ok(Self::from_kernel(kind.number(), 0, flags.bits())),
        }
    }
}

impl fmt::Display for TunnelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name_of(KINDS, self) {
            Some(name) => f.pad(name),
            None => pad(f, format_args!("{NUMBERED}{}", self.number())),
        }
    }
}

impl FromStr for TunnelKind {
    type Err = ParseError;

    /// A name, or `tunnel-` and a number, in any case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        kind(text).ok_or_else(|| ParseError::new("tunnel kind", text, EXPECTED_KINDS))
    }
}

impl fmt::Display for TunnelFlags {
    /// The words of ipvsadm's options, separated by commas: `nocsum`, `csum`, `remcsum`; bits without a name as one
    /// number, `0x8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() { f.pad("nocsum") } else { f.pad(&flag_words(*self).collect::<Vec<_>>().join(",")) }
    }
}

impl FromStr for TunnelFlags {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_flags("tunnel flags", text.split(','))
    }
}

/// One word for each flag, and one for all bits that have no name.
fn flag_words(flags: TunnelFlags) -> impl Iterator<Item = String> {
    let unnamed = flags - TunnelFlags::CHECKSUM - TunnelFlags::REMOTE_CHECKSUM;
    let words = FLAGS.into_iter().filter(move |(_, flag)| flags.intersects(*flag)).map(|(word, _)| word.to_owned());
    words.chain((!unnamed.is_empty()).then(|| format!("{:#x}", unnamed.bits())))
}

fn parse_flags<'a>(what: &'static str, mut words: impl Iterator<Item = &'a str>) -> Result<TunnelFlags, ParseError> {
    words.try_fold(TunnelFlags::empty(), |flags, word| {
        let unnamed = || bits(word).and_then(|bits| u16::try_from(bits).ok()).map(TunnelFlags::from_bits_retain);
        let flag = named(FLAGS, word).or_else(unnamed);
        flag.map(|flag| flags | flag).ok_or_else(|| ParseError::new(what, word, "csum, remcsum, or bits such as 0x4"))
    })
}

fn kind(word: &str) -> Option<TunnelKind> {
    named(KINDS, word).or_else(|| number(after(NUMBERED, word)?).map(TunnelKind::from_number))
}

/// The words for each method, first the one that is printed.
const METHODS: [(&str, ForwardMethod); 19] = [
    ("Masq", ForwardMethod::Masquerade),
    ("masquerade", ForwardMethod::Masquerade),
    ("masquerading", ForwardMethod::Masquerade),
    ("nat", ForwardMethod::Masquerade),
    ("-m", ForwardMethod::Masquerade),
    ("--masquerading", ForwardMethod::Masquerade),
    ("Route", ForwardMethod::DirectRoute),
    ("droute", ForwardMethod::DirectRoute),
    ("dr", ForwardMethod::DirectRoute),
    ("direct", ForwardMethod::DirectRoute),
    ("gatewaying", ForwardMethod::DirectRoute),
    ("-g", ForwardMethod::DirectRoute),
    ("--gatewaying", ForwardMethod::DirectRoute),
    ("Local", ForwardMethod::Local),
    ("Bypass", ForwardMethod::Bypass),
    (TUNNEL, ForwardMethod::Tunnel(Tunnel::ipip())),
    ("tunneling", ForwardMethod::Tunnel(Tunnel::ipip())),
    ("-i", ForwardMethod::Tunnel(Tunnel::ipip())),
    ("--ipip", ForwardMethod::Tunnel(Tunnel::ipip())),
];

const TUNNEL: &str = "Tunnel";

const KINDS: [(&str, TunnelKind); 3] = [("ipip", TunnelKind::Ipip), ("gue", TunnelKind::Gue), ("gre", TunnelKind::Gre)];
/// Before the number of any other kind.
const NUMBERED: &str = "tunnel-";

const FLAGS: [(&str, TunnelFlags); 3] =
    [("nocsum", TunnelFlags::empty()), ("csum", TunnelFlags::CHECKSUM), ("remcsum", TunnelFlags::REMOTE_CHECKSUM)];

const EXPECTED_KINDS: &str = "ipip, gue, gre, or tunnel- and a number";
