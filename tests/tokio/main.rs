//! The async handle: all that is asked of the blocking one, and what only this one can do.
//!
//! The suite of `tests/conformance` runs on the kernel in memory here and on the real one in `tests/vm`; the scripts of
//! `tests/conversation` and the faults of `tests/fake` are played again.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "test code"
)]

mod cancellation;
mod client;
mod task;

#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../fake/fault.rs"]
mod fault;
#[path = "../shared/netlink.rs"]
mod netlink;
#[path = "../fake/network.rs"]
mod network;
#[path = "../fake/privilege.rs"]
mod privilege;
#[path = "../fake/world.rs"]
mod world;

#[path = "../conversation/message.rs"]
mod message;
#[path = "../conversation/peer.rs"]
mod peer;
#[path = "../conversation/rule.rs"]
mod rule;
#[path = "../conversation/value.rs"]
mod value;

mod conversation;

use world::on_every_release;

conformance::cases!(on_every_release);
