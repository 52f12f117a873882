//! Listings, byte for byte those of the original.

use std::fmt::{Display, Write as _};

use ipvs_rs::model::{
    AddressFamily, Config, Granularity, Info, Protocol, SchedulerFlags, ServiceKind, Stats, SyncDaemon, Tunnel,
    TunnelFlags, TunnelKind,
};
use ipvs_rs::procfs::Connection;
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table};

use crate::counter;
use crate::invocation::{Format, Listing};
use crate::names::Names;
use crate::output::Output;

/// How rows are printed.
pub struct Printer<'a> {
    format: Format,
    exact: bool,
    numeric: bool,
    names: &'a mut Names,
}

impl<'a> Printer<'a> {
    pub fn new(listing: &Listing, names: &'a mut Names) -> Self {
        Self { format: listing.format, exact: listing.exact, numeric: listing.numeric, names }
    }

    /// Version, titles, and a block for each service.
    pub fn table(&mut self, info: Info, table: &Table, out: &mut Output) {
        let title = format!("IP Virtual Server version {} (size={})\n", info.version, info.connection_table_size);
        out.write(title.as_bytes());
        self.services(table, out);
    }

    /// The same without the version.
    pub fn services(&mut self, table: &Table, out: &mut Output) {
        out.write(self.titles().as_bytes());
        for service in &table.services {
            self.service(&service.service, out);
            for destination in &service.destinations {
                self.destination(&service.service, destination, out);
            }
        }
    }

