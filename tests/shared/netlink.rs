//! Netlink messages and attributes, put together by hand.

#![allow(dead_code, unreachable_pub, reason = "no target uses all of it")]

/// A message to the kernel.
pub fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    addressed(0, kind, flags, sequence, payload)
}

/// A message to a port.
pub fn addressed(port: u32, kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(16 + payload.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
    bytes.extend([sequence.to_ne_bytes(), port.to_ne_bytes()].concat());
    bytes.extend(payload);
    bytes
}

/// An attribute, with its padding.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(4 + value.len()).unwrap();
    let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A nest of attributes, which are given one after the other.
pub fn nest(kind: u16, attributes: &[&[u8]]) -> Vec<u8> {
    attribute(kind, &attributes.concat())
}

pub fn number8(kind: u16, value: u8) -> Vec<u8> {
    attribute(kind, &[value])
}

pub fn number16(kind: u16, value: u16) -> Vec<u8> {
    attribute(kind, &value.to_ne_bytes())
}

pub fn number32(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_ne_bytes())
}

/// A port in network order.
pub fn port(kind: u16, value: u16) -> Vec<u8> {
    attribute(kind, &value.to_be_bytes())
}

/// A name with its NUL.
pub fn name(kind: u16, value: impl AsRef<[u8]>) -> Vec<u8> {
    attribute(kind, &[value.as_ref(), &[0]].concat())
}
