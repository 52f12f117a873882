use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NLM_F_REQUEST};
use netlink_packet_generic::constants::GENL_ID_CTRL;

use super::answer::{Options, acknowledgement};
use super::fault::Fault;
use super::list::Listing;
use super::machine::{Caller, Machine, Outcome};
use super::wire::{HEADER, Message, Messages, Remark};
use crate::codec::IpvsCommand;
use crate::error::Errno;
use crate::transport::{Limits, Received, Transport};

/// A socket of a [`FakeKernel`](super::FakeKernel), in one of its network namespaces.
///
/// It is opened with the defaults of [`KernelSocket`](crate::transport::KernelSocket): buffers of 212,992 bytes, short
/// errors (`NETLINK_CAP_ACK`) with the kernel's messages (`NETLINK_EXT_ACK`).
///
/// ```
/// use ipvs_rs::Handle;
/// use ipvs_rs::testing::FakeKernel;
///
/// let kernel = FakeKernel::new();
/// let handle = Handle::builder().open_over(kernel.transport().unprivileged())?;
/// assert!(handle.get_services().unwrap_err().is_permission_denied());
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
pub struct FakeSocket {
    machine: Arc<Mutex<Machine>>,
    caller: Caller,
    send_buffer: usize,
    receive_buffer: usize,
    arrived: VecDeque<Arrival>,
    /// The memory of the datagrams that are not received yet, as the kernel counts it.
    used: usize,
    /// Whether a datagram was lost, and not all of those before it have been received.
    is_congested: bool,
    /// Whether there is a loss that was not reported yet.
    loss: bool,
    listing: Option<Listing>,
    /// The length of the longest buffer that was ever used to receive.
    longest: usize,
    /// Delayed answers, the next one first.
    late: VecDeque<Late>,
    /// The time that was spent waiting for answers, which passes for this socket only.
    waited: Duration,
}

#[derive(Clone, Debug)]
struct Arrival {
    bytes: Vec<u8>,
    sender: u32,
    cost: usize,
    /// Whether it does not fit any buffer.
    is_oversized: bool,
}

#[derive(Clone, Debug)]
struct Late {
    /// The time at which it arrives: the kernel's time plus the time that this socket has waited.
    due: Duration,
    arrival: Arrival,
}

/// Shows the port id, the namespace, and the number of datagrams that wait to be received.
impl fmt::Debug for FakeSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSocket")
            .field("port", &self.caller.port)
            .field("namespace", &self.caller.namespace)
            .field("arrived", &self.arrived.len())
            .finish_non_exhaustive()
    }
}

impl FakeSocket {
    pub(super) fn new(machine: Arc<Mutex<Machine>>, namespace: u32) -> Self {
        let mut locked = lock(&machine);
        let port = locked.next_port;
        locked.next_port = port.checked_add(1).unwrap_or(1);
        drop(locked);
        Self {
            machine,
            caller: Caller { namespace, port, is_privileged: true, options: Options { capped: true, extended: true } },
            send_buffer: DEFAULT_BUFFER,
            receive_buffer: DEFAULT_BUFFER,
            arrived: VecDeque::new(),
            used: 0,
            is_congested: false,
            loss: false,
            listing: None,
            longest: 0,
            late: VecDeque::new(),
            waited: Duration::ZERO,
        }
    }

    /// Makes it the socket of a caller without `CAP_NET_ADMIN`: every command is refused, only the family can be looked
    /// up.
    #[must_use]
    pub fn unprivileged(mut self) -> Self {
        self.caller.is_privileged = false;
        self
    }

