//! The meaning of the bytes of a message, with a line for each attribute.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{
    NLA_F_NESTED, NLA_TYPE_MASK, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_ECHO,
    NLM_F_MULTIPART, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR,
};
use netlink_packet_generic::constants::{
    CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_HDRSIZE, CTRL_ATTR_MAXATTR, CTRL_ATTR_OP_FLAGS,
    CTRL_ATTR_OP_ID, CTRL_ATTR_OPS, CTRL_ATTR_VERSION, CTRL_CMD_GETFAMILY, CTRL_CMD_NEWFAMILY, GENL_ID_CTRL,
};

use super::wire::{GENL_HEADER, HEADER, Message, Messages, NLMSGERR_ATTR_POLICY};
use crate::codec::IpvsCommand;
use crate::codec::consts::{
    AF_INET, AF_INET6, IPVS_CMD_ATTR_DAEMON, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE, IPVS_CMD_ATTR_TIMEOUT_TCP,
    IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP, IPVS_DAEMON_ATTR_MCAST_GROUP,
    IPVS_DAEMON_ATTR_MCAST_GROUP6, IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_MCAST_PORT, IPVS_DAEMON_ATTR_MCAST_TTL,
    IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_SYNC_ID, IPVS_DAEMON_ATTR_SYNC_MAXLEN, IPVS_DEST_ATTR_ACTIVE_CONNS,
    IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_ADDR_FAMILY, IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_INACT_CONNS,
    IPVS_DEST_ATTR_L_THRESH, IPVS_DEST_ATTR_PERSIST_CONNS, IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_STATS,
    IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_TUN_FLAGS, IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE,
    IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_WEIGHT, IPVS_INFO_ATTR_CONN_TAB_SIZE, IPVS_INFO_ATTR_VERSION,
    IPVS_STATS_ATTR_CONNS, IPVS_STATS_ATTR_CPS, IPVS_STATS_ATTR_INBPS, IPVS_STATS_ATTR_INBYTES, IPVS_STATS_ATTR_INPKTS,
    IPVS_STATS_ATTR_INPPS, IPVS_STATS_ATTR_OUTBPS, IPVS_STATS_ATTR_OUTBYTES, IPVS_STATS_ATTR_OUTPKTS,
    IPVS_STATS_ATTR_OUTPPS, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_FWMARK,
    IPVS_SVC_ATTR_NETMASK, IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_SCHED_NAME,
    IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_TIMEOUT, NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS,
};
use crate::error::Errno;

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

/// The attributes of a message or a nest, by number and name.
type Table = &'static [(u16, &'static str, Kind)];

macro_rules! table {
    ($($name:ident $kind:expr,)*) => { &[$(($name, stringify!($name), $kind),)*] };
}

const TOP: Table = table! {
    IPVS_CMD_ATTR_SERVICE Kind::Nest(SERVICE),
    IPVS_CMD_ATTR_DEST Kind::Nest(DESTINATION),
    IPVS_CMD_ATTR_DAEMON Kind::Nest(DAEMON),
    IPVS_CMD_ATTR_TIMEOUT_TCP Kind::Seconds,
    IPVS_CMD_ATTR_TIMEOUT_TCP_FIN Kind::Seconds,
    IPVS_CMD_ATTR_TIMEOUT_UDP Kind::Seconds,
};

const SERVICE: Table = table! {
    IPVS_SVC_ATTR_AF Kind::Family,
    IPVS_SVC_ATTR_PROTOCOL Kind::Protocol,
    IPVS_SVC_ATTR_ADDR Kind::Address,
    IPVS_SVC_ATTR_PORT Kind::Port,
    IPVS_SVC_ATTR_FWMARK Kind::Number,
    IPVS_SVC_ATTR_SCHED_NAME Kind::Name,
    IPVS_SVC_ATTR_FLAGS Kind::Flags,
    IPVS_SVC_ATTR_TIMEOUT Kind::Seconds,
    IPVS_SVC_ATTR_NETMASK Kind::Netmask,
    IPVS_SVC_ATTR_STATS Kind::Nest(STATS),
    IPVS_SVC_ATTR_PE_NAME Kind::Name,
    IPVS_SVC_ATTR_STATS64 Kind::Nest(STATS),
};

