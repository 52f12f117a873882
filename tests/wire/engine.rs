//! The engine, fed by hand.

use std::time::{Duration, Instant};

use ipvs_rs::codec::{DecodeError, DecodeProblem, Reply, Request, put_request};
use ipvs_rs::engine::{Bulk, Deadline, Exchange, ExchangeFailure, ExchangeProgress, Expect, KernelError, Sequence};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixture;
use crate::law::arb_request;
use crate::netlink::{DONE, ERROR, INTERRUPTED, addressed};

const FAMILY: u16 = 31;
const PORT: u32 = 88;
const SEQUENCE: u32 = 7;

/// A message to this socket under this number.
fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    addressed(PORT, kind, flags, SEQUENCE, payload)
}

fn code(code: i32) -> Vec<u8> {
    [&code.to_ne_bytes()[..], &[0; 16]].concat()
}

fn data(command: u8) -> Vec<u8> {
    message(FAMILY, 0, &[command, 1, 0, 0])
}

fn done(code: i32) -> Vec<u8> {
    message(DONE, 2, &code.to_ne_bytes())
}

fn acknowledgement(code_: i32) -> Vec<u8> {
    message(ERROR, 0x100, &code(code_))
}

fn exchange(expect: Expect) -> Exchange {
    Exchange::new(expect, FAMILY, PORT, SEQUENCE)
}

/// Feeds one datagram and returns what became of it, with the commands of the data.
fn feed(exchange: &mut Exchange, datagram: &[u8]) -> (Result<ExchangeProgress, ExchangeFailure>, Vec<u8>) {
    let mut commands = Vec::new();
    let progress = exchange.feed(datagram, |command, _| {
        commands.push(command);
        Ok(())
    });
    (progress, commands)
}

fn refused(errno: u32) -> ExchangeFailure {
    match exchange(Expect::Acknowledgement).feed(&acknowledgement(-i32::try_from(errno).unwrap()), |_, _| Ok(())) {
        Err(failure) => failure,
        Ok(progress) => panic!("{progress:?}"),
    }
}

fn errno(failure: &ExchangeFailure) -> Option<u32> {
    match failure {
        ExchangeFailure::Kernel(error) => Some(error.errno),
        _ => None,
    }
}

fn is_unexpected(result: &Result<ExchangeProgress, ExchangeFailure>) -> bool {
    matches!(result, Err(ExchangeFailure::Decode(error)) if error.problem() == DecodeProblem::Unexpected)
}

#[test]
fn each_request_is_asked_with_the_flags_of_its_answer() {
    let id = "TCP 10.0.0.1:80".parse().unwrap();
    for (request, expect, flags) in [
        (Request::Flush, Expect::Acknowledgement, 0x5),
        (Request::Zero(None), Expect::Acknowledgement, 0x5),
        (Request::DeleteService(id), Expect::Acknowledgement, 0x5),
        (Request::GetService(id), Expect::Reply, 0x1),
        (Request::GetConfig, Expect::Reply, 0x1),
        (Request::GetInfo, Expect::Reply, 0x1),
        (Request::GetServices, Expect::List, 0x301),
        (Request::GetDestinations(id), Expect::List, 0x301),
        (Request::GetDaemons, Expect::List, 0x301),
    ] {
        assert_eq!(Expect::of(&request), expect, "{request:?}");
        assert_eq!(exchange(expect).flags(), flags, "{request:?}");
    }
}

#[test]
fn acknowledgement_ends_a_command() {
    assert_eq!(feed(&mut exchange(Expect::Acknowledgement), &acknowledgement(0)), (Ok(ExchangeProgress::Done), vec![]));
}

#[test]
fn refusal_ends_whatever_was_asked() {
    for expect in [Expect::Acknowledgement, Expect::Reply, Expect::List] {
        let (result, _) = feed(&mut exchange(expect), &acknowledgement(-17));
        assert_eq!(errno(&result.unwrap_err()), Some(17), "{expect:?}");
    }
}

/// Error numbers are negative on the wire. A positive one would still be no success.
#[test]
fn any_code_but_zero_is_a_refusal() {
    for (code, number) in [(-1, 1), (1, 1), (17, 17), (i32::MIN, 1 << 31), (i32::MAX, i32::MAX.unsigned_abs())] {
        let (result, _) = feed(&mut exchange(Expect::Acknowledgement), &acknowledgement(code));
        assert_eq!(errno(&result.unwrap_err()), Some(number), "{code}");
        let (result, _) = feed(&mut exchange(Expect::List), &done(code));
        assert_eq!(errno(&result.unwrap_err()), Some(number), "{code}");
    }
}

