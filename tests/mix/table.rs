//! The state of a kernel, and the effect of each command on it.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use fastrand::Rng;
use ipvs_rs::error::{Call, Errno, Target};
use ipvs_rs::handle::Batch;
use ipvs_rs::model::{Config, Persistence, SyncDaemon, SyncRole, Tunnel};
use ipvs_rs::{Destination, DestinationId, Error, ForwardMethod, Handle, Scheduler, Service, ServiceId};

/// The one interface that daemons find.
pub const INTERFACE: &str = "eth1";

/// The state of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Each with its destinations, newest first.
    pub services: BTreeMap<ServiceId, (Service, Vec<Destination>)>,
    pub config: Config,
    /// The master before the backup.
    pub daemons: BTreeMap<SyncRole, SyncDaemon>,
}

/// A command that changes a table.
#[derive(Clone, Debug)]
pub enum Command {
    NewService(Service),
    UpdateService(Service),
    DeleteService(ServiceId),
    NewDestination(ServiceId, Destination),
    UpdateDestination(ServiceId, Destination),
    DeleteDestination(ServiceId, DestinationId),
    Zero(Option<ServiceId>),
    Flush,
    SetConfig(Config),
    StartSync(SyncDaemon),
    StopSync(SyncRole),
}

impl Table {
    /// The state of a kernel in which IPVS has just been loaded.
    pub fn new() -> Self {
        Self { services: BTreeMap::new(), config: config(900, 120, 300), daemons: BTreeMap::new() }
    }

    /// Follows a command as the kernel does: in its order of checks, and without a trace when one fails.
    pub fn follow(&mut self, command: &Command) -> Result<(), Errno> {
        match command {
            Command::NewService(service) => {
                if self.services.contains_key(&service.id) {
                    return Err(Errno::EEXIST);
                }
                check_scheduler(service)?;
                self.services.insert(service.id, (service.clone(), Vec::new()));
            }
            Command::UpdateService(service) => {
                let (settings, _) = self.services.get_mut(&service.id).ok_or(Errno::ESRCH)?;
                check_scheduler(service)?;
                *settings = service.clone();
            }
            Command::DeleteService(id) => drop(self.services.remove(id).ok_or(Errno::ESRCH)?),
            Command::NewDestination(service, destination) => {
                let destinations = self.destinations_for(service, destination)?;
                if destinations.iter().any(|one| one.id == destination.id) {
                    return Err(Errno::EEXIST);
                }
                if destination.id.address().is_multicast() {
                    return Err(Errno::EINVAL);
                }
                destinations.insert(0, destination.clone());
            }
            Command::UpdateDestination(service, destination) => {
                let destinations = self.destinations_for(service, destination)?;
                let known = destinations.iter_mut().find(|one| one.id == destination.id);
                *known.ok_or(Errno::ENOENT)? = destination.clone();
            }
            Command::DeleteDestination(service, id) => {
                let (_, destinations) = self.services.get_mut(service).ok_or(Errno::ESRCH)?;
                let place = destinations.iter().position(|one| one.id == *id).ok_or(Errno::ENOENT)?;
                destinations.remove(place);
            }
            Command::Zero(Some(id)) if !self.services.contains_key(id) => return Err(Errno::ESRCH),
            Command::Zero(_) => {}
            Command::Flush => self.services.clear(),
            Command::SetConfig(config) => {
                self.config.tcp = config.tcp.or(self.config.tcp);
                self.config.tcp_fin = config.tcp_fin.or(self.config.tcp_fin);
                self.config.udp = config.udp.or(self.config.udp);
            }
            Command::StartSync(daemon) => {
                let is_mixed = |service: &ServiceId, one: &Destination| one.id.family() != service.family();
                if self.services.iter().any(|(id, (_, all))| all.iter().any(|one| is_mixed(id, one))) {
                    return Err(Errno::EINVAL);
                }
                if daemon.interface.as_bytes() != INTERFACE.as_bytes() {
                    return Err(Errno::ENODEV);
                }
                if self.daemons.contains_key(&daemon.role) {
                    return Err(Errno::EEXIST);
                }
                self.daemons.insert(daemon.role, running(*daemon));
            }
            Command::StopSync(role) => drop(self.daemons.remove(role).ok_or(Errno::ESRCH)?),
        }
        Ok(())
    }

