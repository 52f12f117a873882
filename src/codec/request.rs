use super::attr::{Attr, Attrs, Sink, Writer};
use super::consts::{IPVS_CMD_ATTR_DAEMON, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE, IpvsCommand};
use super::error::{DecodeError, DecodeProblem};
use super::{config, daemon, destination, service};
use crate::model::{Config, Destination, DestinationId, Service, ServiceId, SyncDaemon, SyncRole};

/// A command with its arguments.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Request {
    /// Creates a service.
    NewService(Service),
    /// Replaces the settings of a service.
    SetService(Service),
    /// Removes a service and its destinations.
    DeleteService(ServiceId),
    /// Reads one service.
    GetService(ServiceId),
    /// Reads all services (a dump).
    GetServices,
    /// Creates a destination.
    NewDestination(ServiceId, Destination),
    /// Replaces the settings of a destination.
    SetDestination(ServiceId, Destination),
    /// Removes a destination.
    DeleteDestination(ServiceId, DestinationId),
    /// Reads all destinations of a service (a dump).
    GetDestinations(ServiceId),
    /// Starts a synchronization daemon.
    NewDaemon(SyncDaemon),
    /// Stops a synchronization daemon.
    DeleteDaemon(SyncRole),
    /// Reads the running synchronization daemons (a dump).
    GetDaemons,
    /// Sets the timeouts that are given.
    SetConfig(Config),
    /// Reads the timeouts.
    GetConfig,
    /// Reads the version and the size of the connection table.
    GetInfo,
    /// Zeroes the counters of a service and its destinations, or all of them.
    Zero(Option<ServiceId>),
    /// Removes all services.
    Flush,
}

impl Request {
    /// The command.
    pub const fn command(&self) -> IpvsCommand {
        match self {
            Self::NewService(_) => IpvsCommand::NewService,
            Self::SetService(_) => IpvsCommand::SetService,
            Self::DeleteService(_) => IpvsCommand::DeleteService,
            Self::GetService(_) | Self::GetServices => IpvsCommand::GetService,
            Self::NewDestination(..) => IpvsCommand::NewDestination,
            Self::SetDestination(..) => IpvsCommand::SetDestination,
            Self::DeleteDestination(..) => IpvsCommand::DeleteDestination,
            Self::GetDestinations(_) => IpvsCommand::GetDestination,
            Self::NewDaemon(_) => IpvsCommand::NewDaemon,
            Self::DeleteDaemon(_) => IpvsCommand::DeleteDaemon,
            Self::GetDaemons => IpvsCommand::GetDaemon,
            Self::SetConfig(_) => IpvsCommand::SetConfig,
            Self::GetConfig => IpvsCommand::GetConfig,
            Self::GetInfo => IpvsCommand::GetInfo,
            Self::Zero(_) => IpvsCommand::Zero,
            Self::Flush => IpvsCommand::Flush,
        }
    }

    /// Whether the answer is a list, which has to be requested with `NLM_F_DUMP`.
    pub const fn is_dump(&self) -> bool {
        matches!(self, Self::GetServices | Self::GetDestinations(_) | Self::GetDaemons)
    }

    /// Whether the answer is one data message.
    pub const fn is_get(&self) -> bool {
        matches!(self, Self::GetService(_) | Self::GetConfig | Self::GetInfo)
    }

