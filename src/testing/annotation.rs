//! The meaning of the bytes of a message, with a line for each attribute.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::table::{AF_INET, AF_INET6};
use super::wire::{GENL_HEADER, HEADER, Message, Messages, NLM_F_DUMP};
use crate::codec::Command;
use crate::error::Errno;

const CONTROLLER: u16 = 16;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// The kind of value that an attribute holds.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Number,
    Signed,
    Hex,
    Seconds,
    Family,
    Protocol,
    Method,
    Tunnel,
    Role,
    Version,
    Operation,
    Flags,
    Netmask,
    Address,
    Group,
    Group6,
    Port,
    Name,
    Nest(Table),
    /// A list of numbered nests.
    Entries(Table),
    Bytes,
}

type Table = &'static [(u16, &'static str, Kind)];

const TOP: Table = &[
    (1, "SERVICE", Kind::Nest(SERVICE)),
    (2, "DEST", Kind::Nest(DESTINATION)),
    (3, "DAEMON", Kind::Nest(DAEMON)),
    (4, "TIMEOUT_TCP", Kind::Seconds),
    (5, "TIMEOUT_TCP_FIN", Kind::Seconds),
    (6, "TIMEOUT_UDP", Kind::Seconds),
];

const SERVICE: Table = &[
    (1, "AF", Kind::Family),
    (2, "PROTOCOL", Kind::Protocol),
    (3, "ADDR", Kind::Address),
    (4, "PORT", Kind::Port),
    (5, "FWMARK", Kind::Number),
    (6, "SCHED_NAME", Kind::Name),
    (7, "FLAGS", Kind::Flags),
    (8, "TIMEOUT", Kind::Seconds),
    (9, "NETMASK", Kind::Netmask),
    (10, "STATS", Kind::Nest(STATS)),
    (11, "PE_NAME", Kind::Name),
    (12, "STATS64", Kind::Nest(STATS)),
];

const DESTINATION: Table = &[
    (1, "ADDR", Kind::Address),
    (2, "PORT", Kind::Port),
    (3, "FWD_METHOD", Kind::Method),
    (4, "WEIGHT", Kind::Signed),
    (5, "U_THRESH", Kind::Number),
    (6, "L_THRESH", Kind::Number),
    (7, "ACTIVE_CONNS", Kind::Number),
    (8, "INACT_CONNS", Kind::Number),
    (9, "PERSIST_CONNS", Kind::Number),
    (10, "STATS", Kind::Nest(STATS)),
    (11, "ADDR_FAMILY", Kind::Family),
    (12, "STATS64", Kind::Nest(STATS)),
    (13, "TUN_TYPE", Kind::Tunnel),
    (14, "TUN_PORT", Kind::Port),
    (15, "TUN_FLAGS", Kind::Hex),
];

const DAEMON: Table = &[
    (1, "STATE", Kind::Role),
    (2, "MCAST_IFN", Kind::Name),
    (3, "SYNC_ID", Kind::Number),
    (4, "SYNC_MAXLEN", Kind::Number),
    (5, "MCAST_GROUP", Kind::Group),
    (6, "MCAST_GROUP6", Kind::Group6),
    (7, "MCAST_PORT", Kind::Number),
    (8, "MCAST_TTL", Kind::Number),
];

const STATS: Table = &[
    (1, "CONNS", Kind::Number),
    (2, "INPKTS", Kind::Number),
    (3, "OUTPKTS", Kind::Number),
    (4, "INBYTES", Kind::Number),
    (5, "OUTBYTES", Kind::Number),
    (6, "CPS", Kind::Number),
    (7, "INPPS", Kind::Number),
    (8, "OUTPPS", Kind::Number),
    (9, "INBPS", Kind::Number),
    (10, "OUTBPS", Kind::Number),
];

const INFO: Table = &[(1, "VERSION", Kind::Version), (2, "CONN_TAB_SIZE", Kind::Number)];

const FAMILY: Table = &[
    (1, "FAMILY_ID", Kind::Number),
    (2, "FAMILY_NAME", Kind::Name),
    (3, "VERSION", Kind::Number),
    (4, "HDRSIZE", Kind::Number),
    (5, "MAXATTR", Kind::Number),
    (6, "OPS", Kind::Entries(OPERATION)),
];

const OPERATION: Table = &[(1, "OP_ID", Kind::Operation), (2, "OP_FLAGS", Kind::Hex)];

const REMARK: Table = &[(1, "MSG", Kind::Name), (2, "OFFS", Kind::Number), (4, "POLICY", Kind::Bytes)];

