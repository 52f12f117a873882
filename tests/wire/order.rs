//! Turns recorded bytes, which are little-endian, into those of this machine.

use std::collections::BTreeMap;

/// The content of an attribute whose bytes have to be swapped. Network order, text and unread values are left alone.
#[derive(Clone, Debug)]
enum Kind {
    /// One number in the order of the machine, as long as the attribute.
    Number,
    /// Two numbers of 32 bits: flags and mask.
    Words,
    Nest(Table),
    /// A nest of numbered nests.
    List(Table),
}

type Table = BTreeMap<u16, Kind>;

fn table(entries: impl IntoIterator<Item = (u16, Kind)>) -> Table {
    entries.into_iter().collect()
}

fn statistics() -> Kind {
    Kind::Nest(table((1..=10).map(|number| (number, Kind::Number))))
}

/// The attributes of a command of the family.
fn family(command: u8) -> Table {
    const SET_INFO: u8 = 14;
    if command == SET_INFO {
        return table([(1, Kind::Number), (2, Kind::Number)]);
    }
    let service = [1, 2, 5, 8].map(|number| (number, Kind::Number));
    let service = service.into_iter().chain([(7, Kind::Words), (10, statistics()), (12, statistics())]);
    let destination = [3, 4, 5, 6, 7, 8, 9, 11, 15].map(|number| (number, Kind::Number));
    let destination = destination.into_iter().chain([(10, statistics()), (12, statistics())]);
    let daemon = [1, 3, 4, 7].map(|number| (number, Kind::Number));
    table([
        (1, Kind::Nest(table(service))),
        (2, Kind::Nest(table(destination))),
        (3, Kind::Nest(table(daemon))),
        (4, Kind::Number),
        (5, Kind::Number),
        (6, Kind::Number),
    ])
}

fn controller() -> Table {
    let operation = Kind::List(table([(1, Kind::Number), (2, Kind::Number)]));
    let numbers = [1, 3, 4, 5].map(|number| (number, Kind::Number));
    table(numbers.into_iter().chain([(6, operation)]))
}

/// The datagram in the order of this machine.
pub(crate) fn native(datagram: &[u8]) -> Vec<u8> {
    if cfg!(target_endian = "big") { big_endian(datagram) } else { datagram.to_vec() }
}

/// A little-endian datagram as a big-endian machine has it.
pub(crate) fn big_endian(datagram: &[u8]) -> Vec<u8> {
    let mut bytes = datagram.to_vec();
    let mut rest = bytes.as_mut_slice();
    while !rest.is_empty() {
        let len = to_usize(&rest[..4]);
        let (whole, behind) = rest.split_at_mut(padded(len).min(rest.len()));
        message(&mut whole[..len]);
        rest = behind;
    }
    bytes
}

fn message(bytes: &mut [u8]) {
    let kind = u16::from_le_bytes([bytes[4], bytes[5]]);
    let flags = u16::from_le_bytes([bytes[6], bytes[7]]);
    header(&mut bytes[..16]);
    let payload = &mut bytes[16..];
    match kind {
        2 => acknowledgement(payload, flags),
        3 => payload[..4].reverse(),
        _ => generic(payload, kind),
    }
}

fn header(bytes: &mut [u8]) {
    for range in [0..4, 4..6, 6..8, 8..12, 12..16] {
        bytes[range].reverse();
    }
}

fn generic(bytes: &mut [u8], kind: u16) {
    let table = if kind == 16 { controller() } else { family(bytes[0]) };
    attributes(&mut bytes[4..], &table);
}

fn acknowledgement(bytes: &mut [u8], flags: u16) {
    let (code, rest) = bytes.split_at_mut(4);
    code.reverse();
    let len = to_usize(&rest[..4]);
    let kind = u16::from_le_bytes([rest[4], rest[5]]);
    header(&mut rest[..16]);
    let capped = flags & 0x100 != 0;
    let echoed = if capped { 16 } else { len };
    if !capped {
        generic(&mut rest[16..len], kind);
    }
    let start = padded(echoed).min(rest.len());
    attributes(&mut rest[start..], &table([(2, Kind::Number), (5, Kind::Number), (6, Kind::Number)]));
}

