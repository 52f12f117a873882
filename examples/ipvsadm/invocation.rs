//! Words into a command, with the checks and in the order of the original.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU8, NonZeroU16};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipvs_rs::model::{
    AddressFamily, Config, EngineName, Granularity, InterfaceName, MulticastGroup, Persistence, PersistenceEngine,
    Prefix, Protocol, SchedulerFlags, SchedulerName, SyncDaemon, SyncRole, Thresholds, Timeout, Tunnel, TunnelFlags,
    TunnelKind,
};
use ipvs_rs::{Destination, DestinationId, ForwardMethod, Scheduler, Service, ServiceId};

use crate::address::{self, Endpoint};
use crate::fault::Fault;
use crate::grammar::{Command, Meaning, Opt, Slot};
use crate::matrix::{self, Slots, TUNNELS};
use crate::names::Names;
use crate::number::{decimal, leading};
use crate::words::{WordError, Words};

/// The command with its arguments.
#[derive(Clone, Debug)]
pub enum Invocation {
    Change(Change),
    List(Listing),
    Save { numeric: bool },
    Restore,
    StartDaemon(SyncDaemon),
    StopDaemon(SyncRole),
    Help,
    Version,
    HelpAll,
    Completions(Vec<u8>),
    Man,
}

/// A change of the table, which a restore can send together with others.
#[derive(Clone, Debug)]
pub enum Change {
    NewService(Service),
    UpdateService(Service),
    DeleteService(ServiceId),
    NewDestination(ServiceId, Destination),
    UpdateDestination(ServiceId, Destination),
    DeleteDestination(ServiceId, DestinationId),
    Flush,
    Zero(Option<ServiceId>),
    Set(Config),
}

/// The kind and the form of a listing.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Listing {
    pub what: ListTarget,
    pub format: Format,
    pub numeric: bool,
    pub exact: bool,
    pub sorted: bool,
    pub json: bool,
    /// List again after so many seconds.
    pub watch: Option<Duration>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListTarget {
    Table,
    Service(ServiceId),
    Connections { engine_data: bool },
    Timeouts,
    Daemons,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    Plain,
    Stats,
    Rate,
    Thresholds,
    PersistentConnections,
    TunnelInfo,
}

/// The source of the words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    CommandLine,
    /// A line of a restore, which cannot hold another one.
    Restore,
}

/// Reads the words behind the name of the program.
pub fn read(program: &[u8], words: &[Vec<u8>], origin: Origin, names: &Names) -> Result<Invocation, Fault> {
    let mut words = Words::new(words);
    let Some(Ok((entry, value))) = words.option() else { return Err(Fault::try_help(program)) };
    let Meaning::Command(command) = entry.means else { return Err(Fault::try_help(program)) };
    let mut draft = Draft { is_restored: origin == Origin::Restore, ..Draft::default() };
    match command {
        Command::Help => return Ok(Invocation::Help),
        Command::Version => return Ok(Invocation::Version),
        Command::StartDaemon => {
            draft.role = Some(role(value).ok_or_else(|| Fault::usage("illegal start-daemon parameter specified"))?);
        }
        Command::StopDaemon => {
            draft.role = Some(role(value).ok_or_else(|| Fault::usage("illegal start_daemon specified"))?);
        }
        Command::Completions => draft.shell = value.unwrap_or_default().to_vec(),
        _ => {}
    }

    while let Some(given) = words.option() {
        match given.map(|(entry, value)| (entry.means, value.unwrap_or_default(), value.is_some())) {
            Ok((Meaning::Option(option), value, has_value)) => {
                draft.option(option, value, has_value, names)?;
            }
            Ok((Meaning::Command(_), ..)) => return Err(Fault::value("invalid option ", words.last(), "")),
            Err(WordError { word, problem }) => {
                return Err(Fault::refused([word, b": ", problem.text().as_bytes()].concat()));
            }
        }
    }
    let mut left_over = words.into_left_over().into_iter();
    if command == Command::Set {
        draft.timeouts(&mut left_over)?;
    }
    if let Some(word) = left_over.next() {
        return Err(Fault::usage([b"unexpected argument ", word].concat()));
    }
    draft.scheduler_flags()?;
    if origin == Origin::Restore && draft.given.has_any(&[Slot::Netns, Slot::Watch]) {
        return Err(Fault::usage("the options 'netns' and 'watch' cannot stand in a line of a restore"));
    }
    matrix::check_command(command, draft.given)?;
    if origin == Origin::Restore && command == Command::Restore {
        return Err(Fault::try_help(program));
    }
    draft.finish(command)
}

