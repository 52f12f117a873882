use super::{Change, DestinationChange, Object, OperationKind, SettingChange, Verb, additions};
use crate::desired::{ConnectionCounts, Drain, ServiceAttributes};
use crate::model::{Destination, DestinationEntry, DestinationId, Service, ServiceId};

/// One change of the table.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// The object, with its value before and after.
    pub object: Object,
    /// The destinations that a new service is made with, or that are deleted with a service; for a service that
    /// changes, the desired ones: each destination that changes has an operation of its own.
    pub destinations: Vec<DestinationEntry>,
    /// The drain of a destination before it is deleted, or after it got weight 0.
    pub drain: Option<Drain>,
    /// The connections of a destination that is deleted, when the plan was made.
    pub connections: ConnectionCounts,
    /// The settings of a service that are left as they are found, should another program have made it meanwhile.
    pub left_alone: ServiceAttributes,
}

impl Operation {
    /// A change of an object, without destinations and without a drain.
    pub fn new(object: Object) -> Self {
        Self {
            object,
            destinations: Vec::new(),
            drain: None,
            connections: ConnectionCounts::default(),
            left_alone: ServiceAttributes::empty(),
        }
    }

    /// A change of a service.
    pub fn of_service(change: Change<Service>, destinations: Vec<DestinationEntry>) -> Self {
        Self { destinations, ..Self::new(Object::Service(Box::new(change))) }
    }

    /// A change of a destination.
    pub fn of_destination(service: ServiceId, change: Change<Destination>) -> Self {
        Self::new(Object::Destination(DestinationChange { service, change }))
    }

    /// Sets how destinations are drained before they are deleted.
    #[must_use]
    pub const fn drained(mut self, drain: Option<Drain>) -> Self {
        self.drain = drain;
        self
    }

    /// The object and what happens to it, as one word.
    pub fn kind(&self) -> OperationKind {
        self.object.subject().kind()
    }

    /// Returns the effect on the object.
    pub fn verb(&self) -> Verb {
        self.kind().verb()
    }

    /// The service that it changes, or whose destination it changes.
    pub fn service(&self) -> Option<ServiceId> {
        self.object.subject().service()
    }

    /// The destination that it changes.
    pub fn destination(&self) -> Option<DestinationId> {
        self.object.subject().destination()
    }

    /// The settings that change, each with its value before and after; none for an object that is made or deleted.
    pub fn changes(&self) -> Vec<SettingChange> {
        self.object.subject().changes()
    }

    /// Whether it makes a service with destinations.
    pub(super) fn makes_destinations(&self) -> bool {
        self.kind() == OperationKind::AddService && !self.destinations.is_empty()
    }

    /// The destinations that it makes together with their service.
    pub(in crate::desired) fn additions(&self) -> impl DoubleEndedIterator<Item = Object> {
        let made = if self.makes_destinations() { self.destinations.as_slice() } else { &[] };
        self.service().into_iter().flat_map(|id| additions(id, made))
    }
}
