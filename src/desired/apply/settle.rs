use super::applier::{Applier, Ended, PAUSE};
use super::command::{Command, Role};
use super::error::{Failure, Unrestored};
use super::options::{OnError, OnRace};
use super::report::Finding;
use crate::Error;
use crate::desired::ServiceAttributes;
use crate::desired::object::{Object, Question, State, additions};
use crate::desired::plan::{Actions, Verb};
use crate::error::{Errno, ErrorKind};

/// The number of attempts for a command that fails by chance, or because of another program.
const ATTEMPTS: u8 = 3;

/// The meaning of the answer to a command.
#[derive(Debug)]
enum CommandOutcome {
    Done,
    /// Another program had done it.
    Found(Finding),
    /// It failed by chance, and is to be tried again.
    Retry,
    /// It is to be sent once more, because a command before it has to be tried again.
    Wait,
    /// Another program was faster: this command is sent instead.
    Replace(Object),
    /// It failed because a command before it did.
    Consequence,
    /// It failed; `Unknown` if it may have been executed nevertheless.
    Failed(FailureState),
    /// The state of the object has to be read first.
    Ask(Question),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FailureState {
    NotDone,
    /// Another program made it with other settings, or deleted an object that it needs.
    Raced,
    Unknown,
}

impl Applier<'_> {
    /// Notes the result of each command of a batch; asks the kernel where the answers do not tell it.
    pub(super) fn settle(&mut self) {
        while let Some((command, result)) = self.round.results.front() {
            let outcome = match result {
                Some(Ok(())) => CommandOutcome::Done,
                Some(Err(error)) if error.kind() == ErrorKind::NotSent => CommandOutcome::Wait,
                Some(Err(error)) => self.classify(command, error),
                None => CommandOutcome::Wait,
            };
            if let CommandOutcome::Ask(question) = outcome {
                self.question = Some(question);
                return;
            }
            let Some((command, result)) = self.round.results.pop_front() else { return };
            self.act(command, outcome, result.and_then(Result::err));
        }
        let round = std::mem::take(&mut self.round);
        self.facts = <_>::default();
        self.has_news = true;
        self.queue.give_back(round.back);
        if round.has_ended {
            return self.ended(Ended::Failed);
        }
        if round.has_to_pause {
            self.pause_for(PAUSE);
        }
        self.send();
    }

    fn left_alone(&self, command: &Command) -> ServiceAttributes {
        let operation = self.plan.operations().get(command.place);
        operation.map_or(ServiceAttributes::empty(), |operation| operation.left_alone)
    }

    /// Interprets the answer to a command.
    fn classify(&self, command: &Command, error: &Error) -> CommandOutcome {
        let subject = command.subject();
        let can_try_again = command.attempts.saturating_add(1) < ATTEMPTS;
        let state = || match self.facts.open_question(subject) {
            Some(question) => Err(question),
            None => Ok(subject.state(&self.facts, self.left_alone(command))),
        };
        let makes = command.verb() == Verb::Add;
        if error.is_already_exists() && makes {
            return match state() {
                Err(question) => CommandOutcome::Ask(question),
                Ok(State::Wanted) => CommandOutcome::Found(Finding::Present),
                Ok(State::Missing) if can_try_again => CommandOutcome::Retry,
                Ok(State::Other) => self.replacement(command, can_try_again),
                Ok(State::Missing | State::Unknown) => CommandOutcome::Failed(FailureState::NotDone),
            };
        }
        if error.is_not_found() {
            if command.verb() == Verb::Delete || command.role != Role::Main {
                return CommandOutcome::Found(Finding::Gone);
            }
            if let (Some(service), Some(Errno::ESRCH)) = (subject.service(), error.errno()) {
                if self.round.awaited.contains(&service) {
                    return CommandOutcome::Wait;
                }
                if self.failed_services.contains(&service) {
                    return CommandOutcome::Consequence;
                }
            }
            if self.is_forward() && subject.service().is_some() {
                return match state() {
                    Err(question) => CommandOutcome::Ask(question),
                    Ok(State::Wanted) => CommandOutcome::Done,
                    Ok(State::Missing | State::Other) => self.replacement(command, can_try_again),
                    Ok(State::Unknown) => CommandOutcome::Failed(FailureState::NotDone),
                };
            }
        }
        if is_unknown(error) {
            return match state() {
                Err(question) => CommandOutcome::Ask(question),
                Ok(State::Wanted) => CommandOutcome::Done,
                Ok(State::Other) if makes => self.replacement(command, can_try_again),
                Ok(State::Unknown) => CommandOutcome::Failed(FailureState::Unknown),
                Ok(_) if can_try_again => CommandOutcome::Retry,
                Ok(_) => CommandOutcome::Failed(FailureState::NotDone),
            };
        }
        if can_try_again && (error.is_retryable() || error.errno() == Some(Errno::EINTR)) {
            return CommandOutcome::Retry;
        }
        CommandOutcome::Failed(FailureState::NotDone)
    }

