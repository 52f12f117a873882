use std::fmt;

use crate::desired::{Activity, Operation, ServiceAttributes};
use crate::handle::Batch;
use crate::model::{Config, Destination, DestinationId, Service, ServiceId, SyncDaemon, TableService};

/// One request to the kernel, as part of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'p> {
    /// The place of the operation in its plan.
    pub(super) place: usize,
    pub(super) command: Command<'p>,
    /// How often it was tried in vain.
    pub(super) attempts: u8,
}

/// A request to the kernel, with what it takes to undo it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command<'p> {
    SetConfig {
        to: &'p Config,
        from: &'p Config,
    },
    RestoreConfig {
        to: &'p Config,
        from: &'p Config,
    },
    NewService {
        service: &'p Service,
        left_alone: ServiceAttributes,
    },
    UpdateService {
        to: &'p Service,
        from: &'p Service,
    },
    DeleteService {
        id: &'p ServiceId,
        was: Option<&'p TableService>,
    },
    NewDestination {
        service: &'p ServiceId,
        destination: &'p Destination,
        is_drained: bool,
    },
    UpdateDestination {
        service: &'p ServiceId,
        to: &'p Destination,
        from: &'p Destination,
    },
    DeleteDestination {
        service: &'p ServiceId,
        id: &'p DestinationId,
        was: Option<&'p Destination>,
    },
    /// Weight 0, everything else as it is.
    Quiesce {
        service: &'p ServiceId,
        from: &'p Destination,
    },
    /// The settings from before [`Quiesce`](Self::Quiesce).
    Restore {
        service: &'p ServiceId,
        to: &'p Destination,
    },
    StopSync {
        daemon: &'p SyncDaemon,
    },
    StartSync {
        daemon: &'p SyncDaemon,
    },
}

impl<'p> Step<'p> {
    pub(super) const fn new(place: usize, command: Command<'p>) -> Self {
        Self { place, command, attempts: 0 }
    }
}

/// The commands of an operation: the service first, then its destinations.
pub(super) fn commands(operation: &Operation) -> impl Iterator<Item = Command<'_>> {
    let mut destinations = [].as_slice();
    let first = match operation {
        Operation::UpdateTimeouts { live, wanted } => Command::SetConfig { to: wanted, from: live },
        Operation::AddService { service } => {
            destinations = &service.destinations;
            Command::NewService { service: &service.service, left_alone: service.left_alone }
        }
        Operation::UpdateService { live, wanted, .. } => Command::UpdateService { to: wanted, from: live },
        Operation::DeleteService { live, .. } => {
            Command::DeleteService { id: &live.service.service.id, was: Some(live) }
        }
        Operation::AddDestination { service, destination } => Command::NewDestination {
            service,
            destination: &destination.destination,
            is_drained: destination.activity == Activity::Drain,
        },
        Operation::UpdateDestination { service, live, wanted, .. } => {
            Command::UpdateDestination { service, to: wanted, from: live }
        }
        Operation::DeleteDestination { service, live, .. } => {
            Command::DeleteDestination { service, id: &live.destination.id, was: Some(&live.destination) }
        }
        Operation::StopSync { live } => Command::StopSync { daemon: live },
        Operation::StartSync { wanted } => Command::StartSync { daemon: wanted },
    };
    let rest = destinations.iter().filter_map(move |destination| match first {
        Command::NewService { service, .. } => Some(Command::NewDestination {
            service: &service.id,
            destination: &destination.destination,
            is_drained: destination.activity == Activity::Drain,
        }),
        _ => None,
    });
    std::iter::once(first).chain(rest)
}

/// The number of [`commands`].
pub(super) fn count(operation: &Operation) -> usize {
    match operation {
        Operation::AddService { service } => service.destinations.len().saturating_add(1),
        _ => 1,
    }
}

