use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

/// Where time comes from while connections are waited for.
///
/// A test brings its own, which advances a kernel in memory instead of sleeping.
pub trait Clock: Debug + Send + Sync {
    /// The time since some moment that stays the same; it never goes back.
    fn now(&self) -> Duration;

    /// Lets this much time pass.
    fn sleep(&self, time: Duration);
}

/// The clock of the system, which does not follow changes of the time of day.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that begins now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}
