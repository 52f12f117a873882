//! Services and destinations as people write them.

use std::net::SocketAddr;

use ipvs_rs::model::ParseError;
use ipvs_rs::{DestinationId, ServiceId};

use crate::failure::{Failure, failure};
use crate::shown::shown;

/// Reads a service in any notation, as any command prints it; `None` for anything else, which may be a name.
pub fn service(handle: &str) -> Option<ServiceId> {
    handle.trim_end_matches(['/', ' ']).parse().ok()
}

/// Reads a destination. Without a port it has that of its service.
pub fn destination(handle: &str, service: &ServiceId) -> Result<DestinationId, Failure> {
    let handle = handle.trim();
    if handle.is_empty() {
        return Err(failure!(Value, "Must specify a destination, such as -d 10.0.0.2:8080"));
    }
    let id = exact_destination(handle)?;
    let has_port = handle.parse::<SocketAddr>().is_ok();
    Ok(if has_port { id } else { DestinationId::verbatim(id.address(), service.port().unwrap_or(0)) })
}

/// Reads a destination. Without a port it has port 0.
pub fn exact_destination(handle: &str) -> Result<DestinationId, Failure> {
    let parsed = handle.trim().parse();
    parsed.map_err(|error: ParseError| failure!(Value, "Invalid destination \"{}\": {error}", shown(handle)))
}

#[cfg(test)]
mod tests;