/// The options that were read so far, with the defaults for the rest.
struct Draft {
    /// Whether the words are of a saved line, which has the settings of some kernel rather than newly intended ones.
    is_restored: bool,
    given: Slots,
    protocol: Option<Protocol>,
    family: AddressFamily,
    address: IpAddr,
    port: u16,
    mark: u32,
    scheduler: Vec<u8>,
    flag_words: Option<Vec<u8>>,
    flags: SchedulerFlags,
    one_packet: bool,
    timeout: Option<u32>,
    mask: Granularity,
    engine: Option<PersistenceEngine>,
    server: DestinationId,
    forward: Forward,
    tunnel_type: TunnelKind,
    tunnel_port: u16,
    tunnel_flags: TunnelFlags,
    weight: u32,
    upper: u32,
    lower: u32,
    role: Option<SyncRole>,
    sync_id: u8,
    max_len: Option<u16>,
    interface: Vec<u8>,
    group: Option<MulticastGroup>,
    multicast_port: Option<u16>,
    ttl: Option<u8>,
    config: Config,
    watch: Option<Duration>,
    shell: Vec<u8>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Forward {
    Route,
    Tunnel,
    Masquerade,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            is_restored: false,
            given: Slots::default(),
            protocol: None,
            family: AddressFamily::Ipv4,
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 0,
            mark: 0,
            scheduler: Vec::new(),
            flag_words: None,
            flags: SchedulerFlags::empty(),
            one_packet: false,
            timeout: None,
            mask: Granularity::Client,
            engine: None,
            server: DestinationId::verbatim(Ipv4Addr::UNSPECIFIED.into(), 0),
            forward: Forward::Route,
            tunnel_type: TunnelKind::Ipip,
            tunnel_port: 0,
            tunnel_flags: TunnelFlags::empty(),
            weight: 1,
            upper: 0,
            lower: 0,
            role: None,
            sync_id: 0,
            max_len: None,
            interface: Vec::new(),
            group: None,
            multicast_port: None,
            ttl: None,
            config: Config::new(),
            watch: None,
            shell: Vec::new(),
        }
    }
}

