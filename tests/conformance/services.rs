//! Services: all kinds, all schedulers, from making to deleting.

use ipvs_rs::model::{AddressFamily, Protocol};
use ipvs_rs::{Scheduler, Service, ServiceEntry, ServiceId};

use super::World;

/// One service of each kind.
pub const KINDS: [&str; 8] = [
    "TCP 192.0.2.10:80",
    "TCP [2001:db8::10]:80",
    "UDP 192.0.2.10:80",
    "UDP [2001:db8::10]:80",
    "SCTP 192.0.2.10:80",
    "SCTP [2001:db8::10]:80",
    "FWM 7",
    "FWM 7 IPv6",
];

pub fn service_of_every_kind_with_every_scheduler_is_made_found_changed_and_deleted(world: &dyn World) {
    let handle = world.handle();
    let schedulers = world.schedulers();
    for kind in KINDS {
        let id: ServiceId = kind.parse().unwrap();
        for scheduler in &schedulers {
            let label = format!("{kind} {scheduler}");
            let service = Service::new(id, *scheduler);
            handle.new_service(&service).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(service.clone())], "{label} in the list");
            assert_eq!(handle.get_service(&id).unwrap(), Some(ServiceEntry::new(service)), "{label} by itself");

            for other in schedulers.iter().filter(|other| *other != scheduler) {
                let changed = Service::new(id, *other);
                handle.update_service(&changed).unwrap_or_else(|error| panic!("{error}"));
                let read = handle.get_service(&id).unwrap();
                assert_eq!(read, Some(ServiceEntry::new(changed)), "{label} changed to {other}");
            }

            handle.delete_service(&id).unwrap();
            assert_eq!(handle.get_service(&id).unwrap(), None, "{label} deleted");
            assert_eq!(handle.get_services().unwrap(), [], "{label} deleted, list");
        }
    }
}

pub fn service_is_absent_then_present_then_absent(world: &dyn World) {
    let handle = world.handle();
    for kind in KINDS {
        let id: ServiceId = kind.parse().unwrap();
        assert_eq!(handle.get_service(&id).unwrap(), None, "{kind} before");
        handle.new_service(&Service::new(id, Scheduler::Wlc)).unwrap();
        assert!(handle.get_service(&id).unwrap().is_some(), "{kind} made");
        handle.delete_service(&id).unwrap();
        assert_eq!(handle.get_service(&id).unwrap(), None, "{kind} deleted");
    }
}

pub fn flush_leaves_nothing_of_none_one_and_many(world: &dyn World) {
    let handle = world.handle();
    for count in [0, 1, 300] {
        let ids: Vec<ServiceId> = (1..=count).map(|mark| format!("fwmark:{mark}").parse().unwrap()).collect();
        for id in &ids {
            handle.new_service(&Service::new(*id, Scheduler::Rr)).unwrap();
        }
        handle.flush().unwrap();
        assert_eq!(handle.get_services().unwrap(), [], "{count} services");
        for id in &ids {
            assert_eq!(handle.get_service(id).unwrap(), None, "{id} of {count}");
        }
    }
}

pub fn flush_reaches_no_other_namespace(world: &dyn World) {
    let here = world.handle();
    let service = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Rr);
    here.new_service(&service).unwrap();
    world.elsewhere(&|there| {
        let there = there.handle();
        there.new_service(&service).unwrap();
        there.flush().unwrap();
        assert_eq!(there.get_services().unwrap(), []);
    });
    assert_eq!(here.get_services().unwrap(), [ServiceEntry::new(service)]);
}

