use std::time::{Duration, Instant};

/// The deadline of a call, as a value that is given the current time.
///
/// It starts when [`remaining`](Self::remaining) is first called, so that a call that is answered at once never reads
/// the clock.
///
/// ```
/// use std::time::{Duration, Instant};
/// use ipvs_rs::engine::Deadline;
///
/// let mut deadline = Deadline::new(Duration::from_secs(5));
/// let start = Instant::now();
/// assert_eq!(deadline.remaining(start), Some(Duration::from_secs(5)));
/// assert_eq!(deadline.remaining(start + Duration::from_secs(2)), Some(Duration::from_secs(3)));
/// assert_eq!(deadline.remaining(start + Duration::from_secs(5)), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    budget: Duration,
    start: Option<Instant>,
}

impl Deadline {
    /// A deadline that expires this long after the first call of [`remaining`](Self::remaining).
    pub const fn new(budget: Duration) -> Self {
        Self { budget, start: None }
    }

    /// The remaining time; `None` when the deadline has passed.
    pub fn remaining(&mut self, now: Instant) -> Option<Duration> {
        let start = *self.start.get_or_insert(now);
        let left = self.budget.checked_sub(now.saturating_duration_since(start))?;
        (!left.is_zero()).then_some(left)
    }

    /// The whole time.
    pub const fn budget(&self) -> Duration {
        self.budget
    }
}