    const fn titles(&self) -> &'static str {
        match self.format {
            Format::Plain => {
                "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn \
                 InActConn\n"
            }
            Format::TunnelInfo => {
                "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward TunnelInfo    Weight \
                 ActiveConn InActConn\n"
            }
            Format::Stats => {
                "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n  -> \
                 RemoteAddress:Port\n"
            }
            Format::Rate => {
                "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n  -> \
                 RemoteAddress:Port\n"
            }
            Format::Thresholds => {
                "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n  -> \
                 RemoteAddress:Port\n"
            }
            Format::PersistentConnections => {
                "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n  -> \
                 RemoteAddress:Port\n"
            }
        }
    }

    fn service(&mut self, entry: &ServiceEntry, out: &mut Output) {
        out.write(&self.service_name(&entry.id()));
        let mut line = String::new();
        match self.format {
            Format::Stats => counters(&mut line, &entry.stats, self.exact),
            Format::Rate => {
                let Stats { connections_per_sec, packets_per_sec_in, packets_per_sec_out, .. } = entry.stats;
                for value in [connections_per_sec, packets_per_sec_in, packets_per_sec_out] {
                    counter::push(&mut line, value, self.exact);
                }
                byte_rates(&mut line, &entry.stats, self.exact);
            }
            _ => settings(&mut line, &entry.service),
        }
        line.push('\n');
        out.write(line.as_bytes());
    }

    fn service_name(&mut self, id: &ServiceId) -> Vec<u8> {
        let (mut name, family) = match id.kind() {
            ServiceKind::Mark { mark, family } => {
                let suffix = if family == AddressFamily::Ipv6 { " IPv6" } else { "" };
                (format!("FWM  {}{suffix}", mark.get().cast_signed()).into_bytes(), AddressFamily::Ipv6)
            }
            ServiceKind::Address { protocol, address, port } => {
                let word = match protocol {
                    Protocol::TCP => "TCP  ",
                    Protocol::UDP => "UDP  ",
                    Protocol::SCTP => "SCTP ",
                    _ => "?    ",
                };
                let mut name = word.as_bytes().to_vec();
                name.extend(self.endpoint(address, port, Some(protocol)));
                (name, AddressFamily::of(address))
            }
        };
        if family == AddressFamily::Ipv4 {
            name.truncate(SERVICE_WIDTH);
        }
        if matches!(self.format, Format::Stats | Format::Rate) {
            pad(&mut name, SERVICE_WIDTH);
        }
        name
    }

    fn destination(&mut self, service: &ServiceEntry, entry: &DestinationEntry, out: &mut Output) {
        let id = entry.id();
        let mut name = self.endpoint(id.address(), id.port(), service.id().protocol());
        if id.family() == AddressFamily::Ipv4 {
            name.truncate(DESTINATION_WIDTH);
        }
        pad(&mut name, DESTINATION_WIDTH);
        out.write(b"  -> ");
        out.write(&name);

        let mut line = String::new();
        let Destination { forward, weight, thresholds, .. } = &entry.destination;
        let (active, inactive) = (entry.active_connections, entry.inactive_connections);
        // Writing to a string does not fail.
        let _ = match self.format {
            Format::Plain => {
                write!(line, " {:<7} {:<6} {active:<10} {inactive:<10}", forward_word(forward), weight.get())
            }
            Format::TunnelInfo => {
                let (forward, tunnel) = (forward_word(forward), tunnel_word(*forward));
                write!(line, " {forward:<7} {tunnel:<13} {:<6} {active:<10} {inactive:<10}", weight.get())
            }
            Format::Thresholds => {
                let [upper, lower] = [thresholds.upper(), thresholds.lower()].map(|bound| bound.map_or(0, u32::from));
                write!(line, " {upper:<10} {lower:<10} {active:<10} {inactive:<10}")
            }
            Format::PersistentConnections => {
                let persistent = entry.persistent_connections;
                write!(line, " {:<9} {persistent:<11} {active:<10} {inactive:<10}", weight.get())
            }
            Format::Stats => {
                counters(&mut line, &entry.stats, self.exact);
                Ok(())
            }
            Format::Rate => {
                let Stats { connections_per_sec, packets_per_sec_in, packets_per_sec_out, .. } = entry.stats;
                let plain = write!(line, " {connections_per_sec:>8} {packets_per_sec_in:>8} {packets_per_sec_out:>8}");
                byte_rates(&mut line, &entry.stats, self.exact);
                plain
            }
        };
        line.push('\n');
        out.write(line.as_bytes());
    }

    /// The title of the connections.
    pub fn connection_titles(engine_data: bool, out: &mut Output) {
        out.write(b"IPVS connection entries\n");
        out.write(if engine_data {
            b"pro expire state       source             virtual            destination        pe name          pe_data\n"
        } else {
            b"pro expire state       source             virtual            destination\n"
        });
    }

    pub fn connection(&mut self, connection: &Connection, engine_data: bool, out: &mut Output) {
        let protocol = connection.protocol.protocol();
        let [mut client, mut service, mut destination] =
            [connection.client, connection.service, connection.destination]
                .map(|end| self.endpoint(end.ip(), end.port(), protocol));
        pad(&mut client, 18);
        pad(&mut service, 18);
        let (minutes, seconds) = (connection.expires_secs / 60, connection.expires_secs % 60);
        let (protocol, state) = (connection.protocol.to_string(), connection.state.to_string());
        out.write(format!("{protocol:<3} {:<6} {state:<11} ", format!("{minutes:02}:{seconds:02}")).as_bytes());
        out.write(&client);
        out.write(b" ");
        out.write(&service);
        out.write(b" ");
        match connection.engine.as_ref().filter(|_| engine_data) {
            None => out.write(&destination),
            Some(engine) => {
                // The columns are not those of the title, as in the original.
                pad(&mut destination, 16);
                let mut name = engine.name.to_string().into_bytes();
                pad(&mut name, 18);
                out.write(&destination);
                out.write(b" ");
                out.write(&name);
                out.write(b" ");
                out.write(&engine.data);
            }
        }
        out.write(b"\n");
    }

    fn endpoint(&mut self, address: std::net::IpAddr, port: u16, protocol: Option<Protocol>) -> Vec<u8> {
        if self.numeric {
            Names::numeric(address, port).into_bytes()
        } else {
            self.names.named(address, port, protocol)
        }
    }
}

/// Columns of the name of a service and of a destination.
const SERVICE_WIDTH: usize = 33;
const DESTINATION_WIDTH: usize = 28;

