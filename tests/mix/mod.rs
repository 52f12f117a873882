//! A random mix of everything that a handle can do, with what must come of each call.
//!
//! [`Table`](table::Table) is what a kernel holds after the calls so far, by our own account; [`Reference`](reference::Reference) is a conversation about it,
//! in which a fault may strike at any datagram. `tests/soak.rs` holds them against the kernel in memory, `tests/vm`
//! against the real one.

pub mod call;
pub mod reference;
pub mod table;
