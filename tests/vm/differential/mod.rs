//! Random datagrams, right and wrong, to the real kernel and to the one in memory: every answer is the same to the byte.
//!
//! `IPVS_RS_REQUESTS` says how many requests, `IPVS_RS_SEED` which ones. A disagreement is made as short as it can be
//! before it is shown.
//!
//! Not compared, because they differ between any two machines or moments, are port ids, the number of the family, the
//! order of services in a list, and families other than IPVS. A daemon that stops may do so without a word, since a
//! thread that has not run yet is interrupted; whether it has stopped is asked for then.

mod message;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use ipvs_rs::codec::{Frames, IpvsCommand};
use ipvs_rs::testing::{FakeKernel, Interface, Release};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::message::{Message, datagram, list_of_daemons, stop_of_daemon, table};
use crate::conformance::Options;
use crate::conformance::raw::{ACK, BUFFER, CAPPED, CONTROLLER, DEL_DAEMON, ERROR, MULTI, NEW_SERVICE, RawSocket};
use crate::kernel;
use crate::namespaces::{alone, ip_batch};
use crate::socket::BareSocket;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn random_requests_are_answered_alike_by_the_kernel_in_memory() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let requests = number("IPVS_RS_REQUESTS").unwrap_or(2_000);
    let seed = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
    kernel::note(&format!("IPVS_RS_SEED={seed} IPVS_RS_REQUESTS={requests}"));

    let tally = RefCell::new(Tally::default());
    for story in 0_u64.. {
        if tally.borrow().requests >= requests {
            break;
        }
        // A failing request is printed; there is no place in the virtual machine to keep it.
        let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&story.to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        // A datagram is the same wherever it stands, so that a story becomes shorter by leaving some out.
        let strategy = (0..Options::COUNT, any::<bool>(), vec(any::<u64>().no_shrink(), STORY));
        let told = runner.run(&strategy, |(options, has_table, seeds)| {
            let mut so_far = tally.take();
            let result = alone(|| compare(Options::of(options), has_table, &seeds, &mut so_far));
            tally.replace(so_far);
            result
        });
        if let Err(failure) = told {
            panic!("story {story}: {failure}");
        }
    }
    tally.borrow().tell();
}

/// Datagrams to one table.
const STORY: RangeInclusive<usize> = 1..=250;

/// The requests, and their results.
#[derive(Default)]
struct Tally {
    requests: u64,
    /// Successes and failures by command.
    commands: BTreeMap<Option<IpvsCommand>, [u32; 2]>,
    unconfirmed: u32,
}

impl Tally {
    fn tell(&self) {
        let mut text = format!("{} requests were answered alike; successes and failures by command:", self.requests);
        for (command, [successes, failures]) in &self.commands {
            let name = command.map_or("no command".to_owned(), |command| format!("{command:?}"));
            // Writing to a string does not fail.
            let _ = write!(text, " {name} {successes}+{failures},");
        }
        let _ = write!(text, " and {} daemons stopped without a word", self.unconfirmed);
        kernel::note(&text);
    }

    /// Counts requests of the family by their sequence numbers; `answers` is what came back.
    fn count(&mut self, asked: &[(u32, Message)], answers: &[Datagram]) {
        self.requests += asked.len() as u64;
        // Behind a length that is not true nothing may have been read.
        if asked.iter().any(|(_, message)| message.lie != 0) {
            return;
        }
        for (sequence, message) in asked.iter().filter(|(_, message)| message.is_command(message.command)) {
            let failed = answers.iter().flatten().any(|answer| is_result(answer, *sequence) && code(answer) != 0);
            self.commands.entry(IpvsCommand::from_number(message.command)).or_default()[usize::from(failed)] += 1;
        }
    }
}

/// The two kernels, with one socket each.
struct Kernels {
    real: RawSocket,
    fake: RawSocket,
    sequence: u32,
}

