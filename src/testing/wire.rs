//! Received messages: an independent parser of the wire format, as lenient and as strict as the kernel's.
//!
//! Nothing here is shared with [`codec`](crate::codec) but the numbers of the kernel's header: a mistake that both sides
//! of a conversation made would go unnoticed.

use netlink_packet_core::{NLA_F_NESTED, NLA_TYPE_MASK, NLM_F_ACK, NLM_F_DUMP, NLM_F_ECHO, NLM_F_REQUEST};
use netlink_packet_generic::constants::{CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME};

use crate::codec::consts::{
    IPVS_CMD_ATTR_DAEMON, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE, IPVS_CMD_ATTR_TIMEOUT_TCP,
    IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP, IPVS_DAEMON_ATTR_MCAST_GROUP,
    IPVS_DAEMON_ATTR_MCAST_GROUP6, IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_MCAST_PORT, IPVS_DAEMON_ATTR_MCAST_TTL,
    IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_SYNC_ID, IPVS_DAEMON_ATTR_SYNC_MAXLEN, IPVS_DEST_ATTR_ACTIVE_CONNS,
    IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_ADDR_FAMILY, IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_INACT_CONNS,
    IPVS_DEST_ATTR_L_THRESH, IPVS_DEST_ATTR_PERSIST_CONNS, IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_STATS,
    IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_TUN_FLAGS, IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE,
    IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_WEIGHT, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS,
    IPVS_SVC_ATTR_FWMARK, IPVS_SVC_ATTR_NETMASK, IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT, IPVS_SVC_ATTR_PROTOCOL,
    IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_TIMEOUT,
};
use crate::error::Errno;

/// Length of a netlink header.
pub(super) const HEADER: usize = 16;
/// Length of a generic-netlink header.
pub(super) const GENL_HEADER: usize = 4;
/// Length of a message of a family without attributes.
pub(super) const BARE: usize = HEADER + GENL_HEADER;

/// The attribute of an error that describes a shape.
pub(super) const NLMSGERR_ATTR_POLICY: u16 = 4;

/// The kernel's messages about attributes.
const VIOLATION: &str = "Attribute failed policy validation";
const LEFTOVER: &str = "bytes leftover after parsing attributes";

/// The kernel's details about a request beyond the error number (`netlink_ext_ack`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Remark {
    pub(super) message: Option<&'static str>,
    /// The offset of the attribute that caused the error, and the shape that it must have, if any.
    pub(super) attribute: Option<(usize, Option<Shape>)>,
}

/// A message of a datagram, as long as its header says, without padding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) bytes: &'a [u8],
}

/// The messages of a datagram (`netlink_rcv_skb`). An impossible length ends them without an error.
#[derive(Debug)]
pub(super) struct Messages<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *self.0.first_chunk::<HEADER>()?;
        let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok().filter(|len| *len >= HEADER)?;
        let bytes = self.0.get(..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            bytes,
        })
    }
}

impl<'a> Message<'a> {
    /// Whether it requests a list. One of the two bits alone does not.
    pub(super) const fn is_dump(&self) -> bool {
        self.flags & NLM_F_DUMP == NLM_F_DUMP
    }

    /// Command and reserved field of the generic-netlink header; `None` when the message is too short for one.
    pub(super) fn command(&self) -> Option<(u8, u16)> {
        let [command, _version, r0, r1] = *self.bytes.get(HEADER..)?.first_chunk::<GENL_HEADER>()?;
        Some((command, u16::from_ne_bytes([r0, r1])))
    }

    pub(super) fn attributes(&self) -> &'a [u8] {
        self.bytes.get(HEADER + GENL_HEADER..).unwrap_or_default()
    }
}

/// Checks the fields that must not be set in a message whose command is newer than the check (`genl_header_check`).
pub(super) fn check_header(
    message: &Message<'_>,
    command: u8,
    reserved: u16,
    last: u8,
    remark: &mut Remark,
) -> Result<(), Errno> {
    if command <= last {
        return Ok(());
    }
    if reserved != 0 {
        remark.message = Some("genlmsghdr.reserved field is not 0");
        return Err(Errno::EINVAL);
    }
    let flags = if message.is_dump() { message.flags & !NLM_F_DUMP } else { message.flags };
    if flags & !(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO) != 0 {
        remark.message = Some("ambiguous or reserved bits set in nlmsg_flags");
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// The form that an attribute must have (`nla_policy`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    U8,
    U16,
    U32,
    /// Up to this many bytes.
    Binary(usize),
    /// A name of up to this many bytes, followed by a NUL.
    Name(usize),
    Nest,
    /// This many bytes or more.
    AtLeast(usize),
}

/// The attributes of a message or a nest, with their shapes. Those without a shape, and others, are accepted in any form.
pub(super) type Policy = &'static [(u16, Option<Shape>)];

/// The entry of an attribute.
fn entry(policy: Policy, kind: u16) -> Option<(u16, Option<Shape>)> {
    policy.iter().find(|(number, _)| *number == kind).copied()
}

const SLOTS: usize = 16;

/// Attributes by their type; when one appears twice, the last.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    found: [Option<Found<'a>>; SLOTS],
    /// Whether bytes follow the last attribute that are not an attribute.
    leftover: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) value: &'a [u8],
    /// The offset of the value from the start of the message.
    pub(super) offset: usize,
}