#[test]
fn reply_ends_with_its_data_and_not_with_success_alone() {
    assert_eq!(feed(&mut exchange(Expect::Reply), &data(14)), (Ok(ExchangeProgress::Done), vec![14]));
    let (result, commands) = feed(&mut exchange(Expect::Reply), &acknowledgement(0));
    assert!(is_unexpected(&result), "{result:?}");
    assert!(commands.is_empty());
}

#[test]
fn list_ends_with_its_end_mark_only() {
    let mut list = exchange(Expect::List);
    assert_eq!(feed(&mut list, &[data(1), data(1)].concat()), (Ok(ExchangeProgress::Pending), vec![1, 1]));
    assert_eq!(feed(&mut list, &data(5)), (Ok(ExchangeProgress::Pending), vec![5]));
    assert_eq!(feed(&mut list, &[]), (Ok(ExchangeProgress::Pending), vec![]));
    assert_eq!(feed(&mut list, &done(0)), (Ok(ExchangeProgress::Done), vec![]));
}

#[test]
fn list_may_come_whole_in_one_datagram() {
    let datagram = [data(1), data(2), done(0)].concat();
    assert_eq!(feed(&mut exchange(Expect::List), &datagram), (Ok(ExchangeProgress::Done), vec![1, 2]));
}

#[test]
fn list_that_ends_without_a_code_ended_well() {
    assert_eq!(feed(&mut exchange(Expect::List), &message(DONE, 2, &[])), (Ok(ExchangeProgress::Done), vec![]));
}

#[test]
fn answer_to_another_request_is_skipped() {
    for (label, expect, datagram) in [
        ("data for a command", Expect::Acknowledgement, data(1)),
        ("an end for a command", Expect::Acknowledgement, done(0)),
        ("an end for a reply", Expect::Reply, done(0)),
        ("success for a list", Expect::List, acknowledgement(0)),
        ("data of another family in a list", Expect::List, message(FAMILY + 1, 2, &[1, 1, 0, 0])),
        ("data of another family", Expect::Reply, message(16, 0, &[1, 2, 0, 0])),
        ("a control message without a name", Expect::Reply, message(5, 0, &[1, 1, 0, 0])),
    ] {
        let (result, commands) = feed(&mut exchange(expect), &datagram);
        assert!(is_unexpected(&result), "{label}: {result:?}");
        assert!(commands.is_empty(), "{label}");
    }
}

#[test]
fn messages_for_others_are_skipped() {
    let payload = [1, 1, 0, 0];
    let others = [
        addressed(PORT, FAMILY, 0, SEQUENCE - 1, &payload),
        addressed(PORT, FAMILY, 0, SEQUENCE + 1, &payload),
        addressed(PORT + 1, FAMILY, 0, SEQUENCE, &payload),
        addressed(0, FAMILY, 0, SEQUENCE, &payload),
        addressed(0, FAMILY, 0, 0, &payload),
        addressed(PORT, ERROR, 0, SEQUENCE - 1, &code(-3)),
        addressed(PORT, DONE, INTERRUPTED, SEQUENCE - 1, &code(0)),
        addressed(PORT, 4, 0, SEQUENCE - 1, &[]),
    ];
    for expect in [Expect::Acknowledgement, Expect::Reply, Expect::List] {
        let mut exchange = exchange(expect);
        assert_eq!(feed(&mut exchange, &others.concat()), (Ok(ExchangeProgress::Pending), vec![]), "{expect:?}");
        let own = match expect {
            Expect::Acknowledgement => acknowledgement(0),
            Expect::Reply => data(9),
            Expect::List => [data(9), done(0)].concat(),
        };
        let (result, _) = feed(&mut exchange, &[others.concat(), own].concat());
        assert_eq!(result, Ok(ExchangeProgress::Done), "{expect:?}");
    }
}

#[test]
fn messages_without_meaning_are_skipped() {
    let noop = message(1, 0, &[]);
    let datagram = [noop.clone(), data(1), noop.clone(), done(0)].concat();
    assert_eq!(feed(&mut exchange(Expect::List), &datagram), (Ok(ExchangeProgress::Done), vec![1]));
    assert_eq!(feed(&mut exchange(Expect::Reply), &[noop, data(1)].concat()), (Ok(ExchangeProgress::Done), vec![1]));
}

