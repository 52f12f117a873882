use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

use super::InvalidValue;

/// IPv4 or IPv6.
///
/// # Kernel
///
/// `AF_INET` (2) and `AF_INET6` (10); IPVS does not support any other family.
#[doc(alias = "IPVS_SVC_ATTR_AF")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(clippy::exhaustive_enums, reason = "IPVS balances these two families and no other")]
pub enum AddressFamily {
    /// `AF_INET`.
    #[doc(alias = "AF_INET")]
    Ipv4,
    /// `AF_INET6`.
    #[doc(alias = "AF_INET6")]
    #[doc(alias = "ipvsadm -6")]
    Ipv6,
}

impl AddressFamily {
    /// The family that an address belongs to.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The number of the family on Linux, whatever system this runs on.
    ///
    /// ```
    /// use ipvs_rs::model::AddressFamily;
    ///
    /// assert_eq!(AddressFamily::Ipv6.number(), 10);
    /// assert_eq!(AddressFamily::try_from(2), Ok(AddressFamily::Ipv4));
    /// assert!(AddressFamily::try_from(7).is_err());
    /// ```
    pub const fn number(self) -> u16 {
        match self {
            Self::Ipv4 => 2,
            Self::Ipv6 => 10,
        }
    }
}

impl TryFrom<u16> for AddressFamily {
    type Error = InvalidValue;

    /// Takes the [number](Self::number) of one of the two families.
    fn try_from(number: u16) -> Result<Self, InvalidValue> {
        [Self::Ipv4, Self::Ipv6]
            .into_iter()
            .find(|family| family.number() == number)
            .ok_or_else(|| InvalidValue::unfit("address family", number, "2 (IPv4) or 10 (IPv6)"))
    }
}

impl From<AddressFamily> for u16 {
    fn from(family: AddressFamily) -> Self {
        family.number()
    }
}

/// The protocol number of a service.
///
/// The kernel stores any number and forwards traffic of the five that have a constant here.
///
/// ```
/// use ipvs_rs::model::Protocol;
///
/// assert_eq!("udp".parse(), Ok(Protocol::UDP));
/// assert_eq!(Protocol::from_number(47).to_string(), "IP_47");
/// ```
///
/// # Kernel
///
/// `IPVS_SVC_ATTR_PROTOCOL`.
#[doc(alias = "IPVS_SVC_ATTR_PROTOCOL")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Protocol(u16);

impl Protocol {
    /// TCP; `ipvsadm -t`.
    #[doc(alias = "IPPROTO_TCP")]
    #[doc(alias = "ipvsadm -t")]
    pub const TCP: Self = Self(6);
    /// UDP; `ipvsadm -u`.
    #[doc(alias = "IPPROTO_UDP")]
    #[doc(alias = "ipvsadm -u")]
    pub const UDP: Self = Self(17);
    /// SCTP; `ipvsadm --sctp-service`.
    #[doc(alias = "IPPROTO_SCTP")]
    pub const SCTP: Self = Self(132);
    /// Encapsulating security payload of `IPsec`.
    #[doc(alias = "IPPROTO_ESP")]
    pub const ESP: Self = Self(50);
    /// Authentication header of `IPsec`.
    #[doc(alias = "IPPROTO_AH")]
    pub const AH: Self = Self(51);

    /// A protocol by its number; the kernel accepts every number.
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// The number of the protocol.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl From<u16> for Protocol {
    fn from(number: u16) -> Self {
        Self::from_number(number)
    }
}

impl From<Protocol> for u16 {
    fn from(protocol: Protocol) -> Self {
        protocol.number()
    }
}

/// The identity of a service: protocol, address and port, or a firewall mark and a family.
///
/// It prints in the notation of ipvsadm(8) and reads that, the letters of its options, and a URL-like form:
///
/// ```
/// use ipvs_rs::ServiceId;
///
/// let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
/// assert_eq!(web.to_string(), "TCP 192.0.2.10:80");
/// assert_eq!("-t 192.0.2.10:80".parse(), Ok(web));
/// assert_eq!("fwmark:7".parse::<ServiceId>()?.to_string(), "FWM 7");
/// assert_eq!("-f 7 -6".parse::<ServiceId>()?.to_string(), "FWM 7 IPv6");
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
///
/// Match on its [`kind`](Self::kind) to get the parts.
///
/// # Kernel
///
/// `IPVS_SVC_ATTR_AF` with either `IPVS_SVC_ATTR_PROTOCOL`, `IPVS_SVC_ATTR_ADDR` and `IPVS_SVC_ATTR_PORT`, or
/// `IPVS_SVC_ATTR_FWMARK`.
#[doc(alias = "virtual service")]
#[doc(alias = "IPVS_SVC_ATTR_ADDR")]
#[doc(alias = "IPVS_SVC_ATTR_PORT")]
#[doc(alias = "IPVS_SVC_ATTR_FWMARK")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ServiceId(ServiceKind);

