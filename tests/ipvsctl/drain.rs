//! Destinations that are taken out of service.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::world::{World, scene};

/// A service on this host with a server behind it that a client is connected to.
struct BusyService {
    client: TcpStream,
    server: TcpStream,
}

fn busy(world: &World) -> BusyService {
    world.shell("ip addr add 10.9.9.9/32 dev lo; ip addr add 10.1.1.1/32 dev lo; ip addr add 10.1.1.2/32 dev lo");
    world.rules("-A -t 10.9.9.9:80 -s wlc\n-a -t 10.9.9.9:80 -r 10.1.1.1:80 -g -w 5\n");
    world.network.run(|| {
        // The kernel hands connections for its own addresses to the program that listens on that of the service.
        let listener = TcpListener::bind("0.0.0.0:80").unwrap();
        let mut client = TcpStream::connect("10.9.9.9:80").unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"x").unwrap();
        server.read_exact(&mut [0]).unwrap();
        BusyService { client, server }
    })
}

fn active(world: &World) -> String {
    let document: serde_json::Value = serde_json::from_str(&world.ok(&["stats", "-o", "json"])).unwrap();
    document["services"][0]["destinations"][0]["active"].to_string()
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn drain_waits_for_connections_and_deletes_then() {
    scene(|world| {
        let busy = busy(world);
        assert_eq!(active(world), "1");
        let mut child = world.start(&["-v", "drain", "-s", "tcp://10.9.9.9:80", "-d", "10.1.1.1:80", "--delete"]);
        until(|| world.saved().contains("-w 0"));
        thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "there is a connection");
        drop((busy.client, busy.server));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(world.saved(), "-A -t 10.9.9.9:80 -s wlc\n");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn time_that_is_over_has_its_own_ending() {
    scene(|world| {
        let _busy = busy(world);
        let drain = ["drain", "-s=tcp://10.9.9.9:80", "-d=10.1.1.1:80", "--timeout=1s"];
        let said = world.fails(41, &drain);
        assert!(said.contains("still had 1 connections after 1s"), "{said}");
        assert!(world.saved().contains("-w 0"));
        world.ok(&["undrain", "-s=tcp://10.9.9.9:80", "-d=10.1.1.1:80", "--weight=5"]);
        world.fails(41, &[&drain[..], &["--on-timeout=fail"]].concat());
        assert!(world.saved().contains("-w 5"), "it has its weight again");
        world.ok_but_warned(&[&drain[..], &["--delete"]].concat());
        assert_eq!(world.saved(), "-A -t 10.9.9.9:80 -s wlc\n");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn apply_drains_what_it_deletes() {
    scene(|world| {
        let busy = busy(world);
        world.write(
            "other.yaml",
            "version: 2\ndrain: {timeout: 60s}\nservices:\n- address: tcp://10.9.9.9:80\n  sched: wlc\n  destinations:\n\
            \x20 - {address: '10.1.1.2:80', weight: 5}\n",
        );
        let mut child = world.start(&["apply", "-f", "other.yaml"]);
        until(|| world.saved().contains("10.1.1.1:80 -g -w 0"));
        assert!(world.saved().contains("10.1.1.2:80 -g -w 5"), "the new one is there before the old one goes");
        assert!(child.try_wait().unwrap().is_none(), "there is a connection");
        drop((busy.client, busy.server));
        assert!(child.wait().unwrap().success());
        assert_eq!(world.saved(), "-A -t 10.9.9.9:80 -s wlc\n-a -t 10.9.9.9:80 -r 10.1.1.2:80 -g -w 5\n");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn kept_destinations_of_apply_have_their_own_ending() {
    scene(|world| {
        let _busy = busy(world);
        let model = "version: 2\ndrain: {timeout: 1s, on-timeout: keep}\nservices:\n- {address: 'tcp://10.9.9.9:80', sched: wlc}\n";
        world.write("none.yaml", model);
        let said = world.ctl(&["apply", "-f", "none.yaml"]);
        assert_eq!((said.status, &*said.stdout), (41, ""), "{}", said.stderr);
        assert!(said.stderr.contains("kept at weight 0"), "{}", said.stderr);
        assert!(world.saved().contains("10.1.1.1:80 -g -w 0"));
        world.ok_but_warned(&["apply", "-f", "none.yaml", "--no-drain"]);
        assert_eq!(world.saved(), "-A -t 10.9.9.9:80 -s wlc\n");
    });
}

/// Waits until something is so.
pub fn until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came to be");
        thread::sleep(Duration::from_millis(50));
    }
}
