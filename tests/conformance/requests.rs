//! Requests that the library would never send: what is missing, too short, too long, twice, unknown, or out of range,
//! and which of several mistakes the kernel sees first.

use super::World;
use super::raw::{
    ACK, Answer, DEL_DAEMON, DEL_DEST, DEL_SERVICE, DUMP, FLUSH, GET_CONFIG, GET_DAEMON, GET_DEST, GET_INFO,
    GET_SERVICE, NEW_DAEMON, NEW_DEST, NEW_SERVICE, OK, REQUEST, ROOT, RawSocket, SET_CONFIG, SET_DEST, SET_SERVICE,
    ZERO, attribute, error, message, name, nest, number8, number16, number32, port, said,
};

const ENOENT: i32 = -2;
const ESRCH: i32 = -3;
const EEXIST: i32 = -17;
const ENODEV: i32 = -19;
const EINVAL: i32 = -22;
const ERANGE: i32 = -34;
const EOPNOTSUPP: i32 = -95;
const EAFNOSUPPORT: i32 = -97;

const VIOLATION: &str = "Attribute failed policy validation";
const LEFTOVER: &str = "bytes leftover after parsing attributes";

/// The attributes of a service by number, `AF` to `NETMASK`, as a request that is right has them.
struct Service([Vec<u8>; 10]);

impl Service {
    fn new() -> Self {
        Self([
            Vec::new(),
            number16(1, 2),
            number16(2, 6),
            attribute(3, &[192, 0, 2, 10]),
            port(4, 80),
            Vec::new(),
            name(6, "rr"),
            attribute(7, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
            number32(8, 0),
            attribute(9, &[0xff; 4]),
        ])
    }

    /// Puts something in place of an attribute.
    fn with(mut self, kind: usize, attribute: &[u8]) -> Self {
        self.0[kind] = attribute.to_vec();
        self
    }

    fn without(self, kind: usize) -> Self {
        self.with(kind, &[])
    }

    fn whole(&self) -> Vec<u8> {
        nest(1, &[&self.0.concat()])
    }

    /// Only what names the service.
    fn named(&self) -> Vec<u8> {
        nest(1, &[&self.0[..6].concat()])
    }
}

/// The attributes of a destination by number, as a request that is right has them.
struct Destination([Vec<u8>; 16]);

impl Destination {
    fn new() -> Self {
        let mut attributes: [Vec<u8>; 16] = std::array::from_fn(|_| Vec::new());
        attributes[1] = attribute(1, &[10, 0, 0, 2]);
        attributes[2] = port(2, 8080);
        attributes[3] = number32(3, 0);
        attributes[4] = number32(4, 1);
        attributes[5] = number32(5, 0);
        attributes[6] = number32(6, 0);
        attributes[11] = number16(11, 2);
        Self(attributes)
    }

    fn with(mut self, kind: usize, attribute: &[u8]) -> Self {
        self.0[kind] = attribute.to_vec();
        self
    }

    fn without(self, kind: usize) -> Self {
        self.with(kind, &[])
    }

