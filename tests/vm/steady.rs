//! A client that never pauses while files are applied: whether it notices.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ipvs_rs::desired::apply::{ApplyOptions, apply};
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::{DesiredService, DesiredState, Drain, Observed};
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::forwarding::with_network;
use crate::network::Network;

const PLACES: [(&str, [&str; 2]); 2] = [
    ("192.0.2.10:80", ["10.2.0.2:8080", "10.2.0.3:8080"]),
    ("[2001:db8::10]:80", ["[2001:db8:2::2]:8080", "[2001:db8:2::3]:8080"]),
];

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn a_steady_client_does_not_notice_servers_that_come_and_drain_and_go() {
    with_network(|network, handle| {
        for (address, servers) in PLACES {
            make(handle, address, Scheduler::Wrr, &[(servers[0], 1)]);
            let client = Client::new(network, address, &servers);
            client.while_it_asks(|| {
                for round in 1..=8 {
                    make(handle, address, Scheduler::Wrr, &[(servers[0], 1), (servers[1], round)]);
                    client.ask(10);
                    make(handle, address, Scheduler::Wrr, &[(servers[0], round + 1), (servers[1], 1)]);
                    client.ask(10);
                    make(handle, address, Scheduler::Wrr, &[(servers[0], 1)]);
                    client.ask(10);
                }
            });
            println!("note: {address}: {} requests, {} failed", client.answered(), client.failed());
            assert_eq!(client.failed(), 0, "{address}");
        }
    });
}

/// The kernel takes the old scheduler away, waits until no processor uses it any more, and puts the new one in its place.
/// A client that connects in between is told that the port is unreachable; connections that exist do not notice. If the
/// director does not tell, the client asks again a second later.
#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn a_steady_client_is_not_refused_while_the_scheduler_changes_if_the_director_keeps_silent() {
    with_network(|network, handle| {
        for (address, servers) in PLACES {
            let both = [(servers[0], 1), (servers[1], 1)];
            make(handle, address, Scheduler::Wrr, &both);
            let client = Client::new(network, address, &servers);
            let flip = || {
                for scheduler in [Scheduler::Rr, Scheduler::Lc, Scheduler::Wlc, Scheduler::Wrr] {
                    make(handle, address, scheduler, &both);
                    client.ask(5);
                }
            };
            client.while_it_asks(flip);
            let refused = client.failed();
            println!("note: {address}: {refused} refused while the scheduler changed 4 times");

            let limits = ["/proc/sys/net/ipv4/icmp_ratelimit", "/proc/sys/net/ipv6/icmp/ratelimit"];
            let before = limits.map(|limit| fs::read_to_string(limit).unwrap());
            for limit in limits {
                fs::write(limit, "86400000").unwrap();
            }
            client.while_it_asks(flip);
            for (limit, before) in limits.iter().zip(before) {
                fs::write(limit, before).unwrap();
            }
            assert_eq!(client.failed(), refused, "{address}: refused although the director kept silent");
        }
    });
}

/// Applies a service with these servers and weights; servers that are not among them drain.
fn make(handle: &Handle, address: &str, scheduler: Scheduler, servers: &[(&str, u32)]) {
    let id = ServiceId::tcp(address.parse().unwrap()).unwrap();
    let servers = servers.iter().map(|(server, weight)| {
        Destination::new(server.parse().unwrap(), ForwardMethod::Masquerade).weight(*weight).unwrap()
    });
    let service = servers.fold(DesiredService::new(Service::new(id, scheduler)), DesiredService::destination);
    let drain = Drain::new(Duration::from_secs(20)).poll(Duration::from_millis(20));
    let goal = DesiredState::new().service(service).drain(drain);
    let live = Observed::read(handle, &goal).unwrap();
    let report =
        apply(handle, &plan(&live, &goal, &PlanOptions::new().prune(true)), &ApplyOptions::new(), &mut ()).unwrap();
    assert!(report.is_complete() && report.undrained().next().is_none(), "{report:?}");
}

/// One request after the other, each on a connection of its own.
struct Client<'n> {
    network: &'n Network,
    address: SocketAddr,
    listeners: Vec<TcpListener>,
    answered: AtomicU64,
    failed: AtomicU64,
}

impl<'n> Client<'n> {
    fn new(network: &'n Network, address: &str, servers: &[&str]) -> Self {
        Self {
            network,
            address: address.parse().unwrap(),
            listeners: servers.iter().map(|server| network.listen(server)).collect(),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    fn failed(&self) -> u64 {
        self.failed.load(Ordering::SeqCst)
    }

    fn while_it_asks(&self, body: impl FnOnce()) {
        let (stop, close) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            for listener in &self.listeners {
                listener.set_nonblocking(true).unwrap();
                scope.spawn(|| answer(listener, &close));
            }
            // The servers close when the last question has been answered.
            let closer = Flag(&close);
            thread::scope(|scope| {
                scope.spawn(|| {
                    self.network.on_client(|| {
                        while !stop.load(Ordering::SeqCst) {
                            self.once();
                        }
                    });
                });
                let stopper = Flag(&stop);
                body();
                drop(stopper);
            });
            drop(closer);
        });
    }

    fn once(&self) {
        let asked = TcpStream::connect_timeout(&self.address, Duration::from_secs(20)).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            stream.write_all(b"?")?;
            stream.read_exact(&mut [0])
        });
        match asked {
            Ok(()) => self.answered.fetch_add(1, Ordering::SeqCst),
            Err(error) => {
                println!("note: {}: {error}", self.address);
                self.failed.fetch_add(1, Ordering::SeqCst)
            }
        };
    }

    /// Waits until so many more requests were answered.
    fn ask(&self, requests: u64) {
        let until = self.answered() + requests;
        crate::network::wait_until("the client goes on", || self.answered() >= until);
    }
}

/// Is set at the end, also when the test fails.
struct Flag<'s>(&'s AtomicBool);

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn answer(listener: &TcpListener, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let Ok((mut stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        stream.set_nonblocking(false).unwrap();
        // A client that has gone is the client's business.
        let _ = stream.read_exact(&mut [0]).and_then(|()| stream.write_all(b"!"));
    }
}
