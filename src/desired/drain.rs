use std::time::Duration;

use super::setters::setters;
use super::words::words;
use crate::model::DestinationEntry;

/// The time that the connections of a destination get to end before it is deleted.
///
/// The destination gets weight 0, so that it takes no new connections; its counters are polled until no connections are
/// left or the timeout has passed.
///
/// A client that is held by persistence comes back to a destination of weight 0, unless the sysctl
/// `net.ipv4.vs.expire_quiescent_template` is 1.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Drain {
    /// The longest wait.
    pub timeout: Duration,
    /// The time between two polls of the counters.
    pub poll: Duration,
    /// The connections that are waited for.
    pub wait: WaitFor,
    /// The action for a destination that still has connections when the timeout has passed.
    pub on_timeout: OnTimeout,
}

/// The connections that a [`Drain`] waits for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum WaitFor {
    /// `active`: the active ones. All connections of UDP count as inactive, so that there is no wait for them.
    #[default]
    Active,
    /// `all`: active and inactive ones. The wait may never end with a client that keeps sending.
    All,
}

/// The action for a destination that still has connections when the timeout of a [`Drain`] has passed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OnTimeout {
    /// `delete`: it is deleted.
    #[default]
    Delete,
    /// `keep`: it stays with weight 0.
    Keep,
    /// `fail`: it stays and gets its weight back.
    Fail,
}

impl Drain {
    /// The time between two polls of the counters by default.
    pub const DEFAULT_POLL: Duration = Duration::from_millis(500);

    /// Waits this long at most for active connections, then deletes.
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout, poll: Self::DEFAULT_POLL, wait: WaitFor::Active, on_timeout: OnTimeout::Delete }
    }

    setters! {
        /// Sets the time between two polls of the counters; less than a millisecond counts as one.
        poll(poll: Duration) |it| it.poll = poll.max(Duration::from_millis(1));
        /// Sets which connections are waited for.
        wait(wait: WaitFor) |it| it.wait = wait;
        /// Sets the action for a destination that still has connections when the timeout has passed.
        on_timeout(on_timeout: OnTimeout) |it| it.on_timeout = on_timeout;
    }
}

impl WaitFor {
    /// The number of connections that are still waited for.
    pub const fn count(self, active: u32, inactive: u32) -> u32 {
        match self {
            Self::Active => active,
            Self::All => active.saturating_add(inactive),
        }
    }
}

words! {
    WaitFor: Active "active", All "all";
    OnTimeout: Delete "delete", Keep "keep", Fail "fail";
}

/// The numbers of connections of a destination.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct ConnectionCounts {
    /// Those that are active.
    pub active: u32,
    /// Those that are inactive.
    pub inactive: u32,
    /// The persistence templates, which hold clients to the destination.
    pub persistent: u32,
}

impl ConnectionCounts {
    /// Returns the connections of a destination as it was observed.
    pub const fn of(entry: &DestinationEntry) -> Self {
        Self {
            active: entry.active_connections,
            inactive: entry.inactive_connections,
            persistent: entry.persistent_connections,
        }
    }
}
