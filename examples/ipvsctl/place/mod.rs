//! Services and destinations as they are written on a command line.

use std::net::SocketAddr;

use ipvs_rs::desired::{DesiredService, service_text};
use ipvs_rs::model::{ParseError, Weight};
use ipvs_rs::{DestinationId, ServiceId};

use crate::args::{Globals, Names, Target};
use crate::escape::escaped;
use crate::failure::{Failure, failure};
use crate::source::Input;

/// A destination in the table.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub service: ServiceId,
    pub destination: DestinationId,
}

impl Place {
    /// The one that a command line names.
    pub fn of(global: &Globals, target: &Target) -> Result<Self, Failure> {
        let service = service(global, &target.service, &target.names)?;
        Ok(Self { service, destination: destination(&target.destination, &service)? })
    }

    /// Its service and itself, as messages have them.
    pub fn text(&self) -> String {
        format!("{}/{}", service_text(&self.service), self.destination)
    }
}

/// A service by its address, or by the name that it has in a file.
pub fn service(global: &Globals, handle: &str, names: &Names) -> Result<ServiceId, Failure> {
    if handle.trim().is_empty() {
        return Err(failure!(Value, "Must specify a service, such as -s tcp://192.0.2.10:80"));
    }
    if let Some(id) = address(handle) {
        return Ok(id);
    }
    let input = Input::of_names(global, names);
    let called = escaped(handle);
    if !is_name(handle) || input.is_missing() {
        return Err(failure!(
            Value,
            "Invalid service: \"{called}\" is not an address such as tcp://192.0.2.10:80, udp://[2001:db8::1]:53 or \
             fwmark:7; a name takes the file that it stands in, with -f"
        ));
    }
    let services = input.look_up()?.state.services;
    let found = services.iter().find(|service| service.name.as_deref() == Some(handle));
    found.map(DesiredService::id).ok_or_else(|| {
        let names: Vec<_> = services.iter().filter_map(|service| service.name.as_deref()).collect();
        let known = match &*names.join(", ") {
            "" => "the files have no names".to_owned(),
            names => format!("names are {}", escaped(names)),
        };
        failure!(Value, "Invalid service: no service in {} is called \"{called}\"; {known}", input.name())
    })
}

/// The weight that a destination has in a file.
pub fn weight_in_file(global: &Globals, place: &Place, names: &Names) -> Result<Weight, Failure> {
    let Place { service, destination } = place;
    let input = Input::of_names(global, names);
    let hint = "say which weight it gets with --weight, or which file has it with -f";
    if input.is_missing() {
        return Err(failure!(Value, "The weight that {destination} had is not known: {hint}"));
    }
    let loaded = input.look_up()?;
    let destinations = loaded.state.get(service).map(|service| service.destinations.as_slice()).unwrap_or_default();
    let found = destinations.iter().rev().find(|wanted| wanted.id() == *destination);
    found.map(|wanted| wanted.destination.weight).ok_or_else(|| {
        let (service, files) = (service_text(service), input.name());
        failure!(Value, "Destination {destination} of service {service} is not in {files}: {hint}")
    })
}

/// Reads a weight of at most `max`; the kernel takes those up to [`Weight::MAX`].
pub fn weight(text: &str, max: u32) -> Result<Weight, Failure> {
    let number = text.parse().ok().filter(|number| *number <= max);
    number
        .and_then(|number| Weight::new(number).ok())
        .ok_or_else(|| failure!(Value, "Invalid weight: \"{}\" is not a number from 0 to {max}", text.escape_debug()))
}

/// Reads a service in any notation, as any command prints it; `None` for anything else, which may be a name.
fn address(handle: &str) -> Option<ServiceId> {
    handle.trim_end_matches(['/', ' ']).parse().ok()
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
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
    parsed.map_err(|error: ParseError| failure!(Value, "Invalid destination \"{}\": {error}", escaped(handle)))
}

#[cfg(test)]
mod tests;
