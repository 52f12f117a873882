//! The table as rules: those of the library, but with names, and with addresses as the original writes them.

use std::net::{IpAddr, SocketAddr};

use ipvs_rs::model::{AddressFamily, Protocol, ServiceKind};
use ipvs_rs::{ServiceId, Table};

use crate::names::Names;
use crate::output::Output;

/// Prints a line for each service and each of its destinations.
pub fn table(table: &Table, numeric: bool, names: &mut Names, out: &mut Output) {
    for service in &table.services {
        let id = service.id();
        let name = service_name(&id, numeric, names);
        let rule = service.service.service.rule().to_string();
        let (_, settings) = rule.split_once(" -s ").unwrap_or_default();
        out.write(&[b"-A ", &name[..], b" -s ", settings.as_bytes(), b"\n"].concat());
        for entry in &service.destinations {
            let server = entry.id();
            let server = endpoint(server.address(), server.port(), id.protocol(), numeric, names);
            let rule = entry.destination.rule(&id).to_string();
            let settings = rule.split_once(" -r ").and_then(|(_, rest)| rest.split_once(' '));
            let (_, settings) = settings.unwrap_or_default();
            out.write(&[b"-a ", &name[..], b" -r ", &server, b" ", settings.as_bytes(), b"\n"].concat());
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