fn attributes(bytes: &mut [u8], table: &Table) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let len = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
        let number = u16::from_le_bytes([rest[2], rest[3]]) & 0x3fff;
        rest[..2].reverse();
        rest[2..4].reverse();
        let (whole, behind) = rest.split_at_mut(padded(len).min(rest.len()));
        let value = &mut whole[4..len];
        match table.get(&number) {
            None => {}
            Some(Kind::Number) => value.reverse(),
            Some(Kind::Words) => value.chunks_mut(4).for_each(<[u8]>::reverse),
            Some(Kind::Nest(inner)) => nest(value, inner),
            Some(Kind::List(inner)) => list(value, inner),
        }
        rest = behind;
    }
}

fn nest(bytes: &mut [u8], inner: &Table) {
    const SERVICE_NETMASK: u16 = 9;
    // The persistence granularity is a number for IPv6 and a mask for IPv4: the family tells, which comes first.
    let is_service_of_ipv6 = inner.get(&7).is_some_and(|kind| matches!(kind, Kind::Words))
        && bytes.get(2..6).is_some_and(|start| start == [1, 0, 10, 0]);
    let mut inner = inner.clone();
    if is_service_of_ipv6 {
        inner.insert(SERVICE_NETMASK, Kind::Number);
    }
    attributes(bytes, &inner);
}

fn list(bytes: &mut [u8], inner: &Table) {
    let mut entries = Table::new();
    for number in 0..64 {
        entries.insert(number, Kind::Nest(inner.clone()));
    }
    attributes(bytes, &entries);
}

fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

fn to_usize(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes.try_into().unwrap()).try_into().unwrap()
}

#[test]
fn ports_addresses_masks_and_names_stay_while_numbers_turn_around() {
    let little = [
        &[68, 0, 0, 0, 31, 0, 5, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 48, 0, 1, 0x80][..],
        &[6, 0, 1, 0, 2, 0, 0, 0],                             // AF
        &[6, 0, 4, 0, 0, 80, 0, 0],                            // PORT
        &[7, 0, 6, 0, b'r', b'r', 0, 0],                       // SCHED_NAME
        &[12, 0, 7, 0, 0x19, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], // FLAGS
        &[8, 0, 9, 0, 255, 255, 0, 0],                         // NETMASK of IPv4
    ]
    .concat();
    let big = [
        &[0, 0, 0, 68, 0, 31, 0, 5, 0, 0, 0, 9, 0, 0, 0, 0, 1, 1, 0, 0, 0, 48, 0x80, 1][..],
        &[0, 6, 0, 1, 0, 2, 0, 0],
        &[0, 6, 0, 4, 0, 80, 0, 0],
        &[0, 7, 0, 6, b'r', b'r', 0, 0],
        &[0, 12, 0, 7, 0, 0, 0, 0x19, 0xff, 0xff, 0xff, 0xff],
        &[0, 8, 0, 9, 255, 255, 0, 0],
    ]
    .concat();
    assert_eq!(big_endian(&little), big);
}

#[test]
fn prefix_length_of_ipv6_turns_around() {
    let little = [
        &[40, 0, 0, 0, 31, 0, 5, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 20, 0, 1, 0x80][..],
        &[6, 0, 1, 0, 10, 0, 0, 0, 8, 0, 9, 0, 64, 0, 0, 0],
    ]
    .concat();
    let big = [
        &[0, 0, 0, 40, 0, 31, 0, 5, 0, 0, 0, 9, 0, 0, 0, 0, 1, 1, 0, 0, 0, 20, 0x80, 1][..],
        &[0, 6, 0, 1, 0, 10, 0, 0, 0, 8, 0, 9, 0, 0, 0, 64],
    ]
    .concat();
    assert_eq!(big_endian(&little), big);
}
