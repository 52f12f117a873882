//! All libraries read the same values from the same bytes, as far as they read them, and write the same request.

use std::net::SocketAddr;

use ipvs_rs::codec::{Frames, Payload, Reply, Request};
use ipvs_rs::model::Stats;
use ipvs_rs::{DestinationEntry, ServiceEntry};
use ipvs_rs_peers::{ipvs_rs_codec, messages, netlink_packet_ipvs_codec, nlrs_codec, request};
use netlink_packet_ipvs::ctrl::nlas::Stats64;
use netlink_packet_ipvs::ctrl::nlas::destination::ForwardTypeFull;
use netlink_packet_ipvs::ctrl::nlas::service::{Protocol, Scheduler};
use nlrs::ipvs::destination::{DestinationAttribute, IpvsForwardMethod};

fn services() -> (Vec<ServiceEntry>, Vec<u8>) {
    let rows: Vec<ServiceEntry> = (1..=3).map(messages::service).collect();
    let list = messages::list(rows.iter().cloned().map(Reply::Service));
    (rows, list)
}

fn destinations() -> (Vec<DestinationEntry>, Vec<u8>) {
    let rows: Vec<DestinationEntry> = (1..=3).map(messages::destination).collect();
    let list = messages::list(rows.iter().cloned().map(Reply::Destination));
    (rows, list)
}

fn service_address(entry: &ServiceEntry) -> SocketAddr {
    let id = entry.service.id;
    (id.address().unwrap(), id.port().unwrap()).into()
}

/// The peer's numbers as ours.
fn stats(peer: &Stats64) -> Stats {
    let mut stats = Stats::default();
    stats.connections = peer.connections;
    stats.packets_in = peer.incoming_packets;
    stats.packets_out = peer.outgoing_packets;
    stats.bytes_in = peer.incoming_bytes;
    stats.bytes_out = peer.outgoing_bytes;
    stats.connections_per_sec = peer.connection_rate;
    stats.packets_per_sec_in = peer.incoming_packet_rate;
    stats.packets_per_sec_out = peer.outgoing_packet_rate;
    stats.bytes_per_sec_in = peer.incoming_byte_rate;
    stats.bytes_per_sec_out = peer.outgoing_byte_rate;
    stats
}

#[test]
fn services_are_the_same_for_everybody() {
    let (rows, list) = services();
    assert_eq!(ipvs_rs_codec::services(&list), rows);
    let peer = netlink_packet_ipvs_codec::services(&list);
    assert_eq!(peer.len(), rows.len());
    for (row, peer) in rows.iter().zip(peer) {
        assert_eq!(service_address(row), (peer.address, peer.port.unwrap()).into());
        assert_eq!((peer.protocol, peer.scheduler), (Protocol::TCP, Scheduler::WeightedLeastConnection));
        assert_eq!(peer.flags.0, row.flags.bits());
        assert_eq!(row.stats, stats(&peer.stats64));
    }
    let peer = nlrs_codec::services(&list);
    assert_eq!(peer.len(), rows.len());
    for (row, peer) in rows.iter().zip(peer) {
        assert_eq!(service_address(row), peer.service_address);
        assert_eq!((peer.protocol, &*peer.scheduler), (nlrs::ipvs::Protocol::TCP, "wlc"));
    }
}

#[test]
fn destinations_are_the_same_for_everybody() {
    let (rows, list) = destinations();
    assert_eq!(ipvs_rs_codec::destinations(&list), rows);
    let peer = netlink_packet_ipvs_codec::destinations(&list);
    assert_eq!(peer.len(), rows.len());
    for (row, peer) in rows.iter().zip(peer) {
        let settings = peer.destination;
        assert_eq!(SocketAddr::from(row.id()), (settings.address, settings.port).into());
        assert_eq!((settings.weight, settings.fwd_method), (row.destination.weight.get(), ForwardTypeFull::Masquerade));
        assert_eq!(peer.active_connections, row.active_connections);
        assert_eq!(peer.inactive_connections, row.inactive_connections);
        assert_eq!(peer.persistent_connections, row.persistent_connections);
        assert_eq!(row.stats, stats(&peer.stats64));
    }
    let peer = nlrs_codec::destinations(&list);
    assert_eq!(peer.len(), rows.len());
    for (row, peer) in rows.iter().zip(peer) {
        assert_eq!(SocketAddr::from(row.id()), peer.destination_address);
        assert_eq!((peer.weight, peer.forward_method), (row.destination.weight.get(), IpvsForwardMethod::Masquerade));
        assert!(peer.attributes.contains(&DestinationAttribute::ActiveConns(row.active_connections)));
        assert!(peer.attributes.contains(&DestinationAttribute::InactiveConns(row.inactive_connections)));
    }
}

/// The request in the first message of a datagram, read by the library without this many surplus bytes at its end.
fn read(datagram: &[u8], surplus: usize) -> Request {
    let frame = Frames::new(datagram).next().unwrap().unwrap();
    match frame.payload {
        Payload::Data { command, attributes } if frame.kind == messages::FAMILY => {
            Request::decode(command, false, &attributes[..attributes.len() - surplus]).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn request_is_the_same_from_everybody() {
    let mut buffer = Vec::new();
    ipvs_rs_codec::encode(&request(), &mut buffer);
    assert_eq!(read(&buffer, 0), request());
    assert_eq!(read(&netlink_packet_ipvs_codec::encode(netlink_packet_ipvs_codec::request()), 0), request());
    // It writes 24 bytes of tunnel settings behind the nest and counts four of them as part of the message.
    nlrs_codec::encode(&mut buffer);
    assert_eq!(read(&buffer, 4), request());
}
