//! Destinations: all kinds of services, all ways to forward, from making to deleting.

use ipvs_rs::error::Errno;
use ipvs_rs::model::{AddressFamily, Thresholds, Tunnel, TunnelFlags, Weight};
use ipvs_rs::{Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceId};

use super::services::KINDS;
use super::{Interface, World, wire};

use super::client::Handle;

const METHODS: [ForwardMethod; 5] = [
    ForwardMethod::Masquerade,
    ForwardMethod::Local,
    ForwardMethod::Tunnel(Tunnel::ipip()),
    ForwardMethod::DirectRoute,
    ForwardMethod::Bypass,
];

pub fn destinations_of_every_kind_of_service_and_method_are_made_listed_changed_and_deleted(world: &dyn World) {
    let handle = world.handle();
    for kind in KINDS {
        let service: ServiceId = kind.parse().unwrap();
        handle.new_service(&Service::new(service, Scheduler::Wlc)).unwrap();
        for method in METHODS {
            let label = format!("{kind} {method}");
            // The port of the service, another one at the same address, and another address.
            let ids = match service.family() {
                AddressFamily::Ipv4 => ["10.0.0.2:80", "10.0.0.2:8080", "10.0.0.3:80"],
                AddressFamily::Ipv6 => ["[2001:db8::2]:80", "[2001:db8::2]:8080", "[2001:db8::3]:80"],
            };
            let mut listed = Vec::new();
            for (weight, id) in (1..).zip(ids) {
                let destination = Destination::new(id.parse().unwrap(), method).weight(weight).unwrap();
                handle.new_destination(&service, &destination).unwrap();
                listed.insert(0, DestinationEntry::new(destination));
            }
            assert_eq!(handle.get_destinations(&service).unwrap(), listed, "{label}: newest first");

            for place in 0..listed.len() {
                for other in METHODS.into_iter().filter(|other| *other != method) {
                    listed[place].destination.forward = other;
                    handle.update_destination(&service, &listed[place].destination).unwrap();
                    assert_eq!(handle.get_destinations(&service).unwrap(), listed, "{label} changed to {other}");
                }
            }

            while let Some(entry) = listed.pop() {
                handle.delete_destination(&service, &entry.id()).unwrap();
                assert_eq!(handle.get_destinations(&service).unwrap(), listed, "{label}: {} deleted", entry.id());
                assert_eq!(handle.get_destination(&service, &entry.id()).unwrap(), None, "{label}");
            }
        }
        handle.delete_service(&service).unwrap();
    }
}

pub fn weights_are_read_as_written(world: &dyn World) {
    with_service(world, "TCP 192.0.2.10:80", |handle, service| {
        let destination = Destination::new(id("10.0.0.2:80"), ForwardMethod::Masquerade);
        handle.new_destination(service, &destination).unwrap();
        assert_eq!(only(handle, service).weight.get(), 1, "the default");
        for weight in [0, 1, 255, 256, 65_535, 65_536, 70_000, 2_147_483_647] {
            let updated = destination.clone().weight(weight).unwrap();
            handle.update_destination(service, &updated).unwrap();
            assert_eq!(only(handle, service).weight.get(), weight, "updated");

            handle.delete_destination(service, &destination.id).unwrap();
            handle.new_destination(service, &updated).unwrap();
            assert_eq!(only(handle, service).weight.get(), weight, "made");
        }
        handle.update_destination(service, &destination.clone().drained()).unwrap();
        assert_eq!(only(handle, service).weight, Weight::ZERO, "drained");
        let refused = destination.weight(2_147_483_648).unwrap_err();
        assert_eq!(refused.to_string(), "weight 2147483648 is out of range: expected 0 to 2147483647");
    });
}

pub fn thresholds_are_read_as_written(world: &dyn World) {
    with_service(world, "TCP 192.0.2.10:80", |handle, service| {
        let destination = Destination::new(id("10.0.0.2:80"), ForwardMethod::Masquerade);
        handle.new_destination(service, &destination).unwrap();
        for (upper, lower) in [(10, 5), (10, 10), (10, 0), (2_147_483_647, 2_147_483_647), (0, 0)] {
            let thresholds = Thresholds::with_upper(upper).unwrap().with_lower(lower).unwrap();
            handle.update_destination(service, &destination.clone().thresholds(thresholds)).unwrap();
            assert_eq!(only(handle, service).thresholds, thresholds, "{upper}/{lower}");
        }
        assert!(Thresholds::with_upper(5).unwrap().with_lower(9).is_err(), "refused before anything is sent");
        assert!(Thresholds::with_upper(2_147_483_648).is_err(), "refused before anything is sent");
        let verbatim = destination.thresholds(Thresholds::verbatim(5, 9));
        let error = handle.update_destination(service, &verbatim).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::ERANGE), "{error}");
    });
}

