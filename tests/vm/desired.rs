//! Plans on the real kernel, with random tables, and failures and interrupts at random steps.
//!
//! The same laws are tried on the kernel in memory, at every step.

#[path = "../desired/state.rs"]
mod state;
#[path = "../../src/fuzzing/universe.rs"]
pub(crate) mod universe;

/// The library, for what others share.
mod library {
    pub(super) use ipvs_rs::{
        Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId,
        Table, desired, model,
    };
}

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use ipvs_rs::desired::apply::{ApplyError, ApplyOptions, Cause, Interrupt, Observer, OnError, Report, apply};
use ipvs_rs::desired::plan::{Plan, PlanOptions, plan};
use ipvs_rs::desired::{DesiredService, DesiredState, Observed};
use ipvs_rs::transport::{KernelSocket, Limits, Received, SocketOptions, Transport};
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service};

use self::state::{State, assert_untouched, put};
use self::universe::{Case, Dice, INTERFACE};
use crate::conformance::{Interface, World};
use crate::kernel;
use crate::namespaces::{Namespace, fresh};
use crate::world::RealKernel;

/// Random cases of each law, if `IPVS_RS_CASES` says nothing else.
const CASES: u64 = 12;

/// Something of each random case in a namespace of its own, in which daemons find their interface.
fn for_random_cases(body: impl Fn(&mut Rng, &Case) + Sync) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let seed = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let cases = number("IPVS_RS_CASES").unwrap_or(CASES);
    kernel::note(&format!("IPVS_RS_SEED={seed} IPVS_RS_CASES={cases}"));
    fresh(|| {
        let mut rng = Rng::with_seed(seed);
        for _ in 0..cases {
            let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(400).collect();
            let case = Dice(&bytes).case();
            Namespace::new().run(|| {
                RealKernel.add_interface(&Interface { name: INTERFACE, addresses: &["10.8.8.8/24"], is_up: true });
                put(&Handle::new().unwrap(), &case);
                body(&mut rng, &case);
            });
        }
    });
}

fn planned(handle: &Handle, desired: &DesiredState) -> Plan {
    plan(&Observed::read(handle, desired).unwrap(), desired, &PlanOptions::new().prune(true))
}

/// Carries a plan out, whatever was left undone before.
fn converges(handle: &Handle, before: &State, desired: &DesiredState) {
    converges_with(handle, before, desired, |plan| apply(handle, plan, &ApplyOptions::new(), &mut ()));
}

fn converges_with(
    handle: &Handle,
    before: &State,
    desired: &DesiredState,
    apply: impl Fn(&Plan) -> Result<Report, ApplyError>,
) {
    let report = apply(&planned(handle, desired)).unwrap();
    assert!(report.is_complete(), "{report:?}");
    let rest = planned(handle, desired);
    assert!(rest.is_empty(), "left to do: {rest}");
    assert_untouched(before, &State::read(handle), desired);
}

/// The same with the other driver.
#[cfg(feature = "tokio")]
fn apply_on_tokio(plan: &Plan) -> Result<Report, ApplyError> {
    use ipvs_rs::AsyncHandle;
    use ipvs_rs::desired::apply::apply_async;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let handle = AsyncHandle::new().await.unwrap();
        apply_async(&handle, plan, &ApplyOptions::new(), &mut ()).await
    })
}

/// A socket that takes one command at a time and spoils one of those that change something.
#[derive(Debug)]
struct FailingSocket {
    socket: KernelSocket,
    writes: Arc<AtomicUsize>,
    spoiled: usize,
}

impl FailingSocket {
    /// A handle whose so-many-th command is none that the kernel knows, and the number of its commands so far.
    fn handle(spoiled: usize) -> (Handle, Arc<AtomicUsize>) {
        let writes = Arc::new(AtomicUsize::new(0));
        let socket = KernelSocket::open(SocketOptions::default()).unwrap();
        let saboteur = Self { socket, writes: Arc::clone(&writes), spoiled };
        (Handle::builder().open_over(saboteur).unwrap(), writes)
    }
}

impl Transport for FailingSocket {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        let mut limits = self.socket.limits();
        limits.answers = 1;
        limits
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        /// Where the command of a message stands, behind the header of 16 bytes.
        const COMMAND: usize = 16;
        let mut datagram = datagram.to_vec();
        // The controller of generic netlink has the number 16; requests that read have the numbers in between.
        let is_write = datagram[4..6] != 16u16.to_ne_bytes() && !matches!(datagram[COMMAND], 4 | 8 | 11 | 13 | 15);
        if is_write && self.writes.fetch_add(1, Ordering::Relaxed) == self.spoiled {
            datagram[COMMAND] = 99;
        }
        self.socket.send(&datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.socket.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.socket.wait(timeout)
    }
}

/// Interrupts when it is asked for the so-many-th time.
struct Interrupter(usize, Interrupt);

