//! One handle, many calls, and a kernel that misbehaves all the time: every answer is right, every error is the right
//! one, and nothing is used up.
//!
//! `IPVS_RS_SEED` chooses other calls and faults.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, unreachable_pub, reason = "test code")]
#![cfg(target_os = "linux")]

mod mix;
#[path = "vm/usage.rs"]
mod usage;

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use allocation_counter::{measure, opt_out};
use fastrand::Rng;
use ipvs_rs::error::{self, Errno};
use ipvs_rs::model::AddressFamily;
use ipvs_rs::testing::{FakeKernel, Fault, FaultPlan, Interface, Release};
use ipvs_rs::{Error, Handle, ServiceEntry, ServiceId};

use mix::call::Call;
use mix::reference::{DEADLINE, Reference};
use mix::table::{INTERFACE, SERVICES};
use usage::Usage;

const CALLS: u32 = 200_000;
/// After so many calls the kernel starts anew, and what the handle holds is counted.
const STRETCH: u32 = 20_000;
const SEED: u64 = 1;

#[test]
fn two_hundred_thousand_calls_over_a_misbehaving_kernel_end_rightly_and_leave_nothing() {
    let seed = std::env::var("IPVS_RS_SEED").map_or(SEED, |text| text.parse().unwrap());
    let mut soak = Soak::new(seed);
    soak.warm_up();
    let before = Usage::now();
    for _ in 0..CALLS / STRETCH {
        let heap = measure(|| soak.stretch());
        assert_eq!(heap.bytes_current, 0, "{} bytes in {} pieces stay", heap.bytes_current, heap.count_current);
    }
    let after = Usage::now();
    assert_eq!(after.descriptors, before.descriptors);
    assert_eq!(after.threads, before.threads);
    assert_eq!(soak.met.len(), faults().len() * KINDS, "some fault has not met some call");
}

/// A kernel that misbehaves, a handle to it, and what both must come to.
struct Soak {
    rng: Rng,
    kernel: FakeKernel,
    handle: Handle,
    /// Another handle, without faults.
    clean: Handle,
    reference: Reference,
    /// Which fault has met which kind of call.
    met: HashSet<(usize, Kind)>,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let kernel = FakeKernel::of(Release::V6_1);
        let handle = Handle::builder().deadline(DEADLINE).open_over(kernel.transport()).unwrap();
        let clean = kernel.handle().unwrap();
        kernel.add_interface(Interface::new(INTERFACE));
        Self { rng: Rng::with_seed(seed), kernel, handle, clean, reference: Reference::new(), met: HashSet::new() }
    }

    /// Brings every buffer to the size that the longest lists and the most answers take, which stays.
    fn warm_up(&mut self) {
        Call::to_fill().for_each(|call| self.make(&call, &[]));
        self.look();
        assert_eq!(self.clean.get_services().unwrap().len(), SERVICES.len());
        self.kernel.misbehave(FaultPlan::always(Fault::Delay(LATE * 100)));
        let absent = ServiceId::fwmark(8, AddressFamily::Ipv4).unwrap();
        for _ in 0..100 {
            let refused = (0..100).fold(self.handle.batch(), |batch, _| batch.delete_service(&absent));
            assert!(
                refused.send().unwrap().results().iter().all(|result| result.as_ref().is_err_and(Error::is_timeout))
            );
        }
        self.kernel.behave();
        self.rest();
    }

    /// Some thousand calls, after which a table is empty and a kernel is new.
    fn stretch(&mut self) {
        for _ in 0..STRETCH {
            self.step();
        }
        self.rest();
    }

    /// A random call. Every eighth meets with a fault, some of those several times.
    fn step(&mut self) {
        let call = Call::random(&mut self.rng);
        if self.rng.u32(0..8) > 0 {
            self.make(&call, &[]);
            return;
        }
        let faults = faults();
        let number = self.rng.usize(0..faults.len());
        let (well, times) = (self.rng.choice([0, 0, 1, 2]).unwrap(), self.rng.choice([1, 1, 1, 2, 5, 6]).unwrap());
        let plan = (0..times).fold(FaultPlan::new().well(well), |plan, _| plan.then(faults[number].clone()));
        // The faults are for all handles.
        let order: Vec<_> = match call {
            Call::Snapshot => self.clean.get_services().unwrap().iter().map(ServiceEntry::id).collect(),
            _ => Vec::new(),
        };
        self.kernel.misbehave(plan);
        self.reference.plan.extend((0..well).map(|_| None).chain((0..times).map(|_| Some(faults[number].clone()))));
        self.reference.struck = 0;
        self.make(&call, &order);
        self.kernel.behave();
        self.reference.plan.clear();
        if self.reference.struck > 0 {
            let kind = kind(&call);
            opt_out(|| {
                self.met.insert((number, kind));
            });
            self.look();
        }
    }

    /// Makes a call, and compares.
    fn make(&mut self, call: &Call, order: &[ServiceId]) {
        let expected = call.foretell(&mut self.reference, order);
        assert_eq!(call.make(&self.handle), expected, "{call:?}");
    }

    /// The next calls succeed, and show everything as it must be.
    fn look(&mut self) {
        for call in Call::TELL_ALL {
            self.make(&call, &[]);
        }
    }

    /// Brings handle and kernel back to where they began.
    fn rest(&mut self) {
        // Late answers arrive, and the next call discards them.
        self.kernel.advance(LATE * 100);
        self.make(&Call::GetInfo, &[]);
        self.kernel.reload();
        self.reference = Reference::new();
        self.look();
    }
}

type Kind = (Discriminant<Call>, Option<error::Call>);

/// The kind of a call: one of sixteen, or one of eleven commands.
fn kind(call: &Call) -> Kind {
    let made = if let Call::Give(command) = call { Some(command.call()) } else { None };
    (discriminant(call), made)
}

const KINDS: usize = 16 + 11;

/// One of each kind, and more where it makes a difference.
fn faults() -> [Fault; 21] {
    [
        Fault::Delay(DEADLINE / 3600),
        Fault::Delay(LATE),
        Fault::Silence,
        Fault::Drop,
        Fault::Lose(0),
        Fault::Lose(1),
        Fault::SilentStop,
        Fault::Refuse(Errno::ENOMEM),
        Fault::Refuse(Errno::EBUSY),
        Fault::SendFails(Errno::ENOBUFS),
        Fault::Duplicate,
        Fault::Reorder,
        Fault::Truncate,
        Fault::Cut(0),
        Fault::Cut(15),
        Fault::Cut(30),
        Fault::Interrupt,
        Fault::Foreign(4711),
        Fault::Stale,
        Fault::Garbage(vec![0xff; 40]),
        Fault::Garbage(Vec::new()),
    ]
}

/// Longer than any test waits.
const LATE: Duration = Duration::from_secs(7200);
