//! Traffic through what our program has set up, the way the kernel's own test of IPVS does it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::listings::programs;
use crate::namespaces::{Namespace, alone, ip, program};
use crate::output::TIMEOUT;
use crate::root::Root;

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn direct_routing_forwards_what_the_client_sends() {
    alone(|| {
        let (network, programs) = (Network::new(), programs());
        forward(&network.director);
        // The server has the virtual address as well, keeps that to itself, and answers the client directly.
        network.server.run(|| {
            for (name, value) in [("arp_ignore", "1"), ("arp_announce", "2")] {
                set(&format!("net/ipv4/conf/all/{name}"), value);
            }
            no_reverse_path_filter();
            ip(&format!("address add {VIRTUAL}/32 dev lo"));
        });
        network.serve(&programs, &[]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn masquerading_forwards_what_the_client_sends() {
    alone(|| {
        let (network, programs) = (Network::new(), programs());
        forward(&network.director);
        network.server.run(|| {
            // All of its answers go through the director, which puts its own address back into them.
            ip("link set bridged down");
            ip("route add default via 10.2.0.1");
        });
        network.serve(&programs, &["-m"]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn tunnel_forwards_what_the_client_sends() {
    alone(|| {
        let (network, programs) = (Network::new(), programs());
        program("modprobe", "ipip");
        for end in [&network.director, &network.server] {
            end.run(|| ip("link set tunl0 up"));
        }
        network.server.run(|| {
            no_reverse_path_filter();
            ip(&format!("address add {VIRTUAL}/32 dev tunl0"));
        });
        network.serve(&programs, &["-i"]);
    });
}

/// ```text
///           ┌──────── bridge ────────┐
/// client 10.1.0.2 ── 10.1.0.1 director 10.2.0.1 ── 10.2.0.2 server 10.1.0.3
///                     198.51.100.1
/// ```
struct Network {
    client: Namespace,
    director: Namespace,
    server: Namespace,
}

impl Network {
    fn new() -> Self {
        let [client, director, server] = [Namespace::new(), Namespace::new(), Namespace::new()];
        client.run(|| {
            ip("link add bridge type bridge");
            for (name, other, peer) in [("to-director", &director, "client"), ("to-server", &server, "bridged")] {
                ip(&format!("link add {name} type veth peer name {peer} netns {}", other.path().display()));
                ip(&format!("link set {name} master bridge up"));
            }
            ip("address add 10.1.0.2/24 dev bridge");
            ip("link set bridge up");
            ip(&format!("route add {VIRTUAL} via 10.1.0.1"));
        });
        director.run(|| {
            ip(&format!("link add server type veth peer name director netns {}", server.path().display()));
            for (name, address) in [("client", "10.1.0.1"), ("server", "10.2.0.1")] {
                ip(&format!("address add {address}/24 dev {name}"));
                ip(&format!("link set {name} up"));
            }
            ip(&format!("address add {VIRTUAL}/32 dev lo"));
        });
        server.run(|| {
            for (name, address) in [("bridged", "10.1.0.3"), ("director", "10.2.0.2")] {
                ip(&format!("address add {address}/24 dev {name}"));
                ip(&format!("link set {name} up"));
            }
        });
        Self { client, director, server }
    }

    /// Sets up the service by our program, sends something through it, and compares what both programs say about it.
    fn serve(&self, programs: &[Root; 2], forward: &[&str]) {
        let service = format!("{VIRTUAL}:8080");
        let ours = |words: &[&str]| {
            let output = programs[1].ipvsadm(&self.director, words, b"");
            assert_eq!((output.stderr, output.status), (Vec::new(), 0), "{words:?}");
        };
        ours(&["-v"]);
        ours(&["-A", "-t", &service, "-s", "rr"]);
        ours(&[&["-a"], forward, &["-t", &service, "-r", "10.2.0.2:8080"]].concat());

        let sent: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
        let listener = self.server.run(|| TcpListener::bind("0.0.0.0:8080")).unwrap();
        let received = thread::scope(|scope| {
            let server = scope.spawn(|| receive(&listener));
            self.client.run(|| {
                let mut client = TcpStream::connect_timeout(&service.parse().unwrap(), TIMEOUT).unwrap();
                client.write_all(&sent).unwrap();
            });
            server.join().unwrap()
        });
        assert_eq!(received, sent);

        same(&self.director, programs, &["-Lc"]);
        same(&self.director, programs, &["-Lcn", "--persistent-conn"]);
        let shown = same(&self.director, programs, &["-Lcn"]);
        let row = shown.lines().nth(2).unwrap_or_default();
        assert!(row.starts_with("TCP ") && row.contains(&service) && row.ends_with("10.2.0.2:8080"), "{shown}");
    }
}

/// The data of the first client, to its end.
fn receive(listener: &TcpListener) -> Vec<u8> {
    listener.set_nonblocking(true).unwrap();
    let start = Instant::now();
    let mut stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(_) if start.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(10)),
            Err(error) => panic!("there was no connection: {error}"),
        }
    };
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    received
}

/// A list of connections, which both programs print alike. States and seconds change in between: only what the
/// original prints before and after counts.
fn same(network: &Namespace, programs: &[Root; 2], words: &[&str]) -> String {
    let start = Instant::now();
    loop {
        let [before, ours, after] = [0, 1, 0].map(|program: usize| programs[program].ipvsadm(network, words, b""));
        if before == after {
            if let Some(difference) = before.difference(&ours) {
                panic!("ipvsadm {}\n{difference}", words.join(" "));
            }
            return String::from_utf8(ours.stdout).unwrap();
        }
        assert!(start.elapsed() < TIMEOUT, "connections never rest");
    }
}

fn forward(director: &Namespace) {
    director.run(|| set("net/ipv4/ip_forward", "1"));
}

/// Takes packets from wherever they come: the way back is another.
fn no_reverse_path_filter() {
    for entry in fs::read_dir("/proc/sys/net/ipv4/conf").unwrap() {
        fs::write(entry.unwrap().path().join("rp_filter"), "0").unwrap();
    }
}

fn set(name: &str, value: &str) {
    fs::write(format!("/proc/sys/{name}"), value).unwrap();
}

const VIRTUAL: &str = "198.51.100.1";