const DESTINATION: Table = table! {
    IPVS_DEST_ATTR_ADDR Kind::Address,
    IPVS_DEST_ATTR_PORT Kind::Port,
    IPVS_DEST_ATTR_FWD_METHOD Kind::Method,
    IPVS_DEST_ATTR_WEIGHT Kind::Signed,
    IPVS_DEST_ATTR_U_THRESH Kind::Number,
    IPVS_DEST_ATTR_L_THRESH Kind::Number,
    IPVS_DEST_ATTR_ACTIVE_CONNS Kind::Number,
    IPVS_DEST_ATTR_INACT_CONNS Kind::Number,
    IPVS_DEST_ATTR_PERSIST_CONNS Kind::Number,
    IPVS_DEST_ATTR_STATS Kind::Nest(STATS),
    IPVS_DEST_ATTR_ADDR_FAMILY Kind::Family,
    IPVS_DEST_ATTR_STATS64 Kind::Nest(STATS),
    IPVS_DEST_ATTR_TUN_TYPE Kind::Tunnel,
    IPVS_DEST_ATTR_TUN_PORT Kind::Port,
    IPVS_DEST_ATTR_TUN_FLAGS Kind::Hex,
};

const DAEMON: Table = table! {
    IPVS_DAEMON_ATTR_STATE Kind::Role,
    IPVS_DAEMON_ATTR_MCAST_IFN Kind::Name,
    IPVS_DAEMON_ATTR_SYNC_ID Kind::Number,
    IPVS_DAEMON_ATTR_SYNC_MAXLEN Kind::Number,
    IPVS_DAEMON_ATTR_MCAST_GROUP Kind::Group,
    IPVS_DAEMON_ATTR_MCAST_GROUP6 Kind::Group6,
    IPVS_DAEMON_ATTR_MCAST_PORT Kind::Number,
    IPVS_DAEMON_ATTR_MCAST_TTL Kind::Number,
};

const STATS: Table = table! {
    IPVS_STATS_ATTR_CONNS Kind::Number,
    IPVS_STATS_ATTR_INPKTS Kind::Number,
    IPVS_STATS_ATTR_OUTPKTS Kind::Number,
    IPVS_STATS_ATTR_INBYTES Kind::Number,
    IPVS_STATS_ATTR_OUTBYTES Kind::Number,
    IPVS_STATS_ATTR_CPS Kind::Number,
    IPVS_STATS_ATTR_INPPS Kind::Number,
    IPVS_STATS_ATTR_OUTPPS Kind::Number,
    IPVS_STATS_ATTR_INBPS Kind::Number,
    IPVS_STATS_ATTR_OUTBPS Kind::Number,
};

const INFO: Table = table! {
    IPVS_INFO_ATTR_VERSION Kind::Version,
    IPVS_INFO_ATTR_CONN_TAB_SIZE Kind::Number,
};

const FAMILY: Table = table! {
    CTRL_ATTR_FAMILY_ID Kind::Number,
    CTRL_ATTR_FAMILY_NAME Kind::Name,
    CTRL_ATTR_VERSION Kind::Number,
    CTRL_ATTR_HDRSIZE Kind::Number,
    CTRL_ATTR_MAXATTR Kind::Number,
    CTRL_ATTR_OPS Kind::Entries(OPERATION),
};

const OPERATION: Table = table! {
    CTRL_ATTR_OP_ID Kind::Operation,
    CTRL_ATTR_OP_FLAGS Kind::Hex,
};

