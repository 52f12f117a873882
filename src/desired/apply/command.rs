use std::fmt;
use std::ops::Deref;

use crate::desired::plan::{Change, Object, Operation, OperationKind, Verb};
use crate::handle::Batch;
use crate::model::{Config, Destination, DestinationId, Service, ServiceEntry, ServiceId, SyncDaemon, TableService};

/// A request to the kernel, as a part of an operation.
#[derive(Clone, Debug)]
pub(super) struct Command<'p> {
    /// The place of the operation in its plan.
    pub(super) place: usize,
    pub(super) part: Part<'p>,
    pub(super) role: Role,
    /// How often it was tried in vain.
    pub(super) attempts: u8,
}

/// The role of a command in its operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// A part of what the operation is about.
    Main,
    /// Weight 0, before the connections of a destination are waited for.
    Quiesce,
    /// The weight from before, when they did not end.
    Restore,
    /// A deletion although the operation only drains, when the connections did not end.
    Extra,
}

/// The object that one request changes, with its value before and after. To swap the sides undoes it.
#[derive(Clone, Debug)]
pub(super) enum Part<'p> {
    Timeouts(Change<Config>),
    /// The settings of a service. One that is deleted takes its destinations with it.
    Service(Change<Value<'p, TableService>>),
    Destination(&'p ServiceId, Change<Value<'p, Destination>>),
    SyncDaemon(Change<&'p SyncDaemon>),
}

/// A value of the plan, or one that was seen or worked out since.
#[derive(Clone, Debug)]
pub(super) enum Value<'p, T> {
    Planned(&'p T),
    Own(Box<T>),
}

impl<T> Value<'_, T> {
    pub(super) fn own(value: T) -> Self {
        Self::Own(Box::new(value))
    }
}

impl<T> Deref for Value<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Planned(value) => value,
            Self::Own(value) => value,
        }
    }
}

impl<'p> Command<'p> {
    pub(super) const fn new(place: usize, part: Part<'p>) -> Self {
        Self { place, part, role: Role::Main, attempts: 0 }
    }
}

/// The parts of an operation: a new service first, then its destinations.
pub(super) fn parts(operation: &Operation) -> impl Iterator<Item = Part<'_>> {
    let mut destinations = None;
    let first = match &operation.object {
        Object::Timeouts(change) => Part::Timeouts(*change),
        Object::Service(change) => {
            destinations = change.after.as_ref().filter(|_| change.verb() == Verb::Add);
            Part::Service(change.as_ref().as_ref().map(Value::Planned))
        }
        Object::Destination(service, change) => Part::Destination(service, change.as_ref().map(Value::Planned)),
        Object::SyncDaemon(change) => Part::SyncDaemon(change.as_ref()),
    };
    std::iter::once(first).chain(destinations.into_iter().flat_map(additions))
}

/// The number of [`parts`].
pub(super) fn count(operation: &Operation) -> usize {
    match &operation.object {
        Object::Service(change) if change.verb() == Verb::Add => {
            change.after.as_ref().map_or(0, |row| row.destinations.len()).saturating_add(1)
        }
        _ => 1,
    }
}

/// The destinations of a service that is made.
pub(super) fn additions(row: &TableService) -> impl DoubleEndedIterator<Item = Part<'_>> {
    let service = &row.service.service.id;
    row.destinations
        .iter()
        .map(move |entry| Part::Destination(service, Change::add(Value::Planned(&entry.destination))))
}

/// A service without its destinations, as a value of a change.
pub(super) fn row<'p>(service: Service) -> Value<'p, TableService> {
    Value::own(TableService::new(ServiceEntry::new(service), Vec::new()))
}

impl<'p> Part<'p> {
    /// The parts that undo it. The destinations of a service come in the reverse order of its list, since the kernel
    /// puts each before those that are there, and finds the one that was deleted last first.
    pub(super) fn inverses(self) -> impl Iterator<Item = Self> {
        let mut destinations = None;
        let first = match self {
            Self::Timeouts(change) => Self::Timeouts(change.inverse()),
            Self::Service(change) => {
                let change = change.inverse();
                destinations = match &change {
                    Change { before: None, after: Some(Value::Planned(row)) } => Some(*row),
                    _ => None,
                };
                Self::Service(change)
            }
            Self::Destination(service, change) => Self::Destination(service, change.inverse()),
            Self::SyncDaemon(change) => Self::SyncDaemon(change.inverse()),
        };
        std::iter::once(first).chain(destinations.into_iter().flat_map(|row| additions(row).rev()))
    }