impl Draft {
    fn option(&mut self, option: Opt, value: &[u8], has_value: bool, names: &Names) -> Result<(), Fault> {
        if let Some(slot) = option.slot() {
            self.given.add(slot)?;
        }
        match option {
            Opt::Tcp => self.service_address(Protocol::TCP, value, names)?,
            Opt::Udp => self.service_address(Protocol::UDP, value, names)?,
            Opt::Sctp => self.service_address(Protocol::SCTP, value, names)?,
            Opt::Service => self.named_service(value)?,
            Opt::Mark => {
                // A mark has no protocol; names of ports are looked up as if it were TCP.
                self.protocol = Some(Protocol::TCP);
                let fault = || Fault::value("invalid fwmark value ", value, " specified");
                let mark = number(value, 1..=u32::MAX.into());
                // It is saved as a signed number.
                let signed = number(value, i32::MIN.into()..=-1).filter(|_| self.is_restored).map(i32::cast_unsigned);
                self.mark = mark.or(signed).ok_or_else(fault)?;
            }
            Opt::Ipv6 => {
                if self.mark == 0 {
                    return Err(Fault::usage("-6 used before -f\n"));
                }
                self.family = AddressFamily::Ipv6;
                self.mask = Granularity::Client;
            }
            Opt::Scheduler => self.scheduler = value.get(..SchedulerName::MAX_LEN).unwrap_or(value).to_vec(),
            Opt::Persistent if has_value => {
                let fault = || Fault::value("invalid timeout value ", value, " specified");
                let range = if self.is_restored { 0..=u32::MAX.into() } else { 1..=MAX_TIMEOUT };
                self.timeout = Some(number(value, range).ok_or_else(fault)?);
            }
            Opt::Persistent => self.timeout = Some(DEFAULT_TIMEOUT),
            Opt::Netmask => self.mask = mask(self.family, value, names)?,
            Opt::Engine => {
                let name = value.get(..EngineName::MAX_LEN).unwrap_or(value);
                // An empty name is the same as none.
                self.engine = EngineName::verbatim(name).ok().map(engine);
            }
            Opt::OnePacket => self.one_packet = true,
            Opt::SchedulerFlags => self.flag_words = Some(value.get(..127).unwrap_or(value).to_vec()),
            Opt::RealServer => {
                let fault = || Fault::usage("illegal real server address[:port] specified");
                let Endpoint { address, port } = address::endpoint(value, self.protocol, names).ok_or_else(fault)?;
                self.server = DestinationId::verbatim(address, port.unwrap_or(self.port));
            }
            Opt::Gatewaying => self.forward = Forward::Route,
            Opt::Ipip => self.forward = Forward::Tunnel,
            Opt::Masquerading => self.forward = Forward::Masquerade,
            Opt::Weight => self.weight = checked(value, 0..=i32::MAX.into(), "weight")?,
            Opt::UpperThreshold => self.upper = checked(value, 0..=i32::MAX.into(), "u_threshold")?,
            Opt::LowerThreshold => self.lower = checked(value, 0..=i32::MAX.into(), "l_threshold")?,
            Opt::TunnelType => {
                let known = TUNNELS.into_iter().find(|kind| kind.as_bytes() == value);
                self.tunnel_type = known.and_then(|kind| kind.parse().ok()).ok_or_else(|| Fault::usage("illegal tunnel type specified"))?;
            }
            Opt::TunnelPort => self.tunnel_port = checked(value, 1..=65535, "tunnel port")?,
            Opt::TunnelChecksum => self.tunnel_flags |= TunnelFlags::CHECKSUM,
            Opt::TunnelRemoteChecksum => self.tunnel_flags |= TunnelFlags::REMOTE_CHECKSUM,
            Opt::SyncId => self.sync_id = checked(value, 0..=255, "syncid")?,
            Opt::SyncMaxLen => self.max_len = Some(checked(value, 1..=65507, "sync-maxlen")?),
            Opt::MulticastInterface => {
                self.interface = value.get(..InterfaceName::MAX_LEN).unwrap_or(value).to_vec();
            }
            Opt::MulticastGroup => self.group = Some(group(value)?),
            Opt::MulticastPort => self.multicast_port = Some(checked(value, 1..=65535, "mcast-port")?),
            Opt::MulticastTtl => self.ttl = Some(checked(value, 1..=255, "mcast-ttl")?),
            Opt::Watch => {
                let fault = || Fault::value("invalid watch interval ", value, " specified: expected 0.1 to 86400 seconds");
                self.watch = Some(interval(value).ok_or_else(fault)?);
            }
            Opt::Numeric
            | Opt::Connection
            | Opt::Timeout
            | Opt::Daemon
            | Opt::Stats
            | Opt::Rate
            | Opt::Thresholds
            | Opt::PersistentConnections
            | Opt::TunnelInfo
            | Opt::NoSort
            | Opt::Sort
            | Opt::Exact
            | Opt::Json
            | Opt::TunnelNoChecksum
            // The namespace was looked for before anything else.
            | Opt::Netns => {}
        }
        Ok(())
    }

