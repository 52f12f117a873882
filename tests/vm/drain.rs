//! Destinations that drain while another program deletes one of them in the middle of a list.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipvs_rs::desired::apply::{ApplyOptions, DrainOutcome, Drains, apply, apply_beside};
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::{DesiredService, DesiredState, Drain, Observed, OnTimeout};
use ipvs_rs::transport::{KernelSocket, Limits, Received, SocketOptions, Transport};
use ipvs_rs::{Destination, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::namespaces::fresh;

const SERVERS: u8 = 200;

fn service() -> ServiceId {
    "tcp://192.0.2.80:80".parse().unwrap()
}

fn server(number: u8) -> DestinationId {
    format!("10.0.0.{number}:80").parse().unwrap()
}

/// A service with many servers, of which the last comes first in a list.
fn prepare() -> Handle {
    let handle = Handle::new().unwrap();
    handle.new_service(&Service::new(service(), Scheduler::Rr)).unwrap();
    let batch = (1..=SERVERS).fold(handle.batch(), |batch, number| {
        batch.new_destination(&service(), &Destination::new(server(number), ForwardMethod::Masquerade))
    });
    batch.send().unwrap().into_result().unwrap();
    handle
}

fn without_servers(drain: Drain) -> DesiredState {
    DesiredState::new().service(DesiredService::new(Service::new(service(), Scheduler::Rr))).drain(drain)
}

/// A socket behind which another program deletes the first destination of a list once its first piece is made, so that
/// the next piece begins one row too late.
#[derive(Debug)]
struct RacingSocket {
    socket: KernelSocket,
    other: Arc<Mutex<Handle>>,
    deleted: Arc<AtomicU8>,
}

/// As many are deleted, one in each list.
const DELETED: u8 = 3;

impl Transport for RacingSocket {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        self.socket.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send(datagram)?;
        // The command stands behind the header of 16 bytes; the controller of generic netlink has the number 16.
        let lists_destinations = datagram[4..6] != 16u16.to_ne_bytes() && datagram[16] == 8;
        if lists_destinations && self.deleted.load(Ordering::Relaxed) < DELETED {
            let number = SERVERS - self.deleted.fetch_add(1, Ordering::Relaxed);
            self.other.lock().unwrap().delete_destination(&service(), &server(number)).unwrap();
        }
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.socket.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.socket.wait(timeout)
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn destination_that_a_list_leaves_out_is_not_taken_for_deleted() {
    fresh(|| {
        let handle = prepare();
        let state = without_servers(Drain::new(Duration::from_secs(10)));
        let plan = plan(&Observed::read(&handle, &state).unwrap(), &state, &PlanOptions::new());
        let (other, deleted) = (Arc::new(Mutex::new(Handle::new().unwrap())), Arc::new(AtomicU8::new(0)));
        let disturbed = || RacingSocket {
            socket: KernelSocket::open(SocketOptions::default()).unwrap(),
            other: Arc::clone(&other),
            deleted: Arc::clone(&deleted),
        };
        let disturbed = Handle::builder().reader_transports([disturbed()]).open_over(disturbed()).unwrap();
        let report = apply(&disturbed, &plan, &ApplyOptions::new(), &mut ()).unwrap();
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        report.drains.iter().for_each(|it| *outcomes.entry(format!("{:?}", it.outcome)).or_default() += 1);
        let expected = [("Gone".to_owned(), DELETED.into()), ("Idle".to_owned(), (SERVERS - DELETED).into())];
        assert_eq!(outcomes, BTreeMap::from(expected));
        assert_eq!(handle.get_destinations(&service()).unwrap(), []);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn table_is_reconciled_while_a_busy_server_drains() {
    crate::forwarding::with_network(|network, handle| {
        let address = "192.0.2.10:80";
        let id = ServiceId::tcp(address.parse().unwrap()).unwrap();
        let (stays, goes) = ("10.2.0.2:8080", "10.2.0.3:8080");
        let desired = |servers: &[(&str, u32)]| {
            let servers = servers.iter().map(|(server, weight)| {
                Destination::new(server.parse().unwrap(), ForwardMethod::Masquerade).weight(*weight).unwrap()
            });
            let service =
                servers.fold(DesiredService::new(Service::new(id, Scheduler::Wrr)), DesiredService::destination);
            let drain = Drain::new(Duration::from_secs(60)).on_timeout(OnTimeout::Keep);
            DesiredState::new().service(service).drain(drain)
        };
        let mut drains = Drains::default();
        let mut look = |state: &DesiredState| {
            let plan = plan(&Observed::read(handle, state).unwrap(), state, &PlanOptions::new());
            apply_beside(handle, &plan, &ApplyOptions::new(), &mut drains, &mut ()).unwrap()
        };
        assert!(look(&desired(&[(goes, 1)])).is_complete());
        let listener = network.listen(goes);
        let connection = (network.connect(address).unwrap(), listener.accept().unwrap());
        let report = look(&desired(&[(stays, 1)]));
        assert_eq!((report.done, report.pending), (1, 1), "{report:?}");
        // Another plan is carried out meanwhile.
        let report = look(&desired(&[(stays, 7)]));
        assert_eq!((report.done, report.pending), (1, 1), "{report:?}");
        drop(connection);
        let mut outcomes = Vec::new();
        for _ in 0..300 {
            let report = look(&desired(&[(stays, 7)]));
            outcomes.extend(report.drains.iter().map(|it| it.outcome));
            if report.pending == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(outcomes, [DrainOutcome::Idle]);
        assert!(look(&desired(&[(stays, 7)])).is_complete());
    });
}
