//! Messages put together by hand, and answers taken apart.

use std::io;
use std::time::Duration;

use ipvs_rs::codec::{FAMILY_NAME, Family, FamilyRequest, Frames, Payload, put_family_request};
use ipvs_rs::transport::Transport;

use super::World;
pub use crate::netlink::*;

/// A socket, with the number of the family.
pub struct RawSocket {
    pub socket: Box<dyn Transport>,
    pub family: u16,
    sequence: u32,
}

/// A message that came back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Error number and sentence; 0 is success.
    Error(i32, Option<String>),
    /// The end of a list, with its status and sentence.
    Done(i32, Option<String>),
    /// Command, flags, attributes.
    Data(u8, u16, Vec<u8>),
}

/// Success, without a word.
pub const OK: Answer = Answer::Error(0, None);

/// A refusal, without a word.
pub fn error(number: i32) -> Answer {
    Answer::Error(number, None)
}

/// A refusal, or success, with a sentence.
pub fn said(number: i32, sentence: &str) -> Answer {
    Answer::Error(number, Some(sentence.to_owned()))
}

impl RawSocket {
    pub fn open(world: &dyn World) -> Self {
        Self::over(world.transport())
    }

    /// The same over a socket of one's own.
    pub fn over(socket: Box<dyn Transport>) -> Self {
        let mut line = Self::with(socket, 0);
        let mut question = Vec::new();
        put_family_request(&mut question, REQUEST, 1, FamilyRequest::new(FAMILY_NAME));
        line.socket.send(&question).unwrap();
        let (answers, _) = line.receive(BUFFER).unwrap();
        let [Answer::Data(command, _, attributes)] = &answers[..] else { panic!("{answers:?}") };
        line.family = Family::decode(*command, attributes, FAMILY_NAME).unwrap().id;
        line
    }

    /// A socket that nothing was sent by yet.
    pub fn with(socket: Box<dyn Transport>, family: u16) -> Self {
        Self { socket, family, sequence: 0 }
    }

    /// A whole request of the family, with a sequence number of its own.
    pub fn request(&mut self, command: u8, flags: u16, attributes: &[u8]) -> Vec<u8> {
        self.sequence += 1;
        message(self.family, flags, self.sequence, &[&[command, 1, 0, 0], attributes].concat())
    }

    /// Sends a datagram and returns all messages of all datagrams that come back.
    pub fn ask(&mut self, datagram: &[u8]) -> Vec<Answer> {
        self.socket.send(datagram).unwrap();
        let mut answers = Vec::new();
        while let Some((more, _)) = self.receive(BUFFER) {
            answers.extend(more);
        }
        answers
    }

    /// Makes a request that must be answered by a single message.
    pub fn command(&mut self, command: u8, attributes: &[u8]) -> Answer {
        let request = self.request(command, REQUEST | ACK, attributes);
        let answers = self.ask(&request);
        let [answer] = <[Answer; 1]>::try_from(answers).unwrap();
        answer
    }

    /// The attributes of a refusal beside its number: types and values, in their order.
    pub fn remarks(&mut self, command: u8, attributes: &[u8]) -> Vec<(u16, Vec<u8>)> {
        const HEADERS: usize = 36;
        let request = self.request(command, REQUEST | ACK, attributes);
        self.socket.send(&request).unwrap();
        let mut buffer = vec![0; BUFFER];
        let len = self.socket.try_receive(&mut buffer).unwrap().unwrap().len;
        let mut rest = &buffer[HEADERS..len];
        let mut remarks = Vec::new();
        while let [l0, l1, k0, k1, ..] = *rest {
            let len = usize::from(u16::from_ne_bytes([l0, l1]));
            remarks.push((u16::from_ne_bytes([k0, k1]), rest[4..len].to_vec()));
            rest = &rest[len.next_multiple_of(4).min(rest.len())..];
        }
        remarks
    }

    /// The messages of the next datagram and its length, taken with a buffer of so many bytes; `None` when nothing is
    /// there.
    pub fn receive(&mut self, buffer: usize) -> Option<(Vec<Answer>, usize)> {
        let (answers, len) = self.try_receive(buffer).unwrap()?;
        Some((answers, len))
    }

    pub fn try_receive(&mut self, buffer: usize) -> io::Result<Option<(Vec<Answer>, usize)>> {
        let mut buffer = vec![0; buffer];
        let Some(received) = self.socket.try_receive(&mut buffer)? else { return Ok(None) };
        assert_eq!(received.sender, 0);
        let whole = buffer.get(..received.len).unwrap_or(&buffer);
        let answers = Frames::new(whole).map_while(Result::ok).map(|frame| {
            assert_eq!(frame.port, self.socket.port());
            match frame.payload {
                Payload::Error(it) => Answer::Error(it.code, it.extended.message.map(str::to_owned)),
                Payload::Done(it) => Answer::Done(it.code, it.extended.message.map(str::to_owned)),
                Payload::Data { command, attributes } => Answer::Data(command, frame.flags, attributes.to_vec()),
                other => panic!("{other:?}"),
            }
        });
        Ok(Some((answers.collect(), received.len)))
    }

    /// Whether something has arrived.
    pub fn has_answer(&mut self) -> bool {
        self.socket.wait(Duration::from_millis(1)).unwrap()
    }
}

/// As long as any datagram.
pub const BUFFER: usize = 32 * 1024;