    fn service_address(&mut self, protocol: Protocol, value: &[u8], names: &Names) -> Result<(), Fault> {
        self.protocol = Some(protocol);
        let fault = || Fault::usage("illegal virtual server address[:port] specified");
        let Endpoint { address, port } = address::endpoint(value, Some(protocol), names).ok_or_else(fault)?;
        self.address = address;
        self.port = port.unwrap_or_default();
        self.family = AddressFamily::of(address);
        if self.family == AddressFamily::Ipv6 {
            self.mask = Granularity::Client;
        }
        Ok(())
    }

    /// The value of `--service`, in any notation that is one word.
    fn named_service(&mut self, value: &[u8]) -> Result<(), Fault> {
        let id = std::str::from_utf8(value).ok().and_then(|text| text.parse::<ServiceId>().ok());
        let id = id.ok_or_else(|| Fault::value("invalid service ", value, " specified"))?;
        self.protocol = Some(id.protocol().unwrap_or(Protocol::TCP));
        self.address = id.address().unwrap_or(self.address);
        self.port = id.port().unwrap_or_default();
        self.mark = id.mark().map_or(0, u32::from);
        self.family = id.family();
        if self.family == AddressFamily::Ipv6 {
            self.mask = Granularity::Client;
        }
        Ok(())
    }

