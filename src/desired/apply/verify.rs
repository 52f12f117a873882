use std::collections::HashSet;

use super::applier::{Applier, BATCH};
use super::command::{count, parts};
use super::drain::LOOKS;
use super::settle::PAUSE;
use crate::desired::object::{Object, Question, State};
use crate::desired::plan::{Operation, Verb};
use crate::model::ServiceId;

/// Up to this many services are asked for one by one; for more, all are listed.
const SINGLE: usize = 16;

/// The verification: the objects that have to be there for a plan to be carried out.
#[derive(Debug, Default)]
pub(super) struct Verification {
    services: Vec<ServiceId>,
    /// Those whose destinations are read as well.
    lists: Vec<ServiceId>,
    looks: u32,
}

impl Applier<'_> {
    /// Begins the verification.
    ///
    /// Where the plan was long and nothing but its own commands happened, the destinations of a service that it has
    /// made itself are not read: the kernel has confirmed each of them after the service, which is read.
    pub(super) fn verification(&self) -> Verification {
        let commands: usize = self.plan.operations().iter().map(count).sum();
        let reads_all = commands <= BATCH || self.has_waited || self.has_met_others;
        let mut verification = Verification::default();
        let (mut seen, mut listed) = (HashSet::new(), HashSet::new());
        for (_, operation) in self.carried_out() {
            let Some(service) = operation.service() else { continue };
            let is_destination = operation.destination().is_some();
            let has_list = is_destination || operation.verb() == Verb::Add;
            if seen.insert(service) {
                verification.services.push(service);
            }
            if has_list && (reads_all || is_destination) && listed.insert(service) {
                verification.lists.push(service);
            }
        }
        verification
    }

    /// The operations that are carried out; those that drain, or have failed, promise nothing.
    fn carried_out(&self) -> impl Iterator<Item = (usize, &Operation)> {
        let is_done = |place: &usize| self.states.get(*place).is_some_and(|state| state.left == 0 && !state.has_failed);
        self.plan.operations().iter().enumerate().filter(move |(place, _)| is_done(place))
    }

    /// Asks for facts that are not known yet; then returns the differences from the plan, or fails.
    pub(super) fn verify(&mut self) {
        if let Some(question) = self.open_question() {
            self.question = Some(question);
            return;
        }
        if let Some(error) = self.facts.refusal.take() {
            self.verification.looks += 1;
            if self.verification.looks == LOOKS {
                return self.unconfirmed(error);
            }
            self.facts = <_>::default();
            return self.pause_for(PAUSE);
        }
        let mut missing = Vec::new();
        // Of several operations on one object, the last one counts.
        let mut seen = HashSet::new();
        let operations: Vec<_> = self.carried_out().collect();
        for (place, operation) in operations.into_iter().rev() {
            let subject = operation.object.subject();
            let kind = std::mem::discriminant(&operation.object);
            if !seen.insert((kind, subject.service(), subject.destination(), subject.role())) {
                continue;
            }
            let is_listed = operation.service().is_some_and(|id| self.facts.lists.contains_key(&id));
            let is_wrong = |part: Object| {
                let part = part.subject();
                let is_destination = part.destination().is_some();
                let has_service =
                    !is_destination || part.service().is_none_or(|id| self.facts.service(&id) != Ok(None));
                let state = part.state(&self.facts, operation.left_alone);
                let is_known = !is_destination || is_listed;
                // A deleted destination leaves its service in place.
                !has_service || (is_known && matches!(state, State::Other | State::Missing))
            };
            if parts(operation).any(is_wrong) {
                missing.push(place);
            }
        }
        self.verified(&missing);
    }

    fn open_question(&self) -> Option<Question> {
        if self.facts.refusal.is_some() {
            return None;
        }
        let rest = self.carried_out().map(|(_, operation)| operation.object.subject());
        let mut rest = rest.filter(|subject| subject.service().is_none());
        if let Some(question) = rest.find_map(|subject| subject.question(&self.facts)) {
            return Some(question);
        }
        let Verification { services, lists, .. } = &self.verification;
        let unknown = services.iter().filter_map(|id| self.facts.question_of_service(*id));
        let unknown: Vec<_> = unknown.take(SINGLE + 1).collect();
        if unknown.len() > SINGLE {
            let has_listed = self.facts.has_listed_services;
            return Some(if has_listed { Question::StableServices } else { Question::Services });
        }
        if let Some(question) = unknown.first() {
            return Some(*question);
        }
        let is_there = |id: &&ServiceId| self.facts.service(id) != Ok(None) && !self.facts.lists.contains_key(id);
        lists.iter().find(is_there).map(|id| Question::StableDestinations(*id))
    }
}
