//! What a table should be: read, planned, carried out on a kernel in memory.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "test code")]

mod reading_params;
