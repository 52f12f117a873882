//! The library and a real kernel: every operation, every value, every refusal, traffic, load and neighbors.
//!
//! All of this needs root and IPVS, so that `cargo test` leaves it out. `cargo xtask vm --test vm -- --ignored` runs it
//! in a small virtual machine; there, what is missing fails. Each test works in a network namespace of its own, and
//! those that would notice other tests, or disturb them, wait until they are alone ([`namespaces`]). What a kernel
//! cannot do is printed as a note and left out.
//!
//! The tests for any kernel are in `tests/conformance`, and run here as well as on the kernel in memory.
//!
//! Tests in [`alone`] change the machine itself: they unload modules, one after the other, and refuse to run anywhere
//! but in the virtual machine. Those in [`availability`] want a kernel that has no IPVS.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "test code"
)]

/// The handle that the suite is run with.
mod client {
    pub use ipvs_rs::Handle;
    pub use ipvs_rs::handle::{Batch, HandleBuilder};
}
#[path = "../conformance/mod.rs"]
mod conformance;
mod kernel;
#[cfg(feature = "testing")]
#[path = "../mix/mod.rs"]
mod mix;
mod namespaces;
#[path = "../shared/netlink.rs"]
mod netlink;
mod network;
mod process;
#[cfg(feature = "testing")]
#[path = "../scenarios/mod.rs"]
mod scenarios;
mod socket;
mod usage;
mod world;

mod alone;
mod availability;
mod churn;
#[cfg(feature = "desired")]
mod desired;
#[cfg(feature = "testing")]
mod differential;
#[cfg(feature = "desired")]
mod drain;
#[cfg(feature = "yaml")]
mod facts;
mod forwarding;
#[cfg(feature = "testing")]
mod golden;
mod ipvsadm;
#[cfg(feature = "desired")]
mod killed;
mod lifetime;
mod netns;
mod privilege;
mod procfs;
#[cfg(feature = "testing")]
mod soak;
#[cfg(feature = "desired")]
mod steady;
mod syscalls;

use world::on_the_real_kernel;

conformance::cases!(on_the_real_kernel);
