//! Scenarios for a kernel in memory (requests of any process, time, traffic, faults), and for its recordings.

use std::time::Duration;

use super::{call_everything, each_message};
use crate::codec::{FAMILY_NAME, Family, FamilyRequest, Frames, Payload, put_family_request};
use crate::error::Errno;
use crate::handle::Handle;
use crate::model::{PersistenceEngine, Scheduler};
use crate::testing::{Ability, FakeKernel, FakeSocket, Fault, Interface, Release, Replay, Traffic, Transcript};
use crate::transport::{Received, Transport};

/// Lets things happen to a kernel in memory. It answers with messages that can be read, to the socket that asked, and comes
/// to an end; and at last, when it behaves, it is well.
pub fn fake_kernel(bytes: &[u8]) {
    let mut scenario = Scenario::new(FakeKernel::of(Release::V6_1));
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = u16::from_le_bytes(*length);
        let taken = if length < STEPS { usize::from(length) } else { 2 };
        let (taken, after) = after.split_at(taken.min(after.len()));
        rest = after;
        match <[u8; 2]>::try_from(taken) {
            Ok(argument) if length >= STEPS => scenario.step(length - STEPS, u16::from_le_bytes(argument)),
            _ => scenario.datagram(taken),
        }
    }
    scenario.end();
}

