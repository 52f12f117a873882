//! Datagrams: several messages in one, how lists are cut into pieces, and how much fits.

use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service, ServiceId};

use super::raw::{
    ACK, Answer, BUFFER, CAPPED, DEL_SERVICE, DUMP, FLUSH, GET_CONFIG, GET_DAEMON, GET_DEST, GET_INFO, GET_SERVICE,
    MULTI, NEW_DEST, OK, REQUEST, RawSocket, error, message, nest, number16, number32,
};
use super::{Options, World};

const ENOENT: i32 = -2;
const ESRCH: i32 = -3;
const EBUSY: i32 = -16;
const EINVAL: i32 = -22;

/// The length of a row of destinations.
const ROW: usize = 356;

pub fn messages_of_a_datagram_are_followed_in_order_and_apart(world: &dyn World) {
    let mut line = RawSocket::open(world);
    let mark = nest(1, &[&number16(1, 2), &number32(5, 7)]);
    let all = [
        line.request(FLUSH, REQUEST, &[]),
        line.request(DEL_SERVICE, REQUEST, &mark),
        line.request(GET_CONFIG, REQUEST | ACK, &[]),
        line.request(DEL_SERVICE, REQUEST | ACK, &mark),
        line.request(FLUSH, REQUEST | ACK, &[]),
    ];
    let answers = line.ask(&all.concat());
    assert!(
        matches!(&answers[..], [first, Answer::Data(12, 0, _), second, third, fourth]
            if [first, second, third, fourth] == [&error(ESRCH), &OK, &error(ESRCH), &OK]),
        "{answers:?}"
    );
}

pub fn broken_length_ends_a_datagram_without_a_word(world: &dyn World) {
    let mut line = RawSocket::open(world);
    for length in [0_u32, 15, 21, u32::MAX] {
        let mut broken = line.request(FLUSH, REQUEST | ACK, &[]);
        broken[..4].copy_from_slice(&length.to_ne_bytes());
        let whole = line.request(FLUSH, REQUEST | ACK, &[]);
        assert_eq!(line.ask(&[&whole[..], &broken].concat()), [OK], "{length}");
    }
    let whole = line.request(FLUSH, REQUEST | ACK, &[]);
    assert_eq!(line.ask(&[&whole[..], &[0; 15]].concat()), [OK], "less than a header");
}

pub fn other_messages_than_requests_are_acknowledged_and_ignored(world: &dyn World) {
    let mut line = RawSocket::open(world);
    let header = [FLUSH, 1, 0, 0];
    let handle = world.handle();
    handle.new_service(&Service::new("FWM 7".parse().unwrap(), Scheduler::Rr)).unwrap();
    assert_eq!(line.ask(&message(line.family, 0, 1, &header)), []);
    assert_eq!(line.ask(&message(line.family, ACK, 1, &header)), [OK]);
    assert_eq!(line.ask(&message(15, REQUEST, 1, &header)), []);
    assert_eq!(line.ask(&message(15, REQUEST | ACK, 1, &header)), [OK]);
    assert_eq!(handle.get_services().unwrap().len(), 1, "nothing was done");

    assert_eq!(line.ask(&message(1023, REQUEST, 1, &header)), [error(ENOENT)], "an unknown family");
    assert_eq!(line.ask(&message(line.family, REQUEST, 1, &[FLUSH, 1])), [error(EINVAL)], "half a header");
    assert_eq!(handle.get_services().unwrap().len(), 1, "nothing was done");
}

pub fn refusals_are_as_long_as_the_socket_asked_for(world: &dyn World) {
    const REMARKED: u16 = 0x200;
    /// A remark of one sentence: its header, the sentence and its NUL, padding.
    const REMARK: usize = 4 + "bytes leftover after parsing attributes".len() + 1;
    let family = RawSocket::open(world).family;
    for options in (0..Options::COUNT).map(Options::of) {
        let mut line = RawSocket::with(world.transport_with(options), family);
        let mark = nest(1, &[&number16(1, 2), &number32(5, 7)]);
        for (label, command, junk) in
            [("refusal", DEL_SERVICE, 0), ("long refusal", DEL_SERVICE, 3), ("success", FLUSH, 3)]
        {
            let request = line.request(command, REQUEST | ACK, &[&mark[..], &vec![0; junk]].concat());
            line.socket.send(&request).unwrap();
            let mut buffer = vec![0; BUFFER];
            let len = line.socket.try_receive(&mut buffer).unwrap().unwrap().len;
            let is_whole = !options.capped && command == DEL_SERVICE;
            let is_remarked = options.extended && junk > 0;

            let echo = if is_whole { &request[..] } else { &request[..16] };
            assert_eq!(buffer[20..20 + echo.len()], *echo, "{options:?}, {label}");
            let echoed = 20 + echo.len().next_multiple_of(4);
            assert_eq!(len, echoed + if is_remarked { REMARK } else { 0 }, "{options:?}, {label}");
            assert_eq!(buffer[..4], u32::try_from(len).unwrap().to_ne_bytes(), "{options:?}, {label}");
            let flags = if is_whole { 0 } else { CAPPED } | if is_remarked { REMARKED } else { 0 };
            assert_eq!(buffer[6..8], flags.to_ne_bytes(), "{options:?}, {label}");
        }
    }
}

