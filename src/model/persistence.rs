use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use super::{AddressFamily, EngineName, InvalidValue, ParseError};

/// Persistence: the connections of a client stay with the destination of its first connection.
///
/// ```
/// use std::net::Ipv4Addr;
/// use ipvs_rs::model::{Granularity, Persistence};
///
/// // Every client by itself, for five minutes after its last connection.
/// let by_client = Persistence::for_secs(300)?;
/// // All clients of one /24 together.
/// let by_network = by_client.granularity(Granularity::Mask(Ipv4Addr::new(255, 255, 255, 0)));
/// # assert_eq!(by_network.timeout_secs(), 300);
/// # Ok::<(), ipvs_rs::model::InvalidValue>(())
/// ```
///
/// # Kernel
///
/// Flag `IP_VS_SVC_F_PERSISTENT` with `IPVS_SVC_ATTR_TIMEOUT`, `IPVS_SVC_ATTR_NETMASK` and `IPVS_SVC_ATTR_PE_NAME`;
/// `ipvsadm --persistent --netmask --pe`.
#[doc(alias = "IPVS_SVC_ATTR_TIMEOUT")]
#[doc(alias = "ipvsadm -p")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Persistence {
    timeout_secs: u32,
    /// The clients that count as one.
    pub granularity: Granularity,
    /// The engine that recognizes a client; `None` to recognize it by its address.
    pub engine: Option<PersistenceEngine>,
}

impl Persistence {
    /// The longest timeout in seconds that every kernel stores without wrapping (2³² milliseconds).
    pub const MAX_SECS: u32 = 4_294_967;

    /// The values that the kernel holds for a service created without any.
    pub(crate) const NEUTRAL: Self = Self { timeout_secs: 0, granularity: Granularity::Client, engine: None };

    /// Persistence with a timeout in seconds, per client address, without an engine.
    ///
    /// The timeout starts again with each connection. 0 is allowed, as in the kernel: the client is forgotten at once.
    ///
    /// # Errors
    ///
    /// When the timeout is above [`MAX_SECS`](Self::MAX_SECS): the kernel would silently store another one.
    pub fn for_secs(timeout: u32) -> Result<Self, InvalidValue> {
        if timeout > Self::MAX_SECS {
            return Err(InvalidValue::range("persistence timeout", timeout, "0 to 4294967 seconds"));
        }
        Ok(Self::verbatim(timeout))
    }

    /// The same from a [`Duration`].
    ///
    /// # Errors
    ///
    /// When it is not a whole number of seconds, or too long.
    pub fn new(timeout: Duration) -> Result<Self, InvalidValue> {
        Self::for_secs(whole_seconds("persistence timeout", timeout)?)
    }

    /// Persistence with a timeout in seconds exactly as given, including one that only a kernel reports.
    ///
    /// The longest timeout that a kernel stores without wrapping depends on its tick rate; see
    /// [`MAX_SECS`](Self::MAX_SECS).
    pub const fn verbatim(timeout: u32) -> Self {
        Self { timeout_secs: timeout, granularity: Granularity::Client, engine: None }
    }

    /// Sets which clients count as one.
    #[must_use]
    pub fn granularity(mut self, granularity: Granularity) -> Self {
        self.granularity = granularity.normalized();
        self
    }

    /// Sets the engine that recognizes a client.
    #[must_use]
    pub fn engine(mut self, engine: PersistenceEngine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// The timeout in whole seconds.
    pub fn timeout_secs(&self) -> u32 {
        self.timeout_secs
    }

    /// The timeout.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_secs.into())
    }

    /// Takes any timeout: one that the kernel reports can be longer than [`for_secs`](Self::for_secs) allows.
    pub(crate) fn from_kernel(timeout_secs: u32, granularity: Granularity, engine: Option<PersistenceEngine>) -> Self {
        Self { timeout_secs, granularity, engine }
    }
}

