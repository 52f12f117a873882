//! Lists every service of this network namespace with its servers.
//!
//! `cargo run --example quickstart`, as root.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::process::ExitCode;

use ipvs_rs::{Error, Handle};

fn main() -> ExitCode {
    match list() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> Result<(), Error> {
    let handle = Handle::new()?;
    let info = handle.get_info()?;
    println!("IPVS {}, {} connection buckets", info.version, info.connection_table_size);

    let table = handle.snapshot()?;
    if table.is_empty() {
        println!("No services. `cargo run --example balance` makes one.");
    }
    for row in &table.services {
        let service = &row.service.service;
        println!("{} {}", service.id, service.scheduler);
        for entry in &row.destinations {
            println!(
                "  -> {} {} weight {}: {} active, {} inactive connections",
                entry.id(),
                entry.destination.forward,
                entry.destination.weight,
                entry.active_connections,
                entry.inactive_connections
            );
        }
    }
    Ok(())
}
