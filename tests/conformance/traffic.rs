//! Packets through the director: what is counted, what forgets it and what does not.

use ipvs_rs::model::{Persistence, Stats, Tunnel, Weight};
use ipvs_rs::{Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceId};

use super::client::Handle;
use super::{World, wire};

const DNS: &str = "UDP 192.0.2.10:53";
const WEB: &str = "TCP 192.0.2.10:80";

pub fn datagrams_are_counted_in_both_blocks_of_service_and_destination(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    for (service, server, headers) in
        [(DNS, "10.2.0.2:5353", 28), ("UDP [2001:db8::10]:53", "[2001:db8:2::2]:5353", 48)]
    {
        let (id, server) = serve(&handle, service, server);
        network.dial(&id, &server).ask(5);

        // Questions of 100 bytes and answers of 300, with the headers of IP and UDP.
        let expected = [1, 5, 5, 5 * (100 + headers), 5 * (300 + headers)];
        network.wait_until("the kernel has counted", &mut || {
            totals(&service_stats(&handle, &id)) == expected && totals(&only(&handle, &id).stats) == expected
        });

        let (watching, received) = wire::recording(world);
        watching.get_service(&id).unwrap();
        watching.get_destinations(&id).unwrap();
        let datagrams = received.lock().unwrap().clone();
        for (label, datagram, nest) in [("service", &datagrams[1], 1), ("destination", &datagrams[2], 2)] {
            for (block, bits) in [(10, 32), (12, 64)] {
                let counted = [1, 2, 3, 4, 5].map(|field| number_in(datagram, &[nest, block, field]));
                assert_eq!(counted, expected, "{label}, {bits} bits");
            }
        }
    }
}

pub fn each_client_is_a_connection_and_the_service_has_the_sum(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (id, first) = serve(&handle, DNS, "10.2.0.2:5353");
    let other: DestinationId = "10.2.0.3:5353".parse().unwrap();
    for questions in [2, 3] {
        network.dial(&id, &first).ask(questions);
    }
    // The scheduler has no choice: the first one is drained before the second comes.
    handle.modify_destination(&id, &first, |destination| destination.weight = Weight::ZERO).unwrap();
    handle.new_destination(&id, &Destination::new(other, ForwardMethod::Masquerade)).unwrap();
    network.dial(&id, &other).ask(4);

    let of = |server| handle.get_destination(&id, server).unwrap().unwrap();
    network.wait_until("the kernel has counted", &mut || {
        [totals(&of(&first).stats), totals(&of(&other).stats), totals(&service_stats(&handle, &id))]
            == [datagrams(2, 5), datagrams(1, 4), datagrams(3, 9)]
    });
    assert_eq!([gauges(&of(&first)), gauges(&of(&other))], [[0, 2, 0], [0, 1, 0]]);
}

pub fn rates_rise_with_traffic_and_are_gone_when_they_are_zeroed(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (id, server) = serve(&handle, DNS, "10.2.0.2:5353");
    let dialogue = network.dial(&id, &server);
    let rates = |stats: Stats| {
        let packets = [stats.packets_per_sec_in, stats.packets_per_sec_out];
        let bytes = [stats.bytes_per_sec_in, stats.bytes_per_sec_out];
        [[stats.connections_per_sec, 0], packets, bytes]
    };
    network.wait_until("rates of everything", &mut || {
        for _ in 0..4 {
            network.dial(&id, &server).ask(1);
        }
        dialogue.ask(20);
        let [[connections, _], packets, bytes] = rates(service_stats(&handle, &id));
        connections > 0 && packets.iter().chain(&bytes).all(|rate| *rate > 0)
    });
    for stats in [service_stats(&handle, &id), only(&handle, &id).stats] {
        let [_, packets, [bytes_in, bytes_out]] = rates(stats);
        // The kernel may have computed them between a question and its answer.
        assert!(packets[0].abs_diff(packets[1]) <= 1, "an answer to each question: {stats:?}");
        assert!(bytes_out > bytes_in, "answers are longer: {stats:?}");
    }
    handle.zero_service(&id).unwrap();
    for stats in [service_stats(&handle, &id), only(&handle, &id).stats] {
        assert_eq!(rates(stats), [[0; 2]; 3], "{stats:?}");
    }
}

