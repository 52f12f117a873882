//! A plan carried out: in batches, with progress, and undone when it fails.
//!
//! IPVS has no transactions. What comes closest: everything is checked before the first write that can be checked,
//! commands go out in the [order of the plan](super::Plan), many to a datagram, and for each that the kernel has
//! confirmed it is known what undoes it. When one fails, what was done is [undone](OnError::Rollback), the last first.
//!
//! ```no_run
//! use ipvs_rs::Handle;
//! use ipvs_rs::desired::apply::{ApplyOptions, apply};
//! use ipvs_rs::desired::{DesiredState, Live, PlanOptions, plan};
//!
//! # fn desired() -> DesiredState { DesiredState::new() }
//! let handle = Handle::new()?;
//! let desired = desired();
//! let plan = plan(&Live::read(&handle, &desired)?, &desired, &PlanOptions::new());
//! let report = apply(&handle, &plan, &ApplyOptions::new(), &mut ())?;
//! println!("{} operations done", report.done());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What somebody else did meanwhile
//!
//! | the kernel says | of | what is made of it |
//! |---|---|---|
//! | it is there | something to make | it is read: as it should be is success, with a [warning](Warning), otherwise [a conflict](ApplyError::is_conflict) |
//! | it is not there | something to delete | success, with a [warning](Warning) |
//! | it is not there | something to change | a failure |
//! | not now | anything | it is tried three times |
//! | nothing | anything | what is there is read, and what was not done is tried three times |
//!
//! # What cannot be undone
//!
//! Counters of what was deleted, connections of deleted destinations, and what a scheduler remembers.

mod clock;
mod command;
mod drain;
mod error;
mod look;
mod observer;
mod options;
mod report;
mod run;

use std::collections::HashSet;

pub use clock::{Clock, SystemClock};
pub use drain::held_by_persistence;
pub use error::{ApplyError, Failure, Unrestored};
pub use observer::{Interrupt, Observer, Phase, Progress};
pub use options::{ApplyOptions, OnError, OnErrorError};
pub use report::{DrainOutcome, Drained, Finding, Report, Warning};

use super::{Operation, Plan};
use crate::Handle;
use crate::model::{ServiceId, SyncRole};
use command::{Command, Step, commands, count};
use error::{Cause, Inner};
use run::{Direction, Ended};

/// Carries a plan out.
///
/// An empty plan sends nothing. The plan should be of the table as it is: what changed since then is met with as
/// [said above](self#what-somebody-else-did-meanwhile).
///
/// Whoever else writes to the table should be kept away meanwhile, see [`Lock`](super::Lock).
///
/// # Errors
///
/// When the plan is [refused](ApplyError::is_refused), with nothing sent; when an operation failed, in the end, and when
/// it was [interrupted](ApplyError::is_interrupted): then the error says what became of the rest.
pub fn apply(
    handle: &Handle,
    plan: &Plan,
    options: &ApplyOptions,
    observer: &mut dyn Observer,
) -> Result<Report, ApplyError> {
    check(plan, options).map_err(|cause| ApplyError::refused(cause, plan.len()))?;
    if plan.is_empty() {
        return Ok(Report::default());
    }
    Applier::new(handle, plan, options, observer).apply()
}

/// What can be said before anything is sent.
fn check(plan: &Plan, options: &ApplyOptions) -> Result<(), Cause> {
    if !plan.conflicts().is_empty() {
        return Err(Cause::Conflicts(plan.conflicts().to_vec()));
    }
    let forbidden: Vec<Operation> = plan.forbidden(options.allowed).cloned().collect();
    if !forbidden.is_empty() {
        return Err(Cause::Forbidden(forbidden));
    }
    for operation in plan.operations() {
        let service = match operation {
            Operation::AddService { service } => &service.service,
            Operation::UpdateService { wanted, .. } => wanted,
            _ => continue,
        };
        service.validate().map_err(|value| Cause::Invalid(Box::new(operation.clone()), value))?;
    }
    Ok(())
}

/// A plan that is being carried out.
struct Applier<'a, 'p> {
    handle: &'a Handle,
    plan: &'p Plan,
    options: &'a ApplyOptions,
    observer: &'a mut dyn Observer,
    /// How far each operation is.
    states: Vec<State>,
    /// What the kernel has confirmed and would have to be undone, in order.
    journal: Vec<Step<'p>>,
    /// Services that could not be made, or are gone.
    failed_services: HashSet<ServiceId>,
    /// Daemons that could not be stopped.
    failed_stops: HashSet<SyncRole>,
    failures: Vec<Failure>,
    unrestored: Vec<Unrestored>,
    report: Report,
    /// The strongest that was wanted until now.
    interrupt: Interrupt,
    /// From which on it ends what is being done.
    heeded: Interrupt,
    progress: Progress,
}

/// The commands of some operations of a plan, in order.
fn steps(plan: &Plan, which: impl Fn(&Operation) -> bool) -> impl Iterator<Item = Step<'_>> {
    let operations = plan.operations().iter().enumerate().filter(move |(_, operation)| which(operation));
    operations.flat_map(|(place, operation)| commands(operation).map(move |command| Step::new(place, command)))
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Commands that are to come.
    left: usize,
    has_failed: bool,
    has_changed: bool,
}

