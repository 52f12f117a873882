use std::time::Duration;

use super::InvalidValue;
use super::persistence::whole_seconds;

/// The timeouts of idle connections, per network namespace.
///
/// When read, all three are set (a kernel built without TCP or UDP support leaves out the respective ones). When
/// written, `None` means "leave unchanged".
///
/// ```
/// use std::time::Duration;
/// use ipvs_rs::model::Config;
///
/// let config = Config::new().tcp(Duration::from_secs(900))?.udp(Duration::from_secs(30))?;
/// assert_eq!(config.tcp_fin, None);
/// assert!(Config::new().tcp(Duration::from_millis(1500)).is_err());
/// # Ok::<(), ipvs_rs::model::InvalidValue>(())
/// ```
///
/// # Kernel
///
/// `IPVS_CMD_SET_CONFIG` and `IPVS_CMD_GET_CONFIG`; defaults 900, 120 and 300 s. `ipvsadm --set`.
#[doc(alias = "IPVS_CMD_SET_CONFIG")]
#[doc(alias = "IPVS_CMD_GET_CONFIG")]
#[doc(alias = "ipvsadm --set")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Config {
    /// Established TCP connections (`IPVS_CMD_ATTR_TIMEOUT_TCP`).
    #[doc(alias = "IPVS_CMD_ATTR_TIMEOUT_TCP")]
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tcp: Option<Timeout>,
    /// TCP connections between the first FIN and the end of both directions (`FIN_WAIT`;
    /// `IPVS_CMD_ATTR_TIMEOUT_TCP_FIN`).
    ///
    /// A connection that is closed on both sides then stays in `TIME_WAIT` for two minutes, which cannot be configured:
    /// until then it counts among the [inactive connections](super::DestinationEntry::inactive_connections).
    #[doc(alias = "IPVS_CMD_ATTR_TIMEOUT_TCP_FIN")]
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tcp_fin: Option<Timeout>,
    /// UDP connections (`IPVS_CMD_ATTR_TIMEOUT_UDP`).
    #[doc(alias = "IPVS_CMD_ATTR_TIMEOUT_UDP")]
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub udp: Option<Timeout>,
}

impl Config {
    /// Leaves all timeouts unchanged.
    pub const fn new() -> Self {
        Self { tcp: None, tcp_fin: None, udp: None }
    }

    /// Sets the timeout of established TCP connections.
    ///
    /// # Errors
    ///
    /// As [`Timeout::new`].
    pub fn tcp(mut self, timeout: Duration) -> Result<Self, InvalidValue> {
        self.tcp = Some(Timeout::new(timeout)?);
        Ok(self)
    }

    /// Sets the timeout of TCP connections after a FIN.
    ///
    /// # Errors
    ///
    /// As [`Timeout::new`].
    pub fn tcp_fin(mut self, timeout: Duration) -> Result<Self, InvalidValue> {
        self.tcp_fin = Some(Timeout::new(timeout)?);
        Ok(self)
    }

    /// Sets the timeout of UDP.
    ///
    /// # Errors
    ///
    /// As [`Timeout::new`].
    pub fn udp(mut self, timeout: Duration) -> Result<Self, InvalidValue> {
        self.udp = Some(Timeout::new(timeout)?);
        Ok(self)
    }
}

/// A timeout in whole seconds, 1 to 21474836.
///
/// The kernel counts in ticks, of which it holds 2³¹ − 1, so the greatest timeout that *it* accepts depends on its
/// tick rate: 21474836 s at 100 Hz, 8589934 s at 250 Hz, 2147483 s at 1000 Hz. It refuses a longer one with `EINVAL`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timeout(u32);

impl Timeout {
    /// The longest timeout that any kernel accepts.
    pub const MAX_SECS: u32 = 21_474_836;

    /// Checks a timeout in seconds.
    ///
    /// # Errors
    ///
    /// When it is 0, which the kernel takes for "leave unchanged", or above [`MAX_SECS`](Self::MAX_SECS).
    pub fn from_secs(seconds: u32) -> Result<Self, InvalidValue> {
        if (1..=Self::MAX_SECS).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(InvalidValue::range("timeout", seconds, "1 to 21474836 seconds"))
        }
    }

    /// The same from a [`Duration`].
    ///
    /// # Errors
    ///
    /// When it is not a whole number of seconds, 0, or too long.
    pub fn new(timeout: Duration) -> Result<Self, InvalidValue> {
        Self::from_secs(whole_seconds("timeout", timeout)?)
    }

    /// The number of seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

impl TryFrom<Duration> for Timeout {
    type Error = InvalidValue;

    fn try_from(timeout: Duration) -> Result<Self, InvalidValue> {
        Self::new(timeout)
    }
}

impl From<Timeout> for Duration {
    fn from(timeout: Timeout) -> Self {
        Self::from_secs(timeout.0.into())
    }
}