pub fn zero_resets_one_service_or_all(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (dns, server) = serve(&handle, DNS, "10.2.0.2:5353");
    let (ntp, other) = serve(&handle, "UDP 192.0.2.10:123", "10.2.0.3:123");
    let traffic = || {
        network.dial(&dns, &server).ask(3);
        network.dial(&ntp, &other).ask(3);
    };
    let counted = |id| service_stats(&handle, id).packets_in == 3 && only(&handle, id).stats.packets_in == 3;
    traffic();
    network.wait_until("the kernel has counted", &mut || counted(&dns) && counted(&ntp));

    handle.zero_service(&dns).unwrap();
    assert_eq!(service_stats(&handle, &dns), Stats::default());
    assert_eq!(only(&handle, &dns).stats, Stats::default(), "its destinations with it");
    assert_eq!(gauges(&only(&handle, &dns)), [0, 1, 0], "connections stay");
    assert!(counted(&ntp), "the other keeps its numbers");

    handle.zero_all().unwrap();
    assert_eq!(service_stats(&handle, &ntp), Stats::default());
    assert_eq!(only(&handle, &ntp).stats, Stats::default());
    traffic();
    network.wait_until("counting goes on", &mut || counted(&dns) && counted(&ntp));
    assert_eq!(gauges(&only(&handle, &dns)), [0, 2, 0]);
}

pub fn connection_is_active_then_inactive(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    for (service, server) in [(WEB, "10.2.0.2:8080"), ("TCP [2001:db8::10]:80", "[2001:db8:2::2]:8080")] {
        let (id, server) = serve(&handle, service, server);
        assert_eq!(gauges(&only(&handle, &id)), [0, 0, 0]);
        let dialogue = network.dial(&id, &server);
        dialogue.ask(1);
        assert_eq!(gauges(&only(&handle, &id)), [1, 0, 0]);
        assert!(!only(&handle, &id).is_idle());

        dialogue.hang_up();
        network.wait_until("the connection is closed", &mut || gauges(&only(&handle, &id)) == [0, 1, 0]);
        network.wait_until("one connection is counted", &mut || service_stats(&handle, &id).connections == 1);
    }
}

pub fn persistent_service_remembers_its_client(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (web, server) = serve(&handle, WEB, "10.2.0.2:8080");
    handle.modify_service(&web, |it| it.persistence = Some(Persistence::for_secs(300).unwrap())).unwrap();
    let first = network.dial(&web, &server);
    assert_eq!(gauges(&only(&handle, &web)), [1, 0, 1]);
    let second = network.dial(&web, &server);
    assert_eq!(gauges(&only(&handle, &web)), [2, 0, 1], "the same client");
    first.hang_up();
    network.wait_until("one is closed", &mut || gauges(&only(&handle, &web)) == [1, 1, 1]);
    network.wait_until("two are counted", &mut || service_stats(&handle, &web).connections == 2);

    handle.zero_all().unwrap();
    assert_eq!(gauges(&only(&handle, &web)), [1, 1, 1], "zeroing keeps the connections");
    let destination = only(&handle, &web).destination;
    handle.delete_destination(&web, &server).unwrap();
    handle.new_destination(&web, &destination).unwrap();
    assert_eq!(gauges(&only(&handle, &web)), [1, 1, 1], "nor does coming back");
    second.hang_up();
    network.wait_until("both are closed", &mut || gauges(&only(&handle, &web)) == [0, 2, 1]);
}

pub fn update_keeps_counters_and_connections(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (dns, server) = serve(&handle, DNS, "10.2.0.2:5353");
    let dialogue = network.dial(&dns, &server);
    dialogue.ask(5);
    network.wait_until("the kernel has counted", &mut || totals(&service_stats(&handle, &dns)) == datagrams(1, 5));

    let persistence = Persistence::for_secs(300).unwrap();
    handle.update_service(&Service::new(dns, Scheduler::Wlc).persistence(persistence)).unwrap();
    handle.update_service(&Service::new(dns, Scheduler::Rr)).unwrap();
    let changed = Destination::new(server, ForwardMethod::Tunnel(Tunnel::ipip())).weight(0).unwrap();
    handle.update_destination(&dns, &changed).unwrap();
    let entry = only(&handle, &dns);
    assert_eq!((entry.destination.clone(), gauges(&entry)), (changed, [0, 1, 0]));
    assert_eq!([totals(&service_stats(&handle, &dns)), totals(&entry.stats)], [datagrams(1, 5); 2]);

    // Existing connections keep their forwarding method, and go on counting.
    dialogue.ask(2);
    network.wait_until("counting goes on", &mut || {
        [totals(&service_stats(&handle, &dns)), totals(&only(&handle, &dns).stats)] == [datagrams(1, 7); 2]
    });
}

pub fn drained_server_keeps_its_connections(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (web, server) = serve(&handle, WEB, "10.2.0.2:8080");
    let dialogue = network.dial(&web, &server);
    handle.modify_destination(&web, &server, |destination| *destination = destination.clone().drained()).unwrap();
    dialogue.ask(2);
    assert_eq!(gauges(&only(&handle, &web)), [1, 0, 0]);
    dialogue.hang_up();
    network.wait_until("the connection is closed", &mut || gauges(&only(&handle, &web)) == [0, 1, 0]);
}