/// Writes the messages of a datagram, in hexadecimal on the left and with their meaning on the right.
pub(super) fn annotate(datagram: &[u8]) -> String {
    let mut lines = Lines(String::new());
    let mut known = 0;
    for message in Messages(datagram) {
        let end = known + message.bytes.len();
        lines.message(&message, "");
        let next = end.next_multiple_of(4).min(datagram.len());
        lines.plain(datagram.get(end..next).unwrap_or_default());
        known = next;
    }
    lines.row(datagram.get(known..).unwrap_or_default(), "no message");
    lines.0
}

#[derive(Debug)]
struct Lines(String);

impl Lines {
    /// Writes bytes, with a remark after the first sixteen.
    fn row(&mut self, bytes: &[u8], remark: &str) {
        for (place, part) in bytes.chunks(16).enumerate() {
            let hex: Vec<String> = part.iter().map(|byte| format!("{byte:02x}")).collect();
            let hex = hex.join(" ");
            let line = if place == 0 && !remark.is_empty() { format!("{hex:<47}  # {remark}") } else { hex };
            self.0.push_str(&line);
            self.0.push('\n');
        }
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.row(bytes, "");
    }

    fn message(&mut self, message: &Message<'_>, indent: &str) {
        let (header, payload) = message.bytes.split_at(HEADER.min(message.bytes.len()));
        self.row(header, &format!("{indent}nlmsghdr: {}", head(header)));
        match message.kind {
            ERROR => self.error(payload, message.flags),
            DONE => {
                let (status, remarks) = payload.split_at(payload.len().min(4));
                self.row(status, &format!("status {}", integer(status).unwrap_or(0)));
                self.attributes(remarks, REMARK, "", None);
            }
            kind => self.data(kind, payload, indent),
        }
    }

    fn data(&mut self, kind: u16, payload: &[u8], indent: &str) {
        let (header, attributes) = payload.split_at(payload.len().min(GENL_HEADER));
        let [command, version, ..] = *header else {
            self.row(header, &format!("{indent}half a genlmsghdr"));
            return;
        };
        let (name, table) = match (kind, command) {
            (CONTROLLER, 1) => ("NEWFAMILY".to_owned(), FAMILY),
            (CONTROLLER, 3) => ("GETFAMILY".to_owned(), FAMILY),
            (CONTROLLER, other) => (format!("command {other}"), FAMILY),
            (_, other) => {
                let is_info = Command::from_number(other) == Some(Command::SetInfo);
                (command_name(other), if is_info { INFO } else { TOP })
            }
        };
        self.row(header, &format!("{indent}genlmsghdr: {name}, version {version}"));
        self.attributes(attributes, table, indent, None);
    }

    /// Writes an acknowledgement with its request, and the kernel's message and attributes.
    fn error(&mut self, payload: &[u8], flags: u16) {
        const CAPPED: u16 = 0x100;
        let (code, rest) = payload.split_at(payload.len().min(4));
        self.row(code, &meaning(integer(code).unwrap_or(0)));
        let (header, _) = rest.split_at(rest.len().min(HEADER));
        let claimed = header.first_chunk().map(|len| u32::from_ne_bytes(*len));
        let whole = claimed.and_then(|len| usize::try_from(len).ok()).unwrap_or(HEADER).max(HEADER);
        let echoed = if flags & CAPPED == 0 { whole.min(rest.len()) } else { header.len() };
        self.row(header, &format!("its request: {}", head(header)));
        let (request, remarks) = rest.split_at(echoed.next_multiple_of(4).min(rest.len()));
        if let Some(payload) = request.get(HEADER..).filter(|payload| !payload.is_empty()) {
            let kind = request.get(4..6).and_then(<[u8]>::first_chunk).map_or(0, |kind| u16::from_ne_bytes(*kind));
            self.data(kind, payload, "  ");
        }
        self.attributes(remarks, REMARK, "", None);
    }

