//! Netlink attributes: a cursor that cannot over-read and a writer that cannot fail.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use byteorder::{BigEndian, ByteOrder, NativeEndian};
use netlink_packet_core::{NLA_F_NESTED, NLA_HEADER_SIZE, NLA_TYPE_MASK};

use super::consts::{AF_INET, AF_INET6};
use super::error::{DecodeError, DecodeProblem};
use crate::model::AddressFamily;

/// The attributes of a message or a nest, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attrs<'a> {
    rest: &'a [u8],
    /// The end of the last attribute. The offset of the next one is computed from it, which only errors need.
    end: usize,
    /// The message or nest that the attributes belong to, for errors about their framing.
    within: &'static str,
}

/// One attribute; the type is without its two flag bits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attr<'a> {
    pub(super) kind: u16,
    pub(super) value: &'a [u8],
    /// The offset of the value.
    pub(super) offset: usize,
}

impl<'a> Attrs<'a> {
    #[inline]
    pub(super) const fn new(bytes: &'a [u8], offset: usize, within: &'static str) -> Self {
        Self { rest: bytes, end: offset + bytes.len(), within }
    }

    #[inline]
    pub(super) const fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Attr<'a>>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some((header, _)) = self.rest.split_first_chunk::<NLA_HEADER_SIZE>() else {
            return Err(self.bad_length(NLA_HEADER_SIZE));
        };
        let ([len @ .., _, _], [_, _, kind @ ..]) = (header, header);
        let len = usize::from(u16::from_ne_bytes(*len));
        let kind = u16::from_ne_bytes(*kind) & NLA_TYPE_MASK;
        let Some(value) = self.rest.get(NLA_HEADER_SIZE..len) else {
            return Err(self.bad_length(len));
        };
        let attr = Attr { kind, value, offset: self.offset() + NLA_HEADER_SIZE };
        // The padding of the last attribute may be absent.
        self.rest = self.rest.get((len + 3) & !3..).unwrap_or_default();
        Ok(Some(attr))
    }

    /// The next attribute if it has this type and length; otherwise it is not consumed.
    ///
    /// Kernels write their attributes in the same order every time, so that comparing with the expected one is cheaper
    /// than a match over all types.
    #[inline]
    pub(super) fn next_if<const KIND: u16, const LEN: usize>(&mut self) -> Option<Attr<'a>> {
        let (found, rest) = self.rest.split_first_chunk::<NLA_HEADER_SIZE>()?;
        if *found != header(KIND, LEN) {
            return None;
        }
        let (value, rest) = (rest.get(..LEN)?, rest.get((LEN + 3) & !3..)?);
        let attr = Attr { kind: KIND, value, offset: self.offset() + NLA_HEADER_SIZE };
        self.rest = rest;
        Some(attr)
    }

    #[cold]
    fn bad_length(&self, claimed: usize) -> DecodeError {
        DecodeError::new(self.within, self.offset(), DecodeProblem::BadLength { claimed, actual: self.rest.len() })
    }
}

/// Takes the value of the next attribute if it has this type and length.
#[allow(clippy::inline_always, reason = "where the length of the rest is known nothing is left of the checks")]
#[inline(always)]
pub(super) fn fixed<'a, const KIND: u16, const LEN: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; LEN]> {
    let (found, behind) = rest.split_first_chunk::<NLA_HEADER_SIZE>()?;
    let (value, behind) = behind.split_first_chunk::<LEN>()?;
    *rest = behind.get(LEN.next_multiple_of(4) - LEN..)?;
    (*found == header(KIND, LEN)).then_some(value)
}

impl<'a> Attr<'a> {
    /// The first bytes; a longer value comes from a newer kernel, and the rest is ignored.
    #[inline]
    fn array<const N: usize>(&self, name: &'static str) -> Result<[u8; N], DecodeError> {
        match self.value.first_chunk::<N>() {
            Some(bytes) => Ok(*bytes),
            None => Err(self.too_short(name, N)),
        }
    }

    #[cold]
    fn too_short(&self, name: &'static str, expected: usize) -> DecodeError {
        DecodeError::new(name, self.offset, DecodeProblem::TooShort { expected, actual: self.value.len() })
    }

