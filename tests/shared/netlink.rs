//! Netlink messages and attributes, put together by hand, and their numbers.

#![allow(dead_code, unreachable_pub, reason = "no target uses all of it")]

/// The number of the controller of generic netlink.
pub const CONTROLLER: u16 = 16;

pub const NOOP: u16 = 1;
pub const ERROR: u16 = 2;
pub const DONE: u16 = 3;
pub const OVERRUN: u16 = 4;

pub const REQUEST: u16 = 0x1;
pub const MULTI: u16 = 0x2;
pub const ACK: u16 = 0x4;
pub const INTERRUPTED: u16 = 0x10;
pub const ROOT: u16 = 0x100;
pub const DUMP: u16 = 0x300;
/// Of an error: it has only the header of its request.
pub const CAPPED: u16 = 0x100;
/// Of an error: attributes follow.
pub const ACK_TLVS: u16 = 0x200;

pub const NEW_SERVICE: u8 = 1;
pub const SET_SERVICE: u8 = 2;
pub const DEL_SERVICE: u8 = 3;
pub const GET_SERVICE: u8 = 4;
pub const NEW_DEST: u8 = 5;
pub const SET_DEST: u8 = 6;
pub const DEL_DEST: u8 = 7;
pub const GET_DEST: u8 = 8;
pub const NEW_DAEMON: u8 = 9;
pub const DEL_DAEMON: u8 = 10;
pub const GET_DAEMON: u8 = 11;
pub const SET_CONFIG: u8 = 12;
pub const GET_CONFIG: u8 = 13;
pub const GET_INFO: u8 = 15;
pub const ZERO: u8 = 16;
pub const FLUSH: u8 = 17;

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
