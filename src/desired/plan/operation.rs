use std::fmt;

use crate::desired::settings::{SettingChange, changes_of_config, changes_of_destination, changes_of_service};
use crate::desired::{Connections, Drain, ServiceAttributes};
use crate::model::{Config, Destination, DestinationId, Service, ServiceEntry, ServiceId, SyncDaemon, TableService};

/// A value before and after.
///
/// Which side is there says what happens, and to swap the sides undoes it.
///
/// ```
/// use ipvs_rs::desired::plan::{Change, Verb};
///
/// let change = Change::add(7);
/// assert_eq!(change.verb(), Verb::Add);
/// assert_eq!(change.inverse(), Change::delete(7));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(clippy::exhaustive_structs, reason = "there is no third side")]
pub struct Change<T> {
    /// The value as it is; `None` if there is none.
    pub before: Option<T>,
    /// The value as it will be; `None` if there will be none.
    pub after: Option<T>,
}

/// The effect of a [`Change`], by the sides that it has.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(clippy::exhaustive_enums, reason = "there is no third side")]
pub enum Verb {
    /// Only the side after is there.
    Add,
    /// Both sides are there.
    Update,
    /// Only the side before is there.
    Delete,
}

/// An object that a plan can change, with its value before and after.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Object {
    /// Time-outs: those that change. They cannot be added or deleted.
    Timeouts(Change<Config>),
    /// A service. Its destinations come and go with it; where it is updated, the side after lists those that it should
    /// have, and each that changes has an operation of its own.
    Service(Box<Change<TableService>>),
    /// A destination of a service.
    Destination(ServiceId, Change<Destination>),
    /// A synchronization daemon, which starts or stops.
    SyncDaemon(Change<SyncDaemon>),
}

/// One change of the table.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// The object, with its value before and after.
    pub object: Object,
    /// How a destination is drained before it is deleted, or after it was given weight 0.
    pub drain: Option<Drain>,
    /// The connections of a destination that is deleted, when the plan was made.
    pub connections: Connections,
    /// The settings of a service that are left as they are found, should another program have made it meanwhile.
    pub left_alone: ServiceAttributes,
}

impl<T> Change<T> {
    /// A value that comes.
    pub const fn add(after: T) -> Self {
        Self { before: None, after: Some(after) }
    }

    /// A value that becomes another.
    pub const fn update(before: T, after: T) -> Self {
        Self { before: Some(before), after: Some(after) }
    }

    /// A value that goes.
    pub const fn delete(before: T) -> Self {
        Self { before: Some(before), after: None }
    }

    /// Returns its effect. A change without any side counts as a deletion of something that is not there.
    pub const fn verb(&self) -> Verb {
        match (&self.before, &self.after) {
            (None, Some(_)) => Verb::Add,
            (Some(_), Some(_)) => Verb::Update,
            (_, None) => Verb::Delete,
        }
    }

    /// The change that undoes it.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { before: self.after, after: self.before }
    }

    /// References to both sides.
    pub const fn as_ref(&self) -> Change<&T> {
        Change { before: self.before.as_ref(), after: self.after.as_ref() }
    }

    /// Both sides as something else.
    pub fn map<U>(self, mut of: impl FnMut(T) -> U) -> Change<U> {
        Change { before: self.before.map(&mut of), after: self.after.map(of) }
    }

    /// The value as it will be, or as it was if it goes.
    pub fn latest(&self) -> Option<&T> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

impl Operation {
    /// A change of an object, without anything around it.
    pub fn new(object: Object) -> Self {
        Self { object, drain: None, connections: Connections::default(), left_alone: ServiceAttributes::empty() }
    }

    /// A change of time-outs.
    pub fn timeouts(change: Change<Config>) -> Self {
        Self::new(Object::Timeouts(change))
    }

    /// A change of a service with its destinations.
    pub fn of_service(change: Change<TableService>) -> Self {
        Self::new(Object::Service(Box::new(change)))
    }

    /// A change of the settings of a service.
    pub fn settings(before: Service, after: Service) -> Self {
        let row = |service| TableService::new(ServiceEntry::new(service), Vec::new());
        Self::of_service(Change::update(row(before), row(after)))
    }

    /// A change of a destination.
    pub fn of_destination(service: ServiceId, change: Change<Destination>) -> Self {
        Self::new(Object::Destination(service, change))
    }

    /// A daemon that starts or stops.
    pub fn sync_daemon(change: Change<SyncDaemon>) -> Self {
        Self::new(Object::SyncDaemon(change))
    }

