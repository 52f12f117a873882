//! Random values of the model. Another test target takes them in with `#[path = "model/strategy.rs"] mod strategy;`.
#![allow(dead_code, reason = "no target uses all of them")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU8, NonZeroU16};

use ipvs_rs::model::{
    AddressFamily, Config, Granularity, InterfaceName, MulticastGroup, Persistence, PersistenceEngine, Prefix,
    Protocol, SchedulerFlags, ServiceFlags, Stats, SyncDaemon, SyncRole, TableService, Thresholds, Timeout, Tunnel,
    TunnelFlags, TunnelKind, Weight,
};
use ipvs_rs::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Services by address, of both families and every protocol, and services by mark.
pub(crate) fn arb_service_id() -> impl Strategy<Value = ServiceId> {
    let address = (arb_protocol(), arb_address(), any::<u16>())
        .prop_map(|(protocol, address, port)| ServiceId::verbatim(protocol, address, port));
    let mark = (1..=u32::MAX, arb_family()).prop_map(|(mark, family)| ServiceId::fwmark(mark, family).unwrap());
    prop_oneof![3 => address, 1 => mark]
}

pub(crate) fn arb_destination_id() -> impl Strategy<Value = DestinationId> {
    (arb_address(), any::<u16>()).prop_map(|(address, port)| DestinationId::verbatim(address, port))
}

/// Every setting, with persistence in effect, dormant, or none.
pub(crate) fn arb_service() -> impl Strategy<Value = Service> {
    let parts =
        arb_service_id().prop_flat_map(|id| (Just(id), option::of(arb_persistence(id.family())), any::<bool>()));
    (parts, arb_scheduler(), arb_scheduler_flags(), any::<bool>()).prop_map(
        |((id, persistence, dormant), scheduler, flags, one_packet)| {
            let service = Service::new(id, scheduler).scheduler_flags(flags).one_packet(one_packet);
            match persistence {
                Some(persistence) if dormant => service.dormant_persistence(persistence),
                Some(persistence) => service.persistence(persistence),
                None => service,
            }
        },
    )
}

pub(crate) fn arb_destination() -> impl Strategy<Value = Destination> {
    (arb_destination_id(), arb_forward_method(), arb_weight(), arb_thresholds()).prop_map(
        |(id, forward, weight, thresholds)| {
            Destination::new(id, forward).weight(weight.get()).unwrap().thresholds(thresholds)
        },
    )
}

pub(crate) fn arb_service_entry() -> impl Strategy<Value = ServiceEntry> {
    (arb_service(), arb_stats()).prop_map(|(service, stats)| {
        let mut entry = ServiceEntry::new(service);
        entry.stats = stats;
        entry
    })
}

pub(crate) fn arb_destination_entry() -> impl Strategy<Value = DestinationEntry> {
    (arb_destination(), arb_stats(), any::<[u32; 3]>()).prop_map(
        |(destination, stats, [active, inactive, persistent])| {
            let mut entry = DestinationEntry::new(destination);
            entry.stats = stats;
            entry.active_connections = active;
            entry.inactive_connections = inactive;
            entry.persistent_connections = persistent;
            entry
        },
    )
}

/// A few services with a few destinations each; names may occur twice.
pub(crate) fn arb_table() -> impl Strategy<Value = Table> {
    let row = (arb_service_entry(), vec(arb_destination_entry(), 0..4))
        .prop_map(|(service, destinations)| TableService::new(service, destinations));
    vec(row, 0..4).prop_map(Table::new)
}

pub(crate) fn arb_stats() -> impl Strategy<Value = Stats> {
    any::<[u64; 10]>().prop_map(|numbers| {
        let mut stats = Stats::default();
        [
            stats.connections,
            stats.packets_in,
            stats.packets_out,
            stats.bytes_in,
            stats.bytes_out,
            stats.connections_per_sec,
            stats.packets_per_sec_in,
            stats.packets_per_sec_out,
            stats.bytes_per_sec_in,
            stats.bytes_per_sec_out,
        ] = numbers;
        stats
    })
}

