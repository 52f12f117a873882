//! The other side, played from a script.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ipvs_rs::Error;
use ipvs_rs::codec::{FAMILY_NAME, Family, Frames, Payload, Reply, Request};
use ipvs_rs::engine::Expect;
use ipvs_rs::error::Errno;
use ipvs_rs::transport::{Limits, Received, Transport};

use crate::client::{Handle, HandleBuilder};
use crate::message::{self, Asked, Message, PORT};
use crate::netlink::{CONTROLLER, DUMP, REQUEST};

/// The number of the family while nothing else is said.
pub(crate) const FAMILY: u16 = 31;

/// The script of the other side: the requests that it waits for, and its answers.
///
/// A question is expected with [`expect`](Self::expect) and its like; what follows is played when it comes.
#[derive(Debug, Default)]
pub(crate) struct Script {
    turns: VecDeque<ScriptedExchange>,
    limits: Limits,
}

#[derive(Debug)]
struct ScriptedExchange {
    question: Question,
    events: Vec<Event>,
}

#[derive(Debug)]
enum Question {
    Family,
    /// Requests in one datagram, each with its flags.
    Requests(Vec<(Request, u16)>),
}

#[derive(Clone, Debug)]
enum Event {
    Datagram {
        sender: u32,
        messages: Vec<Message>,
    },
    Bytes(Vec<u8>),
    /// A datagram of this length, of which the buffer holds a part.
    Truncated {
        sender: u32,
        len: usize,
    },
    /// Nothing is there until the client waits.
    Pause,
    Loss,
    ReceiveFails(io::ErrorKind),
    SendFails(io::ErrorKind),
}

/// How often the transport was called.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Calls {
    pub(crate) sends: u32,
    pub(crate) receives: u32,
    pub(crate) waits: u32,
}

/// The script while it is played. It must have been played to its end when this goes away.
#[derive(Debug)]
pub(crate) struct Peer(Arc<Mutex<State>>);

#[derive(Debug)]
struct PeerTransport(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    turns: VecDeque<ScriptedExchange>,
    arrived: VecDeque<Arrival>,
    limits: Limits,
    family: u16,
    calls: Calls,
    /// Every number that was asked under.
    sequences: Vec<u32>,
}

#[derive(Debug)]
enum Arrival {
    Datagram(u32, Vec<u8>),
    Truncated(u32, usize),
    Pause,
    Loss,
    Failure(io::ErrorKind),
}

impl Script {
    /// A kernel that knows the family.
    pub(crate) fn new() -> Self {
        Self::bare().family(FAMILY)
    }

    /// Nothing yet.
    pub(crate) fn bare() -> Self {
        Self::default()
    }

    pub(crate) fn limits(mut self, answers: usize, datagram: usize) -> Self {
        self.limits = Limits { datagram, answers };
        self
    }

    fn turn(mut self, question: Question) -> Self {
        self.turns.push_back(ScriptedExchange { question, events: Vec::new() });
        self
    }

    fn event(mut self, event: Event) -> Self {
        self.turns.back_mut().expect("an answer needs a question").events.push(event);
        self
    }

    /// A look-up of the family, without an answer yet.
    pub(crate) fn expect_family_lookup(self) -> Self {
        self.turn(Question::Family)
    }

    /// A look-up of the family, answered with this number.
    pub(crate) fn family(self, number: u16) -> Self {
        self.expect_family_lookup().datagram([message::family(FAMILY_NAME, number)])
    }

    /// A request by itself.
    pub(crate) fn expect(self, request: Request) -> Self {
        let flags = Expect::of(&request).flags();
        self.turn(Question::Requests(vec![(request, flags)]))
    }

    /// Requests in one datagram, of which the last asks for an acknowledgement.
    pub(crate) fn expect_batch(self, requests: impl IntoIterator<Item = Request>) -> Self {
        let mut requests: Vec<_> = requests.into_iter().map(|request| (request, REQUEST)).collect();
        requests.last_mut().expect("a datagram has a message").1 = Expect::Acknowledgement.flags();
        self.turn(Question::Requests(requests))
    }

