use std::collections::HashSet;

use super::command::parts;
use crate::Error;
use crate::desired::object::{Facts, Object, Question, State};
use crate::desired::plan::{Operation, Verb};
use crate::model::ServiceId;

/// Up to this many services are asked for one by one; for more, all are listed.
const SINGLE: usize = 16;
/// The number of times in a row that the kernel may refuse to show a table.
pub(super) const LOOKS: u32 = 3;

/// The verification: the objects that have to be there for a plan to be carried out.
#[derive(Debug, Default)]
pub(super) struct Verification {
    /// The places of the operations that were carried out.
    places: Vec<usize>,
    services: Vec<ServiceId>,
    /// Those whose destinations are read as well.
    lists: Vec<ServiceId>,
    looks: u32,
}

/// The next step of a verification.
#[derive(Debug)]
pub(super) enum Check {
    Ask(Question),
    /// The kernel refused an answer, and is to be asked again after a pause.
    Again,
    Refused(Error),
    /// The places of the operations that are not as the plan promised.
    Done(Vec<usize>),
}

impl Verification {
    /// Begins the verification of some operations of a plan.
    ///
    /// Unless it reads everything, the destinations of a service that the plan has made itself are not read: the kernel
    /// has confirmed each of them after the service, which is read.
    pub(super) fn new(operations: &[Operation], places: Vec<usize>, reads_all: bool) -> Self {
        let mut verification = Self { places, ..Self::default() };
        let (mut seen, mut listed) = (HashSet::new(), HashSet::new());
        for operation in verification.places.iter().filter_map(|place| operations.get(*place)) {
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

    /// Asks for facts that are not known yet; then returns the differences from the plan, or fails.
    pub(super) fn next(&mut self, operations: &[Operation], facts: &mut Facts) -> Check {
        if let Some(question) = self.open_question(operations, facts) {
            return Check::Ask(question);
        }
        if let Some(error) = facts.refusal.take() {
            self.looks += 1;
            if self.looks == LOOKS {
                return Check::Refused(error);
            }
            *facts = Facts::default();
            return Check::Again;
        }
        let mut missing = Vec::new();
        // Of several operations on one object, the last one counts.
        let mut seen = HashSet::new();
        for place in self.places.iter().rev().copied() {
            let Some(operation) = operations.get(place) else { continue };
            let subject = operation.object.subject();
            let kind = std::mem::discriminant(&operation.object);
            if !seen.insert((kind, subject.service(), subject.destination(), subject.role())) {
                continue;
            }
            let is_listed = operation.service().is_some_and(|id| facts.lists.contains_key(&id));
            let is_wrong = |part: Object| {
                let part = part.subject();
                let is_destination = part.destination().is_some();
                let has_service = !is_destination || part.service().is_none_or(|id| facts.service(&id) != Ok(None));
                let state = part.state(facts, operation.left_alone);
                let is_known = !is_destination || is_listed;
                // A deleted destination leaves its service in place.
                !has_service || (is_known && matches!(state, State::Other | State::Missing))
            };
            if parts(operation).any(is_wrong) {
                missing.push(place);
            }
        }
        Check::Done(missing)
    }

    fn open_question(&self, operations: &[Operation], facts: &Facts) -> Option<Question> {
        if facts.refusal.is_some() {
            return None;
        }
        let rest = self.places.iter().filter_map(|place| operations.get(*place));
        let mut rest = rest.map(|operation| operation.object.subject()).filter(|subject| subject.service().is_none());
        if let Some(question) = rest.find_map(|subject| subject.question(facts)) {
            return Some(question);
        }
        let Self { services, lists, .. } = self;
        let unknown = services.iter().filter_map(|id| facts.question_of_service(*id));
        let unknown: Vec<_> = unknown.take(SINGLE + 1).collect();
        if unknown.len() > SINGLE {
            let has_listed = facts.has_listed_services;
            return Some(if has_listed { Question::StableServices } else { Question::Services });
        }
        if let Some(question) = unknown.first() {
            return Some(*question);
        }
        let is_there = |id: &&ServiceId| facts.service(id) != Ok(None) && !facts.lists.contains_key(id);
        lists.iter().find(is_there).map(|id| Question::StableDestinations(*id))
    }
}