    fn attributes(&mut self, bytes: &[u8], table: Table, indent: &str, outer: Option<u16>) {
        let mut family = family_of(bytes, table).or(outer);
        let mut rest = bytes;
        while let Some((kind, value, whole)) = attribute(rest) {
            let known = table.iter().find(|(number, ..)| *number == kind & 0x3fff);
            let padded = whole.len().next_multiple_of(4).min(rest.len());
            let (row, behind) = rest.split_at(padded);
            let mark = if kind & 0x8000 == 0 { "" } else { ", marked as a nest" };
            match known {
                Some((_, name, Kind::Nest(inner))) => {
                    let (header, body) = row.split_at(4);
                    self.row(header, &format!("{indent}{name}{mark}, {} bytes", whole.len()));
                    self.attributes(body, inner, &format!("{indent}  "), family);
                    // A destination without a family has that of the service before it.
                    family = family.or(family_of(body, inner));
                }
                Some((_, name, Kind::Entries(inner))) => {
                    let (header, body) = row.split_at(4);
                    self.row(header, &format!("{indent}{name}{mark}, {} bytes", whole.len()));
                    self.entries(body, inner, &format!("{indent}  "));
                }
                Some((_, name, Kind::Bytes)) => self.row(row, &format!("{indent}{name}, skipped")),
                Some((_, name, kind)) => {
                    let text = kind.text(value, family).unwrap_or_else(|| format!("{} bytes, too short", value.len()));
                    self.row(row, &format!("{indent}{name} = {text}"));
                }
                None => self.row(row, &format!("{indent}attribute {}", kind & 0x3fff)),
            }
            rest = behind;
        }
        self.row(rest, &format!("{indent}no attribute"));
    }

    fn entries(&mut self, bytes: &[u8], table: Table, indent: &str) {
        let mut rest = bytes;
        while let Some((number, _, whole)) = attribute(rest) {
            let (row, behind) = rest.split_at(whole.len().next_multiple_of(4).min(rest.len()));
            let (header, body) = row.split_at(4);
            self.row(header, &format!("{indent}entry {number}"));
            self.attributes(body, table, &format!("{indent}  "), None);
            rest = behind;
        }
        self.row(rest, &format!("{indent}no attribute"));
    }
}

impl Kind {
    /// The value in words; `None` where it is too short for its kind.
    fn text(self, value: &[u8], family: Option<u16>) -> Option<String> {
        let number = || number(value);
        let named = |names: &[(u64, &str)]| {
            let number = number()?;
            let name = names.iter().find(|(known, _)| *known == number).map(|(_, name)| format!(" ({name})"));
            Some(format!("{number}{}", name.unwrap_or_default()))
        };
        match self {
            Self::Number => number().map(|number| number.to_string()),
            Self::Hex => number().map(|number| format!("{number:#x}")),
            Self::Signed => integer(value).map(|number| number.to_string()),
            Self::Seconds => value.first_chunk().map(|bytes| format!("{} s", u32::from_ne_bytes(*bytes))),
            Self::Family => match number()? {
                number @ (2 | 10) => Some(format!("{number} ({})", if number == 2 { "IPv4" } else { "IPv6" })),
                number => Some(format!("{number} (no such family here)")),
            },
            Self::Protocol => named(&[(6, "TCP"), (17, "UDP"), (50, "ESP"), (51, "AH"), (132, "SCTP")]),
            Self::Method => {
                named(&[(0, "masquerade"), (1, "local"), (2, "tunnel"), (3, "direct route"), (4, "bypass")])
            }
            Self::Tunnel => named(&[(0, "IPIP"), (1, "GUE"), (2, "GRE")]),
            Self::Role => named(&[(1, "master"), (2, "backup")]),
            Self::Operation => {
                let number = number()?;
                let command = u8::try_from(number).ok()?;
                Some(format!("{number} ({})", command_name(command)))
            }
            Self::Version => {
                let [_, major, minor, patch] = u32::try_from(number()?).ok()?.to_be_bytes();
                Some(format!("{major}.{minor}.{patch}"))
            }
            Self::Flags => {
                let (flags, mask) = (value.first_chunk()?, value.get(4..)?.first_chunk()?);
                Some(format!("{:#x}, mask {:#x}", u32::from_ne_bytes(*flags), u32::from_ne_bytes(*mask)))
            }
            Self::Netmask if family == Some(AF_INET6) => {
                number().map(|number| format!("prefix length {number}, native order"))
            }
            Self::Netmask | Self::Group => {
                value.first_chunk::<4>().map(|bytes| format!("{}, network order", Ipv4Addr::from(*bytes)))
            }
            Self::Address if family == Some(AF_INET6) => Self::Group6.text(value, family),
            Self::Address => match value {
                // When the family is not known, it is inferred from the padding.
                [a, b, c, d, rest @ ..] if family == Some(AF_INET) || rest.iter().all(|byte| *byte == 0) => {
                    let padding = if rest.is_empty() { "" } else { ", padded" };
                    Some(format!("{}{padding}", Ipv4Addr::new(*a, *b, *c, *d)))
                }
                _ => Self::Group6.text(value, family),
            },
            Self::Group6 => value.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).to_string()),
            Self::Port => value.first_chunk().map(|port| format!("{}, network order", u16::from_be_bytes(*port))),
            Self::Name => {
                let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
                Some(format!("\"{}\"", name.escape_ascii()))
            }
            Self::Nest(_) | Self::Entries(_) | Self::Bytes => None,
        }
    }
}