    fn whole(&self) -> Vec<u8> {
        nest(2, &[&self.0.concat()])
    }
}

pub fn service_that_is_not_described_well_is_refused(world: &dyn World) {
    let service = Service::new;
    let family6 = || service().with(1, &number16(1, 10));
    let cases: Vec<(&str, Vec<u8>, Answer)> = vec![
        ("no nest", Vec::new(), error(EINVAL)),
        ("an empty nest", nest(1, &[]), error(EINVAL)),
        ("no family", service().without(1).whole(), error(EINVAL)),
        ("no protocol", service().without(2).whole(), error(EINVAL)),
        ("no address", service().without(3).whole(), error(EINVAL)),
        ("no port", service().without(4).whole(), error(EINVAL)),
        ("no scheduler", service().without(6).whole(), error(EINVAL)),
        ("no flags", service().without(7).whole(), error(EINVAL)),
        ("no timeout", service().without(8).whole(), error(EINVAL)),
        ("no netmask", service().without(9).whole(), error(EINVAL)),
        ("unknown family", service().with(1, &number16(1, 99)).whole(), error(EAFNOSUPPORT)),
        ("unknown family, no scheduler", service().with(1, &number16(1, 99)).without(6).whole(), error(EAFNOSUPPORT)),
        ("unknown family, no address", service().with(1, &number16(1, 99)).without(3).whole(), error(EINVAL)),
        ("short family", service().with(1, &number8(1, 2)).whole(), error(EINVAL)),
        ("short protocol", service().with(2, &number8(2, 6)).whole(), error(EINVAL)),
        ("address of 17 bytes", service().with(3, &attribute(3, &[1; 17])).whole(), error(EINVAL)),
        ("short port", service().with(4, &number8(4, 80)).whole(), error(EINVAL)),
        ("short mark", service().with(5, &number16(5, 7)).whole(), error(EINVAL)),
        ("scheduler without NUL", service().with(6, &attribute(6, b"rr")).whole(), error(EINVAL)),
        ("scheduler of 16 bytes", service().with(6, &name(6, "sixteen-letters-")).whole(), error(EINVAL)),
        ("scheduler of 15 bytes", service().with(6, &name(6, "fifteen-letters")).whole(), error(ENOENT)),
        ("scheduler padded to 17", service().with(6, &attribute(6, &padded(b"rr", 17))).whole(), error(EINVAL)),
        ("no name of a scheduler", service().with(6, &name(6, "")).whole(), error(ENOENT)),
        ("scheduler in capitals", service().with(6, &name(6, "RR")).whole(), error(ENOENT)),
        ("flags of 9 bytes", service().with(7, &attribute(7, &[0; 9])).whole(), error(EINVAL)),
        ("short timeout", service().with(8, &number16(8, 0)).whole(), error(EINVAL)),
        ("short netmask", service().with(9, &number16(9, 0)).whole(), error(EINVAL)),
        ("engine without NUL", engine(&attribute(11, b"sip")), error(EINVAL)),
        ("engine of 17 bytes", engine(&name(11, "seventeen-letters")), error(EINVAL)),
        ("engine of 16 bytes", engine(&name(11, "sixteen-letters-")), error(ENOENT)),
        ("unknown engine", engine(&name(11, "unknown")), error(ENOENT)),
        ("statistics of 2 bytes", engine(&attribute(10, &[0; 2])), error(EINVAL)),
        ("prefix 0", family6().with(9, &number32(9, 0)).whole(), error(EINVAL)),
        ("prefix 129", family6().with(9, &number32(9, 129)).whole(), error(EINVAL)),
        ("prefix in network order", family6().with(9, &attribute(9, &64_u32.to_be_bytes())).whole(), error(EINVAL)),
        (
            "unknown scheduler, prefix 0",
            family6().with(6, &name(6, "unknown")).with(9, &number32(9, 0)).whole(),
            error(ENOENT),
        ),
        ("nest of 2 bytes", attribute(1, &[0; 2]), said(ERANGE, VIOLATION)),
    ];
    let mut line = RawSocket::open(world);
    for (label, attributes, expected) in &cases {
        assert_eq!(line.command(NEW_SERVICE, attributes), *expected, "{label}");
    }
    let changes = cases.iter().filter(|(_, _, expected)| *expected == error(EINVAL));
    for (label, attributes, expected) in changes.filter(|(label, ..)| !label.starts_with("prefix")) {
        assert_eq!(line.command(SET_SERVICE, attributes), *expected, "{label}, of a service that is not there");
    }
    assert_eq!(line.command(SET_SERVICE, &service().with(6, &name(6, "unknown")).whole()), error(ESRCH));
    assert_eq!(world.handle().get_services().unwrap(), [], "nothing was stored");

    assert_eq!(line.command(NEW_SERVICE, &service().whole()), OK);
    for (label, attributes, expected) in &cases {
        // Whether there is such a service comes before scheduler, engine and prefix.
        let expected = if *expected == error(ENOENT) { &error(EEXIST) } else { expected };
        if !label.contains("prefix") {
            assert_eq!(line.command(NEW_SERVICE, attributes), *expected, "{label}, of a service that is there");
        }
    }
}

pub fn service_that_is_described_oddly_is_taken(world: &dyn World) {
    let service = Service::new;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("marked as a nest", flagged(&service().whole())),
        ("family of four bytes", service().with(1, &number32(1, u32::from_ne_bytes([2, 0, 9, 9]))).whole()),
        ("scheduler padded to 16", service().with(6, &attribute(6, &padded(b"rr", 16))).whole()),
        ("scheduler with something behind", service().with(6, &attribute(6, b"rr\0junk")).whole()),
        ("no scheduler of that name", service().with(6, &name(6, "none")).whole()),
        ("flags of no bytes", service().with(7, &attribute(7, &[])).whole()),
        ("flags without mask", service().with(7, &attribute(7, &[1, 0, 0, 0])).whole()),
        ("family twice", service().with(1, &[number16(1, 99), number16(1, 2)].concat()).whole()),
        ("empty engine", engine(&name(11, ""))),
        ("empty statistics", engine(&attribute(10, &[]))),
        ("unknown numbers", engine(&[number8(0, 1), number8(13, 1), number8(4095, 1)].concat())),
        ("junk behind the nest's attributes", nest(1, &[&service().0.concat(), &[1, 2]])),
        ("an attribute that is too long for the nest", nest(1, &[&service().0.concat(), &[200, 0, 1, 0]])),
        ("attribute of a destination that is none", [service().whole(), nest(2, &[&number8(1, 0)])].concat()),
    ];
    let mut line = RawSocket::open(world);
    for (label, attributes) in cases {
        assert_eq!(line.command(NEW_SERVICE, &attributes), OK, "{label}");
        assert_eq!(line.command(DEL_SERVICE, &service().named()), OK, "{label}");
    }
    let with_junk = [service().whole(), vec![1, 2, 3]].concat();
    assert_eq!(line.command(NEW_SERVICE, &with_junk), said(0, LEFTOVER), "success with a remark");
    assert_eq!(line.command(NEW_SERVICE, &with_junk), said(EEXIST, LEFTOVER), "failure with a remark");
}