/// An attribute that does not have its shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Violation {
    errno: Errno,
    /// The offset of the attribute from the start of the message.
    offset: usize,
    shape: Shape,
}

impl<'a> Attributes<'a> {
    /// Checks attributes of a level without nests as the kernel does in strict mode (`__nla_validate_parse`, strict).
    pub(super) fn check_strictly(bytes: &[u8], start: usize, policy: Policy, remark: &mut Remark) -> Result<(), Errno> {
        let (mut rest, mut offset) = (bytes, start);
        while let Some([l0, l1, k0, k1]) = rest.first_chunk::<4>() {
            let len = usize::from(u16::from_ne_bytes([*l0, *l1]));
            let Some(value) = rest.get(4..len) else { break };
            let kind = u16::from_ne_bytes([*k0, *k1]);
            let shape = entry(policy, kind & NLA_TYPE_MASK).and_then(|(_, shape)| shape);
            let mistake = match shape {
                None => Some("Unknown attribute type"),
                Some(Shape::U16) if value.len() != 2 => Some("invalid attribute length"),
                Some(_) if kind & NLA_F_NESTED != 0 => Some("NLA_F_NESTED not expected"),
                Some(shape) => shape.check(value).err().map(|_| VIOLATION),
            };
            if mistake.is_some() {
                *remark = Remark { message: mistake, attribute: Some((offset, shape)) };
                return Err(Errno::EINVAL);
            }
            let step = len.next_multiple_of(4);
            rest = rest.get(step..).unwrap_or_default();
            offset += step;
        }
        if rest.is_empty() {
            return Ok(());
        }
        remark.message = Some(LEFTOVER);
        Err(Errno::EINVAL)
    }

    /// Parses attributes that begin at an offset of the message (`__nla_validate_parse`, liberal).
    pub(super) fn parse(bytes: &'a [u8], start: usize, policy: Policy) -> Result<Self, Violation> {
        let mut attributes = Self::default();
        let (mut rest, mut offset) = (bytes, start);
        while let Some([l0, l1, k0, k1]) = rest.first_chunk::<4>() {
            let len = usize::from(u16::from_ne_bytes([*l0, *l1]));
            let Some(value) = rest.get(4..len) else { break };
            let kind = u16::from_ne_bytes([*k0, *k1]) & NLA_TYPE_MASK;
            if let Some((_, shape)) = entry(policy, kind) {
                if let Some(shape) = shape {
                    shape.check(value).map_err(|errno| Violation { errno, offset, shape })?;
                }
                if let Some(place) = attributes.found.get_mut(usize::from(kind)) {
                    *place = Some(Found { value, offset: offset + 4 });
                }
            }
            let step = len.next_multiple_of(4);
            rest = rest.get(step..).unwrap_or_default();
            offset += step;
        }
        attributes.leftover = !rest.is_empty();
        Ok(attributes)
    }

    pub(super) fn get(&self, kind: u16) -> Option<Found<'a>> {
        self.found.get(usize::from(kind)).copied().flatten()
    }

    pub(super) fn u8(&self, kind: u16) -> Option<u8> {
        self.get(kind)?.value.first().copied()
    }

    pub(super) fn u16(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.value.first_chunk().copied().map(u16::from_ne_bytes)
    }

    /// A port in network order.
    pub(super) fn port(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.value.first_chunk().copied().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&self, kind: u16) -> Option<u32> {
        self.bytes4(kind).map(u32::from_ne_bytes)
    }

    pub(super) fn bytes4(&self, kind: u16) -> Option<[u8; 4]> {
        self.get(kind)?.value.first_chunk().copied()
    }

    /// The first `N` bytes; those that the attribute lacks are zero.
    pub(super) fn padded<const N: usize>(&self, kind: u16) -> Option<[u8; N]> {
        let value = self.get(kind)?.value;
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(value) {
            *to = *from;
        }
        Some(bytes)
    }

    /// The bytes before the first NUL.
    pub(super) fn name(&self, kind: u16) -> Option<&'a [u8]> {
        self.get(kind)?.value.split(|byte| *byte == 0).next()
    }
}

/// Parses attributes, and reports in the remark what is wrong with them.
pub(super) fn parse<'a>(
    bytes: &'a [u8],
    offset: usize,
    policy: Policy,
    remark: &mut Remark,
) -> Result<Attributes<'a>, Errno> {
    match Attributes::parse(bytes, offset, policy) {
        Ok(attributes) => {
            if attributes.leftover {
                remark.message = Some(LEFTOVER);
            }
            Ok(attributes)
        }
        Err(Violation { errno, offset, shape }) => {
            *remark = Remark { message: Some(VIOLATION), attribute: Some((offset, Some(shape))) };
            Err(errno)
        }
    }
}