/// Reads bytes as a recorded conversation. What can be read is printed and read again, and is the same; a handle that
/// has it for its kernel gets an answer to every call.
pub fn transcript(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<Transcript>() {
        Ok(transcript) => {
            assert_eq!(transcript.to_string().parse().as_ref(), Ok(&transcript));
            let replay = Handle::builder().deadline(Duration::from_millis(50)).open_over(Replay::new(transcript));
            if let Ok(handle) = replay {
                call_everything(&handle);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A length of a datagram from here on says what else happens.
const STEPS: u16 = 0xff00;

struct Scenario {
    kernel: FakeKernel,
    socket: FakeSocket,
    family: u16,
    is_misbehaving: bool,
}

impl Scenario {
    fn new(kernel: FakeKernel) -> Self {
        let mut socket = kernel.transport();
        let family = family(&mut socket).unwrap_or_default();
        Self { kernel, socket, family, is_misbehaving: false }
    }

    /// Something happens besides requests.
    fn step(&mut self, step: u16, argument: u16) {
        let Self { kernel, .. } = self;
        match step {
            0 => kernel.advance(Duration::from_secs(argument.into())),
            1 => kernel.shuffle(argument.into()),
            2 => {
                kernel.misbehave(fault(argument));
                self.is_misbehaving = true;
            }
            3 => {
                kernel.behave();
                self.is_misbehaving = false;
            }
            4 => kernel.reload(),
            5 => kernel.enable(ability(argument)),
            6 => kernel.disable(ability(argument)),
            7 => kernel.add_interface(Interface::new("eth0").mtu(argument.into())),
            8 => kernel.remove_interface("eth0"),
            9 => carry(kernel, argument),
            10 => self.kernel = kernel.unshare(),
            11 => self.call_everything(),
            12 => self.socket = kernel.transport().whole_errors(),
            13 => self.socket = kernel.transport().bare_errors().receive_buffer(argument.into()),
            14 => self.socket = kernel.transport().unprivileged(),
            15 => *self = Self::new(FakeKernel::of(Release::V6_12)),
            16 => *self = Self::new(FakeKernel::of(Release::V7)),
            _ => {}
        }
    }

    /// Another program has a handle.
    fn call_everything(&self) {
        let handle = Handle::builder().deadline(Duration::from_millis(50)).open_over(self.kernel.transport());
        if let Ok(handle) = handle {
            call_everything(&handle);
        }
    }

    /// Another program sends a datagram. Messages for the first family are for IPVS, whatever its number is here.
    fn datagram(&mut self, bytes: &[u8]) {
        let mut datagram = bytes.to_vec();
        each_message(&mut datagram, |header| {
            let [k0, k1, ..] = &mut header[1];
            if u16::from_ne_bytes([*k0, *k1]) == FIRST_FAMILY {
                [*k0, *k1] = self.family.to_ne_bytes();
            }
        });
        if self.socket.send(&datagram).is_err() {
            return;
        }
        let mut buffer = vec![0; 32 * 1024];
        // A message of 16 bytes has one answer, or is the request for a list. A fault may double it or come before it.
        for _ in 0..2 * datagram.len() + 2 {
            match self.socket.try_receive(&mut buffer) {
                Ok(Some(_)) if self.is_misbehaving => {}
                Ok(Some(Received { len, sender })) => {
                    assert_eq!(sender, 0, "it is the kernel");
                    let answer = buffer.get(..len).unwrap_or(&buffer);
                    for frame in Frames::new(answer) {
                        assert!(frame.is_ok_and(|frame| frame.port == self.socket.port()), "{answer:02x?}");
                    }
                }
                Ok(None) => break,
                // Answers were lost, as they would be.
                Err(_) => {}
            }
        }
    }

    fn end(self) {
        self.kernel.behave();
        self.kernel.enable(Ability::Ipvs);
        let handle = self.kernel.handle();
        assert!(handle.is_ok_and(|handle| handle.get_info().is_ok() && handle.snapshot().is_ok()));
    }
}

/// The number that the family has in the requests of a scenario.
const FIRST_FAMILY: u16 = 31;

/// The number that the family has.
fn family(socket: &mut FakeSocket) -> Option<u16> {
    let mut question = Vec::new();
    put_family_request(&mut question, 1, 1, FamilyRequest::new(FAMILY_NAME));
    socket.send(&question).ok()?;
    let mut buffer = [0; 4096];
    let received = socket.try_receive(&mut buffer).ok()??;
    match Frames::new(buffer.get(..received.len)?).next()?.ok()?.payload {
        Payload::Data { command, attributes } => Some(Family::decode(command, attributes, FAMILY_NAME).ok()?.id),
        _ => None,
    }
}

/// Connections come and go; there may be no such destination.
fn carry(kernel: &FakeKernel, argument: u16) {
    let [count, kind] = argument.to_le_bytes();
    let traffic = Traffic::new().packets_in(count.into(), u64::MAX >> (kind & 63)).packets_out(1, 40);
    let traffic = match kind >> 6 {
        0 => traffic.opened(count.into()).held(1),
        1 => traffic.closed(count.into()),
        2 => traffic.expired(count.into()).released(1),
        _ => traffic.opened(u32::MAX),
    };
    if let (Ok(service), Ok(destination)) = ("TCP 192.0.2.10:80".parse(), "10.0.0.2:8080".parse()) {
        let _ = kernel.carry(&service, &destination, traffic);
    }
}

fn ability(argument: u16) -> Ability {
    match argument % 5 {
        0 => Ability::Ipvs,
        1 => Ability::Scheduler(Scheduler::Wlc),
        2 => Ability::Engine(PersistenceEngine::Sip),
        3 => Ability::Tunnels,
        _ => Ability::Ipv6,
    }
}

fn fault(argument: u16) -> Fault {
    let [kind, value] = argument.to_le_bytes();
    match kind % 14 {
        0 => Fault::Delay(Duration::from_millis(value.into())),
        1 => Fault::Silence,
        2 => Fault::Drop,
        3 => Fault::Lose(value.into()),
        4 => Fault::SilentStop,
        5 => Fault::Refuse(Errno::from_raw(value.into())),
        6 => Fault::SendFails(Errno::from_raw(value.into())),
        7 => Fault::Duplicate,
        8 => Fault::Reorder,
        9 => Fault::Truncate,
        10 => Fault::Cut(value.into()),
        11 => Fault::Interrupt,
        12 => Fault::Foreign(value.into()),
        _ => Fault::Stale,
    }
}