pub fn mark_stands_for_itself_unless_it_is_zero(world: &dyn World) {
    let mut line = RawSocket::open(world);
    let marked = |mark| Service::new().with(5, &number32(5, mark));
    assert_eq!(line.command(NEW_SERVICE, &marked(7).whole()), OK);
    let bare = nest(1, &[&number16(1, 2), &number32(5, 7)]);
    assert_eq!(line.command(DEL_SERVICE, &bare), OK, "address, port and protocol said nothing");

    assert_eq!(line.command(NEW_SERVICE, &marked(0).whole()), OK);
    let [entry] = <[_; 1]>::try_from(world.handle().get_services().unwrap()).unwrap();
    assert_eq!(entry.id(), ipvs_rs::ServiceId::verbatim(ipvs_rs::model::Protocol::TCP, [0, 0, 0, 0].into(), 0));
    let nowhere = Service::new().with(3, &attribute(3, &[])).with(4, &port(4, 0));
    assert_eq!(line.command(DEL_SERVICE, &nowhere.named()), OK);
}

pub fn commands_that_name_a_service_look_for_it_in_the_same_order(world: &dyn World) {
    let mut line = RawSocket::open(world);
    for command in [DEL_SERVICE, GET_SERVICE, NEW_DEST, SET_DEST, DEL_DEST] {
        let mut expect = |attributes: &[u8], expected: Answer, label: &str| {
            assert_eq!(line.command(command, attributes), expected, "{command}: {label}");
        };
        expect(&[], error(EINVAL), "no nest");
        expect(&nest(1, &[]), error(EINVAL), "an empty nest");
        expect(&Service::new().without(4).named(), error(EINVAL), "no port");
        expect(&Service::new().with(1, &number16(1, 99)).named(), error(EAFNOSUPPORT), "unknown family");
        expect(&Service::new().named(), error(ESRCH), "not there");
        let broken = [Service::new().named(), nest(2, &[&number8(2, 1)])].concat();
        expect(&broken, error(ESRCH), "not there, with a broken destination");
        let short = [Service::new().named(), attribute(2, &[0; 3])].concat();
        expect(&short, said(ERANGE, VIOLATION), "not there, with a destination of 3 bytes");
    }
    assert_eq!(line.command(ZERO, &nest(1, &[])), error(EINVAL), "an empty nest is a nest");
    assert_eq!(line.command(ZERO, &Service::new().named()), error(ESRCH));
    assert_eq!(line.command(ZERO, &[]), OK);
    assert_eq!(line.command(FLUSH, &Service::new().named()), OK, "attributes of a flush say nothing");
    assert_eq!(line.command(FLUSH, &attribute(1, &[0; 2])), said(ERANGE, VIOLATION), "but they are looked at");
}

