//! The model from outside: what it accepts, what it refuses and with which words, and the laws that it keeps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod api;
mod entry;
mod front_page;
mod identity;
mod law;
mod name;
mod notation;
mod number;
mod rates;
mod rule;
#[cfg(feature = "serde")]
mod serde;
mod strategy;
