//! The desired state of a table, the plan that leads to it, and its execution.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

/// The library, for what the fuzzers share.
mod library {
    pub(super) use ipvs_rs::{
        Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId,
        Table, desired, model,
    };
}
#[path = "../../src/fuzzing/universe.rs"]
mod universe;

mod apply;
mod drain;
mod errors;
mod facts;
#[allow(dead_code, reason = "no target uses all of it")]
#[path = "../facts/mod.rs"]
mod facts_table;
mod given;
mod guide;
mod laws;
#[cfg(target_os = "linux")]
mod lock;
mod lower;
#[path = "../shared/netlink.rs"]
mod netlink;
mod plan;
mod plan_text;
mod print;
mod printed;
mod races;
mod reading;
mod reading_params;
mod reading_rules;
mod saved;
#[cfg(feature = "schema")]
mod schema;
mod scope;
mod state;
#[cfg(target_os = "linux")]
mod watch;
mod world;