pub fn server_that_comes_back_has_its_connections_and_counters(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (web, server) = serve(&handle, WEB, "10.2.0.2:8080");
    let (dns, resolver) = serve(&handle, DNS, "10.2.0.3:5353");
    let dialogue = network.dial(&web, &server);
    dialogue.ask(1);
    network.dial(&dns, &resolver).ask(5);
    network.wait_until("the kernel has counted", &mut || {
        service_stats(&handle, &web).connections == 1 && totals(&only(&handle, &dns).stats) == datagrams(1, 5)
    });
    let again = |service: &ServiceId, server: &DestinationId| {
        handle.new_destination(service, &Destination::new(*server, ForwardMethod::Masquerade)).unwrap();
        only(&handle, service)
    };

    for (service, server) in [(&web, &server), (&dns, &resolver)] {
        handle.delete_destination(service, server).unwrap();
        assert_eq!(handle.get_destinations(service).unwrap(), []);
    }
    let back = again(&web, &server);
    assert_eq!((gauges(&back), back.stats.connections), ([1, 0, 0], 1));
    dialogue.ask(1);
    let back = again(&dns, &resolver);
    assert_eq!((gauges(&back), totals(&back.stats)), ([0, 1, 0], datagrams(1, 5)));
    assert_eq!(totals(&service_stats(&handle, &dns)), datagrams(1, 5), "the service has lost nothing");

    // With its service it loses what was counted, but not whom it serves.
    for service in [&web, &dns] {
        handle.delete_service(service).unwrap();
        handle.new_service(&Service::new(*service, Scheduler::Rr)).unwrap();
    }
    let back = again(&web, &server);
    assert_eq!((gauges(&back), back.stats), ([1, 0, 0], Stats::default()));
    let back = again(&dns, &resolver);
    assert_eq!((gauges(&back), back.stats), ([0, 1, 0], Stats::default()));
    assert_eq!(service_stats(&handle, &dns), Stats::default(), "the service is another");
    dialogue.ask(1);
    dialogue.hang_up();
    network.wait_until("the connection is closed", &mut || gauges(&only(&handle, &web)) == [0, 1, 0]);
}

pub fn server_comes_back_only_to_the_service_that_it_was_of(world: &dyn World) {
    let (handle, network) = (world.handle(), world.network());
    let (dns, server) = serve(&handle, DNS, "10.2.0.2:5353");
    network.dial(&dns, &server).ask(1);
    assert_eq!(gauges(&only(&handle, &dns)), [0, 1, 0]);
    handle.delete_destination(&dns, &server).unwrap();
    for other in ["UDP 192.0.2.10:54", "TCP 192.0.2.10:53", "UDP 192.0.2.11:53", "FWM 7"] {
        let (other, _) = serve(&handle, other, "10.2.0.2:5353");
        assert_eq!(gauges(&only(&handle, &other)), [0, 0, 0], "{other}");
    }
    for other in ["10.2.0.2:5354", "10.2.0.3:5353"] {
        let other: DestinationId = other.parse().unwrap();
        handle.new_destination(&dns, &Destination::new(other, ForwardMethod::Masquerade)).unwrap();
        assert_eq!(gauges(&only(&handle, &dns)), [0, 0, 0], "{other}");
        handle.delete_destination(&dns, &other).unwrap();
    }
    handle.new_destination(&dns, &Destination::new(server, ForwardMethod::DirectRoute)).unwrap();
    assert_eq!(gauges(&only(&handle, &dns)), [0, 1, 0], "another method is still the same server");
}

/// Makes a service with a server behind it, by masquerading.
fn serve(handle: &Handle, service: &str, server: &str) -> (ServiceId, DestinationId) {
    let (id, server): (ServiceId, DestinationId) = (service.parse().unwrap(), server.parse().unwrap());
    handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
    let destination = Destination::new(server, ForwardMethod::Masquerade);
    handle.new_destination(&id, &destination).unwrap();
    (id, server)
}

fn service_stats(handle: &Handle, id: &ServiceId) -> Stats {
    handle.get_service(id).unwrap().unwrap().stats
}

fn only(handle: &Handle, id: &ServiceId) -> DestinationEntry {
    let [entry] = <[_; 1]>::try_from(handle.get_destinations(id).unwrap()).unwrap();
    entry
}

/// Active, inactive and persistent connections.
fn gauges(entry: &DestinationEntry) -> [u32; 3] {
    [entry.active_connections, entry.inactive_connections, entry.persistent_connections]
}

/// Connections, packets in and out, bytes in and out.
fn totals(stats: &Stats) -> [u64; 5] {
    [stats.connections, stats.packets_in, stats.packets_out, stats.bytes_in, stats.bytes_out]
}

/// So many connections and questions by IPv4, in the order of [`totals`].
fn datagrams(connections: u64, questions: u64) -> [u64; 5] {
    [connections, questions, questions, questions * 128, questions * 328]
}

fn number_in(datagram: &[u8], path: &[u16]) -> u64 {
    let bytes = &datagram[wire::attribute(datagram, path).unwrap()];
    match *bytes {
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        _ => u64::from_ne_bytes(bytes.try_into().unwrap()),
    }
}
