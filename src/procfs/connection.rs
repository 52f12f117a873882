use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::Word;
use super::row::{Row, number, unfit};
use super::word::unescaped;
use crate::model::{AddressFamily, ParseError, PersistenceEngine, Protocol, ServiceId};

/// A connection in the kernel's table, or a template that keeps a client with its destination.
///
/// ```
/// use ipvs_rs::procfs::{Connection, ConnectionState};
///
/// let row = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED     895";
/// let connection: Connection = row.parse()?;
/// assert_eq!(connection.client.to_string(), "10.2.0.2:41000");
/// assert_eq!(connection.service.to_string(), "10.9.9.9:80");
/// assert_eq!(connection.destination.to_string(), "10.1.0.3:8080");
/// assert_eq!(connection.state, ConnectionState::Established);
/// assert_eq!(connection.expires_secs, 895);
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
///
/// # Kernel
///
/// A row of `/proc/net/ip_vs_conn` or of `/proc/net/ip_vs_conn_sync`; `ipvsadm -L -n -c`.
#[doc(alias = "ip_vs_conn")]
#[doc(alias = "ipvsadm -c")]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Connection {
    /// The protocol; of a template for a firewall mark, [`Ip`](ConnectionProtocol::Ip).
    pub protocol: ConnectionProtocol,
    /// The client. Of a template the address is masked with the granularity of the service, and the port is 0.
    pub client: SocketAddr,
    /// The virtual address; of a template for a firewall mark, see [`mark`](Self::mark).
    pub service: SocketAddr,
    /// The server. Behind a tunnel it may be of another address family than the client.
    pub destination: SocketAddr,
    /// The state of the connection.
    pub state: ConnectionState,
    /// The seconds after which the kernel removes it if no further packet comes; rounded down.
    pub expires_secs: u64,
    /// The data by which the persistence engine identifies the client; only of templates.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub engine: Option<EngineData>,
    /// The director that created it; only known from the table
    /// `ip_vs_conn_sync`, which has no [`engine`](Self::engine) in turn.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub origin: Option<ConnectionOrigin>,
}

impl Connection {
    /// Reads a row of the connection table, without the end of the line.
    ///
    /// This is [`FromStr`] for bytes, because the data of a persistence engine need not be text. Blanks after the last
    /// column are ignored, unless they belong to such data.
    ///
    /// # Errors
    ///
    /// When a column is missing or does not fit; the error names it.
    pub fn from_row(row: &[u8]) -> Result<Self, ParseError> {
        Self::read(row, Columns::Engine)
    }

    pub(super) fn read(row: &[u8], columns: Columns) -> Result<Self, ParseError> {
        let mut row = Row::new(row);
        let word = row.word();
        let protocol = ConnectionProtocol::from_word(word).ok_or_else(|| unfit("protocol", word, PROTOCOL))?;
        let client = row.endpoint("client")?;
        let service = row.endpoint("virtual address")?;
        let destination = row.endpoint("destination")?;
        let word = row.word();
        let state = ConnectionState::from_word(word).ok_or_else(|| unfit("state", word, STATE))?;
        let origin = match columns {
            Columns::Engine | Columns::Plain => None,
            Columns::Origin => {
                let word = row.word();
                let origin = ConnectionOrigin::from_word(word);
                Some(origin.ok_or_else(|| unfit("origin", word, ORIGIN))?)
            }
        };
        let word = row.word();
        let expires_secs = number(word, 10).ok_or_else(|| unfit("expiry", word, "a number of seconds"))?;
        let engine = match columns {
            Columns::Engine => EngineData::read(row)?,
            Columns::Plain | Columns::Origin => None,
        };
        Ok(Self { protocol, client, service, destination, state, expires_secs, engine, origin })
    }

    /// Whether this is a template of a persistent service, and not a connection.
    ///
    /// A template keeps a client with its destination; it carries no packets itself. The kernel does not mark it, but
    /// its row can be told from that of a connection: a template has no client port, and one of two states that no
    /// connection without a port can have. Before Linux 4.19 templates for UDP had the state of connections for UDP,
    /// and are not recognized.
    pub fn is_template(&self) -> bool {
        self.client.port() == 0 && matches!(self.state, ConnectionState::None | ConnectionState::Assured)
    }

