//! Received messages: an independent parser of the wire format, as lenient and as strict as the kernel's.
//!
//! Nothing here is shared with [`codec`](crate::codec): a mistake that both sides of a conversation made would go
//! unnoticed.

use super::answer::Remark;
use crate::error::Errno;

/// Length of a netlink header.
pub(super) const HEADER: usize = 16;
/// Length of a generic-netlink header.
pub(super) const GENL_HEADER: usize = 4;

pub(super) const NLM_F_REQUEST: u16 = 0x1;
pub(super) const NLM_F_MULTI: u16 = 0x2;
pub(super) const NLM_F_ACK: u16 = 0x4;
pub(super) const NLM_F_ECHO: u16 = 0x8;
pub(super) const NLM_F_DUMP_INTR: u16 = 0x10;
/// Two bits; one alone does not request a list.
pub(super) const NLM_F_DUMP: u16 = 0x300;

/// The flag `NLA_F_NESTED` in the type of an attribute.
pub(super) const NESTED: u16 = 0x8000;

/// The kernel's messages about attributes.
pub(super) const VIOLATION: &str = "Attribute failed policy validation";
pub(super) const LEFTOVER: &str = "bytes leftover after parsing attributes";

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

/// The shapes of the attributes of a message or a nest, by type. Types past the end and those without a shape are
/// accepted in any form.
pub(super) type Policy = &'static [Option<Shape>];

const SLOTS: usize = 16;

/// Attributes by their type; when one appears twice, the last.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    found: [Option<Found<'a>>; SLOTS],
    /// Whether bytes follow the last attribute that are not an attribute.
    pub(super) leftover: bool,
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
    pub(super) errno: Errno,
    /// The offset of the attribute from the start of the message.
    pub(super) offset: usize,
    pub(super) shape: Shape,
}

impl<'a> Attributes<'a> {
    /// Checks attributes of a level without nests as the kernel does in strict mode (`__nla_validate_parse`, strict).
    pub(super) fn check_strictly(bytes: &[u8], start: usize, policy: Policy, remark: &mut Remark) -> Result<(), Errno> {
        let (mut rest, mut offset) = (bytes, start);
        while let Some([l0, l1, k0, k1]) = rest.first_chunk::<4>() {
            let len = usize::from(u16::from_ne_bytes([*l0, *l1]));
            let Some(value) = rest.get(4..len) else { break };
            let kind = u16::from_ne_bytes([*k0, *k1]);
            let shape = policy.get(usize::from(kind & 0x3fff)).copied().flatten();
            let mistake = match shape {
                None => Some("Unknown attribute type"),
                Some(Shape::U16) if value.len() != 2 => Some("invalid attribute length"),
                Some(_) if kind & NESTED != 0 => Some("NLA_F_NESTED not expected"),
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
            let kind = usize::from(u16::from_ne_bytes([*k0, *k1]) & 0x3fff);
            if let Some(shape) = policy.get(kind).copied().flatten() {
                shape.check(value).map_err(|errno| Violation { errno, offset, shape })?;
            }
            if kind != 0 && kind < policy.len().min(SLOTS) {
                attributes.found[kind] = Some(Found { value, offset: offset + 4 });
            }
            let step = len.next_multiple_of(4);
            rest = rest.get(step..).unwrap_or_default();
            offset += step;
        }
        attributes.leftover = !rest.is_empty();
        Ok(attributes)
    }

    pub(super) fn get(&self, kind: usize) -> Option<Found<'a>> {
        self.found.get(kind).copied().flatten()
    }

    pub(super) fn u8(&self, kind: usize) -> Option<u8> {
        self.get(kind)?.value.first().copied()
    }

    pub(super) fn u16(&self, kind: usize) -> Option<u16> {
        self.get(kind)?.value.first_chunk().copied().map(u16::from_ne_bytes)
    }

    /// A port in network order.
    pub(super) fn port(&self, kind: usize) -> Option<u16> {
        self.get(kind)?.value.first_chunk().copied().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&self, kind: usize) -> Option<u32> {
        self.bytes4(kind).map(u32::from_ne_bytes)
    }

    pub(super) fn bytes4(&self, kind: usize) -> Option<[u8; 4]> {
        self.get(kind)?.value.first_chunk().copied()
    }

    /// The first `N` bytes; those that the attribute lacks are zero.
    pub(super) fn padded<const N: usize>(&self, kind: usize) -> Option<[u8; N]> {
        let value = self.get(kind)?.value;
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(value) {
            *to = *from;
        }
        Some(bytes)
    }

    /// The bytes before the first NUL.
    pub(super) fn name(&self, kind: usize) -> Option<&'a [u8]> {
        self.get(kind)?.value.split(|byte| *byte == 0).next()
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
    None,
    Some(Shape::Nest),
    Some(Shape::Nest),
    Some(Shape::Nest),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::U32),
];

/// `ip_vs_svc_policy`; `STATS64` has no entry there.
pub(super) const SERVICE: Policy = &[
    None,
    Some(Shape::U16),
    Some(Shape::U16),
    Some(Shape::Binary(16)),
    Some(Shape::U16),
    Some(Shape::U32),
    Some(Shape::Name(15)),
    Some(Shape::Binary(8)),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::Nest),
    Some(Shape::Name(16)),
    None,
];

/// `ip_vs_dest_policy`; `STATS64` has no entry there.
pub(super) const DESTINATION: Policy = &[
    None,
    Some(Shape::Binary(16)),
    Some(Shape::U16),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::U32),
    Some(Shape::Nest),
    Some(Shape::U16),
    None,
    Some(Shape::U8),
    Some(Shape::U16),
    Some(Shape::U16),
];

/// `ip_vs_daemon_policy`.
pub(super) const DAEMON: Policy = &[
    None,
    Some(Shape::U32),
    Some(Shape::Name(15)),
    Some(Shape::U32),
    Some(Shape::U16),
    Some(Shape::U32),
    Some(Shape::AtLeast(16)),
    Some(Shape::U16),
    Some(Shape::U8),
];

/// `ctrl_policy_family`.
pub(super) const CONTROLLER: Policy = &[None, Some(Shape::U16), Some(Shape::Name(15))];