/// The messages of a datagram that came back.
type Datagram = Vec<Vec<u8>>;

fn compare(options: Options, has_table: bool, seeds: &[u64], tally: &mut Tally) -> Result<(), TestCaseError> {
    let mut kernels = Kernels::new(options);
    let mut told = format!("{options:?}, requests:\n");
    let mut datagrams = has_table.then(table).into_iter().chain(seeds.iter().map(|seed| datagram(*seed)));
    let result = datagrams.try_for_each(|messages| {
        let asked = kernels.number(messages);
        for (sequence, message) in &asked {
            // Writing to a string does not fail.
            let _ = writeln!(told, "  {}", hex(&message.bytes(FAMILY_AS_TOLD, *sequence)));
        }
        let mut answers = kernels.ask(&asked);
        if answers.stops_went_unconfirmed > 0 {
            tally.unconfirmed += answers.stops_went_unconfirmed;
            let list = kernels.number(vec![list_of_daemons()]);
            let daemons = kernels.ask(&list);
            answers.real.extend(daemons.real);
            answers.fake.extend(daemons.fake);
        }
        tally.count(&asked, &answers.real);
        if answers.real == answers.fake {
            return Ok(());
        }
        let [real, fake] = [answers.real, answers.fake].map(|datagrams| show(&datagrams));
        Err(TestCaseError::fail(format!("{told}real:\n{real}in memory:\n{fake}")))
    });
    // They are threads of the kernel, which no other story needs.
    for state in [1, 2] {
        let stop = stop_of_daemon(state).bytes(kernels.real.family, 0);
        kernels.real.ask(&stop);
    }
    result
}

struct Answers {
    real: Vec<Datagram>,
    fake: Vec<Datagram>,
    stops_went_unconfirmed: u32,
}

impl Kernels {
    fn new(options: Options) -> Self {
        let release = match kernel::version() {
            (6, 1..12) => Release::V6_1,
            (6, _) => Release::V6_12,
            _ => Release::V7,
        };
        let kernel = FakeKernel::of(release);
        ip_batch(&[
            "link add d0 up type dummy",
            "address add 10.8.8.8/24 dev d0",
            "address add 2001:db8:8::8/64 dev d0 nodad",
            "link add d1 mtu 9000 type dummy",
        ]);
        let addresses = [("10.8.8.8", 24), ("2001:db8:8::8", 64)];
        kernel.add_interface(addresses.into_iter().fold(Interface::new("d0"), |interface, (address, prefix)| {
            interface.address(address.parse().unwrap(), prefix)
        }));
        kernel.add_interface(Interface::new("d1").mtu(9000).down());
        let mut fake = kernel.transport();
        fake = if options.capped { fake } else { fake.whole_errors() };
        fake = if options.extended { fake } else { fake.bare_errors() };
        Self {
            real: RawSocket::over(Box::new(BareSocket::open(options))),
            fake: RawSocket::over(Box::new(fake)),
            sequence: 0,
        }
    }

    /// Gives each message a sequence number.
    fn number(&mut self, messages: Vec<Message>) -> Vec<(u32, Message)> {
        let first = self.sequence + 1;
        self.sequence += u32::try_from(messages.len()).unwrap();
        (first..).zip(messages).collect()
    }

    fn ask(&mut self, asked: &[(u32, Message)]) -> Answers {
        let [real, mut fake] = [&mut self.real, &mut self.fake].map(|line| answers(line, asked));
        let mut stops_went_unconfirmed = 0;
        for (sequence, message) in asked {
            let is_stop = message.is_command(DEL_DAEMON) && message.flags & ACK != 0;
            if is_stop && !real.iter().flatten().any(|answer| is_result(answer, *sequence)) {
                // A refusal is never lost, so that one that only the kernel in memory makes is seen.
                let before = fake.len();
                fake.retain(|datagram| {
                    !datagram.iter().any(|answer| is_result(answer, *sequence) && code(answer) == 0)
                });
                stops_went_unconfirmed += u32::try_from(before - fake.len()).unwrap();
            }
        }
        Answers { real, fake, stops_went_unconfirmed }
    }
}

