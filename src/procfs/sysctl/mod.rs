mod value;

use std::fmt;
use std::str::FromStr;

pub use value::{SysctlKind, SysctlValue};

use crate::model::ParseError;

macro_rules! sysctls {
    ($(
        $variant:ident = $name:literal,
            $meaning:literal,
            $kind:expr, $unit:expr, $default:expr, $access:ident, $since:expr $(, if $condition:literal)?;
    )*) => {
        /// A setting of IPVS in a network namespace: a file of `/proc/sys/net/ipv4/vs`.
        ///
        /// This lists all sysctls that a kernel up to 7.2 can have; [`info`](Self::info) tells which kernels have one,
        /// and under which condition. Each prints as its name, and is parsed from it.
        ///
        /// ```
        /// use ipvs_rs::procfs::{Sysctl, SysctlKind};
        ///
        /// let sysctl: Sysctl = "expire_nodest_conn".parse()?;
        /// assert_eq!(sysctl, Sysctl::ExpireNodestConn);
        /// let info = sysctl.info();
        /// assert_eq!(info.kind, SysctlKind::Switch);
        /// assert_eq!(info.default, Some("0"));
        /// # Ok::<(), ipvs_rs::model::ParseError>(())
        /// ```
        ///
        /// Read and set them with `Procfs::get_sysctl` and `Procfs::set_sysctl`.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Sysctl {
            $(
                #[doc = $meaning]
                $(#[doc = concat!("\n\nIt is there ", $condition, ".")])?
                #[doc(alias = $name)]
                $variant,
            )*
        }

        impl Sysctl {
            /// Every sysctl, in the order of their names.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name of the file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The description of the sysctl.
            pub const fn info(self) -> SysctlInfo {
                match self {
                    $(Self::$variant => SysctlInfo {
                        meaning: $meaning,
                        kind: $kind,
                        unit: $unit,
                        default: $default,
                        access: SysctlAccess::$access,
                        since: $since,
                        condition: sysctls!(@condition $($condition)?),
                    },)*
                }
            }

            /// The path of the file, which shows the network namespace of the thread that opens it.
            #[cfg(target_os = "linux")]
            pub(super) const fn path(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("/proc/sys/net/ipv4/vs/", $name),)*
                }
            }
        }
    };
    (@condition) => { None };
    (@condition $condition:literal) => { Some($condition) };
}

const fn number(least: i64, greatest: i64) -> SysctlKind {
    SysctlKind::Number { least, greatest }
}

/// Any number that the kernel's type holds.
const ANY: SysctlKind = number(i32::MIN as i64, i32::MAX as i64);
/// Any number from 0: a negative one makes no sense.
const NATURAL: SysctlKind = number(0, i32::MAX as i64);
/// The first version in the public history of the kernel, which has the sysctl already.
const ALWAYS: KernelVersion = KernelVersion(2, 6, 12);