    /// The three words of `--set`.
    fn timeouts<'a>(&mut self, words: &mut impl Iterator<Item = &'a [u8]>) -> Result<(), Fault> {
        let (Some(tcp), Some(tcp_fin), Some(udp)) = (words.next(), words.next(), words.next()) else {
            return Err(Fault::usage("--set option requires 3 timeout values"));
        };
        let seconds = |word| {
            let fault = || Fault::value("invalid timeout value ", word, " specified");
            number::<u32>(word, 0..=MAX_TIMEOUT).ok_or_else(fault)
        };
        let timeouts = [seconds(tcp)?, seconds(tcp_fin)?, seconds(udp)?];
        // 0 keeps the present value.
        let [tcp, tcp_fin, udp] = timeouts.map(|seconds| Timeout::from_secs(seconds).ok());
        (self.config.tcp, self.config.tcp_fin, self.config.udp) = (tcp, tcp_fin, udp);
        Ok(())
    }

    /// The flags, once the scheduler is known.
    fn scheduler_flags(&mut self) -> Result<(), Fault> {
        let Some(list) = self.flag_words.take() else { return Ok(()) };
        for word in list.split(|byte| *byte == b',').filter(|word| !word.is_empty()) {
            let (flag, owner) = match word {
                b"flag-1" => (SchedulerFlags::FALLBACK, None),
                b"flag-2" => (SchedulerFlags::PORT, None),
                b"flag-3" => (SchedulerFlags::FLAG_3, None),
                b"sh-fallback" => (SchedulerFlags::FALLBACK, Some(b"sh")),
                b"sh-port" => (SchedulerFlags::PORT, Some(b"sh")),
                b"mh-fallback" => (SchedulerFlags::FALLBACK, Some(b"mh")),
                b"mh-port" => (SchedulerFlags::PORT, Some(b"mh")),
                _ => return Err(Fault::value("invalid scheduler flag ", word, "")),
            };
            if owner.is_some_and(|owner| self.scheduler != owner) {
                return Err(Fault::value("incompatible scheduler flag ", word, ""));
            }
            self.flags |= flag;
        }
        Ok(())
    }

    fn finish(self, command: Command) -> Result<Invocation, Fault> {
        Ok(match command {
            Command::AddService => Invocation::Change(Change::NewService(self.service()?)),
            Command::EditService => Invocation::Change(Change::UpdateService(self.service()?)),
            Command::DeleteService => Invocation::Change(Change::DeleteService(self.service_id())),
            Command::AddServer => Invocation::Change(Change::NewDestination(self.service_id(), self.destination()?)),
            Command::EditServer => {
                Invocation::Change(Change::UpdateDestination(self.service_id(), self.destination()?))
            }
            Command::DeleteServer => Invocation::Change(Change::DeleteDestination(self.service_id(), self.server)),
            Command::Clear => Invocation::Change(Change::Flush),
            Command::Zero => Invocation::Change(Change::Zero(self.zeroed())),
            Command::Set => Invocation::Change(Change::Set(self.config)),
            Command::List => Invocation::List(self.listing()?),
            Command::Save => Invocation::Save { numeric: self.given.has(Slot::Numeric) },
            Command::Restore => Invocation::Restore,
            Command::StartDaemon => Invocation::StartDaemon(self.daemon()?),
            Command::StopDaemon => Invocation::StopDaemon(self.role.unwrap_or(SyncRole::Master)),
            Command::Help => Invocation::Help,
            Command::Version => Invocation::Version,
            Command::HelpAll => Invocation::HelpAll,
            Command::Completions => Invocation::Completions(self.shell),
            Command::Man => Invocation::Man,
        })
    }

    fn service_id(&self) -> ServiceId {
        let of_address = ServiceId::verbatim(self.protocol.unwrap_or(Protocol::TCP), self.address, self.port);
        // A mark of 0 is that of a service without one.
        ServiceId::fwmark(self.mark, self.family).unwrap_or(of_address)
    }

    /// One service, or all of them.
    fn zeroed(&self) -> Option<ServiceId> {
        let is_one = self.mark != 0 || self.port != 0 || !self.address.is_unspecified();
        is_one.then(|| self.service_id())
    }

    fn service(&self) -> Result<Service, Fault> {
        if self.mark == 0 && !self.is_restored {
            if self.port == 0 && self.timeout.is_none() {
                return Err(Fault::usage("Zero port specified for non-persistent service"));
            }
            if self.one_packet && self.protocol != Some(Protocol::UDP) {
                return Err(Fault::usage("One-Packet Scheduling is only for UDP virtual services"));
            }
        }
        let service = Service::new(self.service_id(), scheduler(&self.scheduler))
            .scheduler_flags(self.flags)
            .one_packet(self.one_packet);
        let mut stored = Persistence::verbatim(self.timeout.unwrap_or_default());
        stored.engine = self.engine;
        stored = stored.granularity(self.mask);
        Ok(match self.timeout {
            Some(_) => service.persistence(stored),
            None => service.dormant_persistence(stored),
        })
    }

    fn destination(&self) -> Result<Destination, Fault> {
        let mut id = self.server;
        if self.mark == 0 && self.forward != Forward::Masquerade {
            id = DestinationId::verbatim(id.address(), self.port);
        }
        if id.family() != self.family && self.forward != Forward::Tunnel {
            return Err(Fault::usage("Different address family is allowed only for tunneling servers"));
        }
        let tunnel_slots = [
            Slot::TunnelType,
            Slot::TunnelPort,
            Slot::TunnelNoChecksum,
            Slot::TunnelChecksum,
            Slot::TunnelRemoteChecksum,
        ];
        if self.forward != Forward::Tunnel && self.given.has_any(&tunnel_slots) {
            return Err(Fault::usage("Tunnel options conflict with forward method"));
        }
        matrix::check_tunnel(self.tunnel_type, self.given)?;
        let forward = match self.forward {
            Forward::Route => ForwardMethod::DirectRoute,
            Forward::Masquerade => ForwardMethod::Masquerade,
            Forward::Tunnel => {
                let tunnel = match self.tunnel_type {
                    // The port was required, and is not 0.
                    TunnelKind::Gue => Tunnel::gue(self.tunnel_port).map_err(|e| Fault::usage(e.to_string()))?,
                    TunnelKind::Gre => Tunnel::gre(),
                    _ => Tunnel::ipip(),
                };
                ForwardMethod::Tunnel(tunnel.flags(self.tunnel_flags))
            }
        };
        let destination = Destination::new(id, forward).thresholds(Thresholds::verbatim(self.upper, self.lower));
        destination.weight(self.weight).map_err(|error| Fault::usage(error.to_string()))
    }

    fn daemon(&self) -> Result<SyncDaemon, Fault> {
        let name = if self.interface.is_empty() { b"eth0" } else { self.interface.as_slice() };
        let interface = InterfaceName::verbatim(name).map_err(|error| Fault::usage(error.to_string()))?;
        let mut daemon = SyncDaemon::new(self.role.unwrap_or(SyncRole::Master), interface).sync_id(self.sync_id);
        daemon.max_len = self.max_len.and_then(NonZeroU16::new);
        daemon.group = self.group;
        daemon.port = self.multicast_port.and_then(NonZeroU16::new);
        daemon.ttl = self.ttl.and_then(NonZeroU8::new);
        Ok(daemon)
    }

    fn listing(&self) -> Result<Listing, Fault> {
        let has = |slot| self.given.has(slot);
        let counters = self.given.has_any(&[Slot::Stats, Slot::Rate, Slot::Thresholds]);
        let settings = self.given.has_any(&[Slot::Timeout, Slot::Daemon]);
        if ((has(Slot::Connection) || settings) && counters) || (settings && has(Slot::PersistentConnections)) {
            return Err(Fault::usage("options conflicts in the list command"));
        }
        let what = if has(Slot::Connection) {
            ListTarget::Connections { engine_data: has(Slot::PersistentConnections) }
        } else if has(Slot::ServiceAddress) {
            ListTarget::Service(self.service_id())
        } else if has(Slot::Timeout) {
            ListTarget::Timeouts
        } else if has(Slot::Daemon) {
            ListTarget::Daemons
        } else {
            ListTarget::Table
        };
        let formats = [
            (Slot::Stats, Format::Stats),
            (Slot::Rate, Format::Rate),
            (Slot::Thresholds, Format::Thresholds),
            (Slot::PersistentConnections, Format::PersistentConnections),
            (Slot::TunnelInfo, Format::TunnelInfo),
        ];
        Ok(Listing {
            what,
            format: formats.into_iter().find(|(slot, _)| has(*slot)).map_or(Format::Plain, |(_, format)| format),
            numeric: has(Slot::Numeric),
            exact: has(Slot::Exact),
            sorted: !has(Slot::NoSort),
            json: has(Slot::Json),
            watch: self.watch,
        })
    }
}