    /// The object planned again on its current state, if that is allowed.
    fn replacement(&self, command: &Command, can_try_again: bool) -> CommandOutcome {
        let may = can_try_again && self.is_forward() && self.options.on_race == OnRace::PlanAgain;
        let object = command.subject().plan_again(&self.facts, self.left_alone(command)).filter(|_| may);
        match object.filter(|object| self.options.allowed.contains(Actions::from(object.subject().kind()))) {
            Some(object) => CommandOutcome::Replace(object),
            None => CommandOutcome::Failed(FailureState::Raced),
        }
    }

    fn act(&mut self, mut command: Command, outcome: CommandOutcome, error: Option<Error>) {
        match outcome {
            CommandOutcome::Retry => {
                command.attempts = command.attempts.saturating_add(1);
                if command.makes_service() {
                    self.round.awaited.extend(command.subject().service());
                }
                self.round.has_to_pause = true;
                self.round.back.push_back(command);
            }
            CommandOutcome::Wait => self.round.back.push_back(command),
            CommandOutcome::Replace(object) => self.plan_again(command, object),
            CommandOutcome::Done | CommandOutcome::Found(_) if !self.is_forward() => self.count(command.place),
            CommandOutcome::Done => {
                if command.role == Role::Main {
                    self.count(command.place);
                }
                self.note_change(command);
            }
            CommandOutcome::Found(finding) => {
                if command.role == Role::Main {
                    self.has_met_others = true;
                    self.warn(&command, finding);
                    self.count(command.place);
                }
            }
            CommandOutcome::Consequence => self.mark_failed(command.place),
            CommandOutcome::Failed(state) => {
                if let Some(error) = error {
                    self.fail(command, state, error);
                }
            }
            CommandOutcome::Ask(_) => {}
        }
    }

    /// Sends a command for an object as it is planned now.
    fn plan_again(&mut self, mut command: Command, object: Object) {
        self.has_met_others = true;
        command.attempts = command.attempts.saturating_add(1);
        let has_vanished = command.verb() == Verb::Update;
        command.object = object;
        let has_vanished = has_vanished && command.makes_service();
        let (place, service) = (command.place, command.subject().service().filter(|_| has_vanished));
        self.round.awaited.extend(service);
        self.round.back.push_back(command);
        // A service that has vanished is made with all the destinations that it should have.
        let Some((service, operation)) = service.zip(self.plan.operations().get(place)) else { return };
        let additions = additions(service, &operation.destinations).map(|object| Command::new(place, object));
        let before = self.round.back.len();
        self.round.back.extend(additions);
        if let Some(state) = self.states.get_mut(place) {
            state.left += self.round.back.len() - before;
        }
    }

    fn fail(&mut self, command: Command, state: FailureState, error: Error) {
        self.mark_failed(command.place);
        // Without this service, nothing further can be done to its destinations.
        if command.makes_service() || error.errno() == Some(Errno::ESRCH) {
            self.failed_services.extend(command.subject().service());
        }
        if command.verb() == Verb::Delete {
            self.failed_stops.extend(command.subject().role());
        }
        let is_hopeless = error.kind() != ErrorKind::Kernel;
        let action = command.to_string();
        if !self.is_forward() {
            self.round.has_ended |= is_hopeless;
            self.unrestored.push(Unrestored { action, error: Some(error) });
            return;
        }
        let is_raced = state == FailureState::Raced;
        let operation = self.plan.operations().get(command.place).cloned();
        if state == FailureState::Unknown {
            self.note_change(command);
        }
        let failure = operation.map(|operation| Failure { operation, action, error, is_conflict: is_raced });
        if is_raced && self.options.on_race == OnRace::PlanAgain {
            // A change by another program is not a reason to undo everything else.
            self.raced.extend(failure);
            return;
        }
        // Failures in the same batch after the one that ended the plan are not reported.
        if !self.round.has_ended {
            self.failures.extend(failure);
        }
        self.round.has_ended |= is_hopeless || self.options.on_error != OnError::Continue;
    }
}

/// Whether a command may have been executed although it failed.
fn is_unknown(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Lost | ErrorKind::Decode | ErrorKind::Io)
}
