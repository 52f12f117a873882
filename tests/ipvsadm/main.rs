//! Our ipvsadm and Debian's: a user of one of them cannot tell which it is.
//!
//! All of this needs root, IPVS and both programs. `cargo xtask test --only ipvsadm` runs it in a small virtual machine;
//! there, what is missing fails. The programs are `/usr/local/bin/ipvsadm` (ours) and `/usr/sbin/ipvsadm` (Debian's),
//! or what `IPVS_RS_IPVSADM` and `IPVS_RS_IPVSADM_ORIGINAL` name; the scripts that save and restore are beside them.
//!
//! Each program is *the* `ipvsadm` of a mount namespace ([`root`]), so that both are started by the same words. Tests
//! wait until they are alone: before Linux 7 all network namespaces share one table, and a change in one of them shows
//! in a list that another is reading.

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

mod output;
mod root;

mod additions;
mod availability;
mod cases;
mod generator;
mod keepalived;
mod listings;
mod random;
mod regressions;
mod robustness;
mod traffic;
