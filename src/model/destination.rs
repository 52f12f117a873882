use std::hash::Hash;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZeroU32;

use super::service_id::check_address;
use super::{AddressFamily, ForwardMethod, InvalidValue, Stats, Tunnel};

/// The identity of a destination (real server) within its service: address and port.
///
/// ```
/// use ipvs_rs::DestinationId;
///
/// let server: DestinationId = "[2001:db8::2]:8080".parse()?;
/// assert_eq!(server.port(), 8080);
/// assert_eq!(server.to_string(), "[2001:db8::2]:8080");
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
///
/// # Kernel
///
/// `IPVS_DEST_ATTR_ADDR_FAMILY`, `IPVS_DEST_ATTR_ADDR` and `IPVS_DEST_ATTR_PORT`.
#[doc(alias = "real server")]
#[doc(alias = "IPVS_DEST_ATTR_ADDR")]
#[doc(alias = "IPVS_DEST_ATTR_PORT")]
#[doc(alias = "ipvsadm -r")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DestinationId {
    address: IpAddr,
    port: u16,
}

impl DestinationId {
    /// The identity of a destination with this address and port.
    ///
    /// # Errors
    ///
    /// As [`ServiceId::new`](super::ServiceId::new): an IPv4-mapped IPv6 address and one with a scope are refused.
    pub fn new(address: SocketAddr) -> Result<Self, InvalidValue> {
        check_address("destination address", address)?;
        Ok(Self::verbatim(address.ip(), address.port()))
    }

    /// The identity of a destination with an address that is taken exactly as given.
    pub const fn verbatim(address: IpAddr, port: u16) -> Self {
        Self { address, port }
    }

    /// The address of the real server.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The port of the real server. Direct routing and tunnels do not change the port of packets, so that the server
    /// sees the port of the service; a service by firewall mark has destinations with port 0.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The family of the address; it differs from the service's only behind a tunnel.
    pub fn family(&self) -> AddressFamily {
        AddressFamily::of(self.address)
    }
}

impl<I: Into<IpAddr>> From<(I, u16)> for DestinationId {
    /// Takes the address exactly as given, as [`verbatim`](Self::verbatim) does.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    /// use ipvs_rs::DestinationId;
    ///
    /// let server = DestinationId::from((Ipv4Addr::new(10, 0, 0, 2), 8080));
    /// assert_eq!(server, DestinationId::from((IpAddr::from([10, 0, 0, 2]), 8080)));
    /// assert_eq!(server.to_string(), "10.0.0.2:8080");
    /// ```
    fn from((address, port): (I, u16)) -> Self {
        Self::verbatim(address.into(), port)
    }
}

impl From<SocketAddrV4> for DestinationId {
    fn from(address: SocketAddrV4) -> Self {
        Self::from((*address.ip(), address.port()))
    }
}

impl TryFrom<SocketAddrV6> for DestinationId {
    type Error = InvalidValue;

    /// Refuses what [`new`](Self::new) refuses.
    fn try_from(address: SocketAddrV6) -> Result<Self, InvalidValue> {
        Self::new(address.into())
    }
}

impl From<DestinationId> for SocketAddr {
    fn from(id: DestinationId) -> Self {
        Self::new(id.address, id.port)
    }
}

impl TryFrom<SocketAddr> for DestinationId {
    type Error = InvalidValue;

    /// Refuses what [`new`](Self::new) refuses.
    fn try_from(address: SocketAddr) -> Result<Self, InvalidValue> {
        Self::new(address)
    }
}

