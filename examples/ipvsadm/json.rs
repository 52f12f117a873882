//! Listings as JSON. The README beside this file describes the fields; they are there in every version, and never
//! change their meaning.

use ipvs_rs::model::{
    AddressFamily, Config, Info, PersistenceEngine, Protocol, ServiceKind, SyncDaemon, TunnelFlags, TunnelKind,
};
use ipvs_rs::procfs::Connection;
use ipvs_rs::{DestinationEntry, ForwardMethod, ServiceEntry, Table};
use serde::Serialize;

use crate::list;
use crate::output::Output;

#[derive(Serialize)]
struct TableRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_table_size: Option<u32>,
    services: Vec<ServiceRecord>,
}

#[derive(Serialize)]
struct ServiceRecord {
    protocol: Option<String>,
    address: Option<String>,
    port: Option<u16>,
    firewall_mark: Option<u32>,
    family: &'static str,
    scheduler: String,
    scheduler_flags: Vec<String>,
    persistence: Option<PersistenceRecord>,
    one_packet: bool,
    stats: CountersRecord,
    rates: CountersRecord,
    destinations: Vec<DestinationRecord>,
}

#[derive(Serialize)]
struct PersistenceRecord {
    timeout: u32,
    mask: Option<String>,
    engine: Option<String>,
}

#[derive(Serialize)]
struct DestinationRecord {
    address: String,
    port: u16,
    forward: &'static str,
    tunnel: Option<TunnelRecord>,
    weight: u32,
    upper_threshold: u32,
    lower_threshold: u32,
    active_connections: u32,
    inactive_connections: u32,
    persistent_connections: u32,
    stats: CountersRecord,
    rates: CountersRecord,
}

#[derive(Serialize)]
struct TunnelRecord {
    r#type: String,
    port: Option<u16>,
    checksum: &'static str,
}

/// Counters, or the same in a second.
#[derive(Serialize)]
struct CountersRecord {
    connections: u64,
    packets_in: u64,
    packets_out: u64,
    bytes_in: u64,
    bytes_out: u64,
}

#[derive(Serialize)]
struct TimeoutsRecord {
    tcp: u32,
    tcp_fin: u32,
    udp: u32,
}

#[derive(Serialize)]
struct DaemonsRecord {
    daemons: Vec<DaemonRecord>,
}

#[derive(Serialize)]
struct DaemonRecord {
    state: &'static str,
    interface: String,
    syncid: u32,
    maxlen: Option<u16>,
    group: Option<String>,
    port: Option<u16>,
    ttl: Option<u8>,
}

#[derive(Serialize)]
struct ConnectionRecord {
    protocol: String,
    client: EndRecord,
    service: EndRecord,
    destination: EndRecord,
    state: String,
    expires: u64,
    template: bool,
    engine: Option<EngineRecord>,
}

#[derive(Serialize)]
struct EndRecord {
    address: String,
    port: u16,
}

#[derive(Serialize)]
struct EngineRecord {
    name: String,
    data: String,
}

/// Services; with the kernel's version and table size if they are all of the table.
pub fn table(info: Option<Info>, table: &Table) -> String {
    line(&TableRecord {
        version: info.map(|info| info.version.to_string()),
        connection_table_size: info.map(|info| info.connection_table_size),
        services: table.services.iter().map(|one| service(&one.service, &one.destinations)).collect(),
    })
}

/// The connection table, row by row.
pub fn connections(connections: impl Iterator<Item = Connection>, out: &mut Output) {
    out.write(b"{\"connections\":[");
    let mut separator: &[u8] = b"";
    for row in connections {
        out.write(separator);
        out.write(text(&connection(&row)).as_bytes());
        separator = b",";
    }
    out.write(b"]}\n");
}

pub fn timeouts(config: &Config) -> String {
    let [tcp, tcp_fin, udp] =
        [config.tcp, config.tcp_fin, config.udp].map(|timeout| timeout.map_or(0, ipvs_rs::model::Timeout::as_secs));
    line(&TimeoutsRecord { tcp, tcp_fin, udp })
}

pub fn daemons(daemons: &[SyncDaemon]) -> String {
    let daemons = daemons.iter().map(|daemon| DaemonRecord {
        state: daemon.role.name(),
        interface: daemon.interface.to_string(),
        syncid: daemon.sync_id,
        maxlen: daemon.max_len.map(u16::from),
        group: daemon.group.map(|group| group.address().to_string()),
        port: daemon.port.map(u16::from),
        ttl: daemon.ttl.map(u8::from),
    });
    line(&DaemonsRecord { daemons: daemons.collect() })
}

fn service(entry: &ServiceEntry, destinations: &[DestinationEntry]) -> ServiceRecord {
    let settings = &entry.service;
    let (protocol, address, port, mark) = match entry.id().kind() {
        ServiceKind::Address { protocol, address, port } => (Some(protocol), Some(address), Some(port), None),
        ServiceKind::Mark { mark, .. } => (None, None, None, Some(mark.get())),
    };
    let flags = list::flags(settings);
    ServiceRecord {
        protocol: protocol.map(protocol_word),
        address: address.map(|address| address.to_string()),
        port,
        firewall_mark: mark,
        family: match entry.id().family() {
            AddressFamily::Ipv4 => "ipv4",
            AddressFamily::Ipv6 => "ipv6",
        },
        scheduler: settings.scheduler.to_string(),
        scheduler_flags: flags.split(',').filter(|flag| !flag.is_empty()).map(str::to_owned).collect(),
        persistence: settings.persistence.as_ref().map(|persistence| PersistenceRecord {
            timeout: persistence.timeout_secs(),
            mask: list::mask(persistence.granularity),
            engine: persistence.engine.as_ref().map(PersistenceEngine::to_string),
        }),
        one_packet: settings.one_packet,
        stats: counters(entry.stats.counters()),
        rates: counters(entry.stats.rates()),
        destinations: destinations.iter().map(destination).collect(),
    }
}

