//! How often a call asks for memory, counted over a transport that never does, and how much a table takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::ops::Range;
#[cfg(feature = "tokio")]
use std::pin::pin;
#[cfg(feature = "tokio")]
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
#[cfg(feature = "tokio")]
use ipvs_rs::AsyncHandle;
use ipvs_rs::codec::{Frames, IpvsCommand, Payload, Reply, Request, put_request};
use ipvs_rs::handle::Outcome;
use ipvs_rs::model::{AddressFamily, Config, Persistence, PersistenceEngine, Reading, Timeout};
use ipvs_rs::procfs::{ConnectionState, Connections};
#[cfg(feature = "tokio")]
use ipvs_rs::transport::{Arrival, AsyncTransport};
use ipvs_rs::transport::{Received, Transport};
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId, Table};
use ipvs_rs::{DestinationEntry, ServiceEntry};

#[allow(dead_code, unreachable_pub, reason = "shared with the benches, which use more of it")]
#[path = "../benches/messages/mod.rs"]
mod messages;

const FAMILY: u16 = messages::FAMILY;
const PORT: u32 = 88;
const ROWS: u32 = 10_000;

/// Answers from memory that it has from the beginning.
#[derive(Debug)]
struct Memory {
    family: Vec<u8>,
    acknowledgement: Vec<u8>,
    service: Vec<u8>,
    config: Vec<u8>,
    services: Vec<Vec<u8>>,
    destinations: Vec<Vec<u8>>,
    sequence: u32,
    answer: Answer,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Nothing,
    Family,
    Acknowledgement,
    Service,
    Config,
    Services(usize),
    Destinations(usize),
}

fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    messages::netlink::addressed(PORT, kind, flags, 0, payload)
}

fn data(reply: &Reply) -> Vec<u8> {
    let mut payload = vec![reply.command().number(), 1, 0, 0];
    reply.encode(&mut payload);
    message(FAMILY, 0, &payload)
}

/// Rows in datagrams as long as the kernel makes them, and the end.
fn list(rows: impl Iterator<Item = Reply>) -> Vec<Vec<u8>> {
    let mut datagrams = vec![Vec::new()];
    for row in rows {
        let row = data(&row);
        if datagrams.last().unwrap().len() + row.len() > 32_448 {
            datagrams.push(Vec::new());
        }
        datagrams.last_mut().unwrap().extend(row);
    }
    datagrams.push(message(3, 2, &[0; 4]));
    datagrams
}

fn web() -> ServiceId {
    "TCP 192.0.2.10:80".parse().unwrap()
}

fn service() -> Service {
    Service::new(web(), Scheduler::Wlc).persistence(Persistence::for_secs(300).unwrap())
}

fn destination() -> Destination {
    Destination::new("10.0.0.2:8080".parse().unwrap(), ForwardMethod::Masquerade)
}

fn nth(number: u32) -> ServiceId {
    ServiceId::fwmark(number, AddressFamily::Ipv4).unwrap()
}

impl Memory {
    fn new() -> Self {
        Self::of(ROWS)
    }

    /// So many services, each with as many destinations.
    fn of(rows: u32) -> Self {
        let timeout = |secs| Some(Timeout::from_secs(secs).unwrap());
        let mut config = Config::new();
        (config.tcp, config.tcp_fin, config.udp) = (timeout(900), timeout(120), timeout(300));
        let services = (1..=rows).map(|number| {
            let service = Service::new(nth(number), Scheduler::from_name("hrw").unwrap());
            Reply::Service(ServiceEntry::new(service))
        });
        let destinations = (1..=rows).map(|number| {
            let [_, a, b, c] = number.to_be_bytes();
            let id = format!("10.{a}.{b}.{c}:80").parse().unwrap();
            Reply::Destination(DestinationEntry::new(Destination::new(id, ForwardMethod::DirectRoute)))
        });
        // NEWFAMILY with the name and the number.
        let mut family = vec![1, 2, 0, 0];
        for (kind, value) in [(2_u16, &b"IPVS\0\0\0\0"[..]), (1, &[&FAMILY.to_ne_bytes()[..], &[0; 2]].concat())] {
            let len: u16 = if kind == 2 { 9 } else { 6 };
            family.extend([len.to_ne_bytes(), kind.to_ne_bytes()].concat());
            family.extend(value);
        }
        Self {
            family: message(16, 0, &family),
            acknowledgement: message(2, 0x100, &[0; 20]),
            service: data(&Reply::Service(ServiceEntry::new(service()))),
            config: data(&Reply::Config(config)),
            services: list(services),
            destinations: list(destinations),
            sequence: 0,
            answer: Answer::Nothing,
        }
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().unwrap()
}

fn len(message: &[u8]) -> usize {
    usize::try_from(u32::from_ne_bytes(number(message, 0))).unwrap()
}

impl Transport for Memory {
    fn port(&self) -> u32 {
        PORT
    }