sysctls! {
    AmDroprate = "am_droprate",
        "The number of packets of which one is dropped while `drop_packet` is 3.",
        NATURAL, Some("packets"), Some("10"), Namespace, ALWAYS;
    Amemthresh = "amemthresh",
        "The amount of free memory below which the automatic defense modes are active.",
        ANY, Some("pages"), Some("1024"), Namespace, ALWAYS;
    BackupOnly = "backup_only",
        "Whether packets are left to the master, and not forwarded here, while a backup synchronization daemon runs.",
        SysctlKind::Switch, None, Some("0"), Namespace, KernelVersion(3, 9, 0);
    CacheBypass = "cache_bypass",
        "Whether packets go on to their original destination when there is no server for them, as in front of a web \
         cache.",
        SysctlKind::Switch, None, Some("0"), Namespace, ALWAYS;
    ConnLfactor = "conn_lfactor",
        "The load factor of the connection table: two to this power is the number of connections for each bucket, so \
         that a smaller number makes a larger table.",
        number(-8, 8), Some("power of two"), None, Host, KernelVersion(7, 1, 0);
    ConnMax = "conn_max",
        "The largest number of connections in this namespace.",
        number(0, i64::MAX), Some("connections"), None, Namespace, KernelVersion(7, 2, 0);
    ConnReuseMode = "conn_reuse_mode",
        "When a connection whose client uses a port again may get another server: a sum of bits. 0 is never, 1 when \
         the old connection is in `TIME_WAIT` or its server is gone, 2 as well when it is in `FIN_WAIT`.",
        number(0, 3), Some("bits"), Some("1"), Namespace, KernelVersion(4, 1, 0);
    Conntrack = "conntrack",
        "Whether connections of IPVS have entries in the connection tracking of netfilter, which stateful firewall \
         rules and source address translation need.",
        SysctlKind::Switch, None, Some("0"), Namespace, KernelVersion(2, 6, 37),
            if "only where the kernel is built with `CONFIG_IP_VS_NFCT`";
    DebugLevel = "debug_level",
        "The verbosity of the kernel's log, from 0, errors only, to 12, each step of each packet.",
        NATURAL, Some("level"), Some("0"), First, ALWAYS,
            if "only where the kernel is built with `CONFIG_IP_VS_DEBUG`";
    DropEntry = "drop_entry",
        "The mode of dropping half-open connections at random: 0 never, 1 and 2 when memory is short, 3 always. The \
         kernel itself switches between 1 and 2.",
        number(0, 3), Some("mode"), Some("0"), Namespace, ALWAYS;
    DropPacket = "drop_packet",
        "The mode of dropping packets at random: 0 never, 1 and 2 when memory is short, 3 always. The kernel itself \
         switches between 1 and 2.",
        number(0, 3), Some("mode"), Some("0"), Namespace, ALWAYS;
    EstCpulist = "est_cpulist",
        "The processors that may compute rates; none stops that, and the counters with it. By default, those that the \
         system leaves to such tasks.",
        SysctlKind::Cpus, Some("list of processors"), None, Host, KernelVersion(6, 2, 0);
    EstNice = "est_nice",
        "The nice value of the threads that compute rates.",
        number(-20, 19), Some("nice value"), Some("0"), Host, KernelVersion(6, 2, 0);
    ExpireNodestConn = "expire_nodest_conn",
        "Whether a connection ends at its next packet when its server was deleted. Otherwise its packets are \
         dropped silently, until the server comes back or the connection is forgotten.",
        SysctlKind::Switch, None, Some("0"), Namespace, ALWAYS;
    ExpireQuiescentTemplate = "expire_quiescent_template",
        "Whether persistence ends when the weight of the server is 0. Otherwise known clients still reach it.",
        SysctlKind::Switch, None, Some("0"), Namespace, ALWAYS;
    IgnoreTunneled = "ignore_tunneled",
        "Whether packets of protocols that IPVS does not know are left alone from then on, such as those that \
         another director sent through a tunnel.",
        SysctlKind::Switch, None, Some("0"), Namespace, KernelVersion(4, 4, 0);
    LblcExpiration = "lblc_expiration",
        "The time after which the scheduler `lblc` forgets the server of an address.",
        NATURAL, Some("seconds"), Some("86400"), Namespace, ALWAYS,
            if "only while the module `ip_vs_lblc` is loaded";
    LblcrExpiration = "lblcr_expiration",
        "The time after which the scheduler `lblcr` forgets the servers of an address.",
        NATURAL, Some("seconds"), Some("86400"), Namespace, ALWAYS,
            if "only while the module `ip_vs_lblcr` is loaded";
    NatIcmpSend = "nat_icmp_send",
        "Whether a server that sends from a port of a masqueraded service, without a connection, gets an ICMP error.",
        SysctlKind::Switch, None, Some("0"), Namespace, ALWAYS;
    PmtuDisc = "pmtu_disc",
        "Whether packets that are too long for the route to the server, and may not be fragmented, are refused. \
         Otherwise those for tunnels are fragmented.",
        SysctlKind::Switch, None, Some("1"), Namespace, KernelVersion(3, 7, 0);
    RunEstimation = "run_estimation",
        "Whether rates are computed. Otherwise the counters that services and destinations report stand still as well.",
        SysctlKind::Switch, None, Some("1"), Host, KernelVersion(5, 16, 0);
    ScheduleIcmp = "schedule_icmp",
        "Whether an ICMP message that does not belong to a connection can create one.",
        SysctlKind::Switch, None, Some("0"), Namespace, KernelVersion(4, 4, 0);
    SecureTcp = "secure_tcp",
        "The mode of stricter tracking of TCP states, with shorter timeouts: 0 never, 1 and 2 when memory is short, \
         3 always. The kernel itself switches between 1 and 2.",
        number(0, 3), Some("mode"), Some("0"), Namespace, ALWAYS;
    SloppySctp = "sloppy_sctp",
        "Whether any SCTP chunk, and not only INIT, can create a connection; for directors that take over.",
        SysctlKind::Switch, None, Some("0"), Namespace, KernelVersion(3, 11, 0);
    SloppyTcp = "sloppy_tcp",
        "Whether any TCP packet but a reset, and not only SYN, can create a connection; for directors that take over.",
        SysctlKind::Switch, None, Some("0"), Namespace, KernelVersion(3, 11, 0);
    SnatReroute = "snat_reroute",
        "Whether answers of masqueraded servers are routed as if they came from this machine.",
        SysctlKind::Switch, None, Some("1"), Namespace, KernelVersion(2, 6, 37);
    SvcLfactor = "svc_lfactor",
        "The load factor of the service table: two to this power is the number of services for each bucket, so that a \
         smaller number makes a larger table.",
        number(-8, 8), Some("power of two"), None, Host, KernelVersion(7, 1, 0);
    SyncPersistMode = "sync_persist_mode",
        "The connections of persistent services that are synchronized: 0 all of them, 1 only the templates.",
        number(0, 1), Some("mode"), Some("0"), Namespace, KernelVersion(3, 11, 0);
    SyncPorts = "sync_ports",
        "The number of threads and ports of a synchronization daemon; it takes effect when the daemon is started.",
        SysctlKind::PowerOfTwo { greatest: 64 }, Some("threads"), Some("1"), Namespace, KernelVersion(3, 5, 0);
    SyncQlenMax = "sync_qlen_max",
        "The largest number of synchronization messages that wait to be sent. The default is a 32nd of the pages of \
         memory.",
        number(0, i64::MAX), Some("messages"), None, Host, KernelVersion(3, 5, 0);
    SyncRefreshPeriod = "sync_refresh_period",
        "The time in which a connection whose state does not change is not synchronized again; 0 leaves that to \
         `sync_threshold`.",
        NATURAL, Some("seconds"), Some("0"), Namespace, KernelVersion(3, 5, 0);
    SyncRetries = "sync_retries",
        "The number of times that a synchronization is repeated, an eighth of `sync_refresh_period` apart.",
        number(0, 3), Some("times"), Some("0"), Namespace, KernelVersion(3, 5, 0);
    SyncSockSize = "sync_sock_size",
        "The size of the buffer of a synchronization socket; 0 leaves it to the system.",
        NATURAL, Some("bytes"), Some("0"), Host, KernelVersion(3, 5, 0);
    SyncThreshold = "sync_threshold",
        "The number of packets after which a connection is synchronized for the first time, and the number after \
         which it is synchronized again; 0 for the second is never.",
        SysctlKind::Threshold, Some("packets"), Some("3 50"), Namespace, ALWAYS;
    SyncVersion = "sync_version",
        "The format of synchronization messages: 1 the present one, 0 that of kernels before 2.6.38.",
        number(0, 1), Some("version"), Some("1"), Namespace, KernelVersion(2, 6, 38);
}