/// The longest timeout, 31 days in seconds.
const MAX_TIMEOUT: i64 = 2_678_400;
/// Persistence without a number, in seconds.
const DEFAULT_TIMEOUT: u32 = 360;

fn number<T: TryFrom<i64>>(text: &[u8], range: RangeInclusive<i64>) -> Option<T> {
    decimal(text, range).and_then(|number| T::try_from(number).ok())
}

fn checked<T: TryFrom<i64>>(text: &[u8], range: RangeInclusive<i64>, what: &str) -> Result<T, Fault> {
    number(text, range).ok_or_else(|| Fault::usage(format!("illegal {what} specified")))
}

fn role(value: Option<&[u8]>) -> Option<SyncRole> {
    SyncRole::ALL.into_iter().find(|role| Some(role.name().as_bytes()) == value)
}

/// The kernel minds the case of a name, so that only the exact one is one of those that the library knows.
fn scheduler(name: &[u8]) -> Scheduler {
    let known = Scheduler::KNOWN.into_iter().find(|known| known.name().as_bytes() == name);
    // An empty name is the same as none.
    known.or_else(|| SchedulerName::verbatim(name).ok().map(Scheduler::Other)).unwrap_or(Scheduler::Wlc)
}

fn engine(name: EngineName) -> PersistenceEngine {
    if name.as_bytes() == b"sip" { PersistenceEngine::Sip } else { PersistenceEngine::Other(name) }
}

fn mask(family: AddressFamily, text: &[u8], names: &Names) -> Result<Granularity, Fault> {
    if family == AddressFamily::Ipv6 {
        let prefix = u8::try_from(leading(text)).ok().and_then(|bits| Prefix::new(bits).ok());
        return prefix.map(Granularity::Prefix).ok_or_else(|| Fault::usage("illegal ipv6 netmask specified"));
    }
    let mask = address::ipv4_or_name(text, names).map(Granularity::Mask);
    mask.ok_or_else(|| Fault::usage("illegal virtual server persistent mask specified"))
}