fn protocol_word(protocol: Protocol) -> String {
    protocol.to_string().to_ascii_lowercase()
}

fn destination(entry: &DestinationEntry) -> DestinationRecord {
    let settings = &entry.destination;
    let (forward, tunnel) = match settings.forward {
        ForwardMethod::Masquerade => ("masquerade", None),
        ForwardMethod::Local => ("local", None),
        ForwardMethod::Tunnel(tunnel) => ("tunnel", Some(tunnel)),
        ForwardMethod::DirectRoute => ("direct_route", None),
        ForwardMethod::Bypass => ("bypass", None),
        _ => ("unknown", None),
    };
    DestinationRecord {
        address: entry.id().address().to_string(),
        port: entry.id().port(),
        forward,
        tunnel: tunnel.map(|tunnel| TunnelRecord {
            r#type: match tunnel.kind() {
                TunnelKind::Unknown(_) => "unknown".to_owned(),
                known => known.to_string(),
            },
            port: tunnel.port().map(u16::from),
            checksum: if tunnel.tunnel_flags().contains(TunnelFlags::CHECKSUM) {
                "full"
            } else if tunnel.tunnel_flags().contains(TunnelFlags::REMOTE_CHECKSUM) {
                "remote"
            } else {
                "none"
            },
        }),
        weight: settings.weight.get(),
        upper_threshold: settings.thresholds.upper().map_or(0, u32::from),
        lower_threshold: settings.thresholds.lower().map_or(0, u32::from),
        active_connections: entry.active_connections,
        inactive_connections: entry.inactive_connections,
        persistent_connections: entry.persistent_connections,
        stats: counters(entry.stats.counters()),
        rates: counters(entry.stats.rates()),
    }
}

const fn counters([connections, packets_in, packets_out, bytes_in, bytes_out]: [u64; 5]) -> CountersRecord {
    CountersRecord { connections, packets_in, packets_out, bytes_in, bytes_out }
}

fn connection(connection: &Connection) -> ConnectionRecord {
    let end = |end: std::net::SocketAddr| EndRecord { address: end.ip().to_string(), port: end.port() };
    ConnectionRecord {
        protocol: connection.protocol.to_string().to_ascii_lowercase(),
        client: end(connection.client),
        service: end(connection.service),
        destination: end(connection.destination),
        state: connection.state.to_string(),
        expires: connection.expires_secs,
        template: connection.is_template(),
        engine: connection.engine.as_ref().map(|engine| EngineRecord {
            name: engine.name.to_string(),
            data: String::from_utf8_lossy(&engine.data).into_owned(),
        }),
    }
}

fn line(record: &impl Serialize) -> String {
    text(record) + "\n"
}

fn text(record: &impl Serialize) -> String {
    // Numbers, text and lists are all there is, and those have a form in JSON.
    serde_json::to_string(record).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ipvs_rs::model::{Persistence, SchedulerFlags, TableService, Tunnel};
    use ipvs_rs::{Destination, Scheduler, Service};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_there_with_its_value() {
        let web = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Sh)
            .scheduler_flags(SchedulerFlags::PORT)
            .persistence(Persistence::for_secs(300).unwrap());
        let server = Destination::new(
            "[2001:db8::2]:80".parse().unwrap(),
            ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap().flags(TunnelFlags::CHECKSUM)),
        );
        let mut entry = DestinationEntry::new(server.weight(7).unwrap());
        (entry.active_connections, entry.stats.connections, entry.stats.bytes_per_sec_in) = (1, 2, 3);
        let mark = Service::new("FWM 4294967295 IPv6".parse().unwrap(), Scheduler::Wlc);
        let services = vec![
            TableService::new(ServiceEntry::new(web), vec![entry]),
            TableService::new(ServiceEntry::new(mark), vec![]),
        ];
        let zero = json!({"connections": 0, "packets_in": 0, "packets_out": 0, "bytes_in": 0, "bytes_out": 0});
        let expected = json!({"services": [
            {
                "protocol": "tcp", "address": "192.0.2.10", "port": 80, "firewall_mark": null, "family": "ipv4",
                "scheduler": "sh", "scheduler_flags": ["sh-port"],
                "persistence": {"timeout": 300, "mask": null, "engine": null}, "one_packet": false,
                "stats": zero, "rates": zero,
                "destinations": [{
                    "address": "2001:db8::2", "port": 80,
                    "forward": "tunnel", "tunnel": {"type": "gue", "port": 6080, "checksum": "full"},
                    "weight": 7, "upper_threshold": 0, "lower_threshold": 0,
                    "active_connections": 1, "inactive_connections": 0, "persistent_connections": 0,
                    "stats": {"connections": 2, "packets_in": 0, "packets_out": 0, "bytes_in": 0, "bytes_out": 0},
                    "rates": {"connections": 0, "packets_in": 0, "packets_out": 0, "bytes_in": 3, "bytes_out": 0},
                }],
            },
            {
                "protocol": null, "address": null, "port": null, "firewall_mark": 4_294_967_295_u32, "family": "ipv6",
                "scheduler": "wlc", "scheduler_flags": [], "persistence": null, "one_packet": false,
                "stats": zero, "rates": zero, "destinations": [],
            },
        ]});
        let printed = table(None, &Table::new(services));
        assert_eq!(printed.parse::<serde_json::Value>().unwrap(), expected);
        assert_eq!(printed.lines().count(), 1, "one line, for those who read line by line");
    }
}
