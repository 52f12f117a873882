use std::time::{Duration, Instant};

/// How long a call may wait, as a value that is told the time.
///
/// The clock starts when the deadline is first asked, so that a call which gets its answer at once never looks at it.
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
    /// A deadline that ends so long after it was first asked.
    pub const fn new(budget: Duration) -> Self {
        Self { budget, start: None }
    }

    /// What is left; `None` when nothing is.
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
