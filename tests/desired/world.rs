//! A kernel in memory with everything that a plan is about, and what is said to it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipvs_rs::Handle;
use ipvs_rs::desired::apply::{ApplyOptions, Clock, Interrupt, Observer, Progress};
use ipvs_rs::desired::{DesiredState, Live, Plan, PlanOptions, plan};
use ipvs_rs::model::Table;
use ipvs_rs::testing::{FakeKernel, FakeSocket, Interface};
use ipvs_rs::transport::{Limits, Received, Transport};

use super::state::{State, fill, put};
use super::universe::{Case, INTERFACE};

/// A kernel, and the commands that were sent to it.
pub(crate) struct World {
    pub(crate) kernel: FakeKernel,
    pub(crate) handle: Handle,
    sent: Sent,
}

/// The commands of all datagrams.
type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

/// A socket whose requests are noted.
#[derive(Debug)]
struct Tap {
    socket: FakeSocket,
    sent: Sent,
    answers: Option<usize>,
}

/// Time that passes when somebody waits for it; connections come and go with it.
#[derive(Clone, Debug)]
pub(crate) struct FakeClock {
    kernel: FakeKernel,
    now: Arc<Mutex<Duration>>,
}

/// What interrupts when it is asked for the so-many-th time.
#[derive(Debug)]
pub(crate) struct Interrupter {
    pub(crate) asked: usize,
    pub(crate) at: usize,
    pub(crate) with: Interrupt,
    pub(crate) progress: Vec<Progress>,
}

impl World {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    /// With a socket that takes one command at a time, so that each has a datagram of its own.
    pub(crate) fn one_by_one() -> Self {
        Self::with(Some(1))
    }

    fn with(answers: Option<usize>) -> Self {
        let kernel = FakeKernel::new();
        kernel.add_interface(Interface::new(INTERFACE));
        let sent = Sent::default();
        let handle =
            Handle::builder().open_over(Tap { socket: kernel.transport(), sent: Arc::clone(&sent), answers }).unwrap();
        Self { kernel, handle, sent }
    }

    /// Puts everything of a case there, through another socket.
    pub(crate) fn hold(self, case: &Case) -> Self {
        put(&self.kernel.handle().unwrap(), case);
        self.forget();
        self
    }

    /// Puts a table there, through another socket.
    pub(crate) fn holding(self, table: &Table) -> Self {
        fill(&self.kernel.handle().unwrap(), table);
        self.forget();
        self
    }

    pub(crate) fn state(&self) -> State {
        State::read(&self.kernel.handle().unwrap())
    }

    /// What is there, as a plan wants it.
    pub(crate) fn live(&self, desired: &DesiredState) -> Live {
        Live::read(&self.kernel.handle().unwrap(), desired).unwrap()
    }

    pub(crate) fn plan(&self, desired: &DesiredState) -> Plan {
        plan(&self.live(desired), desired, &PlanOptions::new())
    }

    pub(crate) fn options(&self) -> ApplyOptions {
        ApplyOptions::new().clock(self.clock())
    }

    pub(crate) fn clock(&self) -> FakeClock {
        FakeClock { kernel: self.kernel.clone(), now: Arc::default() }
    }

    /// The requests that change something, by their names in the kernel, each datagram apart.
    pub(crate) fn writes(&self) -> Vec<Vec<&'static str>> {
        let sent = self.sent.lock().unwrap();
        let datagrams =
            sent.iter().map(|datagram| datagram.iter().filter_map(|command| write_name(*command)).collect());
        datagrams.filter(|datagram: &Vec<_>| !datagram.is_empty()).collect()
    }

    /// The number of requests of any kind.
    pub(crate) fn requests(&self) -> usize {
        self.sent.lock().unwrap().iter().map(Vec::len).sum()
    }

    pub(crate) fn forget(&self) {
        self.sent.lock().unwrap().clear();
    }
}

fn write_name(command: u8) -> Option<&'static str> {
    Some(match command {
        1 => "NEW_SERVICE",
        2 => "SET_SERVICE",
        3 => "DEL_SERVICE",
        5 => "NEW_DEST",
        6 => "SET_DEST",
        7 => "DEL_DEST",
        9 => "NEW_DAEMON",
        10 => "DEL_DAEMON",
        12 => "SET_CONFIG",
        16 => "ZERO",
        17 => "FLUSH",
        _ => return None,
    })
}

impl Transport for Tap {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        let mut limits = self.socket.limits();
        limits.answers = self.answers.unwrap_or(limits.answers);
        limits
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let mut commands = Vec::new();
        let mut rest = datagram;
        while let Some(length) = rest.first_chunk::<4>() {
            let length = usize::try_from(u32::from_ne_bytes(*length)).unwrap();
            // Number 16 is the controller of generic netlink.
            if rest[4..6] != 16u16.to_ne_bytes() {
                commands.push(rest[16]);
            }
            rest = &rest[length.next_multiple_of(4).min(rest.len())..];
        }
        self.sent.lock().unwrap().push(commands);
        self.socket.send(datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.socket.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.socket.wait(timeout)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, time: Duration) {
        self.kernel.advance(time);
        *self.now.lock().unwrap() += time;
    }
}

impl Interrupter {
    pub(crate) fn new(at: usize, with: Interrupt) -> Self {
        Self { asked: 0, at, with, progress: Vec::new() }
    }

    /// One that never does.
    pub(crate) fn watching() -> Self {
        Self::new(usize::MAX, Interrupt::None)
    }
}

impl Observer for Interrupter {
    fn progress(&mut self, progress: &Progress) {
        self.progress.push(*progress);
    }

    fn interrupt(&mut self) -> Interrupt {
        self.asked += 1;
        if self.asked > self.at { self.with } else { Interrupt::None }
    }
}