/// The answers, datagram by datagram, without the parts that differ between any two sockets and machines. Rows of
/// services and of families stand together at the end.
fn answers(line: &mut RawSocket, asked: &[(u32, Message)]) -> Vec<Datagram> {
    line.socket.send(&bytes(asked, line.family)).unwrap();
    let mut datagrams = Vec::new();
    let mut rows = Vec::new();
    let mut buffer = vec![0; BUFFER];
    while let Some(received) = line.socket.try_receive(&mut buffer).unwrap() {
        let received = &buffer[..received.len];
        let mut messages = Vec::new();
        for frame in Frames::new(received) {
            let start = frame.unwrap().offset;
            let length = u32::from_ne_bytes(received[start..start + 4].try_into().unwrap()) as usize;
            let message = &received[start..start + length];
            let is_row = u16_at(message, 6) & MULTI != 0;
            match (u16_at(message, 4), message.get(16)) {
                (kind, Some(&NEW_SERVICE)) if is_row && kind == line.family => {
                    rows.push(comparable(message, line.family, asked));
                }
                (CONTROLLER, _) if is_row => {
                    // Of families only one is known in memory.
                    if message[20..].starts_with(b"\x09\0\x02\0IPVS\0") {
                        rows.push(comparable(message, line.family, asked));
                    }
                }
                _ => messages.push(comparable(message, line.family, asked)),
            }
        }
        datagrams.push(messages);
    }
    datagrams.retain(|messages| !messages.is_empty());
    rows.sort();
    datagrams.push(rows);
    datagrams
}

/// A message without port id and number of the family.
fn comparable(message: &[u8], family: u16, asked: &[(u32, Message)]) -> Vec<u8> {
    let mut message = message.to_vec();
    match u16_at(&message, 4) {
        ERROR => {
            // It repeats what it is about, which may lie anywhere in the datagram and hold the number anywhere.
            let header = u32::from_ne_bytes(message[20..24].try_into().unwrap());
            let len = if u16_at(&message, 6) & CAPPED == 0 { header as usize } else { 16 };
            let [sent, told] = [family, FAMILY_AS_TOLD].map(|family| bytes(asked, family));
            let repeated = &mut message[20..20 + len];
            if let Some(place) = sent.windows(len).position(|window| window == repeated) {
                repeated.copy_from_slice(&told[place..place + len]);
            }
        }
        CONTROLLER if u16_at(&message, 36) == family => message[36..38].fill(0xff),
        kind if kind == family => message[4..6].fill(0xff),
        _ => {}
    }
    message[12..16].fill(0);
    message
}

/// A datagram to a kernel where the family has this number.
fn bytes(asked: &[(u32, Message)], family: u16) -> Vec<u8> {
    asked.iter().flat_map(|(sequence, message)| message.bytes(family, *sequence)).collect()
}

/// In place of the number of the family, which differs from machine to machine.
const FAMILY_AS_TOLD: u16 = 0xffff;

/// Whether a message is the result of the request with this number.
fn is_result(message: &[u8], sequence: u32) -> bool {
    u16_at(message, 4) == ERROR && message[8..12] == sequence.to_ne_bytes()
}

/// The error number of a result.
fn code(message: &[u8]) -> i32 {
    i32::from_ne_bytes(message[16..20].try_into().unwrap())
}

fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_ne_bytes([bytes[place], bytes[place + 1]])
}

fn show(datagrams: &[Datagram]) -> String {
    datagrams.iter().fold(String::new(), |text, messages| {
        let messages: Vec<String> = messages.iter().map(|message| hex(message)).collect();
        text + &format!("  datagram: {}\n", messages.join(" "))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
