use std::io;
use std::mem;
use std::time::{Duration, Instant};

use netlink_packet_core::NLM_F_REQUEST;
use netlink_packet_generic::constants::GENL_ID_CTRL;

use super::mode::Link;
use crate::codec::{
    DecodeError, FAMILY_NAME, Family, FamilyRequest, Request, put_family_request, put_request, readdress,
};
use crate::engine::{Bulk, Deadline, Exchange, ExchangeFailure, ExchangeProgress, Expect, KernelError, Sequence};
use crate::error::{Cause, Errno};
use crate::model::SyncRole;
use crate::transport::Limits;

/// The kernel makes the datagrams of a list as long as the longest buffer that a socket has ever received with, within
/// these limits, less what it needs for itself.
pub(super) const RECEIVE_BUFFER: usize = 32 * 1024;
const LEAST_ROOM: usize = 4096 - OVERHEAD;
const MOST_ROOM: usize = RECEIVE_BUFFER - OVERHEAD;
const OVERHEAD: usize = 320;
/// The number of times that a list is read while the kernel reports each time that it changed meanwhile, or that rows
/// were lost.
const LIST_ATTEMPTS: u32 = 5;
/// The number of datagrams of one answer that are taken before other tasks get their turn. A list that fits one has a
/// second for its end.
const DATAGRAMS_IN_A_ROW: u32 = 2;
/// The number of datagrams of abandoned exchanges that are discarded at once; a list of 50 MB has as many.
const STALE_DATAGRAMS: u32 = 2_000;

/// Our end of a netlink conversation: the transport, and the state that is kept from one exchange to the next.
#[derive(Debug)]
pub(super) struct Conversation<L> {
    link: L,
    deadline: Duration,
    limits: Limits,
    port: u32,
    family: u16,
    sequence: Sequence,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    /// Whether something was received with this buffer.
    is_warm: bool,
    /// Whether an exchange was given up: its answers may still come, and the kernel may still be making a list. An
    /// exchange in progress counts as given up until it is over, because it may be dropped at any point where it waits.
    stale: bool,
}

/// A consumer of the data messages in an answer.
pub(super) trait Answer {
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError>;
    /// Notes that a datagram of this length has been processed.
    fn end_datagram(&mut self, _length: usize) {}
    /// Discards everything received so far, because the request is sent again.
    fn restart(&mut self);
}

/// The answer to a command that has no data.
#[derive(Debug)]
pub(super) struct Nothing;

impl Answer for Nothing {
    fn take(&mut self, _command: u8, _attributes: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }

    fn restart(&mut self) {}
}

/// The deadline of an exchange, and the state of its reception so far.
#[derive(Debug)]
struct Reception {
    deadline: Deadline,
    datagrams: u32,
    lost: bool,
}

/// The outcome of polling the transport.
#[derive(Debug)]
enum PollOutcome {
    /// A datagram from the kernel, of this length.
    Datagram(usize),
    /// Nothing yet, with this much time left.
    Pending(Duration),
    /// Something that is not to be decoded: a datagram from another sender than the kernel, or a report of loss.
    Ignored,
    /// A failure that ends the exchange.
    Failure(Cause),
}

impl<L: Link> Conversation<L> {
    /// A conversation over a link, with a buffer of this length.
    pub(super) fn new(mut link: L, deadline: Duration, buffer: usize) -> Self {
        let transport = link.transport();
        Self {
            deadline,
            limits: transport.limits(),
            port: transport.port(),
            link,
            family: 0,
            sequence: Sequence::default(),
            outgoing: Vec::new(),
            incoming: vec![0; buffer],
            is_warm: false,
            stale: false,
        }
    }

    /// Another conversation with the same family.
    pub(super) fn with_family_of(&self, link: L, buffer: usize) -> Self {
        Self { family: self.family, ..Self::new(link, self.deadline, buffer) }
    }

    /// Whether something was received, so that the kernel knows the length of the buffer.
    pub(super) const fn is_warm(&self) -> bool {
        self.is_warm
    }

