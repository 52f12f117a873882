use std::fmt;

use crate::desired::plan::Actions;
use crate::desired::setters::setters;
use crate::desired::words::words;

/// The options for the execution of a plan.
///
/// ```
/// use ipvs_rs::desired::apply::{ApplyOptions, OnError};
///
/// let options = ApplyOptions::new().on_error(OnError::Stop).allowed("as,us,ad,ud".parse()?);
/// # let _ = options;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// Action after a failed operation.
    pub on_error: OnError,
    /// The kinds of operations that may be carried out; a plan with another one is refused as a whole.
    pub allowed: Actions,
    /// The reaction to an object that appeared or vanished since the plan was made.
    pub on_race: OnRace,
}

/// Action after a failed operation: `--on-error`.
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
    /// If the kernel cannot be reached any more, this is [`Stop`](Self::Stop).
    Continue,
}

/// The reaction to an object that another program made, changed or deleted since the plan was made.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OnRace {
    /// It is planned again on the current table, three times at most: for a plan that describes the desired table.
    #[default]
    PlanAgain,
    /// It is a failure: for a plan that changes present objects, and does not make deleted ones again.
    Fail,
}

impl ApplyOptions {
    /// Everything is allowed, a failure undoes the operations so far, and changes by another program are planned again.
    pub const fn new() -> Self {
        Self { on_error: OnError::Rollback, allowed: Actions::all(), on_race: OnRace::PlanAgain }
    }

    setters! {
        /// Sets the reaction to an operation that fails.
        on_error(on_error: OnError) |it| it.on_error = on_error;
        /// Sets the kinds of operations that may be carried out.
        allowed(actions: Actions) |it| it.allowed = actions;
        /// Sets the reaction to an object that appeared or vanished since the plan was made.
        on_race(on_race: OnRace) |it| it.on_race = on_race;
    }
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self::new()
    }
}

words! {
    OnError: Rollback "rollback", Stop "stop", Continue "continue";
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