pub fn destination_that_is_not_described_well_is_refused(world: &dyn World) {
    const GUE: u8 = 1;
    let destination = Destination::new;
    let weightless = || destination().with(4, &number32(4, u32::MAX));
    let cases: Vec<(&str, Destination, Answer)> = vec![
        ("no address", destination().without(1), error(EINVAL)),
        ("no port", destination().without(2), error(EINVAL)),
        ("no method", destination().without(3), error(EINVAL)),
        ("no weight", destination().without(4), error(EINVAL)),
        ("no upper threshold", destination().without(5), error(EINVAL)),
        ("no lower threshold", destination().without(6), error(EINVAL)),
        ("address of 17 bytes", destination().with(1, &attribute(1, &[10; 17])), error(EINVAL)),
        ("short port", destination().with(2, &number8(2, 80)), error(EINVAL)),
        ("short method", destination().with(3, &number16(3, 0)), error(EINVAL)),
        ("short weight", destination().with(4, &number16(4, 0)), error(EINVAL)),
        ("short family", destination().with(11, &number8(11, 2)), error(EINVAL)),
        ("short tunnel port", destination().with(14, &number8(14, 2)), error(EINVAL)),
        ("empty tunnel type", destination().with(13, &attribute(13, &[])), error(EINVAL)),
        ("statistics of 3 bytes", destination().with(10, &attribute(10, &[0; 3])), error(EINVAL)),
        ("gauge of 2 bytes", destination().with(7, &number16(7, 1)), error(EINVAL)),
        ("unknown family", destination().with(11, &number16(11, 99)), error(EAFNOSUPPORT)),
        ("unknown family, weight below 0", weightless().with(11, &number16(11, 99)), error(EAFNOSUPPORT)),
        ("other family, masqueraded", destination().with(11, &number16(11, 10)), error(EINVAL)),
        ("other family, masqueraded, weight below 0", weightless().with(11, &number16(11, 10)), error(EINVAL)),
        ("weight below 0", weightless(), error(ERANGE)),
        ("lower above upper", destination().with(6, &number32(6, 1)), error(ERANGE)),
        ("GUE without port", destination().with(13, &number8(13, GUE)), error(EINVAL)),
        ("GUE without port, weight below 0", weightless().with(13, &number8(13, GUE)), error(ERANGE)),
    ];
    let mut line = RawSocket::open(world);
    assert_eq!(line.command(NEW_SERVICE, &Service::new().whole()), OK);
    let mut expect = |command: u8, nest: &[u8], expected: &Answer, label: &str| {
        let attributes = [&Service::new().named(), nest].concat();
        assert_eq!(line.command(command, &attributes), *expected, "{command}: {label}");
    };
    for command in [NEW_DEST, SET_DEST] {
        expect(command, &[], &error(EINVAL), "no nest");
        expect(command, &nest(2, &[]), &error(EINVAL), "an empty nest");
        for (label, destination, expected) in &cases {
            expect(command, &destination.whole(), expected, label);
        }
    }
    expect(SET_DEST, &destination().whole(), &error(ENOENT), "not there");
    expect(DEL_DEST, &destination().whole(), &error(ENOENT), "not there");
    for (label, address) in [("any", [0; 4]), ("all", [255; 4]), ("many", [224, 0, 0, 1])] {
        let there = destination().with(1, &attribute(1, &address));
        expect(NEW_DEST, &there.whole(), &error(EINVAL), label);
        expect(SET_DEST, &there.whole(), &error(ENOENT), label);
    }

    expect(NEW_DEST, &destination().whole(), &OK, "at last");
    expect(NEW_DEST, &destination().whole(), &error(EEXIST), "again");
    for command in [NEW_DEST, SET_DEST] {
        for (label, destination, expected) in &cases {
            expect(command, &destination.whole(), expected, &format!("{label}, of one that is there"));
        }
    }
    expect(DEL_DEST, &destination().with(11, &number16(11, 10)).whole(), &error(ENOENT), "of the other family");
    expect(DEL_DEST, &weightless().with(11, &number16(11, 99)).whole(), &error(EAFNOSUPPORT), "of no family");
    expect(DEL_DEST, &weightless().with(6, &number32(6, 9)).whole(), &OK, "only its name counts");
}

