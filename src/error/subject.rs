use std::fmt;

use crate::model::{DestinationId, ServiceId, SyncRole};

/// The call of a handle that was attempted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// Opening a handle.
    Open,
    /// Creating a value, which is refused with an [`InvalidValue`](crate::model::InvalidValue).
    MakeValue,
    /// Reading text, which is refused with a [`ParseError`](crate::model::ParseError).
    ParseText,
    /// Entering a network namespace.
    EnterNetns,
    /// Reading or changing a file; [`ProcfsError::operation`](crate::procfs::ProcfsError::operation) says which.
    Procfs,
    /// `new_service`.
    NewService,
    /// `update_service`.
    UpdateService,
    /// `delete_service`.
    DeleteService,
    /// `get_service`.
    GetService,
    /// `get_services`.
    GetServices,
    /// `new_destination`.
    NewDestination,
    /// `update_destination`.
    UpdateDestination,
    /// `delete_destination`.
    DeleteDestination,
    /// `get_destinations`.
    GetDestinations,
    /// `start_sync`.
    StartSync,
    /// `stop_sync`.
    StopSync,
    /// `get_sync_daemons`.
    GetSyncDaemons,
    /// `set_config`.
    SetConfig,
    /// `get_config`.
    GetConfig,
    /// `get_info`.
    GetInfo,
    /// `zero`.
    Zero,
    /// `flush`.
    Flush,
}

/// The object of a call.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// The whole table, or no particular object.
    Table,
    /// A service.
    Service(ServiceId),
    /// A destination of a service.
    Destination(ServiceId, DestinationId),
    /// All destinations of a service.
    Destinations(ServiceId),
    /// A synchronization daemon.
    Daemon(SyncRole),
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open handle",
            Self::MakeValue => "make value",
            Self::ParseText => "parse text",
            Self::EnterNetns => "enter network namespace",
            Self::Procfs => "use procfs",
            Self::NewService => "new service",
            Self::UpdateService => "update service",
            Self::DeleteService => "delete service",
            Self::GetService => "get service",
            Self::GetServices => "get services",
            Self::NewDestination => "new destination",
            Self::UpdateDestination => "update destination",
            Self::DeleteDestination => "delete destination",
            Self::GetDestinations => "get destinations",
            Self::StartSync => "start sync",
            Self::StopSync => "stop sync",
            Self::GetSyncDaemons => "get sync daemons",
            Self::SetConfig => "set config",
            Self::GetConfig => "get config",
            Self::GetInfo => "get info",
            Self::Zero => "zero",
            Self::Flush => "flush",
        })
    }
}

/// With a blank in front, so that it can follow the call.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => Ok(()),
            Self::Service(id) => write!(f, " {id}"),
            Self::Destination(service, id) => write!(f, " {id} for {service}"),
            Self::Destinations(service) => write!(f, " of {service}"),
            Self::Daemon(role) => write!(f, " {role}"),
        }
    }
}