    /// Sets how what is deleted is drained before.
    #[must_use]
    pub const fn drained(mut self, drain: Option<Drain>) -> Self {
        self.drain = drain;
        self
    }

    /// The object and what happens to it, as one word.
    pub fn kind(&self) -> OperationKind {
        match &self.object {
            Object::Timeouts(_) => OperationKind::UpdateTimeouts,
            Object::Service(change) => OperationKind::of_service(change.verb()),
            Object::Destination(_, change) => OperationKind::of_destination(change.verb()),
            Object::SyncDaemon(change) => OperationKind::of_daemon(change.verb()),
        }
    }

    /// Returns what happens to the object.
    pub fn verb(&self) -> Verb {
        self.kind().verb()
    }

    /// The service that it changes, or whose destination.
    pub fn service(&self) -> Option<ServiceId> {
        match &self.object {
            Object::Service(change) => change.latest().map(|row| row.service.id()),
            Object::Destination(service, _) => Some(*service),
            Object::Timeouts(_) | Object::SyncDaemon(_) => None,
        }
    }

    /// The destination that it changes.
    pub fn destination(&self) -> Option<DestinationId> {
        match &self.object {
            Object::Destination(_, change) => change.latest().map(|destination| destination.id),
            _ => None,
        }
    }

    /// The settings that become others, each with what it was and what it will be; none for what is made or deleted.
    pub fn changes(&self) -> Vec<SettingChange> {
        match &self.object {
            Object::Timeouts(Change { before, after: Some(after) }) => {
                changes_of_config(&before.unwrap_or_default(), after)
            }
            Object::Service(change) => match change.as_ref() {
                Change { before: Some(before), after: Some(after) } => {
                    changes_of_service(&before.service.service, &after.service.service)
                }
                _ => Vec::new(),
            },
            Object::Destination(_, Change { before: Some(before), after: Some(after) }) => {
                changes_of_destination(before, after)
            }
            _ => Vec::new(),
        }
    }
}

/// The object of an [`Operation`] and what happens to it, as one word.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum OperationKind {
    /// `update-timeouts`
    UpdateTimeouts,
    /// `add-service`
    AddService,
    /// `update-service`
    UpdateService,
    /// `delete-service`
    DeleteService,
    /// `add-destination`
    AddDestination,
    /// `update-destination`
    UpdateDestination,
    /// `delete-destination`
    DeleteDestination,
    /// `stop-sync`
    StopSync,
    /// `start-sync`
    StartSync,
}

impl OperationKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::UpdateTimeouts,
        Self::AddService,
        Self::UpdateService,
        Self::DeleteService,
        Self::AddDestination,
        Self::UpdateDestination,
        Self::DeleteDestination,
        Self::StopSync,
        Self::StartSync,
    ];

    pub(in crate::desired) const fn of_service(verb: Verb) -> Self {
        match verb {
            Verb::Add => Self::AddService,
            Verb::Update => Self::UpdateService,
            Verb::Delete => Self::DeleteService,
        }
    }

    pub(in crate::desired) const fn of_destination(verb: Verb) -> Self {
        match verb {
            Verb::Add => Self::AddDestination,
            Verb::Update => Self::UpdateDestination,
            Verb::Delete => Self::DeleteDestination,
        }
    }

    pub(in crate::desired) const fn of_daemon(verb: Verb) -> Self {
        match verb {
            Verb::Add | Verb::Update => Self::StartSync,
            Verb::Delete => Self::StopSync,
        }
    }

    /// Its word in a change set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpdateTimeouts => "update-timeouts",
            Self::AddService => "add-service",
            Self::UpdateService => "update-service",
            Self::DeleteService => "delete-service",
            Self::AddDestination => "add-destination",
            Self::UpdateDestination => "update-destination",
            Self::DeleteDestination => "delete-destination",
            Self::StopSync => "stop-sync",
            Self::StartSync => "start-sync",
        }
    }

    /// Returns what it does to its object.
    pub const fn verb(self) -> Verb {
        match self {
            Self::AddService | Self::AddDestination | Self::StartSync => Verb::Add,
            Self::UpdateTimeouts | Self::UpdateService | Self::UpdateDestination => Verb::Update,
            Self::DeleteService | Self::DeleteDestination | Self::StopSync => Verb::Delete,
        }
    }

    /// The sign of a line about it: `+`, `~` or `-`.
    pub const fn sign(self) -> char {
        match self.verb() {
            Verb::Add => '+',
            Verb::Update => '~',
            Verb::Delete => '-',
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