pub fn upper_threshold_with_the_highest_bit_is_refused_by_newer_kernels(world: &dyn World) {
    let mut line = RawSocket::open(world);
    assert_eq!(line.command(NEW_SERVICE, &Service::new().whole()), OK);
    let attributes = |upper: u32, lower: u32, weight: i32| {
        let destination = Destination::new()
            .with(4, &attribute(4, &weight.to_ne_bytes()))
            .with(5, &number32(5, upper))
            .with(6, &number32(6, lower));
        [Service::new().named(), destination.whole()].concat()
    };
    let newer = line.command(NEW_DEST, &attributes(1 << 31, 0, 1)) == error(EINVAL);
    if newer {
        assert_eq!(line.command(NEW_DEST, &attributes(i32::MAX.unsigned_abs(), 0, 1)), OK);
    } else {
        assert!(world.version() < (7, 0), "since Linux 7, and since some patch release of those before");
        world.note("this kernel takes any upper threshold");
    }
    let expected = if newer { error(EINVAL) } else { OK };
    for (upper, lower) in [(1 << 31, 0), (1 << 31, 1 << 31), (u32::MAX, 5), (u32::MAX, u32::MAX)] {
        assert_eq!(line.command(SET_DEST, &attributes(upper, lower, 1)), expected, "{upper} {lower}");
        assert_eq!(line.command(SET_DEST, &attributes(upper, lower, -1)), error(ERANGE), "{upper} {lower}, weight -1");
    }
    assert_eq!(line.command(SET_DEST, &attributes(1 << 31, u32::MAX, 1)), error(ERANGE), "lower above upper first");
}

pub fn destination_that_is_described_oddly_is_taken(world: &dyn World) {
    let destination = Destination::new;
    let cases: Vec<(&str, Destination)> = vec![
        ("no family", destination().without(11)),
        ("family 0", destination().with(11, &number16(11, 0))),
        ("something behind the address", destination().with(1, &attribute(1, &[10, 0, 0, 2, 9, 9]))),
        ("bits beside the method", destination().with(3, &number32(3, 0x2008))),
        ("unknown tunnel type", destination().with(13, &number8(13, 200))),
        ("kernel's own numbers", destination().with(7, &number32(7, 99)).with(8, &number32(8, 99))),
        ("unknown number", destination().with(12, &attribute(12, &[1])).with(15, &number16(15, 0x8000))),
    ];
    let mut line = RawSocket::open(world);
    assert_eq!(line.command(NEW_SERVICE, &Service::new().whole()), OK);
    for (label, odd) in cases {
        let attributes = |destination: Destination| [Service::new().named(), destination.whole()].concat();
        assert_eq!(line.command(NEW_DEST, &attributes(odd)), OK, "{label}");
        assert_eq!(line.command(DEL_DEST, &attributes(destination())), OK, "{label}");
    }
}

pub fn configuration_is_all_or_nothing(world: &dyn World) {
    const TCP: u16 = 4;
    const UDP: u16 = 6;
    let mut line = RawSocket::open(world);
    let before = world.handle().get_config().unwrap();
    for (label, attributes, expected) in [
        ("nothing", Vec::new(), OK),
        ("nothing to change", number32(TCP, 0), OK),
        ("too long", number32(TCP, 1 << 31), error(EINVAL)),
        ("one of two too long", [number32(TCP, 7), number32(UDP, u32::MAX)].concat(), error(EINVAL)),
        ("too short", [number32(TCP, 7), number16(UDP, 7)].concat(), said(ERANGE, VIOLATION)),
    ] {
        assert_eq!(line.command(SET_CONFIG, &attributes), expected, "{label}");
        assert_eq!(world.handle().get_config().unwrap(), before, "{label}");
    }
}

