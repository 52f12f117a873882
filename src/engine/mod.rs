//! The conversation with the kernel, without a socket and without a clock.
//!
//! An [`Exchange`] is one request and its answer, a [`Bulk`] is many commands and one closing answer. Both are values
//! that datagrams are passed to; they do not do I/O, read a clock, or allocate on success. A driver is a short loop:
//!
//! ```
//! use ipvs_rs::codec::{Reply, Request, put_request};
//! use ipvs_rs::engine::{Exchange, Expect, ExchangeProgress};
//! # fn send(_: &[u8]) {}
//! # fn receive() -> Vec<u8> {
//! #     // An acknowledgement: error 0 and the header of the request.
//! #     let mut ack = vec![36, 0, 0, 0, 2, 0, 0, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
//! #     ack.extend([20, 0, 0, 0, 31, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
//! #     ack
//! # }
//!
//! let (family, port, sequence) = (31, 9, 1);
//! let request = Request::Flush;
//! let mut exchange = Exchange::new(Expect::of(&request), family, port, sequence);
//!
//! let mut datagram = Vec::new();
//! put_request(&mut datagram, family, exchange.flags(), sequence, &request);
//! send(&datagram);
//! while exchange.feed(&receive(), |_command, _attributes| Ok(()))? == ExchangeProgress::Pending {}
//! # Ok::<(), ipvs_rs::engine::ExchangeFailure>(())
//! ```
//!
//! The engine applies these rules, in this order: a message with another sequence number or for another socket is
//! skipped; an error message with code 0 is an acknowledgement, with another code a failure; the end of a list is a
//! success or a failure by the code that it carries; a list that the kernel marked as interrupted is read to its end
//! and then reported as such; any message that does not answer the request is an error.
//!
//! IPVS itself never marks an interrupted list: it continues by position, so that a list that was read while another
//! program changed the table can repeat an entry, or lack one that was there all the time. A [`Listing`] drops repeated
//! entries and detects whether some can be missing; [`Passes`] compares passes until the list is consistent.

mod bulk;
mod deadline;
mod exchange;
mod failure;
mod listing;
mod passes;
mod sequence;

pub use bulk::Bulk;
pub use deadline::Deadline;
pub use exchange::{Exchange, ExchangeProgress, Expect};
pub use failure::{ExchangeFailure, KernelError};
pub use listing::{Listing, Pass};
pub use passes::{Passes, Unstable};
pub use sequence::Sequence;
