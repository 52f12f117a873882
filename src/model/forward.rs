use std::num::NonZeroU16;

use bitflags::bitflags;

use super::InvalidValue;

/// A forwarding method: the way in which packets reach a destination.
///
/// It does not have a default, because expectations differ: operators expect direct routing, container engineers
/// expect masquerading.
///
/// ```
/// use ipvs_rs::ForwardMethod;
/// use ipvs_rs::model::Tunnel;
///
/// assert_eq!("nat".parse(), Ok(ForwardMethod::Masquerade));
/// assert_eq!("-g".parse(), Ok(ForwardMethod::DirectRoute));
/// assert_eq!("gue:6080".parse(), Ok(ForwardMethod::Tunnel(Tunnel::gue(6080)?)));
/// assert_eq!(ForwardMethod::DirectRoute.to_string(), "Route");
/// # Ok::<(), ipvs_rs::model::InvalidValue>(())
/// ```
///
/// # Kernel
///
/// The low three bits of `IPVS_DEST_ATTR_FWD_METHOD`, constants `IP_VS_CONN_F_*`.
#[doc(alias = "IPVS_DEST_ATTR_FWD_METHOD")]
#[doc(alias = "packet-forwarding-method")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ForwardMethod {
    /// Network address translation, both ways through the director (`ipvsadm --masquerading`, printed `Masq`).
    #[doc(alias = "NAT")]
    #[doc(alias = "IP_VS_CONN_F_MASQ")]
    #[doc(alias = "ipvsadm -m")]
    Masquerade,
    /// A process on the director itself (printed `Local`). The kernel detects this by itself for its own addresses.
    #[doc(alias = "IP_VS_CONN_F_LOCALNODE")]
    Local,
    /// Encapsulated; the server answers the client directly (`ipvsadm --ipip`, printed `Tunnel`).
    #[doc(alias = "IP_VS_CONN_F_TUNNEL")]
    #[doc(alias = "ipvsadm -i")]
    Tunnel(Tunnel),
    /// Only the link address is changed; the server holds the virtual address and answers the client directly
    /// (`ipvsadm --gatewaying`, printed `Route`).
    #[doc(alias = "gatewaying")]
    #[doc(alias = "IP_VS_CONN_F_DROUTE")]
    #[doc(alias = "ipvsadm -g")]
    DirectRoute,
    /// Sent on to the packet's original destination; the kernel creates such connections when its `cache_bypass` is on.
    #[doc(alias = "IP_VS_CONN_F_BYPASS")]
    Bypass,
    /// A number that the kernel stores and gives no meaning to.
    Unknown(UnknownForwardMethod),
}

impl ForwardMethod {
    /// The number in `IPVS_DEST_ATTR_FWD_METHOD`.
    pub const fn number(self) -> u32 {
        match self {
            Self::Masquerade => 0,
            Self::Local => 1,
            Self::Tunnel(_) => 2,
            Self::DirectRoute => 3,
            Self::Bypass => 4,
            Self::Unknown(UnknownForwardMethod(number)) => number,
        }
    }

    /// The method of a number, of which only the low three bits count; a tunnel comes with these settings.
    pub(crate) const fn from_kernel(number: u32, tunnel: Tunnel) -> Self {
        match number & 7 {
            0 => Self::Masquerade,
            1 => Self::Local,
            2 => Self::Tunnel(tunnel),
            3 => Self::DirectRoute,
            4 => Self::Bypass,
            other => Self::Unknown(UnknownForwardMethod(other)),
        }
    }
}

impl TryFrom<u32> for ForwardMethod {
    type Error = InvalidValue;

    /// Takes the [number](Self::number) of a method, 0 to 7; 2 is a tunnel of plain IPIP.
    ///
    /// ```
    /// use ipvs_rs::ForwardMethod;
    /// use ipvs_rs::model::Tunnel;
    ///
    /// assert_eq!(ForwardMethod::try_from(3), Ok(ForwardMethod::DirectRoute));
    /// assert_eq!(ForwardMethod::try_from(2), Ok(ForwardMethod::Tunnel(Tunnel::ipip())));
    /// assert_eq!(u32::from(ForwardMethod::Bypass), 4);
    /// assert!(ForwardMethod::try_from(8).is_err());
    /// ```
    fn try_from(number: u32) -> Result<Self, InvalidValue> {
        match number {
            0..=7 => Ok(Self::from_kernel(number, Tunnel::default())),
            _ => Err(InvalidValue::range("forwarding method", number, "0 to 7")),
        }
    }
}

impl From<ForwardMethod> for u32 {
    fn from(method: ForwardMethod) -> Self {
        method.number()
    }
}

/// A forwarding method of 5, 6 or 7, as a kernel may report it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnknownForwardMethod(u32);

impl UnknownForwardMethod {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    pub(crate) const fn new(number: u32) -> Option<Self> {
        match number {
            5..=7 => Some(Self(number)),
            _ => None,
        }
    }
}

