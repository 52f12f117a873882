//! Whatever a kernel holds is printed, read again, and no reason to change anything.

use ipvs_rs::desired::files::{Reader, Source};
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::spec::FileSpec;
use ipvs_rs::desired::{DesiredDestination, DesiredService, DesiredState, Observed, PrintOptions, yaml};
use ipvs_rs::model::{
    AddressFamily, Config, EngineName, Granularity, InterfaceName, Persistence, PersistenceEngine, Prefix, Protocol,
    SchedulerFlags, SchedulerName, ServiceFlags, SyncDaemon, SyncRole, TableService, Thresholds, Timeout, Tunnel,
    TunnelFlags,
};
use ipvs_rs::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn address() -> impl Strategy<Value = std::net::IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(Into::into),
        any::<[u8; 16]>().prop_map(Into::into),
        any::<[u8; 4]>().prop_map(|v4| std::net::Ipv4Addr::from(v4).to_ipv6_mapped().into()),
    ]
}

fn service_id() -> impl Strategy<Value = ServiceId> {
    let numbers = prop_oneof![select(vec![6, 17, 132, 50, 51]), any::<u16>()];
    let addressed = (numbers, address(), prop_oneof![Just(0), any::<u16>()])
        .prop_map(|(number, address, port)| ServiceId::verbatim(Protocol::from_number(number), address, port));
    let family = select(vec![AddressFamily::Ipv4, AddressFamily::Ipv6]);
    let marked = (1..=u32::MAX, family).prop_map(|(mark, family)| ServiceId::fwmark(mark, family).unwrap());
    prop_oneof![3 => addressed, 1 => marked]
}

/// Bytes that a name of the kernel can have; those that mean something to YAML, parameters and escapes more often.
fn name(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![1..=255_u8, select(b"\\x4n${}:#-\"' ~".to_vec()), b'a'..=b'z'];
    prop_oneof![
        vec(byte, 1..=longest),
        select(vec![&b"null"[..], b"true", b"5", b"${x}", b"\\x41", b"a\\b"]).prop_map(<[u8]>::to_vec)
    ]
}

fn scheduler() -> impl Strategy<Value = Scheduler> {
    let other = name(15).prop_filter_map("a known one", |name| {
        let is_known = Scheduler::KNOWN.iter().any(|known| known.name().as_bytes().eq_ignore_ascii_case(&name));
        Some(Scheduler::Other(SchedulerName::verbatim(&name).ok().filter(|_| !is_known)?))
    });
    prop_oneof![select(Scheduler::KNOWN.to_vec()), other]
}

fn engine() -> impl Strategy<Value = PersistenceEngine> {
    let other = name(16).prop_filter_map("the known one", |name| {
        let name = EngineName::verbatim(&name).ok().filter(|_| !name.eq_ignore_ascii_case(b"sip"))?;
        Some(PersistenceEngine::Other(name))
    });
    prop_oneof![Just(PersistenceEngine::Sip), other]
}

fn service() -> impl Strategy<Value = Service> {
    let settings = (scheduler(), any::<u32>(), any::<bool>(), any::<u32>());
    let persistence =
        option::of((prop_oneof![Just(0), any::<u32>()], any::<[u8; 4]>(), 1..=128_u8, option::of(engine())));
    (service_id(), settings, persistence).prop_map(|(id, (scheduler, flags, one_packet, unnamed), persistence)| {
        let service = Service::new(id, scheduler)
            .scheduler_flags(SchedulerFlags::from_bits_truncate(flags))
            .one_packet(one_packet)
            .unnamed_flags(ServiceFlags::from_bits_retain(if flags & 1 == 0 { 0 } else { unnamed }));
        let Some((seconds, mask, bits, engine)) = persistence else { return service };
        let granularity = match id.family() {
            AddressFamily::Ipv4 => Granularity::Mask(mask.into()),
            AddressFamily::Ipv6 => Granularity::Prefix(Prefix::new(bits).unwrap()),
        };
        let mut persistence = Persistence::verbatim(seconds).granularity(granularity);
        persistence.engine = engine;
        service.persistence(persistence)
    })
}

fn destination() -> impl Strategy<Value = Destination> {
    let tunnel = (any::<u8>(), any::<u16>(), any::<u16>()).prop_map(|(kind, port, flags)| {
        // The kernel refuses GUE without a port.
        let port = if kind == 1 { port.max(1) } else { port };
        let port = if port == 0 { String::new() } else { format!(":{port}") };
        format!("tunnel-{kind}{port}").parse::<Tunnel>().unwrap().flags(TunnelFlags::from_bits_retain(flags))
    });
    let plain = prop_oneof![Just(Tunnel::ipip()), Just(Tunnel::gre()), Just(Tunnel::gue(9).unwrap())];
    let forward = prop_oneof![
        select(vec!["nat", "direct", "local", "bypass", "unknown-5", "unknown-6", "unknown-7"])
            .prop_map(|word| word.parse().unwrap()),
        prop_oneof![tunnel, plain].prop_map(ForwardMethod::Tunnel),
    ];
    let thresholds = prop_oneof![Just((0, 0)), any::<(u32, u32)>()];
    (address(), any::<u16>(), forward, 0..=i32::MAX.unsigned_abs(), thresholds).prop_map(
        |(address, port, forward, weight, (upper, lower))| {
            let id = DestinationId::verbatim(address, port);
            Destination::new(id, forward).weight(weight).unwrap().thresholds(Thresholds::verbatim(upper, lower))
        },
    )
}