pub(crate) fn arb_config() -> impl Strategy<Value = Config> {
    [option::of(arb_timeout()), option::of(arb_timeout()), option::of(arb_timeout())].prop_map(|[tcp, tcp_fin, udp]| {
        let mut config = Config::new();
        config.tcp = tcp;
        config.tcp_fin = tcp_fin;
        config.udp = udp;
        config
    })
}

pub(crate) fn arb_sync_daemon() -> impl Strategy<Value = SyncDaemon> {
    let names = (arb_sync_role(), arb_interface_name(), any::<u32>());
    let choices = (
        option::of(any::<NonZeroU16>()),
        option::of(arb_multicast_group()),
        option::of(any::<NonZeroU16>()),
        option::of(any::<NonZeroU8>()),
    );
    (names, choices).prop_map(|((role, interface, sync_id), (max_len, group, port, ttl))| {
        let mut daemon = SyncDaemon::new(role, interface);
        daemon.sync_id = sync_id;
        daemon.max_len = max_len;
        daemon.group = group;
        daemon.port = port;
        daemon.ttl = ttl;
        daemon
    })
}

pub(crate) fn arb_sync_role() -> impl Strategy<Value = SyncRole> {
    select(vec![SyncRole::Master, SyncRole::Backup])
}

/// Names as people write them, and any bytes: the kernel refuses blanks, slashes, colons and NUL only.
pub(crate) fn arb_interface_name() -> impl Strategy<Value = InterfaceName> {
    // Commas, parentheses and equals signs are all allowed, and are what a notation trips over.
    prop_oneof![
        "[!-.0-9;-~]{1,15}".prop_map(|name| InterfaceName::new(&name).unwrap()),
        vec(1..=u8::MAX, 1..=15).prop_map(|name| InterfaceName::verbatim(&name).unwrap()),
        "(\\\\|\\\\x|\\\\x5c|[a-f0-9]){1,3}".prop_map(|name| InterfaceName::verbatim(name.as_bytes()).unwrap()),
    ]
}

