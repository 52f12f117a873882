use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};

use super::failure::{ExchangeFailure, KernelError};
use crate::codec::{DecodeError, DecodeProblem, Frame, Frames, Payload, Request};

/// The kind of answer that an exchange expects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "netlink has these three ways to answer")]
pub enum Expect {
    /// An acknowledgement.
    Acknowledgement,
    /// One data message. An acknowledgement is not requested, because it would come in a separate datagram.
    Reply,
    /// Any number of messages and an end mark.
    List,
}

impl Expect {
    /// The kind of answer to a request of the family.
    pub const fn of(request: &Request) -> Self {
        if request.is_dump() {
            Self::List
        } else if request.is_get() {
            Self::Reply
        } else {
            Self::Acknowledgement
        }
    }

    /// The `NLM_F_*` bits that request it.
    pub const fn flags(self) -> u16 {
        match self {
            Self::Acknowledgement => NLM_F_REQUEST | NLM_F_ACK,
            Self::Reply => NLM_F_REQUEST,
            Self::List => NLM_F_REQUEST | NLM_F_DUMP,
        }
    }
}

/// Whether an exchange expects more datagrams.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[allow(clippy::exhaustive_enums, reason = "an exchange is either complete or not")]
pub enum ExchangeProgress {
    /// Pass the next datagram.
    Pending,
    /// The answer is complete.
    Done,
}

/// One request and its answer.
///
/// Pass every datagram that arrives to [`feed`](Self::feed) until it returns [`ExchangeProgress::Done`] or an error;
/// after either the exchange is over. An exchange that is abandoned earlier leaves answers behind, which the next one
/// skips by their sequence number.
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

    /// Processes one datagram and passes each data message, as command and attributes, to a function.
    ///
    /// # Errors
    ///
    /// When the kernel refused, when its messages cannot be read, when messages were lost, when the kernel marked the
    /// list as interrupted (then all of it has been read), and with the error of the function.
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
                        // Success without the requested data is not an answer.
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
