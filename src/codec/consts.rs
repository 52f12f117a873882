//! The numbers of `linux/ip_vs.h`, and of errors in `linux/netlink.h`, by the names of those headers.

/// The name that the family is looked up by (`IPVS_GENL_NAME`).
pub const FAMILY_NAME: &str = "IPVS";
/// The version of the family's messages (`IPVS_GENL_VERSION`).
pub const FAMILY_VERSION: u8 = 1;

pub(crate) const AF_INET: u16 = 2;
pub(crate) const AF_INET6: u16 = 10;

/// The commands of the family (`IPVS_CMD_*`).
///
/// A reply has the number of the command that would write its data.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[repr(u8)]
pub enum IpvsCommand {
    /// `IPVS_CMD_NEW_SERVICE`; also the reply to [`GetService`](Self::GetService).
    #[doc(alias = "IPVS_CMD_NEW_SERVICE")]
    NewService = 1,
    /// `IPVS_CMD_SET_SERVICE`.
    #[doc(alias = "IPVS_CMD_SET_SERVICE")]
    SetService = 2,
    /// `IPVS_CMD_DEL_SERVICE`.
    #[doc(alias = "IPVS_CMD_DEL_SERVICE")]
    DeleteService = 3,
    /// `IPVS_CMD_GET_SERVICE`: one service, or all of them as a dump.
    #[doc(alias = "IPVS_CMD_GET_SERVICE")]
    GetService = 4,
    /// `IPVS_CMD_NEW_DEST`; also the reply to [`GetDestination`](Self::GetDestination).
    #[doc(alias = "IPVS_CMD_NEW_DEST")]
    NewDestination = 5,
    /// `IPVS_CMD_SET_DEST`.
    #[doc(alias = "IPVS_CMD_SET_DEST")]
    SetDestination = 6,
    /// `IPVS_CMD_DEL_DEST`.
    #[doc(alias = "IPVS_CMD_DEL_DEST")]
    DeleteDestination = 7,
    /// `IPVS_CMD_GET_DEST`: only as a dump.
    #[doc(alias = "IPVS_CMD_GET_DEST")]
    GetDestination = 8,
    /// `IPVS_CMD_NEW_DAEMON`; also the reply to [`GetDaemon`](Self::GetDaemon).
    #[doc(alias = "IPVS_CMD_NEW_DAEMON")]
    NewDaemon = 9,
    /// `IPVS_CMD_DEL_DAEMON`.
    #[doc(alias = "IPVS_CMD_DEL_DAEMON")]
    DeleteDaemon = 10,
    /// `IPVS_CMD_GET_DAEMON`: only as a dump.
    #[doc(alias = "IPVS_CMD_GET_DAEMON")]
    GetDaemon = 11,
    /// `IPVS_CMD_SET_CONFIG`; also the reply to [`GetConfig`](Self::GetConfig).
    #[doc(alias = "IPVS_CMD_SET_CONFIG")]
    SetConfig = 12,
    /// `IPVS_CMD_GET_CONFIG`.
    #[doc(alias = "IPVS_CMD_GET_CONFIG")]
    GetConfig = 13,
    /// `IPVS_CMD_SET_INFO`: only the reply to [`GetInfo`](Self::GetInfo).
    #[doc(alias = "IPVS_CMD_SET_INFO")]
    SetInfo = 14,
    /// `IPVS_CMD_GET_INFO`.
    #[doc(alias = "IPVS_CMD_GET_INFO")]
    GetInfo = 15,
    /// `IPVS_CMD_ZERO`.
    #[doc(alias = "IPVS_CMD_ZERO")]
    Zero = 16,
    /// `IPVS_CMD_FLUSH`.
    #[doc(alias = "IPVS_CMD_FLUSH")]
    Flush = 17,
}

impl IpvsCommand {
    /// Every command, in the order of the numbers.
    pub const ALL: [Self; 17] = [
        Self::NewService,
        Self::SetService,
        Self::DeleteService,
        Self::GetService,
        Self::NewDestination,
        Self::SetDestination,
        Self::DeleteDestination,
        Self::GetDestination,
        Self::NewDaemon,
        Self::DeleteDaemon,
        Self::GetDaemon,
        Self::SetConfig,
        Self::GetConfig,
        Self::SetInfo,
        Self::GetInfo,
        Self::Zero,
        Self::Flush,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The command with this number; `None` if the family does not have one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number.checked_sub(1)?)).copied()
    }
}

/// Declares the attributes of a message or a nest, and a table of their numbers and names.
macro_rules! attributes {
    ($table:ident: $($name:ident = $number:literal,)*) => {
        $(pub(crate) const $name: u16 = $number;)*

        const $table: &[(u16, &str)] = &[$(($name, stringify!($name)),)*];
    };
}