    /// Looks at the last message, which is the one that asks for an answer.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let mut last = datagram;
        while last.len() > len(last) {
            last = &last[len(last)..];
        }
        let kind = u16::from_ne_bytes(number(last, 4));
        let is_dump = u16::from_ne_bytes(number(last, 6)) & 0x300 == 0x300;
        self.sequence = u32::from_ne_bytes(number(last, 8));
        self.answer = match IpvsCommand::from_number(last[16]) {
            _ if kind == 16 => Answer::Family,
            Some(IpvsCommand::GetService) if is_dump => Answer::Services(0),
            Some(IpvsCommand::GetService) => Answer::Service,
            Some(IpvsCommand::GetDestination) => Answer::Destinations(0),
            Some(IpvsCommand::GetConfig) => Answer::Config,
            _ => Answer::Acknowledgement,
        };
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let (bytes, next) = match self.answer {
            Answer::Nothing => return Ok(None),
            Answer::Family => (&self.family, Answer::Nothing),
            Answer::Acknowledgement => (&self.acknowledgement, Answer::Nothing),
            Answer::Service => (&self.service, Answer::Nothing),
            Answer::Config => (&self.config, Answer::Nothing),
            Answer::Services(place) => (&self.services[place], Answer::Services(place + 1)),
            Answer::Destinations(place) => (&self.destinations[place], Answer::Destinations(place + 1)),
        };
        self.answer = next;
        buffer[..bytes.len()].copy_from_slice(bytes);
        let mut at = 0;
        while at < bytes.len() {
            buffer[at + 8..at + 12].copy_from_slice(&self.sequence.to_ne_bytes());
            at += len(&buffer[at..]);
        }
        Ok(Some(Received { len: bytes.len(), sender: 0 }))
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        panic!("every answer is there at once")
    }
}

fn open() -> Handle {
    Handle::builder().open_over(Memory::new()).unwrap()
}

/// How often memory is asked for by a call that was made before.
fn allocations(handle: &Handle, call: impl Fn(&Handle)) -> u64 {
    call(handle);
    measure(|| call(handle)).count_total
}

type Call = fn(&Handle);
#[cfg(feature = "tokio")]
type AsyncCall = fn(&AsyncHandle);

#[test]
fn encoding_into_a_buffer_that_was_used_asks_for_no_memory() {
    let mut buffer = Vec::new();
    let mut check = |label: &str, put: &dyn Fn(&mut Vec<u8>)| {
        let mut encode = || {
            buffer.clear();
            put(&mut buffer);
        };
        encode();
        assert_eq!(measure(encode).count_total, 0, "{label}");
    };
    for (label, request) in messages::requests() {
        check(label, &|buffer| put_request(buffer, FAMILY, 0x5, 1, &request));
    }
    for (label, reply) in messages::replies() {
        check(label, &|buffer| reply.encode(buffer));
    }
}

#[test]
fn decoding_asks_for_no_memory() {
    for (label, request) in messages::requests() {
        let mut attributes = Vec::new();
        request.encode(&mut attributes);
        let (command, dump) = (request.command().number(), request.is_dump());
        let info = measure(|| assert_eq!(Request::decode(command, dump, &attributes).as_ref(), Ok(&request)));
        assert_eq!(info.count_total, 0, "{label}");
    }
    let with = |name: &str| {
        let persistence = Persistence::for_secs(300).unwrap().engine(PersistenceEngine::from_name(name).unwrap());
        let mut entry = messages::service(1);
        entry.service = entry.service.persistence(persistence);
        ("service with an engine", Reply::Service(entry))
    };
    let scheduled = Scheduler::KNOWN.into_iter().chain([Scheduler::from_name("hrw").unwrap()]).map(|scheduler| {
        let mut entry = messages::service(1);
        entry.service.scheduler = scheduler;
        ("service with a scheduler", Reply::Service(entry))
    });
    for (label, reply) in messages::replies().into_iter().chain(scheduled).chain([with("sip"), with("dns")]) {
        let row = data(&reply);
        let info = measure(|| {
            for frame in Frames::new(&row) {
                let Payload::Data { command, attributes } = frame.unwrap().payload else { panic!("no data") };
                assert_eq!(Reply::decode(command, attributes).as_ref(), Ok(&reply));
            }
        });
        assert_eq!(info.count_total, 0, "{label}");
    }
}