    /// Sets the size of the send buffer, in bytes as the kernel reports it.
    #[must_use]
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = bytes;
        self
    }

    /// Sets the size of the receive buffer, in bytes as the kernel reports it.
    #[must_use]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = bytes;
        self
    }

    /// Makes an error include the whole request, as for a socket without `NETLINK_CAP_ACK`.
    #[must_use]
    pub fn whole_errors(mut self) -> Self {
        self.caller.options.capped = false;
        self
    }

    /// Makes an error consist of a number only, as for a socket without `NETLINK_EXT_ACK`.
    #[must_use]
    pub fn bare_errors(mut self) -> Self {
        self.caller.options.extended = false;
        self
    }

    /// Executes the messages of a datagram, one after the other (`netlink_rcv_skb`).
    fn follow(&mut self, machine: &mut Machine, datagram: &[u8], fault: Option<&Fault>) {
        for message in Messages(datagram) {
            let mut remark = Remark::default();
            let result = self.answer(machine, &message, fault, &mut remark);
            let is_silent = matches!(fault, Some(Fault::SilentStop))
                && result.is_ok()
                && message.command().is_some_and(|(command, _)| command == IpvsCommand::DeleteDaemon.number());
            let result = match result {
                // A list that has begun is never acknowledged.
                Ok(Acknowledged::Never) => continue,
                Ok(Acknowledged::IfAsked) if message.flags & NLM_F_ACK == 0 || is_silent => continue,
                Ok(Acknowledged::IfAsked) => Ok(()),
                Err(errno) => Err(errno),
            };
            let bytes = acknowledgement(&message, self.caller.port, result, &remark, self.caller.options);
            let cost = machine.release.cost(bytes.len());
            self.deliver(bytes, cost);
        }
    }

    fn answer(
        &mut self,
        machine: &mut Machine,
        message: &Message<'_>,
        fault: Option<&Fault>,
        remark: &mut Remark,
    ) -> Result<Acknowledged, Errno> {
        /// The number of bytes that the kernel allocates for a reply.
        const REPLY: usize = 3776;
        if message.flags & NLM_F_REQUEST == 0 || message.kind < GENL_ID_CTRL {
            return Ok(Acknowledged::IfAsked);
        }
        if let Some(Fault::Refuse(errno)) = fault {
            return Err(*errno);
        }
        match machine.follow(self.caller, message, remark)? {
            Outcome::Done => Ok(Acknowledged::IfAsked),
            Outcome::Reply(bytes) => {
                let cost = machine.release.cost(REPLY.max(bytes.len()));
                self.deliver(bytes, cost);
                Ok(Acknowledged::IfAsked)
            }
            Outcome::List if self.listing.is_some() => Err(Errno::EBUSY),
            Outcome::List => {
                self.listing = Some(Listing::new(message));
                if self.used < self.receive_buffer {
                    self.continue_list(machine);
                }
                Ok(Acknowledged::Never)
            }
        }
    }

    /// Queues the next datagram of the list that is being read.
    fn continue_list(&mut self, machine: &mut Machine) {
        /// A page, less the part that the kernel needs itself.
        const LEAST: usize = 4096 - 320;
        const MOST: usize = 32_768 - 320;
        let room = self.longest.clamp(LEAST, MOST);
        if let Some(mut listing) = self.listing.take() {
            let (bytes, is_last) = listing.next(machine, self.caller, room);
            // A list waits for room instead of losing rows.
            self.queue(bytes, machine.release.cost(room));
            self.listing = (!is_last).then_some(listing);
        }
    }

    /// Puts a datagram into the receive buffer, if there is room.
    fn deliver(&mut self, bytes: Vec<u8>, cost: usize) {
        if self.is_congested || self.used + cost > self.receive_buffer {
            self.loss |= !self.is_congested;
            self.is_congested = true;
            return;
        }
        self.queue(bytes, cost);
    }

    fn queue(&mut self, bytes: Vec<u8>, cost: usize) {
        self.used += cost;
        self.arrived.push_back(Arrival { bytes, sender: 0, cost, is_oversized: false });
    }

    /// Applies a fault to the answers of one datagram.
    fn spoil(&mut self, machine: &mut Machine, request: &[u8], first: usize, fault: &Fault) {
        while self.listing.is_some() {
            self.continue_list(machine);
        }
        let mut answers: Vec<Arrival> = self.arrived.drain(first.min(self.arrived.len())..).collect();
        let ahead = |bytes: Vec<u8>, sender: u32| Arrival { bytes, sender, cost: 0, is_oversized: false };
        match fault {
            Fault::Delay(time) => {
                let due = machine.now.saturating_add(self.waited).saturating_add(*time);
                let place = self.late.partition_point(|late| late.due <= due);
                for answer in answers.drain(..).rev() {
                    self.late.insert(place, Late { due, arrival: answer });
                }
            }
            Fault::Drop => answers.clear(),
            Fault::Lose(kept) => {
                self.loss |= answers.len() > *kept;
                answers.truncate(*kept);
            }
            Fault::Duplicate => answers = answers.iter().flat_map(|answer| [answer.clone(), answer.clone()]).collect(),
            Fault::Reorder => answers.reverse(),
            Fault::Truncate => {
                for answer in &mut answers {
                    answer.is_oversized = true;
                }
            }
            Fault::Cut(len) => {
                for answer in &mut answers {
                    answer.bytes.truncate(*len);
                }
            }
            Fault::Interrupt => {
                for answer in &mut answers {
                    interrupt(&mut answer.bytes);
                }
            }
            Fault::Foreign(port) => {
                let forged = self.forged(request, 0, Ok(()));
                answers.splice(..0, forged.map(|bytes| ahead(bytes, *port)));
            }
            Fault::Stale => {
                let forged = self.forged(request, 1, Err(Errno::EPERM));
                answers.splice(..0, forged.map(|bytes| ahead(bytes, 0)));
            }
            Fault::Garbage(bytes) => answers.insert(0, ahead(bytes.clone(), 0)),
            Fault::Silence | Fault::SilentStop | Fault::Refuse(_) | Fault::SendFails(_) => {}
        }
        self.arrived.extend(answers);
        self.used = self.arrived.iter().map(|arrival| arrival.cost).sum();
    }

    /// Waits for the next of the delayed answers, at most for this time.
    fn take_late(&mut self, patience: Duration) {
        if self.late.is_empty() {
            self.waited = self.waited.saturating_add(patience);
            return;
        }
        let now = lock(&self.machine).now.saturating_add(self.waited);
        let end = now.saturating_add(patience);
        let next = self.late.front().map_or(end, |late| late.due.clamp(now, end));
        self.waited = self.waited.saturating_add(next.saturating_sub(now));
        while self.late.front().is_some_and(|late| late.due <= next) {
            self.arrived.extend(self.late.pop_front().map(|late| late.arrival));
        }
    }

    /// A forged answer to the first request of a datagram, or to one that was sent `back` requests before it.
    fn forged(&self, request: &[u8], back: u32, result: Result<(), Errno>) -> Option<Vec<u8>> {
        let first = Messages(request).next()?;
        let message = Message { sequence: first.sequence.wrapping_sub(back), ..first };
        Some(acknowledgement(&message, self.caller.port, result, &Remark::default(), self.caller.options))
    }
}