fn pad(text: &mut Vec<u8>, width: usize) {
    text.resize(text.len().max(width), b' ');
}

/// Scheduler, flags and persistence of a service.
fn settings(line: &mut String, service: &Service) {
    let _ = write!(line, " {}", service.scheduler);
    if !service.scheduler_flags.is_empty() {
        let _ = write!(line, " ({})", flags(service));
    }
    if let Some(persistence) = &service.persistence {
        let _ = write!(line, " persistent {}", persistence.timeout_secs());
        if let Some(mask) = mask(persistence.granularity) {
            let _ = write!(line, " mask {mask}");
        }
        if let Some(engine) = &persistence.engine {
            let _ = write!(line, " pe {engine}");
        }
    }
    if service.one_packet {
        line.push_str(" ops");
    }
}

/// The names of the scheduler's flags. The third one of `sh` and `mh` has none.
pub fn flags(service: &Service) -> String {
    let mut flags = service.scheduler_flags;
    if matches!(service.scheduler, Scheduler::Sh | Scheduler::Mh) {
        flags.remove(SchedulerFlags::FLAG_3);
    }
    flags.notation(&service.scheduler)
}

/// The mask, where it is not that of a single client.
pub fn mask(granularity: Granularity) -> Option<String> {
    match granularity.normalized() {
        Granularity::Client => None,
        Granularity::Mask(mask) => Some(mask.to_string()),
        Granularity::Prefix(prefix) => Some(prefix.bits().to_string()),
    }
}

fn counters(line: &mut String, stats: &Stats, exact: bool) {
    for value in stats.counters() {
        counter::push(line, value, exact);
    }
}

fn byte_rates(line: &mut String, stats: &Stats, exact: bool) {
    for value in [stats.bytes_per_sec_in, stats.bytes_per_sec_out] {
        counter::push(line, value, exact);
    }
}

/// The word for a forwarding method, which is the same for every tunnel.
fn forward_word(forward: &ForwardMethod) -> &dyn Display {
    const TUNNEL: ForwardMethod = ForwardMethod::Tunnel(Tunnel::ipip());
    match forward {
        ForwardMethod::Tunnel(_) => &TUNNEL,
        ForwardMethod::Unknown(_) => &"?",
        known => known,
    }
}

fn tunnel_word(forward: ForwardMethod) -> String {
    let ForwardMethod::Tunnel(tunnel) = forward else { return "n/a".to_owned() };
    let checksum = checksum_word(tunnel);
    match tunnel.kind() {
        kind @ TunnelKind::Ipip => kind.to_string(),
        kind @ TunnelKind::Gue => format!("{kind}:{}:{checksum}", tunnel.port().map_or(0, u16::from)),
        kind @ TunnelKind::Gre => format!("{kind}:{checksum}"),
        _ => "invalid".to_owned(),
    }
}

const fn checksum_word(tunnel: Tunnel) -> &'static str {
    let flags = tunnel.tunnel_flags();
    if flags.contains(TunnelFlags::CHECKSUM) {
        "+c"
    } else if flags.contains(TunnelFlags::REMOTE_CHECKSUM) {
        "r+c"
    } else {
        "-c"
    }
}

pub fn timeouts(config: &Config) -> String {
    let [tcp, tcp_fin, udp] =
        [config.tcp, config.tcp_fin, config.udp].map(|timeout| timeout.map_or(0, ipvs_rs::model::Timeout::as_secs));
    format!("Timeout (tcp tcpfin udp): {tcp} {tcp_fin} {udp}\n")
}

/// A running daemon; the name of its interface byte for byte.
pub fn daemon(daemon: &SyncDaemon) -> Vec<u8> {
    const INTERFACE: &str = "(mcast=";
    let (line, shown) = (daemon.to_string(), daemon.interface.to_string());
    let (before, after) = line.split_once(&[INTERFACE, &shown].concat()).unwrap_or_default();
    [before.as_bytes(), INTERFACE.as_bytes(), daemon.interface.as_bytes(), after.as_bytes(), b"\n"].concat()
}
