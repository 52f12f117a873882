//! Netlink messages within a datagram: headers, acknowledgements, ends of lists.

use std::fmt;

use byteorder::{ByteOrder, NativeEndian};
use netlink_packet_core::{
    NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN,
};
use netlink_packet_generic::constants::GENL_ID_CTRL;

use super::attr::Attrs;
use super::consts::{
    FAMILY_VERSION, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE, NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MSG,
    NLMSGERR_ATTR_OFFS, attribute_name,
};
use super::error::{DecodeError, DecodeProblem};
use super::family::FamilyRequest;
use super::request::Request;

/// Length of a netlink header.
const HEADER: usize = 16;
/// Length of a generic-netlink header.
const GENL_HEADER: usize = 4;

/// Appends a whole request to a buffer: netlink header, generic-netlink header, attributes.
///
/// `family` is the number from the lookup; `flags` are the `NLM_F_*` bits.
///
/// # Example
///
/// ```
/// use ipvs_rs::codec::{Request, put_request};
///
/// let mut datagram = Vec::new();
/// put_request(&mut datagram, 31, 0x5, 7, &Request::Flush);
/// assert_eq!(datagram.len(), 20);
/// ```
#[inline]
pub fn put_request(out: &mut Vec<u8>, family: u16, flags: u16, sequence: u32, request: &Request) {
    put_message(out, family, flags, sequence, request.command().number(), FAMILY_VERSION, |out| request.encode(out));
}

/// Appends a whole lookup of a family to a buffer.
pub fn put_family_request(out: &mut Vec<u8>, flags: u16, sequence: u32, request: FamilyRequest<'_>) {
    // The version of the controller's messages is 2; the controller ignores it.
    put_message(out, GENL_ID_CTRL, flags, sequence, request.command(), 1, |out| request.encode(out));
}

#[inline]
fn put_message(
    out: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    sequence: u32,
    command: u8,
    version: u8,
    attributes: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    let [k0, k1] = kind.to_ne_bytes();
    let [f0, f1] = flags.to_ne_bytes();
    let [s0, s1, s2, s3] = sequence.to_ne_bytes();
    // The length is filled in when it is known; the port id stays 0, because the kernel knows that of the socket.
    out.extend_from_slice(&[0, 0, 0, 0, k0, k1, f0, f1, s0, s1, s2, s3, 0, 0, 0, 0, command, version, 0, 0]);
    attributes(out);
    let len = u32::try_from(out.len().saturating_sub(start)).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start.saturating_add(4)) {
        NativeEndian::write_u32(place, len);
    }
}

/// Rewrites the headers of messages that [`put_request`] encoded: the family, the flags, which differ for the last
/// message, and consecutive sequence numbers.
///
/// A batch is encoded before its sequence numbers are known.
pub(crate) fn readdress(mut datagram: &mut [u8], family: u16, [flags, last_flags]: [u16; 2], mut sequence: u32) {
    loop {
        let left = datagram.len();
        let Some([l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3]) = datagram.first_chunk_mut::<12>() else {
            return;
        };
        let len = usize::try_from(u32::from_ne_bytes([*l0, *l1, *l2, *l3])).unwrap_or(usize::MAX).max(HEADER);
        [*k0, *k1] = family.to_ne_bytes();
        [*f0, *f1] = if len < left { flags } else { last_flags }.to_ne_bytes();
        [*s0, *s1, *s2, *s3] = sequence.to_ne_bytes();
        sequence = sequence.wrapping_add(1);
        datagram = datagram.get_mut(len..).unwrap_or_default();
    }
}

/// Decodes a request that [`put_request`] encoded.
pub(crate) fn request_in(message: &[u8]) -> Option<Request> {
    match Frames::new(message).next()?.ok()?.payload {
        Payload::Data { command, attributes } => Request::decode(command, false, attributes).ok(),
        _ => None,
    }
}

/// The messages of a datagram, one after the other.
///
/// Ends after the first error, because the messages after an invalid length cannot be found.
///
/// ```
/// use ipvs_rs::codec::{Frames, IpvsCommand, Payload, Request, put_request};
///
/// let mut datagram = Vec::new();
/// put_request(&mut datagram, 31, 0x5, 1, &Request::Zero(None));
/// put_request(&mut datagram, 31, 0x5, 2, &Request::Flush);
///
/// let frames = Frames::new(&datagram).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(frames.len(), 2);
/// assert_eq!(frames[1].sequence, 2);
/// assert!(matches!(frames[1].payload, Payload::Data { command, .. } if command == IpvsCommand::Flush.number()));
/// # Ok::<(), ipvs_rs::codec::DecodeError>(())
/// ```
#[derive(Clone)]
pub struct Frames<'a> {
    rest: &'a [u8],
    /// The length of the datagram.
    len: usize,
}