/// The clients of a persistent service that count as one.
///
/// ```
/// use ipvs_rs::model::{AddressFamily, Granularity};
///
/// let network: Granularity = "255.255.255.0".parse()?;
/// assert!(network.fits(AddressFamily::Ipv4));
/// let site: Granularity = "48".parse()?;
/// assert!(!site.fits(AddressFamily::Ipv4));
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
///
/// # Kernel
///
/// `IPVS_SVC_ATTR_NETMASK`: a mask in network order for IPv4, a prefix length in native order for IPv6.
#[doc(alias = "IPVS_SVC_ATTR_NETMASK")]
#[doc(alias = "netmask")]
#[doc(alias = "ipvsadm -M")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(clippy::exhaustive_enums, reason = "one way for each family, and the default")]
pub enum Granularity {
    /// Each address separately: mask 255.255.255.255, or prefix length 128.
    #[default]
    Client,
    /// IPv4 addresses that agree in the bits of the mask. Any mask is accepted, including one with holes.
    Mask(Ipv4Addr),
    /// IPv6 addresses that agree in their first bits.
    Prefix(Prefix),
}

impl Granularity {
    /// The narrowest form: the mask or prefix that covers the whole address is [`Client`](Self::Client).
    #[must_use]
    pub fn normalized(self) -> Self {
        match self {
            Self::Mask(Ipv4Addr::BROADCAST) | Self::Prefix(Prefix::FULL) => Self::Client,
            other => other,
        }
    }

    /// Whether it is valid for a service of this family.
    pub fn fits(self, family: AddressFamily) -> bool {
        match self {
            Self::Client => true,
            Self::Mask(_) => family == AddressFamily::Ipv4,
            Self::Prefix(_) => family == AddressFamily::Ipv6,
        }
    }
}

/// A prefix length of 1 to 128 bits.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Prefix(u8);

impl Prefix {
    /// The whole address.
    pub const FULL: Self = Self(128);

    /// Checks a prefix length.
    ///
    /// # Errors
    ///
    /// When it is 0 or above 128.
    pub fn new(bits: u8) -> Result<Self, InvalidValue> {
        if (1..=128).contains(&bits) {
            Ok(Self(bits))
        } else {
            Err(InvalidValue::range("IPv6 prefix length", bits, "1 to 128"))
        }
    }

    /// The number of bits.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Prefix {
    type Error = InvalidValue;

    fn try_from(bits: u8) -> Result<Self, InvalidValue> {
        Self::new(bits)
    }
}

impl From<Prefix> for u8 {
    fn from(prefix: Prefix) -> Self {
        prefix.0
    }
}

/// An engine that recognizes a client by something other than its address.
///
/// The set is open, as with [`Scheduler`](super::Scheduler).
///
/// # Kernel
///
/// `IPVS_SVC_ATTR_PE_NAME`; the module of engine `x` is `ip_vs_pe_x`. `ipvsadm --pe`.
#[doc(alias = "IPVS_SVC_ATTR_PE_NAME")]
#[doc(alias = "ipvsadm --pe")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum PersistenceEngine {
    /// `sip`: the Call-ID of SIP over UDP.
    Sip,
    /// An engine that has no constant here.
    Other(EngineName),
}

impl PersistenceEngine {
    /// The engine with this name. A known name may be written in any case.
    ///
    /// # Errors
    ///
    /// When the name is empty, longer than 16 bytes, or has a blank, a NUL or a non-ASCII character.
    pub fn from_name(name: &str) -> Result<Self, InvalidValue> {
        if name.eq_ignore_ascii_case("sip") { Ok(Self::Sip) } else { EngineName::new(name).map(Self::Other) }
    }

    /// The kernel's name of the engine; a replacement character where that is not text.
    pub fn name(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("\u{fffd}")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sip => b"sip",
            Self::Other(name) => name.as_bytes(),
        }
    }

    pub(crate) fn from_kernel(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"sip") { Some(Self::Sip) } else { EngineName::from_kernel(name).map(Self::Other) }
    }
}

impl fmt::Display for PersistenceEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(name) => name.fmt(f),
            known => f.pad(known.name()),
        }
    }
}

impl FromStr for PersistenceEngine {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.eq_ignore_ascii_case("sip") { Ok(Self::Sip) } else { text.parse().map(Self::Other) }
    }
}

/// A duration as a number of seconds; a duration that would have to be rounded is refused.
pub(super) fn whole_seconds(what: &'static str, duration: Duration) -> Result<u32, InvalidValue> {
    if duration.subsec_nanos() != 0 {
        return Err(InvalidValue::range(what, format_args!("{duration:?}"), "a whole number of seconds"));
    }
    u32::try_from(duration.as_secs())
        .ok()
        .ok_or_else(|| InvalidValue::range(what, format_args!("{duration:?}"), "at most 4294967295 seconds"))
}