pub(crate) fn arb_multicast_group() -> impl Strategy<Value = MulticastGroup> {
    let v4 = (224..240u8, any::<[u8; 3]>()).prop_map(|(a, [b, c, d])| IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
    let v6 = any::<[u8; 16]>().prop_map(|mut bytes| {
        bytes[0] = 0xff;
        IpAddr::V6(Ipv6Addr::from(bytes))
    });
    prop_oneof![v4, v6].prop_map(|address| MulticastGroup::new(address).unwrap())
}

pub(crate) fn arb_timeout() -> impl Strategy<Value = Timeout> {
    prop_oneof![1..=Timeout::MAX_SECS, Just(1), Just(Timeout::MAX_SECS)]
        .prop_map(|secs| Timeout::from_secs(secs).unwrap())
}

/// Persistence that a service of this family can have.
pub(crate) fn arb_persistence(family: AddressFamily) -> impl Strategy<Value = Persistence> {
    let timeout = prop_oneof![any::<u32>(), 0..=Persistence::MAX_SECS, Just(0), Just(Persistence::MAX_SECS)];
    (timeout, arb_granularity(family), option::of(arb_engine())).prop_map(|(timeout, granularity, engine)| {
        let persistence = Persistence::verbatim(timeout).granularity(granularity);
        engine.map_or(persistence, |engine| persistence.engine(engine))
    })
}

pub(crate) fn arb_granularity(family: AddressFamily) -> BoxedStrategy<Granularity> {
    let own = match family {
        AddressFamily::Ipv4 => any::<Ipv4Addr>().prop_map(Granularity::Mask).boxed(),
        AddressFamily::Ipv6 => arb_prefix().prop_map(Granularity::Prefix).boxed(),
    };
    prop_oneof![Just(Granularity::Client), own].boxed()
}

pub(crate) fn arb_prefix() -> impl Strategy<Value = Prefix> {
    (1..=128u8).prop_map(|bits| Prefix::new(bits).unwrap())
}

pub(crate) fn arb_engine() -> impl Strategy<Value = PersistenceEngine> {
    prop_oneof![
        Just(PersistenceEngine::Sip),
        "[!-~]{1,16}".prop_map(|name| PersistenceEngine::from_name(&name).unwrap())
    ]
}

/// Known schedulers, and unknown names.
pub(crate) fn arb_scheduler() -> impl Strategy<Value = Scheduler> {
    prop_oneof![select(Scheduler::KNOWN.to_vec()), "[!-~]{1,15}".prop_map(|name| Scheduler::from_name(&name).unwrap())]
}

pub(crate) fn arb_scheduler_flags() -> impl Strategy<Value = SchedulerFlags> {
    any::<u32>().prop_map(SchedulerFlags::from_bits_truncate)
}

pub(crate) fn arb_service_flags() -> impl Strategy<Value = ServiceFlags> {
    prop_oneof![any::<u32>(), 0..0x100u32].prop_map(ServiceFlags::from_bits_retain)
}

pub(crate) fn arb_weight() -> impl Strategy<Value = Weight> {
    prop_oneof![0..=Weight::MAX.get(), 0..3u32, Just(Weight::MAX.get())].prop_map(|weight| Weight::new(weight).unwrap())
}

pub(crate) fn arb_thresholds() -> impl Strategy<Value = Thresholds> {
    let set = any::<u32>().prop_flat_map(|upper| (Just(upper), 0..=upper));
    let set = set.prop_map(|(upper, lower)| Thresholds::verbatim(upper, lower));
    prop_oneof![Just(Thresholds::NONE), set]
}

/// Every method, those that only the kernel can report as well.
pub(crate) fn arb_forward_method() -> impl Strategy<Value = ForwardMethod> {
    prop_oneof![
        Just(ForwardMethod::Masquerade),
        Just(ForwardMethod::Local),
        Just(ForwardMethod::DirectRoute),
        Just(ForwardMethod::Bypass),
        arb_tunnel().prop_map(ForwardMethod::Tunnel),
        (5..8u32).prop_map(|number| format!("Unknown-{number}").parse().unwrap()),
    ]
}

/// Every kind with every flag, and the combinations of kind and port that the kernel stores without using them.
pub(crate) fn arb_tunnel() -> impl Strategy<Value = Tunnel> {
    let plain = prop_oneof![
        Just(Tunnel::ipip()),
        Just(Tunnel::gre()),
        (1..=u16::MAX).prop_map(|port| Tunnel::gue(port).unwrap()),
        (arb_tunnel_kind(), 1..=u16::MAX).prop_map(|(kind, port)| format!("{kind}:{port}").parse().unwrap()),
    ];
    (plain, arb_tunnel_flags()).prop_map(|(tunnel, flags)| tunnel.flags(flags))
}

pub(crate) fn arb_tunnel_kind() -> impl Strategy<Value = TunnelKind> {
    any::<u8>().prop_map(|number| format!("tunnel-{number}").parse().unwrap())
}

pub(crate) fn arb_tunnel_flags() -> impl Strategy<Value = TunnelFlags> {
    prop_oneof![0..4u16, any::<u16>()].prop_map(TunnelFlags::from_bits_retain)
}

pub(crate) fn arb_protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![
        select(vec![Protocol::TCP, Protocol::UDP, Protocol::SCTP, Protocol::AH, Protocol::ESP]),
        any::<u16>().prop_map(Protocol::from_number)
    ]
}

pub(crate) fn arb_family() -> impl Strategy<Value = AddressFamily> {
    select(vec![AddressFamily::Ipv4, AddressFamily::Ipv6])
}

/// Addresses of both families, those of IPv6 that stand for one of IPv4 as well.
pub(crate) fn arb_address() -> impl Strategy<Value = IpAddr> {
    let mapped = any::<Ipv4Addr>().prop_map(|address| address.to_ipv6_mapped());
    let v6 = prop_oneof![3 => any::<Ipv6Addr>(), 1 => mapped];
    prop_oneof![any::<Ipv4Addr>().prop_map(IpAddr::V4), v6.prop_map(IpAddr::V6)]
}
