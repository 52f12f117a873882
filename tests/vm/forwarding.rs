//! Packets through the director: who gets them, and for how long. What is counted is in `tests/conformance`.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use ipvs_rs::model::{Config, Persistence, Stats};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Handle, Scheduler, Service, ServiceId};
use nix::sys::socket::{setsockopt, sockopt};

use crate::namespaces::fresh;
use crate::network::{Network, exchange, pass, wait_until};

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn one_packet_scheduling_makes_a_connection_of_every_packet() {
    with_network(|network, handle| {
        let (id, servers) = serve(handle, "UDP 192.0.2.10:53", &["10.2.0.2:5353"]);
        handle.modify_service(&id, |service| service.one_packet = true).unwrap();
        let (client, server) = (network.udp_client("192.0.2.10:53"), network.udp_server(&servers[0]));
        for _ in 0..7 {
            client.send(&[0; 100]).unwrap();
            server.recv_from(&mut [0; 200]).unwrap();
        }
        wait_until("seven connections", || service_stats(handle, &id).connections == 7);
        assert!(only(handle, &id).is_idle(), "none of them is remembered");
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn connection_is_forgotten_after_the_timeout_that_was_set() {
    with_network(|network, handle| {
        let (id, servers) = serve(handle, "UDP 192.0.2.10:53", &["10.2.0.2:5353"]);
        handle.set_config(&Config::new().udp(Duration::from_secs(1)).unwrap()).unwrap();
        exchange(&network.udp_client("192.0.2.10:53"), &network.udp_server(&servers[0]), 1);
        assert_eq!(gauges(handle, &id), [0, 1, 0]);
        wait_until("nothing is left of it", || only(handle, &id).is_idle());
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn persistence_keeps_a_client_with_its_server() {
    with_network(|network, handle| {
        let (id, servers) = serve(handle, "TCP 192.0.2.10:80", &["10.2.0.2:8080", "10.2.0.3:8080"]);
        let listeners = servers.map(|server| network.listen(&server));
        let mut reached = [connect(network, &listeners), connect(network, &listeners)];
        reached.sort_unstable();
        assert_eq!(reached, [0, 1], "in turns");

        let persistent = |service: &mut Service| service.persistence = Some(Persistence::for_secs(300).unwrap());
        handle.modify_service(&id, persistent).unwrap();
        let first = connect(network, &listeners);
        for _ in 0..4 {
            assert_eq!(connect(network, &listeners), first, "always the same");
        }
        let mut templates = handle.get_destinations(&id).unwrap();
        templates.sort_by_key(DestinationEntry::id);
        assert_eq!(templates[first].persistent_connections, 1);
        assert_eq!(templates[1 - first].persistent_connections, 0);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn drained_server_keeps_its_connections_and_gets_no_new_ones() {
    with_network(|network, handle| {
        let (id, servers) = serve(handle, "TCP 192.0.2.10:80", &["10.2.0.2:8080", "10.2.0.3:8080"]);
        let listeners = servers.map(|server| network.listen(&server));
        let client = network.connect("192.0.2.10:80").unwrap();
        let (place, accepted) = accept(&listeners);
        let server = listeners[place].local_addr().unwrap().to_string().parse().unwrap();
        handle.modify_destination(&id, &server, |server| *server = server.clone().drained()).unwrap();

        for _ in 0..4 {
            assert_eq!(connect(network, &listeners), 1 - place, "the other gets everything");
        }
        pass("still there", &client, &accepted);
        pass("so am I", &accepted, &client);
        assert_eq!(handle.get_destination(&id, &server).unwrap().unwrap().active_connections, 1);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn deleted_server_cuts_its_connections_until_it_comes_back_with_its_counters() {
    with_network(|network, handle| {
        let (id, servers) = serve(handle, "TCP 192.0.2.10:80", &["10.2.0.2:8080"]);
        let listener = network.listen(&servers[0]);
        let client = network.connect("192.0.2.10:80").unwrap();
        let (accepted, _) = listener.accept().unwrap();
        pass("question", &client, &accepted);
        wait_until("the connection is counted", || only(handle, &id).stats.connections == 1);

        let server = only(handle, &id).destination;
        handle.delete_destination(&id, &server.id).unwrap();
        std::io::Write::write_all(&mut &client, b"lost?").unwrap();
        accepted.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let error = (&accepted).read(&mut [0; 5]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");

        handle.new_destination(&id, &server).unwrap();
        let back = only(handle, &id);
        assert_eq!((back.active_connections, back.stats.connections), (1, 1), "what was counted comes back with it");
        accepted.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut read = [0; 5];
        (&accepted).read_exact(&mut read).unwrap();
        assert_eq!(&read, b"lost?", "TCP has sent it again");
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn refused_and_unreachable_servers_are_so_to_the_client() {
    with_network(|network, handle| {
        let (id, _) = serve(handle, "TCP 192.0.2.10:80", &["10.2.0.2:8080"]);
        let refused = network.connect("192.0.2.10:80").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "no listener: {refused}");
        wait_until("the attempt is counted", || only(handle, &id).stats.connections == 1);
        assert_eq!(gauges(handle, &id), [0, 1, 0]);

        let (id, _) = serve(handle, "TCP 192.0.2.10:81", &["10.2.0.99:8080"]);
        let unreachable = network.connect("192.0.2.10:81").unwrap_err();
        let kinds = [ErrorKind::TimedOut, ErrorKind::HostUnreachable];
        assert!(kinds.contains(&unreachable.kind()), "no host: {unreachable}");
        wait_until("the attempt is counted", || only(handle, &id).stats.connections == 1);
        assert_eq!(gauges(handle, &id), [1, 0, 0], "an attempt counts as active");

        serve(handle, "TCP 192.0.2.10:82", &[]);
        let refused = network.connect("192.0.2.10:82").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "no server at all: {refused}");

        let (id, servers) = serve(handle, "TCP 192.0.2.10:83", &["10.2.0.3:8080"]);
        let _listener = network.listen(&servers[0]);
        let server = only(handle, &id).destination;
        handle.update_destination(&id, &server.clone().drained()).unwrap();
        let drained = network.connect("192.0.2.10:83").unwrap_err();
        assert_eq!(drained.kind(), ErrorKind::ConnectionRefused, "all are drained: {drained}");
        handle.update_destination(&id, &server).unwrap();
        network.connect("192.0.2.10:83").unwrap();
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn mark_chooses_the_service_whatever_the_address() {
    with_network(|network, handle| {
        for (mark, server, any, there) in [
            ("FWM 7", "10.2.0.2", "0.0.0.0:0", "10.2.0.200:7777"),
            ("FWM 7 IPv6", "[2001:db8:2::2]", "[::]:0", "[2001:db8:2::200]:7777"),
        ] {
            let (id, _) = serve(handle, mark, &[&format!("{server}:0")]);
            let server = network.udp_server(&format!("{server}:7777"));
            let client = UdpSocket::bind(any).unwrap();
            setsockopt(&client, sockopt::Mark, &7).unwrap();
            client.connect(there).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            exchange(&client, &server, 2);
            wait_until("the mark is counted", || service_stats(handle, &id).packets_in == 2);
            assert_eq!(service_stats(handle, &id).connections, 1, "{mark}");
        }
    });
}

/// Makes a connection that is closed again, and returns which server got it.
fn connect(network: &Network, listeners: &[TcpListener]) -> usize {
    let client = network.connect("192.0.2.10:80").unwrap();
    let (place, accepted) = accept(listeners);
    pass("hello", &client, &accepted);
    place
}

/// Takes the connection that one of them has got.
fn accept(listeners: &[TcpListener]) -> (usize, TcpStream) {
    let mut taken = None;
    wait_until("a server is reached", || {
        taken = listeners.iter().enumerate().find_map(|(place, listener)| {
            listener.set_nonblocking(true).unwrap();
            Some((place, listener.accept().ok()?.0))
        });
        taken.is_some()
    });
    let (place, stream) = taken.unwrap();
    stream.set_nonblocking(false).unwrap();
    (place, stream)
}

/// Makes a service with these servers behind it, by masquerading. Returns their addresses.
pub fn serve<const N: usize>(handle: &Handle, service: &str, servers: &[&str; N]) -> (ServiceId, [String; N]) {
    let id: ServiceId = service.parse().unwrap();
    handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
    for server in servers {
        let server = Destination::new(server.parse().unwrap(), ForwardMethod::Masquerade);
        handle.new_destination(&id, &server).unwrap();
    }
    (id, servers.map(str::to_owned))
}

pub fn with_network(body: impl FnOnce(&Network, &Handle) + Send) {
    fresh(|| body(&Network::new(), &Handle::new().unwrap()));
}

fn service_stats(handle: &Handle, id: &ServiceId) -> Stats {
    handle.get_service(id).unwrap().unwrap().stats
}

fn only(handle: &Handle, id: &ServiceId) -> DestinationEntry {
    let [entry] = <[_; 1]>::try_from(handle.get_destinations(id).unwrap()).unwrap();
    entry
}

/// Active, inactive and persistent connections of the only destination.
fn gauges(handle: &Handle, id: &ServiceId) -> [u32; 3] {
    let entry = only(handle, id);
    [entry.active_connections, entry.inactive_connections, entry.persistent_connections]
}