impl Observer for Interrupter {
    fn interrupt(&mut self) -> Interrupt {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { self.1 } else { Interrupt::None }
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn goal_is_reached_from_any_table_and_nothing_else_is_touched() {
    for_random_cases(|_, case| {
        let handle = Handle::new().unwrap();
        let before = State::read(&handle);
        if planned(&handle, &case.desired).conflicts().is_empty() {
            converges(&handle, &before, &case.desired);
        }
    });
}

#[cfg(feature = "tokio")]
#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn goal_is_reached_by_the_async_driver_too() {
    for_random_cases(|_, case| {
        let handle = Handle::new().unwrap();
        let before = State::read(&handle);
        if planned(&handle, &case.desired).conflicts().is_empty() {
            converges_with(&handle, &before, &case.desired, apply_on_tokio);
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn failure_at_any_step_leaves_the_table_as_it_was_or_one_that_can_be_completed() {
    for_random_cases(|rng, case| {
        let ours = Handle::new().unwrap();
        let before = State::read(&ours);
        let plan = planned(&ours, &case.desired);
        if !plan.conflicts().is_empty() {
            return;
        }
        for on_error in [OnError::Rollback, OnError::Rollback, OnError::Stop] {
            let spoiled = rng.usize(0..=plan.len());
            let (handle, writes) = FailingSocket::handle(spoiled);
            let options = ApplyOptions::new().on_error(on_error);
            let Err(error) = apply(&handle, &plan, &options, &mut ()) else {
                assert!(writes.load(Ordering::Relaxed) <= spoiled);
                break;
            };
            assert!(error.kernel_error().unwrap().is_unsupported(), "{error:?}");
            if on_error == OnError::Rollback {
                assert!(error.is_rolled_back(), "{error:#?}");
                assert_eq!(State::read(&ours), before, "{error:?}");
            }
        }
        converges(&ours, &before, &case.desired);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn interrupt_at_any_step_leaves_the_table_as_it_was_or_one_that_can_be_completed() {
    for_random_cases(|rng, case| {
        let ours = Handle::new().unwrap();
        let before = State::read(&ours);
        let plan = planned(&ours, &case.desired);
        if !plan.conflicts().is_empty() {
            return;
        }
        for with in [Interrupt::Stop, Interrupt::Stop, Interrupt::Now] {
            let (handle, _) = FailingSocket::handle(usize::MAX);
            let mut observer = Interrupter(rng.usize(1..=plan.len() + 1), with);
            let Err(error) = apply(&handle, &plan, &ApplyOptions::new(), &mut observer) else { break };
            assert!(matches!(error.cause(), Cause::Interrupted), "{error:?}");
            if with == Interrupt::Stop {
                assert!(error.is_rolled_back(), "{error:#?}");
                assert_eq!(State::read(&ours), before, "{error:?}");
            }
        }
        converges(&ours, &before, &case.desired);
    });
}

/// A service with servers of weight 1.
fn web(scheduler: Scheduler, servers: &[&str]) -> DesiredService {
    let servers = servers.iter().map(|server| Destination::new(server.parse().unwrap(), ForwardMethod::Masquerade));
    let service = DesiredService::new(Service::new("tcp://192.0.2.80:80".parse().unwrap(), scheduler));
    servers.fold(service, DesiredService::destination)
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn changes_since_the_plan_are_planned_again() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let options = ApplyOptions::new();
        let goal = DesiredState::new().service(web(Scheduler::Rr, &["10.0.0.1:80", "10.0.0.2:80"]));
        let id = goal.services[0].id();
        let server = |address: &str, forward| Destination::new(address.parse().unwrap(), forward);

        // The service and a server appear with other settings.
        let plan = planned(&handle, &goal);
        handle.new_service(&Service::new(id, Scheduler::Wlc)).unwrap();
        handle.new_destination(&id, &server("10.0.0.1:80", ForwardMethod::DirectRoute)).unwrap();
        assert!(apply(&handle, &plan, &options, &mut ()).unwrap().is_complete());
        assert!(planned(&handle, &goal).is_empty());

        // A server vanishes that was to change, and the service that was to change.
        let mut other = DesiredState::new().service(web(Scheduler::Wrr, &["10.0.0.1:80", "10.0.0.2:80"]));
        other.services[0].destinations[0].destination.weight = 7.into();
        let plan = planned(&handle, &other);
        handle.delete_destination(&id, &"10.0.0.1:80".parse().unwrap()).unwrap();
        assert!(apply(&handle, &plan, &options, &mut ()).unwrap().is_complete());
        assert!(planned(&handle, &other).is_empty());
        let plan = planned(&handle, &goal);
        handle.flush().unwrap();
        assert!(apply(&handle, &plan, &options, &mut ()).unwrap().is_complete());
        assert!(planned(&handle, &goal).is_empty());

        // Only a server was to come, and its service vanishes: that is told, and nothing is undone.
        let more = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"];
        let plan = planned(&handle, &DesiredState::new().service(web(Scheduler::Rr, &more)));
        handle.flush().unwrap();
        let error = apply(&handle, &plan, &options, &mut ()).unwrap_err();
        assert!(error.is_raced() && !error.is_rolled_back(), "{error}");
        assert!(handle.get_services().unwrap().is_empty());
    });
}
