//! What is to be done, and who does it.

use std::time::{Duration, Instant};

use crate::load::Load;

/// Work on a table. What it is named is written to files that others read.
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

    /// What the costs are divided by: services or destinations, rules of a restore, and one for a flush.
    pub fn operations(self, load: &Load) -> usize {
        match self {
            Self::AddServices => load.services.len(),
            Self::Flush => 1,
            Self::Restore => load.services.len() + load.destinations.len(),
            _ => load.destinations.len(),
        }
    }
}

/// A single command of which each is timed.
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

/// Somebody who works on the table of the network namespace that it was opened in.
pub trait Client {
    /// Does all of it and says how long it took; `None` if that is nothing for this client.
    fn work(&mut self, work: Work, load: &Load) -> Option<Duration>;

    /// Does it so many times and says how long each took; nothing if that is nothing for this client.
    fn singles(&mut self, single: Single, load: &Load, samples: usize) -> Vec<Duration>;

    /// System calls until now, if they are counted.
    fn calls(&self) -> Option<u64>;
}

/// How long something takes. What it makes goes afterwards.
pub fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let made = work();
    let taken = start.elapsed();
    drop(made);
    taken
}
