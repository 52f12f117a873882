//! The time to encode and to decode: every kind of message, and lists compared with a bare loop that does the same.
//!
//! `cargo bench --bench codec` measures. With `--bound` it only compares the library with the loop and fails where it
//! takes more than [`BOUND`] times as long; `cargo xtask bench codec` runs that with a clock that counts instructions.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a bench"
)]

mod messages;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group};
use ipvs_rs::codec::{Family, FamilyRequest, Frames, Payload, Reply, Request, put_family_request, put_request};
use ipvs_rs::model::AddressFamily;
use ipvs_rs::{DestinationEntry, ServiceEntry};

use self::messages::FAMILY;

/// The largest ratio of the library's time for decoding to that of the loop.
const BOUND: f64 = 1.3;

/// Rows of a list.
const ROWS: [u32; 3] = [1, 1_000, 100_000];

const FLAGS: u16 = 0x5;

fn bench_requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    for (name, request) in messages::requests() {
        encode(&mut group, name, |buffer| put_request(buffer, FAMILY, FLAGS, 1, black_box(&request)));
        let mut attributes = Vec::new();
        request.encode(&mut attributes);
        let (command, dump) = (request.command().number(), request.is_dump());
        decode(&mut group, name, &attributes, |bytes| Request::decode(command, dump, bytes).unwrap());
    }
}

fn bench_replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reply");
    for (name, reply) in messages::replies() {
        encode(&mut group, name, |buffer| black_box(&reply).encode(buffer));
        let mut attributes = Vec::new();
        reply.encode(&mut attributes);
        let command = reply.command().number();
        decode(&mut group, name, &attributes, |bytes| Reply::decode(command, bytes).unwrap());
    }
}

/// The headers around the attributes, and messages without attributes.
fn bench_frames(criterion: &mut Criterion) {
    let datagram = |kind, flags, payload: &[u8]| messages::netlink::message(kind, flags, 0, payload);
    // ENOENT for a message without attributes, with an explanation of eight bytes.
    let explanation = [12_u16.to_ne_bytes(), 1_u16.to_ne_bytes()].concat();
    let refused = [&(-2_i32).to_ne_bytes()[..], &16_u32.to_ne_bytes(), &[0; 12], &explanation, b"Refused\0"].concat();
    let frames = [
        ("acknowledgement", datagram(2, 0x100, &[0; 20])),
        ("error", datagram(2, 0x300, &refused)),
        ("done", datagram(3, 2, &[0; 4])),
        ("data", messages::list([Reply::Destination(messages::destination(1))])),
    ];
    let mut group = criterion.benchmark_group("frame");
    for (name, datagram) in &frames {
        decode(&mut group, name, datagram, |bytes| Frames::new(bytes).map(Result::unwrap).count());
    }
    let question = FamilyRequest::new("IPVS");
    encode(&mut group, "family", |buffer| put_family_request(buffer, FLAGS, 1, black_box(question)));
    // CTRL_CMD_NEWFAMILY with a name and a number.
    let mut family = Vec::new();
    question.encode(&mut family);
    family.extend([6_u16.to_ne_bytes(), 1_u16.to_ne_bytes(), FAMILY.to_ne_bytes(), [0; 2]].as_flattened());
    decode(&mut group, "family", &family, |bytes| Family::decode(1, bytes, "IPVS").unwrap());
}

fn bench_lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list");
    for count in ROWS {
        let (services, destinations) = lists(count);
        list(&mut group, "services", count, &services, read_services);
        list(&mut group, "services by hand", count, &services, services_by_hand);
        list(&mut group, "destinations", count, &destinations, read_destinations);
        list(&mut group, "destinations by hand", count, &destinations, destinations_by_hand);
        let service = messages::service(1).service.id;
        let requests =
            (1..=count).map(|number| Request::NewDestination(service, messages::destination(number).destination));
        let requests: Vec<Request> = requests.collect();
        encode(&mut group, format!("new destinations/{count}"), |buffer| {
            for request in black_box(&requests) {
                put_request(buffer, FAMILY, FLAGS, 1, request);
            }
        });
    }
}

