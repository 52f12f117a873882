//! The files of the kernel from outside: what real kernels print, the laws of the parsers, bytes that no kernel prints,
//! and the words of errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod api;
mod connection;
mod error;
mod golden;
mod hostile;
mod law;
mod modules;
mod printed;
mod stats;
mod sysctl;
