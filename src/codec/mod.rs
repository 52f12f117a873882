//! Bytes to values and back: IPVS attributes and generic-netlink messages.
//!
//! Pure and total. Encoding appends to a buffer that the caller reuses and allocates nothing else. Decoding takes any
//! bytes and ends in a value or a [`DecodeError`], never in a panic or an invented value: what is too short or missing
//! is an error, what is longer than expected is read as far as it is known, what is unknown is skipped. Only what older
//! kernels do not tell may be absent, and reads as what it is there: no counters, plain IPIP.
//!
//! Most people want [`Handle`](crate::Handle). This module is for those who bring their own connection:
//! [`Message`] implements the traits of rust-netlink, so that the crate `genetlink` (from 0.3) can carry it.
//!
//! ```
//! use ipvs_rs::codec::{Message, Reply, Request};
//! use netlink_packet_generic::GenlMessage;
//! use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage};
//!
//! let mut packet = NetlinkMessage::from(GenlMessage::from_payload(Message::Request(Request::GetServices)));
//! packet.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
//! packet.finalize();
//! assert_eq!(packet.header.length, 20);
//! ```
//!
//! Byte order appears in two places only: ports and addresses (the IPv4 persistence mask among them) are in network
//! order, everything else, the multicast port included, in the order of the machine.

mod attr;
mod config;
mod consts;
mod daemon;
mod destination;
mod error;
mod family;
mod frame;
mod message;
mod reply;
mod request;
mod service;
mod stats;

pub use consts::{Command, FAMILY_NAME, FAMILY_VERSION};
pub use error::{DecodeError, DecodeProblem};
pub use family::{Family, FamilyRequest};
pub use frame::{Acknowledgement, ExtendedAck, Frame, Frames, Payload, attribute_at, put_family_request, put_request};
pub(crate) use frame::{readdress, request_in};
pub use message::Message;
pub use reply::Reply;
pub use request::Request;
