//! Sent messages, in the kernel's layout, byte for byte.

use netlink_packet_core::{NLA_F_NESTED, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_MULTIPART, NLMSG_DONE, NLMSG_ERROR};
use netlink_packet_generic::constants::{
    NL_ATTR_TYPE_BINARY, NL_ATTR_TYPE_NESTED, NL_ATTR_TYPE_NUL_STRING, NL_ATTR_TYPE_U8, NL_ATTR_TYPE_U16,
    NL_ATTR_TYPE_U32, NL_POLICY_TYPE_ATTR_MAX_LENGTH, NL_POLICY_TYPE_ATTR_MAX_VALUE_U, NL_POLICY_TYPE_ATTR_MIN_VALUE_U,
    NL_POLICY_TYPE_ATTR_TYPE,
};

use super::wire::{HEADER, Message, NLMSGERR_ATTR_POLICY, Remark, Shape};
use crate::codec::consts::{NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS};
use crate::error::Errno;

/// The options of the socket for error messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// `NETLINK_CAP_ACK`: only the header of a request that failed comes back.
    pub(super) capped: bool,
    /// `NETLINK_EXT_ACK`: errors come with a message and the attribute that caused them.
    pub(super) extended: bool,
}

/// A writer of messages.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    /// Appends a whole message.
    fn message(&mut self, kind: u16, flags: u16, (sequence, port): (u32, u32), fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(sequence.to_ne_bytes());
        self.bytes.extend(port.to_ne_bytes());
        fill(self);
        let len = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.patch(start, &len.to_ne_bytes());
    }

    /// Appends a message of a family.
    pub(super) fn data(&mut self, head: Head, fill: impl FnOnce(&mut Self)) {
        self.message(head.family, head.flags, (head.sequence, head.port), |out| {
            out.bytes.extend([head.command, head.version, 0, 0]);
            fill(out);
        });
    }

    fn patch(&mut self, at: usize, value: &[u8]) {
        for (to, from) in self.bytes.iter_mut().skip(at).zip(value) {
            *to = *from;
        }
    }

    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let len = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        self.bytes.extend(len.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    pub(super) fn u8(&mut self, kind: u16, value: u8) {
        self.attribute(kind, &[value]);
    }

    pub(super) fn u16(&mut self, kind: u16, value: u16) {
        self.attribute(kind, &value.to_ne_bytes());
    }

    pub(super) fn port(&mut self, kind: u16, value: u16) {
        self.attribute(kind, &value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, kind: u16, value: u32) {
        self.attribute(kind, &value.to_ne_bytes());
    }

    pub(super) fn u64(&mut self, kind: u16, value: u64) {
        self.attribute(kind, &value.to_ne_bytes());
    }

    pub(super) fn name(&mut self, kind: u16, name: &[u8]) {
        self.attribute(kind, &[name, &[0]].concat());
    }

    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend([0, 0]);
        self.bytes.extend(kind.to_ne_bytes());
        fill(self);
        let len = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.patch(start, &len.to_ne_bytes());
    }

    fn remark(&mut self, remark: &Remark, failed: bool) {
        if let Some(message) = remark.message {
            self.name(NLMSGERR_ATTR_MSG, message.as_bytes());
        }
        if let (true, Some((offset, shape))) = (failed, remark.attribute) {
            self.u32(NLMSGERR_ATTR_OFFS, u32::try_from(offset).unwrap_or(u32::MAX));
            if let Some(shape) = shape {
                self.policy(shape);
            }
        }
    }

    /// Appends the form that an attribute must have (`netlink_policy_dump_write_attr`).
    fn policy(&mut self, shape: Shape) {
        let range = |most: u32, kind: u32| (Some(u64::from(most)), None, kind);
        let (most, longest, kind) = match shape {
            Shape::U8 => range(u8::MAX.into(), NL_ATTR_TYPE_U8),
            Shape::U16 => range(u16::MAX.into(), NL_ATTR_TYPE_U16),
            Shape::U32 => range(u32::MAX, NL_ATTR_TYPE_U32),
            Shape::Binary(len) => (None, u32::try_from(len).ok(), NL_ATTR_TYPE_BINARY),
            Shape::Name(len) => (None, u32::try_from(len).ok(), NL_ATTR_TYPE_NUL_STRING),
            Shape::Nest => (None, None, NL_ATTR_TYPE_NESTED),
            // The kernel does not describe this shape.
            Shape::AtLeast(_) => return,
        };
        self.nest(NLMSGERR_ATTR_POLICY | NLA_F_NESTED, |out| {
            if let Some(most) = most {
                out.u64(NL_POLICY_TYPE_ATTR_MIN_VALUE_U, 0);
                out.u64(NL_POLICY_TYPE_ATTR_MAX_VALUE_U, most);
            }
            if let Some(longest) = longest {
                out.u32(NL_POLICY_TYPE_ATTR_MAX_LENGTH, longest);
            }
            out.u32(NL_POLICY_TYPE_ATTR_TYPE, kind);
        });
    }
}

/// The headers of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) family: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) port: u32,
    pub(super) command: u8,
    pub(super) version: u8,
}

/// An acknowledgement, or an error (`netlink_ack`).
pub(super) fn acknowledgement(
    request: &Message<'_>,
    port: u32,
    result: Result<(), Errno>,
    remark: &Remark,
    options: Options,
) -> Vec<u8> {
    let echoes_all = result.is_err() && !options.capped;
    let tells = options.extended && (remark.message.is_some() || (result.is_err() && remark.attribute.is_some()));
    let mut flags = if echoes_all { 0 } else { NLM_F_CAPPED };
    if tells {
        flags |= NLM_F_ACK_TLVS;
    }
    let code = result.err().map_or(0, |errno| -i32::try_from(errno.raw()).unwrap_or(i32::MAX));
    let mut out = Writer::default();
    out.message(NLMSG_ERROR, flags, (request.sequence, port), |out| {
        out.bytes.extend(code.to_ne_bytes());
        let echoed = if echoes_all { request.bytes } else { request.bytes.get(..HEADER).unwrap_or_default() };
        out.bytes.extend(echoed);
        out.align();
        if tells {
            out.remark(remark, result.is_err());
        }
    });
    out.bytes
}

/// The end of a list (`netlink_dump_done`).
pub(super) fn done(sequence: u32, port: u32, remark: &Remark, options: Options) -> Vec<u8> {
    let tells = options.extended && remark.message.is_some();
    let flags = if tells { NLM_F_MULTIPART | NLM_F_ACK_TLVS } else { NLM_F_MULTIPART };
    let mut out = Writer::default();
    out.message(NLMSG_DONE, flags, (sequence, port), |out| {
        out.bytes.extend(0_i32.to_ne_bytes());
        if tells {
            out.remark(remark, false);
        }
    });
    out.bytes
}
