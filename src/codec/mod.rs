//! Bytes to values and back: IPVS attributes and generic-netlink messages.
//!
//! Pure and total. Encoding appends to a buffer that the caller reuses and allocates nothing else. Decoding takes any
//! bytes and returns a value or a [`DecodeError`]; it never panics or makes up a value: an attribute that is too short
//! or missing is an error, the unknown rest of a longer one is ignored, and unknown attributes are skipped. Only
//! attributes that older kernels do not report may be absent; they read as the state of such a kernel: no counters,
//! plain IPIP.
//!
//! Most programs use [`Handle`](crate::Handle). This module is for programs that have their own netlink connection:
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
//! Ports and addresses (including the IPv4 persistence mask) are in network byte order; everything else, including the
//! multicast port, is in native byte order.

mod attr;
mod config;
pub(crate) mod consts;
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

pub use consts::{FAMILY_NAME, FAMILY_VERSION, IpvsCommand};
pub use error::{DecodeError, DecodeProblem};
pub use family::{Family, FamilyRequest};
pub use frame::{Acknowledgement, ExtendedAck, Frame, Frames, Payload, attribute_at, put_family_request, put_request};
pub(crate) use frame::{readdress, request_in};
pub use message::Message;
pub use reply::Reply;
pub use request::Request;