pub fn reply_and_its_acknowledgement_are_two_datagrams(world: &dyn World) {
    let mut line = RawSocket::open(world);
    for command in [GET_CONFIG, GET_INFO] {
        let request = line.request(command, REQUEST | ACK, &[]);
        line.socket.send(&request).unwrap();
        let (first, _) = line.receive(BUFFER).unwrap();
        assert!(matches!(first[..], [Answer::Data(_, 0, _)]), "{first:?}");
        assert_eq!(line.receive(BUFFER), Some((vec![OK], 36)));
        assert_eq!(line.receive(BUFFER), None);
    }
    for command in [GET_SERVICE, GET_DAEMON] {
        let request = line.request(command, REQUEST | ACK | DUMP, &[]);
        assert_eq!(line.ask(&request), [Answer::Done(0, None)], "a list is not acknowledged");
    }
}

pub fn list_is_cut_by_the_longest_buffer_that_was_handed_in(world: &dyn World) {
    with_destinations(world, 200);
    for (buffer, rows) in [(4096, 11), (8192, 23), (16_384, 46), (32_768, 91), (65_536, 91)] {
        let mut line = fresh_line(world, buffer);
        assert_eq!(lengths(&mut line, buffer), pieces(200, rows, ROW), "buffer of {buffer} bytes");
        // The kernel remembers, so that a smaller buffer would cut off what comes.
        assert_eq!(lengths(&mut line, 65_536)[0], rows * ROW, "{buffer}, then a greater one: first piece");
    }
}

pub fn list_of_services_is_cut_in_the_same_way(world: &dyn World) {
    const SERVICE: usize = 320;
    let handle = world.handle();
    let batch = (1..=250).fold(handle.batch(), |batch, port| {
        batch.new_service(&Service::new(format!("TCP 192.0.2.10:{port}").parse().unwrap(), Scheduler::Rr))
    });
    assert!(batch.send().unwrap().is_ok());
    for (buffer, rows) in [(4096, 12), (32_768, 101)] {
        let mut line = fresh_line(world, buffer);
        let request = line.request(GET_SERVICE, REQUEST | DUMP, &[]);
        line.socket.send(&request).unwrap();
        let lengths: Vec<usize> = std::iter::from_fn(|| line.receive(buffer)).map(|(_, len)| len).collect();
        assert_eq!(lengths, pieces(250, rows, SERVICE), "buffer of {buffer} bytes");
    }
}

pub fn list_continues_where_it_was_whatever_happened_meanwhile(world: &dyn World) {
    let handle = world.handle();
    let ids = |answers: &[Answer]| {
        let ports = answers.iter().filter_map(|answer| match answer {
            // The port stands behind the nest and an address of 20 bytes.
            Answer::Data(NEW_DEST, MULTI, row) => Some(u16::from_be_bytes([row[28], row[29]])),
            _ => None,
        });
        ports.collect::<Vec<u16>>()
    };
    let read = |meanwhile: &dyn Fn(&ServiceId)| {
        let service = with_destinations(world, 30);
        let mut line = fresh_line(world, 4096);
        let request = line.request(GET_DEST, REQUEST | DUMP, &named());
        line.socket.send(&request).unwrap();
        // Eleven rows have been made; the second piece is made when they are received.
        meanwhile(&service);
        let listed: Vec<Answer> = std::iter::from_fn(|| line.receive(4096)).flat_map(|(answers, _)| answers).collect();
        handle.flush().unwrap();
        ids(&listed)
    };
    let rest = |from: u16| (1..=from).rev();
    assert_eq!(read(&|_| {}), rest(30).collect::<Vec<_>>());
    let twice = read(&|service| {
        for port in 31..=35 {
            handle.new_destination(service, &destination(port)).unwrap();
        }
    });
    assert_eq!(twice, (20..=30).rev().chain(rest(24)).collect::<Vec<_>>(), "rows come twice, new ones not at all");
    let less = read(&|service| {
        for port in 26..=30 {
            handle.delete_destination(service, &destination(port).id).unwrap();
        }
    });
    assert_eq!(less, (20..=30).rev().chain(rest(14)).collect::<Vec<_>>(), "rows are left out");
    let ended = read(&|service| handle.delete_service(service).unwrap());
    assert_eq!(ended, (20..=30).rev().collect::<Vec<_>>(), "the list just ends");
}