#[test]
fn overrun_ends_an_exchange() {
    for expect in [Expect::Acknowledgement, Expect::Reply, Expect::List] {
        assert_eq!(feed(&mut exchange(expect), &message(4, 0, &[])).0, Err(ExchangeFailure::Overrun), "{expect:?}");
    }
}

#[test]
fn interrupted_list_is_read_to_its_end_and_then_reported() {
    let marked = message(FAMILY, 2 | INTERRUPTED, &[1, 1, 0, 0]);
    let end = message(DONE, 2 | INTERRUPTED, &code(0));
    for (label, datagrams) in [
        ("marked data", [marked.clone(), data(1), done(0)]),
        ("marked end", [data(1), data(1), end]),
        ("all in one", [[marked, data(1), done(0)].concat(), vec![], vec![]]),
    ] {
        let mut list = exchange(Expect::List);
        let results: Vec<_> = datagrams.iter().map(|datagram| feed(&mut list, datagram)).collect();
        let rows: usize = results.iter().map(|(_, commands)| commands.len()).sum();
        assert_eq!(rows, 2, "{label}");
        let last =
            results.into_iter().map(|(result, _)| result).find(|result| *result != Ok(ExchangeProgress::Pending));
        assert_eq!(last, Some(Err(ExchangeFailure::Interrupted)), "{label}");
    }
}

#[test]
fn code_of_the_end_weighs_more_than_the_mark_of_interruption() {
    let end = message(DONE, 2 | INTERRUPTED, &(-12_i32).to_ne_bytes());
    let (result, _) = feed(&mut exchange(Expect::List), &end);
    assert_eq!(errno(&result.unwrap_err()), Some(12));
}

