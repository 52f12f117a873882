//! Works in other network namespaces without ever moving there: lists the tables of the current one and of all that
//! have a name, or makes a service in one of them.
//!
//! `cargo run --example netns -- [NAMESPACE SERVICE SERVER...]`, as root; `ip netns add blue` makes a namespace.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::error::Error;
use std::process::ExitCode;
use std::{env, fs};

use ipvs_rs::transport::Netns;
use ipvs_rs::{Destination, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceId};

type Plan = Option<(Netns, ServiceId, Vec<DestinationId>)>;

fn main() -> ExitCode {
    let (error, status) = match arguments() {
        Err(error) => (error, 2),
        Ok(plan) => match plan.map_or_else(list, |(netns, service, servers)| program(netns, service, &servers)) {
            Err(error) => (error, 1),
            Ok(()) => return ExitCode::SUCCESS,
        },
    };
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn arguments() -> Result<Plan, Box<dyn Error>> {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into()).collect();
    match words.as_slice() {
        [] => Ok(None),
        [name, service, servers @ ..] if !servers.is_empty() => {
            let service: ServiceId = service.parse()?;
            let servers = servers.iter().map(|word| word.parse()).collect::<Result<Vec<DestinationId>, _>>()?;
            if let Some(server) = servers.iter().find(|server| server.family() != service.family()) {
                return Err(format!("server: {server} is of another address family than {service}").into());
            }
            Ok(Some((Netns::named(name)?, service, servers)))
        }
        _ => Err("expected nothing, or NAMESPACE SERVICE SERVER...".into()),
    }
}

fn program(netns: Netns, id: ServiceId, servers: &[DestinationId]) -> Result<(), Box<dyn Error>> {
    let place = netns.to_string();
    let handle = Handle::builder().netns(netns).open()?;
    let mut batch = handle.batch().new_service(&Service::new(id, Scheduler::Wlc));
    for server in servers {
        batch = batch.new_destination(&id, &Destination::new(*server, ForwardMethod::Masquerade));
    }
    let commands = batch.len();
    batch.send()?.into_result()?;
    println!("{place}: made {id} with {} servers, {commands} commands in one datagram", servers.len());
    Ok(())
}

fn list() -> Result<(), Box<dyn Error>> {
    let files = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let mut paths: Vec<_> = files.map(|file| file.path()).collect();
    paths.sort();
    let mut unreadable = 0;
    for netns in [Netns::current()].into_iter().chain(paths.into_iter().map(Netns::path)) {
        let place = netns.to_string();
        match Handle::builder().netns(netns).open().and_then(|handle| handle.snapshot()) {
            Ok(table) => {
                println!("{place}: {} services, {} servers", table.len(), table.destination_count());
                for row in &table.services {
                    let servers: Vec<_> = row.destinations.iter().map(|entry| entry.id().to_string()).collect();
                    println!("  {} {} -> {}", row.id(), row.service.service.scheduler, servers.join(", "));
                }
            }
            Err(error) => {
                eprintln!("error: {place}: {error}");
                unreadable += 1;
            }
        }
    }
    if unreadable == 0 { Ok(()) } else { Err(format!("{unreadable} of the namespaces could not be read").into()) }
}
