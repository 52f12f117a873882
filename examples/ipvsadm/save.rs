//! The table as rules.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use ipvs_rs::model::{AddressFamily, Protocol, ServiceKind, TunnelFlags, TunnelKind};
use ipvs_rs::{Destination, ForwardMethod, Service, ServiceId, Table};

use crate::list;
use crate::names::Names;
use crate::output::Output;

/// Prints a line for each service and each of its destinations.
pub fn table(table: &Table, numeric: bool, names: &mut Names, out: &mut Output) {
    for service in &table.services {
        let id = service.id();
        let name = service_name(&id, numeric, names);
        out.write(b"-A ");
        out.write(&name);
        out.write(settings(&service.service.service).as_bytes());
        for entry in &service.destinations {
            let server = entry.id();
            out.write(b"-a ");
            out.write(&name);
            out.write(b" -r ");
            out.write(&endpoint(server.address(), server.port(), id.protocol(), numeric, names));
            out.write(server_settings(&entry.destination).as_bytes());
        }
    }
}

fn service_name(id: &ServiceId, numeric: bool, names: &mut Names) -> Vec<u8> {
    match id.kind() {
        ServiceKind::Mark { mark, family } => {
            let suffix = if family == AddressFamily::Ipv6 { " -6" } else { "" };
            format!("-f {}{suffix}", mark.get().cast_signed()).into_bytes()
        }
        ServiceKind::Address { protocol, address, port } => {
            let option: &[u8] = match protocol {
                Protocol::TCP => b"-t ",
                Protocol::UDP => b"-u ",
                Protocol::SCTP => b"--sctp-service ",
                // The original has no option that could be restored.
                other => {
                    let protocol = other.to_string().to_ascii_lowercase();
                    return format!("--service {protocol}://{}", SocketAddr::new(address, port)).into_bytes();
                }
            };
            [option, &endpoint(address, port, Some(protocol), numeric, names)].concat()
        }
    }
}

fn endpoint(address: IpAddr, port: u16, protocol: Option<Protocol>, numeric: bool, names: &mut Names) -> Vec<u8> {
    if numeric { Names::numeric(address, port).into_bytes() } else { names.named(address, port, protocol) }
}

fn settings(service: &Service) -> String {
    // Writing to a string does not fail.
    let mut line = format!(" -s {}", service.scheduler);
    if let Some(persistence) = &service.persistence {
        let _ = write!(line, " -p {}", persistence.timeout_secs());
        if let Some(mask) = list::mask(persistence.granularity) {
            let _ = write!(line, " -M {mask}");
        }
    }
    if let Some(engine) = service.stored_persistence().and_then(|stored| stored.engine) {
        let _ = write!(line, " --pe {engine}");
    }
    if service.one_packet {
        line.push_str(" -o");
    }
    if !service.scheduler_flags.is_empty() {
        let _ = write!(line, " -b {}", list::flags(service));
    }
    line.push('\n');
    line
}

fn server_settings(destination: &Destination) -> String {
    let (option, tunnel) = match destination.forward {
        ForwardMethod::Masquerade => ("-m", None),
        ForwardMethod::Tunnel(tunnel) => ("-i", Some(tunnel)),
        _ => ("-g", None),
    };
    let mut line = format!(" {option} -w {}", destination.weight.get());
    if let Some(tunnel) = tunnel {
        let flags = tunnel.tunnel_flags();
        let checksum = if flags.contains(TunnelFlags::CHECKSUM) {
            "--tun-csum"
        } else if flags.contains(TunnelFlags::REMOTE_CHECKSUM) {
            "--tun-remcsum"
        } else {
            "--tun-nocsum"
        };
        match tunnel.kind() {
            TunnelKind::Ipip => line.push_str(" --tun-type ipip"),
            TunnelKind::Gue => {
                let port = tunnel.port().map_or(0, u16::from);
                let _ = write!(line, " --tun-type gue --tun-port {port} {checksum}");
            }
            TunnelKind::Gre => line.extend([" --tun-type gre ", checksum]),
            _ => {}
        }
    }
    line.push('\n');
    line
}