/// The encapsulation of packets in a tunnel.
///
/// ```
/// use ipvs_rs::ForwardMethod;
/// use ipvs_rs::model::{Tunnel, TunnelFlags};
///
/// let plain = ForwardMethod::Tunnel(Tunnel::ipip());
/// let gue = ForwardMethod::Tunnel(Tunnel::gue(6080)?.flags(TunnelFlags::CHECKSUM));
/// # assert_ne!(plain, gue);
/// # Ok::<(), ipvs_rs::model::InvalidValue>(())
/// ```
///
/// # Kernel
///
/// `IPVS_DEST_ATTR_TUN_TYPE` and `IPVS_DEST_ATTR_TUN_PORT` (since Linux 5.2), `IPVS_DEST_ATTR_TUN_FLAGS` (since 5.3).
/// An older kernel ignores them and encapsulates in IPIP.
#[doc(alias = "ipvsadm --tun-type")]
#[doc(alias = "IPVS_DEST_ATTR_TUN_PORT")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tunnel {
    kind: TunnelKind,
    port: u16,
    flags: TunnelFlags,
}

impl Tunnel {
    /// IP in IP.
    pub const fn ipip() -> Self {
        Self { kind: TunnelKind::Ipip, port: 0, flags: TunnelFlags::empty() }
    }

    /// Generic UDP encapsulation to a port of the server.
    ///
    /// # Errors
    ///
    /// When the port is 0.
    pub fn gue(port: u16) -> Result<Self, InvalidValue> {
        if port == 0 {
            return Err(InvalidValue::range("GUE tunnel port", port, "1 to 65535"));
        }
        Ok(Self { kind: TunnelKind::Gue, port, flags: TunnelFlags::empty() })
    }

    /// Generic routing encapsulation.
    pub const fn gre() -> Self {
        Self { kind: TunnelKind::Gre, port: 0, flags: TunnelFlags::empty() }
    }

    /// Sets the flags.
    #[must_use]
    pub const fn flags(mut self, flags: TunnelFlags) -> Self {
        self.flags = flags;
        self
    }

    /// The encapsulation.
    pub const fn kind(&self) -> TunnelKind {
        self.kind
    }

    /// The UDP port of the server, for GUE.
    pub const fn port(&self) -> Option<NonZeroU16> {
        NonZeroU16::new(self.port)
    }

    /// The flags.
    pub const fn tunnel_flags(&self) -> TunnelFlags {
        self.flags
    }

    /// Takes any combination, because the kernel stores any.
    pub(crate) const fn from_kernel(kind: u8, port: u16, flags: u16) -> Self {
        Self { kind: TunnelKind::from_number(kind), port, flags: TunnelFlags::from_bits_retain(flags) }
    }
}

impl Default for Tunnel {
    /// IP in IP without flags, as `ipvsadm -i` sets it.
    fn default() -> Self {
        Self::ipip()
    }
}

/// The encapsulations.
#[doc(alias = "IPVS_DEST_ATTR_TUN_TYPE")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum TunnelKind {
    /// IP in IP (`ipip`).
    #[doc(alias = "IP_VS_CONN_F_TUNNEL_TYPE_IPIP")]
    Ipip,
    /// Generic UDP encapsulation (`gue`).
    #[doc(alias = "IP_VS_CONN_F_TUNNEL_TYPE_GUE")]
    Gue,
    /// Generic routing encapsulation (`gre`).
    #[doc(alias = "IP_VS_CONN_F_TUNNEL_TYPE_GRE")]
    Gre,
    /// A number that the kernel stores and gives no meaning to.
    Unknown(UnknownTunnelKind),
}

/// A tunnel type of 3 or more, as a kernel may report it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnknownTunnelKind(u8);

impl UnknownTunnelKind {
    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TunnelKind {
    /// The number in `IPVS_DEST_ATTR_TUN_TYPE`.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipip => 0,
            Self::Gue => 1,
            Self::Gre => 2,
            Self::Unknown(UnknownTunnelKind(number)) => number,
        }
    }

    pub(crate) const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Ipip,
            1 => Self::Gue,
            2 => Self::Gre,
            other => Self::Unknown(UnknownTunnelKind(other)),
        }
    }
}

bitflags! {
    /// Options of a tunnel. Bits without a name are kept, not dropped.
    ///
    /// # Kernel
    ///
    /// `IPVS_DEST_ATTR_TUN_FLAGS`, constants `IP_VS_TUNNEL_ENCAP_FLAG_*`.
    #[doc(alias = "IPVS_DEST_ATTR_TUN_FLAGS")]
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub struct TunnelFlags: u16 {
        /// The outer header carries a checksum (`ipvsadm --tun-csum`), for GUE and GRE.
        #[doc(alias = "IP_VS_TUNNEL_ENCAP_FLAG_CSUM")]
        #[doc(alias = "ipvsadm --tun-csum")]
        const CHECKSUM = 0x1;
        /// Remote checksum offload (`ipvsadm --tun-remcsum`), for GUE.
        #[doc(alias = "IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM")]
        #[doc(alias = "ipvsadm --tun-remcsum")]
        const REMOTE_CHECKSUM = 0x2;
        // Every other bit is stored and reported by the kernel as well.
        const _ = !0;
    }
}
