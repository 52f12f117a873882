//! Settings of services: what is read is what was written, and an update changes what it says and nothing else.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipvs_rs::handle::Outcome;
use ipvs_rs::model::{
    AddressFamily, Granularity, Persistence, PersistenceEngine, Prefix, SchedulerFlags, ServiceFlags,
};
use ipvs_rs::{Scheduler, Service, ServiceEntry, ServiceId};

use super::services::KINDS;
use super::{World, wire};

pub fn persistence_is_read_as_written(world: &dyn World) {
    let mask = |text: &str| Granularity::Mask(text.parse().unwrap());
    let prefix = |bits| Granularity::Prefix(Prefix::new(bits).unwrap());
    let v4 = [
        Granularity::Client,
        mask("255.255.255.255"),
        mask("255.255.255.0"),
        mask("255.0.0.0"),
        mask("0.0.0.0"),
        mask("255.0.255.1"),
        mask("0.0.0.24"),
    ];
    let v6 = [Granularity::Client, prefix(128), prefix(127), prefix(64), prefix(1)];
    let handle = world.handle();
    for kind in KINDS {
        let id: ServiceId = kind.parse().unwrap();
        let granularities = if v4.iter().all(|one| one.fits(id.family())) { &v4[..] } else { &v6[..] };
        for granularity in granularities {
            for seconds in [300, 1, 0, Persistence::MAX_SECS] {
                let persistence = Persistence::for_secs(seconds).unwrap().granularity(*granularity);
                let service = Service::new(id, Scheduler::Wlc).persistence(persistence);
                let label = format!("{kind} {persistence}");
                handle.new_service(&service).unwrap();
                let read = handle.get_service(&id).unwrap().unwrap();
                assert_eq!(read, ServiceEntry::new(service), "{label}");
                assert_eq!(read.service.persistence, Some(persistence), "{label}");
                assert_eq!(persistence.timeout(), Duration::from_secs(seconds.into()));
                handle.delete_service(&id).unwrap();
            }
        }
    }
}

pub fn without_persistence_the_whole_address_is_stored(world: &dyn World) {
    const NETMASK: [u16; 2] = [1, 9];
    let (handle, received) = wire::recording(world);
    for kind in KINDS {
        let id: ServiceId = kind.parse().unwrap();
        handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
        received.lock().unwrap().clear();
        let read = handle.get_service(&id).unwrap().unwrap();
        assert_eq!(read.service.persistence, None, "{kind}");
        let expected = match id.family() {
            AddressFamily::Ipv4 => [255; 4],
            AddressFamily::Ipv6 => 128_u32.to_ne_bytes(),
        };
        let row = &received.lock().unwrap()[0];
        assert_eq!(row[wire::attribute(row, &NETMASK).unwrap()], expected, "{kind}");
    }
}

pub fn mask_of_the_other_family_is_refused_before_it_is_sent(world: &dyn World) {
    let handle = world.handle();
    let mask = Granularity::Mask(Ipv4Addr::new(255, 255, 255, 0));
    let prefix = Granularity::Prefix(Prefix::new(64).unwrap());
    for (name, granularity) in
        [("TCP [2001:db8::10]:80", mask), ("FWM 7 IPv6", mask), ("TCP 192.0.2.10:80", prefix), ("FWM 7", prefix)]
    {
        let persistence = Persistence::for_secs(300).unwrap().granularity(granularity);
        let service = Service::new(name.parse().unwrap(), Scheduler::Rr).persistence(persistence);
        let error = handle.new_service(&service).unwrap_err();
        assert!(error.is_invalid() && error.errno().is_none(), "{error}");
    }
    assert_eq!(handle.get_services().unwrap(), []);
}

pub fn flags_are_read_as_written_changed_and_cleared(world: &dyn World) {
    let all = SchedulerFlags::FALLBACK | SchedulerFlags::PORT | SchedulerFlags::FLAG_3;
    let handle = world.handle();
    for name in ["UDP 192.0.2.10:53", "UDP [2001:db8::10]:53", "FWM 7"] {
        let plain = Service::new(name.parse().unwrap(), Scheduler::Rr);
        handle.new_service(&plain).unwrap();
        for scheduler in [Scheduler::Sh, Scheduler::Mh, Scheduler::Rr] {
            for flags in [SchedulerFlags::FALLBACK, SchedulerFlags::PORT, SchedulerFlags::FLAG_3, all] {
                for one_packet in [true, false] {
                    let service = Service::new(plain.id, scheduler).scheduler_flags(flags).one_packet(one_packet);
                    handle.update_service(&service).unwrap();
                    let read = handle.get_service(&plain.id).unwrap().unwrap();
                    assert_eq!(read, ServiceEntry::new(service), "{name} {scheduler} {flags:?}");
                    assert!(read.flags.contains(ServiceFlags::HASHED), "the kernel's own bit is shown");
                }
            }
        }
        let persistent = plain.clone().persistence(Persistence::for_secs(60).unwrap()).one_packet(true);
        handle.update_service(&persistent).unwrap();
        assert_eq!(handle.get_service(&plain.id).unwrap(), Some(ServiceEntry::new(persistent)), "{name}");
        handle.update_service(&plain).unwrap();
        let read = handle.get_service(&plain.id).unwrap().unwrap();
        assert_eq!(read.flags, ServiceFlags::HASHED, "{name}: everything is cleared");
        assert_eq!(read.service, plain, "{name}: the kernel's own bit makes no difference");
    }
}

pub fn one_packet_is_stored_where_it_has_no_use(world: &dyn World) {
    let handle = world.handle();
    for kind in KINDS {
        let service = Service::new(kind.parse().unwrap(), Scheduler::Rr).one_packet(true);
        handle.new_service(&service).unwrap();
        assert_eq!(handle.get_service(&service.id).unwrap(), Some(ServiceEntry::new(service)), "{kind}");
    }
}