/// Whether success is acknowledged.
#[derive(Clone, Copy, Debug)]
enum Acknowledged {
    IfAsked,
    Never,
}

impl Transport for FakeSocket {
    fn port(&self) -> u32 {
        self.caller.port
    }

    fn limits(&self) -> Limits {
        Limits::of_buffers(self.send_buffer, self.receive_buffer)
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        const ENODATA: u32 = 61;
        if datagram.is_empty() {
            return Err(system_error(Errno::from_raw(ENODATA)));
        }
        if datagram.len() > self.send_buffer.saturating_sub(32) {
            return Err(system_error(Errno::EMSGSIZE));
        }
        let shared = Arc::clone(&self.machine);
        let machine = &mut *lock(&shared);
        let is_look_up = Messages(datagram).next().is_some_and(|message| message.kind == GENL_ID_CTRL);
        let fault = if is_look_up { None } else { machine.plan.step() };
        match fault {
            Some(Fault::Silence) => return Ok(()),
            Some(Fault::SendFails(errno)) => return Err(system_error(errno)),
            _ => {}
        }
        let first = self.arrived.len();
        self.follow(machine, datagram, fault.as_ref());
        if let Some(fault) = fault {
            self.spoil(machine, datagram, first, &fault);
        }
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        if std::mem::take(&mut self.loss) {
            return Err(system_error(Errno::ENOBUFS));
        }
        self.take_late(Duration::ZERO);
        let Some(arrival) = self.arrived.pop_front() else { return Ok(None) };
        for (to, from) in buffer.iter_mut().zip(&arrival.bytes) {
            *to = *from;
        }
        let len = if arrival.is_oversized { arrival.bytes.len().max(buffer.len() + 1) } else { arrival.bytes.len() };
        self.longest = self.longest.max(buffer.len());
        self.used = self.used.saturating_sub(arrival.cost);
        self.is_congested &= !self.arrived.is_empty();
        if self.listing.is_some() && self.used <= self.receive_buffer / 2 {
            let shared = Arc::clone(&self.machine);
            self.continue_list(&mut lock(&shared));
        }
        Ok(Some(Received { len, sender: arrival.sender }))
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.take_late(Duration::ZERO);
        if self.arrived.is_empty() && !self.loss {
            self.take_late(timeout);
        }
        Ok(self.loss || !self.arrived.is_empty())
    }
}

/// Marks every message of a list as interrupted (`NLM_F_DUMP_INTR`).
fn interrupt(datagram: &mut [u8]) {
    let places = Messages(datagram).scan(0, |start, message| {
        let place = *start;
        *start += message.bytes.len().next_multiple_of(4);
        Some((place, message.flags))
    });
    for (place, flags) in places.collect::<Vec<_>>() {
        let Some([_, _, _, _, _, _, f0, f1, ..]) =
            datagram.get_mut(place..).and_then(|it| it.first_chunk_mut::<HEADER>())
        else {
            return;
        };
        if flags & NLM_F_MULTIPART != 0 {
            [*f0, *f1] = (flags | NLM_F_DUMP_INTR).to_ne_bytes();
        }
    }
}

pub(super) fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

fn system_error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(i32::try_from(errno.raw()).unwrap_or(i32::MAX))
}

/// `net.core.rmem_default` and `net.core.wmem_default`.
const DEFAULT_BUFFER: usize = 212_992;
