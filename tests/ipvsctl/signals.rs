//! The table that is left after a signal.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::drain::until;
use crate::world::scene;

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

/// How a program ended, and what it said on standard error.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn slow_change_that_is_interrupted_says_where_it_is() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 0\n");
        for signal in [Signal::SIGINT, Signal::SIGHUP] {
            world.ok(&["set", "weight", "0", "-s=tcp://192.0.2.1:80", "-d=10.0.0.2:80"]);
            let ramp = ["set", "weight", "60000", "-s=tcp://192.0.2.1:80", "-d=10.0.0.2:80", "-t", "600"];
            let child = world.start(&ramp);
            until(|| !world.saved().contains("-w 0"));
            send(&child, signal);
            let (status, said) = end(child);
            assert_eq!(status, Some(34), "{signal}: {said}");
            let weight = world.saved().trim().rsplit(' ').next().unwrap().to_owned();
            assert!(said.contains(&format!("10.0.0.2:80 has weight {weight} now")), "{signal}: {said}{weight}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn drain_that_is_interrupted_ends_as_if_its_time_were_over() {
    scene(|world| {
        world.shell("ip addr add 10.9.9.9/32 dev lo; ip addr add 10.1.1.1/32 dev lo");
        world.rules("-A -t 10.9.9.9:80 -s wlc\n-a -t 10.9.9.9:80 -r 10.1.1.1:80 -g -w 5\n");
        let _busy = world.network.run(|| {
            let listener = TcpListener::bind("0.0.0.0:80").unwrap();
            let client = TcpStream::connect("10.9.9.9:80").unwrap();
            (client, listener.accept().unwrap())
        });
        let drain = ["drain", "-s=tcp://10.9.9.9:80", "-d=10.1.1.1:80", "--timeout=10m", "--on-timeout=fail"];
        for signal in [Signal::SIGTERM, Signal::SIGHUP] {
            let child = world.start(&drain);
            until(|| world.saved().contains("-w 0"));
            send(&child, signal);
            let (status, said) = end(child);
            assert_eq!(status, Some(41), "{signal}: {said}");
            assert!(said.contains("when it was interrupted"), "{signal}: {said}");
            assert!(world.saved().contains("-w 5"), "{signal}");
        }

        world.write("none.yaml", "version: 2\ndrain: {timeout: 10m}\nservices: []\n");
        let child = world.start(&["apply", "-f", "none.yaml"]);
        until(|| world.saved().contains("-w 0"));
        send(&child, Signal::SIGHUP);
        let (status, said) = end(child);
        assert_eq!((status, world.saved()), (Some(0), String::new()), "deleted, as on a timeout: {said}");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn counters_are_shown_until_a_signal() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s rr\n");
        let mut child = world.start(&["stats", "--watch=100ms", "-o", "json"]);
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        for _ in 0..3 {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
            let document: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(document["services"][0]["address"], "tcp://192.0.2.1:80");
        }
        send(&child, Signal::SIGINT);
        assert_eq!(end(child), (Some(0), String::new()));
    });
}