    #[inline]
    pub(super) fn u8(&self, name: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(name).map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u16(&self, name: &'static str) -> Result<u16, DecodeError> {
        self.array::<2>(name).map(|bytes| NativeEndian::read_u16(&bytes))
    }

    #[inline]
    pub(super) fn u32(&self, name: &'static str) -> Result<u32, DecodeError> {
        self.array::<4>(name).map(|bytes| NativeEndian::read_u32(&bytes))
    }

    #[inline]
    pub(super) fn u64(&self, name: &'static str) -> Result<u64, DecodeError> {
        self.array::<8>(name).map(|bytes| NativeEndian::read_u64(&bytes))
    }

    /// A port in network order.
    #[inline]
    pub(super) fn port(&self, name: &'static str) -> Result<u16, DecodeError> {
        self.array::<2>(name).map(|bytes| BigEndian::read_u16(&bytes))
    }

    /// An address of a family; the kernel pads IPv4 to the length of IPv6.
    #[inline]
    pub(super) fn address(&self, name: &'static str, family: AddressFamily) -> Result<IpAddr, DecodeError> {
        match family {
            AddressFamily::Ipv4 => self.array::<4>(name).map(|bytes| Ipv4Addr::from(bytes).into()),
            AddressFamily::Ipv6 => self.array::<16>(name).map(|bytes| Ipv6Addr::from(bytes).into()),
        }
    }

    #[inline]
    pub(super) fn family(&self, name: &'static str) -> Result<AddressFamily, DecodeError> {
        match self.u16(name)? {
            AF_INET => Ok(AddressFamily::Ipv4),
            AF_INET6 => Ok(AddressFamily::Ipv6),
            other => Err(DecodeError::out_of_range(name, self.offset, other.into())),
        }
    }

    /// The bytes before the first NUL, which is required.
    #[inline]
    pub(super) fn name(&self, name: &'static str) -> Result<&'a [u8], DecodeError> {
        let end = self.value.iter().position(|byte| *byte == 0);
        end.and_then(|end| self.value.get(..end)).ok_or_else(|| self.bad_name(name))
    }

    #[cold]
    pub(super) fn bad_name(&self, name: &'static str) -> DecodeError {
        DecodeError::new(name, self.offset, DecodeProblem::BadName)
    }

    pub(super) fn out_of_range(&self, name: &'static str, value: impl Into<u64>) -> DecodeError {
        DecodeError::out_of_range(name, self.offset, value.into())
    }

    pub(super) const fn nest(&self, within: &'static str) -> Attrs<'a> {
        Attrs::new(self.value, self.offset, within)
    }
}

/// The known attributes that were present in a nest; their types are below 32.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PresentAttributes(u32);

impl PresentAttributes {
    #[inline]
    pub(super) fn insert(&mut self, kind: u16) {
        self.0 |= bit(kind);
    }

    /// Checks that all of these were present, in a nest that begins at this offset.
    #[inline]
    pub(super) fn require(self, attributes: &[(u16, &'static str)], offset: usize) -> Result<(), DecodeError> {
        match attributes.iter().find(|(kind, _)| self.0 & bit(*kind) == 0) {
            None => Ok(()),
            Some((_, name)) => Err(DecodeError::missing(name, offset)),
        }
    }
}

const fn bit(kind: u16) -> u32 {
    1_u32.wrapping_shl(kind as u32)
}

/// The target of encoded bytes.
pub(super) trait Sink {
    fn len(&self) -> usize;
    fn put(&mut self, bytes: &[u8]);
    /// Overwrites two bytes that were written before.
    fn patch(&mut self, at: usize, bytes: [u8; 2]);
}

impl Sink for Vec<u8> {
    fn len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn patch(&mut self, at: usize, bytes: [u8; 2]) {
        if let Some(place) = self.get_mut(at..at.saturating_add(2)) {
            place.copy_from_slice(&bytes);
        }
    }
}

/// Counts only.
#[derive(Debug, Default)]
pub(super) struct Length(pub(super) usize);

impl Sink for Length {
    fn len(&self) -> usize {
        self.0
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }

    fn patch(&mut self, _at: usize, _bytes: [u8; 2]) {}
}

/// Fills a slice and drops the bytes that do not fit.
#[derive(Debug)]
pub(super) struct Fixed<'a> {
    pub(super) buffer: &'a mut [u8],
    pub(super) len: usize,
}

impl Sink for Fixed<'_> {
    fn len(&self) -> usize {
        self.len
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(place) = self.buffer.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
        }
        self.len = end;
    }

    fn patch(&mut self, at: usize, bytes: [u8; 2]) {
        if let Some(place) = self.buffer.get_mut(at..at.saturating_add(2)) {
            place.copy_from_slice(&bytes);
        }
    }
}

/// An attribute of up to four bytes: header, value and padding.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortAttribute([u8; 8]);

impl ShortAttribute {
    #[inline]
    const fn new(kind: u16, len: u16, [a, b, c, d]: [u8; 4]) -> Self {
        let [len_low, len_high] = (4 + len).to_ne_bytes();
        let [kind_low, kind_high] = kind.to_ne_bytes();
        Self([len_low, len_high, kind_low, kind_high, a, b, c, d])
    }

    #[inline]
    pub(super) const fn u8(kind: u16, value: u8) -> Self {
        Self::new(kind, 1, [value, 0, 0, 0])
    }

    #[inline]
    pub(super) const fn u16(kind: u16, value: u16) -> Self {
        let [a, b] = value.to_ne_bytes();
        Self::new(kind, 2, [a, b, 0, 0])
    }

    #[inline]
    pub(super) const fn u32(kind: u16, value: u32) -> Self {
        Self::new(kind, 4, value.to_ne_bytes())
    }

    /// A port in network order.
    #[inline]
    pub(super) const fn port(kind: u16, port: u16) -> Self {
        let [a, b] = port.to_be_bytes();
        Self::new(kind, 2, [a, b, 0, 0])
    }

    #[inline]
    pub(super) const fn family(kind: u16, family: AddressFamily) -> Self {
        let number = match family {
            AddressFamily::Ipv4 => AF_INET,
            AddressFamily::Ipv6 => AF_INET6,
        };
        Self::u16(kind, number)
    }
}

/// Appends attributes to a sink.
///
/// Messages are a few hundred bytes long at most, far from the 65,535 of a length field.
#[derive(Debug)]
pub(super) struct Writer<'a, S>(pub(super) &'a mut S);

impl<S: Sink> Writer<'_, S> {
    #[inline]
    pub(super) fn bytes(&mut self, kind: u16, value: &[u8]) {
        self.0.put(&header(kind, value.len()));
        self.0.put(value);
        self.0.put(padding(value.len()));
    }