fn daemon(role: SyncRole) -> impl Strategy<Value = SyncDaemon> {
    let numbers = (any::<u32>(), option::of(1..=u16::MAX), option::of(1..=u16::MAX), option::of(1..=u8::MAX));
    (name(15), numbers, any::<bool>()).prop_map(move |(name, (id, bytes, port, ttl), has_group)| {
        let mut daemon = SyncDaemon::new(role, InterfaceName::verbatim(&name).unwrap());
        daemon.sync_id = id;
        // The kernel makes 1024 of anything less for a backup.
        let least = if role == SyncRole::Backup { 1024 } else { 1 };
        daemon.max_len = bytes.and_then(|bytes| bytes.max(least).try_into().ok());
        daemon.port = port.and_then(|port| port.try_into().ok());
        daemon.ttl = ttl.and_then(|ttl| ttl.try_into().ok());
        if has_group { daemon.group("ff02::81".parse().unwrap()).unwrap() } else { daemon }
    })
}

fn live() -> impl Strategy<Value = Observed> {
    let services = vec((service(), vec(destination(), 0..4)), 0..4);
    let timeouts = [Timeout::MAX_SECS, 60, 1].map(|most| option::of(1..=most));
    let daemons = (option::of(daemon(SyncRole::Master)), option::of(daemon(SyncRole::Backup)));
    (services, timeouts, daemons).prop_map(|(services, [tcp, tcp_fin, udp], (master, backup))| {
        let mut rows: Vec<TableService> = Vec::new();
        for (service, destinations) in services {
            let mut entries: Vec<DestinationEntry> = Vec::new();
            for destination in destinations {
                if !entries.iter().any(|entry| entry.id() == destination.id) {
                    entries.push(DestinationEntry::new(destination));
                }
            }
            if !rows.iter().any(|row| row.id() == service.id) {
                rows.push(TableService::new(ServiceEntry::new(service), entries));
            }
        }
        let is_mixed = rows.iter().any(|row| row.destinations.iter().any(|it| it.id().family() != row.id().family()));
        let mut live = Observed::new(Table::new(rows));
        let [tcp, tcp_fin, udp] = [tcp, tcp_fin, udp].map(|seconds| seconds.map(|it| Timeout::from_secs(it).unwrap()));
        let mut config = Config::new();
        (config.tcp, config.tcp_fin, config.udp) = (tcp, tcp_fin, udp);
        live.timeouts = Some(config);
        // The kernel knows either daemons or destinations of the other family.
        live.sync = (!is_mixed).then(|| master.into_iter().chain(backup).collect());
        live
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_table_is_printed_and_read_back(live in live(), factor in any::<bool>()) {
        let file = FileSpec::from_observed(&live, &PrintOptions::new().all(true).factor_defaults(factor));
        let mut should = DesiredState::from(&live.table);
        should.services.sort_by_key(DesiredService::id);
        for service in &mut should.services {
            service.destinations.sort_by_key(DesiredDestination::id);
        }
        for text in [yaml::to_string(&file).unwrap(), serde_json::to_string(&file).unwrap()] {
            let loaded = Reader::new().read(&[Source::new("f", text.clone())]);
            prop_assert!(loaded.is_ok(), "{}\n{}", text, loaded.unwrap_err());
            let loaded = loaded.unwrap();
            let plan = plan(&live, &loaded.state, &PlanOptions::new().prune(true));
            prop_assert!(plan.is_empty(), "{}\n{}", text, plan);
            let mut read = loaded.state;
            read.services.sort_by_key(DesiredService::id);
            prop_assert_eq!(read.services.len(), should.services.len());
            for (read, should) in read.services.iter_mut().zip(&should.services) {
                read.destinations.sort_by_key(DesiredDestination::id);
                prop_assert_eq!(&read.service, &should.service, "{}", text);
                let destinations = |service: &DesiredService| {
                    service.destinations.iter().map(|wanted| wanted.destination.clone()).collect::<Vec<_>>()
                };
                prop_assert_eq!(destinations(read), destinations(should), "{}", text);
            }
            prop_assert_eq!(read.sync.unwrap_or_default(), live.sync.clone().unwrap_or_default(), "{}", text);
            prop_assert_eq!(Some(read.timeouts), live.timeouts, "{}", text);
        }
        let (state, _) = DesiredState::from_spec(&file).unwrap();
        prop_assert!(plan(&live, &state, &PlanOptions::new().prune(true)).is_empty());
    }
}
