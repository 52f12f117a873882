use netlink_packet_core::{DecodeError as PacketError, Emitable, ParseableParametrized};
use netlink_packet_generic::{GenlFamily, GenlHeader};

use super::attr::{Fixed, Length};
use super::consts::{FAMILY_NAME, FAMILY_VERSION};
use super::reply::Reply;
use super::request::Request;

/// A message of the family in either direction, for connections of rust-netlink.
///
/// Parsing gives a [`Reply`], because a client receives only replies.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "a conversation has two sides")]
pub enum Message {
    /// To the kernel.
    Request(Request),
    /// From the kernel.
    Reply(Reply),
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Reply> for Message {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl GenlFamily for Message {
    fn family_name() -> &'static str {
        FAMILY_NAME
    }

    fn command(&self) -> u8 {
        match self {
            Self::Request(request) => request.command().number(),
            Self::Reply(reply) => reply.command().number(),
        }
    }

    fn version(&self) -> u8 {
        FAMILY_VERSION
    }
}

impl Emitable for Message {
    fn buffer_len(&self) -> usize {
        let mut length = Length::default();
        match self {
            Self::Request(request) => request.put(&mut length),
            Self::Reply(reply) => reply.put(&mut length),
        }
        length.0
    }

    fn emit(&self, buffer: &mut [u8]) {
        let mut out = Fixed { buffer, len: 0 };
        match self {
            Self::Request(request) => request.put(&mut out),
            Self::Reply(reply) => reply.put(&mut out),
        }
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Message {
    fn parse_with_param(attributes: &[u8], header: GenlHeader) -> Result<Self, PacketError> {
        Reply::decode(header.cmd, attributes).map(Self::Reply).map_err(|error| error.to_string().into())
    }
}