/// The description of a [`Sysctl`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct SysctlInfo {
    /// The effect, in a few sentences.
    pub meaning: &'static str,
    /// The kind of its values.
    pub kind: SysctlKind,
    /// The unit of a number; `None` for a switch.
    pub unit: Option<&'static str>,
    /// The value in a new namespace, as it is written; `None` where that depends on the machine or on the namespace.
    pub default: Option<&'static str>,
    /// The namespaces in which it can be set; it can be read wherever it exists.
    pub access: SysctlAccess,
    /// The first version of Linux that has the file; 2.6.12 stands for any.
    pub since: KernelVersion,
    /// A further condition for the file to exist.
    pub condition: Option<&'static str>,
}

/// The namespaces in which a [`Sysctl`] can be set, given the permission to write.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SysctlAccess {
    /// In every network namespace. (Linux 6.1 shows no sysctls at all in that of a rootless container, 6.12 does.)
    Namespace,
    /// In network namespaces of the host's root; in that of a rootless container it can only be read.
    Host,
    /// In the first network namespace, for all of them.
    First,
}

/// A version of Linux: `KernelVersion(6, 12, 0)` is Linux 6.12.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(clippy::exhaustive_structs, reason = "versions are compared by these three numbers")]
pub struct KernelVersion(pub u16, pub u16, pub u16);

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(major, minor, 0) => write!(f, "{major}.{minor}"),
            Self(major, minor, patch) => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Sysctl {
    type Err = ParseError;

    /// The name of the file, without a folder.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.iter().find(|sysctl| sysctl.name() == text);
        found.copied().ok_or_else(|| ParseError::new("sysctl", text, "a name such as expire_nodest_conn"))
    }
}

impl Sysctl {
    /// Parses a value in the form that this sysctl has in its file.
    ///
    /// ```
    /// use ipvs_rs::procfs::{Sysctl, SysctlValue};
    ///
    /// assert_eq!(Sysctl::SyncThreshold.value("3 50")?, SysctlValue::Threshold { packets: 3, period: 50 });
    /// assert_eq!(Sysctl::Conntrack.value("1")?, true.into());
    /// assert!(Sysctl::Conntrack.value("yes").is_err());
    /// # Ok::<(), ipvs_rs::model::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is not of the [kind](SysctlInfo::kind) that the sysctl has. Whether a number is in range is left
    /// to the kernel.
    pub fn value(self, text: &str) -> Result<SysctlValue, ParseError> {
        SysctlValue::read(self.name(), self.info().kind, text)
    }

    /// Converts a value to the kind of this sysctl, by way of its text, which is what will be written.
    #[cfg(target_os = "linux")]
    pub(super) fn fit(self, value: &SysctlValue) -> Result<SysctlValue, ParseError> {
        self.value(&value.to_string())
    }

    /// Whether a sysctl that was set has taken the value, judged by the value that it reads afterwards.
    #[cfg(target_os = "linux")]
    pub(super) fn has_taken(self, written: &SysctlValue, read: &SysctlValue) -> bool {
        match (self, written, read) {
            // In its automatic modes the kernel changes between the two, once a second.
            (
                Self::DropEntry | Self::DropPacket | Self::SecureTcp,
                SysctlValue::Number(1 | 2),
                SysctlValue::Number(1 | 2),
            ) => true,
            _ => written.is_same(read),
        }
    }
}
