//! A kernel in memory with everything that a plan is about, and what is said to it.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[cfg(feature = "tokio")]
use ipvs_rs::desired::apply::apply_async;
use ipvs_rs::desired::apply::{Applier, ApplyError, ApplyOptions, Interrupt, Observer, Progress, Report, drive};
use ipvs_rs::desired::plan::{Plan, PlanOptions, plan};
use ipvs_rs::desired::{DesiredState, Observed};
use ipvs_rs::testing::{FakeKernel, FakeSocket, Interface};
use ipvs_rs::transport::{Limits, Received, Transport};
use ipvs_rs::{AsyncHandle, Handle, Table};

use super::state::{State, fill, put};
use super::universe::{Case, INTERFACE};

/// A kernel, and the commands that were sent to it.
pub(crate) struct World {
    pub(crate) kernel: FakeKernel,
    pub(crate) handle: Handle,
    sent: Sent,
    answers: Option<usize>,
    driver: Driver,
    listing: Hook,
}

/// The action of another program when the first piece of a list of destinations is made and not read yet.
#[derive(Clone, Default)]
struct Hook(Arc<Mutex<Option<Work>>>);

type Work = Box<dyn FnMut() + Send>;

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

/// The driver that turns the steps of a plan into calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Driver {
    Blocking,
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Driver {
    pub(crate) const ALL: &[Self] = &[
        Self::Blocking,
        #[cfg(feature = "tokio")]
        Self::Tokio,
    ];
}

/// The commands of all datagrams.
type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

/// A socket whose requests are noted.
#[derive(Debug)]
struct RecordingSocket {
    socket: FakeSocket,
    sent: Sent,
    answers: Option<usize>,
    listing: Hook,
}

/// Interrupts when it is asked for the so-many-th time.
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
        let listing = Hook::default();
        let tap = || RecordingSocket {
            socket: kernel.transport(),
            sent: Arc::clone(&sent),
            answers,
            listing: listing.clone(),
        };
        // Lists take turns between two sockets, which cut at different places.
        let handle = Handle::builder().reader_transports([tap()]).open_over(tap()).unwrap();
        Self { kernel, handle, sent, answers, driver: Driver::Blocking, listing }
    }

    pub(crate) fn driven_by(self, driver: Driver) -> Self {
        Self { driver, ..self }
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

    /// The observed state, as a plan takes it.
    pub(crate) fn live(&self, desired: &DesiredState) -> Observed {
        Observed::read(&self.kernel.handle().unwrap(), desired).unwrap()
    }

    pub(crate) fn plan(&self, desired: &DesiredState) -> Plan {
        plan(&self.live(desired), desired, &PlanOptions::new().prune(true))
    }

    /// Carries a plan out in a time that passes as soon as it is waited for, for the kernel too. What happens in it
    /// happens after the function was told what time it is.
    pub(crate) fn apply_while(
        &self,
        plan: &Plan,
        options: ApplyOptions,
        observer: &mut dyn Observer,
        mut meanwhile: impl FnMut(Duration),
    ) -> Result<Report, ApplyError> {
        let (begin, mut passed) = (Instant::now(), Duration::ZERO);
        let mut wait = |time: Duration| {
            if !time.is_zero() {
                self.kernel.advance(time);
                passed += time;
                meanwhile(passed);
            }
            begin + passed
        };
        drive(&mut Applier::new(plan, &options), &self.handle, observer, &mut wait)
    }

    /// The same without anything that happens meanwhile.
    pub(crate) fn apply(
        &self,
        plan: &Plan,
        options: ApplyOptions,
        observer: &mut (dyn Observer + Send),
    ) -> Result<Report, ApplyError> {
        match self.driver {
            Driver::Blocking => self.apply_while(plan, options, observer, |_| {}),
            #[cfg(feature = "tokio")]
            Driver::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
                runtime.unwrap().block_on(async {
                    let tap = || RecordingSocket {
                        socket: self.kernel.transport(),
                        sent: Arc::clone(&self.sent),
                        answers: self.answers,
                        listing: self.listing.clone(),
                    };
                    let handle = AsyncHandle::builder().reader_transports([tap()]).open_over(tap()).await.unwrap();
                    apply_async(&handle, plan, &options, observer).await
                })
            }
        }
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

    /// Does something whenever destinations are listed.
    pub(crate) fn while_listing(&self, work: impl FnMut() + Send + 'static) {
        *self.listing.0.lock().unwrap() = Some(Box::new(work));
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

impl Transport for RecordingSocket {
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
        let lists = commands.contains(&8);
        self.sent.lock().unwrap().push(commands);
        self.socket.send(datagram)?;
        if lists && let Some(work) = self.listing.0.lock().unwrap().as_mut() {
            work();
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

#[cfg(feature = "tokio")]
impl ipvs_rs::transport::AsyncTransport for RecordingSocket {
    fn arrival(&mut self, timeout: Duration) -> ipvs_rs::transport::Arrival<'_> {
        self.socket.arrival(timeout)
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

/// Checks the line of an error that has a cause: this summary, and the message of the cause.
#[track_caller]
pub(crate) fn assert_line(error: &ApplyError, summary: &str) {
    let source = error.source().unwrap();
    assert_eq!(error.summary().to_string(), summary);
    assert_eq!(error.to_string(), format!("{summary}: {source}"));
}
