use std::collections::{HashSet, VecDeque};
use std::iter::Peekable;
use std::ops::ControlFlow;
use std::time::Duration;

use super::command::{Command, Step};
use super::error::{Failure, Unrestored};
use super::look::{Look, State};
use super::options::OnError;
use super::report::Finding;
use super::{Applier, mark_failed};
use crate::Error;
use crate::desired::Operation;
use crate::error::{Errno, ErrorKind};
use crate::model::ServiceId;

/// Commands that are encoded at a time. Some datagrams long, so that it costs no more than one large batch, and not
/// much is made in vain when it is stopped.
const BATCH: usize = 1000;
/// How often a command is tried that comes to nothing by chance.
const ATTEMPTS: u8 = 3;
/// What is waited before the next try.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// Whether commands carry a plan out, or undo it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// How a sequence of commands ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// All were tried.
    Through,
    /// One failed, which ends it.
    Failed,
    /// Somebody wanted it to end.
    Interrupted,
}

/// What became of a command.
#[derive(Debug)]
enum Verdict {
    Done,
    /// Somebody else had done it.
    Found(Finding),
    /// It is to be tried again; by chance it came to nothing.
    Again,
    /// It is to be sent once more: something before it has to be tried again.
    Wait,
    /// It came to nothing because something before it did.
    Consequence,
    /// `Unknown` if it may have been executed nevertheless.
    Failed(Error, Certainty),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Certainty {
    NotDone,
    Conflict,
    Unknown,
}

/// Commands in their order: those that are sent again, and behind them those that come for the first time.
#[derive(Debug)]
struct Queue<'p, I: Iterator<Item = Step<'p>>> {
    again: VecDeque<Step<'p>>,
    fresh: Peekable<I>,
}

/// What is known of services and of the kernel while the answers to one batch are looked at.
#[derive(Debug)]
struct Round<'h> {
    look: Look<'h>,
    /// Services that will be made after all.
    awaited: HashSet<ServiceId>,
    /// The kernel did not even answer a question.
    is_unreachable: bool,
    has_ended: bool,
    has_to_pause: bool,
}

impl<'p, I: Iterator<Item = Step<'p>>> Queue<'p, I> {
    fn peek(&mut self) -> Option<&Step<'p>> {
        self.again.front().or_else(|| self.fresh.peek())
    }

    fn pop(&mut self) -> Option<Step<'p>> {
        self.again.pop_front().or_else(|| self.fresh.next())
    }

    /// The next commands that can be sent together.
    fn fill(&mut self, steps: &mut Vec<Step<'p>>) {
        steps.clear();
        while let Some(next) = self.peek() {
            let is_alone = next.command.is_alone();
            if steps.len() == BATCH || (is_alone && !steps.is_empty()) {
                break;
            }
            steps.extend(self.pop());
            if is_alone {
                break;
            }
        }
    }

    /// Puts commands before all others.
    fn give_back(&mut self, mut steps: VecDeque<Step<'p>>) {
        steps.append(&mut self.again);
        self.again = steps;
    }
}

impl<'a, 'p> Applier<'a, 'p> {
    /// Sends commands in their order until all are through or it has to end.
    pub(super) fn run(&mut self, steps: impl Iterator<Item = Step<'p>>, direction: Direction) -> Ended {
        let mut queue = Queue { again: VecDeque::new(), fresh: steps.peekable() };
        let mut batch = Vec::new();
        loop {
            queue.fill(&mut batch);
            if batch.is_empty() {
                return Ended::Through;
            }
            self.ask();
            if self.is_interrupted() {
                return Ended::Interrupted;
            }
            self.skip_consequences(&mut batch);
            let results = self.send(&batch);
            let (back, round) = self.settle_all(&mut batch, results, direction);
            queue.give_back(back);
            self.tell();
            if round.has_ended {
                return Ended::Failed;
            }
            if round.has_to_pause {
                self.options.clock.sleep(PAUSE);
            }
        }
    }

    /// Leaves out what cannot succeed because its service could not be made, or its predecessor not be stopped.
    fn skip_consequences(&mut self, batch: &mut Vec<Step<'p>>) {
        if self.failed_services.is_empty() && self.failed_stops.is_empty() {
            return;
        }
        batch.retain(|step| {
            let is_missing = |service| self.failed_services.contains(&service);
            let is_lost = match &step.command {
                // What still runs is in its way.
                Command::StartSync { daemon } => self.failed_stops.contains(&daemon.role),
                command => !command.removes() && command.service().is_some_and(is_missing),
            };
            if is_lost {
                mark_failed(&mut self.states, step.place);
            }
            !is_lost
        });
    }

