//! A kernel that answers each request by a rule.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::Duration;

use ipvs_rs::codec::{FAMILY_NAME, Frames, Payload, Request};
use ipvs_rs::transport::{Received, Transport};

use crate::client::Handle;
use crate::message::{self, Asked, Message, PORT};
use crate::netlink::{CONTROLLER, DUMP};

/// Answers at once; what was not taken when the next request comes is a fault of this side.
pub(crate) struct Rule<F> {
    answer: F,
    answers: VecDeque<Vec<u8>>,
}

/// A handle whose requests are answered like this.
pub(crate) fn open(answer: impl Fn(&Request) -> Message + Send + 'static) -> Handle {
    Handle::builder().open_over(Rule { answer, answers: VecDeque::new() }).unwrap()
}

impl<F: Fn(&Request) -> Message + Send> Transport for Rule<F> {
    fn port(&self) -> u32 {
        PORT
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        assert!(self.answers.is_empty(), "an answer was not taken");
        for frame in Frames::new(datagram).map(Result::unwrap) {
            let Payload::Data { command, attributes } = frame.payload else { panic!("not a request") };
            let answer = match frame.kind {
                CONTROLLER => message::family(FAMILY_NAME, 31),
                _ => (self.answer)(&Request::decode(command, frame.flags & DUMP == DUMP, attributes).unwrap()),
            };
            self.answers.push_back(answer.bytes(&[Asked { family: frame.kind, sequence: frame.sequence }]));
        }
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        Ok(self.answers.pop_front().map(|bytes| {
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Received { len: bytes.len(), sender: 0 }
        }))
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        panic!("every answer is there at once")
    }
}

impl<F> fmt::Debug for Rule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("answers", &self.answers).finish_non_exhaustive()
    }
}