pub fn tunnels_are_read_as_written(world: &dyn World) {
    let unnamed = TunnelFlags::from_bits_retain(0x8000);
    let both = TunnelFlags::CHECKSUM | TunnelFlags::REMOTE_CHECKSUM;
    let tunnels = [
        Tunnel::ipip(),
        Tunnel::gue(1).unwrap(),
        Tunnel::gue(6080).unwrap(),
        Tunnel::gue(65535).unwrap().flags(TunnelFlags::CHECKSUM),
        Tunnel::gue(6080).unwrap().flags(TunnelFlags::REMOTE_CHECKSUM),
        Tunnel::gue(6080).unwrap().flags(both),
        Tunnel::gre(),
        Tunnel::gre().flags(TunnelFlags::CHECKSUM),
        Tunnel::gre().flags(unnamed),
        Tunnel::ipip().flags(both | unnamed),
    ];
    with_service(world, "TCP 192.0.2.10:80", |handle, service| {
        let plain = Destination::new(id("10.0.0.2:80"), ForwardMethod::Masquerade);
        handle.new_destination(service, &plain).unwrap();
        for tunnel in tunnels {
            let destination = Destination::new(plain.id, ForwardMethod::Tunnel(tunnel));
            handle.update_destination(service, &destination).unwrap();
            assert_eq!(only(handle, service), destination, "{tunnel} updated");
            handle.delete_destination(service, &plain.id).unwrap();
            handle.new_destination(service, &destination).unwrap();
            assert_eq!(only(handle, service), destination, "{tunnel} made");
        }
        handle.update_destination(service, &plain).unwrap();
        assert_eq!(only(handle, service), plain, "nothing of a tunnel is left");
    });
}

pub fn server_of_the_other_family_is_reached_by_a_tunnel_only(world: &dyn World) {
    for (name, server) in [("TCP 192.0.2.10:80", "[2001:db8::2]:80"), ("TCP [2001:db8::10]:80", "10.0.0.2:80")] {
        with_service(world, name, |handle, service| {
            let tunnel = Destination::new(id(server), ForwardMethod::Tunnel(Tunnel::ipip()));
            for method in METHODS.into_iter().filter(|method| *method != tunnel.forward) {
                let error = handle.new_destination(service, &Destination::new(tunnel.id, method)).unwrap_err();
                assert!(error.is_invalid(), "{error}");
                assert_eq!(handle.get_destinations(service).unwrap(), [], "nothing is stored");
            }
            handle.new_destination(service, &tunnel).unwrap();
            assert_eq!(only(handle, service), tunnel);
            let error = handle.update_destination(service, &Destination::new(tunnel.id, ForwardMethod::Masquerade));
            assert!(error.unwrap_err().is_invalid());
            assert_eq!(only(handle, service), tunnel, "nothing is changed");
            handle.delete_destination(service, &tunnel.id).unwrap();
            assert_eq!(handle.get_destinations(service).unwrap(), []);
        });
    }
}

pub fn addresses_that_look_like_another_family_stay_what_they_are(world: &dyn World) {
    // Twelve zero bytes at the end, an IPv4 address at the end, and one that an IPv4 service would take the front of.
    for server in ["[a00:2::]:80", "[::a00:2]:80", "[2001:db8::a00:2]:80", "[::1]:80"] {
        with_service(world, "TCP [2001:db8::10]:80", |handle, service| {
            let destination = Destination::new(id(server), ForwardMethod::DirectRoute);
            handle.new_destination(service, &destination).unwrap();
            assert_eq!(only(handle, service), destination);
        });
    }
}

pub fn addresses_that_are_not_of_one_machine_are_refused(world: &dyn World) {
    let refused = [
        "0.0.0.0:80",
        "255.255.255.255:80",
        "224.0.0.1:80",
        "[::]:80",
        "[ff02::1]:80",
        "[fe80::1]:80",
        "[::ffff:10.0.0.2]:80",
    ];
    let accepted = ["127.0.0.1:80", "169.254.1.1:80", "240.0.0.1:80", "10.0.0.2:0", "[::1]:80", "[fc00::1]:65535"];
    let service = |server: DestinationId| match server.address() {
        std::net::IpAddr::V4(_) => "TCP 192.0.2.10:80",
        std::net::IpAddr::V6(_) => "TCP [2001:db8::10]:80",
    };
    for (server, is_refused) in refused.map(|server| (server, true)).into_iter().chain(accepted.map(|it| (it, false))) {
        with_service(world, service(id(server)), |handle, service| {
            let made = handle.new_destination(service, &Destination::new(id(server), ForwardMethod::DirectRoute));
            let count = handle.get_destinations(service).unwrap().len();
            match made {
                Ok(()) => assert_eq!((is_refused, count), (false, 1), "{server}"),
                Err(error) => assert_eq!((error.is_invalid(), is_refused, count), (true, true, 0), "{error}"),
            }
        });
    }
}

pub fn addresses_of_this_machine_are_taken_even_if_no_other_could_have_them(world: &dyn World) {
    world.add_interface(&Interface { name: "d0", addresses: &["::ffff:10.0.0.2/128", "fe80::2/64"], is_up: true });
    for server in ["[::ffff:10.0.0.2]:80", "[fe80::2]:80"] {
        for (service, forward) in [
            ("TCP [2001:db8::10]:80", ForwardMethod::Masquerade),
            ("TCP 192.0.2.10:80", ForwardMethod::Tunnel(Tunnel::ipip())),
        ] {
            with_service(world, service, |handle, service| {
                let destination = Destination::new(id(server), forward);
                handle.new_destination(service, &destination).unwrap();
                assert_eq!(only(handle, service), destination, "{service}");
                handle.delete_destination(service, &destination.id).unwrap();
            });
        }
    }
}