pub fn only_one_list_at_a_time_is_read_on_a_socket(world: &dyn World) {
    with_destinations(world, 30);
    let mut line = fresh_line(world, 4096);
    let list = line.request(GET_DEST, REQUEST | DUMP, &named());
    line.socket.send(&list).unwrap();
    let (second, command) = (line.request(GET_DAEMON, REQUEST | DUMP, &[]), line.request(FLUSH, REQUEST | ACK, &[]));
    line.socket.send(&second).unwrap();
    line.socket.send(&command).unwrap();
    let mut all = Vec::new();
    while let Some((answers, _)) = line.receive(4096) {
        all.extend(answers);
    }
    let rest: Vec<_> = all.iter().filter(|answer| !matches!(answer, Answer::Data(..))).collect();
    assert_eq!(rest, [&error(EBUSY), &OK, &Answer::Done(0, None)]);
    assert_eq!(line.ask(&second), [Answer::Done(0, None)], "the next one can be read");
}

pub fn answers_that_do_not_fit_are_lost_and_the_loss_is_told_once(world: &dyn World) {
    const ENOBUFS: i32 = 105;
    let mut line = RawSocket::open(world);
    let mark = nest(1, &[&number16(1, 2), &number32(5, 7)]);
    let all: Vec<u8> = (0..400).flat_map(|_| line.request(DEL_SERVICE, REQUEST, &mark)).collect();
    for _ in 0..2 {
        line.socket.send(&all).unwrap();
        let loss = line.try_receive(BUFFER).unwrap_err();
        assert_eq!(loss.raw_os_error(), Some(ENOBUFS));
        let fit =
            std::iter::from_fn(|| line.receive(BUFFER)).inspect(|(answers, _)| assert_eq!(*answers, [error(ESRCH)]));
        assert_eq!(fit.count(), if world.version() >= (6, 12) { 237 } else { 277 });
    }
    assert!(!line.has_answer());
}

pub fn datagram_that_is_too_long_or_empty_is_not_sent(world: &dyn World) {
    const EMSGSIZE: i32 = 90;
    const ENODATA: i32 = 61;
    let mut line = RawSocket::open(world);
    let most = line.socket.limits().datagram;
    let mut longest = line.request(FLUSH, REQUEST | ACK, &[]);
    longest.resize(most, 0);
    assert_eq!(line.ask(&longest), [OK], "{most} bytes");
    longest.push(0);
    assert_eq!(line.socket.send(&longest).unwrap_err().raw_os_error(), Some(EMSGSIZE));
    assert_eq!(line.socket.send(&[]).unwrap_err().raw_os_error(), Some(ENODATA));
    assert!(!line.has_answer());
}

/// A socket that has received something with a buffer of so many bytes, and with no longer one.
fn fresh_line(world: &dyn World, buffer: usize) -> RawSocket {
    let mut line = RawSocket::with(world.transport(), RawSocket::open(world).family);
    let request = line.request(GET_INFO, REQUEST, &[]);
    line.socket.send(&request).unwrap();
    assert!(line.receive(buffer).is_some());
    line
}

/// The lengths of the datagrams of a list of destinations.
fn lengths(line: &mut RawSocket, buffer: usize) -> Vec<usize> {
    let request = line.request(GET_DEST, REQUEST | DUMP, &named());
    line.socket.send(&request).unwrap();
    std::iter::from_fn(|| line.receive(buffer)).map(|(_, len)| len).collect()
}

/// So many rows, so many to a datagram, and the end.
fn pieces(rows: usize, most: usize, len: usize) -> Vec<usize> {
    let whole = std::iter::repeat_n(most * len, rows / most);
    let rest = Some(rows % most * len).filter(|rest| *rest > 0);
    whole.chain(rest).chain([20]).collect()
}

fn with_destinations(world: &dyn World, count: u16) -> ServiceId {
    let handle = world.handle();
    let service: ServiceId = "FWM 7".parse().unwrap();
    handle.new_service(&Service::new(service, Scheduler::Rr)).unwrap();
    let batch = (1..=count).fold(handle.batch(), |batch, port| batch.new_destination(&service, &destination(port)));
    assert!(batch.send().unwrap().is_ok());
    service
}

fn destination(port: u16) -> Destination {
    Destination::new(format!("10.0.0.2:{port}").parse().unwrap(), ForwardMethod::Masquerade)
}

fn named() -> Vec<u8> {
    nest(1, &[&number16(1, 2), &number32(5, 7)])
}