    /// Appends the attributes of the request, which follow the generic-netlink header, to a buffer.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.put(out);
    }

    #[inline]
    pub(super) fn put<S: Sink>(&self, out: &mut S) {
        let out = &mut Writer(out);
        match self {
            Self::NewService(service) | Self::SetService(service) => service::encode(out, service),
            Self::DeleteService(id) | Self::GetService(id) | Self::GetDestinations(id) | Self::Zero(Some(id)) => {
                service::encode_id(out, id);
            }
            Self::NewDestination(id, destination) | Self::SetDestination(id, destination) => {
                service::encode_id(out, id);
                destination::encode(out, destination);
            }
            Self::DeleteDestination(id, destination) => {
                service::encode_id(out, id);
                destination::encode_id(out, destination);
            }
            Self::NewDaemon(daemon) => daemon::encode(out, daemon),
            Self::DeleteDaemon(role) => daemon::encode_role(out, *role),
            Self::SetConfig(config) => config::encode(out, config),
            Self::GetServices | Self::GetDaemons | Self::GetConfig | Self::GetInfo | Self::Zero(None) | Self::Flush => {
            }
        }
    }

    /// Reads the attributes of a request.
    ///
    /// `dump` is whether the request asked for a list, which distinguishes the two forms of
    /// [`IpvsCommand::GetService`].
    ///
    /// # Errors
    ///
    /// When the bytes are not attributes, when one is too short, missing or not valid, and when the family does not
    /// have this command.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::codec::Request;
    ///
    /// let request = Request::DeleteService("TCP 10.0.0.1:80".parse()?);
    /// let mut bytes = Vec::new();
    /// request.encode(&mut bytes);
    /// assert_eq!(Request::decode(request.command().number(), request.is_dump(), &bytes)?, request);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decode(command: u8, dump: bool, attributes: &[u8]) -> Result<Self, DecodeError> {
        let unknown = || DecodeError::new("genlmsghdr.cmd", 0, DecodeProblem::Unexpected);
        let nests = || Nests::read(attributes);
        Ok(match IpvsCommand::from_number(command).ok_or_else(unknown)? {
            IpvsCommand::NewService => Self::NewService(service::decode(nests()?.service()?)?.service),
            IpvsCommand::SetService => Self::SetService(service::decode(nests()?.service()?)?.service),
            IpvsCommand::DeleteService => Self::DeleteService(nests()?.service_id()?),
            IpvsCommand::GetService if dump => Self::GetServices,
            IpvsCommand::GetService => Self::GetService(nests()?.service_id()?),
            IpvsCommand::NewDestination => {
                let (id, destination) = nests()?.destination()?;
                Self::NewDestination(id, destination)
            }
            IpvsCommand::SetDestination => {
                let (id, destination) = nests()?.destination()?;
                Self::SetDestination(id, destination)
            }
            IpvsCommand::DeleteDestination => {
                let nests = nests()?;
                let id = nests.service_id()?;
                let destination = require(nests.destination, "IPVS_CMD_ATTR_DEST")?;
                Self::DeleteDestination(
                    id,
                    destination::decode_id(destination.nest("IPVS_CMD_ATTR_DEST"), id.family())?,
                )
            }
            IpvsCommand::GetDestination => Self::GetDestinations(nests()?.service_id()?),
            IpvsCommand::NewDaemon => Self::NewDaemon(daemon::decode(nests()?.daemon()?)?),
            IpvsCommand::DeleteDaemon => Self::DeleteDaemon(daemon::decode_role(nests()?.daemon()?)?),
            IpvsCommand::GetDaemon => Self::GetDaemons,
            IpvsCommand::SetConfig => Self::SetConfig(config::decode(Attrs::new(attributes, 0, "message"))?),
            IpvsCommand::GetConfig => Self::GetConfig,
            IpvsCommand::GetInfo => Self::GetInfo,
            IpvsCommand::Zero => {
                let nests = nests()?;
                Self::Zero(nests.service.is_some().then(|| nests.service_id()).transpose()?)
            }
            IpvsCommand::Flush => Self::Flush,
            IpvsCommand::SetInfo => return Err(unknown()),
        })
    }
}

/// The nests of a message.
#[derive(Debug, Default)]
pub(super) struct Nests<'a> {
    service: Option<Attr<'a>>,
    destination: Option<Attr<'a>>,
    daemon: Option<Attr<'a>>,
}

impl<'a> Nests<'a> {
    pub(super) fn read(attributes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut attrs = Attrs::new(attributes, 0, "message");
        let mut nests = Self::default();
        while let Some(attr) = attrs.next()? {
            match attr.kind {
                IPVS_CMD_ATTR_SERVICE => nests.service = Some(attr),
                IPVS_CMD_ATTR_DEST => nests.destination = Some(attr),
                IPVS_CMD_ATTR_DAEMON => nests.daemon = Some(attr),
                _ => {}
            }
        }
        Ok(nests)
    }

    pub(super) fn service(&self) -> Result<Attrs<'a>, DecodeError> {
        Ok(require(self.service, "IPVS_CMD_ATTR_SERVICE")?.nest("IPVS_CMD_ATTR_SERVICE"))
    }

    pub(super) fn destination_attrs(&self) -> Result<Attrs<'a>, DecodeError> {
        Ok(require(self.destination, "IPVS_CMD_ATTR_DEST")?.nest("IPVS_CMD_ATTR_DEST"))
    }

    pub(super) fn daemon(&self) -> Result<Attrs<'a>, DecodeError> {
        Ok(require(self.daemon, "IPVS_CMD_ATTR_DAEMON")?.nest("IPVS_CMD_ATTR_DAEMON"))
    }

    fn service_id(&self) -> Result<ServiceId, DecodeError> {
        service::decode_id(self.service()?)
    }

    fn destination(&self) -> Result<(ServiceId, Destination), DecodeError> {
        let id = self.service_id()?;
        Ok((id, destination::decode_settings(self.destination_attrs()?, id.family())?))
    }
}

fn require<T>(nest: Option<T>, name: &'static str) -> Result<T, DecodeError> {
    nest.ok_or(DecodeError::missing(name, 0))
}