    /// The number of bytes that a datagram of a list holds.
    pub(super) fn room(&self) -> usize {
        if self.is_warm { self.incoming.len().clamp(LEAST_ROOM, MOST_ROOM) } else { LEAST_ROOM }
    }

    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Gives other tasks their turn.
    pub(super) async fn pause(&mut self) {
        self.link.pause().await;
    }

    /// Looks up the number of the family and returns whether it has changed.
    pub(super) async fn look_up_family(&mut self) -> Result<bool, Cause> {
        let sequence = self.sequence.take(1);
        self.outgoing.clear();
        put_family_request(&mut self.outgoing, NLM_F_REQUEST, sequence, FamilyRequest::new(FAMILY_NAME));
        let mut found = FoundFamily(None);
        match self.exchange(Expect::Reply, GENL_ID_CTRL, sequence, &mut found).await {
            Ok(()) => {}
            Err(Cause::Kernel { errno: Errno::ENOENT, .. }) => return Err(Cause::NotAvailable),
            Err(cause) => return Err(cause),
        }
        let family = found.0.map_or(0, |family| family.id);
        let changed = family != self.family;
        self.family = family;
        Ok(changed)
    }

    /// Sends a request and receives its answer.
    pub(super) async fn ask(&mut self, request: &Request, answer: &mut impl Answer) -> Result<(), Cause> {
        let mut attempts = 1;
        let mut looked_up = false;
        let mut was_busy = false;
        loop {
            let expect = Expect::of(request);
            let sequence = self.sequence.take(1);
            self.outgoing.clear();
            put_request(&mut self.outgoing, self.family, expect.flags(), sequence, request);
            let cause = match self.exchange(expect, self.family, sequence, answer).await {
                Ok(()) => return Ok(()),
                Err(cause) => cause,
            };
            match &cause {
                // When the module was unloaded, the number may no longer belong to any family.
                Cause::Kernel { errno: Errno::ENOENT, .. } if !looked_up => {
                    looked_up = true;
                    if !self.look_up_family().await? {
                        return Err(cause);
                    }
                }
                // The kernel is still making a list that was given up. Receiving the rest ends it.
                Cause::Kernel { errno: Errno::EBUSY, .. } if expect == Expect::List && !was_busy => {
                    was_busy = true;
                    self.stale = true;
                }
                // Reading a list again does no harm, whatever was wrong with it.
                Cause::Interrupted { .. } | Cause::Lost if expect == Expect::List && attempts < LIST_ATTEMPTS => {
                    attempts += 1;
                }
                Cause::Interrupted { .. } => return Err(Cause::Interrupted { attempts }),
                _ => return Err(cause),
            }
            answer.restart();
        }
    }

    /// Stops a daemon and returns whether the kernel answered: it may stop one without an answer.
    pub(super) async fn stop_daemon(&mut self, role: SyncRole) -> Result<bool, Cause> {
        let mut looked_up = false;
        loop {
            let first = self.sequence.take(2);
            let stop = Request::DeleteDaemon(role);
            let mut datagram = Vec::new();
            put_request(&mut datagram, self.family, Expect::of(&stop).flags(), first, &stop);
            // The answer to this request shows that the kernel has finished the other.
            put_request(&mut datagram, self.family, Expect::Reply.flags(), first.wrapping_add(1), &Request::GetInfo);

            let (mut stopped, mut closing) = (None, None);
            let bulk = Bulk::new(Expect::Reply, self.port, first, 2);
            self.bulk(&datagram, &bulk, |place, result| match place {
                0 => stopped = Some(result),
                _ => closing = Some(result),
            })
            .await
            .map_err(BulkFailure::into_cause)?;
            let error = match (stopped, closing) {
                (Some(Ok(())), _) => return Ok(true),
                (Some(Err(error)), _) | (None, Some(Err(error))) => error,
                (None, _) => return Ok(false),
            };
            if error.errno != Errno::ENOENT.raw() || looked_up || !self.look_up_family().await? {
                return Err(Cause::kernel(error, &datagram));
            }
            looked_up = true;
        }
    }

