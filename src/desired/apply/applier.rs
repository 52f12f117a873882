use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::iter::Peekable;
use std::mem;
use std::time::{Duration, Instant};

use super::command::{Command, Role, count, parts};
use super::error::{ApplyError, Cause, Failure, Inner, Unrestored};
use super::group::{Group, groups, is_drained};
use super::observer::{Interrupt, Phase, Progress};
use super::options::{ApplyOptions, OnError};
use super::report::{DrainOutcome, Finding, Report, Warning};
use super::round::Round;
use super::step::{Answer, Commands, Step, Told};
use super::verify::{Check, Verification};
use crate::desired::object::{Facts, Question, additions};
use crate::desired::plan::{Operation, OperationKind, Plan, Verb};
use crate::model::{DestinationId, ServiceId, SyncRole};

/// Commands that are encoded at a time: a few datagrams long, so that it costs no more than one large batch, and little
/// is encoded in vain when the plan is stopped.
const BATCH: usize = 1000;
/// The wait before the next attempt.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// A plan that is being carried out, without any input or output: it returns what to do [next](Self::next), and is
/// [fed](Self::feed) the result.
///
/// [`apply`](super::apply) and [`apply_async`](super::apply_async) turn the steps into calls of a handle. The clock is
/// an argument, so that a test can control the time.
///
/// # Example
///
/// ```
/// use std::time::Instant;
///
/// use ipvs_rs::desired::apply::{Applier, ApplyOptions, Interrupt, Step};
/// use ipvs_rs::desired::plan::{PlanOptions, plan};
/// use ipvs_rs::desired::{DesiredService, DesiredState, Observed};
/// use ipvs_rs::{Handle, Scheduler, Service};
///
/// # #[cfg(feature = "testing")] {
/// # let kernel = ipvs_rs::testing::FakeKernel::new();
/// # let handle = kernel.handle()?;
/// let web = DesiredService::new(Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc));
/// let plan = plan(&Observed::default(), &DesiredState::new().service(web), &PlanOptions::new());
/// let mut applier = Applier::new(&plan, &ApplyOptions::new());
/// let report = loop {
///     match applier.next(Instant::now()) {
///         Step::Send(commands) => {
///             let answer = commands.send(&handle, || Interrupt::None);
///             applier.feed(answer);
///         }
///         Step::Read(question) => applier.feed(question.ask(&handle)),
///         Step::Done(result) => break result?,
///         _ => {}
///     }
/// };
/// assert!(report.is_complete());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[expect(clippy::struct_excessive_bools, reason = "facts that come up one by one")]
pub struct Applier<'p> {
    pub(super) plan: &'p Plan,
    pub(super) options: ApplyOptions,
    stage: Stage,
    run: Run,
    pub(super) queue: Queue<'p>,
    /// Commands that are to be sent now.
    batch: Vec<Command>,
    /// The results of those that were sent.
    pub(super) round: Round,
    pub(super) facts: Facts,
    /// The question whose answer it waits for.
    pub(super) question: Option<Question>,
    pause: Option<Instant>,
    /// The time of the last call.
    pub(super) now: Option<Instant>,
    /// The progress of each operation.
    pub(super) states: Vec<OperationState>,
    /// The commands that the kernel has confirmed and that would have to be undone, in order.
    journal: Vec<Command>,
    /// Services that could not be made, or are gone.
    pub(super) failed_services: HashSet<ServiceId>,
    /// Daemons that could not be stopped.
    pub(super) failed_stops: HashSet<SyncRole>,
    pub(super) failures: Vec<Failure>,
    /// Operations that failed because of another program.
    pub(super) raced: Vec<Failure>,
    pub(super) unrestored: Vec<Unrestored>,
    pub(super) report: Report,
    /// The strongest interrupt so far.
    pub(super) interrupt: Interrupt,
    /// The weakest interrupt that ends the current work.
    pub(super) heeded: Interrupt,
    pub(super) progress: Progress,
    pub(super) has_news: bool,
    pub(super) groups: Vec<Group>,
    /// Whether it waits for connections before it is done.
    pub(super) waits: bool,
    pub(super) failed_looks: u32,
    pub(super) restored: HashSet<(ServiceId, Option<DestinationId>)>,
    /// Whether the kernel refuses a daemon until the destinations of the other family are deleted.
    daemon_comes_last: bool,
    pub(super) has_waited: bool,
    /// Whether an interrupt ended it before it was done.
    is_cut: bool,
    /// Whether another program changed the table meanwhile.
    pub(super) has_met_others: bool,
    verification: Verification,
    result: Option<Result<Report, ApplyError>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// The commands of the queue are sent.
    Sending,
    /// Answers are evaluated.
    Settling,
    /// Connections are waited for.
    Draining,
    /// The result is verified.
    Verifying,
    Done,
}

