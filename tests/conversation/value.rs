//! Values that many tests speak of.

use ipvs_rs::codec::Reply;
use ipvs_rs::model::{Config, Stats, SyncDaemon, Timeout};
use ipvs_rs::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId,
};

use crate::message::{Message, raw_data};
use crate::netlink::number32;

pub(crate) fn web() -> ServiceId {
    "TCP 192.0.2.10:80".parse().unwrap()
}

pub(crate) fn dns() -> ServiceId {
    "UDP 192.0.2.10:53".parse().unwrap()
}

pub(crate) fn mark6() -> ServiceId {
    "FWM 7 IPv6".parse().unwrap()
}

pub(crate) fn service() -> Service {
    Service::new(web(), Scheduler::Wlc)
}

pub(crate) fn other_service() -> Service {
    Service::new(dns(), Scheduler::Rr)
}

pub(crate) fn server() -> DestinationId {
    "10.0.0.2:8080".parse().unwrap()
}

pub(crate) fn destination() -> Destination {
    Destination::new(server(), ForwardMethod::Masquerade)
}

/// One of several servers.
pub(crate) fn nth(number: u8) -> Destination {
    Destination::new(format!("10.0.0.{number}:8080").parse().unwrap(), ForwardMethod::Masquerade)
}

pub(crate) fn entry(service: &Service) -> ServiceEntry {
    ServiceEntry::new(service.clone())
}

pub(crate) fn counted(service: &Service, connections: u64) -> ServiceEntry {
    let mut entry = entry(service);
    entry.stats = Stats::default();
    entry.stats.connections = connections;
    entry
}

pub(crate) fn service_reply(service: &Service) -> Reply {
    Reply::Service(entry(service))
}

pub(crate) fn destination_reply(destination: &Destination) -> Reply {
    Reply::Destination(DestinationEntry::new(destination.clone()))
}

pub(crate) fn config() -> Config {
    let timeout = |secs| Some(Timeout::from_secs(secs).unwrap());
    let mut config = Config::new();
    config.tcp = timeout(900);
    config.tcp_fin = timeout(120);
    config.udp = timeout(300);
    config
}

pub(crate) fn master() -> SyncDaemon {
    SyncDaemon::master("eth1").unwrap().sync_id(7)
}

pub(crate) fn backup() -> SyncDaemon {
    SyncDaemon::backup("eth1").unwrap().sync_id(9)
}

/// Version 1.2.1 and a connection table of 4096 buckets.
pub(crate) fn info() -> Message {
    const SET_INFO: u8 = 14;
    let attributes = [number32(1, 0x0001_0201), number32(2, 4096)];
    raw_data(SET_INFO, &attributes.concat())
}
