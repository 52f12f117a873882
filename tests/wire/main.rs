//! The bytes: recorded exchanges, laws over random values, and malformed messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_lines, reason = "test code")]

mod engine;
#[cfg(feature = "testing")]
mod fake;
mod fixture;
mod hostile;
mod law;
#[path = "../shared/netlink.rs"]
mod netlink;
mod number;
mod order;
mod packet;
mod reply;
mod request;
#[path = "../model/strategy.rs"]
mod strategy;
mod tree;