#[test]
fn failure_of_the_reader_ends_the_exchange() {
    let mut seen = 0;
    let result = exchange(Expect::List).feed(&[data(1), data(1), done(0)].concat(), |_, attributes| {
        seen += 1;
        Reply::decode(14, attributes).map(drop)
    });
    assert_eq!(seen, 1);
    let Err(ExchangeFailure::Decode(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.attribute(), "IPVS_INFO_ATTR_VERSION");
}

#[test]
fn broken_datagram_ends_the_exchange_where_it_breaks() {
    let mut datagram = [data(1), data(2)].concat();
    datagram.truncate(30);
    let (result, commands) = feed(&mut exchange(Expect::List), &datagram);
    let Err(ExchangeFailure::Decode(error)) = result else { panic!("{result:?}") };
    assert_eq!((error.attribute(), error.offset()), ("nlmsghdr", 20));
    assert_eq!(commands, [1]);
}

#[test]
fn failures_are_described() {
    let mut with_text = exchange(Expect::Acknowledgement);
    let recorded = &fixture::load("extack-error").replies[0];
    let mut datagram = recorded.clone();
    datagram[8..12].copy_from_slice(&SEQUENCE.to_ne_bytes());
    let (result, _) = feed(&mut with_text, &datagram);
    let failure = result.unwrap_err();
    assert_eq!(failure.to_string(), "the kernel refused with error 34: Attribute failed policy validation");
    assert_eq!(refused(17).to_string(), "the kernel refused with error 17");
    assert_eq!(ExchangeFailure::Interrupted.to_string(), "the list changed while it was read");
    assert_eq!(ExchangeFailure::Overrun.to_string(), "the kernel lost messages");
    let error = Reply::decode(1, &[]).unwrap_err();
    let failure = ExchangeFailure::from(error);
    assert_eq!(failure.to_string(), format!("the answer of the kernel cannot be read: {error}"));
    let source = std::error::Error::source(&failure).unwrap();
    assert_eq!(source.downcast_ref::<DecodeError>(), Some(&error));
    assert!(std::error::Error::source(&ExchangeFailure::Overrun).is_none());
}

#[test]
fn refusal_names_the_attribute_of_the_request_that_it_answers() {
    let exchange_on_file = fixture::load("extack-error");
    let frame = fixture::only(&exchange_on_file.request);
    let mut exchange = Exchange::new(Expect::Acknowledgement, FAMILY, PORT, frame.sequence);
    let Err(ExchangeFailure::Kernel(error)) = exchange.feed(&exchange_on_file.replies[0], |_, _| Ok(())) else {
        panic!("not refused")
    };
    assert_eq!((error.errno, error.offset, error.missing), (34, Some(20), None));
    assert_eq!(error.message.as_deref(), Some("Attribute failed policy validation"));
    assert_eq!(error.attribute_in(&exchange_on_file.request), Some("IPVS_CMD_ATTR_TIMEOUT_TCP"));
    assert_eq!(error.attribute_in(&[]), None);
}

/// Places and error numbers.
type Answers = Vec<(u32, Option<u32>)>;

/// Feeds a bulk of commands under the numbers from 100 on.
fn feed_bulk(
    closing: Expect,
    count: u32,
    datagrams: &[Vec<u8>],
) -> (Result<ExchangeProgress, ExchangeFailure>, Answers) {
    let bulk = Bulk::new(closing, PORT, 100, count);
    let mut answers = Vec::new();
    let mut last = Ok(ExchangeProgress::Pending);
    for datagram in datagrams {
        last = bulk.feed(datagram, |place, result: Result<(), KernelError>| {
            answers.push((place, result.err().map(|error| error.errno)));
        });
        if last != Ok(ExchangeProgress::Pending) {
            break;
        }
    }
    (last, answers)
}

fn answer(sequence: u32, code_: i32) -> Vec<u8> {
    addressed(PORT, ERROR, 0x100, sequence, &code(code_))
}

#[test]
fn bulk_tells_failures_by_their_place_and_ends_with_the_last_command() {
    let datagrams = [answer(100, -17), answer(102, -3), answer(104, 0)];
    let expected = vec![(0, Some(17)), (2, Some(3)), (4, None)];
    assert_eq!(feed_bulk(Expect::Acknowledgement, 5, &datagrams), (Ok(ExchangeProgress::Done), expected.clone()));
    let merged = [datagrams.concat()];
    assert_eq!(feed_bulk(Expect::Acknowledgement, 5, &merged), (Ok(ExchangeProgress::Done), expected));
}

#[test]
fn bulk_whose_last_command_fails_ends_with_that() {
    let datagrams = [answer(101, -2)];
    assert_eq!(feed_bulk(Expect::Acknowledgement, 2, &datagrams), (Ok(ExchangeProgress::Done), vec![(1, Some(2))]));
}

#[test]
fn bulk_of_one_is_one_acknowledgement() {
    assert_eq!(feed_bulk(Expect::Acknowledgement, 1, &[answer(100, 0)]), (Ok(ExchangeProgress::Done), vec![(0, None)]));
}

#[test]
fn bulk_skips_answers_to_others() {
    let datagrams = [
        answer(99, -17),
        answer(102, -17),
        answer(0, -17),
        answer(u32::MAX, -17),
        addressed(PORT + 1, ERROR, 0, 100, &code(-17)),
        addressed(PORT, 1, 0, 100, &[]),
        answer(101, 0),
    ];
    assert_eq!(feed_bulk(Expect::Acknowledgement, 2, &datagrams), (Ok(ExchangeProgress::Done), vec![(1, None)]));
}

#[test]
fn bulk_may_end_with_a_reply() {
    let reply = addressed(PORT, FAMILY, 0, 101, &[14, 1, 0, 0]);
    assert_eq!(
        feed_bulk(Expect::Reply, 2, std::slice::from_ref(&reply)),
        (Ok(ExchangeProgress::Done), vec![(1, None)])
    );
    let (result, answers) = feed_bulk(Expect::Acknowledgement, 2, &[reply]);
    assert!(is_unexpected(&result), "{result:?}");
    assert!(answers.is_empty());
    let (result, _) = feed_bulk(Expect::Reply, 2, &[answer(101, 0)]);
    assert!(is_unexpected(&result), "success without the data that was asked for: {result:?}");
}

#[test]
fn bulk_takes_no_end_mark_and_no_overrun() {
    let (result, _) = feed_bulk(Expect::Acknowledgement, 2, &[addressed(PORT, DONE, 2, 100, &code(0))]);
    assert!(is_unexpected(&result), "{result:?}");
    let (result, _) = feed_bulk(Expect::Acknowledgement, 2, &[addressed(PORT, 4, 0, 100, &[])]);
    assert_eq!(result, Err(ExchangeFailure::Overrun));
}

#[test]
fn numbers_of_exchanges_and_bulks_go_on_behind_the_last_one() {
    let mut sequence = Sequence::starting_at(u32::MAX - 1);
    assert_eq!(sequence.take(2), u32::MAX - 1);
    let mut exchange = Exchange::new(Expect::Acknowledgement, FAMILY, PORT, sequence.take(1));
    let late = addressed(PORT, ERROR, 0, u32::MAX, &code(-17));
    let own = addressed(PORT, ERROR, 0, 1, &code(0));
    assert_eq!(feed(&mut exchange, &[late, own].concat()).0, Ok(ExchangeProgress::Done));

    let mut sequence = Sequence::starting_at(u32::MAX - 1);
    let first = sequence.take(5);
    assert_eq!((first, sequence.take(1)), (1, 6), "a block does not wrap");
}

#[test]
fn numbers_never_repeat_before_they_have_to_and_zero_is_left_out() {
    let mut sequence = Sequence::starting_at(0);
    assert_eq!(sequence.take(1), 1);
    assert_eq!(Sequence::default().take(1), 1);
    let mut sequence = Sequence::starting_at(u32::MAX);
    assert_eq!([sequence.take(1), sequence.take(1), sequence.take(1)], [u32::MAX, 1, 2]);
}

#[test]
fn deadline_begins_when_it_is_first_asked() {
    let start = Instant::now();
    let mut deadline = Deadline::new(Duration::from_secs(5));
    let later = start + Duration::from_secs(100);
    assert_eq!(deadline.remaining(later), Some(Duration::from_secs(5)));
    assert_eq!(deadline.remaining(later + Duration::from_secs(4)), Some(Duration::from_secs(1)));
    assert_eq!(deadline.remaining(start), Some(Duration::from_secs(5)), "a clock that goes back adds nothing");
    assert_eq!(deadline.remaining(later + Duration::from_secs(5)), None);
    assert_eq!(deadline.budget(), Duration::from_secs(5));
    assert_eq!(Deadline::new(Duration::ZERO).remaining(start), None);
    assert_eq!(Deadline::new(Duration::MAX).remaining(start), Some(Duration::MAX));
}

/// Messages of any sender, with numbers that sometimes fit.
fn arb_datagram() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![1..5u16, Just(FAMILY), any::<u16>()];
    let number = prop_oneof![SEQUENCE..SEQUENCE + 3, any::<u32>()];
    let port = prop_oneof![Just(PORT), any::<u32>()];
    let message = (number, port, kind, any::<u16>(), vec(any::<u8>(), 0..40))
        .prop_map(|(sequence, port, kind, flags, payload)| addressed(port, kind, flags, sequence, &payload));
    let whole = vec(message, 0..4).prop_map(|messages| messages.concat());
    let request = arb_request().prop_map(|request| {
        let mut bytes = Vec::new();
        put_request(&mut bytes, FAMILY, 0, SEQUENCE, &request);
        bytes[12..16].copy_from_slice(&PORT.to_ne_bytes());
        bytes
    });
    prop_oneof![whole.boxed(), request.boxed(), vec(any::<u8>(), 0..100).boxed()]
}

