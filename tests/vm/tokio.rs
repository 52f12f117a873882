//! The async handle and a real kernel: the suite that every kernel has to pass, and what it takes a socket for.
//!
//! As `main.rs` beside it: `cargo xtask vm --test vm_tokio -- --ignored`.

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
#![allow(dead_code, unused_imports, reason = "what is needed with the blocking handle only")]

#[path = "../tokio/client.rs"]
mod client;
#[path = "../conformance/mod.rs"]
mod conformance;
mod kernel;
mod namespaces;
#[path = "../shared/netlink.rs"]
mod netlink;
mod network;
mod on_tokio;
mod process;
mod socket;
mod syscalls;
mod world;

use world::on_the_real_kernel;

conformance::cases!(on_the_real_kernel);