impl Command<'_> {
    /// The commands that undo it. The destinations of a service come in the reverse order of its list, since the kernel
    /// puts each before those that are there, and finds the one that was deleted last first.
    pub(super) fn inverses(self) -> impl Iterator<Item = Self> {
        let mut was = None;
        let first = match self {
            Self::SetConfig { to, from } => Some(Self::RestoreConfig { to: from, from: to }),
            Self::NewService { service, .. } => Some(Self::DeleteService { id: &service.id, was: None }),
            Self::UpdateService { to, from } => Some(Self::UpdateService { to: from, from: to }),
            Self::DeleteService { was: deleted, .. } => {
                was = deleted;
                deleted.map(|deleted| Self::NewService {
                    service: &deleted.service.service,
                    left_alone: ServiceAttributes::empty(),
                })
            }
            Self::NewDestination { service, destination, .. } => {
                Some(Self::DeleteDestination { service, id: &destination.id, was: None })
            }
            Self::UpdateDestination { service, to, from } => {
                Some(Self::UpdateDestination { service, to: from, from: to })
            }
            Self::DeleteDestination { service, was, .. } => {
                was.map(|destination| Self::NewDestination { service, destination, is_drained: false })
            }
            Self::Quiesce { service, from } => Some(Self::Restore { service, to: from }),
            Self::RestoreConfig { .. } | Self::Restore { .. } => None,
            Self::StopSync { daemon } => Some(Self::StartSync { daemon }),
            Self::StartSync { daemon } => Some(Self::StopSync { daemon }),
        };
        let rest = was.into_iter().flat_map(|was: &TableService| {
            let service = &was.service.service.id;
            was.destinations.iter().rev().map(move |entry| Self::NewDestination {
                service,
                destination: &entry.destination,
                is_drained: false,
            })
        });
        first.into_iter().chain(rest)
    }

    /// Adds it to a batch, unless it [has to be sent by itself](Self::is_alone).
    pub(super) fn add_to<'h>(&self, batch: Batch<'h>) -> Batch<'h> {
        match *self {
            Self::SetConfig { to, .. } => batch.set_config(to),
            Self::RestoreConfig { to, from } => batch.set_config(&where_both(to, from)),
            Self::NewService { service, .. } => batch.new_service(service),
            Self::UpdateService { to, .. } => batch.update_service(to),
            Self::DeleteService { id, .. } => batch.delete_service(id),
            Self::NewDestination { service, destination, is_drained: false } => {
                batch.new_destination(service, destination)
            }
            Self::NewDestination { service, destination, is_drained: true } => {
                batch.new_destination(service, &destination.clone().drained())
            }
            Self::UpdateDestination { service, to, .. } | Self::Restore { service, to } => {
                batch.update_destination(service, to)
            }
            Self::DeleteDestination { service, id, .. } => batch.delete_destination(service, id),
            Self::Quiesce { service, from } => batch.update_destination(service, &from.clone().drained()),
            Self::StopSync { .. } | Self::StartSync { .. } => batch,
        }
    }

    /// Whether it has to be sent by itself.
    pub(super) const fn is_alone(&self) -> bool {
        matches!(self, Self::StopSync { .. } | Self::StartSync { .. })
    }

    /// Whether "it is there already" can be what was wanted.
    pub(super) const fn makes(&self) -> bool {
        matches!(self, Self::NewService { .. } | Self::NewDestination { .. } | Self::StartSync { .. })
    }

    /// Whether "it is not there" is as good as done.
    pub(super) const fn removes(&self) -> bool {
        matches!(self, Self::DeleteService { .. } | Self::DeleteDestination { .. } | Self::StopSync { .. })
    }

    /// Whether an operation is carried out when it and others of its kind are.
    pub(super) const fn counts(&self) -> bool {
        !matches!(self, Self::Quiesce { .. } | Self::Restore { .. })
    }

    /// Whether undoing it cannot bring everything back.
    pub(super) const fn forgets(&self) -> bool {
        matches!(self, Self::DeleteService { .. } | Self::DeleteDestination { .. })
    }

    /// The service that it is about.
    pub(super) const fn service(&self) -> Option<ServiceId> {
        match self {
            Self::NewService { service, .. } => Some(service.id),
            Self::UpdateService { to, .. } => Some(to.id),
            Self::DeleteService { id, .. } => Some(**id),
            Self::NewDestination { service, .. }
            | Self::UpdateDestination { service, .. }
            | Self::DeleteDestination { service, .. }
            | Self::Quiesce { service, .. }
            | Self::Restore { service, .. } => Some(**service),
            Self::SetConfig { .. } | Self::RestoreConfig { .. } | Self::StopSync { .. } | Self::StartSync { .. } => {
                None
            }
        }
    }

    /// The destination that it is about.
    pub(super) const fn destination(&self) -> Option<DestinationId> {
        match self {
            Self::NewDestination { destination, .. } => Some(destination.id),
            Self::UpdateDestination { to, .. } | Self::Restore { to, .. } => Some(to.id),
            Self::DeleteDestination { id, .. } => Some(**id),
            Self::Quiesce { from, .. } => Some(from.id),
            _ => None,
        }
    }
}

/// What of these time-outs the others say as well.
pub(super) fn where_both(config: &Config, other: &Config) -> Config {
    let mut both = Config::new();
    both.tcp = config.tcp.filter(|_| other.tcp.is_some());
    both.tcp_fin = config.tcp_fin.filter(|_| other.tcp_fin.is_some());
    both.udp = config.udp.filter(|_| other.udp.is_some());
    both
}

/// What it does, with all settings.
impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SetConfig { to, .. } => write!(f, "change time-outs ({to})"),
            Self::RestoreConfig { to, from } => write!(f, "change time-outs ({})", where_both(to, from)),
            Self::NewService { service, .. } => {
                write!(f, "add service {} (ipvsadm {})", service.id, service.full_rule())
            }
            Self::UpdateService { to, .. } => {
                let rule = to.full_rule().to_string();
                write!(f, "change service {} (ipvsadm {})", to.id, rule.replacen("-A", "-E", 1))
            }
            Self::DeleteService { id, .. } => write!(f, "delete service {id}"),
            Self::NewDestination { service, destination, is_drained } => {
                let mut destination = destination.clone();
                if is_drained {
                    destination = destination.drained();
                }
                write!(f, "add destination {} (ipvsadm {})", destination.id, destination.full_rule(service))
            }
            Self::UpdateDestination { service, to, .. } | Self::Restore { service, to } => {
                let rule = to.full_rule(service).to_string();
                write!(f, "change destination {} (ipvsadm {})", to.id, rule.replacen("-a", "-e", 1))
            }
            Self::DeleteDestination { service, id, .. } => write!(f, "delete destination {id} of {service}"),
            Self::Quiesce { service, from } => write!(f, "give destination {} of {service} the weight 0", from.id),
            Self::StopSync { daemon } => write!(f, "stop {daemon}"),
            Self::StartSync { daemon } => write!(f, "start {daemon}"),
        }
    }
}
