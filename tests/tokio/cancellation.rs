//! Futures that are dropped: at every point where they wait, the handle can be used further and the table is right.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ipvs_rs::handle::Consistency;
use ipvs_rs::model::{Config, SyncDaemon, SyncRole, Weight};
use ipvs_rs::testing::{FakeKernel, FakeSocket, Interface};
use ipvs_rs::transport::{Arrival, AsyncTransport, Limits, Received, Transport};
use ipvs_rs::{AsyncHandle, Destination, Error, ForwardMethod, Handle, Scheduler, Service, ServiceId, Table};
use tokio::task;

/// A socket on which nothing has arrived until a task waited for it, as long as it is slow.
#[derive(Debug)]
struct SlowSocket {
    socket: FakeSocket,
    delay: Arc<AtomicBool>,
    has_waited: bool,
}

impl Transport for SlowSocket {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        self.socket.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send(datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        if self.delay.load(Ordering::Relaxed) && !std::mem::take(&mut self.has_waited) {
            return Ok(None);
        }
        self.socket.try_receive(buffer)
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        panic!("an async handle never blocks")
    }
}

impl AsyncTransport for SlowSocket {
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        Box::pin(async move {
            task::yield_now().await;
            self.has_waited = true;
            self.socket.wait(timeout)
        })
    }
}

/// A kernel with a table, and an async handle over a slow socket.
struct Fixture {
    kernel: FakeKernel,
    handle: AsyncHandle,
    delay: Arc<AtomicBool>,
}

/// Destinations of the service `web`: their list takes two datagrams, and one for its end.
const SERVERS: u32 = 120;

fn web() -> Service {
    Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Wlc)
}

fn mail() -> Service {
    Service::new("TCP 192.0.2.10:25".parse().unwrap(), Scheduler::Rr)
}

/// No service.
fn unknown() -> ServiceId {
    "FWM 1".parse().unwrap()
}

fn server(number: u32) -> Destination {
    let [_, b, c, d] = number.to_be_bytes();
    Destination::new(format!("10.{b}.{c}.{d}:80").parse().unwrap(), ForwardMethod::Masquerade)
}

impl Fixture {
    fn new() -> Self {
        let kernel = FakeKernel::new();
        kernel.add_interface(Interface::new("eth0").address("192.0.2.1".parse().unwrap(), 24));
        let setup = kernel.handle().unwrap();
        let batch = (1..=SERVERS)
            .fold(setup.batch().new_service(&web()), |batch, number| batch.new_destination(&web().id, &server(number)));
        assert!(batch.send().unwrap().is_ok());
        setup.start_sync(&SyncDaemon::master("eth0").unwrap()).unwrap();
        let delay = Arc::new(AtomicBool::new(false));
        let socket = SlowSocket { socket: kernel.transport(), delay: delay.clone(), has_waited: false };
        let handle = complete(AsyncHandle::builder().open_over(socket)).unwrap();
        delay.store(true, Ordering::Relaxed);
        Self { kernel, handle, delay }
    }

    /// From now on everything has arrived.
    fn hurry(&self) {
        self.delay.store(false, Ordering::Relaxed);
    }

    /// A handle of another program.
    fn other(&self) -> Handle {
        self.kernel.handle().unwrap()
    }

    /// The table and the daemons, as another program sees them.
    fn truth(&self) -> (Table, Vec<SyncDaemon>) {
        let other = self.other();
        (other.snapshot().unwrap(), other.get_sync_daemons().unwrap())
    }
}

/// Polls a future so many times.
pub fn poll<F: Future + ?Sized>(future: &mut Pin<&mut F>, times: usize) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    })
}

/// Polls a future until it is through.
fn complete<T>(call: impl Future<Output = T>) -> T {
    poll(&mut pin!(call), 10_000).expect("an end")
}

type Call<'h> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'h>>;

struct Operation {
    name: &'static str,
    /// How often its future is polled until it is through: once more than it waits.
    polls: usize,
    call: fn(&AsyncHandle) -> Call<'_>,
    same: fn(&Handle) -> Result<(), Error>,
}

macro_rules! operations {
    ($($polls:literal: $name:ident($($argument:expr),*);)*) => {
        [$(Operation {
            name: stringify!($name),
            polls: $polls,
            call: |handle| Box::pin(async { handle.$name($($argument),*).await.map(drop) }),
            same: |handle| handle.$name($($argument),*).map(drop),
        }),*]
    };
}
const TWICE: Consistency = Consistency::Stable { attempts: 2 };
const OPERATIONS: [Operation; 32] = operations! {
    2: new_service(&mail());
    2: update_service(&Service::new(web().id, Scheduler::Sh));
    2: delete_service(&web().id);
    2: get_service(&web().id);
    2: new_destination(&web().id, &server(9999));
    2: update_destination(&web().id, &server(7).drained());
    2: delete_destination(&web().id, &server(7).id);
    2: flush();
    2: zero_service(&web().id);
    2: zero_all();
    2: get_config();
    2: set_config(&Config::new());
    2: get_info();
    2: start_sync(&SyncDaemon::backup("eth0").unwrap());
    3: stop_sync(SyncRole::Master);
    3: get_sync_daemons();
    3: get_services();
    3: get_services_with(TWICE);
    3: for_each_service(|_| ());
    5: get_destinations(&web().id);
    9: get_destinations_with(&web().id, TWICE);
    5: for_each_destination(&web().id, |_| ());
    5: find_destinations(&web().id);
    5: get_destination(&web().id, &server(7).id);
    7: snapshot();
    11: snapshot_with(TWICE);
    4: ensure_service(&Service::new(web().id, Scheduler::Sh));
    7: ensure_destination(&web().id, &server(7).drained());
    2: remove_service(&web().id);
    2: remove_destination(&web().id, &server(7).id);
    3: modify_service(&web().id, |service| service.scheduler = Scheduler::Sh);
    6: modify_destination(&web().id, &server(7).id, |server| server.weight = Weight::ZERO);
};

