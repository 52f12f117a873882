use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::clock::{Clock, SystemClock};
use crate::desired::plan::Actions;

/// How a plan is carried out.
///
/// ```
/// use ipvs_rs::desired::apply::{ApplyOptions, OnError};
///
/// let options = ApplyOptions::new().on_error(OnError::Stop).allowed("as,us,ad,ud".parse()?);
/// # let _ = options;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// What becomes of what is done when an operation fails.
    pub on_error: OnError,
    /// The kinds of operations that may be carried out; a plan with another one is refused as a whole.
    pub allowed: Actions,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

/// What becomes of what is done when an operation fails: `--on-error`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OnError {
    /// `rollback`: it is undone, the last first.
    #[default]
    Rollback,
    /// `stop`: it stays, and nothing more is done.
    Stop,
    /// `continue`: it stays, and the rest is done as far as it can be.
    ///
    /// Where the kernel cannot be reached any more, this is [`Stop`](Self::Stop).
    Continue,
}

/// A word that is no [`OnError`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{}\" is none of rollback, stop and continue", .word.escape_debug())]
pub struct OnErrorError {
    word: String,
}

impl ApplyOptions {
    /// Everything is allowed, a failure undoes what was done, and the clock is the system's.
    pub fn new() -> Self {
        Self { on_error: OnError::Rollback, allowed: Actions::all(), clock: Arc::new(SystemClock::new()) }
    }

    /// Sets what becomes of what is done when an operation fails.
    #[must_use]
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = on_error;
        self
    }

    /// Sets the kinds of operations that may be carried out.
    #[must_use]
    pub fn allowed(mut self, actions: Actions) -> Self {
        self.allowed = actions;
        self
    }

    /// Sets where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl OnError {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rollback, Self::Stop, Self::Continue];

    /// Its word on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Stop => "stop",
            Self::Continue => "continue",
        }
    }
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for OnError {
    type Err = OnErrorError;

    fn from_str(word: &str) -> Result<Self, OnErrorError> {
        let found = Self::ALL.into_iter().find(|on_error| on_error.name() == word);
        found.ok_or_else(|| OnErrorError { word: word.to_owned() })
    }
}
