//! Random tables and states over a few services and destinations, so that what is there and what should be meet often.
//! The tests take this in as well, each with the library's names in the module `library` beside it.

use std::time::Duration;

use super::library::desired::{
    Activity, DesiredDestination, DesiredService, DesiredState, DestinationAttributes, Drain, OnTimeout, Pattern,
    ServiceAttributes, WaitFor,
};
use super::library::model::{
    AddressFamily, Config, Granularity, Persistence, PersistenceEngine, Prefix, Protocol, SchedulerFlags, SyncDaemon,
    TableService, Thresholds, Tunnel, TunnelFlags, Weight,
};
use super::library::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table,
};

/// Bytes that decide; zeros behind their end.
#[derive(Debug)]
pub(crate) struct Dice<'a>(pub(crate) &'a [u8]);

/// The observed table and the desired state.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) table: Table,
    pub(crate) config: Config,
    pub(crate) daemons: Vec<SyncDaemon>,
    pub(crate) desired: DesiredState,
}

/// The one interface that daemons find.
pub(crate) const INTERFACE: &str = "eth1";

impl Dice<'_> {
    pub(crate) fn below(&mut self, sides: u8) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first % sides
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn case(&mut self) -> Case {
        // The kernel knows either daemons or destinations of the other family.
        let has_mixed = self.flip();
        let mut table = Table::new(
            self.services(has_mixed)
                .into_iter()
                .map(|service| {
                    let entry = |wanted: DesiredDestination| DestinationEntry::new(wanted.destination);
                    let destinations = service.destinations.into_iter().map(entry).collect();
                    TableService::new(ServiceEntry::new(service.service), destinations)
                })
                .collect(),
        );
        let config = self.config();
        let daemons = if has_mixed { Vec::new() } else { self.daemons() };
        let desired = self.desired(has_mixed);
        self.make_odd(&mut table);
        Case { table, config, daemons, desired }
    }

    /// Gives a table what the kernel takes, and what only another program asks it for. Nothing is odd behind the end of
    /// the bytes.
    fn make_odd(&mut self, table: &mut Table) {
        let tcp = |protocol, address| ServiceId::verbatim(protocol, address, 80);
        let mapped = [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201].into();
        for id in [tcp(Protocol::from_number(300), [192, 0, 2, 1].into()), tcp(Protocol::TCP, mapped)] {
            if self.flip() {
                let destinations = vec![DestinationEntry::new(self.destination(id, 1, false).destination)];
                table
                    .services
                    .push(TableService::new(ServiceEntry::new(Service::new(id, Scheduler::Rr)), destinations));
            }
        }
        for row in &mut table.services {
            let service = row.service.service.clone();
            let stored = |timeout| Persistence::verbatim(timeout).engine(PersistenceEngine::Sip);
            let service = match (self.below(8), service.id.family()) {
                (1, _) => service.one_packet(true),
                (2, _) => service.persistence(Persistence::verbatim(0)),
                (3, _) => service.persistence(stored(17_179_869)),
                (4, AddressFamily::Ipv4) => {
                    service.persistence(stored(60).granularity(Granularity::Mask([0, 0, 0, 24].into())))
                }
                _ => service,
            };
            row.service = ServiceEntry::new(service);
            for entry in &mut row.destinations {
                let is_tunnel = matches!(entry.destination.forward, ForwardMethod::Tunnel(_));
                match (self.below(8), is_tunnel) {
                    (1, false) => entry.destination.forward = ForwardMethod::Local,
                    (2, false) => entry.destination.forward = ForwardMethod::Bypass,
                    (1 | 2, true) => {
                        let tunnel = Tunnel::ipip().flags(TunnelFlags::from_bits_retain(0xffff));
                        entry.destination.forward = ForwardMethod::Tunnel(tunnel);
                    }
                    (3, _) => entry.destination.weight = Weight::MAX,
                    _ => {}
                }
            }
        }
    }

    fn desired(&mut self, has_mixed: bool) -> DesiredState {
        let mut state = DesiredState::new();
        if self.flip() {
            let (managed, ignored): (&[&str], &[&str]) = match self.below(3) {
                0 => (&[], &[]),
                1 => (&["tcp://*", "fwmark:1-9"], &[]),
                _ => (&[], &["tcp://192.0.2.1", "fwmark6:*"]),
            };
            state.scope.manage.extend(managed.iter().flat_map(|pattern| pattern.parse::<Pattern>()));
            state.scope.ignore.extend(ignored.iter().flat_map(|pattern| pattern.parse::<Pattern>()));
        }
        state.services = self.services(has_mixed);
        state.services.retain(|service| state.scope.covers(&service.id()));
        state.timeouts = self.config();
        if !has_mixed && self.flip() {
            state.sync = Some(self.daemons());
        }
        state.drain = self.flip().then(|| self.drain());
        state
    }

    fn services(&mut self, has_mixed: bool) -> Vec<DesiredService> {
        let ids = service_ids();
        let mut services = Vec::new();
        for id in ids {
            if self.below(3) > 0 {
                services.push(self.service(id, has_mixed));
            }
        }
        services
    }

    fn service(&mut self, id: ServiceId, has_mixed: bool) -> DesiredService {
        let scheduler = match self.below(4) {
            0 => Scheduler::Rr,
            1 => Scheduler::Wlc,
            2 => Scheduler::Sh,
            _ => Scheduler::Mh,
        };
        let mut service = Service::new(id, scheduler).one_packet(self.below(6) == 5);
        if self.flip() {
            service = service.scheduler_flags(SchedulerFlags::from_bits_truncate(u32::from(self.below(8)) << 3));
        }
        if self.flip() {
            let timeout = u32::from(self.below(5)) * 60 + 1;
            let granularity = match (self.below(3), id.family()) {
                (0, _) => Granularity::Client,
                (_, AddressFamily::Ipv4) => Granularity::Mask([255, 255, 255, 0].into()),
                (_, AddressFamily::Ipv6) => Prefix::new(64).map_or(Granularity::Client, Granularity::Prefix),
            };
            let persistence = Persistence::for_secs(timeout).map(|it| it.granularity(granularity));
            service =
                persistence.map_or_else(|_| service.clone(), |persistence| service.clone().persistence(persistence));
        }
        let mut wanted = DesiredService::new(service);
        if self.below(4) == 3 {
            wanted.left_alone = ServiceAttributes::from_bits_truncate(self.below(8));
        }
        wanted.drain = (self.below(6) == 5).then(|| self.drain());
        for number in 1..=4 {
            if self.flip() {
                wanted.destinations.push(self.destination(id, number, has_mixed));
            }
        }
        wanted
    }

    fn destination(&mut self, service: ServiceId, number: u8, has_mixed: bool) -> DesiredDestination {
        let is_mixed = has_mixed && number == 4;
        let is_v4 = (service.family() == AddressFamily::Ipv4) != is_mixed;
        let address =
            if is_v4 { [10, 0, 0, number].into() } else { [0x2001, 0xdb8, 1, 0, 0, 0, 0, number.into()].into() };
        let tunnel = match self.below(3) {
            0 => Tunnel::ipip(),
            1 => Tunnel::gre(),
            _ => Tunnel::gue(6080).unwrap_or_else(|_| Tunnel::ipip()),
        };
        let forward = match self.below(3) {
            _ if is_mixed => ForwardMethod::Tunnel(tunnel),
            0 => ForwardMethod::Masquerade,
            1 => ForwardMethod::DirectRoute,
            _ => ForwardMethod::Tunnel(tunnel),
        };
        let mut destination = Destination::new(DestinationId::verbatim(address, 80), forward);
        destination.weight = u16::from(self.below(4)).into();
        if self.below(3) == 2 {
            let upper = u32::from(self.below(9)) + 1;
            let lower = u32::from(self.below(9)).min(upper);
            let thresholds = Thresholds::with_upper(upper).and_then(|it| it.with_lower(lower));
            destination.thresholds = thresholds.unwrap_or(Thresholds::NONE);
        }
        let mut wanted = DesiredDestination::new(destination);
        if self.below(5) == 4 {
            wanted.activity = Activity::Drain;
        }
        if self.below(5) == 4 {
            wanted.left_alone = DestinationAttributes::from_bits_truncate(self.below(8));
        }
        wanted
    }

    fn config(&mut self) -> Config {
        let mut config = Config::new();
        let seconds = |number: u8| Duration::from_secs(u64::from(number) * 60);
        for _ in 0..self.below(3) {
            let time = seconds(self.below(3) + 1);
            let set = match self.below(3) {
                0 => config.tcp(time),
                1 => config.tcp_fin(time),
                _ => config.udp(time),
            };
            config = set.unwrap_or(config);
        }
        config
    }

    fn daemons(&mut self) -> Vec<SyncDaemon> {
        let mut daemons = Vec::new();
        for daemon in [SyncDaemon::master(INTERFACE), SyncDaemon::backup(INTERFACE)] {
            if self.flip() {
                daemons.extend(daemon.map(|daemon| daemon.sync_id(self.below(2))));
            }
        }
        daemons
    }

    fn drain(&mut self) -> Drain {
        let on_timeout = match self.below(3) {
            0 => OnTimeout::Delete,
            1 => OnTimeout::Keep,
            _ => OnTimeout::Fail,
        };
        let wait = if self.flip() { WaitFor::All } else { WaitFor::Active };
        Drain::new(Duration::from_secs(self.below(4).into())).wait(wait).on_timeout(on_timeout)
    }
}

fn service_ids() -> Vec<ServiceId> {
    let v6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];
    let marks = [AddressFamily::Ipv4, AddressFamily::Ipv6].map(|family| ServiceId::fwmark(7, family));
    let mut ids = vec![
        ServiceId::verbatim(Protocol::TCP, [192, 0, 2, 1].into(), 80),
        ServiceId::verbatim(Protocol::TCP, [192, 0, 2, 2].into(), 80),
        ServiceId::verbatim(Protocol::UDP, [192, 0, 2, 1].into(), 53),
        ServiceId::verbatim(Protocol::TCP, v6.into(), 80),
    ];
    ids.extend(marks.into_iter().flatten());
    ids
}
