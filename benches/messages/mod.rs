//! The messages that are encoded and decoded, the same for all libraries that are compared.

use std::net::{IpAddr, Ipv4Addr};

use ipvs_rs::codec::{IpvsCommand, Reply, Request};
use ipvs_rs::model::{Config, Persistence, Protocol, Stats, SyncDaemon, SyncRole, Timeout};
use ipvs_rs::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId,
};

#[path = "../../tests/shared/netlink.rs"]
pub mod netlink;

use self::netlink::{DONE, MULTI, message};

/// The number of the family; any number from 16 on is valid.
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

/// One of many destinations of a service. One peer does not read any other forwarding method.
pub fn destination(number: u32) -> DestinationEntry {
    let id = DestinationId::verbatim(address(11, number), 8080);
    let mut entry = DestinationEntry::new(Destination::new(id, ForwardMethod::Masquerade).weight(number).unwrap());
    entry.stats = stats(number);
    (entry.active_connections, entry.inactive_connections) = (number, number / 2);
    entry
}

/// Numbers that need all of their bits, all different.
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

/// Every request.
pub fn requests() -> Vec<(&'static str, Request)> {
    let (service, destination) = (service(1).service, destination(1).destination);
    let (id, server) = (service.id, destination.id);
    vec![
        ("new service", Request::NewService(service.clone())),
        ("set service", Request::SetService(service)),
        ("delete service", Request::DeleteService(id)),
        ("get service", Request::GetService(id)),
        ("get services", Request::GetServices),
        ("new destination", Request::NewDestination(id, destination.clone())),
        ("set destination", Request::SetDestination(id, destination)),
        ("delete destination", Request::DeleteDestination(id, server)),
        ("get destinations", Request::GetDestinations(id)),
        ("new daemon", Request::NewDaemon(daemon())),
        ("delete daemon", Request::DeleteDaemon(SyncRole::Master)),
        ("get daemons", Request::GetDaemons),
        ("set config", Request::SetConfig(config())),
        ("get config", Request::GetConfig),
        ("get info", Request::GetInfo),
        ("zero", Request::Zero(None)),
        ("zero service", Request::Zero(Some(id))),
        ("flush", Request::Flush),
    ]
}

/// Every reply.
pub fn replies() -> [(&'static str, Reply); 5] {
    [
        ("service", Reply::Service(service(1))),
        ("destination", Reply::Destination(destination(1))),
        ("daemon", Reply::Daemon(daemon())),
        ("config", Reply::Config(config())),
        ("info", info()),
    ]
}

/// Version 1.2.1 and a table of 4096, as a kernel sends them.
fn info() -> Reply {
    let (version, size) = (0x01_02_01_u32.to_ne_bytes(), 4096_u32.to_ne_bytes());
    let header = |kind: u16| [8_u16.to_ne_bytes(), kind.to_ne_bytes()].concat();
    Reply::decode(IpvsCommand::SetInfo.number(), &[&header(1)[..], &version, &header(2), &size].concat()).unwrap()
}

fn daemon() -> SyncDaemon {
    SyncDaemon::master("eth1").unwrap()
}

fn config() -> Config {
    let timeout = |secs| Some(Timeout::from_secs(secs).unwrap());
    let mut config = Config::new();
    (config.tcp, config.tcp_fin, config.udp) = (timeout(900), timeout(120), timeout(300));
    config
}

/// A list as the kernel sends it, all in one piece, with its end.
pub fn list(rows: impl IntoIterator<Item = Reply>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in rows {
        let mut payload = vec![row.command().number(), 1, 0, 0];
        row.encode(&mut payload);
        bytes.extend(message(FAMILY, MULTI, 0, &payload));
    }
    bytes.extend(message(DONE, MULTI, 0, &[0; 4]));
    bytes
}