fn mark_failed(states: &mut [State], place: usize) {
    if let Some(state) = states.get_mut(place) {
        state.has_failed = true;
    }
}

impl<'a, 'p> Applier<'a, 'p> {
    fn new(handle: &'a Handle, plan: &'p Plan, options: &'a ApplyOptions, observer: &'a mut dyn Observer) -> Self {
        let state = |operation| State { left: count(operation), ..State::default() };
        let total = plan.len();
        Self {
            handle,
            plan,
            options,
            observer,
            states: plan.operations().iter().map(state).collect(),
            journal: Vec::new(),
            failed_services: HashSet::new(),
            failed_stops: HashSet::new(),
            failures: Vec::new(),
            unrestored: Vec::new(),
            report: Report { total, ..Report::default() },
            interrupt: Interrupt::None,
            heeded: Interrupt::Stop,
            progress: Progress { phase: Phase::Changing, done: 0, failed: 0, total, draining: 0, connections: 0 },
        }
    }

    fn apply(mut self) -> Result<Report, ApplyError> {
        let ended = self.carry_out();
        self.report.done = self.progress.done;
        self.report.failed = self.states.iter().filter(|state| state.has_failed).count();
        self.report.changed = self.states.iter().filter(|state| state.has_changed).count();
        self.report.is_interrupted = self.interrupt > Interrupt::None;
        if ended == Ended::Through && self.failures.is_empty() {
            return Ok(self.report);
        }
        let is_forgetful = self.journal.iter().any(|step| step.command.forgets());
        let may_undo = self.options.on_error == OnError::Rollback && self.interrupt < Interrupt::Now;
        if may_undo {
            self.roll_back();
        }
        Err(ApplyError::new(Inner {
            cause: if self.failures.is_empty() { Cause::Interrupted } else { Cause::Failed(self.failures) },
            on_error: self.options.on_error,
            report: self.report,
            unrestored: self.unrestored,
            is_forgetful: is_forgetful && may_undo,
        }))
    }

    fn carry_out(&mut self) -> Ended {
        self.tell();
        let groups = drain::groups(self.plan.operations());
        // The kernel refuses a daemon while there are destinations of the other family: those that go, go first.
        let daemon_comes_last = groups.iter().any(drain::Group::mixes_families);
        let comes_last =
            move |operation: &Operation| daemon_comes_last && matches!(operation, Operation::StartSync { .. });
        let comes_first = move |operation: &Operation| !drain::is_drained(operation) && !comes_last(operation);
        let mut ended = self.run(steps(self.plan, comes_first), Direction::Forward);
        if ended == Ended::Through && !groups.is_empty() {
            ended = self.drain(groups);
        }
        if ended == Ended::Through && daemon_comes_last {
            ended = self.run(steps(self.plan, comes_last), Direction::Forward);
        }
        ended
    }

    /// Undoes what is in the journal, the last first. What cannot be undone stops nothing.
    fn roll_back(&mut self) {
        let journal = std::mem::take(&mut self.journal);
        // They take their destinations with them.
        let made: HashSet<ServiceId> = journal
            .iter()
            .filter_map(|step| match step.command {
                Command::NewService { service, .. } => Some(service.id),
                _ => None,
            })
            .collect();
        let goes_with_its_service = |step: &&Step<'p>| matches!(step.command, Command::NewDestination { service, .. } if made.contains(service));
        let undone = journal.iter().rev().filter(|step| !goes_with_its_service(step));
        let steps: Vec<Step<'p>> =
            undone.flat_map(|step| step.command.inverses().map(|command| Step::new(step.place, command))).collect();

        self.states.fill(State::default());
        for step in &steps {
            if let Some(state) = self.states.get_mut(step.place) {
                state.left += 1;
            }
        }
        self.failed_services.clear();
        self.failed_stops.clear();
        self.heeded = Interrupt::Now;
        self.progress = Progress {
            phase: Phase::RollingBack,
            done: 0,
            failed: 0,
            total: self.report.changed,
            draining: 0,
            connections: 0,
        };
        self.tell();
        self.run(steps.into_iter(), Direction::Backward);
        self.report.rolled_back = self.progress.done;
    }

    /// Notes that a command was executed and would have to be undone.
    fn note_change(&mut self, step: Step<'p>) {
        if matches!(step.command, Command::Restore { .. }) {
            return;
        }
        if let Some(state) = self.states.get_mut(step.place) {
            state.has_changed = true;
        }
        self.journal.push(step);
    }

    /// Counts a command of an operation as done.
    fn count(&mut self, step: &Step<'p>) {
        let Some(state) = self.states.get_mut(step.place) else { return };
        state.left = state.left.saturating_sub(1);
        if state.left == 0 && !state.has_failed {
            self.progress.done += 1;
        }
    }

    fn warn(&mut self, step: &Step<'p>, finding: Finding) {
        let Some(operation) = self.plan.operations().get(step.place) else { return };
        let command = &step.command;
        self.report.warnings.push(Warning {
            operation: operation.kind(),
            service: command.service(),
            destination: command.destination(),
            finding,
        });
    }

    fn tell(&mut self) {
        self.progress.failed = self.failures.len();
        self.observer.progress(&self.progress);
    }

    /// Asks whether it should end.
    fn ask(&mut self) {
        self.interrupt = self.interrupt.max(self.observer.interrupt());
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt >= self.heeded
    }
}