    /// The firewall mark of the service, if this is a template for one.
    ///
    /// The kernel prints the mark in place of the [virtual address](Self::service). Connections that were created from
    /// such a template have the protocol and the address of their packets, and do not show the mark.
    pub fn mark(&self) -> Option<u32> {
        if self.protocol != ConnectionProtocol::Ip {
            return None;
        }
        Some(match self.service.ip() {
            IpAddr::V4(address) => address.to_bits(),
            IpAddr::V6(address) => {
                let [a, b, ..] = address.segments();
                u32::from(a) << 16 | u32::from(b)
            }
        })
    }
}

impl Connection {
    /// The service that the row names: its protocol and virtual address, or the firewall mark of a template.
    ///
    /// There need not be such a service in the table: a connection may belong to a service of port 0, or to one for a
    /// mark. `None` when this library does not know the protocol.
    ///
    /// ```
    /// use ipvs_rs::procfs::Connection;
    ///
    /// let row = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED     895";
    /// assert_eq!(row.parse::<Connection>()?.service_id(), Some("TCP 10.9.9.9:80".parse()?));
    /// let template = "IP  0A020000 0000 00000007 0000 0A010003 0000 ASSURED         895";
    /// assert_eq!(template.parse::<Connection>()?.service_id(), Some("FWM 7".parse()?));
    /// # Ok::<(), ipvs_rs::model::ParseError>(())
    /// ```
    pub fn service_id(&self) -> Option<ServiceId> {
        match self.mark() {
            Some(mark) => ServiceId::fwmark(mark, AddressFamily::of(self.service.ip())).ok(),
            None => Some(ServiceId::verbatim(self.protocol.protocol()?, self.service.ip(), self.service.port())),
        }
    }
}

impl fmt::Display for Connection {
    /// The columns of `ipvsadm -L -n -c`, one blank apart, followed by the data of a persistence engine or the origin.
    /// [`FromStr`] does not parse this form, but a row of the kernel.
    ///
    /// ```
    /// use ipvs_rs::procfs::Connection;
    ///
    /// let row = "UDP 0A090909 0000 0A090909 13C4 C0000263 14B4 NONE             59 sip 12345@10.2.0.2";
    /// let line = "UDP 00:59 NONE 10.9.9.9:0 10.9.9.9:5060 192.0.2.99:5300 sip 12345@10.2.0.2";
    /// assert_eq!(row.parse::<Connection>()?.to_string(), line);
    /// # Ok::<(), ipvs_rs::model::ParseError>(())
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, client, service, destination, state, expires_secs, engine, origin } = self;
        let (minutes, seconds) = (expires_secs / 60, expires_secs % 60);
        write!(f, "{protocol} {minutes:02}:{seconds:02} {state} {client} {service} {destination}")?;
        if let Some(EngineData { name, data }) = engine {
            write!(f, " {name} {}", data.escape_ascii())?;
        }
        match origin {
            Some(origin) => write!(f, " {origin}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Connection {
    type Err = ParseError;

    /// A row of the connection table, as [`from_row`](Self::from_row) reads it.
    fn from_str(row: &str) -> Result<Self, ParseError> {
        Self::from_row(row.as_bytes())
    }
}

/// The columns around `Expires`, the last one that all tables have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Columns {
    /// After it, if anything: name and data of a persistence engine.
    Engine,
    /// After it, if anything: unknown columns.
    Plain,
    /// Before it: the origin of the connection. After it: as with [`Plain`](Self::Plain).
    Origin,
}

impl Columns {
    /// Tells the tables apart by their first line. Columns that a later kernel may add are ignored.
    pub(super) fn from_header(header: &[u8]) -> Result<Self, ParseError> {
        let mut row = Row::new(header);
        for column in ["Pro", "FromIP", "FPrt", "ToIP", "TPrt", "DestIP", "DPrt", "State"] {
            let word = row.word();
            if word != column.as_bytes() {
                return Err(unfit("header", word, HEADER));
            }
        }
        let (has_origin, word) = match row.word() {
            b"Origin" => (true, row.word()),
            word => (false, word),
        };
        if word != b"Expires" {
            return Err(unfit("header", word, HEADER));
        }
        Ok(match row.word() {
            _ if has_origin => Self::Origin,
            b"PEName" => Self::Engine,
            _ => Self::Plain,
        })
    }
}

