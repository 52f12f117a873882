//! Many calls over one handle, and a receive buffer that is often too small: every answer is right, and nothing is used
//! up.

use std::collections::VecDeque;
use std::env;
use std::io;
use std::time::Duration;

use allocation_counter::measure;
use fastrand::Rng;
use ipvs_rs::Handle;
use ipvs_rs::error::ErrorKind;
use ipvs_rs::model::SyncRole;
use ipvs_rs::testing::Fault;
use ipvs_rs::transport::{KernelSocket, Limits, Received, SocketOptions, Transport};

use crate::conformance::{Interface, World};
use crate::kernel;
use crate::mix::call::{Answer, Call};
use crate::mix::reference::{CHUNK, Failure, Reference};
use crate::mix::table::{Command, INTERFACE, Table};
use crate::namespaces::alone;
use crate::process::{again, is_again};
use crate::usage::Usage;
use crate::world::RealKernel;

/// After so many calls the table is emptied, and what the handle holds is counted.
const STRETCH: u64 = 1_000;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn calls_over_a_buffer_that_overflows_end_rightly_and_leave_nothing() {
    if !is_again() {
        alone(|| {
            RealKernel.add_interface(&Interface { name: INTERFACE, addresses: &["10.8.8.8/24"], is_up: true });
            let name = "soak::calls_over_a_buffer_that_overflows_end_rightly_and_leave_nothing";
            again(name, &[]).lines().filter_map(|line| line.strip_prefix("note: ")).for_each(kernel::note);
        });
        return;
    }
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let calls = number("IPVS_RS_CALLS").unwrap_or(20_000);
    let seed = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
    kernel::note(&format!("IPVS_RS_SEED={seed} IPVS_RS_CALLS={calls}"));
    let handle = Handle::builder().open_over(OverstatedLimits::open()).unwrap();
    let mut soak = Soak { rng: Rng::with_seed(seed), handle, reference: Reference::new(), overflows: 0 };
    // The longest lists bring every buffer to its size.
    Call::to_fill().chain(Call::TELL_ALL).for_each(|call| soak.make(&call));
    soak.stretch();
    let before = Usage::now();
    for _ in 0..calls.div_ceil(STRETCH) {
        let heap = measure(|| soak.stretch());
        assert_eq!(heap.bytes_current, 0, "{} bytes in {} pieces stay", heap.bytes_current, heap.count_current);
    }
    let after = Usage::now();
    assert_eq!(after.descriptors, before.descriptors);
    assert_eq!(after.threads, before.threads);
    let grown = after.anonymous_kib.saturating_sub(before.anonymous_kib);
    assert!(grown < 512, "{calls} calls took {grown} KiB that did not come back");
    let overflows = soak.overflows;
    assert!(u64::from(overflows) >= calls / 200, "only {overflows} batches of {calls} calls lost answers");
    kernel::note(&format!("{overflows} batches of {calls} calls lost answers"));
}

struct Soak {
    rng: Rng,
    handle: Handle,
    reference: Reference,
    /// How many batches have lost answers.
    overflows: u32,
}

impl Soak {
    fn stretch(&mut self) {
        for number in 0..STRETCH {
            // More answers than the buffer holds, often.
            let call = if number % 80 == 0 { Call::batch(&mut self.rng, 20..60) } else { Call::random(&mut self.rng) };
            self.make(&call);
        }
        for call in to_begin_anew() {
            self.make(&call);
        }
    }

    /// Makes a call, and compares. Where answers were lost, the next calls show that every command was executed.
    fn make(&mut self, call: &Call) {
        let answer = call.make(&self.handle);
        let plan = lost(&answer);
        let is_lost = !plan.is_empty();
        self.reference.plan = plan;
        assert_eq!(answer, call.foretell(&mut self.reference, &[]), "{call:?}");
        self.reference.plan.clear();
        if is_lost {
            self.overflows += 1;
            for call in Call::TELL_ALL {
                self.make(&call);
            }
        }
    }
}

/// The commands that restore the table of the beginning.
fn to_begin_anew() -> [Call; 4] {
    let stop = |role| Call::Give(Command::StopSync(role));
    let set = Call::Give(Command::SetConfig(Table::new().config));
    [Call::Give(Command::Flush), stop(SyncRole::Master), stop(SyncRole::Backup), set]
}

/// The faults that explain what a batch has lost: how much the buffer held is the kernel's business.
fn lost(answer: &Result<Answer, Failure>) -> VecDeque<Option<Fault>> {
    let Ok(Answer::Batch(results)) = answer else { return VecDeque::new() };
    let is_lost = |result: &Result<(), Failure>| matches!(result, Err(failure) if failure.kind == ErrorKind::Lost);
    let chunks = results.chunks(CHUNK);
    let Some(place) = chunks.clone().position(|chunk| chunk.iter().any(is_lost)) else { return VecDeque::new() };
    let kept = chunks.clone().nth(place).unwrap().iter().filter(|result| !is_lost(result)).count();
    let mut plan: VecDeque<_> = (0..place).map(|_| None).collect();
    plan.push_back(Some(Fault::Lose(kept)));
    plan
}

/// A socket with a small buffer that says it were a large one.
#[derive(Debug)]
struct OverstatedLimits(KernelSocket);

impl OverstatedLimits {
    fn open() -> Self {
        let mut options = SocketOptions::default();
        options.receive_buffer = Some(BUFFER);
        Self(KernelSocket::open(options).unwrap())
    }
}

/// An acknowledgement and an answer with data fit, or about eight acknowledgements.
const BUFFER: usize = 6144;

impl Transport for OverstatedLimits {
    fn port(&self) -> u32 {
        self.0.port()
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.0.send(datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.0.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.0.wait(timeout)
    }
}
