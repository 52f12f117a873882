//! What the program can do, a module for each group of commands.

pub mod conns;
pub mod drain;
pub mod get;
pub mod set;
pub mod stats;
