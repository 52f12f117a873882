use std::collections::VecDeque;
use std::time::Duration;

use crate::error::Errno;

/// One kind of misbehavior, which affects one datagram that is sent and the answers to it.
///
/// The look-up of the family is not affected.
///
/// ```
/// use ipvs_rs::testing::{FakeKernel, Fault};
///
/// let kernel = FakeKernel::new();
/// let handle = kernel.handle()?;
/// kernel.misbehave(Fault::Silence);
/// assert!(handle.get_info().unwrap_err().is_timeout());
/// assert!(handle.get_info().is_ok());
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The answers are delayed by this time. There is no real sleep: a shorter wait ends at once without an answer, a
    /// longer one ends at once with it. An answer that comes too late arrives during a later exchange, when the time of
    /// waiting and of [`advance`](super::FakeKernel::advance) together has reached its time.
    Delay(Duration),
    /// The datagram is lost on its way: it is not executed, and no answer comes.
    Silence,
    /// The commands are executed and every answer is lost.
    Drop,
    /// Only this many answers fit into the receive buffer; the rest is lost, and the socket reports `ENOBUFS`.
    Lose(usize),
    /// A daemon is stopped without an answer, as by the kernel when it is stopped right after its start.
    SilentStop,
    /// The commands are refused with this number and not executed.
    Refuse(Errno),
    /// The datagram cannot be sent.
    SendFails(Errno),
    /// Every answer comes twice.
    Duplicate,
    /// The datagrams of the answer come in the reverse order. A list then ends before it begins, which cannot be
    /// detected.
    Reorder,
    /// The answer is longer than any buffer: it arrives cut off, marked as such.
    Truncate,
    /// Every datagram of the answer ends after this many bytes, without any mark.
    Cut(usize),
    /// Lists are marked as interrupted (`NLM_F_DUMP_INTR`), which IPVS never does.
    Interrupt,
    /// Before the answer comes an acknowledgement from another process with this port id.
    Foreign(u32),
    /// Before the answer comes an error that belongs to an earlier request.
    Stale,
    /// Before the answer come these bytes.
    Garbage(Vec<u8>),
}

/// Misbehavior over time: one step for each datagram that is sent.
///
/// ```
/// use ipvs_rs::error::Errno;
/// use ipvs_rs::testing::{FakeKernel, Fault, FaultPlan};
///
/// let kernel = FakeKernel::new();
/// let handle = kernel.handle()?;
/// // Two calls go well, one is refused, and then every list is interrupted.
/// kernel.misbehave(FaultPlan::new().well(2).then(Fault::Refuse(Errno::ENOMEM)).then_always(Fault::Interrupt));
///
/// let answers = [handle.flush(), handle.flush(), handle.flush()];
/// assert_eq!(answers.map(|answer| answer.is_ok()), [true, true, false]);
/// assert!(handle.get_services().unwrap_err().is_retryable());
/// kernel.behave();
/// assert_eq!(handle.get_services()?, []);
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FaultPlan {
    steps: VecDeque<Option<Fault>>,
    always: Option<Fault>,
}

impl FaultPlan {
    /// A plan without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A plan in which every datagram meets the same fault.
    pub fn always(fault: Fault) -> Self {
        Self::new().then_always(fault)
    }

    /// Lets this many datagrams pass.
    #[must_use]
    pub fn well(mut self, times: usize) -> Self {
        self.steps.extend(std::iter::repeat_n(None, times));
        self
    }

    /// Lets one datagram meet a fault.
    #[must_use]
    pub fn then(mut self, fault: Fault) -> Self {
        self.steps.push_back(Some(fault));
        self
    }

    /// Lets all further datagrams meet a fault.
    #[must_use]
    pub fn then_always(mut self, fault: Fault) -> Self {
        self.always = Some(fault);
        self
    }

    /// The fault of the next datagram, if any.
    pub(super) fn step(&mut self) -> Option<Fault> {
        self.steps.pop_front().unwrap_or_else(|| self.always.clone())
    }
}

impl From<Fault> for FaultPlan {
    /// A plan in which one datagram meets a fault.
    fn from(fault: Fault) -> Self {
        Self::new().then(fault)
    }
}