    /// Sends this many messages, which are complete but for family, flags and sequence number, and reports each that
    /// was answered.
    ///
    /// After a failure, the outcome of the messages that were not answered is unknown.
    pub(super) async fn commands(
        &mut self,
        datagram: &mut [u8],
        count: usize,
        answered: impl FnMut(u32, Result<(), KernelError>),
    ) -> Result<(), BulkFailure> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let first = self.sequence.take(count);
        readdress(datagram, self.family, [NLM_F_REQUEST, Expect::Acknowledgement.flags()], first);
        self.bulk(datagram, &Bulk::new(Expect::Acknowledgement, self.port, first, count), answered).await
    }

    async fn bulk(
        &mut self,
        datagram: &[u8],
        bulk: &Bulk,
        mut answered: impl FnMut(u32, Result<(), KernelError>),
    ) -> Result<(), BulkFailure> {
        if self.stale {
            self.discard_stale().await;
        }
        let before = self.begin();
        if let Err(error) = self.link.transport().send(datagram) {
            self.stale = before;
            return Err(BulkFailure::NotSent(error));
        }
        let mut reception = self.reception();
        let cause = loop {
            let len = match self.poll(&mut reception) {
                PollOutcome::Datagram(len) => len,
                other => match self.receive(other, &mut reception).await {
                    Ok(len) => len,
                    Err(cause) => break cause,
                },
            };
            match bulk.feed(self.incoming.get(..len).unwrap_or_default(), &mut answered) {
                // The lost datagram may have been the answer to a command that failed.
                Ok(ExchangeProgress::Done) if reception.lost => break Cause::Lost,
                Ok(ExchangeProgress::Done) => {
                    self.stale = before;
                    return Ok(());
                }
                Ok(ExchangeProgress::Pending) => match self.yield_between_datagrams(&mut reception).await {
                    Ok(()) => {}
                    Err(cause) => break cause,
                },
                Err(ExchangeFailure::Decode(error)) => break Cause::Decode(error),
                Err(_) => break Cause::Lost,
            }
        };
        Err(BulkFailure::Unknown(cause))
    }

    /// Sends the contents of the outgoing buffer and receives the answer.
    async fn exchange(
        &mut self,
        expect: Expect,
        family: u16,
        sequence: u32,
        answer: &mut impl Answer,
    ) -> Result<(), Cause> {
        if self.stale {
            self.discard_stale().await;
        }
        let before = self.begin();
        if let Err(error) = self.link.transport().send(&self.outgoing) {
            self.stale = before;
            return Err(Cause::Io(error));
        }
        let mut exchange = Exchange::new(expect, family, self.port, sequence);
        let mut reception = self.reception();
        loop {
            let len = match self.poll(&mut reception) {
                PollOutcome::Datagram(len) => len,
                other => self.receive(other, &mut reception).await?,
            };
            let datagram = self.incoming.get(..len).unwrap_or_default();
            let progress = exchange.feed(datagram, |command, attributes| answer.take(command, attributes));
            answer.end_datagram(len);
            match progress {
                // The lost datagram may have held rows.
                Ok(ExchangeProgress::Done) if reception.lost && expect == Expect::List => return Err(Cause::Lost),
                Ok(ExchangeProgress::Done) => {
                    self.stale = before;
                    return Ok(());
                }
                Ok(ExchangeProgress::Pending) => self.yield_between_datagrams(&mut reception).await?,
                // An error is a complete answer: no more datagrams will come.
                Err(ExchangeFailure::Kernel(error)) => {
                    self.stale = before;
                    return Err(Cause::kernel(error, &self.outgoing));
                }
                Err(ExchangeFailure::Interrupted) => return Err(Cause::Interrupted { attempts: 1 }),
                Err(ExchangeFailure::Overrun) => return Err(Cause::Lost),
                Err(ExchangeFailure::Decode(error)) => return Err(Cause::Decode(error)),
            }
        }
    }

    /// Begins an exchange, and returns the value to restore in `stale` when it is over.
    const fn begin(&mut self) -> bool {
        mem::replace(&mut self.stale, true)
    }

    const fn reception(&self) -> Reception {
        Reception { deadline: Deadline::new(self.deadline), datagrams: 0, lost: false }
    }

    /// Polls for a datagram.
    fn poll(&mut self, reception: &mut Reception) -> PollOutcome {
        match self.link.transport().try_receive(&mut self.incoming) {
            // Other privileged processes may send to a port that they know; only port 0 is the kernel.
            Ok(Some(received)) if received.sender != 0 => {}
            Ok(Some(received)) if received.len > self.incoming.len() => {
                return PollOutcome::Failure(Cause::Truncated { len: received.len });
            }
            Ok(Some(received)) => {
                reception.datagrams = reception.datagrams.saturating_add(1);
                self.is_warm = true;
                return PollOutcome::Datagram(received.len);
            }
            // The kernel answers within the system call that sends, so that an answer that is not there now was lost.
            Ok(None) if reception.lost => return PollOutcome::Failure(Cause::Lost),
            Ok(None) => {
                let left = reception.deadline.remaining(Instant::now());
                return left.map_or_else(|| PollOutcome::Failure(self.timeout()), PollOutcome::Pending);
            }
            // Datagrams that arrived before the loss can still be received.
            Err(error) if is_loss(&error) => reception.lost = true,
            Err(error) => return PollOutcome::Failure(Cause::Io(error)),
        }
        match reception.deadline.remaining(Instant::now()) {
            Some(_) => PollOutcome::Ignored,
            None => PollOutcome::Failure(self.timeout()),
        }
    }

    /// Waits for a datagram from the kernel, unless this poll has found one, and returns its length.
    async fn receive(&mut self, mut outcome: PollOutcome, reception: &mut Reception) -> Result<usize, Cause> {
        loop {
            match outcome {
                PollOutcome::Datagram(len) => return Ok(len),
                PollOutcome::Failure(cause) => return Err(cause),
                PollOutcome::Pending(left) => {
                    if !self.link.arrival(left).await.map_err(Cause::Io)? {
                        return Err(self.timeout());
                    }
                }
                // A sender that floods the socket must not keep other tasks from their turn.
                PollOutcome::Ignored => self.link.pause().await,
            }
            outcome = self.poll(reception);
        }
    }

    /// Gives other tasks their turn between the datagrams of a long answer, as long as the deadline has not passed.
    async fn yield_between_datagrams(&mut self, reception: &mut Reception) -> Result<(), Cause> {
        if reception.deadline.remaining(Instant::now()).is_none() {
            return Err(self.timeout());
        }
        if reception.datagrams >= DATAGRAMS_IN_A_ROW {
            self.link.pause().await;
        }
        Ok(())
    }

    /// Discards the answers of an exchange that was given up. Reading the rest of a list also ends it on the kernel's
    /// side, which makes one at a time.
    async fn discard_stale(&mut self) {
        for _ in 0..STALE_DATAGRAMS {
            match self.link.transport().try_receive(&mut self.incoming) {
                Ok(Some(_)) => self.link.pause().await,
                Err(error) if is_loss(&error) => {}
                // If the transport has failed, the next exchange will report it.
                Ok(None) | Err(_) => {
                    self.stale = false;
                    return;
                }
            }
        }
    }

    const fn timeout(&self) -> Cause {
        Cause::Timeout { after: self.deadline }
    }
}

/// The reason why some commands of a bulk have no answer.
#[derive(Debug)]
pub(super) enum BulkFailure {
    /// None was executed.
    NotSent(io::Error),
    /// Those that were not answered may have been executed.
    Unknown(Cause),
}

impl BulkFailure {
    fn into_cause(self) -> Cause {
        match self {
            Self::NotSent(error) => Cause::Io(error),
            Self::Unknown(cause) => cause,
        }
    }
}

#[derive(Debug)]
struct FoundFamily(Option<Family>);

impl Answer for FoundFamily {
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError> {
        self.0 = Some(Family::decode(command, attributes, FAMILY_NAME)?);
        Ok(())
    }

    fn restart(&mut self) {
        self.0 = None;
    }
}

fn is_loss(error: &io::Error) -> bool {
    error.raw_os_error().and_then(|number| u32::try_from(number).ok()) == Some(Errno::ENOBUFS.raw())
}