/// The next uses of the handle.
const NEXT: [fn(&Fixture); 4] = [
    // The answers that were not taken come one by one, before that of this.
    |fixture| assert_eq!(complete(fixture.handle.get_config()).unwrap(), fixture.other().get_config().unwrap()),
    // They are all there at once.
    |fixture| {
        fixture.hurry();
        assert_eq!(complete(fixture.handle.get_service(&unknown())).unwrap(), None);
    },
    // Stale datagrams in the receive buffer must go, because there is just room enough.
    |fixture| {
        fixture.hurry();
        let batch = (0..200).fold(fixture.handle.batch(), |batch, _| batch.delete_service(&unknown()));
        let report = complete(batch.send()).unwrap();
        assert_eq!(report.failures().filter(|(_, error)| error.is_not_found()).count(), 200);
    },
    |fixture| {
        fixture.hurry();
        assert_eq!(complete(fixture.handle.get_services()).unwrap(), fixture.other().get_services().unwrap());
    },
];

#[test]
fn call_that_is_dropped_wherever_it_waits_leaves_the_handle_usable_and_the_table_right() {
    for operation in OPERATIONS {
        let Operation { name, polls, call, same } = operation;
        let fixture = Fixture::new();
        let before = fixture.truth();
        same(&fixture.other()).unwrap();
        let after = fixture.truth();
        for (next, proceed) in NEXT.iter().enumerate() {
            for count in 0..=polls {
                let context = format!("{name}, {count} times polled, then call {next}");
                let fixture = Fixture::new();
                let done = poll(&mut call(&fixture.handle).as_mut(), count);
                assert_eq!(done.map(Result::unwrap).is_some(), count == polls, "{context}");

                let now = fixture.truth();
                match count {
                    0 => assert_eq!(now, before, "{context}"),
                    _ if count == polls => assert_eq!(now, after, "{context}"),
                    _ => assert!(now == before || now == after, "{context}"),
                }
                proceed(&fixture);
                fixture.hurry();
                let (table, daemons) = fixture.truth();
                assert_eq!(complete(fixture.handle.snapshot()).unwrap(), table, "{context}");
                assert_eq!(complete(fixture.handle.get_sync_daemons()).unwrap(), daemons, "{context}");
            }
        }
    }
}

#[test]
fn batch_that_is_dropped_has_done_what_was_sent() {
    let mut made = Vec::new();
    for count in 0.. {
        let fixture = Fixture::new();
        let batch = fixture.handle.batch();
        let batch = (1001..=1450).fold(batch, |batch, number| batch.new_destination(&web().id, &server(number)));
        let done = poll(&mut pin!(batch.send()), count);
        made.push(fixture.truth().0.destination_count() - 120);
        fixture.hurry();
        assert_eq!(complete(fixture.handle.snapshot()).unwrap(), fixture.truth().0);
        if let Some(report) = done {
            assert!(report.unwrap().is_ok());
            break;
        }
    }
    // Each of the three datagrams waits for its answer, and there is a rest between two of them.
    assert_eq!(made, [0, 200, 200, 400, 400, 450, 450]);
}

#[test]
fn call_that_is_dropped_while_it_waits_for_its_turn_was_never_made() {
    let fixture = Fixture::new();
    let before = fixture.truth();
    let mut first = pin!(fixture.handle.get_info());
    assert!(poll(&mut first, 1).is_none());
    {
        let mut second = pin!(fixture.handle.flush());
        assert!(poll(&mut second, 3).is_none());
        assert_eq!(format!("{:?}", fixture.handle), "AsyncHandle { deadline: 5s, readers: 0, .. }");
    }
    poll(&mut first, 1).unwrap().unwrap();
    assert_eq!(fixture.truth(), before);
    complete(fixture.handle.flush()).unwrap();
    assert_eq!(fixture.truth().0, Table::default());
}

#[test]
fn handle_that_is_never_opened_leaves_nothing() {
    let kernel = FakeKernel::new();
    for count in 0..2 {
        let delay = Arc::new(AtomicBool::new(true));
        let socket = SlowSocket { socket: kernel.transport(), delay, has_waited: false };
        assert!(poll(&mut pin!(AsyncHandle::builder().open_over(socket)), count).is_none());
    }
    assert_eq!(kernel.handle().unwrap().snapshot().unwrap(), Table::default());
}