/// A destination as you write it: identity and settings.
///
/// ```
/// use ipvs_rs::{Destination, ForwardMethod};
/// use ipvs_rs::model::Thresholds;
///
/// let server = Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade)
///     .weight(10)?
///     .thresholds(Thresholds::with_upper(1000)?.with_lower(800)?);
/// # assert_eq!(server.weight.get(), 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Two values are equal when the kernel would behave alike *and* store the same.
#[doc(alias = "real server")]
#[doc(alias = "ipvsadm -a")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Destination {
    /// The identity.
    pub id: DestinationId,
    /// The forwarding method, by which packets reach it.
    pub forward: ForwardMethod,
    /// Its share of new connections.
    pub weight: Weight,
    /// When it counts as overloaded.
    pub thresholds: Thresholds,
    /// Tunnel settings that the kernel keeps for a destination that is not reached by a tunnel. They do nothing, but
    /// an update must not lose them.
    pub(crate) dormant_tunnel: Tunnel,
}

impl Destination {
    /// A destination of weight 1 without thresholds.
    pub fn new(id: DestinationId, forward: ForwardMethod) -> Self {
        Self { id, forward, weight: Weight::default(), thresholds: Thresholds::NONE, dormant_tunnel: Tunnel::ipip() }
    }

    /// Sets the weight.
    ///
    /// # Errors
    ///
    /// As [`Weight::new`].
    pub fn weight(mut self, weight: u32) -> Result<Self, InvalidValue> {
        self.weight = Weight::new(weight)?;
        Ok(self)
    }

    /// Sets the thresholds.
    #[must_use]
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// Takes the destination out of the choice for new connections and keeps those that it has: weight 0.
    #[must_use]
    #[doc(alias = "quiesce")]
    pub fn drained(mut self) -> Self {
        self.weight = Weight::ZERO;
        self
    }

    /// The tunnel settings that the kernel stores: those of the method, or dormant ones.
    pub(crate) fn stored_tunnel(&self) -> Tunnel {
        match self.forward {
            ForwardMethod::Tunnel(tunnel) => tunnel,
            _ => self.dormant_tunnel,
        }
    }

    fn stored(&self) -> impl Hash + Ord {
        (self.id, self.forward, self.weight, self.thresholds, self.stored_tunnel())
    }
}

compare_by_stored!(Destination);

/// A destination as you read it: settings, counters and current connections.
#[doc(alias = "IPVS_CMD_GET_DEST")]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct DestinationEntry {
    /// Identity and settings; to change a setting, pass a modified copy to
    /// [`update_destination`](crate::Handle::update_destination).
    pub destination: Destination,
    /// Counters and rates.
    #[cfg_attr(feature = "serde", serde(default))]
    pub stats: Stats,
    /// Established connections, and those of TCP that are being established (`IPVS_DEST_ATTR_ACTIVE_CONNS`).
    #[doc(alias = "IPVS_DEST_ATTR_ACTIVE_CONNS")]
    #[doc(alias = "ActiveConn")]
    pub active_connections: u32,
    /// Connections in any other state (`IPVS_DEST_ATTR_INACT_CONNS`).
    #[doc(alias = "IPVS_DEST_ATTR_INACT_CONNS")]
    #[doc(alias = "InActConn")]
    pub inactive_connections: u32,
    /// Clients that persistence ties to this destination (`IPVS_DEST_ATTR_PERSIST_CONNS`).
    #[doc(alias = "IPVS_DEST_ATTR_PERSIST_CONNS")]
    #[doc(alias = "PersistConn")]
    pub persistent_connections: u32,
}

impl DestinationEntry {
    /// A destination without traffic, for a fake kernel or a test.
    pub fn new(destination: Destination) -> Self {
        Self {
            destination,
            stats: Stats::default(),
            active_connections: 0,
            inactive_connections: 0,
            persistent_connections: 0,
        }
    }

    /// The identity of the destination.
    pub fn id(&self) -> DestinationId {
        self.destination.id
    }

    /// Whether no connection is left, active or inactive: a drained destination can be deleted without cutting off a
    /// client.
    ///
    /// A TCP connection that was closed counts as inactive for two minutes more (`TIME_WAIT`), so that a server that
    /// was just busy is not idle before that.
    pub fn is_idle(&self) -> bool {
        self.active_connections == 0 && self.inactive_connections == 0
    }
}