pub fn daemon_that_is_not_described_well_is_refused(world: &dyn World) {
    world.add_interface(&super::Interface { name: "d0", addresses: &["10.8.8.8/24"], is_up: true });
    let mut line = RawSocket::open(world);
    let daemon = |state: u32, interface: &str| [number32(1, state), name(2, interface), number32(3, 0)].concat();
    let with = |more: &[u8]| nest(3, &[&daemon(2, "d0"), more]);
    for (label, attributes, expected) in [
        ("no nest", Vec::new(), error(EINVAL)),
        ("an empty nest", nest(3, &[]), error(EINVAL)),
        ("no state", nest(3, &[&name(2, "d0"), &number32(3, 0)]), error(EINVAL)),
        ("no interface", nest(3, &[&number32(1, 2), &number32(3, 0)]), error(EINVAL)),
        ("no sync id", nest(3, &[&number32(1, 2), &name(2, "d0")]), error(EINVAL)),
        ("unknown state", nest(3, &[&daemon(3, "d0")]), error(EINVAL)),
        ("no such interface", nest(3, &[&daemon(2, "nowhere")]), error(ENODEV)),
        ("no name of an interface", nest(3, &[&daemon(2, "")]), error(ENODEV)),
        ("unknown state, no such interface", nest(3, &[&daemon(3, "nowhere")]), error(ENODEV)),
        ("interface of 16 bytes", nest(3, &[&daemon(2, "sixteen-letters-")]), said(EINVAL, VIOLATION)),
        ("short state", nest(3, &[&number16(1, 2)]), said(EINVAL, VIOLATION)),
        ("group of one", with(&attribute(5, &[10, 0, 0, 1])), error(EINVAL)),
        ("IPv6 group of one", with(&attribute(6, &[1; 16])), error(EINVAL)),
        ("IPv6 group of 15 bytes", with(&attribute(6, &[0xff; 15])), said(EINVAL, VIOLATION)),
        ("group of one, no such interface", nest(3, &[&daemon(2, "nowhere"), &attribute(5, &[10; 4])]), error(EINVAL)),
        ("short length", with(&number8(4, 1)), said(EINVAL, VIOLATION)),
        ("nest of 1 byte", attribute(3, &[0]), said(ERANGE, VIOLATION)),
    ] {
        assert_eq!(line.command(NEW_DAEMON, &attributes), expected, "{label}");
    }
    for (label, attributes, expected) in [
        ("no nest", Vec::new(), error(EINVAL)),
        ("no state", nest(3, &[&name(2, "d0")]), error(EINVAL)),
        ("unknown state", nest(3, &[&number32(1, 3)]), error(EINVAL)),
        ("does not run", nest(3, &[&number32(1, 2)]), error(ESRCH)),
    ] {
        assert_eq!(line.command(DEL_DAEMON, &attributes), expected, "stop: {label}");
    }
    assert_eq!(world.handle().get_sync_daemons().unwrap(), []);
}

pub fn refusal_says_where_it_is_and_what_there_should_be(world: &dyn World) {
    const MOST: u16 = 7;
    let range = |most: u64, kind: u32| {
        [attribute(4, &0_u64.to_ne_bytes()), attribute(5, &most.to_ne_bytes()), number32(1, kind)].concat()
    };
    let (u8s, u16s, u32s) = (range(255, 2), range(65_535, 3), range(u32::MAX.into(), 4));
    let text = [number32(MOST, 15), number32(1, 12)].concat();
    let nests = number32(1, 13);
    let daemon = |wrong: &[u8]| nest(3, &[&number32(1, 2), wrong]);
    // The nest begins at 20, its first attribute at 24, and the wrong one at 32.
    let cases = [
        ("nest", NEW_SERVICE, attribute(1, &[0; 2]), 20_u32, Some(&nests)),
        ("second of two", SET_CONFIG, [number32(4, 7), number16(6, 7)].concat(), 28, Some(&u32s)),
        ("number of 32 bits", NEW_DAEMON, daemon(&number16(3, 0)), 32, Some(&u32s)),
        ("number of 16 bits", NEW_DAEMON, daemon(&number8(4, 0)), 32, Some(&u16s)),
        ("number of 8 bits", NEW_DAEMON, daemon(&attribute(8, &[])), 32, Some(&u8s)),
        ("name", NEW_DAEMON, daemon(&attribute(2, b"d0")), 32, Some(&text)),
        ("long name", NEW_DAEMON, daemon(&name(2, "sixteen-letters-")), 32, Some(&text)),
        ("address, which there are no words for", NEW_DAEMON, daemon(&attribute(6, &[0xff; 15])), 32, None),
    ];
    let mut line = RawSocket::open(world);
    for (label, command, attributes, offset, policy) in cases {
        let mut expected = vec![(1, [VIOLATION.as_bytes(), &[0]].concat()), (2, offset.to_ne_bytes().to_vec())];
        expected.extend(policy.map(|policy| (0x8004, policy.clone())));
        assert_eq!(line.remarks(command, &attributes), expected, "{label}");
    }
}