/// The number of bytes that have been read and the length, without the bytes.
impl fmt::Debug for Frames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.len.saturating_sub(self.rest.len());
        f.debug_struct("Frames").field("offset", &offset).field("len", &self.len).finish()
    }
}

/// One message of a datagram.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// The message type: the number of a family, or a netlink control type below 16.
    pub kind: u16,
    /// The `NLM_F_*` bits.
    pub flags: u16,
    /// The sequence number of the request that is answered.
    pub sequence: u32,
    /// The port id of the socket that is answered.
    pub port: u32,
    /// The content of the message.
    pub payload: Payload<'a>,
    /// The offset of the message in the datagram.
    pub offset: usize,
}

/// The content of a message.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// Data of a family.
    Data {
        /// The command of the generic-netlink header.
        command: u8,
        /// The bytes after that header.
        attributes: &'a [u8],
    },
    /// `NLMSG_ERROR`: a request succeeded or failed.
    Error(Acknowledgement<'a>),
    /// `NLMSG_DONE`: a list has ended, with or without an error.
    Done(Acknowledgement<'a>),
    /// `NLMSG_NOOP`: a message without content.
    Noop,
    /// `NLMSG_OVERRUN`: data was lost.
    Overrun,
}

/// Prints data as the command and the number of bytes.
impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data { command, attributes } => {
                f.debug_struct("Data").field("command", command).field("bytes", &attributes.len()).finish()
            }
            Self::Error(acknowledgement) => f.debug_tuple("Error").field(acknowledgement).finish(),
            Self::Done(acknowledgement) => f.debug_tuple("Done").field(acknowledgement).finish(),
            Self::Noop => f.write_str("Noop"),
            Self::Overrun => f.write_str("Overrun"),
        }
    }
}

/// The end of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Acknowledgement<'a> {
    /// 0 for success, otherwise the negative error number.
    pub code: i32,
    /// The kernel's details beyond the number.
    pub extended: ExtendedAck<'a>,
}

/// The kernel's details of an error beyond its number (`NETLINK_EXT_ACK`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExtendedAck<'a> {
    /// The message, in English.
    pub message: Option<&'a str>,
    /// The offset of the refused attribute in the request.
    pub offset: Option<u32>,
    /// The type of an attribute that is missing.
    pub missing: Option<u32>,
}

impl<'a> Frames<'a> {
    /// The messages of a datagram.
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram, len: datagram.len() }
    }

    #[inline]
    fn read(&mut self) -> Result<Option<Frame<'a>>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some((header, _)) = self.rest.split_first_chunk::<HEADER>() else {
            return Err(self.bad_length(HEADER));
        };
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3] = *header;
        let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let Some(payload) = self.rest.get(HEADER..len) else {
            return Err(self.bad_length(len));
        };
        let kind = u16::from_ne_bytes([k0, k1]);
        let flags = u16::from_ne_bytes([f0, f1]);
        let offset = self.offset();
        let payload_offset = offset + HEADER;
        let frame = Frame {
            kind,
            flags,
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
            payload: match kind {
                NLMSG_NOOP => Payload::Noop,
                NLMSG_ERROR => Payload::Error(read_error(payload, flags, payload_offset)?),
                NLMSG_DONE => Payload::Done(read_done(payload, flags)),
                NLMSG_OVERRUN => Payload::Overrun,
                _ => read_data(payload, payload_offset)?,
            },
            offset,
        };
        // A length that rounds up to more than the remaining bytes ends the datagram, as does the last message without
        // its padding.
        self.rest = self.rest.get((len + 3) & !3..).unwrap_or_default();
        Ok(Some(frame))
    }

    fn offset(&self) -> usize {
        self.len - self.rest.len()
    }

    #[cold]
    fn bad_length(&self, claimed: usize) -> DecodeError {
        DecodeError::new("nlmsghdr", self.offset(), DecodeProblem::BadLength { claimed, actual: self.rest.len() })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let frame = self.read().transpose();
        if let Some(Err(_)) = frame {
            self.rest = &[];
        }
        frame
    }
}

impl Frame<'_> {
    /// Whether the message is one of a list.
    pub const fn is_multipart(&self) -> bool {
        self.flags & NLM_F_MULTIPART != 0
    }

    /// Whether the kernel noticed that a list changed while it was read.
    pub const fn is_interrupted(&self) -> bool {
        self.flags & NLM_F_DUMP_INTR != 0
    }
}