    /// Adds it to a batch, unless it [has to be sent by itself](Self::daemon).
    pub(super) fn add_to<'h, H>(&self, batch: Batch<'h, H>) -> Batch<'h, H> {
        match self {
            Self::Timeouts(change) => change.after.iter().fold(batch, Batch::set_config),
            Self::Service(change) => match (&change.before, &change.after) {
                (None, Some(after)) => batch.new_service(&after.service.service),
                (Some(_), Some(after)) => batch.update_service(&after.service.service),
                (Some(before), None) => batch.delete_service(&before.service.service.id),
                (None, None) => batch,
            },
            Self::Destination(service, change) => match (&change.before, &change.after) {
                (None, Some(after)) => batch.new_destination(service, after),
                (Some(_), Some(after)) => batch.update_destination(service, after),
                (Some(before), None) => batch.delete_destination(service, &before.id),
                (None, None) => batch,
            },
            Self::SyncDaemon(_) => batch,
        }
    }

    pub(super) const fn kind(&self) -> OperationKind {
        match self {
            Self::Timeouts(_) => OperationKind::UpdateTimeouts,
            Self::Service(change) => OperationKind::of_service(change.verb()),
            Self::Destination(_, change) => OperationKind::of_destination(change.verb()),
            Self::SyncDaemon(change) => OperationKind::of_daemon(change.verb()),
        }
    }

    /// The daemon that it starts or stops, which has to be done by itself.
    pub(super) const fn daemon(&self) -> Option<&Change<&'p SyncDaemon>> {
        match self {
            Self::SyncDaemon(change) => Some(change),
            _ => None,
        }
    }

    /// The service that it is about.
    pub(super) fn service(&self) -> Option<ServiceId> {
        match self {
            Self::Service(change) => change.latest().map(|row| row.service.id()),
            Self::Destination(service, _) => Some(**service),
            Self::Timeouts(_) | Self::SyncDaemon(_) => None,
        }
    }

    /// The destination that it is about.
    pub(super) fn destination(&self) -> Option<DestinationId> {
        match self {
            Self::Destination(_, change) => change.latest().map(|destination| destination.id),
            _ => None,
        }
    }
}

/// The action with all settings.
impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::Timeouts(change) => write!(f, "change time-outs ({})", change.after.unwrap_or_default()),
            Part::Service(change) => match (&change.before, &change.after) {
                (before, Some(after)) => {
                    let service = &after.service.service;
                    let rule = service.full_rule().to_string();
                    match before {
                        None => write!(f, "add service {} (ipvsadm {rule})", service.id),
                        Some(_) => {
                            write!(f, "change service {} (ipvsadm {})", service.id, rule.replacen("-A", "-E", 1))
                        }
                    }
                }
                (before, None) => before.iter().try_for_each(|row| write!(f, "delete service {}", row.service.id())),
            },
            Part::Destination(service, change) => match (&change.before, &change.after) {
                (None, Some(after)) => {
                    write!(f, "add destination {} (ipvsadm {})", after.id, after.full_rule(service))
                }
                (Some(before), Some(_)) if self.role == Role::Quiesce => {
                    write!(f, "give destination {} of {service} the weight 0", before.id)
                }
                (Some(_), Some(after)) => {
                    let rule = after.full_rule(service).to_string();
                    write!(f, "change destination {} (ipvsadm {})", after.id, rule.replacen("-a", "-e", 1))
                }
                (before, None) => {
                    before.iter().try_for_each(|before| write!(f, "delete destination {} of {service}", before.id))
                }
            },
            Part::SyncDaemon(change) => match (change.before, change.after) {
                (_, Some(after)) => write!(f, "start {after}"),
                (before, None) => before.iter().try_for_each(|daemon| write!(f, "stop {daemon}")),
            },
        }
    }
}