/// The share of new connections that a destination gets: 0 to 2147483647, 1 by default.
///
/// 0 means that it gets no new connection and keeps those that it has.
///
/// # Kernel
///
/// `IPVS_DEST_ATTR_WEIGHT`, a signed 32-bit number that the kernel refuses when it is negative; ipvsadm(8) documents 0
/// to 65535.
#[doc(alias = "IPVS_DEST_ATTR_WEIGHT")]
#[doc(alias = "ipvsadm -w")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Weight(u32);

impl Weight {
    /// No new connections.
    pub const ZERO: Self = Self(0);
    /// The greatest weight, 2147483647.
    pub const MAX: Self = Self(i32::MAX.unsigned_abs());

    /// Checks a weight.
    ///
    /// # Errors
    ///
    /// When it is above [`MAX`](Self::MAX).
    pub fn new(weight: u32) -> Result<Self, InvalidValue> {
        if weight > Self::MAX.0 {
            return Err(InvalidValue::range("weight", weight, "0 to 2147483647"));
        }
        Ok(Self(weight))
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(1)
    }
}

impl From<u16> for Weight {
    fn from(weight: u16) -> Self {
        Self(weight.into())
    }
}

impl TryFrom<u32> for Weight {
    type Error = InvalidValue;

    fn try_from(weight: u32) -> Result<Self, InvalidValue> {
        Self::new(weight)
    }
}

impl From<Weight> for u32 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

/// When a destination counts as overloaded, in connections.
///
/// At the upper threshold it gets no new connection until it has fallen below the lower one; without a lower one,
/// until it has fallen below three quarters of the upper.
///
/// ```
/// use ipvs_rs::model::Thresholds;
///
/// let thresholds = Thresholds::with_upper(10)?.with_lower(5)?;
/// assert!(Thresholds::with_upper(5)?.with_lower(9).is_err());
/// # assert_eq!(thresholds.upper().unwrap().get(), 10);
/// # Ok::<(), ipvs_rs::model::InvalidValue>(())
/// ```
///
/// # Kernel
///
/// `IPVS_DEST_ATTR_U_THRESH` and `IPVS_DEST_ATTR_L_THRESH`; `ipvsadm --u-threshold --l-threshold`.
#[doc(alias = "IPVS_DEST_ATTR_U_THRESH")]
#[doc(alias = "IPVS_DEST_ATTR_L_THRESH")]
#[doc(alias = "ipvsadm -x")]
#[doc(alias = "ipvsadm -y")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Thresholds {
    upper: u32,
    lower: u32,
}

impl Thresholds {
    /// No limit.
    pub const NONE: Self = Self { upper: 0, lower: 0 };

    /// An upper threshold; 0 means none.
    ///
    /// # Errors
    ///
    /// When it is above 2147483647, which not every kernel takes; see [`verbatim`](Self::verbatim).
    pub fn with_upper(upper: u32) -> Result<Self, InvalidValue> {
        if upper > i32::MAX.unsigned_abs() {
            return Err(InvalidValue::range("upper threshold", upper, "0 to 2147483647 connections"));
        }
        Ok(Self { upper, lower: 0 })
    }

    /// Adds a lower threshold; 0 means none.
    ///
    /// # Errors
    ///
    /// When it is above the upper one.
    pub fn with_lower(self, lower: u32) -> Result<Self, InvalidValue> {
        if lower > self.upper {
            return Err(InvalidValue::range("lower threshold", lower, "0 to the upper threshold"));
        }
        Ok(Self { lower, ..self })
    }

    /// Both thresholds exactly as given; 0 means none.
    ///
    /// The kernel refuses a lower one above the upper (`ERANGE`). Linux 7, and late patch releases of 6.1 and 6.12,
    /// refuse an upper one above 2147483647 as well (`EINVAL`); others take any number.
    pub const fn verbatim(upper: u32, lower: u32) -> Self {
        Self { upper, lower }
    }

    /// The upper threshold, if there is one.
    pub fn upper(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.upper)
    }

    /// The lower threshold, if there is one.
    pub fn lower(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.lower)
    }
}
