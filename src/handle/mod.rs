//! The client that most people use: one method per kernel operation.
//!
//! The client itself is at the [root of the crate](crate): [`Handle`], and with the feature `tokio` an `AsyncHandle`,
//! which does the same in programs whose threads must not block. This module has their builders, batches and outcomes.
//!
//! The plain verbs `new_`, `update_`, `delete_` and `get_` do what the kernel does, and fail as it does. The idempotent
//! forms build on them: `ensure_` and `remove_` reach the requested state from any other, and return in an [`Outcome`]
//! what had to be changed; `modify_` changes one setting and keeps the rest. A [`Batch`] sends many commands at once.
//!
//! ```no_run
//! use ipvs_rs::{Handle, Scheduler, Service};
//!
//! let handle = Handle::new()?;
//! let web = Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc);
//!
//! handle.new_service(&web)?;
//! assert!(handle.new_service(&web).is_err_and(|error| error.is_already_exists()));
//! handle.ensure_service(&web)?;
//! # Ok::<(), ipvs_rs::Error>(())
//! ```

// The documentation of a handle lists its methods in the order of these modules, beginning with how to open one.
pub(crate) mod blocking;

#[cfg(feature = "tokio")]
pub(crate) mod asynchronous;

mod lists;

mod snapshot;

mod idempotent;

mod batch;

mod builder;
mod consistency;
mod conversation;
mod memory;
mod mode;
mod operations;
mod reader;

use std::time::Duration;

#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
pub use asynchronous::AsyncHandleBuilder;
pub use batch::{Batch, BatchCommand, BatchProgress, BatchReport};
pub(crate) use blocking::Handle;
pub use builder::HandleBuilder;
pub use consistency::Consistency;
pub use idempotent::Outcome;

use crate::error::{Call, Error, Target};
use conversation::{Conversation, RECEIVE_BUFFER};
use memory::{Memory, SHORT_BUFFER};
use mode::Link;

#[derive(Debug)]
struct Inner<L> {
    conversation: Conversation<L>,
    memory: Memory,
}

impl<L: Link> Inner<L> {
    /// Begins a conversation over each link: finds out whether the kernel has IPVS.
    async fn open(
        link: L,
        readers: impl IntoIterator<Item = L>,
        deadline: Duration,
    ) -> Result<(Self, Vec<Self>), Error> {
        let mut conversation = Conversation::new(link, deadline, RECEIVE_BUFFER);
        if let Err(cause) = conversation.look_up_family().await {
            return Err(Error::new(Call::Open, Target::Table, cause));
        }
        let another = |link| Self::new(conversation.with_family_of(link, SHORT_BUFFER));
        let readers = readers.into_iter().map(another).collect();
        Ok((Self::new(conversation), readers))
    }

    fn new(conversation: Conversation<L>) -> Self {
        Self { conversation, memory: Memory::default() }
    }
}
