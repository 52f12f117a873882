//! Messages of the kernel, to be addressed when the question is known.

use ipvs_rs::codec::Reply;
use ipvs_rs::error::Errno;

use crate::netlink::{
    ACK_TLVS, CAPPED, CONTROLLER, DONE, ERROR, INTERRUPTED, MULTI, NOOP, OVERRUN, addressed, name, number16, number32,
};

/// The port id of our side.
pub(crate) const PORT: u32 = 88;

/// A question as the other side sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) family: u16,
    pub(crate) sequence: u32,
}

/// One message of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    kind: Kind,
    flags: u16,
    payload: Vec<u8>,
    /// Which question of the datagram it answers.
    place: usize,
    /// How many numbers before that one.
    late_by: u32,
    port: u32,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Own(u16),
    Family,
}

impl Message {
    fn new(kind: Kind, flags: u16, payload: Vec<u8>) -> Self {
        Self { kind, flags, payload, place: 0, late_by: 0, port: PORT }
    }

    /// Answers another question of the datagram than the first.
    pub(crate) fn to(mut self, place: usize) -> Self {
        self.place = place;
        self
    }

    /// Answers a question that was asked before.
    pub(crate) fn late(mut self) -> Self {
        self.late_by = 1;
        self
    }

    pub(crate) fn for_port(mut self, port: u32) -> Self {
        self.port = port;
        self
    }

    /// Marks a list as one that changed meanwhile.
    pub(crate) fn interrupted(mut self) -> Self {
        self.flags |= INTERRUPTED;
        self
    }

    /// Adds the kernel's sentence and the place of the attribute that it is about.
    pub(crate) fn explained(mut self, sentence: &str, offset: u32) -> Self {
        self.flags |= ACK_TLVS;
        self.payload.extend(name(1, sentence));
        self.payload.extend(number32(2, offset));
        self
    }

    /// The bytes, for the questions that it may answer.
    pub(crate) fn bytes(&self, asked: &[Asked]) -> Vec<u8> {
        let question = asked[self.place];
        let kind = match self.kind {
            Kind::Own(kind) => kind,
            Kind::Family => question.family,
        };
        let sequence = question.sequence.wrapping_sub(self.late_by);
        let mut bytes = addressed(self.port, kind, self.flags, sequence, &self.payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }
}

/// Success.
pub(crate) fn ack() -> Message {
    refusal_code(0)
}

/// A refusal.
pub(crate) fn refusal(errno: Errno) -> Message {
    refusal_code(-i32::try_from(errno.raw()).unwrap())
}

fn refusal_code(code: i32) -> Message {
    // The header of the question, which is not read.
    Message::new(Kind::Own(ERROR), CAPPED, [&code.to_ne_bytes()[..], &[0; 16]].concat())
}

/// Data of the family.
pub(crate) fn data(reply: &Reply) -> Message {
    let mut payload = vec![reply.command().number(), 1, 0, 0];
    reply.encode(&mut payload);
    Message::new(Kind::Family, 0, payload)
}

/// A row of a list.
pub(crate) fn row(reply: &Reply) -> Message {
    let mut message = data(reply);
    message.flags = MULTI;
    message
}

/// Data of the family that is not ours to make.
pub(crate) fn raw_data(command: u8, attributes: &[u8]) -> Message {
    Message::new(Kind::Family, 0, [&[command, 1, 0, 0], attributes].concat())
}

/// The end of a list.
pub(crate) fn done() -> Message {
    done_with(0)
}

/// The end of a list with a code.
pub(crate) fn done_with(code: i32) -> Message {
    Message::new(Kind::Own(DONE), MULTI, code.to_ne_bytes().to_vec())
}

/// The end of a list without a code.
pub(crate) fn bare_done() -> Message {
    Message::new(Kind::Own(DONE), MULTI, Vec::new())
}

pub(crate) fn noop() -> Message {
    Message::new(Kind::Own(NOOP), 0, Vec::new())
}

pub(crate) fn overrun() -> Message {
    Message::new(Kind::Own(OVERRUN), 0, Vec::new())
}

/// The controller's answer about a family.
pub(crate) fn family(family: &str, number: u16) -> Message {
    const NEW_FAMILY: u8 = 1;
    let attributes =
        [&[NEW_FAMILY, 2, 0, 0][..], &name(2, family), &number16(1, number), &number32(3, 1), &number32(4, 0)];
    Message::new(Kind::Own(CONTROLLER), 0, attributes.concat())
}
