//! The desired state of the table, the smallest safe change that brings it there, and the execution of that change.
//!
//! Four steps, each of which can be used alone:
//!
//! | step | from | to | I/O |
//! |---|---|---|---|
//! | [`spec`] | text of a file, or values of a program | a file as it was written | none |
//! | [`DesiredState`] | files as they were written | services, destinations, timeouts, daemons: checked | none |
//! | [`plan`] | the observed and the desired state | operations in the order in which they are safe | none |
//! | [`apply`] | a plan | a changed table, or the old one again | through a [`Handle`](crate::Handle) |
//!
//! The values of states are in this module, and everything that belongs to one step in the module of that step: the
//! function [`plan()`](plan::plan) and the [`Plan`](plan::Plan) in [`plan`], the functions that carry it out in [`apply`].
//! Services and destinations themselves are at the [root of the crate](crate).
//!
//! Programs that have values instead of files start with [`DesiredState::new`]: health checks, agents and clusters do.

pub mod apply;
mod diagnostic;
mod drain;
mod escape;
#[cfg(feature = "yaml")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "yaml")))]
pub mod files;
mod globals;
#[cfg(target_os = "linux")]
mod lock;
mod lower;
mod object;
mod observed;
mod oddity;
pub mod params;
pub mod plan;
mod print;
mod scope;
mod setters;
mod settings;
pub mod spec;
mod state;
mod tree;
mod words;
mod written;
#[cfg(feature = "yaml")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "yaml")))]
pub mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity, Stage};
pub use drain::{ConnectionCounts, Drain, OnTimeout, WaitFor};
pub use escape::{Escaped, escaped};
#[cfg(target_os = "linux")]
pub use lock::{Lock, LockError};
pub use observed::Observed;
pub use print::{Order, PrintOptions, service_text};
pub use scope::{Pattern, PatternError, Scope};
pub use settings::forward_text;
pub use state::{Activity, DesiredDestination, DesiredService, DesiredState, DestinationAttributes, ServiceAttributes};