    /// Requests in one datagram, each as if it came by itself.
    pub(crate) fn expect_together(self, requests: impl IntoIterator<Item = Request>) -> Self {
        let with_flags = requests.into_iter().map(|request| {
            let flags = Expect::of(&request).flags();
            (request, flags)
        });
        self.turn(Question::Requests(with_flags.collect()))
    }

    pub(crate) fn ack(self) -> Self {
        self.datagram([message::ack()])
    }

    /// Acknowledges one request of several.
    pub(crate) fn ack_of(self, place: usize) -> Self {
        self.datagram([message::ack().to(place)])
    }

    pub(crate) fn error(self, errno: Errno) -> Self {
        self.datagram([message::refusal(errno)])
    }

    pub(crate) fn reply(self, reply: &Reply) -> Self {
        self.datagram([message::data(reply)])
    }

    /// Refuses one request of several.
    pub(crate) fn error_of(self, place: usize, errno: Errno) -> Self {
        self.datagram([message::refusal(errno).to(place)])
    }

    /// Rows in one datagram, the end in another, as the kernel does it.
    pub(crate) fn list(self, rows: &[Reply]) -> Self {
        let script = if rows.is_empty() { self } else { self.datagram(rows.iter().map(message::row)) };
        script.datagram([message::done()])
    }

    pub(crate) fn datagram(self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.event(Event::Datagram { sender: 0, messages: messages.into_iter().collect() })
    }

    pub(crate) fn bytes(self, bytes: Vec<u8>) -> Self {
        self.event(Event::Bytes(bytes))
    }

    /// Messages of another sender.
    pub(crate) fn foreign_sender(self, sender: u32, messages: impl IntoIterator<Item = Message>) -> Self {
        self.event(Event::Datagram { sender, messages: messages.into_iter().collect() })
    }

    pub(crate) fn truncated(self, len: usize) -> Self {
        self.event(Event::Truncated { sender: 0, len })
    }

    pub(crate) fn foreign_truncated(self, sender: u32, len: usize) -> Self {
        self.event(Event::Truncated { sender, len })
    }

    /// Answers were lost.
    pub(crate) fn enobufs(self) -> Self {
        self.event(Event::Loss)
    }

    /// Nothing more comes until the client has waited.
    pub(crate) fn pause(self) -> Self {
        self.event(Event::Pause)
    }

    /// No answer at all.
    pub(crate) fn silence(self) -> Self {
        self
    }

    pub(crate) fn receive_fails(self, kind: io::ErrorKind) -> Self {
        self.event(Event::ReceiveFails(kind))
    }

    pub(crate) fn send_fails(self, kind: io::ErrorKind) -> Self {
        self.event(Event::SendFails(kind))
    }

    /// Opens a handle over the script.
    pub(crate) fn open(self) -> (Handle, Peer) {
        let (opened, peer) = self.try_open(Handle::builder());
        (opened.unwrap(), peer)
    }

    pub(crate) fn try_open(self, builder: HandleBuilder) -> (Result<Handle, Error>, Peer) {
        let state = State {
            turns: self.turns,
            arrived: VecDeque::new(),
            limits: self.limits,
            family: 0,
            calls: Calls::default(),
            sequences: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let peer = Peer(Arc::clone(&state));
        (builder.open_over(PeerTransport(state)), peer)
    }
}

impl Peer {
    /// How often the transport was called since this was asked last.
    pub(crate) fn calls(&self) -> Calls {
        std::mem::take(&mut self.lock().calls)
    }

    /// Whether nothing that arrived is left.
    pub(crate) fn is_drained(&self) -> bool {
        self.lock().arrived.is_empty()
    }

    /// The numbers of all questions so far.
    pub(crate) fn sequences(&self) -> Vec<u32> {
        self.lock().sequences.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let turns = &self.lock().turns;
            assert!(turns.is_empty(), "never asked: {turns:?}");
        }
    }
}

/// The requests of a datagram, with their headers.
fn read(datagram: &[u8]) -> Vec<(u16, u16, u32, Option<Request>)> {
    let frames = Frames::new(datagram).map(|frame| frame.expect("well-formed requests"));
    let requests = frames.map(|frame| {
        let Payload::Data { command, attributes } = frame.payload else { panic!("not a request: {frame:?}") };
        let request = (frame.kind != CONTROLLER).then(|| {
            let dump = frame.flags & DUMP == DUMP;
            Request::decode(command, dump, attributes).expect("a readable request")
        });
        assert_eq!(frame.port, 0, "the port id of a request is the kernel's to know");
        (frame.kind, frame.flags, frame.sequence, request)
    });
    requests.collect()
}