pub fn persistence_engine_survives_the_change_of_another_setting_and_goes_when_told(world: &dyn World) {
    let handle = world.handle();
    for name in ["UDP 192.0.2.10:5060", "UDP [2001:db8::10]:5060", "TCP 192.0.2.10:5060", "FWM 7"] {
        let sip = Persistence::for_secs(60).unwrap().engine(PersistenceEngine::Sip);
        let service = Service::new(name.parse().unwrap(), Scheduler::Rr).persistence(sip);
        handle.new_service(&service).unwrap();
        let mut read = handle.get_service(&service.id).unwrap().unwrap().service;
        assert_eq!(read.persistence, Some(sip), "{name}");

        read.scheduler = Scheduler::Wlc;
        handle.update_service(&read).unwrap();
        let expected = Service::new(service.id, Scheduler::Wlc).persistence(sip);
        assert_eq!(handle.get_service(&service.id).unwrap(), Some(ServiceEntry::new(expected)), "{name}");

        let without = Persistence::for_secs(60).unwrap();
        handle.update_service(&service.clone().persistence(without)).unwrap();
        let read = handle.get_service(&service.id).unwrap().unwrap().service;
        assert_eq!(read.persistence, Some(without), "{name}: removed");
    }
}

pub fn changing_one_setting_changes_only_that_one(world: &dyn World) {
    let full = |name: &str| {
        let persistence = Persistence::for_secs(90).unwrap().engine(PersistenceEngine::Sip);
        Service::new(name.parse().unwrap(), Scheduler::Sh)
            .scheduler_flags(SchedulerFlags::PORT)
            .one_packet(true)
            .persistence(persistence)
    };
    let changes: [(&str, Change); 6] = [
        ("scheduler", |service| service.scheduler = Scheduler::Mh),
        ("scheduler flags", |service| service.scheduler_flags = SchedulerFlags::FALLBACK),
        ("one packet", |service| service.one_packet = false),
        ("timeout", |service| {
            let old = service.persistence.unwrap();
            service.persistence = Some(Persistence::for_secs(91).unwrap().engine(old.engine.unwrap()));
        }),
        ("engine", |service| service.persistence.as_mut().unwrap().engine = None),
        ("persistence", |service| service.persistence = None),
    ];
    let handle = world.handle();
    for name in ["UDP 192.0.2.10:5060", "UDP [2001:db8::10]:5060", "FWM 7", "FWM 7 IPv6"] {
        for (label, change) in changes {
            let mut expected = full(name);
            handle.new_service(&expected).unwrap();
            change(&mut expected);
            assert_eq!(handle.modify_service(&expected.id, change).unwrap(), Outcome::Updated, "{name} {label}");
            let read = handle.get_service(&expected.id).unwrap();
            assert_eq!(read, Some(ServiceEntry::new(expected.clone())), "{name} {label}");
            assert_eq!(handle.modify_service(&expected.id, |_| {}).unwrap(), Outcome::Unchanged);
            handle.delete_service(&expected.id).unwrap();
        }
    }
}

pub fn persistence_without_its_flag_is_stored_and_survives_an_update(world: &dyn World) {
    let handle = world.handle();
    let dormant = Persistence::for_secs(77)
        .unwrap()
        .granularity(Granularity::Mask(Ipv4Addr::new(255, 255, 0, 0)))
        .engine(PersistenceEngine::Sip);
    let service = Service::new("UDP 192.0.2.10:5060".parse().unwrap(), Scheduler::Rr).dormant_persistence(dormant);
    handle.new_service(&service).unwrap();
    let read = handle.get_service(&service.id).unwrap().unwrap();
    assert_eq!(read, ServiceEntry::new(service.clone()));
    assert_eq!((read.flags, read.service.persistence), (ServiceFlags::HASHED, None));

    handle.modify_service(&service.id, |service| service.scheduler = Scheduler::Lc).unwrap();
    let expected = Service::new(service.id, Scheduler::Lc).dormant_persistence(dormant);
    assert_eq!(handle.get_service(&service.id).unwrap(), Some(ServiceEntry::new(expected)));
}

pub fn unnamed_values_survive_an_update(world: &dyn World) {
    const FLAGS: [u16; 2] = [1, 7];
    const TIMEOUT: [u16; 2] = [1, 8];
    const SCHEDULER: [u16; 2] = [1, 6];
    let service = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Rr);
    let stranger = wire::editing(world, |datagram| {
        wire::overwrite(datagram, &FLAGS, &[0xff; 8]);
        // More than we would send, and less than what wraps at 250 ticks a second.
        wire::overwrite(datagram, &TIMEOUT, &17_000_000_u32.to_ne_bytes());
    });
    stranger.new_service(&service).unwrap();

    let handle = world.handle();
    let read = handle.get_service(&service.id).unwrap().unwrap();
    assert_eq!(read.flags.bits(), u32::MAX);
    assert_eq!(read.service.persistence.unwrap().timeout_secs(), 17_000_000);
    handle.modify_service(&service.id, |service| service.scheduler = Scheduler::Wlc).unwrap();

    let (watching, received) = wire::recording(world);
    watching.get_service(&service.id).unwrap();
    let row = received.lock().unwrap()[1].clone();
    let value = |path: &[u16]| row[wire::attribute(&row, path).unwrap()].to_vec();
    assert_eq!(value(&SCHEDULER), b"wlc\0");
    assert_eq!(value(&FLAGS), [0xff; 8]);
    assert_eq!(value(&TIMEOUT), 17_000_000_u32.to_ne_bytes());
}

type Change = fn(&mut Service);