    /// Attributes of up to four bytes each, in one piece.
    #[inline]
    pub(super) fn words<const N: usize>(&mut self, words: [ShortAttribute; N]) {
        self.0.put(words.map(|ShortAttribute(bytes)| bytes).as_flattened());
    }

    #[inline]
    pub(super) fn u64(&mut self, kind: u16, value: u64) {
        let mut bytes = [0; 8];
        NativeEndian::write_u64(&mut bytes, value);
        self.bytes(kind, &bytes);
    }

    /// An address, padded to the length of IPv6.
    #[inline]
    pub(super) fn address(&mut self, kind: u16, address: IpAddr) {
        let octets = match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            }
            IpAddr::V6(v6) => v6.octets(),
        };
        self.bytes(kind, &octets);
    }

    /// A name with its terminating NUL.
    #[inline]
    pub(super) fn name(&mut self, kind: u16, name: &[u8]) {
        let len = name.len().saturating_add(1);
        self.0.put(&header(kind, len));
        self.0.put(name);
        self.0.put(&[0]);
        self.0.put(padding(len));
    }

    /// A nest with the nested flag (`NLA_F_NESTED`), as in requests.
    #[inline]
    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        self.plain_nest(kind | NLA_F_NESTED, fill);
    }

    /// A nest without that flag, as the kernel sends it.
    #[inline]
    pub(super) fn plain_nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.0.put(&header(kind, 0));
        fill(self);
        let len = self.0.len().saturating_sub(start);
        self.0.patch(start, length(len));
    }
}

/// The header of an attribute whose value has this length.
#[inline]
pub(super) fn header(kind: u16, len: usize) -> [u8; NLA_HEADER_SIZE] {
    let ([l0, l1], [k0, k1]) = (length(NLA_HEADER_SIZE.saturating_add(len)), kind.to_ne_bytes());
    [l0, l1, k0, k1]
}

fn length(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(u16::MAX).to_ne_bytes()
}

const fn padding(len: usize) -> &'static [u8] {
    match len & 3 {
        1 => &[0, 0, 0],
        2 => &[0, 0],
        3 => &[0],
        _ => &[],
    }
}
