//! Lists every service of this network namespace with its destinations.
//!
//! `cargo run --example quickstart`, as root.

#![allow(clippy::print_stdout, reason = "an example prints")]

use ipvs_rs::Handle;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let handle = Handle::new()?;
    let info = handle.get_info()?;
    println!("IPVS {}, {} connection buckets", info.version, info.connection_table_size);

    for row in &handle.snapshot()?.services {
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
