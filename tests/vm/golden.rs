//! The scenarios of the transcripts, recorded with this kernel. `cargo xtask golden` runs this, and keeps what it prints.

use std::fs;
use std::thread;
use std::time::Duration;

use ipvs_rs::transport::{KernelSocket, SocketOptions};

use crate::conformance::{Interface, World};
use crate::namespaces::alone;
use crate::scenarios::{INTERFACE, SCENARIOS, record};
use crate::world::RealKernel;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask golden"]
fn scenarios_are_recorded() {
    let kernel = format!("Linux {}", patch_release());
    for (name, scenario) in SCENARIOS {
        let text = alone(|| {
            RealKernel.add_interface(&Interface { name: INTERFACE, addresses: &["10.8.8.8/24"], is_up: true });
            let socket = KernelSocket::open(SocketOptions::default()).unwrap();
            record(&kernel, name, scenario, socket, &|| thread::sleep(Duration::from_secs(2)))
        });
        // In a line of its own, whatever the runner has begun.
        println!("\n=== {name}\n{text}===");
    }
}

/// The version of the kernel. Debian keeps the release that it calls itself, and tells the other one here.
fn patch_release() -> String {
    let build = fs::read_to_string("/proc/sys/kernel/version").unwrap();
    let debian = build.split_once("Debian ").and_then(|(_, rest)| rest.split([' ', '-']).next());
    debian.map_or_else(|| fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim().to_owned(), str::to_owned)
}
