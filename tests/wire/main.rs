//! The bytes that travel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "test code"
)]

mod fixture;
mod number;
mod order;
mod reply;
mod request;
