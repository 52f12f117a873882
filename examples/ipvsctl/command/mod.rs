//! What the program can do, a module for each group of commands.

pub mod apply;
pub mod conns;
pub mod drain;
pub mod get;
pub mod plan;
pub mod set;
pub mod stats;
pub mod validate;
pub mod watch;
