//! The cost of the kernel and a bare socket: messages are encoded beforehand, and only the status of answers is read.

use std::os::fd::AsRawFd;
use std::time::Duration;

use ipvs_rs::codec::{FAMILY_NAME, Family, FamilyRequest, Frames, Payload, Request, put_family_request, put_request};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_GENERIC};
use nix::sys::socket::{MsgFlags, recv, send};

use crate::client::{BATCH, Client, Single, Work, timed};
use crate::load::Load;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;
const DONE: u16 = 3;
const ERROR: u16 = 2;

/// Two sockets: the kernel cuts lists by the largest buffer that a socket has ever received with.
pub struct Floor {
    commands: RawSocket,
    lists: RawSocket,
}

impl Floor {
    pub fn open(load: &Load) -> Self {
        Self { commands: RawSocket::open(LONGEST), lists: RawSocket::open(buffer_for(load.per_service)) }
    }
}

/// The largest piece that the kernel cuts a list into.
const LONGEST: usize = 32 * 1024;

/// The smallest buffer among those that are good for lists that has room for all destinations of a service.
fn buffer_for(destinations: u32) -> usize {
    const ROW: usize = 356;
    let needed = ROW * (destinations as usize + 1);
    [3776, 7872, 16064].into_iter().find(|size| *size >= needed).unwrap_or(LONGEST)
}

impl Client for Floor {
    fn work(&mut self, work: Work, load: &Load) -> Option<Duration> {
        let Self { commands, lists } = self;
        let services = || load.services.iter().cloned().map(Request::NewService);
        let add =
            || load.destinations.iter().map(|(id, destination)| Request::NewDestination(*id, destination.clone()));
        let change = || load.changed.iter().map(|(id, destination)| Request::SetDestination(*id, destination.clone()));
        let delete =
            || load.destinations.iter().map(|(id, destination)| Request::DeleteDestination(*id, destination.id));
        Some(match work {
            Work::AddServices => commands.one_by_one(services()),
            Work::AddDestinations => commands.one_by_one(add()),
            Work::AddDestinationsInBatches => commands.in_batches(add()),
            Work::Update => commands.one_by_one(change()),
            Work::UpdateInBatches => commands.in_batches(change()),
            Work::Snapshot => {
                let all = commands.written(&Request::GetServices, REQUEST | DUMP);
                let each: Vec<_> = load
                    .services
                    .iter()
                    .map(|service| lists.written(&Request::GetDestinations(service.id), REQUEST | DUMP))
                    .collect();
                timed(|| {
                    commands.list(&all);
                    for request in &each {
                        lists.list(request);
                    }
                })
            }
            Work::DeleteDestinations => commands.one_by_one(delete()),
            Work::Flush => commands.one_by_one([Request::Flush].into_iter()),
            Work::Restore => commands.in_batches(services().chain(add())),
            Work::Create => commands.in_batches(services()) + commands.in_batches(add()),
            Work::Delete => {
                let services = load.services.iter().map(|service| Request::DeleteService(service.id));
                commands.in_batches(delete()) + commands.in_batches(services)
            }
        })
    }

    fn singles(&mut self, single: Single, load: &Load, samples: usize) -> Vec<Duration> {
        let line = &mut self.commands;
        (0..samples)
            .map(|sample| match single {
                Single::Get => {
                    let service = &load.services[sample % load.services.len()];
                    // A reply without an acknowledgement: the reply is the confirmation.
                    let request = line.written(&Request::GetService(service.id), REQUEST);
                    timed(|| line.reply(&request))
                }
                Single::Update => {
                    let (id, destination) = &load.changed[sample % load.changed.len()];
                    let request = line.written(&Request::SetDestination(*id, destination.clone()), REQUEST | ACK);
                    timed(|| line.command(&request))
                }
            })
            .collect()
    }

    fn calls(&self) -> Option<u64> {
        Some(self.commands.calls + self.lists.calls)
    }
}

/// A socket with the buffer that it receives with.
struct RawSocket {
    socket: Socket,
    family: u16,
    buffer: Vec<u8>,
    calls: u64,
}

impl RawSocket {
    fn open(buffer: usize) -> Self {
        let mut socket = Socket::new(NETLINK_GENERIC).unwrap();
        socket.bind_auto().unwrap();
        socket.connect(&SocketAddr::new(0, 0)).unwrap();
        let mut line = Self { socket, family: 0, buffer: vec![0; buffer], calls: 0 };
        let mut question = Vec::new();
        put_family_request(&mut question, REQUEST, 1, FamilyRequest::new(FAMILY_NAME));
        line.send(&question);
        let length = line.receive();
        let frame = Frames::new(&line.buffer[..length]).next().unwrap().unwrap();
        let Payload::Data { command, attributes } = frame.payload else { panic!("{frame:?}") };
        line.family = Family::decode(command, attributes, FAMILY_NAME).unwrap().id;
        line
    }

    fn written(&self, request: &Request, flags: u16) -> Vec<u8> {
        let mut message = Vec::new();
        put_request(&mut message, self.family, flags, 1, request);
        message
    }

    /// Each command by itself, acknowledged.
    fn one_by_one(&mut self, requests: impl Iterator<Item = Request>) -> Duration {
        let messages: Vec<_> = requests.map(|request| self.written(&request, REQUEST | ACK)).collect();
        timed(|| messages.iter().for_each(|message| self.command(message)))
    }

    /// Many to a datagram, of which only the last is acknowledged. A failure is answered in any case.
    fn in_batches(&mut self, requests: impl Iterator<Item = Request>) -> Duration {
        let requests: Vec<_> = requests.collect();
        let datagrams: Vec<Vec<u8>> = requests
            .chunks(BATCH)
            .map(|batch| {
                let last = batch.len() - 1;
                let flags = |place| if place == last { REQUEST | ACK } else { REQUEST };
                batch.iter().enumerate().flat_map(|(place, request)| self.written(request, flags(place))).collect()
            })
            .collect();
        timed(|| datagrams.iter().for_each(|datagram| self.command(datagram)))
    }

    fn command(&mut self, datagram: &[u8]) {
        self.send(datagram);
        self.receive();
        assert_eq!((self.kind(), self.status()), (ERROR, 0), "a command was refused");
    }

    fn reply(&mut self, datagram: &[u8]) {
        self.send(datagram);
        self.receive();
        assert_eq!(self.kind(), self.family, "a question was refused");
    }

    fn list(&mut self, datagram: &[u8]) {
        self.send(datagram);
        loop {
            self.receive();
            if self.kind() == DONE {
                break;
            }
        }
    }

    fn send(&mut self, datagram: &[u8]) {
        self.calls += 1;
        assert_eq!(send(self.socket.as_raw_fd(), datagram, MsgFlags::empty()), Ok(datagram.len()));
    }

    fn receive(&mut self) -> usize {
        self.calls += 1;
        recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty()).unwrap()
    }

    /// The type of the first message.
    fn kind(&self) -> u16 {
        u16::from_ne_bytes([self.buffer[4], self.buffer[5]])
    }

    /// The number behind the first header.
    fn status(&self) -> i32 {
        i32::from_ne_bytes(self.buffer[16..20].try_into().unwrap())
    }
}
