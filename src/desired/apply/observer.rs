use std::fmt;

/// Is told how far a plan has come, and may end it.
///
/// All methods are called by the thread or task that applies the plan, and between two datagrams the handle is locked:
/// an observer that used it would wait for ever. `()` looks on and lets everything happen.
pub trait Observer {
    /// Is told how far the plan has come: at the beginning, after a thousand commands at most, and after each look at the connections of
    /// destinations that drain.
    fn progress(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// Is asked whether to end: before each datagram, and several times a second while connections are waited for.
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
    /// It goes on.
    #[default]
    None,
    /// It ends as by a failure, and what is done is undone if failures do that. Where connections are waited for, only
    /// the waiting ends, as if its time were over.
    Stop,
    /// It ends as soon as it can, and what is done stays: nothing is undone, and a destination that drains stays at weight
    /// 0. Undoing ends in this way too.
    Now,
}

/// How far a plan has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The phase that it is in.
    pub phase: Phase,
    /// Operations that are through: carried out, or undone while it is [rolling back](Phase::RollingBack).
    pub done: usize,
    /// Operations that failed.
    pub failed: usize,
    /// All operations of the plan; while it is rolling back, those that have to be undone.
    pub total: usize,
    /// Destinations that are drained and still have connections that are waited for.
    pub draining: usize,
    /// Their connections that are waited for.
    pub connections: u64,
}

/// The phase that a plan is in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// Operations are carried out.
    Changing,
    /// Destinations are drained, and those that are through are deleted.
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