attributes! {
    COMMAND_ATTRIBUTES:
    IPVS_CMD_ATTR_SERVICE = 1,
    IPVS_CMD_ATTR_DEST = 2,
    IPVS_CMD_ATTR_DAEMON = 3,
    IPVS_CMD_ATTR_TIMEOUT_TCP = 4,
    IPVS_CMD_ATTR_TIMEOUT_TCP_FIN = 5,
    IPVS_CMD_ATTR_TIMEOUT_UDP = 6,
}

attributes! {
    SERVICE_ATTRIBUTES:
    IPVS_SVC_ATTR_AF = 1,
    IPVS_SVC_ATTR_PROTOCOL = 2,
    IPVS_SVC_ATTR_ADDR = 3,
    IPVS_SVC_ATTR_PORT = 4,
    IPVS_SVC_ATTR_FWMARK = 5,
    IPVS_SVC_ATTR_SCHED_NAME = 6,
    IPVS_SVC_ATTR_FLAGS = 7,
    IPVS_SVC_ATTR_TIMEOUT = 8,
    IPVS_SVC_ATTR_NETMASK = 9,
    IPVS_SVC_ATTR_STATS = 10,
    IPVS_SVC_ATTR_PE_NAME = 11,
    IPVS_SVC_ATTR_STATS64 = 12,
}

attributes! {
    DESTINATION_ATTRIBUTES:
    IPVS_DEST_ATTR_ADDR = 1,
    IPVS_DEST_ATTR_PORT = 2,
    IPVS_DEST_ATTR_FWD_METHOD = 3,
    IPVS_DEST_ATTR_WEIGHT = 4,
    IPVS_DEST_ATTR_U_THRESH = 5,
    IPVS_DEST_ATTR_L_THRESH = 6,
    IPVS_DEST_ATTR_ACTIVE_CONNS = 7,
    IPVS_DEST_ATTR_INACT_CONNS = 8,
    IPVS_DEST_ATTR_PERSIST_CONNS = 9,
    IPVS_DEST_ATTR_STATS = 10,
    IPVS_DEST_ATTR_ADDR_FAMILY = 11,
    IPVS_DEST_ATTR_STATS64 = 12,
    IPVS_DEST_ATTR_TUN_TYPE = 13,
    IPVS_DEST_ATTR_TUN_PORT = 14,
    IPVS_DEST_ATTR_TUN_FLAGS = 15,
}

attributes! {
    DAEMON_ATTRIBUTES:
    IPVS_DAEMON_ATTR_STATE = 1,
    IPVS_DAEMON_ATTR_MCAST_IFN = 2,
    IPVS_DAEMON_ATTR_SYNC_ID = 3,
    IPVS_DAEMON_ATTR_SYNC_MAXLEN = 4,
    IPVS_DAEMON_ATTR_MCAST_GROUP = 5,
    IPVS_DAEMON_ATTR_MCAST_GROUP6 = 6,
    IPVS_DAEMON_ATTR_MCAST_PORT = 7,
    IPVS_DAEMON_ATTR_MCAST_TTL = 8,
}

pub(crate) const IP_VS_STATE_MASTER: u32 = 1;
pub(crate) const IP_VS_STATE_BACKUP: u32 = 2;

pub(crate) const IPVS_STATS_ATTR_CONNS: u16 = 1;
pub(crate) const IPVS_STATS_ATTR_INPKTS: u16 = 2;
pub(crate) const IPVS_STATS_ATTR_OUTPKTS: u16 = 3;
pub(crate) const IPVS_STATS_ATTR_INBYTES: u16 = 4;
pub(crate) const IPVS_STATS_ATTR_OUTBYTES: u16 = 5;
pub(crate) const IPVS_STATS_ATTR_CPS: u16 = 6;
pub(crate) const IPVS_STATS_ATTR_INPPS: u16 = 7;
pub(crate) const IPVS_STATS_ATTR_OUTPPS: u16 = 8;
pub(crate) const IPVS_STATS_ATTR_INBPS: u16 = 9;
pub(crate) const IPVS_STATS_ATTR_OUTBPS: u16 = 10;

pub(crate) const IPVS_INFO_ATTR_VERSION: u16 = 1;
pub(crate) const IPVS_INFO_ATTR_CONN_TAB_SIZE: u16 = 2;

pub(crate) const NLMSGERR_ATTR_MSG: u16 = 1;
pub(crate) const NLMSGERR_ATTR_OFFS: u16 = 2;
pub(crate) const NLMSGERR_ATTR_MISS_TYPE: u16 = 5;

/// The name of an attribute in the nest of a command's message, for extended acks.
pub(crate) fn attribute_name(nest: Option<u16>, kind: u16) -> Option<&'static str> {
    let names = match nest {
        None => COMMAND_ATTRIBUTES,
        Some(IPVS_CMD_ATTR_SERVICE) => SERVICE_ATTRIBUTES,
        Some(IPVS_CMD_ATTR_DEST) => DESTINATION_ATTRIBUTES,
        Some(IPVS_CMD_ATTR_DAEMON) => DAEMON_ATTRIBUTES,
        Some(_) => return None,
    };
    names.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}