    fn send(&mut self, batch: &[Step<'p>]) -> Vec<Result<(), Error>> {
        let handle = self.handle;
        match batch {
            [] => return Vec::new(),
            [Step { command: Command::StartSync { daemon }, .. }] => return vec![handle.start_sync(daemon)],
            [Step { command: Command::StopSync { daemon }, .. }] => return vec![handle.stop_sync(daemon.role)],
            _ => {}
        }
        let commands = batch.iter().fold(handle.batch(), |commands, step| step.command.add_to(commands));
        let sent = commands.send_with_progress(|progress| {
            if progress.done < progress.total {
                self.ask();
            }
            let has_to_end = progress.failed > 0 || self.is_interrupted();
            if has_to_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match sent {
            Ok(report) => report.into_results(),
            // Services are checked before; whichever it was, nothing was sent.
            Err(error) => vec![Err(error)],
        }
    }

    /// Notes what became of each command. Returns those that are to be sent again, and what else there is to be done.
    fn settle_all(
        &mut self,
        batch: &mut Vec<Step<'p>>,
        results: Vec<Result<(), Error>>,
        direction: Direction,
    ) -> (VecDeque<Step<'p>>, Round<'a>) {
        let mut round = Round {
            look: Look::new(self.handle),
            awaited: HashSet::new(),
            is_unreachable: false,
            has_ended: false,
            has_to_pause: false,
        };
        let mut back = VecDeque::new();
        let mut results = results.into_iter();
        for mut step in batch.drain(..) {
            let verdict = match results.next() {
                Some(Ok(())) => Verdict::Done,
                Some(Err(error)) if error.kind() == ErrorKind::NotSent => Verdict::Wait,
                Some(Err(error)) => self.judge(&step, error, &mut round),
                None => Verdict::Wait,
            };
            match verdict {
                Verdict::Again => {
                    step.attempts = step.attempts.saturating_add(1);
                    round.has_to_pause = true;
                    back.push_back(step);
                }
                Verdict::Wait => back.push_back(step),
                other => self.settle(step, other, direction, &mut round),
            }
        }
        (back, round)
    }

    /// Makes out what the answer to a command means.
    fn judge(&self, step: &Step<'p>, error: Error, round: &mut Round<'a>) -> Verdict {
        let command = &step.command;
        let verdict = self.meaning(step, error, round);
        if let (Command::NewService { service, .. }, Verdict::Again) = (command, &verdict) {
            round.awaited.insert(service.id);
        }
        verdict
    }

    fn meaning(&self, step: &Step<'p>, error: Error, round: &mut Round<'a>) -> Verdict {
        let command = &step.command;
        let can_try_again = step.attempts.saturating_add(1) < ATTEMPTS;
        if error.is_already_exists() && command.makes() {
            return match round.look.at(command) {
                Ok(State::Wanted) => Verdict::Found(Finding::Present),
                Ok(State::Missing) if can_try_again => Verdict::Again,
                Ok(State::Other) => Verdict::Failed(error, Certainty::Conflict),
                Ok(State::Missing) | Err(_) => Verdict::Failed(error, Certainty::NotDone),
            };
        }
        if error.is_not_found() {
            if command.removes() || !command.counts() {
                return Verdict::Found(Finding::Gone);
            }
            if let (Some(service), Some(Errno::ESRCH)) = (command.service(), error.errno()) {
                if round.awaited.contains(&service) {
                    return Verdict::Wait;
                }
                if self.failed_services.contains(&service) {
                    return Verdict::Consequence;
                }
            }
        }
        if is_unknown(&error) {
            return match round.look(command) {
                Some(State::Wanted) => Verdict::Done,
                Some(State::Other) if command.makes() => Verdict::Failed(error, Certainty::Conflict),
                Some(_) if can_try_again => Verdict::Again,
                Some(_) => Verdict::Failed(error, Certainty::NotDone),
                None => Verdict::Failed(error, Certainty::Unknown),
            };
        }
        if can_try_again && (error.is_retryable() || error.errno() == Some(Errno::EINTR)) {
            return Verdict::Again;
        }
        Verdict::Failed(error, Certainty::NotDone)
    }

    fn settle(&mut self, step: Step<'p>, verdict: Verdict, direction: Direction, round: &mut Round<'a>) {
        let is_forward = direction == Direction::Forward;
        match verdict {
            Verdict::Done | Verdict::Found(_) if !is_forward => self.count(&step),
            Verdict::Done => {
                self.note_change(step);
                if step.command.counts() {
                    self.count(&step);
                }
            }
            Verdict::Found(finding) => {
                if step.command.counts() {
                    self.warn(&step, finding);
                    self.count(&step);
                }
            }
            Verdict::Consequence => mark_failed(&mut self.states, step.place),
            Verdict::Failed(error, certainty) => {
                mark_failed(&mut self.states, step.place);
                if let Some(service) = failed_service(&step.command, &error) {
                    self.failed_services.insert(service);
                }
                if let Command::StopSync { daemon } = &step.command {
                    self.failed_stops.insert(daemon.role);
                }
                let is_hopeless = error.kind() != ErrorKind::Kernel;
                let action = step.command.to_string();
                if !is_forward {
                    round.has_ended |= is_hopeless;
                    self.unrestored.push(Unrestored { action, error: Some(error) });
                    return;
                }
                if certainty == Certainty::Unknown {
                    self.note_change(step);
                }
                // Of the commands that travelled with the one that ended it, those that failed too are no news.
                if !round.has_ended {
                    let is_conflict = certainty == Certainty::Conflict;
                    let operation = self.operation(step.place);
                    self.failures.extend(operation.map(|it| Failure::new(it, action, error, is_conflict)));
                }
                round.has_ended |= is_hopeless || self.options.on_error != OnError::Continue;
            }
            Verdict::Again | Verdict::Wait => {}
        }
    }

    fn operation(&self, place: usize) -> Option<Operation> {
        self.plan.operations().get(place).cloned()
    }
}

impl Round<'_> {
    /// What there is of a command's object; `None` if the kernel does not say.
    fn look(&mut self, command: &Command<'_>) -> Option<State> {
        if self.is_unreachable {
            return None;
        }
        match self.look.at(command) {
            Ok(state) => Some(state),
            Err(error) => {
                self.is_unreachable = error.kind() != ErrorKind::Kernel && error.kind() != ErrorKind::Unstable;
                None
            }
        }
    }
}

/// Whether a command may have been executed although it failed.
fn is_unknown(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Lost | ErrorKind::Decode | ErrorKind::Io)
}

/// The service without which nothing further can be done to its destinations.
fn failed_service(command: &Command<'_>, error: &Error) -> Option<ServiceId> {
    let is_missing = matches!(command, Command::NewService { .. }) || error.errno() == Some(Errno::ESRCH);
    command.service().filter(|_| is_missing)
}