#[test]
fn single_calls_ask_for_no_memory() {
    let handle = open();
    let calls: [(&str, Call); 13] = [
        ("new service", |handle| handle.new_service(&service()).unwrap()),
        ("update service", |handle| handle.update_service(&service()).unwrap()),
        ("delete service", |handle| handle.delete_service(&web()).unwrap()),
        ("new destination", |handle| handle.new_destination(&web(), &destination()).unwrap()),
        ("update destination", |handle| handle.update_destination(&web(), &destination()).unwrap()),
        ("delete destination", |handle| handle.delete_destination(&web(), &destination().id).unwrap()),
        ("get service", |handle| assert_eq!(handle.get_service(&web()).unwrap().unwrap().id(), web())),
        ("get config", |handle| assert!(handle.get_config().unwrap().tcp.is_some())),
        ("set config", |handle| handle.set_config(&Config::new()).unwrap()),
        ("zero", |handle| handle.zero_all().unwrap()),
        ("zero service", |handle| handle.zero_service(&web()).unwrap()),
        ("flush", |handle| handle.flush().unwrap()),
        ("modify service", |handle| assert_eq!(handle.modify_service(&web(), |_| ()).unwrap(), Outcome::Unchanged)),
    ];
    for (label, call) in calls {
        // The values themselves are made outside of the count: none of them has memory of its own either.
        assert_eq!(allocations(&handle, call), 0, "{label}");
    }
}

#[cfg(feature = "tokio")]
impl AsyncTransport for Memory {
    fn arrival(&mut self, _timeout: Duration) -> Arrival<'_> {
        panic!("every answer is there at once")
    }
}

/// The same with the async handle, and without a runtime, which has memory of its own.
#[cfg(feature = "tokio")]
#[test]
fn single_async_calls_ask_for_no_memory() {
    fn complete<T>(call: impl Future<Output = T>) -> T {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(call).poll(&mut context) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("every answer is there at once"),
        }
    }
    let handle = complete(AsyncHandle::builder().open_over(Memory::new())).unwrap();
    let calls: [(&str, AsyncCall); 6] = [
        ("new service", |handle| complete(handle.new_service(&service())).unwrap()),
        ("update service", |handle| complete(handle.update_service(&service())).unwrap()),
        ("update destination", |handle| complete(handle.update_destination(&web(), &destination())).unwrap()),
        ("get service", |handle| assert_eq!(complete(handle.get_service(&web())).unwrap().unwrap().id(), web())),
        ("get config", |handle| assert!(complete(handle.get_config()).unwrap().tcp.is_some())),
        ("modify service", |handle| {
            assert_eq!(complete(handle.modify_service(&web(), |_| ())).unwrap(), Outcome::Unchanged);
        }),
    ];
    for (label, call) in calls {
        call(&handle);
        assert_eq!(measure(|| call(&handle)).count_total, 0, "{label}");
    }
}

#[test]
fn list_asks_for_memory_for_the_rows_together() {
    let handle = open();
    let services = allocations(&handle, |handle| {
        assert_eq!(handle.get_services().unwrap().len(), usize::try_from(ROWS).unwrap());
    });
    let destinations = allocations(&handle, |handle| {
        assert_eq!(handle.get_destinations(&web()).unwrap().len(), usize::try_from(ROWS).unwrap());
    });
    eprintln!("{ROWS} rows: {services} and {destinations}");
    assert!(services <= 16, "{services} for {ROWS} services");
    assert!(destinations <= 16, "{destinations} for {ROWS} destinations");
}

#[test]
fn list_that_is_only_visited_asks_for_no_memory() {
    let rows = usize::try_from(ROWS).unwrap();
    let handle = open();
    let count = |visits: &dyn Fn(&mut usize)| {
        let mut count = 0;
        visits(&mut count);
        assert_eq!(count, rows);
    };
    let services = allocations(&handle, |handle| {
        count(&|count| assert_eq!(handle.for_each_service(|_| *count += 1).unwrap(), Reading::Fragmented));
    });
    let destinations = allocations(&handle, |handle| {
        count(&|count| assert_eq!(handle.for_each_destination(&web(), |_| *count += 1).unwrap(), Reading::Fragmented));
    });
    let one = allocations(&handle, |handle| {
        assert_eq!(handle.get_destination(&web(), &"10.0.0.7:80".parse().unwrap()).unwrap().unwrap().id().port(), 80);
    });
    assert_eq!((services, destinations, one), (0, 0, 0));
}