    /// Where a destination can be made or changed: only a tunnel leads to the other family, and only while no daemon
    /// runs.
    fn destinations_for(&mut self, service: &ServiceId, one: &Destination) -> Result<&mut Vec<Destination>, Errno> {
        let is_daemon_running = !self.daemons.is_empty();
        let (_, destinations) = self.services.get_mut(service).ok_or(Errno::ESRCH)?;
        let is_tunnel = matches!(one.forward, ForwardMethod::Tunnel(_));
        if one.id.family() != service.family() && (is_daemon_running || !is_tunnel) {
            return Err(Errno::EINVAL);
        }
        Ok(destinations)
    }
}

impl Command {
    /// A command that is about one of a few objects, so that it often meets what others left.
    pub fn random(rng: &mut Rng) -> Self {
        match rng.u32(0..100) {
            0..20 => Self::NewService(service(rng)),
            20..26 => Self::UpdateService(service(rng)),
            26..32 => Self::DeleteService(service_id(rng)),
            32..62 => Self::NewDestination(service_id(rng), destination(rng)),
            62..70 => Self::UpdateDestination(service_id(rng), destination(rng)),
            70..82 => Self::DeleteDestination(service_id(rng), destination_id(rng)),
            82..88 => Self::Zero(rng.bool().then(|| service_id(rng))),
            88..92 => Self::Flush,
            _ => Self::SetConfig(some_config(rng)),
        }
    }

    /// One that starts or stops a daemon, which no batch can.
    pub fn random_about_daemons(rng: &mut Rng) -> Self {
        let role = if rng.bool() { SyncRole::Master } else { SyncRole::Backup };
        if rng.bool() {
            return Self::StopSync(role);
        }
        let interface = if rng.u32(0..8) == 0 { "nowhere" } else { INTERFACE };
        let daemon = SyncDaemon::new(role, interface.parse().unwrap());
        Self::StartSync(daemon.sync_id(rng.u8(..)).port(rng.u16(8000..9000)).unwrap())
    }

    pub fn call(&self) -> Call {
        match self {
            Self::NewService(_) => Call::NewService,
            Self::UpdateService(_) => Call::UpdateService,
            Self::DeleteService(_) => Call::DeleteService,
            Self::NewDestination(..) => Call::NewDestination,
            Self::UpdateDestination(..) => Call::UpdateDestination,
            Self::DeleteDestination(..) => Call::DeleteDestination,
            Self::Zero(_) => Call::Zero,
            Self::Flush => Call::Flush,
            Self::SetConfig(_) => Call::SetConfig,
            Self::StartSync(_) => Call::StartSync,
            Self::StopSync(_) => Call::StopSync,
        }
    }

    pub fn target(&self) -> Target {
        match self {
            Self::NewService(service) | Self::UpdateService(service) => Target::Service(service.id),
            Self::DeleteService(id) | Self::Zero(Some(id)) => Target::Service(*id),
            Self::NewDestination(service, destination) | Self::UpdateDestination(service, destination) => {
                Target::Destination(*service, destination.id)
            }
            Self::DeleteDestination(service, id) => Target::Destination(*service, *id),
            Self::Zero(None) | Self::Flush | Self::SetConfig(_) => Target::Table,
            Self::StartSync(daemon) => Target::Daemon(daemon.role),
            Self::StopSync(role) => Target::Daemon(*role),
        }
    }

    /// The call that gives it.
    pub fn give(&self, handle: &Handle) -> Result<(), Error> {
        match self {
            Self::NewService(service) => handle.new_service(service),
            Self::UpdateService(service) => handle.update_service(service),
            Self::DeleteService(id) => handle.delete_service(id),
            Self::NewDestination(service, destination) => handle.new_destination(service, destination),
            Self::UpdateDestination(service, destination) => handle.update_destination(service, destination),
            Self::DeleteDestination(service, id) => handle.delete_destination(service, id),
            Self::Zero(Some(id)) => handle.zero_service(id),
            Self::Zero(None) => handle.zero_all(),
            Self::Flush => handle.flush(),
            Self::SetConfig(config) => handle.set_config(config),
            Self::StartSync(daemon) => handle.start_sync(daemon),
            Self::StopSync(role) => handle.stop_sync(*role),
        }
    }