/// Lists of this many services, and of this many destinations, as the kernel sends them.
fn lists(count: u32) -> (Vec<u8>, Vec<u8>) {
    let services = messages::list((1..=count).map(|number| Reply::Service(messages::service(number))));
    let destinations = messages::list((1..=count).map(|number| Reply::Destination(messages::destination(number))));
    (services, destinations)
}

fn length(bytes: &[u8]) -> u64 {
    bytes.len().try_into().unwrap()
}

/// Measures encoding into a buffer, which is used again.
fn encode(group: &mut BenchmarkGroup<'_, WallTime>, name: impl Into<String>, put: impl Fn(&mut Vec<u8>)) {
    let mut buffer = Vec::new();
    put(&mut buffer);
    group.throughput(Throughput::Bytes(length(&buffer)));
    group.bench_function(BenchmarkId::new("encode", name.into()), |bencher| {
        bencher.iter(|| {
            buffer.clear();
            put(&mut buffer);
        });
    });
}

fn decode<T>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, bytes: &[u8], read: impl Fn(&[u8]) -> T) {
    group.throughput(Throughput::Bytes(length(bytes)));
    group.bench_function(BenchmarkId::new("decode", name), |bencher| bencher.iter(|| read(black_box(bytes))));
}

/// Measures decoding into a vector, which is used again.
fn list<R>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    count: u32,
    bytes: &[u8],
    read: impl Fn(&[u8], &mut Vec<R>),
) {
    let mut rows = Vec::new();
    group.throughput(Throughput::ElementsAndBytes { elements: count.into(), bytes: length(bytes) });
    group.bench_function(BenchmarkId::new(name, count), |bencher| {
        bencher.iter(|| {
            rows.clear();
            read(black_box(bytes), &mut rows);
        });
    });
    assert_eq!(rows.len(), usize::try_from(count).unwrap(), "{name}");
}

fn read_services(datagram: &[u8], rows: &mut Vec<ServiceEntry>) {
    for frame in Frames::new(datagram) {
        if let Payload::Data { command, attributes } = frame.unwrap().payload {
            rows.push(Reply::decode_service(command, attributes).unwrap());
        }
    }
}

fn read_destinations(datagram: &[u8], rows: &mut Vec<DestinationEntry>) {
    for frame in Frames::new(datagram) {
        if let Payload::Data { command, attributes } = frame.unwrap().payload {
            rows.push(Reply::decode_destination(command, attributes, AddressFamily::Ipv4).unwrap());
        }
    }
}

/// The values of a service, as uninterpreted numbers.
#[derive(Default)]
struct HandService {
    family: u16,
    protocol: u16,
    address: [u8; 16],
    port: u16,
    mark: u32,
    scheduler: [u8; 16],
    engine: [u8; 17],
    flags: u32,
    timeout: u32,
    netmask: u32,
    stats: [u64; 10],
}

/// The values of a destination.
#[derive(Default)]
struct HandDestination {
    family: u16,
    address: [u8; 16],
    port: u16,
    method: u32,
    weight: u32,
    upper: u32,
    lower: u32,
    active: u32,
    inactive: u32,
    persistent: u32,
    tunnel_kind: u8,
    tunnel_port: u16,
    tunnel_flags: u16,
    stats: [u64; 10],
}

fn services_by_hand(datagram: &[u8], rows: &mut Vec<HandService>) {
    each_row(datagram, |payload| {
        let mut row = HandService::default();
        each_attribute(payload, |kind, value| match kind {
            1 => row.family = u16_of(value),
            2 => row.protocol = u16_of(value),
            3 => row.address = value[..16].try_into().unwrap(),
            4 => row.port = u16_of(value).to_be(),
            5 => row.mark = u32_of(value),
            6 => row.scheduler[..value.len()].copy_from_slice(value),
            7 => row.flags = u32_of(value),
            8 => row.timeout = u32_of(value),
            9 => row.netmask = u32_of(value),
            11 => row.engine[..value.len()].copy_from_slice(value),
            12 => row.stats = stats_by_hand(value),
            _ => {}
        });
        rows.push(row);
    });
}