/// The purpose of the commands in the queue.
#[derive(Debug)]
pub(super) enum Run {
    /// Everything but what is drained.
    Changes,
    /// Weight 0 for what is drained.
    Quiesce,
    /// Groups that have been drained, with their outcome.
    TakeAway(Vec<(Group, DrainOutcome)>),
    /// Daemons that had to wait for what is drained.
    Daemons,
    /// The rollback.
    Undo,
}

/// The end of the commands of a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// All were tried.
    Through,
    /// One failed, which ends it.
    Failed,
    /// The caller interrupted it.
    Interrupted,
}

/// The progress of an operation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OperationState {
    /// The number of commands that are left.
    pub(super) left: usize,
    pub(super) has_failed: bool,
    pub(super) has_changed: bool,
}

/// Commands in their order: those that are sent again, and behind them those that come for the first time.
pub(super) struct Queue<'p> {
    again: VecDeque<Command>,
    fresh: Peekable<Box<dyn Iterator<Item = Command> + Send + 'p>>,
}

impl<'p> Queue<'p> {
    fn new(commands: impl Iterator<Item = Command> + Send + 'p) -> Self {
        let fresh: Box<dyn Iterator<Item = Command> + Send + 'p> = Box::new(commands);
        Self { again: VecDeque::new(), fresh: fresh.peekable() }
    }

    /// The next commands that can be sent together.
    fn fill(&mut self, batch: &mut Vec<Command>) {
        while let Some(next) = self.again.front().or_else(|| self.fresh.peek()) {
            let is_alone = next.subject().role().is_some();
            if batch.len() == BATCH || (is_alone && !batch.is_empty()) {
                break;
            }
            batch.extend(self.again.pop_front().or_else(|| self.fresh.next()));
            if is_alone {
                break;
            }
        }
    }

    /// Puts commands before all others.
    pub(super) fn give_back(&mut self, mut commands: VecDeque<Command>) {
        commands.append(&mut self.again);
        self.again = commands;
    }
}

