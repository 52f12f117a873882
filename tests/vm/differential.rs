//! Random requests, right and wrong, to the real kernel and to the one in memory: every answer is the same to the byte.
//!
//! `IPVS_RS_REQUESTS` says how many, `IPVS_RS_SEED` which ones. A disagreement is made as short as it can be before it is
//! shown. Daemons are left out: they take interfaces, and are in the suite.

use std::env;
use std::fmt::Write as _;

use fastrand::Rng;
use ipvs_rs::codec::Frames;
use ipvs_rs::testing::{FakeKernel, Release};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::conformance::raw::{
    ACK, BUFFER, DEL_DEST, DEL_SERVICE, DUMP, FLUSH, GET_CONFIG, GET_DAEMON, GET_DEST, GET_INFO, GET_SERVICE, Line,
    NEW_DEST, NEW_SERVICE, REQUEST, ROOT, SET_CONFIG, SET_DEST, SET_SERVICE, ZERO, attribute,
};
use crate::kernel;
use crate::namespaces::alone;
use crate::world::RealKernel;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn random_requests_are_answered_alike_by_the_kernel_in_memory() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let requests = number("IPVS_RS_REQUESTS").unwrap_or(2_000);
    let seed = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
    kernel::note(&format!("IPVS_RS_SEED={seed} IPVS_RS_REQUESTS={requests}"));

    // Half of them on average.
    let cases = u32::try_from(requests.div_ceil(STORY as u64 / 2)).unwrap();
    // What fails is printed; there is no place in the virtual machine to keep it.
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    // A request is the same wherever it stands, so that a story becomes shorter by leaving some out.
    let story = vec(any::<u64>().no_shrink(), 1..=STORY);
    if let Err(failure) = runner.run(&story, |seeds| alone(|| compare(&seeds))) {
        panic!("{failure}");
    }
}

/// Requests to one table, at most.
const STORY: usize = 100;

fn compare(seeds: &[u64]) -> Result<(), TestCaseError> {
    let release = match kernel::version() {
        (6, 1..12) => Release::V6_1,
        (6, _) => Release::V6_12,
        _ => Release::V7,
    };
    let fake = FakeKernel::of(release);
    let mut lines = [Line::open(&RealKernel), Line::over(Box::new(fake.transport()))];
    let mut told = String::new();
    for seed in seeds {
        let request = Request::random(&mut Rng::with_seed(*seed));
        let [real, fake] = lines.each_mut().map(|line| answers(line, &request));
        let Request { command, flags, attributes, .. } = &request;
        // Writing to a string does not fail.
        let _ = writeln!(told, "  command {command}, flags {flags:#x}, attributes {}", hex(attributes));
        if real != fake {
            let [real, fake] = [real, fake].map(|messages| messages.iter().map(|m| hex(m) + "\n").collect::<String>());
            return Err(TestCaseError::fail(format!("requests:\n{told}real:\n{real}in memory:\n{fake}")));
        }
    }
    Ok(())
}

/// What comes back, message by message, without what differs between any two sockets: port, and number of the family.
fn answers(line: &mut Line, request: &Request) -> Vec<Vec<u8>> {
    let Request { command, flags, attributes, version } = request;
    let mut datagram = line.request(*command, *flags, attributes);
    datagram[17] = *version;
    line.socket.send(&datagram).unwrap();
    let mut messages = Vec::new();
    let mut buffer = vec![0; BUFFER];
    while let Some(received) = line.socket.try_receive(&mut buffer).unwrap() {
        let bytes = &buffer[..received.len];
        let starts: Vec<usize> = Frames::new(bytes).map(|frame| frame.unwrap().offset).collect();
        for start in starts {
            let length = u32::from_ne_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
            messages.push(comparable(bytes[start..start + length].to_vec(), line.family));
        }
    }
    // The order of services is that of a hash table, and contents of the information are of the machine.
    match (*command, flags & DUMP) {
        (GET_SERVICE, DUMP) => messages.sort(),
        (GET_INFO, _) => messages.iter_mut().for_each(|message| message.truncate(HEADER)),
        _ => {}
    }
    messages
}