/// A protocol as the connection table names it. It prints as the kernel's name.
///
/// ```
/// use ipvs_rs::model::Protocol;
/// use ipvs_rs::procfs::Connection;
///
/// let row = "IP_50 0A020002 0000 0A090909 0000 0A010003 0000 NONE            60";
/// let connection: Connection = row.parse()?;
/// assert_eq!(connection.protocol.to_string(), "IP_50");
/// assert_eq!(connection.protocol.protocol(), Some(Protocol::ESP));
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ConnectionProtocol {
    /// `TCP`.
    Tcp,
    /// `UDP`.
    Udp,
    /// `SCTP`.
    Sctp,
    /// `IP`: any protocol; a template for a firewall mark.
    Ip,
    /// A name that has no constant here, such as `IP_50`.
    Other(Word),
}

impl ConnectionProtocol {
    /// The protocol that the name stands for; `None` for [`Ip`](Self::Ip), which is not a particular protocol, and for
    /// a name that this library does not know.
    pub fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::Tcp => Some(Protocol::TCP),
            Self::Udp => Some(Protocol::UDP),
            Self::Sctp => Some(Protocol::SCTP),
            Self::Ip => None,
            Self::Other(word) => match word.as_bytes() {
                b"ICMP" => Some(Protocol::from_number(1)),
                b"ICMPv6" => Some(Protocol::from_number(58)),
                word => {
                    let number = number(word.strip_prefix(b"IP_")?, 10)?;
                    u16::try_from(number).ok().map(Protocol::from_number)
                }
            },
        }
    }

    fn from_word(word: &[u8]) -> Option<Self> {
        let known = PROTOCOLS.iter().find(|(name, _)| name.as_bytes() == word).map(|(_, protocol)| *protocol);
        known.or_else(|| Word::from_bytes(word).map(Self::Other))
    }
}

impl FromStr for ConnectionProtocol {
    type Err = ParseError;

    /// Parses the kernel's name, in upper or lower case as the kernel prints it.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        word(text, Self::from_word).ok_or_else(|| unfit("protocol", text.as_bytes(), PROTOCOL))
    }
}

/// The kernel's name.
impl fmt::Display for ConnectionProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, PROTOCOLS.iter().find(|(_, known)| known == self)) {
            (_, Some((name, _))) => f.pad(name),
            (Self::Other(word), None) => word.fmt(f),
            (_, None) => Ok(()),
        }
    }
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// The state of a connection, as IPVS sees it from between the two ends. It prints as the kernel's name.
        ///
        /// Each protocol has states of its own; [`None`](Self::None) and [`Established`](Self::Established) are
        /// shared. The set is open, as with [`Scheduler`](crate::model::Scheduler).
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum ConnectionState {
            $($(#[$doc])* $name,)*
            /// A name that has no constant here. `ERR!`, `BUG!` and `?`, which the kernel prints when it has no name
            /// for a state itself, are among these.
            Other(Word),
        }

        impl ConnectionState {
            fn from_word(word: &[u8]) -> Option<Self> {
                match std::str::from_utf8(word) {
                    $(Ok($word) => Some(Self::$name),)*
                    _ => Word::from_bytes(word).map(Self::Other),
                }
            }
        }

        impl FromStr for ConnectionState {
            type Err = ParseError;

            /// Parses the kernel's name, in upper or lower case as the kernel prints it.
            fn from_str(text: &str) -> Result<Self, ParseError> {
                word(text, Self::from_word).ok_or_else(|| unfit("state", text.as_bytes(), STATE))
            }
        }

        /// The kernel's name.
        impl fmt::Display for ConnectionState {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.pad($word),)*
                    Self::Other(word) => word.fmt(f),
                }
            }
        }
    };
}