fn destinations_by_hand(datagram: &[u8], rows: &mut Vec<HandDestination>) {
    each_row(datagram, |payload| {
        let mut row = HandDestination::default();
        each_attribute(payload, |kind, value| match kind {
            1 => row.address = value[..16].try_into().unwrap(),
            2 => row.port = u16_of(value).to_be(),
            3 => row.method = u32_of(value),
            4 => row.weight = u32_of(value),
            5 => row.upper = u32_of(value),
            6 => row.lower = u32_of(value),
            7 => row.active = u32_of(value),
            8 => row.inactive = u32_of(value),
            9 => row.persistent = u32_of(value),
            11 => row.family = u16_of(value),
            12 => row.stats = stats_by_hand(value),
            13 => row.tunnel_kind = value[0],
            14 => row.tunnel_port = u16_of(value).to_be(),
            15 => row.tunnel_flags = u16_of(value),
            _ => {}
        });
        rows.push(row);
    });
}

/// The 64-bit numbers, which are those that the library keeps; both skip the 32-bit ones.
fn stats_by_hand(block: &[u8]) -> [u64; 10] {
    let mut stats = [0; 10];
    each_attribute(block, |kind, value| {
        if let Some(number) = stats.get_mut(usize::from(kind) - 1) {
            *number = u64::from_ne_bytes(value[..8].try_into().unwrap());
        }
    });
    stats
}

/// The nested attributes in each message of data.
fn each_row(mut datagram: &[u8], mut row: impl FnMut(&[u8])) {
    while datagram.len() >= 16 {
        let len = u32_of(datagram) as usize;
        if u16_of(&datagram[4..]) == FAMILY {
            each_attribute(&datagram[20..len], |_, nest| row(nest));
        }
        datagram = datagram.get((len + 3) & !3..).unwrap_or_default();
    }
}

fn each_attribute(mut bytes: &[u8], mut attribute: impl FnMut(u16, &[u8])) {
    while bytes.len() >= 4 {
        let len = usize::from(u16_of(bytes));
        attribute(u16_of(&bytes[2..]) & 0x3fff, &bytes[4..len]);
        bytes = bytes.get((len + 3) & !3..).unwrap_or_default();
    }
}

fn u16_of(bytes: &[u8]) -> u16 {
    u16::from_ne_bytes([bytes[0], bytes[1]])
}

fn u32_of(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Compares with the loop only, and fails above the bound.
fn check_bound() {
    let (services, destinations) = lists(100);
    let compared = [
        ("service", time(&services, read_services), time(&services, services_by_hand)),
        ("destination", time(&destinations, read_destinations), time(&destinations, destinations_by_hand)),
    ];
    println!("Decoding, beside a bare loop that fills the same values; nanoseconds of the clock for one:");
    for (name, library, by_hand) in compared {
        let ratio = library / by_hand;
        println!("{name:<12} {library:>7.0}  by hand {by_hand:>7.0}  ratio {ratio:.2}");
        assert!(
            ratio <= BOUND,
            "decoding a {name} takes {ratio:.2} times as long as the loop, at most {BOUND} is allowed"
        );
    }
}

/// Nanoseconds for a row. A disturbance makes a pass longer, so the shortest counts.
fn time<R>(bytes: &[u8], read: impl Fn(&[u8], &mut Vec<R>)) -> f64 {
    let mut rows = Vec::new();
    let passes = (0..100).map(|_| {
        rows.clear();
        let start = Instant::now();
        read(black_box(bytes), &mut rows);
        start.elapsed()
    });
    let shortest = passes.min().unwrap_or(Duration::MAX);
    shortest.as_nanos() as f64 / rows.len() as f64
}

criterion_group!(benches, bench_requests, bench_replies, bench_frames, bench_lists);

fn main() {
    if std::env::args().any(|argument| argument == "--bound") {
        return check_bound();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