/// The two kinds of [`ServiceId`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[allow(clippy::exhaustive_enums, reason = "the kernel finds a service by these two and by nothing else")]
pub enum ServiceKind {
    /// Packets to one address and port of one protocol.
    Address {
        /// The protocol.
        protocol: Protocol,
        /// The virtual address.
        address: IpAddr,
        /// The virtual port; 0 stands for all ports of a persistent service.
        port: u16,
    },
    /// Packets that carry a firewall mark.
    Mark {
        /// The mark.
        mark: NonZeroU32,
        /// The family of the packets: the same mark may identify one service in each family.
        family: AddressFamily,
    },
}

impl ServiceId {
    /// The identity of a service with this protocol, address and port.
    ///
    /// # Errors
    ///
    /// An IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) is refused: no packet on the wire carries it. Convert it with
    /// [`to_ipv4_mapped`](std::net::Ipv6Addr::to_ipv4_mapped), or take it literally with [`verbatim`](Self::verbatim).
    /// A scope id is refused as well, because IPVS cannot store it.
    pub fn new(protocol: Protocol, address: SocketAddr) -> Result<Self, InvalidValue> {
        check_address("service address", address)?;
        Ok(Self::verbatim(protocol, address.ip(), address.port()))
    }

    /// The identity of a TCP service.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn tcp(address: SocketAddr) -> Result<Self, InvalidValue> {
        Self::new(Protocol::TCP, address)
    }

    /// The identity of a UDP service.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn udp(address: SocketAddr) -> Result<Self, InvalidValue> {
        Self::new(Protocol::UDP, address)
    }

    /// The identity of an SCTP service.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn sctp(address: SocketAddr) -> Result<Self, InvalidValue> {
        Self::new(Protocol::SCTP, address)
    }

    /// The identity of a service by firewall mark.
    ///
    /// # Errors
    ///
    /// A mark of 0 is refused: the kernel takes it for "no mark".
    #[doc(alias = "ipvsadm -f")]
    pub fn fwmark(mark: u32, family: AddressFamily) -> Result<Self, InvalidValue> {
        NonZeroU32::new(mark)
            .map(|mark| Self(ServiceKind::Mark { mark, family }))
            .ok_or_else(|| InvalidValue::range("firewall mark", mark, "1 to 4294967295"))
    }

    /// The identity of a service with an address that is taken exactly as given, including `::ffff:a.b.c.d` as IPv6.
    ///
    /// The kernel stores such a service, and this identity is needed to delete it.
    pub const fn verbatim(protocol: Protocol, address: IpAddr, port: u16) -> Self {
        Self(ServiceKind::Address { protocol, address, port })
    }

    /// The kind, to match on.
    pub const fn kind(&self) -> ServiceKind {
        self.0
    }

    /// The family of the packets that the service balances.
    pub fn family(&self) -> AddressFamily {
        match self.0 {
            ServiceKind::Address { address, .. } => AddressFamily::of(address),
            ServiceKind::Mark { family, .. } => family,
        }
    }

    /// The protocol; `None` for a firewall mark.
    pub const fn protocol(&self) -> Option<Protocol> {
        match self.0 {
            ServiceKind::Address { protocol, .. } => Some(protocol),
            ServiceKind::Mark { .. } => None,
        }
    }

    /// The virtual address; `None` for a firewall mark.
    pub const fn address(&self) -> Option<IpAddr> {
        match self.0 {
            ServiceKind::Address { address, .. } => Some(address),
            ServiceKind::Mark { .. } => None,
        }
    }

    /// The virtual port; `None` for a firewall mark.
    pub const fn port(&self) -> Option<u16> {
        match self.0 {
            ServiceKind::Address { port, .. } => Some(port),
            ServiceKind::Mark { .. } => None,
        }
    }

    /// The firewall mark; `None` for an address.
    pub const fn mark(&self) -> Option<NonZeroU32> {
        match self.0 {
            ServiceKind::Address { .. } => None,
            ServiceKind::Mark { mark, .. } => Some(mark),
        }
    }
}

impl From<ServiceKind> for ServiceId {
    /// Takes an address exactly as given, as [`verbatim`](Self::verbatim) does.
    fn from(kind: ServiceKind) -> Self {
        Self(kind)
    }
}

impl From<ServiceId> for ServiceKind {
    fn from(id: ServiceId) -> Self {
        id.kind()
    }
}

/// Refuses addresses of ambiguous family, and those with a scope.
pub(super) fn check_address(what: &'static str, address: SocketAddr) -> Result<(), InvalidValue> {
    if let SocketAddr::V6(v6) = address {
        if v6.ip().to_ipv4_mapped().is_some() {
            return Err(InvalidValue::unfit(what, v6.ip(), "the IPv4 address itself instead of its IPv4-mapped form"));
        }
        if v6.scope_id() != 0 {
            return Err(InvalidValue::unfit(what, v6, SCOPELESS));
        }
    }
    Ok(())
}

/// The expected value in place of an address with a scope, for the error.
pub(super) const SCOPELESS: &str = "an address without a scope, which IPVS cannot keep";
