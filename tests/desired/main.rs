//! What the table should be, the plan that makes it so, and carrying it out.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod given;
mod lower;
mod plan;
mod plan_text;
mod print;
mod reading;
mod reading_params;
mod saved;
#[cfg(feature = "schema")]
mod schema;
mod scope;
