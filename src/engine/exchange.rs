use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};

use super::failure::{ExchangeFailure, KernelError};
use crate::codec::{DecodeError, DecodeProblem, Frame, Frames, Payload, Request};

/// What an exchange waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "netlink has these three ways to answer")]
pub enum Expect {
    /// An acknowledgement.
    Acknowledgement,
    /// One message of data. No acknowledgement is asked for: it would come in a datagram of its own.
    Reply,
    /// Any number of messages and an end mark.
    List,
}

impl Expect {
    /// What answers a request of the family.
    pub const fn of(request: &Request) -> Self {
        if request.is_dump() {
            Self::List
        } else if request.is_get() {
            Self::Reply
        } else {
            Self::Acknowledgement
        }
    }

    /// The `NLM_F_*` bits that ask for it.
    pub const fn flags(self) -> u16 {
        match self {
            Self::Acknowledgement => NLM_F_REQUEST | NLM_F_ACK,
            Self::Reply => NLM_F_REQUEST,
            Self::List => NLM_F_REQUEST | NLM_F_DUMP,
        }
    }
}

/// Whether an exchange wants more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum ExchangeProgress {
    /// Push the next datagram.
    Pending,
    /// The answer is complete.
    Done,
}

/// One request and its answer.
///
/// Push every datagram that arrives with [`feed`](Self::feed) until it says [`ExchangeProgress::Done`] or fails; after
/// either the exchange is over. One that is given up earlier leaves answers behind, which the next exchange skips by
/// their number.
#[derive(Clone, Debug)]
pub struct Exchange {
    expect: Expect,
    family: u16,
    port: u32,
    sequence: u32,
    interrupted: bool,
}

impl Exchange {
    /// An exchange of a family, on the socket with this port id, under this sequence number.
    pub const fn new(expect: Expect, family: u16, port: u32, sequence: u32) -> Self {
        Self { expect, family, port, sequence, interrupted: false }
    }

    /// The `NLM_F_*` bits of the request.
    pub const fn flags(&self) -> u16 {
        self.expect.flags()
    }

    /// Takes in one datagram and hands each message of data, as command and attributes, to a function.
    ///
    /// # Errors
    ///
    /// When the kernel refused, when what it sent cannot be read, when it lost messages, when it marked the list as
    /// interrupted (then all of it has been read), and with whatever the function fails with.
    pub fn feed(
        &mut self,
        datagram: &[u8],
        mut data: impl FnMut(u8, &[u8]) -> Result<(), DecodeError>,
    ) -> Result<ExchangeProgress, ExchangeFailure> {
        for frame in Frames::new(datagram) {
            let frame = frame?;
            if frame.sequence != self.sequence || frame.port != self.port {
                continue;
            }
            self.interrupted |= frame.is_interrupted();
            match (frame.payload, self.expect) {
                (Payload::Noop, _) => {}
                (Payload::Overrun, _) => return Err(ExchangeFailure::Overrun),
                (Payload::Error(acknowledgement), expect) => {
                    return match KernelError::of(&acknowledgement) {
                        Some(error) => Err(ExchangeFailure::Kernel(error)),
                        None if expect == Expect::Acknowledgement => Ok(ExchangeProgress::Done),
                        // Success without the data that was asked for would be a lie.
                        None => Err(unexpected("nlmsgerr", &frame)),
                    };
                }
                (Payload::Done(end), Expect::List) => {
                    return match KernelError::of(&end) {
                        Some(error) => Err(ExchangeFailure::Kernel(error)),
                        None if self.interrupted => Err(ExchangeFailure::Interrupted),
                        None => Ok(ExchangeProgress::Done),
                    };
                }
                (Payload::Data { command, attributes }, Expect::List) if frame.kind == self.family => {
                    data(command, attributes)?;
                }
                (Payload::Data { command, attributes }, Expect::Reply) if frame.kind == self.family => {
                    data(command, attributes)?;
                    return Ok(ExchangeProgress::Done);
                }
                (Payload::Data { .. } | Payload::Done(_), _) => return Err(unexpected("nlmsghdr", &frame)),
            }
        }
        Ok(ExchangeProgress::Pending)
    }
}

pub(super) fn unexpected(what: &'static str, frame: &Frame<'_>) -> ExchangeFailure {
    ExchangeFailure::Decode(DecodeError::new(what, frame.offset, DecodeProblem::Unexpected))
}
