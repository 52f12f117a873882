//! The numbers of `linux/ip_vs.h`, by the names of that header.

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
pub enum Command {
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

impl Command {
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

pub(crate) const IPVS_CMD_ATTR_SERVICE: u16 = 1;
pub(crate) const IPVS_CMD_ATTR_DEST: u16 = 2;
pub(crate) const IPVS_CMD_ATTR_DAEMON: u16 = 3;
pub(crate) const IPVS_CMD_ATTR_TIMEOUT_TCP: u16 = 4;
pub(crate) const IPVS_CMD_ATTR_TIMEOUT_TCP_FIN: u16 = 5;
pub(crate) const IPVS_CMD_ATTR_TIMEOUT_UDP: u16 = 6;

pub(crate) const IPVS_SVC_ATTR_AF: u16 = 1;
pub(crate) const IPVS_SVC_ATTR_PROTOCOL: u16 = 2;
pub(crate) const IPVS_SVC_ATTR_ADDR: u16 = 3;
pub(crate) const IPVS_SVC_ATTR_PORT: u16 = 4;
pub(crate) const IPVS_SVC_ATTR_FWMARK: u16 = 5;
pub(crate) const IPVS_SVC_ATTR_SCHED_NAME: u16 = 6;
pub(crate) const IPVS_SVC_ATTR_FLAGS: u16 = 7;
pub(crate) const IPVS_SVC_ATTR_TIMEOUT: u16 = 8;
pub(crate) const IPVS_SVC_ATTR_NETMASK: u16 = 9;
pub(crate) const IPVS_SVC_ATTR_STATS: u16 = 10;
pub(crate) const IPVS_SVC_ATTR_PE_NAME: u16 = 11;
pub(crate) const IPVS_SVC_ATTR_STATS64: u16 = 12;

pub(crate) const IPVS_DEST_ATTR_ADDR: u16 = 1;
pub(crate) const IPVS_DEST_ATTR_PORT: u16 = 2;
pub(crate) const IPVS_DEST_ATTR_FWD_METHOD: u16 = 3;
pub(crate) const IPVS_DEST_ATTR_WEIGHT: u16 = 4;
pub(crate) const IPVS_DEST_ATTR_U_THRESH: u16 = 5;
pub(crate) const IPVS_DEST_ATTR_L_THRESH: u16 = 6;
pub(crate) const IPVS_DEST_ATTR_ACTIVE_CONNS: u16 = 7;
pub(crate) const IPVS_DEST_ATTR_INACT_CONNS: u16 = 8;
pub(crate) const IPVS_DEST_ATTR_PERSIST_CONNS: u16 = 9;
pub(crate) const IPVS_DEST_ATTR_STATS: u16 = 10;
pub(crate) const IPVS_DEST_ATTR_ADDR_FAMILY: u16 = 11;
pub(crate) const IPVS_DEST_ATTR_STATS64: u16 = 12;
pub(crate) const IPVS_DEST_ATTR_TUN_TYPE: u16 = 13;
pub(crate) const IPVS_DEST_ATTR_TUN_PORT: u16 = 14;
pub(crate) const IPVS_DEST_ATTR_TUN_FLAGS: u16 = 15;

pub(crate) const IPVS_DAEMON_ATTR_STATE: u16 = 1;
pub(crate) const IPVS_DAEMON_ATTR_MCAST_IFN: u16 = 2;
pub(crate) const IPVS_DAEMON_ATTR_SYNC_ID: u16 = 3;
pub(crate) const IPVS_DAEMON_ATTR_SYNC_MAXLEN: u16 = 4;
pub(crate) const IPVS_DAEMON_ATTR_MCAST_GROUP: u16 = 5;
pub(crate) const IPVS_DAEMON_ATTR_MCAST_GROUP6: u16 = 6;
pub(crate) const IPVS_DAEMON_ATTR_MCAST_PORT: u16 = 7;
pub(crate) const IPVS_DAEMON_ATTR_MCAST_TTL: u16 = 8;

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

/// The name of an attribute in the nest of a command's message, for extended acks.
pub(crate) fn attribute_name(nest: Option<u16>, kind: u16) -> Option<&'static str> {
    let top = [
        "IPVS_CMD_ATTR_SERVICE",
        "IPVS_CMD_ATTR_DEST",
        "IPVS_CMD_ATTR_DAEMON",
        "IPVS_CMD_ATTR_TIMEOUT_TCP",
        "IPVS_CMD_ATTR_TIMEOUT_TCP_FIN",
        "IPVS_CMD_ATTR_TIMEOUT_UDP",
    ];
    let service = [
        "IPVS_SVC_ATTR_AF",
        "IPVS_SVC_ATTR_PROTOCOL",
        "IPVS_SVC_ATTR_ADDR",
        "IPVS_SVC_ATTR_PORT",
        "IPVS_SVC_ATTR_FWMARK",
        "IPVS_SVC_ATTR_SCHED_NAME",
        "IPVS_SVC_ATTR_FLAGS",
        "IPVS_SVC_ATTR_TIMEOUT",
        "IPVS_SVC_ATTR_NETMASK",
        "IPVS_SVC_ATTR_STATS",
        "IPVS_SVC_ATTR_PE_NAME",
        "IPVS_SVC_ATTR_STATS64",
    ];
    let destination = [
        "IPVS_DEST_ATTR_ADDR",
        "IPVS_DEST_ATTR_PORT",
        "IPVS_DEST_ATTR_FWD_METHOD",
        "IPVS_DEST_ATTR_WEIGHT",
        "IPVS_DEST_ATTR_U_THRESH",
        "IPVS_DEST_ATTR_L_THRESH",
        "IPVS_DEST_ATTR_ACTIVE_CONNS",
        "IPVS_DEST_ATTR_INACT_CONNS",
        "IPVS_DEST_ATTR_PERSIST_CONNS",
        "IPVS_DEST_ATTR_STATS",
        "IPVS_DEST_ATTR_ADDR_FAMILY",
        "IPVS_DEST_ATTR_STATS64",
        "IPVS_DEST_ATTR_TUN_TYPE",
        "IPVS_DEST_ATTR_TUN_PORT",
        "IPVS_DEST_ATTR_TUN_FLAGS",
    ];
    let daemon = [
        "IPVS_DAEMON_ATTR_STATE",
        "IPVS_DAEMON_ATTR_MCAST_IFN",
        "IPVS_DAEMON_ATTR_SYNC_ID",
        "IPVS_DAEMON_ATTR_SYNC_MAXLEN",
        "IPVS_DAEMON_ATTR_MCAST_GROUP",
        "IPVS_DAEMON_ATTR_MCAST_GROUP6",
        "IPVS_DAEMON_ATTR_MCAST_PORT",
        "IPVS_DAEMON_ATTR_MCAST_TTL",
    ];
    let names: &[&'static str] = match nest {
        None => &top,
        Some(IPVS_CMD_ATTR_SERVICE) => &service,
        Some(IPVS_CMD_ATTR_DEST) => &destination,
        Some(IPVS_CMD_ATTR_DAEMON) => &daemon,
        Some(_) => return None,
    };
    usize::from(kind).checked_sub(1).and_then(|index| names.get(index)).copied()
}