states! {
    /// `NONE`: no packet has been seen yet. Of a template: no connection that used it was established.
    None = "NONE",
    /// `ASSURED`, of a template: a connection that used it was established.
    Assured = "ASSURED",
    /// `ESTABLISHED`, of TCP and SCTP.
    Established = "ESTABLISHED",
    /// `UDP`: the only state of UDP.
    Udp = "UDP",
    /// `SYN_SENT`, of TCP.
    SynSent = "SYN_SENT",
    /// `SYN_RECV`, of TCP: the client has sent a SYN.
    SynRecv = "SYN_RECV",
    /// `FIN_WAIT`, of TCP: one end has closed.
    FinWait = "FIN_WAIT",
    /// `TIME_WAIT`, of TCP: both ends have closed.
    TimeWait = "TIME_WAIT",
    /// `CLOSE`, of TCP: it was reset.
    Close = "CLOSE",
    /// `CLOSE_WAIT`, of TCP.
    CloseWait = "CLOSE_WAIT",
    /// `LAST_ACK`, of TCP.
    LastAck = "LAST_ACK",
    /// `LISTEN`, of TCP: an expected data connection of FTP.
    Listen = "LISTEN",
    /// `SYNACK`, of TCP: the client has acknowledged; only with the sysctl `secure_tcp`.
    SynAck = "SYNACK",
    /// `INIT1`, of SCTP: the client has sent an INIT.
    Init1 = "INIT1",
    /// `INIT`, of SCTP.
    Init = "INIT",
    /// `C-SENT`, of SCTP: cookie sent.
    CookieSent = "C-SENT",
    /// `C-REPLIED`, of SCTP: cookie replied.
    CookieReplied = "C-REPLIED",
    /// `C-WAIT`, of SCTP: waiting for the cookie.
    CookieWait = "C-WAIT",
    /// `COOKIE`, of SCTP.
    Cookie = "COOKIE",
    /// `C-ECHOED`, of SCTP: cookie echoed.
    CookieEchoed = "C-ECHOED",
    /// `S-SENT`, of SCTP: shutdown sent.
    ShutdownSent = "S-SENT",
    /// `S-RECEIVED`, of SCTP: shutdown received.
    ShutdownReceived = "S-RECEIVED",
    /// `S-ACK-SENT`, of SCTP: shutdown acknowledged.
    ShutdownAckSent = "S-ACK-SENT",
    /// `REJECTED`, of SCTP.
    Rejected = "REJECTED",
    /// `CLOSED`, of SCTP.
    Closed = "CLOSED",
}

/// The director that created a connection. It prints as the kernel's name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ConnectionOrigin {
    /// `LOCAL`: this director.
    Local,
    /// `SYNC`: another director, which reported it by its synchronization daemon.
    Sync,
}

impl ConnectionOrigin {
    const fn name(self) -> &'static str {
        match self {
            Self::Local => "LOCAL",
            Self::Sync => "SYNC",
        }
    }

    fn from_word(word: &[u8]) -> Option<Self> {
        [Self::Local, Self::Sync].into_iter().find(|origin| origin.name().as_bytes() == word)
    }
}

impl FromStr for ConnectionOrigin {
    type Err = ParseError;

    /// Parses the kernel's name, in upper or lower case as the kernel prints it.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::from_word(text.as_bytes()).ok_or_else(|| unfit("origin", text.as_bytes(), ORIGIN))
    }
}

/// The kernel's name.
impl fmt::Display for ConnectionOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The data by which a persistence engine identifies a client.
#[derive(Clone, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct EngineData {
    /// The engine.
    pub name: PersistenceEngine,
    /// The data from the packets, as the kernel prints it: for `sip` the Call-ID. It may contain blanks, and need not
    /// be text. It ends before the first NUL, because the kernel prints no further.
    #[cfg_attr(feature = "serde", serde(with = "super::bytes"))]
    pub data: Vec<u8>,
}

impl fmt::Debug for EngineData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineData")
            .field("name", &self.name)
            .field("data", &format_args!("\"{}\"", self.data.escape_ascii()))
            .finish()
    }
}

impl EngineData {
    /// Reads the rest of a row: nothing but blanks, or a name and, after one blank, data to the end of the row.
    fn read(mut row: Row<'_>) -> Result<Option<Self>, ParseError> {
        let word = row.word();
        if word.is_empty() {
            return Ok(None);
        }
        let name = PersistenceEngine::from_kernel(word)
            .ok_or_else(|| unfit("persistence engine", word, "a name of 1 to 16 bytes"))?;
        let data = row.rest().strip_prefix(b" ").unwrap_or_default().to_vec();
        Ok(Some(Self { name, data }))
    }
}

/// Parses a word in its printed form, if it could appear in a row.
fn word<T>(text: &str, from_word: fn(&[u8]) -> Option<T>) -> Option<T> {
    unescaped(text).filter(|word| !word.contains(&b' ')).and_then(|word| from_word(&word))
}

const PROTOCOLS: [(&str, ConnectionProtocol); 4] = [
    ("TCP", ConnectionProtocol::Tcp),
    ("UDP", ConnectionProtocol::Udp),
    ("SCTP", ConnectionProtocol::Sctp),
    ("IP", ConnectionProtocol::Ip),
];
const PROTOCOL: &str = "a name of 1 to 15 bytes, such as TCP";
const STATE: &str = "a name of 1 to 15 bytes, such as ESTABLISHED";
const ORIGIN: &str = "LOCAL or SYNC";
const HEADER: &str = "the line \"Pro FromIP FPrt ToIP TPrt DestIP DPrt State Expires\", perhaps with Origin before \
                      Expires and more behind it";
