//! Services and destinations as people write them.

use std::net::SocketAddr;

use ipvs_rs::model::Protocol;
use ipvs_rs::{DestinationId, ServiceId};

use crate::failure::{Exit, Failure};
use crate::shown::shown;

/// Reads a service in any notation, as any command prints it; `None` for anything else, which may be a name.
pub fn service(handle: &str) -> Option<ServiceId> {
    handle.trim_end_matches(['/', ' ']).parse().ok()
}

/// Reads a destination. Without a port it has that of its service.
pub fn destination(handle: &str, service: &ServiceId) -> Result<DestinationId, Failure> {
    let handle = handle.trim();
    if handle.is_empty() {
        return Err(Failure::new(Exit::Value, "Must specify a destination, such as -d 10.0.0.2:8080"));
    }
    let id: DestinationId = handle
        .parse()
        .map_err(|error| Failure::new(Exit::Value, format!("Invalid destination \"{}\": {error}", shown(handle))))?;
    if has_port(handle) {
        return Ok(id);
    }
    Ok(DestinationId::verbatim(id.address(), service.port().unwrap_or(0)))
}

/// Whether it is a protocol of connections that the kernel calls active.
pub fn is_udp(service: &ServiceId) -> bool {
    service.protocol() == Some(Protocol::UDP)
}

fn has_port(destination: &str) -> bool {
    destination.parse::<SocketAddr>().is_ok()
}

#[cfg(test)]
mod tests;
