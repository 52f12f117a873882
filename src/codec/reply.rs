use super::attr::{Attrs, Sink, Writer};
use super::consts::IpvsCommand;
use super::error::{DecodeError, DecodeProblem};
use super::request::Nests;
use super::{config, daemon, destination, service};
use crate::model::{AddressFamily, Config, DestinationEntry, Info, ServiceEntry, SyncDaemon};

/// A data message from the kernel.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// A service; the answer to `GET_SERVICE`.
    Service(ServiceEntry),
    /// A destination; the answer to `GET_DEST`. It does not name its service.
    Destination(DestinationEntry),
    /// A running synchronization daemon; the answer to `GET_DAEMON`.
    Daemon(SyncDaemon),
    /// The timeouts; the answer to `GET_CONFIG`.
    Config(Config),
    /// Version and table size; the answer to `GET_INFO`.
    Info(Info),
}

impl Reply {
    /// The command in the header of the reply.
    pub const fn command(&self) -> IpvsCommand {
        match self {
            Self::Service(_) => IpvsCommand::NewService,
            Self::Destination(_) => IpvsCommand::NewDestination,
            Self::Daemon(_) => IpvsCommand::NewDaemon,
            Self::Config(_) => IpvsCommand::SetConfig,
            Self::Info(_) => IpvsCommand::SetInfo,
        }
    }

    /// Reads the attributes of a reply.
    ///
    /// A destination from a kernel before 3.18, which does not report its family, is taken for IPv4; where the service
    /// is known, use [`decode_for`](Self::decode_for).
    ///
    /// # Errors
    ///
    /// When the bytes are not attributes, when one is too short, missing or not valid, and when the command is not that
    /// of a reply.
    pub fn decode(command: u8, attributes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_for(command, attributes, AddressFamily::Ipv4)
    }

    /// Reads the attributes of a reply about a service of this family.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn decode_for(command: u8, attributes: &[u8], service: AddressFamily) -> Result<Self, DecodeError> {
        match IpvsCommand::from_number(command) {
            Some(IpvsCommand::NewService) => Self::decode_service(command, attributes).map(Self::Service),
            Some(IpvsCommand::NewDestination) => {
                Self::decode_destination(command, attributes, service).map(Self::Destination)
            }
            Some(IpvsCommand::NewDaemon) => decode_daemon(attributes).map(Self::Daemon),
            Some(IpvsCommand::SetConfig) => decode_config(attributes).map(Self::Config),
            Some(IpvsCommand::SetInfo) => decode_info(attributes).map(Self::Info),
            _ => Err(unexpected()),
        }
    }

    /// Reads the attributes of a reply that can only be a service: a row of a list, without a reply around it.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), and when the reply is another.
    #[inline]
    pub fn decode_service(command: u8, attributes: &[u8]) -> Result<ServiceEntry, DecodeError> {
        if command != IpvsCommand::NewService.number() {
            return Err(unexpected());
        }
        service::decode(Nests::read(attributes)?.service()?)
    }

    /// Reads the attributes of a reply that can only be a destination of a service of this family.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), and when the reply is another.
    #[inline]
    pub fn decode_destination(
        command: u8,
        attributes: &[u8],
        service: AddressFamily,
    ) -> Result<DestinationEntry, DecodeError> {
        if command != IpvsCommand::NewDestination.number() {
            return Err(unexpected());
        }
        match destination::decode_in_order(attributes, service) {
            Some(entry) => Ok(entry),
            None => destination::decode(Nests::read(attributes)?.destination_attrs()?, service),
        }
    }

    /// Appends the attributes of the reply to a buffer, in the order of the kernel.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.put(out);
    }

    pub(super) fn put<S: Sink>(&self, out: &mut S) {
        let out = &mut Writer(out);
        match self {
            Self::Service(entry) => service::encode_entry(out, entry),
            Self::Destination(entry) => destination::encode_entry(out, entry),
            Self::Daemon(daemon) => daemon::encode_entry(out, daemon),
            Self::Config(config) => config::encode(out, config),
            Self::Info(info) => config::encode_info(out, *info),
        }
    }
}

#[cold]
const fn unexpected() -> DecodeError {
    DecodeError::new("genlmsghdr.cmd", 0, DecodeProblem::Unexpected)
}

fn decode_daemon(attributes: &[u8]) -> Result<SyncDaemon, DecodeError> {
    daemon::decode(Nests::read(attributes)?.daemon()?)
}

fn decode_config(attributes: &[u8]) -> Result<Config, DecodeError> {
    config::decode(Attrs::new(attributes, 0, "message"))
}

fn decode_info(attributes: &[u8]) -> Result<Info, DecodeError> {
    config::decode_info(Attrs::new(attributes, 0, "message"))
}
