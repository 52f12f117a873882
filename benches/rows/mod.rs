//! The rows that are encoded and decoded, the same for everybody who is compared.

use std::net::{IpAddr, Ipv4Addr};

use ipvs_rs::codec::Reply;
use ipvs_rs::model::{DestinationEntry, Persistence, Protocol, ServiceEntry, Stats};
use ipvs_rs::{Destination, DestinationId, ForwardMethod, Scheduler, Service, ServiceId};

/// The number of the family; any from 16 on would do.
pub const FAMILY: u16 = 31;

fn address(network: u8, number: u32) -> IpAddr {
    let [_, a, b, c] = number.to_be_bytes();
    Ipv4Addr::new(network, a, b, c).into()
}

/// One of many services; no two have the same address.
pub fn service(number: u32) -> ServiceEntry {
    let id = ServiceId::verbatim(Protocol::TCP, address(10, number), 80);
    let persistence = Persistence::for_secs(300).unwrap();
    let mut entry = ServiceEntry::new(Service::new(id, Scheduler::Wlc).persistence(persistence));
    entry.stats = stats(number);
    entry
}

/// One of many destinations of a service. One peer reads no other forwarding method.
pub fn destination(number: u32) -> DestinationEntry {
    let id = DestinationId::verbatim(address(11, number), 8080);
    let mut entry = DestinationEntry::new(Destination::new(id, ForwardMethod::Masquerade).weight(number).unwrap());
    entry.stats = stats(number);
    (entry.active_connections, entry.inactive_connections) = (number, number / 2);
    entry
}

/// Numbers that need all of their bits, and no two alike.
fn stats(number: u32) -> Stats {
    let mut stats = Stats::default();
    let fields = [
        &mut stats.connections,
        &mut stats.packets_in,
        &mut stats.packets_out,
        &mut stats.bytes_in,
        &mut stats.bytes_out,
        &mut stats.connections_per_sec,
        &mut stats.packets_per_sec_in,
        &mut stats.packets_per_sec_out,
        &mut stats.bytes_per_sec_in,
        &mut stats.bytes_per_sec_out,
    ];
    for (place, field) in (1..).zip(fields) {
        *field = (place << 40) + u64::from(number);
    }
    stats
}

/// A list as the kernel sends it, all in one piece, with its end.
pub fn list(rows: impl IntoIterator<Item = Reply>) -> Vec<u8> {
    const MULTIPART: u16 = 2;
    const DONE: u16 = 3;
    let mut bytes = Vec::new();
    for row in rows {
        message(&mut bytes, FAMILY, MULTIPART, |bytes| {
            bytes.extend([row.command().number(), 1, 0, 0]);
            row.encode(bytes);
        });
    }
    message(&mut bytes, DONE, MULTIPART, |bytes| bytes.extend([0; 4]));
    bytes
}

/// Appends one netlink message.
pub fn message(bytes: &mut Vec<u8>, kind: u16, flags: u16, payload: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend([[0; 2], [0; 2], kind.to_ne_bytes(), flags.to_ne_bytes()].as_flattened());
    bytes.extend([0; 8]);
    payload(bytes);
    let len = u32::try_from(bytes.len() - start).unwrap();
    bytes[start..start + 4].copy_from_slice(&len.to_ne_bytes());
}