impl Shape {
    fn check(self, value: &[u8]) -> Result<(), Errno> {
        let fits = match self {
            Self::U8 => !value.is_empty(),
            Self::U16 => value.len() >= 2,
            Self::U32 => value.len() >= 4,
            Self::Binary(most) => value.len() <= most,
            Self::Nest => value.is_empty() || value.len() >= 4,
            Self::AtLeast(least) => value.len() >= least,
            Self::Name(most) => {
                // The kernel searches for the NUL first, and does not count one at the end in the length.
                if !value.iter().take(most + 1).any(|byte| *byte == 0) {
                    return Err(Errno::EINVAL);
                }
                value.strip_suffix(&[0]).unwrap_or(value).len() <= most
            }
        };
        if fits { Ok(()) } else { Err(Errno::ERANGE) }
    }
}

/// `ip_vs_cmd_policy`.
pub(super) const TOP: Policy = &[
    (IPVS_CMD_ATTR_SERVICE, Some(Shape::Nest)),
    (IPVS_CMD_ATTR_DEST, Some(Shape::Nest)),
    (IPVS_CMD_ATTR_DAEMON, Some(Shape::Nest)),
    (IPVS_CMD_ATTR_TIMEOUT_TCP, Some(Shape::U32)),
    (IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, Some(Shape::U32)),
    (IPVS_CMD_ATTR_TIMEOUT_UDP, Some(Shape::U32)),
];

/// `ip_vs_svc_policy`; `STATS64` has no entry there.
pub(super) const SERVICE: Policy = &[
    (IPVS_SVC_ATTR_AF, Some(Shape::U16)),
    (IPVS_SVC_ATTR_PROTOCOL, Some(Shape::U16)),
    (IPVS_SVC_ATTR_ADDR, Some(Shape::Binary(16))),
    (IPVS_SVC_ATTR_PORT, Some(Shape::U16)),
    (IPVS_SVC_ATTR_FWMARK, Some(Shape::U32)),
    (IPVS_SVC_ATTR_SCHED_NAME, Some(Shape::Name(15))),
    (IPVS_SVC_ATTR_FLAGS, Some(Shape::Binary(8))),
    (IPVS_SVC_ATTR_TIMEOUT, Some(Shape::U32)),
    (IPVS_SVC_ATTR_NETMASK, Some(Shape::U32)),
    (IPVS_SVC_ATTR_STATS, Some(Shape::Nest)),
    (IPVS_SVC_ATTR_PE_NAME, Some(Shape::Name(16))),
    (IPVS_SVC_ATTR_STATS64, None),
];

/// `ip_vs_dest_policy`; `STATS64` has no entry there.
pub(super) const DESTINATION: Policy = &[
    (IPVS_DEST_ATTR_ADDR, Some(Shape::Binary(16))),
    (IPVS_DEST_ATTR_PORT, Some(Shape::U16)),
    (IPVS_DEST_ATTR_FWD_METHOD, Some(Shape::U32)),
    (IPVS_DEST_ATTR_WEIGHT, Some(Shape::U32)),
    (IPVS_DEST_ATTR_U_THRESH, Some(Shape::U32)),
    (IPVS_DEST_ATTR_L_THRESH, Some(Shape::U32)),
    (IPVS_DEST_ATTR_ACTIVE_CONNS, Some(Shape::U32)),
    (IPVS_DEST_ATTR_INACT_CONNS, Some(Shape::U32)),
    (IPVS_DEST_ATTR_PERSIST_CONNS, Some(Shape::U32)),
    (IPVS_DEST_ATTR_STATS, Some(Shape::Nest)),
    (IPVS_DEST_ATTR_ADDR_FAMILY, Some(Shape::U16)),
    (IPVS_DEST_ATTR_STATS64, None),
    (IPVS_DEST_ATTR_TUN_TYPE, Some(Shape::U8)),
    (IPVS_DEST_ATTR_TUN_PORT, Some(Shape::U16)),
    (IPVS_DEST_ATTR_TUN_FLAGS, Some(Shape::U16)),
];

/// `ip_vs_daemon_policy`.
pub(super) const DAEMON: Policy = &[
    (IPVS_DAEMON_ATTR_STATE, Some(Shape::U32)),
    (IPVS_DAEMON_ATTR_MCAST_IFN, Some(Shape::Name(15))),
    (IPVS_DAEMON_ATTR_SYNC_ID, Some(Shape::U32)),
    (IPVS_DAEMON_ATTR_SYNC_MAXLEN, Some(Shape::U16)),
    (IPVS_DAEMON_ATTR_MCAST_GROUP, Some(Shape::U32)),
    (IPVS_DAEMON_ATTR_MCAST_GROUP6, Some(Shape::AtLeast(16))),
    (IPVS_DAEMON_ATTR_MCAST_PORT, Some(Shape::U16)),
    (IPVS_DAEMON_ATTR_MCAST_TTL, Some(Shape::U8)),
];

/// `ctrl_policy_family`.
pub(super) const CONTROLLER: Policy =
    &[(CTRL_ATTR_FAMILY_ID, Some(Shape::U16)), (CTRL_ATTR_FAMILY_NAME, Some(Shape::Name(15)))];
