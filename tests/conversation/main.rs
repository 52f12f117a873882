//! A handle in conversation with a kernel that is played from a script: no socket, no kernel, no waiting.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod batch;
/// The handle that these tests are about.
mod client {
    pub(crate) use ipvs_rs::Handle;
    pub(crate) use ipvs_rs::handle::{Batch, HandleBuilder};
}
mod endless;
mod error;
mod family;
mod idempotent;
mod list;
mod message;
#[path = "../shared/netlink.rs"]
mod netlink;
mod peer;
mod rule;
mod single;
mod sync;
mod thread;
mod value;