pub fn commands_that_are_not_there_or_cannot_do_that(world: &dyn World) {
    let mut line = RawSocket::open(world);
    for command in [0, 14, 18, 19, 255] {
        assert_eq!(line.command(command, &[]), error(EOPNOTSUPP), "{command}");
    }
    for command in [GET_DEST, GET_DAEMON] {
        assert_eq!(line.command(command, &[]), error(EOPNOTSUPP), "{command} of one");
    }
    for command in [NEW_SERVICE, DEL_DEST, NEW_DAEMON, SET_CONFIG, GET_CONFIG, GET_INFO, ZERO, FLUSH] {
        let request = line.request(command, REQUEST | DUMP, &[]);
        assert_eq!(line.ask(&request), [error(EOPNOTSUPP)], "{command} as a list");
    }
    let request = line.request(GET_DAEMON, REQUEST | ROOT, &[]);
    assert_eq!(line.ask(&request), [error(EOPNOTSUPP)], "one of the two bits of a list");

    // Commands that are newer than the check must have a clean header; older ones need not.
    let reserved = |command: u8| [command, 0, 0xff, 0xff];
    let request = message(line.family, REQUEST, 1, &reserved(GET_INFO));
    assert!(matches!(line.ask(&request)[..], [Answer::Data(14, 0, _)]));
    let request = message(line.family, REQUEST, 1, &reserved(18));
    assert_eq!(line.ask(&request), [said(EINVAL, "genlmsghdr.reserved field is not 0")]);
    let request = line.request(18, REQUEST | ROOT, &[]);
    assert_eq!(line.ask(&request), [said(EINVAL, "ambiguous or reserved bits set in nlmsg_flags")]);
}

pub fn list_never_fails_for_what_it_was_asked_with(world: &dyn World) {
    let mut line = RawSocket::open(world);
    assert_eq!(line.command(NEW_SERVICE, &Service::new().whole()), OK);
    let destination = [Service::new().named(), Destination::new().whole()].concat();
    assert_eq!(line.command(NEW_DEST, &destination), OK);
    let list = |line: &mut RawSocket, command: u8, attributes: &[u8]| {
        let request = line.request(command, REQUEST | ACK | DUMP, attributes);
        let mut answers = line.ask(&request);
        let end = answers.pop();
        (answers.len(), end)
    };
    let done = |sentence: Option<&str>| Some(Answer::Done(0, sentence.map(str::to_owned)));
    for (label, attributes, expected) in [
        ("right", Service::new().named(), (1, done(None))),
        ("junk behind", [Service::new().named(), vec![0; 3]].concat(), (1, done(Some(LEFTOVER)))),
        ("unknown", Service::new().with(4, &port(4, 81)).named(), (0, done(None))),
        ("no nest", Vec::new(), (0, done(None))),
        ("unknown family", Service::new().with(1, &number16(1, 99)).named(), (0, done(None))),
        ("broken nest", nest(1, &[&number8(1, 2)]), (0, done(None))),
        ("nest of 2 bytes", attribute(1, &[0; 2]), (0, done(Some(VIOLATION)))),
    ] {
        assert_eq!(list(&mut line, GET_DEST, &attributes), expected, "destinations: {label}");
    }
    for attributes in [Vec::new(), Service::new().with(4, &port(4, 81)).named(), attribute(1, &[0; 2])] {
        assert_eq!(list(&mut line, GET_SERVICE, &attributes), (1, done(None)), "services are listed whatever is said");
        assert_eq!(list(&mut line, GET_DAEMON, &attributes), (0, done(None)), "and so are daemons");
    }
}

/// The nest of a service with something in the place behind the netmask.
fn engine(more: &[u8]) -> Vec<u8> {
    nest(1, &[&Service::new().0.concat(), more])
}

fn flagged(nest: &[u8]) -> Vec<u8> {
    let kind = u16::from_ne_bytes([nest[2], nest[3]]) | 0x8000;
    [&nest[..2], &kind.to_ne_bytes(), &nest[4..]].concat()
}

fn padded(name: &[u8], len: usize) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.resize(len, 0);
    bytes
}