fn comparable(mut message: Vec<u8>, family: u16) -> Vec<u8> {
    let family = family.to_ne_bytes();
    message[12..16].fill(0);
    if message[4..6] == family {
        message[4..6].fill(0);
    }
    // A refusal repeats the header of the request.
    if message[4..6] == ERROR.to_ne_bytes() && message.get(24..26) == Some(&family) {
        message[24..26].fill(0);
    }
    message
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Bytes of a netlink header.
const HEADER: usize = 16;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;

/// Only the name of a reply, which nobody may ask by.
const SET_INFO: u8 = 14;
/// One more than there are.
const UNKNOWN: u8 = 18;

/// A request, whatever it is worth.
struct Request {
    command: u8,
    flags: u16,
    version: u8,
    attributes: Vec<u8>,
}

impl Request {
    fn random(rng: &mut Rng) -> Self {
        // What builds tables comes more often than what empties them.
        const COMMANDS: [u8; 32] = [
            NEW_SERVICE,
            NEW_SERVICE,
            NEW_SERVICE,
            NEW_SERVICE,
            SET_SERVICE,
            SET_SERVICE,
            SET_SERVICE,
            DEL_SERVICE,
            GET_SERVICE,
            GET_SERVICE,
            GET_SERVICE,
            NEW_DEST,
            NEW_DEST,
            NEW_DEST,
            NEW_DEST,
            NEW_DEST,
            SET_DEST,
            SET_DEST,
            SET_DEST,
            DEL_DEST,
            DEL_DEST,
            GET_DEST,
            GET_DEST,
            GET_DAEMON,
            SET_CONFIG,
            GET_CONFIG,
            SET_INFO,
            GET_INFO,
            ZERO,
            FLUSH,
            UNKNOWN,
            0,
        ];
        let mut command = pick(rng, &COMMANDS);
        if command == FLUSH && often(rng) {
            command = GET_DEST;
        }
        let is_list = match command {
            GET_DEST | GET_DAEMON => often(rng),
            GET_SERVICE => rng.bool(),
            _ => seldom(rng),
        };
        let mut flags = REQUEST;
        flags |= if is_list { DUMP } else { 0 };
        flags |= if rng.u8(..4) > 0 { ACK } else { 0 };
        flags |= if seldom(rng) { ROOT } else { 0 };
        if seldom(rng) {
            flags &= !REQUEST;
        }
        let version = if seldom(rng) { rng.u8(..) } else { 1 };
        Self { command, flags, version, attributes: attributes(rng, command) }
    }
}

fn attributes(rng: &mut Rng, command: u8) -> Vec<u8> {
    let mut all = Vec::new();
    if command == SET_CONFIG {
        for kind in 4..=6 {
            if rng.bool() {
                let seconds = pick(rng, &[0_u32, 1, 900, 8_589_934, 8_589_935, u32::MAX]);
                all.extend(odd(rng, kind, &seconds.to_ne_bytes()));
            }
        }
        return all;
    }
    if command == ZERO && rng.bool() {
        return all;
    }
    let family = if seldom(rng) { 0 } else { pick(rng, &[INET, INET, INET6]) };
    let service = service(rng, family, matches!(command, NEW_SERVICE | SET_SERVICE));
    all.extend(odd(rng, 1, &service));
    if matches!(command, NEW_DEST | SET_DEST | DEL_DEST) || seldom(rng) {
        let destination = destination(rng, family);
        all.extend(odd(rng, 2, &destination));
    }
    if seldom(rng) {
        all.extend(attribute(rng.u16(..30), &[1, 2]));
    }
    if seldom(rng) {
        all.extend([9, 9]);
    }
    all
}

/// `IPVS_SVC_ATTR_*`, in their order.
fn service(rng: &mut Rng, family: u16, whole: bool) -> Vec<u8> {
    let mut all = odd(rng, 1, &family.to_ne_bytes());
    if rng.u8(..4) == 0 {
        let mark = pick(rng, &[7_u32, 7, 8, 0]);
        all.extend(odd(rng, 5, &mark.to_ne_bytes()));
    } else {
        let protocol = pick(rng, &[6_u16, 6, 17, 300]);
        all.extend(odd(rng, 2, &protocol.to_ne_bytes()));
        let host = rng.u8(1..3);
        let mut address = if family == INET6 { ipv6(0, host).to_vec() } else { vec![192, 0, 2, host] };
        // The library fills the union; what is behind an IPv4 address means nothing.
        address.resize(if rng.bool() { 16 } else { address.len() }, 9);
        all.extend(odd(rng, 3, &address));
        all.extend(odd(rng, 4, &80_u16.to_be_bytes()));
    }
    if whole || seldom(rng) {
        let scheduler: &[u8] = if seldom(rng) {
            pick(rng, &[b"nobody\0", b"\0", b"rr", b"rr\0xx", b"sixteen-letters-\0"])
        } else {
            pick(rng, &[b"rr\0", b"wlc\0", b"mh\0", b"none\0", b"sh\0"])
        };
        all.extend(odd(rng, 6, scheduler));
        let flags = [pick(rng, &[0_u32, 1, 4, 0x18, 2, u32::MAX]), pick(rng, &[u32::MAX, u32::MAX, 1, 0x1c, 2])];
        all.extend(odd(rng, 7, &flags.map(u32::to_ne_bytes).concat()));
        let timeout = pick(rng, &[0_u32, 300, 17_179_869, 17_179_870, u32::MAX]);
        all.extend(odd(rng, 8, &timeout.to_ne_bytes()));
        let mask = if family == INET6 && !seldom(rng) {
            pick(rng, &[128_u32, 64, 1, 0, 129]).to_ne_bytes()
        } else {
            [255, 255, rng.u8(..), 0]
        };
        all.extend(odd(rng, 9, &mask));
        if rng.u8(..4) == 0 {
            let engine: &[u8] = pick(rng, &[b"sip\0", b"\0", b"nobody\0", b"sip"]);
            all.extend(odd(rng, 11, engine));
        }
        if seldom(rng) {
            all.extend(odd(rng, 10, &[0; 8]));
            all.extend(odd(rng, 12, &[1]));
        }
    }
    if seldom(rng) {
        all.extend([1, 2, 3]);
    }
    all
}

/// `IPVS_DEST_ATTR_*`, in their order.
fn destination(rng: &mut Rng, of_service: u16) -> Vec<u8> {
    let family = if seldom(rng) { pick(rng, &[INET, INET6, 0, 99]) } else { of_service };
    let address = match family {
        _ if seldom(rng) => {
            let mut address = vec![0; pick(rng, &[4, 16])];
            address[0] = pick(rng, &[0, 255, 224, 127, 0xfe, 0xff]);
            address
        }
        INET6 => ipv6(1, rng.u8(1..6)).to_vec(),
        _ => vec![10, 0, 0, rng.u8(1..6)],
    };
    let mut all = odd(rng, 1, &address);
    all.extend(odd(rng, 2, &80_u16.to_be_bytes()));
    let method = pick(rng, &[0_u32, 1, 2, 2, 3, 4, 7, 0xffff_fff0]);
    all.extend(odd(rng, 3, &method.to_ne_bytes()));
    let weight =
        if seldom(rng) { pick(rng, &[1 << 31, u32::MAX]) } else { pick(rng, &[0_u32, 1, 100_000, (1 << 31) - 1]) };
    all.extend(odd(rng, 4, &weight.to_ne_bytes()));
    // One with the highest bit is refused by some kernels of a release and taken by others.
    let upper = pick(rng, &[0_u32, 10, (1 << 31) - 1, 5]);
    all.extend(odd(rng, 5, &upper.to_ne_bytes()));
    let lower = pick(rng, &[0_u32, 0, 5, 11]);
    all.extend(odd(rng, 6, &lower.to_ne_bytes()));
    if !seldom(rng) {
        all.extend(odd(rng, 11, &family.to_ne_bytes()));
    }
    if rng.u8(..3) == 0 {
        let kind = pick(rng, &[0_u8, 1, 2, 9]);
        all.extend(odd(rng, 13, &[kind]));
        let port = pick(rng, &[0_u16, 6080]);
        all.extend(odd(rng, 14, &port.to_be_bytes()));
        let flags = rng.u16(..);
        all.extend(odd(rng, 15, &flags.to_ne_bytes()));
    }
    all
}

const INET: u16 = 2;
const INET6: u16 = 10;

fn ipv6(net: u8, host: u8) -> [u8; 16] {
    [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, net, host]
}

/// An attribute, which may be missing, short, long, twice, empty, or hold anything.
fn odd(rng: &mut Rng, kind: u16, value: &[u8]) -> Vec<u8> {
    let anything = |rng: &mut Rng, most: usize| -> Vec<u8> { (0..rng.usize(..most)).map(|_| rng.u8(..)).collect() };
    // Nests come through here as well; a number in them must not become one with the highest bit by chance.
    match rng.u8(..) {
        0..=3 => Vec::new(),
        4..=6 => attribute(kind, value.get(..value.len().saturating_sub(1)).unwrap_or_default()),
        7..=8 => [attribute(kind, value), attribute(kind, value)].concat(),
        9..=10 => attribute(kind, &[value, &[0]].concat()),
        11 => attribute(kind | NESTED, value),
        12 => attribute(kind, &anything(rng, 3)),
        13 => attribute(kind, &[]),
        14 => [attribute(kind, &anything(rng, 3)), attribute(kind, value)].concat(),
        _ => attribute(kind, value),
    }
}

/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

fn seldom(rng: &mut Rng) -> bool {
    rng.u8(..) < 6
}

fn often(rng: &mut Rng) -> bool {
    rng.u8(..) > 20
}
