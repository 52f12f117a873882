//! The work to be done, and the clients that do it.

use std::time::{Duration, Instant};

use crate::load::Load;

/// Work on a table. Its name is written to result files, which other programs read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Work {
    AddServices,
    AddDestinations,
    AddDestinationsInBatches,
    Update,
    UpdateInBatches,
    Snapshot,
    DeleteDestinations,
    Flush,
    Restore,
    Create,
    Delete,
}

impl Work {
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddServices => "W1-add-service",
            Self::AddDestinations => "W2-add-destination",
            Self::AddDestinationsInBatches => "W2-add-destination-batch64",
            Self::Update => "W3-update",
            Self::UpdateInBatches => "W3-update-batch64",
            Self::Snapshot => "W4-snapshot",
            Self::DeleteDestinations => "W5-delete-destination",
            Self::Flush => "W6-flush",
            Self::Restore => "restore",
            Self::Create => "create",
            Self::Delete => "delete",
        }
    }

    /// The number that costs are divided by: services or destinations, rules of a restore, and one for a flush.
    pub fn operations(self, load: &Load) -> usize {
        match self {
            Self::AddServices => load.services.len(),
            Self::Flush => 1,
            Self::Restore => load.services.len() + load.destinations.len(),
            _ => load.destinations.len(),
        }
    }
}

/// A single command that is timed each time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Single {
    Get,
    Update,
}

impl Single {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "W7-get",
            Self::Update => "W7-update",
        }
    }
}

/// Commands in a batch.
pub const BATCH: usize = 64;

/// A client that works on the table of the network namespace that it was opened in.
pub trait Client {
    /// Does all of the work and returns the time that it took; `None` if this client cannot do it.
    fn work(&mut self, work: Work, load: &Load) -> Option<Duration>;

    /// Does it this many times and returns the time of each; empty if this client cannot do it.
    fn singles(&mut self, single: Single, load: &Load, samples: usize) -> Vec<Duration>;

    /// System calls until now, if they are counted.
    fn calls(&self) -> Option<u64>;
}

/// Measures the time that something takes. Its result is dropped afterwards.
pub fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let made = work();
    let taken = start.elapsed();
    drop(made);
    taken
}
