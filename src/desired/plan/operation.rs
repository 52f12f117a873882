use std::fmt;

use crate::desired::settings::{SettingChange, changes_of_config, changes_of_destination, changes_of_service};
use crate::desired::{DesiredDestination, DesiredService, Drain};
use crate::model::{
    Config, Destination, DestinationEntry, DestinationId, Service, ServiceId, SyncDaemon, TableService,
};

/// One change of the table.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// Changes time-outs.
    #[non_exhaustive]
    UpdateTimeouts {
        /// All as they are.
        live: Config,
        /// Those that change.
        wanted: Config,
    },
    /// Makes a service, and its destinations.
    #[non_exhaustive]
    AddService {
        /// The service.
        service: DesiredService,
    },
    /// Changes settings of a service; its connections stay.
    #[non_exhaustive]
    UpdateService {
        /// As it is.
        live: Service,
        /// As it will be: what is left alone is as it was.
        wanted: Service,
        /// What was asked for.
        desired: Box<DesiredService>,
    },
    /// Deletes a service with all of its destinations.
    #[non_exhaustive]
    DeleteService {
        /// As it is.
        live: Box<TableService>,
        /// How its destinations are drained before.
        drain: Option<Drain>,
    },
    /// Makes a destination.
    #[non_exhaustive]
    AddDestination {
        /// The service that it belongs to.
        service: ServiceId,
        /// The destination.
        destination: DesiredDestination,
    },
    /// Changes settings of a destination; its connections stay.
    #[non_exhaustive]
    UpdateDestination {
        /// The service that it belongs to.
        service: ServiceId,
        /// As it is.
        live: Destination,
        /// As it will be: what is left alone is as it was.
        wanted: Destination,
        /// Its address as somebody wrote it, if other than the canonical form.
        written: Option<Box<str>>,
    },
    /// Deletes a destination.
    #[non_exhaustive]
    DeleteDestination {
        /// The service that it belongs to.
        service: ServiceId,
        /// As it is.
        live: DestinationEntry,
        /// How it is drained before.
        drain: Option<Drain>,
    },
    /// Stops a synchronization daemon.
    #[non_exhaustive]
    StopSync {
        /// As it is.
        live: SyncDaemon,
    },
    /// Starts a synchronization daemon.
    #[non_exhaustive]
    StartSync {
        /// As it will be.
        wanted: SyncDaemon,
    },
}

/// What an [`Operation`] does.
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
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Operation {
    /// What it does.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::UpdateTimeouts { .. } => OperationKind::UpdateTimeouts,
            Self::AddService { .. } => OperationKind::AddService,
            Self::UpdateService { .. } => OperationKind::UpdateService,
            Self::DeleteService { .. } => OperationKind::DeleteService,
            Self::AddDestination { .. } => OperationKind::AddDestination,
            Self::UpdateDestination { .. } => OperationKind::UpdateDestination,
            Self::DeleteDestination { .. } => OperationKind::DeleteDestination,
            Self::StopSync { .. } => OperationKind::StopSync,
            Self::StartSync { .. } => OperationKind::StartSync,
        }
    }

    /// The service that it changes, or whose destination.
    pub const fn service(&self) -> Option<ServiceId> {
        match self {
            Self::AddService { service } => Some(service.id()),
            Self::UpdateService { live, .. } => Some(live.id),
            Self::DeleteService { live, .. } => Some(live.service.service.id),
            Self::AddDestination { service, .. }
            | Self::UpdateDestination { service, .. }
            | Self::DeleteDestination { service, .. } => Some(*service),
            Self::UpdateTimeouts { .. } | Self::StopSync { .. } | Self::StartSync { .. } => None,
        }
    }

    /// The destination that it changes.
    pub const fn destination(&self) -> Option<DestinationId> {
        match self {
            Self::AddDestination { destination, .. } => Some(destination.id()),
            Self::UpdateDestination { live, .. } => Some(live.id),
            Self::DeleteDestination { live, .. } => Some(live.destination.id),
            _ => None,
        }
    }

    /// The settings that become others, each with what it was and what it will be; none for what is made or deleted.
    pub fn changes(&self) -> Vec<SettingChange> {
        match self {
            Self::UpdateTimeouts { live, wanted } => changes_of_config(live, wanted),
            Self::UpdateService { live, wanted, .. } => changes_of_service(live, wanted),
            Self::UpdateDestination { live, wanted, .. } => changes_of_destination(live, wanted),
            _ => Vec::new(),
        }
    }
}
