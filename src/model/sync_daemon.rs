use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};

use super::{InterfaceName, InvalidValue};

/// A kernel thread that sends the connections of this director to others, or receives those of another director.
///
/// Only the role and the interface are needed; the kernel chooses the rest, and
/// [`get_sync_daemons`](crate::Handle::get_sync_daemons) reports its choice.
///
/// ```
/// use ipvs_rs::model::SyncDaemon;
///
/// let master = SyncDaemon::master("eth1")?.sync_id(7);
/// assert_eq!(master.to_string(), "master sync daemon (mcast=eth1, syncid=7)");
/// # Ok::<(), ipvs_rs::model::InvalidValue>(())
/// ```
///
/// # Kernel
///
/// `IPVS_CMD_NEW_DAEMON`; `ipvsadm --start-daemon`. The optional fields exist since Linux 4.3; an older kernel neither
/// takes nor reports them.
#[doc(alias = "IPVS_CMD_NEW_DAEMON")]
#[doc(alias = "ipvsadm --start-daemon")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct SyncDaemon {
    /// Master (sender) or backup (receiver) (`IPVS_DAEMON_ATTR_STATE`).
    pub role: SyncRole,
    /// The interface that multicast packets are sent from or received on (`IPVS_DAEMON_ATTR_MCAST_IFN`).
    #[doc(alias = "IPVS_DAEMON_ATTR_MCAST_IFN")]
    pub interface: InterfaceName,
    /// Only directors with the same sync id accept each other's packets (`IPVS_DAEMON_ATTR_SYNC_ID`). Packets carry the
    /// low eight bits; the kernel stores, and so may report, more.
    #[doc(alias = "IPVS_DAEMON_ATTR_SYNC_ID")]
    #[cfg_attr(feature = "serde", serde(default))]
    pub sync_id: u32,
    /// The maximum length of a packet's payload in bytes (`IPVS_DAEMON_ATTR_SYNC_MAXLEN`); `None` lets the kernel
    /// derive it from the interface.
    #[doc(alias = "IPVS_DAEMON_ATTR_SYNC_MAXLEN")]
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub max_len: Option<NonZeroU16>,
    /// The multicast group (`IPVS_DAEMON_ATTR_MCAST_GROUP`, `MCAST_GROUP6`); `None` is 224.0.0.81.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub group: Option<MulticastGroup>,
    /// The UDP port (`IPVS_DAEMON_ATTR_MCAST_PORT`); `None` is 8848.
    #[doc(alias = "IPVS_DAEMON_ATTR_MCAST_PORT")]
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub port: Option<NonZeroU16>,
    /// The number of routers that a packet may cross, plus one (`IPVS_DAEMON_ATTR_MCAST_TTL`); `None` is 1.
    #[doc(alias = "IPVS_DAEMON_ATTR_MCAST_TTL")]
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub ttl: Option<NonZeroU8>,
}

impl SyncDaemon {
    /// A daemon that sends, on this interface, with sync id 0.
    ///
    /// # Errors
    ///
    /// When it is not a valid interface name.
    pub fn master(interface: &str) -> Result<Self, InvalidValue> {
        InterfaceName::new(interface).map(|interface| Self::new(SyncRole::Master, interface))
    }

    /// A daemon that receives, on this interface, with sync id 0.
    ///
    /// # Errors
    ///
    /// When it is not a valid interface name.
    pub fn backup(interface: &str) -> Result<Self, InvalidValue> {
        InterfaceName::new(interface).map(|interface| Self::new(SyncRole::Backup, interface))
    }

    /// A daemon with sync id 0 and the kernel's choice of everything else.
    pub const fn new(role: SyncRole, interface: InterfaceName) -> Self {
        Self { role, interface, sync_id: 0, max_len: None, group: None, port: None, ttl: None }
    }

    /// Sets the sync id.
    #[must_use]
    pub fn sync_id(mut self, id: u8) -> Self {
        self.sync_id = id.into();
        self
    }

    /// Sets the maximum length of a packet's payload. The kernel clamps it to the range that it can use.
    ///
    /// # Errors
    ///
    /// When it is 0.
    pub fn max_len(mut self, bytes: u16) -> Result<Self, InvalidValue> {
        let bytes = NonZeroU16::new(bytes).ok_or_else(|| InvalidValue::range("sync length", bytes, "1 to 65535 bytes"));
        self.max_len = Some(bytes?);
        Ok(self)
    }

    /// Sets the multicast group.
    ///
    /// # Errors
    ///
    /// When the address is not a multicast address.
    pub fn group(mut self, group: IpAddr) -> Result<Self, InvalidValue> {
        self.group = Some(MulticastGroup::new(group)?);
        Ok(self)
    }

    /// Sets the UDP port.
    ///
    /// # Errors
    ///
    /// When it is 0.
    pub fn port(mut self, port: u16) -> Result<Self, InvalidValue> {
        let port = NonZeroU16::new(port).ok_or_else(|| InvalidValue::range("multicast port", port, "1 to 65535"));
        self.port = Some(port?);
        Ok(self)
    }

    /// Sets the time to live of the packets.
    ///
    /// # Errors
    ///
    /// When it is 0.
    pub fn ttl(mut self, ttl: u8) -> Result<Self, InvalidValue> {
        let ttl = NonZeroU8::new(ttl).ok_or_else(|| InvalidValue::range("multicast TTL", ttl, "1 to 255"));
        self.ttl = Some(ttl?);
        Ok(self)
    }
}

/// The two roles in connection synchronization. A director can have both at once, as two daemons.
///
/// # Kernel
///
/// `IP_VS_STATE_MASTER` (1) and `IP_VS_STATE_BACKUP` (2).
#[doc(alias = "IPVS_DAEMON_ATTR_STATE")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(clippy::exhaustive_enums, reason = "the protocol has two sides")]
pub enum SyncRole {
    /// Sends its connections to other directors.
    #[doc(alias = "IP_VS_STATE_MASTER")]
    Master,
    /// Receives the connections of a master.
    #[doc(alias = "IP_VS_STATE_BACKUP")]
    Backup,
}

impl SyncRole {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::Master, Self::Backup];

    /// Its name: `master` or `backup`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Backup => "backup",
        }
    }
}

/// A multicast address, IPv4 or IPv6.
#[doc(alias = "IPVS_DAEMON_ATTR_MCAST_GROUP")]
#[doc(alias = "IPVS_DAEMON_ATTR_MCAST_GROUP6")]
#[doc(alias = "ipvsadm --mcast-group")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MulticastGroup(IpAddr);

impl MulticastGroup {
    /// Checks an address.
    ///
    /// # Errors
    ///
    /// When it is not a multicast address (224.0.0.0/4, `ff00::/8`).
    pub fn new(address: IpAddr) -> Result<Self, InvalidValue> {
        if address.is_multicast() {
            Ok(Self(address))
        } else {
            Err(InvalidValue::unfit("multicast group", address, "an address of 224.0.0.0/4 or ff00::/8"))
        }
    }

    /// The address.
    pub const fn address(self) -> IpAddr {
        self.0
    }
}

impl TryFrom<IpAddr> for MulticastGroup {
    type Error = InvalidValue;

    fn try_from(address: IpAddr) -> Result<Self, InvalidValue> {
        Self::new(address)
    }
}

impl From<MulticastGroup> for IpAddr {
    fn from(group: MulticastGroup) -> Self {
        group.0
    }
}