impl Transport for PeerTransport {
    fn port(&self) -> u32 {
        PORT
    }

    fn limits(&self) -> Limits {
        self.0.lock().unwrap().limits
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.calls.sends += 1;
        let requests = read(datagram);
        let turn = state.turns.pop_front().unwrap_or_else(|| panic!("unknown expected {requests:?}"));
        let asked: Vec<Asked> =
            requests.iter().map(|(kind, _, sequence, _)| Asked { family: *kind, sequence: *sequence }).collect();
        state.sequences.extend(asked.iter().map(|question| question.sequence));
        match turn.question {
            Question::Family => {
                assert_eq!(requests.len(), 1);
                assert_eq!((requests[0].0, requests[0].1), (CONTROLLER, REQUEST), "a look-up");
            }
            Question::Requests(expected) => {
                let (requests, flags): (Vec<_>, Vec<_>) = requests
                    .into_iter()
                    .map(|(kind, flags, _, request)| {
                        assert_eq!(kind, state.family, "the number of the family");
                        (request.expect("not a look-up"), flags)
                    })
                    .unzip();
                let (expected, expected_flags): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
                assert_eq!(requests, expected);
                assert_eq!(flags, expected_flags, "flags of {requests:?}");
            }
        }
        for event in turn.events {
            match event {
                Event::Datagram { sender, messages } => {
                    let bytes: Vec<u8> = messages.iter().flat_map(|message| message.bytes(&asked)).collect();
                    state.learn_family(&bytes);
                    state.arrived.push_back(Arrival::Datagram(sender, bytes));
                }
                Event::Bytes(bytes) => state.arrived.push_back(Arrival::Datagram(0, bytes)),
                Event::Truncated { sender, len } => state.arrived.push_back(Arrival::Truncated(sender, len)),
                Event::Pause => state.arrived.push_back(Arrival::Pause),
                Event::Loss => state.arrived.push_back(Arrival::Loss),
                Event::ReceiveFails(kind) => state.arrived.push_back(Arrival::Failure(kind)),
                Event::SendFails(kind) => return Err(kind.into()),
            }
        }
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        assert!(buffer.len() >= 32 * 1024, "a smaller buffer makes the kernel cut what it sends");
        let mut state = self.0.lock().unwrap();
        state.calls.receives += 1;
        let arrival = match state.arrived.front() {
            None | Some(Arrival::Pause) => return Ok(None),
            Some(_) => state.arrived.pop_front().unwrap(),
        };
        match arrival {
            Arrival::Datagram(sender, bytes) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok(Some(Received { len: bytes.len(), sender }))
            }
            Arrival::Truncated(sender, len) => {
                assert!(len > buffer.len());
                Ok(Some(Received { len, sender }))
            }
            Arrival::Loss => Err(io::Error::from_raw_os_error(i32::try_from(Errno::ENOBUFS.raw()).unwrap())),
            Arrival::Failure(kind) => Err(kind.into()),
            Arrival::Pause => unreachable!("taken away by waiting only"),
        }
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        // None of the scripts is played with more than the default.
        assert!(!timeout.is_zero() && timeout <= Duration::from_secs(5), "{timeout:?}");
        let mut state = self.0.lock().unwrap();
        state.calls.waits += 1;
        let paused = matches!(state.arrived.front(), Some(Arrival::Pause));
        if paused {
            state.arrived.pop_front();
        }
        Ok(paused)
    }
}

impl State {
    /// Requests are expected under the number that was announced last.
    fn learn_family(&mut self, datagram: &[u8]) {
        for frame in Frames::new(datagram).map_while(Result::ok).filter(|frame| frame.kind == CONTROLLER) {
            if let Payload::Data { command, attributes } = frame.payload
                && let Ok(family) = Family::decode(command, attributes, FAMILY_NAME)
            {
                self.family = family.id;
            }
        }
    }
}
