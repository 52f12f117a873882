use std::fmt;

/// Receives the progress of a plan, and may end it.
///
/// All methods are called by the thread or task that applies the plan, and between two datagrams the handle is locked:
/// an observer that used it would wait forever. `()` ignores the progress and never interrupts.
pub trait Observer {
    /// Called with the progress of the plan: at the beginning, after a thousand commands at most, and after each poll
    /// of the connections of destinations that drain.
    fn progress(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// Called to ask whether to end: before each datagram, and several times a second while waiting for connections.
    ///
    /// An answer is remembered: the strongest one counts.
    fn interrupt(&mut self) -> Interrupt {
        Interrupt::None
    }
}

impl Observer for () {}

/// Whether a plan is ended before it is carried out.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Interrupt {
    /// It continues.
    #[default]
    None,
    /// It ends as by a failure, and is undone if failures are undone. While waiting for connections, only the waiting
    /// ends, as if the timeout had passed.
    Stop,
    /// It ends as soon as it can, without undoing anything, and a destination that drains stays at weight 0. This ends
    /// a rollback too.
    Now,
}

/// The progress of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The phase that it is in.
    pub phase: Phase,
    /// Operations that are done: carried out, or undone while it is [rolling back](Phase::RollingBack).
    pub done: usize,
    /// Operations that failed.
    pub failed: usize,
    /// All operations of the plan; while it is rolling back, those that have to be undone.
    pub total: usize,
    /// Destinations that are being drained and still have connections to wait for.
    pub draining: usize,
    /// The number of those connections.
    pub connections: u64,
}

/// The phase that a plan is in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// Operations are carried out.
    Changing,
    /// Destinations are drained, and those that are idle are deleted.
    Draining,
    /// Operations are undone.
    RollingBack,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Changing => "changing",
            Self::Draining => "draining",
            Self::RollingBack => "rolling back",
        })
    }
}
