//! The commands, a module for each group.

pub mod apply;
pub mod conns;
pub mod drain;
pub mod get;
pub mod plan;
pub mod set;
pub mod stats;
pub mod validate;
pub mod watch;