fn group(text: &[u8]) -> Result<MulticastGroup, Fault> {
    let (family, address) = if text.contains(&b':') {
        ("IPv6", address::ipv6(text).map(|address: Ipv6Addr| address.into()))
    } else {
        ("IPv4", std::str::from_utf8(text).ok().and_then(|text| text.parse::<Ipv4Addr>().ok()).map(IpAddr::V4))
    };
    let group = address.and_then(|address| MulticastGroup::new(address).ok());
    group.ok_or_else(|| Fault::value(&format!("invalid {family} mcast-group "), text, ""))
}

fn interval(text: &[u8]) -> Option<Duration> {
    let seconds: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (0.1..=86400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;

    use super::*;

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn said(text: &[&str]) -> Result<Invocation, (String, u8)> {
        read(
            b"ipvsadm",
            &words(text),
            Origin::CommandLine,
            &Names::with_services("http 80/tcp\ndomain 53/udp\nhttps 443/tcp\n"),
        )
        .map_err(|fault| (String::from_utf8(fault.message).unwrap() + "\n", fault.status))
    }

    /// Replays the recorded cases that never reach the kernel.
    #[test]
    fn recorded_command_lines_are_refused_as_recorded() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ipvsadm/cases.json");
        let cases: Value = fs::read_to_string(path).unwrap().parse().unwrap();
        let mut refused = 0;
        for step in cases.as_array().unwrap().iter().flat_map(|case| case["steps"].as_array().unwrap()) {
            let argv: Vec<&str> = step["argv"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let (Some(("ipvsadm", text)), None) =
                (argv.split_first().map(|(name, text)| (*name, text)), step["stdin"].as_str())
            else {
                continue;
            };
            let (stderr, status) = (step["stderr"].as_str().unwrap(), step["exit"].as_u64().unwrap());
            // The kernel's refusals have no option or help in them.
            let parser = [" option\n", " argument\n", " information.\n"].iter().any(|end| stderr.ends_with(end));
            if status == 2 || (status == 255 && parser) {
                let fault = said(text).expect_err(stderr);
                assert_eq!(fault, (stderr.to_owned(), u8::try_from(status).unwrap()), "{text:?}");
                refused += 1;
            } else if !text.is_empty() && !text.iter().any(|word| word.contains("vip") || word.contains("example")) {
                said(text).unwrap_or_else(|fault| panic!("{text:?}: {fault:?}"));
            }
        }
        assert_eq!(refused, 117);
    }

    #[test]
    fn every_option_reaches_the_kernel() {
        let line = "-A -t 10.0.0.1:80 -s sh -b sh-port,flag-3 -p 90 -M 255.255.0.0 --pe sip";
        let Ok(Invocation::Change(Change::NewService(service))) = said(&line.split(' ').collect::<Vec<_>>()) else {
            panic!("{line}")
        };
        let persistence = Persistence::for_secs(90).unwrap();
        let expected = Service::new("TCP 10.0.0.1:80".parse().unwrap(), Scheduler::Sh)
            .scheduler_flags(SchedulerFlags::PORT | SchedulerFlags::FLAG_3)
            .persistence(
                persistence.granularity(Granularity::Mask([255, 255, 0, 0].into())).engine(PersistenceEngine::Sip),
            );
        assert_eq!(service, expected);

        let line = "-e -f 7 -6 -r 10.0.0.2:8080 -i --tun-type gue --tun-port 6080 --tun-csum -w 5 -x 9 -y 4";
        let Ok(Invocation::Change(Change::UpdateDestination(id, destination))) =
            said(&line.split(' ').collect::<Vec<_>>())
        else {
            panic!("{line}")
        };
        assert_eq!(id, ServiceId::fwmark(7, AddressFamily::Ipv6).unwrap());
        let tunnel = ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap().flags(TunnelFlags::CHECKSUM));
        let expected = Destination::new("10.0.0.2:8080".parse().unwrap(), tunnel)
            .weight(5)
            .unwrap()
            .thresholds(Thresholds::verbatim(9, 4));
        assert_eq!(destination, expected);

        let line = "--start-daemon master --mcast-interface eth1 --syncid 3 --sync-maxlen 1400 --mcast-group ff02::1 \
                    --mcast-port 9000 --mcast-ttl 4";
        let Ok(Invocation::StartDaemon(daemon)) = said(&line.split_whitespace().collect::<Vec<_>>()) else {
            panic!("{line}")
        };
        let expected = SyncDaemon::master("eth1").unwrap().sync_id(3).max_len(1400).unwrap();
        let expected = expected.group("ff02::1".parse().unwrap()).unwrap().port(9000).unwrap().ttl(4).unwrap();
        assert_eq!(daemon, expected);
    }

    #[test]
    fn restore_takes_what_another_program_can_have_made() {
        let restored = |line: &str| {
            let names = Names::with_services("");
            read(b"ipvsadm", &words(&line.split(' ').collect::<Vec<_>>()), Origin::Restore, &names)
        };
        for (line, rule) in [
            ("-A -t 10.0.0.1:80 -s rr -p 0", "-A -t 10.0.0.1:80 -s rr -p 0"),
            ("-A -t 10.0.0.1:80 -s rr -p 17179869 -M 0.0.0.24", "-A -t 10.0.0.1:80 -s rr -p 17179869 -M 0.0.0.24"),
            ("-A -t 10.0.0.1:0 -s rr -o", "-A -t 10.0.0.1:0 -s rr -o"),
            ("-A -f -1 -6 -s rr", "-A -f 4294967295 -6 -s rr"),
            ("-A --service ip_300://[::ffff:10.0.0.1]:80 -s rr", "-A --ip_300-service [::ffff:10.0.0.1]:80 -s rr"),
            ("-A --service esp://10.0.0.1:1 -s rr", "-A --esp-service 10.0.0.1:1 -s rr"),
        ] {
            let Ok(Invocation::Change(Change::NewService(service))) = restored(line) else { panic!("{line}") };
            assert_eq!(service.full_rule().to_string(), rule, "{line}");
            let is_ours = line.contains("--service");
            assert_eq!(said(&line.split(' ').collect::<Vec<_>>()).is_ok(), is_ours, "{line} on the command line");
        }
        for line in ["-A -t 10.0.0.1:80 -p -1", "-A -t 10.0.0.1:80 -p 4294967296", "-A -f 0", "-A -f -2147483649"] {
            assert!(restored(line).is_err(), "{line}");
        }
        let fault = said(&["-A", "--service", "icmp://10.0.0.1:0"]).unwrap_err();
        assert_eq!(fault, ("invalid service `icmp://10.0.0.1:0' specified\n".to_owned(), 2));
    }

    #[test]
    fn words_are_read_left_to_right() {
        let table = [
            (&["-A", "-Q", "-t", "x"][..], "-Q: unknown option\n", 255),
            (&["-A", "-t", "x", "-Q"], "illegal virtual server address[:port] specified\n", 2),
            (&["-A", "-n", "-n", "-Q"], "multiple 'numeric' options specified\n", 2),
            (&["-A", "word", "-Q"], "-Q: unknown option\n", 255),
            (&["-A", "-b", "x", "word"], "unexpected argument word\n", 2),
            (&["-A", "-b", "x", "-n"], "invalid scheduler flag `x'\n", 2),
            (&["-A", "--", "-n"], "unexpected argument -n\n", 2),
            (&["-A", "-ot"], "-ot: missing argument\n", 255),
            (&["-A", "-o=1"], "-o=1: option does not take an argument\n", 255),
            (&["--set", "1", "x"], "--set option requires 3 timeout values\n", 2),
            (&["--set", "1", "x", "2", "word"], "invalid timeout value `x' specified\n", 2),
            (&["-A", "--stop-daemon", "backup"], "invalid option `backup'\n", 2),
        ];
        for (text, message, status) in table {
            assert_eq!(said(text).unwrap_err(), (message.to_owned(), status), "{text:?}");
        }
    }
}
