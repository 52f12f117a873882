//! Makes a service with servers behind it; objects that are there already stay or are brought into line, so that a
//! second run changes nothing.
//!
//! `cargo run --example balance -- [SERVICE SERVER...]`, as root. Without arguments it is
//! `tcp://192.0.2.10:80 203.0.113.11:8080 203.0.113.12:8080`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::process::ExitCode;

use ipvs_rs::{Destination, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceId};

const DEFAULTS: [&str; 3] = ["tcp://192.0.2.10:80", "203.0.113.11:8080", "203.0.113.12:8080"];

fn main() -> ExitCode {
    let (error, status) = match arguments() {
        Err(error) => (error, 2),
        Ok((service, servers)) => match balance(service, &servers) {
            Err(error) => (error.into(), 1),
            Ok(()) => return ExitCode::SUCCESS,
        },
    };
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn arguments() -> Result<(ServiceId, Vec<DestinationId>), Box<dyn Error>> {
    let mut words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into()).collect();
    if words.is_empty() {
        words = DEFAULTS.map(str::to_owned).into();
    }
    let mut words = words.iter();
    let service: ServiceId = words.next().map_or("", String::as_str).parse()?;
    let servers = words.map(|word| word.parse()).collect::<Result<Vec<DestinationId>, _>>()?;
    if service.port() == Some(0) {
        return Err(format!("service: {service} has no port, as only a persistent one may").into());
    }
    for server in &servers {
        let address = server.address();
        if server.family() != service.family() || address.is_unspecified() || address.is_multicast() {
            return Err(format!("server: {server} cannot receive packets of {service}").into());
        }
    }
    if servers.is_empty() { Err(format!("server: none is named for {service}").into()) } else { Ok((service, servers)) }
}

fn balance(id: ServiceId, servers: &[DestinationId]) -> Result<(), ipvs_rs::Error> {
    let handle = Handle::new()?;
    let outcome = handle.ensure_service(&Service::new(id, Scheduler::Wlc))?;
    println!("{id} wlc: {outcome}");
    for server in servers {
        let outcome = handle.ensure_destination(&id, &Destination::new(*server, ForwardMethod::Masquerade))?;
        println!("  -> {server} Masq weight 1: {outcome}");
    }
    Ok(())
}