pub fn unknown_service_has_no_destinations_and_can_be_told_from_an_empty_one(world: &dyn World) {
    let handle = world.handle();
    for kind in KINDS {
        let service: ServiceId = kind.parse().unwrap();
        assert_eq!(handle.get_destinations(&service).unwrap(), [], "{kind} unknown");
        assert_eq!(handle.find_destinations(&service).unwrap(), None, "{kind} unknown");
        assert_eq!(handle.get_destination(&service, &id("10.0.0.2:80")).unwrap(), None, "{kind} unknown");
        handle.new_service(&Service::new(service, Scheduler::Rr)).unwrap();
        assert_eq!(handle.find_destinations(&service).unwrap(), Some(Vec::new()), "{kind} empty");
    }
}

pub fn destinations_go_with_their_service_and_survive_its_update(world: &dyn World) {
    with_service(world, "TCP 192.0.2.10:80", |handle, service| {
        let destination = Destination::new(id("10.0.0.2:80"), ForwardMethod::Masquerade).weight(7).unwrap();
        handle.new_destination(service, &destination).unwrap();
        handle.update_service(&Service::new(*service, Scheduler::Mh)).unwrap();
        assert_eq!(only(handle, service), destination);
        handle.delete_service(service).unwrap();
        handle.new_service(&Service::new(*service, Scheduler::Rr)).unwrap();
        assert_eq!(handle.get_destinations(service).unwrap(), []);
    });
}

pub fn update_keeps_the_place_in_the_list(world: &dyn World) {
    with_service(world, "TCP 192.0.2.10:80", |handle, service| {
        let ids = ["10.0.0.4:80", "10.0.0.3:80", "10.0.0.2:80"].map(id);
        for id in ids.into_iter().rev() {
            handle.new_destination(service, &Destination::new(id, ForwardMethod::Masquerade)).unwrap();
        }
        for id in ids {
            handle.update_destination(service, &Destination::new(id, ForwardMethod::DirectRoute).drained()).unwrap();
            let listed: Vec<_> = handle.get_destinations(service).unwrap().iter().map(DestinationEntry::id).collect();
            assert_eq!(listed, ids);
        }
    });
}

pub fn unnamed_values_survive_an_update(world: &dyn World) {
    const METHOD: [u16; 2] = [2, 3];
    const TUNNEL_TYPE: [u16; 2] = [2, 13];
    with_service(world, "TCP 192.0.2.10:80", |handle, service| {
        let destination = Destination::new(id("10.0.0.2:80"), ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap()));
        for (label, method, tunnel_type) in [("method 5", 5_u32, 1_u8), ("method 7", 7, 0), ("tunnel type 3", 2, 3)] {
            let stranger = wire::editing(world, move |datagram| {
                wire::overwrite(datagram, &METHOD, &method.to_ne_bytes());
                wire::overwrite(datagram, &TUNNEL_TYPE, &[tunnel_type]);
            });
            stranger.new_destination(service, &destination).unwrap();
            let read = only(handle, service);
            assert_eq!(read.forward.number(), method, "{label}");
            handle.update_destination(service, &read.clone().weight(9).unwrap()).unwrap();
            assert_eq!(only(handle, service), read.clone().weight(9).unwrap(), "{label} updated");

            // The kernel itself is asked, for the library might leave out the same in both directions.
            let (watching, received) = wire::recording(world);
            watching.get_destinations(service).unwrap();
            let row = received.lock().unwrap()[1].clone();
            let value = |path: &[u16]| row[wire::attribute(&row, path).unwrap()].to_vec();
            assert_eq!(value(&METHOD), method.to_ne_bytes(), "{label}");
            assert_eq!(value(&TUNNEL_TYPE), [tunnel_type], "{label}");
            assert_eq!(value(&[2, 14]), 6080_u16.to_be_bytes(), "{label}: tunnel port");
            handle.delete_destination(service, &destination.id).unwrap();
        }
    });
}

/// Does something with a new service, which goes afterwards.
fn with_service(world: &dyn World, name: &str, body: impl FnOnce(&Handle, &ServiceId)) {
    let handle = world.handle();
    let service = name.parse().unwrap();
    handle.new_service(&Service::new(service, Scheduler::Wlc)).unwrap();
    body(&handle, &service);
    handle.remove_service(&service).unwrap();
}

/// The settings of the only destination.
fn only(handle: &Handle, service: &ServiceId) -> Destination {
    let [entry] = <[_; 1]>::try_from(handle.get_destinations(service).unwrap()).unwrap();
    assert_eq!(DestinationEntry::new(entry.destination.clone()), entry, "nothing has gone through it");
    entry.destination
}

fn id(text: &str) -> DestinationId {
    text.parse().unwrap()
}