    pub fn join<'h>(&self, batch: Batch<'h>) -> Batch<'h> {
        match self {
            Self::NewService(service) => batch.new_service(service),
            Self::UpdateService(service) => batch.update_service(service),
            Self::DeleteService(id) => batch.delete_service(id),
            Self::NewDestination(service, destination) => batch.new_destination(service, destination),
            Self::UpdateDestination(service, destination) => batch.update_destination(service, destination),
            Self::DeleteDestination(service, id) => batch.delete_destination(service, id),
            Self::Zero(Some(id)) => batch.zero_service(id),
            Self::Zero(None) => batch.zero_all(),
            Self::Flush => batch.flush(),
            Self::SetConfig(config) => batch.set_config(config),
            Self::StartSync(_) | Self::StopSync(_) => panic!("no batch has {self:?}"),
        }
    }
}

/// The services that calls are about.
pub static SERVICES: LazyLock<[ServiceId; 5]> = LazyLock::new(|| {
    ["TCP 192.0.2.10:80", "UDP 192.0.2.10:53", "TCP [2001:db8::10]:80", "FWM 7", "FWM 7 IPv6"]
        .map(|name| name.parse().unwrap())
});

/// The destinations that calls are about. The last one is not of one machine.
pub static DESTINATIONS: LazyLock<[DestinationId; 6]> = LazyLock::new(|| {
    ["10.0.0.2:80", "10.0.0.3:80", "10.0.0.3:81", "[2001:db8::2]:80", "[2001:db8::3]:80", "224.0.0.9:80"]
        .map(|name| name.parse().unwrap())
});

pub fn service_id(rng: &mut Rng) -> ServiceId {
    rng.choice(*SERVICES).unwrap()
}

pub fn destination_id(rng: &mut Rng) -> DestinationId {
    rng.choice(*DESTINATIONS).unwrap()
}

pub fn scheduler(rng: &mut Rng) -> Scheduler {
    rng.choice([Scheduler::Rr, Scheduler::Wlc, Scheduler::Sh, Scheduler::None]).unwrap()
}

pub fn service(rng: &mut Rng) -> Service {
    let scheduler = if rng.u32(0..60) == 0 { Scheduler::from_name(UNKNOWN).unwrap() } else { scheduler(rng) };
    let service = Service::new(service_id(rng), scheduler).one_packet(rng.u32(0..4) == 0);
    match rng.u32(0..3) {
        0 => service.persistence(Persistence::for_secs(rng.u32(1..1000)).unwrap()),
        _ => service,
    }
}

pub fn destination(rng: &mut Rng) -> Destination {
    let forward = match rng.u32(0..3) {
        0 => ForwardMethod::Masquerade,
        1 => ForwardMethod::DirectRoute,
        _ => ForwardMethod::Tunnel(Tunnel::ipip()),
    };
    Destination::new(destination_id(rng), forward).weight(rng.u32(0..100)).unwrap()
}

fn some_config(rng: &mut Rng) -> Config {
    let whole = config(rng.u32(1..2000), rng.u32(1..200), rng.u32(1..500));
    let mut some = Config::new();
    some.tcp = whole.tcp.filter(|_| rng.bool());
    some.tcp_fin = whole.tcp_fin.filter(|_| rng.bool());
    some.udp = whole.udp.filter(|_| rng.bool());
    some
}

fn config(tcp: u32, tcp_fin: u32, udp: u32) -> Config {
    let [tcp, tcp_fin, udp] = [tcp, tcp_fin, udp].map(|secs| Duration::from_secs(secs.into()));
    Config::new().tcp(tcp).and_then(|config| config.tcp_fin(tcp_fin)).and_then(|config| config.udp(udp)).unwrap()
}

fn check_scheduler(service: &Service) -> Result<(), Errno> {
    if service.scheduler.name() == UNKNOWN { Err(Errno::ENOENT) } else { Ok(()) }
}

/// A daemon with what the kernel chooses, on an interface for packets of 1500 bytes.
fn running(daemon: SyncDaemon) -> SyncDaemon {
    daemon.max_len(1472).unwrap().group([224, 0, 0, 81].into()).unwrap().ttl(1).unwrap()
}

/// No scheduler has this name.
const UNKNOWN: &str = "unknown";