#[test]
fn table_that_is_filled_again_asks_for_no_memory() {
    for rows in [5, 20] {
        let [commands, reader] = [Memory::of(rows), Memory::of(rows)];
        let handle = Handle::builder().reader_transports([reader]).open_over(commands).unwrap();
        let table = RefCell::new(Table::default());
        let asked = allocations(&handle, |handle| {
            assert_eq!(handle.snapshot_into(&mut table.borrow_mut()).unwrap(), Reading::Whole);
        });
        assert_eq!(table.borrow().destination_count(), usize::try_from(rows * rows).unwrap());
        assert_eq!(asked, 0);
        // Once for the rows, and once for each service.
        let fresh = allocations(&handle, |handle| assert_eq!(handle.snapshot().unwrap(), *table.borrow()));
        assert_eq!(fresh, u64::from(rows) + 1);
    }
}

#[test]
fn batch_asks_for_memory_for_the_commands_together() {
    let handle = open();
    let batch = |count: u32| {
        allocations(&handle, |handle| {
            let commands = (1..=count).fold(handle.batch(), |batch, number| batch.delete_service(&nth(number)));
            let report = commands.send().unwrap();
            assert_eq!(report.results().len(), usize::try_from(count).unwrap());
            assert!(report.is_ok());
        })
    };
    // Messages, places, results. The first two have room for the commands of a short batch, and double as they grow:
    // 1000 commands of 40 bytes take 2 and 4 doublings, 10000 take 6 and 8.
    assert_eq!((batch(1), batch(64), batch(1_000), batch(10_000)), (3, 3, 9, 17));
}

#[test]
fn command_of_a_batch_takes_its_message_a_place_and_a_result() {
    const COMMANDS: u32 = 65_536;
    let handle = open();
    let info = measure(|| {
        let commands = (1..=COMMANDS).fold(handle.batch(), |batch, number| batch.delete_service(&nth(number)));
        assert!(commands.send().unwrap().is_ok());
    });
    // 40 bytes, 16 and 8. The most is in use when the messages double for the last time: then there are half as many
    // commands, with all their old and new room.
    let half = u64::from(COMMANDS / 2);
    assert_eq!(info.bytes_max, half * (40 + 16) + u64::from(COMMANDS) * 40);
}

/// A connection table of this many rows, made while it is read.
struct Rows {
    made: u32,
    count: u32,
    row: [u8; 80],
    left: Range<usize>,
}

impl Rows {
    fn new(count: u32) -> Self {
        let mut rows = Self { made: 0, count, row: [0; 80], left: 0..0 };
        rows.put(format_args!("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"));
        rows
    }

    fn put(&mut self, line: std::fmt::Arguments<'_>) {
        let mut rest = &mut self.row[..];
        rest.write_fmt(line).unwrap();
        let unused = rest.len();
        self.left = 0..self.row.len() - unused;
    }
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.left.is_empty() {
                if self.made == self.count {
                    break;
                }
                let (host, port) = (0x0A00_0000 + self.made, 0x8000 + self.made % 0x4000);
                self.put(format_args!("TCP {host:08X} {port:04X} C000020A 0050 0A020002 1F90 ESTABLISHED {:7}\n", 895));
                self.made += 1;
            }
            let len = self.left.len().min(buffer.len() - filled);
            buffer[filled..filled + len].copy_from_slice(&self.row[self.left.start..self.left.start + len]);
            self.left.start += len;
            filled += len;
        }
        Ok(filled)
    }
}

#[test]
fn table_of_connections_takes_the_same_memory_however_long_it_is() {
    let read = |count: u32| {
        measure(|| {
            let mut rows = 0;
            for connection in Connections::from_reader(Rows::new(count)) {
                assert_eq!(connection.unwrap().state, ConnectionState::Established);
                rows += 1;
            }
            assert_eq!(rows, count);
        })
    };
    let (short, long) = (read(100), read(100_000));
    eprintln!("100 rows: {} bytes at most; 100000 rows: {}", short.bytes_max, long.bytes_max);
    assert_eq!((long.count_total, long.bytes_max), (short.count_total, short.bytes_max));
    assert!(long.bytes_max <= 16_384, "{} bytes", long.bytes_max);
}

#[test]
fn row_that_never_ends_takes_bounded_memory() {
    let endless = || "Pro FromIP FPrt ToIP TPrt DestIP DPrt State Expires\n".as_bytes().chain(io::repeat(b'x'));
    let info = measure(|| assert_eq!(Connections::from_reader(endless()).filter(Result::is_err).count(), 1));
    assert!(info.bytes_max <= 32_768, "{} bytes", info.bytes_max);
}