/// The type, the value and all bytes of the next attribute.
fn attribute(rest: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let [l0, l1, k0, k1] = *rest.first_chunk()?;
    let whole = rest.get(..usize::from(u16::from_ne_bytes([l0, l1])))?;
    Some((u16::from_ne_bytes([k0, k1]), whole.get(4..)?, whole))
}

/// The address family of a nest, if one of its attributes has it.
fn family_of(bytes: &[u8], table: Table) -> Option<u16> {
    let wanted = table.iter().find(|(_, _, kind)| matches!(kind, Kind::Family)).map(|(number, ..)| *number)?;
    let mut rest = bytes;
    while let Some((kind, value, whole)) = attribute(rest) {
        if kind & 0x3fff == wanted {
            return value.first_chunk().map(|family| u16::from_ne_bytes(*family)).filter(|family| *family != 0);
        }
        rest = rest.get(whole.len().next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

/// A number of 1, 2, 4 or 8 bytes.
fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        1 => value.first().map(|byte| (*byte).into()),
        2 => value.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes).into()),
        4 => value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes).into()),
        8 => value.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes)),
        _ => None,
    }
}

fn integer(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes))
}

fn head(header: &[u8]) -> String {
    let Some([l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3]) = header.first_chunk::<HEADER>() else {
        return "cut off".to_owned();
    };
    let kind = u16::from_ne_bytes([*k0, *k1]);
    let name = match kind {
        ERROR => "NLMSG_ERROR".to_owned(),
        DONE => "NLMSG_DONE".to_owned(),
        CONTROLLER => "the controller".to_owned(),
        other => format!("family {other}"),
    };
    format!(
        "{} bytes, {name}, flags {}, sequence {:#x}, port {}",
        u32::from_ne_bytes([*l0, *l1, *l2, *l3]),
        flags(kind, u16::from_ne_bytes([*f0, *f1])),
        u32::from_ne_bytes([*s0, *s1, *s2, *s3]),
        u32::from_ne_bytes([*p0, *p1, *p2, *p3]),
    )
}

fn flags(kind: u16, flags: u16) -> String {
    const REQUESTS: &[(u16, &str)] =
        &[(0x1, "REQUEST"), (0x2, "MULTI"), (0x4, "ACK"), (0x8, "ECHO"), (0x10, "DUMP_INTR"), (NLM_F_DUMP, "DUMP")];
    const ANSWERS: &[(u16, &str)] = &[(0x2, "MULTI"), (0x10, "DUMP_INTR"), (0x100, "CAPPED"), (0x200, "ACK_TLVS")];
    let names = if matches!(kind, ERROR | DONE) { ANSWERS } else { REQUESTS };
    let names: Vec<&str> = names.iter().filter(|(bits, _)| flags & bits == *bits).map(|(_, name)| *name).collect();
    let mut text = if flags == 0 { "0".to_owned() } else { format!("{flags:#x}") };
    if !names.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, " ({})", names.join("|"));
    }
    text
}

fn meaning(code: i32) -> String {
    if code == 0 {
        return "success".to_owned();
    }
    match Errno::from_raw(code.unsigned_abs()).name() {
        Some(name) => format!("error {code} ({name})"),
        None => format!("error {code}"),
    }
}

fn command_name(number: u8) -> String {
    const NAMES: [&str; 17] = [
        "NEW_SERVICE",
        "SET_SERVICE",
        "DEL_SERVICE",
        "GET_SERVICE",
        "NEW_DEST",
        "SET_DEST",
        "DEL_DEST",
        "GET_DEST",
        "NEW_DAEMON",
        "DEL_DAEMON",
        "GET_DAEMON",
        "SET_CONFIG",
        "GET_CONFIG",
        "SET_INFO",
        "GET_INFO",
        "ZERO",
        "FLUSH",
    ];
    let name = usize::from(number).checked_sub(1).and_then(|place| NAMES.get(place));
    name.map_or_else(|| format!("command {number}"), |name| (*name).to_owned())
}
