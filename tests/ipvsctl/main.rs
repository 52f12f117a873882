//! `ipvsctl` on a real kernel, with Debian's ipvsadm as the other pair of eyes.
//!
//! All of this needs root, IPVS and both programs. `cargo xtask test --only ipvsctl` runs it in a small virtual machine;
//! there, what is missing fails. The programs are `/usr/local/bin/ipvsctl` (ours) and `/usr/sbin/ipvsadm` (Debian's), or
//! what `IPVS_RS_IPVSCTL` and `IPVS_RS_IPVSADM_ORIGINAL` name.
//!
//! The parts that do not need a kernel are tested beside the program.

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

#[allow(dead_code, reason = "shared with the tests of the library, which use more of it")]
#[path = "../vm/kernel.rs"]
mod kernel;
#[allow(dead_code, reason = "shared with the tests of the library, which use more of it")]
#[path = "../vm/namespaces.rs"]
mod namespaces;
#[path = "../shared/netlink.rs"]
mod netlink;
#[allow(dead_code, reason = "shared with the tests of ipvsadm, which use more of it")]
#[path = "../ipvsadm/output.rs"]
mod output;

mod world;

mod apply;
mod availability;
mod changeset;
mod drain;
#[cfg(feature = "yaml")]
mod facts;
mod failure;
mod fixtures;
mod get;
mod input;
mod plan;
mod preserve;
mod set;
mod signals;
mod watch;