proptest! {
    #[test]
    fn exchange_takes_whatever_comes(datagrams in vec(arb_datagram(), 1..6)) {
        for expect in [Expect::Acknowledgement, Expect::Reply, Expect::List] {
            let mut exchange = exchange(expect);
            for datagram in &datagrams {
                let _any = exchange.feed(datagram, |command, attributes| Reply::decode(command, attributes).map(drop));
            }
        }
    }

    #[test]
    fn bulk_takes_whatever_comes_and_tells_places_that_there_are(
        datagrams in vec(arb_datagram(), 1..6),
        first in prop_oneof![SEQUENCE - 2..SEQUENCE + 2, any::<u32>()],
        count in prop_oneof![0..5u32, any::<u32>()],
    ) {
        for closing in [Expect::Acknowledgement, Expect::Reply] {
            let bulk = Bulk::new(closing, PORT, first, count);
            for datagram in &datagrams {
                let _any = bulk.feed(datagram, |place, _| assert!(place < count));
            }
        }
    }

    #[test]
    fn blocks_of_numbers_neither_wrap_nor_hold_zero(start: u32, counts in vec(1..1000u32, 1..20)) {
        let mut sequence = Sequence::starting_at(start);
        for count in counts {
            let first = sequence.take(count);
            prop_assert!(first != 0);
            prop_assert!(first.checked_add(count - 1).is_some());
        }
    }
}
