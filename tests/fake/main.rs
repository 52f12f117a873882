//! The kernel in memory: the suite that every kernel has to pass, and what only this one can.
#![allow(
    clippy::expect_used,
    clippy::panic,
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
mod debug;
mod error;
mod fault;
mod golden;
mod hostile;
mod kernel;
mod left_out;
mod lists;
#[path = "../shared/netlink.rs"]
mod netlink;
mod network;
mod privilege;
mod recorder;
#[path = "../scenarios/mod.rs"]
mod scenarios;
mod shared;
mod simulation;
mod world;

use world::on_every_release;

conformance::cases!(on_every_release);