const REMARK: Table = table! {
    NLMSGERR_ATTR_MSG Kind::Name,
    NLMSGERR_ATTR_OFFS Kind::Number,
    NLMSGERR_ATTR_POLICY Kind::Bytes,
};

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
            NLMSG_ERROR => self.error(payload, message.flags),
            NLMSG_DONE => {
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
            (GENL_ID_CTRL, CTRL_CMD_NEWFAMILY) => ("NEWFAMILY".to_owned(), FAMILY),
            (GENL_ID_CTRL, CTRL_CMD_GETFAMILY) => ("GETFAMILY".to_owned(), FAMILY),
            (GENL_ID_CTRL, other) => (format!("command {other}"), FAMILY),
            (_, other) => {
                let is_info = IpvsCommand::from_number(other) == Some(IpvsCommand::SetInfo);
                (command_name(other), if is_info { INFO } else { TOP })
            }
        };
        self.row(header, &format!("{indent}genlmsghdr: {name}, version {version}"));
        self.attributes(attributes, table, indent, None);
    }

    /// Writes an acknowledgement with its request, and the kernel's message and attributes.
    fn error(&mut self, payload: &[u8], flags: u16) {
        let (code, rest) = payload.split_at(payload.len().min(4));
        self.row(code, &meaning(integer(code).unwrap_or(0)));
        let (header, _) = rest.split_at(rest.len().min(HEADER));
        let claimed = header.first_chunk().map(|len| u32::from_ne_bytes(*len));
        let whole = claimed.and_then(|len| usize::try_from(len).ok()).unwrap_or(HEADER).max(HEADER);
        let echoed = if flags & NLM_F_CAPPED == 0 { whole.min(rest.len()) } else { header.len() };
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
            let known = table.iter().find(|(number, ..)| *number == kind & NLA_TYPE_MASK);
            let known =
                known.map(|(_, name, kind)| (name.split_once("_ATTR_").map_or(*name, |(_, short)| short), kind));
            let padded = whole.len().next_multiple_of(4).min(rest.len());
            let (row, behind) = rest.split_at(padded);
            let mark = if kind & NLA_F_NESTED == 0 { "" } else { ", marked as a nest" };
            match known {
                Some((name, Kind::Nest(inner))) => {
                    let (header, body) = row.split_at(4);
                    self.row(header, &format!("{indent}{name}{mark}, {} bytes", whole.len()));
                    self.attributes(body, inner, &format!("{indent}  "), family);
                    // A destination without a family has that of the service before it.
                    family = family.or(family_of(body, inner));
                }
                Some((name, Kind::Entries(inner))) => {
                    let (header, body) = row.split_at(4);
                    self.row(header, &format!("{indent}{name}{mark}, {} bytes", whole.len()));
                    self.entries(body, inner, &format!("{indent}  "));
                }
                Some((name, Kind::Bytes)) => self.row(row, &format!("{indent}{name}, skipped")),
                Some((name, kind)) => {
                    let text = kind.text(value, family).unwrap_or_else(|| format!("{} bytes, too short", value.len()));
                    self.row(row, &format!("{indent}{name} = {text}"));
                }
                None => self.row(row, &format!("{indent}attribute {}", kind & NLA_TYPE_MASK)),
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
        if kind & NLA_TYPE_MASK == wanted {
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
        NLMSG_ERROR => "NLMSG_ERROR".to_owned(),
        NLMSG_DONE => "NLMSG_DONE".to_owned(),
        GENL_ID_CTRL => "the controller".to_owned(),
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
    const REQUESTS: &[(u16, &str)] = &[
        (NLM_F_REQUEST, "REQUEST"),
        (NLM_F_MULTIPART, "MULTI"),
        (NLM_F_ACK, "ACK"),
        (NLM_F_ECHO, "ECHO"),
        (NLM_F_DUMP_INTR, "DUMP_INTR"),
        (NLM_F_DUMP, "DUMP"),
    ];
    const ANSWERS: &[(u16, &str)] = &[
        (NLM_F_MULTIPART, "MULTI"),
        (NLM_F_DUMP_INTR, "DUMP_INTR"),
        (NLM_F_CAPPED, "CAPPED"),
        (NLM_F_ACK_TLVS, "ACK_TLVS"),
    ];
    let names = if matches!(kind, NLMSG_ERROR | NLMSG_DONE) { ANSWERS } else { REQUESTS };
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
