use std::fmt;
use std::time::Duration;

use crate::desired::plan::{Operation, OperationKind};
use crate::model::{DestinationId, ServiceId};

/// The result of a plan, in numbers of operations.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use = "operations of a plan can be left undone"]
#[non_exhaustive]
pub struct Report {
    /// All operations of the plan.
    pub total: usize,
    /// Those that are carried out.
    pub done: usize,
    /// Those that failed.
    pub failed: usize,
    /// Those that changed the table, wholly or in part, whether or not that was undone.
    pub changed: usize,
    /// Those that changed the table and were undone.
    pub rolled_back: usize,
    /// Those whose destinations are still being drained, where that is [not waited for](super::apply_beside).
    pub pending: usize,
    /// Whether the caller interrupted it, even if only the waiting for connections.
    pub is_interrupted: bool,
    /// The states that were not as the plan has them, and did no harm.
    pub warnings: Vec<Warning>,
    /// The result for each destination that was to be drained.
    pub drains: Vec<Drained>,
}

/// Something that was not as the plan has it, and did no harm.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Warning {
    /// The kind of the operation.
    pub operation: OperationKind,
    /// To which service, or to a destination of which.
    pub service: Option<ServiceId>,
    /// To which destination.
    pub destination: Option<DestinationId>,
    /// The state that was found.
    pub finding: Finding,
}

/// The state that an operation found because another program was there since the plan was made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// The object that was to be deleted was gone.
    Gone,
    /// The object that was to be made was there, just as it should be.
    Present,
}

/// The result of draining a destination.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drained {
    /// The service that it belongs to.
    pub service: ServiceId,
    /// The destination.
    pub destination: DestinationId,
    /// The outcome.
    pub outcome: DrainOutcome,
    /// The connections that were waited for and still there.
    pub left: u32,
    /// The time that was waited.
    pub waited: Duration,
}

/// The result of draining a destination.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DrainOutcome {
    /// Its connections came to an end, and it was deleted.
    Idle,
    /// Its connections came to an end, and it stays with weight 0, as was asked for.
    Drained,
    /// The time was over, and it was deleted with the connections that it had.
    Deleted,
    /// The time was over, and it stays with weight 0.
    Kept,
    /// The time was over, and it has its weight again.
    Restored,
    /// Another program deleted it.
    Gone,
    /// The waiting ended because something failed or because of an [interrupt](super::Interrupt::Now).
    Unfinished,
}

impl Report {
    /// Whether everything of the plan is there.
    pub const fn is_complete(&self) -> bool {
        self.done == self.total && self.rolled_back == 0
    }

    /// The destinations that should have been deleted and are there because they had connections for too long.
    pub fn undrained(&self) -> impl Iterator<Item = &Drained> {
        self.drains.iter().filter(|drained| matches!(drained.outcome, DrainOutcome::Kept | DrainOutcome::Restored))
    }

    /// Whether an operation of a plan that succeeded is done: its destinations neither drain nor stay because of the
    /// connections that they have.
    pub fn is_through(&self, operation: &Operation) -> bool {
        let (service, destination) = (operation.service(), operation.destination());
        let is_own = |it: &&Drained| service == Some(it.service) && destination.is_none_or(|id| id == it.destination);
        match self.drains.iter().find(is_own).filter(|_| operation.drain.is_some()) {
            Some(drained) => !drained.outcome.is_left(),
            None => operation.drain.is_none() || self.pending == 0,
        }
    }
}

impl DrainOutcome {
    /// Whether the destination stays, or may stay, with connections that were waited for.
    pub const fn is_left(self) -> bool {
        matches!(self, Self::Kept | Self::Restored | Self::Unfinished)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation.name())?;
        if let Some(destination) = self.destination {
            write!(f, " {destination} of")?;
        }
        if let Some(service) = self.service {
            write!(f, " {service}")?;
        }
        f.write_str(match self.finding {
            Finding::Gone => ": it was gone already",
            Finding::Present => ": it was there already",
        })
    }
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "destination {} of {}: ", self.destination, self.service)?;
        let left = match self.left {
            1 => "1 connection".to_owned(),
            left => format!("{left} connections"),
        };
        match self.outcome {
            DrainOutcome::Idle => f.write_str("drained and deleted"),
            DrainOutcome::Drained => f.write_str("drained, and kept at weight 0"),
            DrainOutcome::Deleted => write!(f, "deleted with {left}"),
            DrainOutcome::Kept => write!(f, "kept at weight 0 with {left}"),
            DrainOutcome::Restored => write!(f, "given its weight back, with {left}"),
            DrainOutcome::Gone => f.write_str("deleted by another program"),
            DrainOutcome::Unfinished => write!(f, "still there with {left}"),
        }
    }
}