impl fmt::Debug for Applier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier").field("stage", &self.stage).field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl<'p> Applier<'p> {
    /// Begins a plan. A refused plan and an empty one are done at once.
    pub fn new(plan: &'p Plan, options: &ApplyOptions) -> Self {
        let total = plan.len();
        let groups = groups(plan.operations());
        // The kernel refuses a daemon while there are destinations of the other family: those that are deleted are
        // deleted first.
        let daemon_comes_last = groups.iter().any(Group::mixes_families);
        let first =
            move |operation: &Operation| !(is_drained(operation) || daemon_comes_last && starts_daemon(operation));
        let state = |operation| OperationState { left: count(operation), ..OperationState::default() };
        let result = match super::check(plan, *options) {
            Err(cause) => Some(Err(ApplyError::refused(cause, total))),
            Ok(()) if plan.is_empty() => Some(Ok(Report::default())),
            Ok(()) => None,
        };
        Self {
            plan,
            options: *options,
            stage: if result.is_some() { Stage::Done } else { Stage::Sending },
            run: Run::Changes,
            queue: Queue::new(commands(plan, first)),
            batch: Vec::new(),
            round: Round::default(),
            facts: Facts::default(),
            question: None,
            pause: None,
            now: None,
            states: plan.operations().iter().map(state).collect(),
            journal: Vec::new(),
            failed_services: HashSet::new(),
            failed_stops: HashSet::new(),
            failures: Vec::new(),
            raced: Vec::new(),
            unrestored: Vec::new(),
            report: Report { total, ..Report::default() },
            interrupt: Interrupt::None,
            heeded: Interrupt::Stop,
            progress: Progress { phase: Phase::Changing, done: 0, failed: 0, total, draining: 0, connections: 0 },
            has_news: result.is_none(),
            groups,
            waits: true,
            failed_looks: 0,
            restored: HashSet::new(),
            daemon_comes_last,
            has_waited: false,
            is_cut: false,
            has_met_others: false,
            verification: Verification::default(),
            result,
        }
    }

    /// Returns what is to be done next, at this time. Returns the same again until the answer has been fed.
    pub fn next(&mut self, now: Instant) -> Step<'_> {
        self.now = Some(now);
        loop {
            if mem::take(&mut self.has_news) {
                self.progress.failed = self.failures.len() + self.raced.len();
                return Step::Progress(self.progress);
            }
            if let Some(question) = self.question {
                return Step::Read(question);
            }
            if let Some(until) = self.pause {
                if until > now && !self.is_interrupted() {
                    return Step::WaitUntil(until);
                }
                self.pause = None;
            }
            match self.stage {
                Stage::Sending => {
                    if !self.batch.is_empty() {
                        break;
                    }
                    self.prepare();
                }
                Stage::Settling => self.settle(),
                Stage::Draining => self.poll(),
                Stage::Verifying => self.verify(),
                Stage::Done => return Step::Done(self.result.take().unwrap_or_else(|| Ok(self.report.clone()))),
            }
        }
        Step::Send(Commands { commands: &self.batch, heeded: self.heeded })
    }

    /// Takes the results of commands, or the answer to a question.
    pub fn feed(&mut self, answer: Answer) {
        match answer.0 {
            Told::Sent(results, interrupt) => {
                self.interrupt(interrupt);
                self.round = Round::new(mem::take(&mut self.batch), results);
                self.stage = Stage::Settling;
            }
            Told::Read(reply) => {
                self.question = None;
                self.facts.learn(reply);
            }
        }
    }

    /// Ends it before it is done, or ends its waiting; the strongest interrupt counts.
    pub fn interrupt(&mut self, interrupt: Interrupt) {
        self.interrupt = self.interrupt.max(interrupt);
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt >= self.heeded
    }

    pub(super) const fn is_forward(&self) -> bool {
        !matches!(self.run, Run::Undo)
    }

    /// Sends commands in their order until all are done or it has to end.
    pub(super) fn start(&mut self, run: Run, commands: impl Iterator<Item = Command> + Send + 'p) {
        self.run = run;
        self.queue = Queue::new(commands);
        self.send();
    }

    pub(super) const fn send(&mut self) {
        self.stage = Stage::Sending;
    }

    pub(super) const fn watch(&mut self) {
        self.stage = Stage::Draining;
    }

    pub(super) fn pause_for(&mut self, time: Duration) {
        self.pause = self.now.map(|now| now + time);
    }

    fn prepare(&mut self) {
        self.queue.fill(&mut self.batch);
        if self.batch.is_empty() {
            return self.ended(Ended::Through);
        }
        if self.is_interrupted() {
            self.batch.clear();
            return self.ended(Ended::Interrupted);
        }
        self.skip_consequences();
    }

    /// Leaves out commands that cannot succeed because their service could not be made, or their predecessor could not
    /// be stopped.
    fn skip_consequences(&mut self) {
        if self.failed_services.is_empty() && self.failed_stops.is_empty() {
            return;
        }
        let mut batch = mem::take(&mut self.batch);
        batch.retain(|command| {
            let subject = command.subject();
            // A daemon that still runs prevents another one of its role.
            let is_lost = command.verb() != Verb::Delete
                && (subject.role().is_some_and(|role| self.failed_stops.contains(&role))
                    || subject.service().is_some_and(|service| self.failed_services.contains(&service)));
            if is_lost {
                self.mark_failed(command.place);
            }
            !is_lost
        });
        self.batch = batch;
    }

    /// Goes on after the commands of a queue.
    pub(super) fn ended(&mut self, ended: Ended) {
        match mem::replace(&mut self.run, Run::Changes) {
            Run::Changes if ended == Ended::Through && !self.groups.is_empty() => self.quiesce(),
            Run::Changes | Run::Daemons => self.conclude(ended),
            Run::Quiesce => self.quiesced(ended),
            Run::TakeAway(through) => self.taken_away(through, ended),
            Run::Undo => {
                self.report.rolled_back = self.progress.done;
                self.fail_with_cause();
            }
        }
    }

    /// Goes on when nothing more is drained.
    pub(super) fn drained(&mut self, ended: Ended) {
        if ended == Ended::Through && self.daemon_comes_last && self.groups.is_empty() {
            let commands = commands(self.plan, starts_daemon);
            return self.start(Run::Daemons, commands);
        }
        self.conclude(ended);
    }

    fn conclude(&mut self, ended: Ended) {
        self.report.done = self.progress.done;
        self.report.failed = self.states.iter().filter(|state| state.has_failed).count();
        self.report.changed = self.states.iter().filter(|state| state.has_changed).count();
        self.report.pending = self.groups.len();
        self.report.is_interrupted = self.interrupt > Interrupt::None;
        self.is_cut = ended == Ended::Interrupted;
        if ended == Ended::Through && self.failures.is_empty() {
            if !self.raced.is_empty() {
                return self.fail_with_cause();
            }
            self.facts = Facts::default();
            self.verification = Verification::new(self.plan.operations(), self.carried_out(), self.reads_all());
            self.stage = Stage::Verifying;
            return;
        }
        if self.may_undo() { self.roll_back() } else { self.fail_with_cause() }
    }

    fn may_undo(&self) -> bool {
        self.options.on_error == OnError::Rollback && self.interrupt < Interrupt::Now
    }

    /// The operations that are carried out; those that drain, or have failed, promise nothing.
    fn carried_out(&self) -> Vec<usize> {
        let states = self.states.iter().enumerate();
        states.filter(|(_, state)| state.left == 0 && !state.has_failed).map(|(place, _)| place).collect()
    }

    /// Whether all destinations are read to verify the result, because the plan was short, or more happened than its own
    /// commands.
    fn reads_all(&self) -> bool {
        let commands: usize = self.plan.operations().iter().map(count).sum();
        commands <= BATCH || self.has_waited || self.has_met_others
    }

    fn verify(&mut self) {
        match self.verification.next(self.plan.operations(), &mut self.facts) {
            Check::Ask(question) => self.question = Some(question),
            Check::Again => self.pause_for(PAUSE),
            Check::Refused(error) => self.end_with(Cause::Unconfirmed(error)),
            Check::Done(missing) => self.verified(&missing),
        }
    }

    /// Ends with the result of the verification.
    fn verified(&mut self, missing: &[usize]) {
        if missing.is_empty() {
            return self.end(Ok(self.report.clone()));
        }
        for place in missing {
            self.mark_failed(*place);
        }
        self.report.done -= missing.len().min(self.report.done);
        self.report.failed += missing.len();
        let operations = missing.iter().filter_map(|place| self.plan.operations().get(*place).cloned()).collect();
        self.end_with(Cause::Changed(operations));
    }

    fn fail_with_cause(&mut self) {
        let (failures, raced) = (mem::take(&mut self.failures), mem::take(&mut self.raced));
        self.end_with(match (failures.is_empty(), raced.is_empty()) {
            (false, _) => Cause::Failed(failures),
            (true, false) if !self.is_cut => Cause::Raced(raced),
            _ => Cause::Interrupted,
        });
    }

    fn end_with(&mut self, cause: Cause) {
        let has_undone = matches!(cause, Cause::Failed(_) | Cause::Interrupted) && self.may_undo();
        let is_forgetful = has_undone && self.journal.iter().any(|command| command.verb() == Verb::Delete);
        let unrestored = mem::take(&mut self.unrestored);
        let (on_error, report) = (self.options.on_error, self.report.clone());
        self.end(Err(ApplyError::new(Inner { cause, on_error, report, unrestored, is_forgetful })));
    }

    fn end(&mut self, result: Result<Report, ApplyError>) {
        self.result = Some(result);
        self.stage = Stage::Done;
    }

    /// Undoes the commands in the journal, the last first. A failure to undo one does not stop the rest.
    fn roll_back(&mut self) {
        let made = self.journal.iter().filter(|command| command.makes_service());
        let made: HashSet<ServiceId> = made.filter_map(|command| command.subject().service()).collect();
        // Services that were made are deleted together with their destinations.
        let goes_with_its_service = |command: &&Command| {
            let subject = command.subject();
            subject.kind() == OperationKind::AddDestination && subject.service().is_some_and(|id| made.contains(&id))
        };
        let mut commands = Vec::new();
        for command in self.journal.iter().rev().filter(|command| !goes_with_its_service(command)) {
            commands.push(Command::new(command.place, command.object.clone().inverse()));
            let operation = self.plan.operations().get(command.place);
            let deleted = operation.filter(|_| command.subject().kind() == OperationKind::DeleteService);
            // In the reverse order of the list, since the kernel puts each before those that are there, and finds the one
            // that was deleted last first.
            if let Some((id, operation)) = command.subject().service().zip(deleted) {
                let again = additions(id, &operation.destinations).rev();
                commands.extend(again.map(|object| Command::new(command.place, object)));
            }
        }

        self.states.fill(OperationState::default());
        for command in &commands {
            if let Some(state) = self.states.get_mut(command.place) {
                state.left += 1;
            }
        }
        self.failed_services.clear();
        self.failed_stops.clear();
        self.heeded = Interrupt::Now;
        let total = self.report.changed;
        self.progress = Progress { phase: Phase::RollingBack, done: 0, failed: 0, total, draining: 0, connections: 0 };
        self.has_news = true;
        self.start(Run::Undo, commands.into_iter());
    }

    /// Notes that a command was executed and would have to be undone.
    pub(super) fn note_change(&mut self, command: Command) {
        if command.role == Role::Restore {
            return;
        }
        if let Some(state) = self.states.get_mut(command.place) {
            state.has_changed = true;
        }
        self.journal.push(command);
    }

    /// Counts a command of an operation as done.
    pub(super) fn count(&mut self, place: usize) {
        let Some(state) = self.states.get_mut(place) else { return };
        state.left = state.left.saturating_sub(1);
        if state.left == 0 && !state.has_failed {
            self.progress.done += 1;
        }
    }

    pub(super) fn mark_failed(&mut self, place: usize) {
        if let Some(state) = self.states.get_mut(place) {
            state.has_failed = true;
        }
    }

    pub(super) fn warn(&mut self, command: &Command, finding: Finding) {
        let Some(operation) = self.plan.operations().get(command.place) else { return };
        let (service, destination) = (command.subject().service(), command.subject().destination());
        self.report.warnings.push(Warning { operation: operation.kind(), service, destination, finding });
    }
}

/// The commands of some operations of a plan, in order.
fn commands<'p>(
    plan: &'p Plan,
    which: impl Fn(&Operation) -> bool + Send + 'p,
) -> impl Iterator<Item = Command> + Send + 'p {
    let operations = plan.operations().iter().enumerate().filter(move |(_, operation)| which(operation));
    operations.flat_map(|(place, operation)| parts(operation).map(move |object| Command::new(place, object)))
}

fn starts_daemon(operation: &Operation) -> bool {
    operation.kind() == OperationKind::StartSync
}