fn read_data(payload: &[u8], offset: usize) -> Result<Payload<'_>, DecodeError> {
    match payload.split_first_chunk::<GENL_HEADER>() {
        Some(([command, _version, ..], attributes)) => Ok(Payload::Data { command: *command, attributes }),
        None => Err(DecodeError::new(
            "genlmsghdr",
            offset,
            DecodeProblem::TooShort { expected: GENL_HEADER, actual: payload.len() },
        )),
    }
}

fn read_error(payload: &[u8], flags: u16, offset: usize) -> Result<Acknowledgement<'_>, DecodeError> {
    let Some((code, rest)) = payload.split_first_chunk::<4>() else {
        let problem = DecodeProblem::TooShort { expected: 4, actual: payload.len() };
        return Err(DecodeError::new("nlmsgerr", offset, problem));
    };
    // After the code comes the header of the request, and unless it was capped the rest of the request too.
    let echoed = match rest.first_chunk::<4>() {
        Some(_) if flags & NLM_F_CAPPED != 0 => HEADER,
        Some(len) => usize::try_from(u32::from_ne_bytes(*len)).unwrap_or(usize::MAX).max(HEADER),
        None => HEADER,
    };
    let tlvs = rest.get(echoed.saturating_add(3) & !3..).unwrap_or_default();
    Ok(Acknowledgement { code: i32::from_ne_bytes(*code), extended: read_extended(tlvs, flags) })
}

/// A list may end without a code, which means success.
fn read_done(payload: &[u8], flags: u16) -> Acknowledgement<'_> {
    match payload.split_first_chunk::<4>() {
        Some((code, tlvs)) => Acknowledgement { code: i32::from_ne_bytes(*code), extended: read_extended(tlvs, flags) },
        None => Acknowledgement { code: 0, extended: ExtendedAck::default() },
    }
}

/// Details that cannot be read are left out: they only explain an error that is reported anyway.
fn read_extended(tlvs: &[u8], flags: u16) -> ExtendedAck<'_> {
    let mut extended = ExtendedAck::default();
    if flags & NLM_F_ACK_TLVS == 0 {
        return extended;
    }
    let mut attrs = Attrs::new(tlvs, 0, "nlmsgerr");
    while let Ok(Some(attr)) = attrs.next() {
        match attr.kind {
            NLMSGERR_ATTR_MSG => {
                let text = attr.name("NLMSGERR_ATTR_MSG").ok();
                extended.message = text.and_then(|text| std::str::from_utf8(text).ok());
            }
            NLMSGERR_ATTR_OFFS => extended.offset = attr.u32("NLMSGERR_ATTR_OFFS").ok(),
            NLMSGERR_ATTR_MISS_TYPE => extended.missing = attr.u32("NLMSGERR_ATTR_MISS_TYPE").ok(),
            _ => {}
        }
    }
    extended
}

/// The kernel's name of the attribute at an offset of a request, as an extended ack reports it.
///
/// # Example
///
/// ```
/// use ipvs_rs::codec::{Request, attribute_at, put_request};
///
/// let mut request = Vec::new();
/// put_request(&mut request, 31, 0x5, 7, &Request::DeleteService("TCP 10.0.0.1:80".parse()?));
/// assert_eq!(attribute_at(&request, 20), Some("IPVS_CMD_ATTR_SERVICE"));
/// assert_eq!(attribute_at(&request, 24), Some("IPVS_SVC_ATTR_AF"));
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
pub fn attribute_at(request: &[u8], offset: u32) -> Option<&'static str> {
    let wanted = usize::try_from(offset).ok()?;
    let start = HEADER + GENL_HEADER;
    find_attribute(Attrs::new(request.get(start..)?, start, "message"), None, wanted)
}

fn find_attribute(mut attrs: Attrs<'_>, nest: Option<u16>, wanted: usize) -> Option<&'static str> {
    loop {
        let start = attrs.offset();
        let attr = attrs.next().ok()??;
        if start == wanted {
            return attribute_name(nest, attr.kind);
        }
        let end = attr.offset.saturating_add(attr.value.len());
        let is_nest = nest.is_none() && (IPVS_CMD_ATTR_SERVICE..=IPVS_CMD_ATTR_DEST + 1).contains(&attr.kind);
        if is_nest && wanted < end {
            return find_attribute(attr.nest("nest"), Some(attr.kind), wanted);
        }
    }
}
