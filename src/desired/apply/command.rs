use std::fmt;

use crate::desired::object::{Object, Subject};
use crate::desired::plan::{Operation, Verb};

/// A request to the kernel, as a part of an operation.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// The place of the operation in its plan.
    pub(super) place: usize,
    pub(super) object: Object,
    pub(super) role: Role,
    /// The number of failed attempts.
    pub(super) attempts: u8,
}

/// The role of a command in its operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// A part of the operation itself.
    Main,
    /// Weight 0, before waiting for the connections of a destination.
    Quiesce,
    /// The previous weight, when the connections did not end.
    Restore,
    /// A deletion although the operation only drains, when the connections did not end.
    Extra,
}

impl Command {
    pub(super) const fn new(place: usize, object: Object) -> Self {
        Self { place, object, role: Role::Main, attempts: 0 }
    }

    pub(super) fn subject(&self) -> &dyn Subject {
        self.object.subject()
    }

    pub(super) fn verb(&self) -> Verb {
        self.subject().kind().verb()
    }

    pub(super) fn makes_service(&self) -> bool {
        matches!(&self.object, Object::Service(change) if change.verb() == Verb::Add)
    }
}

/// The objects that an operation changes: a new service first, then its destinations.
pub(super) fn parts(operation: &Operation) -> impl Iterator<Item = Object> {
    std::iter::once(operation.object.clone()).chain(operation.additions())
}

/// The number of [`parts`].
pub(super) fn count(operation: &Operation) -> usize {
    operation.additions().count().saturating_add(1)
}

/// The action with all settings.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject();
        match (self.role, subject.service(), subject.destination()) {
            (Role::Quiesce, Some(service), Some(destination)) => {
                write!(f, "give destination {destination} of {service} the weight 0")
            }
            _ => f.write_str(&subject.action()),
        }
    }
}