pub fn one_mark_names_a_service_in_each_family(world: &dyn World) {
    let handle = world.handle();
    let v4 = Service::new("FWM 7".parse().unwrap(), Scheduler::Rr);
    let v6 = Service::new("FWM 7 IPv6".parse().unwrap(), Scheduler::Wlc);

    handle.new_service(&v4).unwrap();
    assert_eq!(handle.get_service(&v6.id).unwrap(), None);
    assert!(handle.delete_service(&v6.id).unwrap_err().is_not_found(), "delete in the wrong family");
    assert!(handle.update_service(&v6).unwrap_err().is_not_found(), "update in the wrong family");
    handle.new_service(&v6).unwrap();
    assert!(handle.new_service(&v4).unwrap_err().is_already_exists(), "the same again");
    assert!(handle.new_service(&v6).unwrap_err().is_already_exists(), "the same again");

    let mut listed = handle.get_services().unwrap();
    listed.sort_by_key(ServiceEntry::id);
    assert_eq!(listed, [ServiceEntry::new(v4.clone()), ServiceEntry::new(v6.clone())]);
    handle.delete_service(&v4.id).unwrap();
    assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(v6)]);
}

pub fn service_on_any_address_port_and_protocol_is_kept_as_written(world: &dyn World) {
    let handle = world.handle();
    let protocol = Protocol::from_number;
    let address = |text: &str| text.parse().unwrap();
    let ids = [
        ServiceId::verbatim(Protocol::TCP, address("192.0.2.10"), 0),
        ServiceId::verbatim(Protocol::TCP, address("192.0.2.10"), 65535),
        ServiceId::verbatim(Protocol::TCP, address("0.0.0.0"), 80),
        ServiceId::verbatim(Protocol::TCP, address("255.255.255.255"), 80),
        ServiceId::verbatim(Protocol::TCP, address("224.0.0.1"), 80),
        ServiceId::verbatim(Protocol::TCP, address("127.0.0.1"), 80),
        ServiceId::verbatim(Protocol::TCP, address("::"), 80),
        ServiceId::verbatim(Protocol::TCP, address("ff02::1"), 80),
        ServiceId::verbatim(Protocol::TCP, address("fe80::1"), 80),
        ServiceId::verbatim(Protocol::TCP, address("2001:db8::"), 80),
        ServiceId::verbatim(Protocol::TCP, address("::ffff:192.0.2.10"), 80),
        ServiceId::verbatim(Protocol::ESP, address("192.0.2.10"), 0),
        ServiceId::verbatim(Protocol::AH, address("2001:db8::10"), 0),
        ServiceId::verbatim(protocol(0), address("192.0.2.10"), 80),
        ServiceId::verbatim(protocol(255), address("192.0.2.10"), 80),
        ServiceId::verbatim(protocol(256 + 6), address("192.0.2.10"), 80),
        ServiceId::verbatim(protocol(65535), address("192.0.2.10"), 80),
        ServiceId::fwmark(1, AddressFamily::Ipv4).unwrap(),
        ServiceId::fwmark(u32::MAX, AddressFamily::Ipv6).unwrap(),
    ];
    for id in ids {
        let service = Service::new(id, Scheduler::Rr);
        handle.new_service(&service).unwrap();
        assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(service.clone())], "{id} in the list");
        assert_eq!(handle.get_service(&id).unwrap(), Some(ServiceEntry::new(service)), "{id} by itself");
        handle.delete_service(&id).unwrap();
    }
    assert_eq!(handle.get_services().unwrap(), []);
}

pub fn services_that_differ_in_one_part_of_the_name_are_several(world: &dyn World) {
    let handle = world.handle();
    let names = ["TCP 192.0.2.10:80", "UDP 192.0.2.10:80", "TCP 192.0.2.11:80", "TCP 192.0.2.10:81", "FWM 80"];
    let ids = names.map(|name| name.parse::<ServiceId>().unwrap());
    for id in ids {
        handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
    }
    for id in ids {
        assert_eq!(handle.get_service(&id).unwrap().unwrap().id(), id);
        handle.delete_service(&id).unwrap();
        assert_eq!(handle.get_service(&id).unwrap(), None, "{id}");
    }
    assert_eq!(handle.get_services().unwrap(), []);
}
