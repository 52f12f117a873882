//! Random datagrams: requests that are right, and requests that are wrong in every way.

use fastrand::Rng;

use crate::conformance::raw::{
    ACK, CONTROLLER, DEL_DAEMON, DEL_DEST, DEL_SERVICE, DUMP, FLUSH, GET_CONFIG, GET_DAEMON, GET_DEST, GET_INFO,
    GET_SERVICE, NEW_DAEMON, NEW_DEST, NEW_SERVICE, REQUEST, ROOT, SET_CONFIG, SET_DEST, SET_SERVICE, ZERO, attribute,
    message,
};

/// Only the name of a reply, which is not a request.
const SET_INFO: u8 = 14;
/// One more than there are.
const UNKNOWN: u8 = 18;
/// `CTRL_CMD_GETFAMILY`.
pub const GETFAMILY: u8 = 3;
/// `NLM_F_ECHO`.
const ECHO: u16 = 0x8;
/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;

const INET: u16 = 2;
const INET6: u16 = 10;

/// The receiver of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Receiver {
    /// The family of IPVS.
    Family,
    /// The controller of generic netlink.
    Controller,
    /// An unknown family.
    Other(u16),
}

/// A message, whatever it is worth.
#[derive(Clone, Debug)]
pub struct Message {
    pub receiver: Receiver,
    pub command: u8,
    pub flags: u16,
    version: u8,
    reserved: u16,
    attributes: Vec<u8>,
    /// Whether the number of the family, which is not known before, stands before the attributes.
    names_family: bool,
    /// The length in the header, less the true length.
    pub lie: i32,
}

impl Message {
    /// The message as it is sent to a kernel where the family has this number.
    pub fn bytes(&self, family: u16, sequence: u32) -> Vec<u8> {
        let kind = match self.receiver {
            Receiver::Family => family,
            Receiver::Controller => CONTROLLER,
            Receiver::Other(kind) => kind,
        };
        let mut payload = vec![self.command, self.version];
        payload.extend(self.reserved.to_ne_bytes());
        if self.names_family {
            payload.extend(attribute(1, &family.to_ne_bytes()));
        }
        payload.extend(&self.attributes);
        let mut bytes = message(kind, self.flags, sequence, &payload);
        let length = u32::try_from(bytes.len()).unwrap().wrapping_add_signed(self.lie);
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        // Bytes behind a header alone would be read as a message, to some family or other.
        bytes.truncate(if length == 16 { 16 } else { bytes.len() });
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    pub fn is_list(&self) -> bool {
        self.flags & DUMP == DUMP
    }

    /// Whether this is a command of the family that the kernel will look at.
    pub fn is_command(&self, command: u8) -> bool {
        self.receiver == Receiver::Family && self.command == command && self.flags & REQUEST != 0
    }
}

/// The messages of a datagram; mostly one.
pub fn datagram(seed: u64) -> Vec<Message> {
    let mut rng = Rng::with_seed(seed);
    let count = if rng.u8(..4) > 0 { 1 } else { rng.usize(2..6) };
    let mut messages = Vec::new();
    for _ in 0..count {
        let message = any_message(&mut rng);
        let starts_daemon = message.command == NEW_DAEMON;
        // The kernel makes the rest of a list while it is read. Which services are in the rest is left to their hash.
        // And what stands behind a length that is not true would be read as a message to some family or other.
        let is_last = message.lie != 0 || (message.is_list() && message.command == GET_SERVICE);
        messages.push(message);
        if is_last {
            break;
        }
        // A thread that has not run yet when it is stopped.
        if starts_daemon && rng.u8(..4) == 0 {
            messages.push(stop_of_daemon(rng.u32(1..3)));
        }
    }
    messages
}

/// A service of each family with three servers each, as most of the others ask for.
pub fn table() -> Vec<Message> {
    const RR: &[u8] = b"rr\0";
    let number = |kind, value: u32| attribute(kind, &value.to_ne_bytes());
    let mut messages = Vec::new();
    for (family, mask) in [(INET, [0xff; 4]), (INET6, 128_u32.to_ne_bytes())] {
        let address = if family == INET6 { ipv6(0, 1).to_vec() } else { vec![192, 0, 2, 1] };
        let name = [
            attribute(1, &family.to_ne_bytes()),
            attribute(2, &6_u16.to_ne_bytes()),
            attribute(3, &address),
            attribute(4, &[0, 80]),
        ]
        .concat();
        let settings = [attribute(6, RR), attribute(7, &[0; 8]), number(8, 0), attribute(9, &mask)].concat();
        let service = attribute(1, &[&name[..], &settings].concat());
        messages.push(plain(NEW_SERVICE, REQUEST | ACK, service));
        for host in 1..=3 {
            let address = if family == INET6 { ipv6(1, host).to_vec() } else { vec![10, 0, 0, host] };
            let named = [attribute(1, &address), attribute(2, &[0, 80]), attribute(11, &family.to_ne_bytes())].concat();
            let settings = [number(3, 0), number(4, 1), number(5, 0), number(6, 0)].concat();
            let destination = attribute(2, &[named, settings].concat());
            let service = attribute(1, &name);
            messages.push(plain(NEW_DEST, REQUEST | ACK, [service, destination].concat()));
        }
    }
    messages
}

/// A list of the daemons.
pub fn list_of_daemons() -> Message {
    plain(GET_DAEMON, REQUEST | DUMP, Vec::new())
}

/// The stop of a daemon in the state with this number.
pub fn stop_of_daemon(state: u32) -> Message {
    plain(DEL_DAEMON, REQUEST | ACK, attribute(3, &attribute(1, &state.to_ne_bytes())))
}

fn plain(command: u8, flags: u16, attributes: Vec<u8>) -> Message {
    let receiver = Receiver::Family;
    Message { receiver, command, flags, version: 1, reserved: 0, attributes, names_family: false, lie: 0 }
}

fn any_message(rng: &mut Rng) -> Message {
    // Most of them are right, so that there is something to be wrong about.
    let mut random = RandomSource { is_careful: rng.u8(..3) > 0, rng: rng.fork() };
    match rng.u8(..) {
        0..=5 => return to_controller(&mut random),
        6..=7 => {
            let kind = random.pick(&[0, 1, 2, 3, 4, 9, 15, 1023, 4000, u16::MAX]);
            let receiver = Receiver::Other(kind);
            return Message { receiver, ..plain(FLUSH, random.pick(&[REQUEST, ACK, REQUEST | ACK]), Vec::new()) };
        }
        _ => {}
    }
    let command = any_command(&mut random);
    let mut message = plain(command, any_flags(&mut random, command), attributes(&mut random, command));
    if random.seldom() {
        message.version = random.rng.u8(..);
    }
    if random.seldom() {
        message.reserved = random.pick(&[1, u16::MAX]);
    }
    if random.seldom() {
        message.lie = any_lie(&mut random, &message);
    }
    message
}

fn any_command(random: &mut RandomSource) -> u8 {
    // Commands that build tables come more often than those that empty them.
    const COMMANDS: [u8; 36] = [
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
        NEW_DEST,
        SET_DEST,
        SET_DEST,
        SET_DEST,
        DEL_DEST,
        DEL_DEST,
        GET_DEST,
        GET_DEST,
        NEW_DAEMON,
        NEW_DAEMON,
        DEL_DAEMON,
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
    match random.pick(&COMMANDS) {
        FLUSH if random.often() => GET_DEST,
        command => command,
    }
}

fn any_flags(random: &mut RandomSource, command: u8) -> u16 {
    let is_list = match command {
        GET_DEST | GET_DAEMON => random.often(),
        GET_SERVICE => random.rng.bool(),
        _ => random.seldom(),
    };
    let mut flags = REQUEST;
    flags |= if is_list { DUMP } else { 0 };
    flags |= if random.rng.u8(..4) > 0 { ACK } else { 0 };
    // One bit of a list alone, and bits that say nothing to this family.
    flags |=
        if random.seldom() { random.pick(&[ROOT, DUMP & !ROOT, ECHO, 0x10, 0x20, 0x400, 0x800, 0x8000]) } else { 0 };
    if random.seldom() { flags & !REQUEST } else { flags }
}

/// How far the header is from the truth: not even a header, a header alone, less and more than there is.
fn any_lie(random: &mut RandomSource, message: &Message) -> i32 {
    const HEADER: i32 = 16;
    let length = HEADER + 4 + i32::try_from(message.attributes.len()).unwrap();
    let claimed =
        random.pick(&[0, 1, 15, HEADER, 17, 19, 20, length - 1, length - 4, length + 1, length + 4, i32::MAX]);
    claimed - length
}

/// The look-up of a family.
fn to_controller(random: &mut RandomSource) -> Message {
    let others = [0, 1, 2, 4, 8, 11, 18, u8::MAX];
    let command = if random.often() { GETFAMILY } else { random.pick(&others) };
    let mut attributes = Vec::new();
    let names_family = random.rng.u8(..3) == 0;
    if !names_family || random.rng.bool() {
        let names: [&[u8]; 6] = [b"IPVS\0", b"IPVS\0x", b"ipvs\0", b"\0", b"sixteen-letters-\0", b"IPVS"];
        let name = if random.is_careful { names[0] } else { random.pick(&names) };
        attributes.extend(random.odd(2, name));
    }
    if !names_family && random.rng.u8(..4) == 0 {
        attributes.extend(random.odd(1, &999_u16.to_ne_bytes()));
    }
    if random.seldom() {
        attributes.extend(attribute(random.rng.u16(..30), &[1, 2]));
    }
    if random.seldom() {
        attributes.extend([9, 9]);
    }
    let is_list = random.rng.u8(..6) == 0;
    let flags = REQUEST | random.pick(&[0, ACK]) | if is_list { DUMP } else { 0 };
    let reserved = if random.seldom() { 7 } else { 0 };
    Message { receiver: Receiver::Controller, names_family, reserved, ..plain(command, flags, attributes) }
}

fn attributes(random: &mut RandomSource, command: u8) -> Vec<u8> {
    let mut all = Vec::new();
    match command {
        SET_CONFIG => {
            for kind in 4..=6 {
                if random.rng.bool() {
                    let longest = 8_589_934;
                    let careful = [0_u32, 1, 900, longest];
                    let wrong = [longest + 1, u32::MAX];
                    let seconds = random.either(&careful, &wrong);
                    all.push(random.odd(kind, &seconds.to_ne_bytes()));
                }
            }
            return random.in_some_order(all);
        }
        NEW_DAEMON | DEL_DAEMON => {
            let daemon = daemon(random, command == NEW_DAEMON);
            all.push(random.odd(3, &daemon));
            return random.in_some_order(all);
        }
        ZERO if random.rng.bool() => return Vec::new(),
        _ => {}
    }
    let family = if random.seldom() { 0 } else { random.pick(&[INET, INET, INET, INET6]) };
    let service = service(random, family, matches!(command, NEW_SERVICE | SET_SERVICE));
    all.push(random.odd(1, &service));
    if matches!(command, NEW_DEST | SET_DEST | DEL_DEST) || random.seldom() {
        let destination = destination(random, family);
        all.push(random.odd(2, &destination));
    }
    if random.seldom() {
        all.push(attribute(random.rng.u16(..30), &[1, 2]));
    }
    let mut all = random.in_some_order(all);
    if random.seldom() {
        all.extend([9, 9]);
    }
    all
}

/// `IPVS_SVC_ATTR_*`, mostly in their order.
fn service(random: &mut RandomSource, family: u16, whole: bool) -> Vec<u8> {
    let mut all = vec![random.odd(1, &family.to_ne_bytes())];
    if random.rng.u8(..6) == 0 {
        let mark = random.either(&[7_u32, 7, 7, 8], &[0]);
        all.push(random.odd(5, &mark.to_ne_bytes()));
    } else {
        // Few names, so that most commands meet a service that is there.
        let protocol = random.pick(&[6_u16, 6, 6, 6, 6, 6, 6, 6, 17, 300]);
        all.push(random.odd(2, &protocol.to_ne_bytes()));
        let host = random.pick(&[1, 1, 1, 1, 1, 1, 1, 2]);
        let mut address = if family == INET6 { ipv6(0, host).to_vec() } else { vec![192, 0, 2, host] };
        // The library fills the union; what is behind an IPv4 address means nothing.
        address.resize(if random.rng.bool() { 16 } else { address.len() }, 9);
        all.push(random.odd(3, &address));
        // Port 0 is any port.
        let port = random.pick(&[80_u16, 80, 80, 80, 80, 80, 0]);
        all.push(random.odd(4, &port.to_be_bytes()));
    }
    if whole || random.seldom() {
        let schedulers: [&[u8]; 13] = [
            b"rr\0", b"wrr\0", b"lc\0", b"wlc\0", b"lblc\0", b"lblcr\0", b"dh\0", b"sh\0", b"sed\0", b"nq\0", b"mh\0",
            b"ovf\0", b"none\0",
        ];
        let scheduler = if random.seldom() {
            random.pick(&[&b"unknown\0"[..], b"\0", b"rr", b"rr\0xx", b"sixteen-letters-\0"])
        } else {
            random.pick(&schedulers)
        };
        all.push(random.odd(6, scheduler));
        let flags = [random.pick(&[0_u32, 1, 4, 0x18, 2, u32::MAX]), random.pick(&[u32::MAX, u32::MAX, 1, 0x1c, 2])];
        all.push(random.odd(7, &flags.map(u32::to_ne_bytes).concat()));
        let timeout = random.pick(&[0_u32, 300, 17_179_869, 17_179_870, u32::MAX]);
        all.push(random.odd(8, &timeout.to_ne_bytes()));
        let mask = if family == INET6 && !random.seldom() {
            random.either(&[128_u32, 64, 1], &[0, 129]).to_ne_bytes()
        } else {
            [255, 255, random.rng.u8(..), 0]
        };
        all.push(random.odd(9, &mask));
        if random.rng.u8(..4) == 0 {
            let engine: &[u8] = random.either(&[&b"sip\0"[..], b"\0"], &[b"unknown\0", b"sip"]);
            all.push(random.odd(11, engine));
        }
        if random.seldom() {
            all.push(random.odd(10, &[0; 8]));
            all.push(random.odd(12, &[1]));
        }
    }
    let mut all = random.in_some_order(all);
    if random.seldom() {
        all.extend([1, 2, 3]);
    }
    all
}

/// `IPVS_DEST_ATTR_*`, mostly in their order.
fn destination(random: &mut RandomSource, of_service: u16) -> Vec<u8> {
    const TUNNEL: u32 = 2;
    // A server of the other family is reached by a tunnel.
    let crosses = random.rng.u8(..8) == 0;
    let family = match of_service {
        _ if random.seldom() => random.pick(&[INET, INET6, 0, 99]),
        INET if crosses => INET6,
        INET6 if crosses => INET,
        same => same,
    };
    let address = match family {
        _ if random.seldom() => {
            let mut address = vec![0; random.pick(&[4, 16])];
            address[0] = random.pick(&[0, 255, 224, 127, 0xfe, 0xff]);
            address
        }
        _ if random.seldom() => random.pick(&[[10, 8, 8, 255], [10, 8, 8, 8], [10, 8, 8, 0]]).to_vec(),
        INET6 => ipv6(1, random.pick(&[1, 1, 1, 2, 3])).to_vec(),
        _ => vec![10, 0, 0, random.pick(&[1, 1, 1, 2, 3])],
    };
    let mut all = vec![random.odd(1, &address)];
    let port = random.pick(&[80_u16, 80, 80, 80, 80, 0]);
    all.push(random.odd(2, &port.to_be_bytes()));
    let method = if crosses && random.often() { TUNNEL } else { random.pick(&[0_u32, 1, 2, 2, 3, 4, 7, 0xffff_fff0]) };
    all.push(random.odd(3, &method.to_ne_bytes()));
    let weight = random.either(&[0_u32, 1, 100_000, (1 << 31) - 1], &[1 << 31, u32::MAX]);
    all.push(random.odd(4, &weight.to_ne_bytes()));
    // One with the highest bit is refused by some kernels of a release and taken by others.
    let upper = random.pick(&[0_u32, 10, (1 << 31) - 1, 5]);
    all.push(random.odd(5, &upper.to_ne_bytes()));
    let lower = random.either(&[0_u32, 0, 0, 0, 0, 5], &[11]);
    all.push(random.odd(6, &lower.to_ne_bytes()));
    if crosses || !random.seldom() {
        all.push(random.odd(11, &family.to_ne_bytes()));
    }
    if random.rng.u8(..3) == 0 {
        let kind = random.pick(&[0_u8, 1, 2, 9]);
        all.push(random.odd(13, &[kind]));
        let port = random.pick(&[0_u16, 6080, 6080]);
        all.push(random.odd(14, &port.to_be_bytes()));
        let flags = random.rng.u16(..);
        all.push(random.odd(15, &flags.to_ne_bytes()));
    }
    random.in_some_order(all)
}

/// `IPVS_DAEMON_ATTR_*`, mostly in their order.
fn daemon(random: &mut RandomSource, whole: bool) -> Vec<u8> {
    let state = random.either(&[1_u32, 2], &[0, 3, u32::MAX]);
    let mut all = vec![random.odd(1, &state.to_ne_bytes())];
    if whole || random.seldom() {
        let wrong: [&[u8]; 6] = [b"nowhere\0", b"\0", b"fifteen-letters\0", b"sixteen-letters-\0", b"d0", b"d0\0xx"];
        let interface = random.either(&[&b"d0\0"[..], b"d0\0", b"d1\0", b"lo\0"], &wrong);
        all.push(random.odd(2, interface));
        let sync_id = random.pick(&[0_u32, 7, 255, 256, u32::MAX]);
        all.push(random.odd(3, &sync_id.to_ne_bytes()));
        if random.rng.bool() {
            let length = random.pick(&[0_u16, 1, 1023, 1024, 1400, 65_500, u16::MAX]);
            all.push(random.odd(4, &length.to_ne_bytes()));
        }
        if random.rng.u8(..3) == 0 {
            let group =
                random.either(&[[224, 1, 2, 3], [224, 0, 0, 81], [239, 255, 255, 255]], &[[10, 0, 0, 1], [0; 4]]);
            all.push(random.odd(5, &group));
        }
        if random.rng.u8(..3) == 0 {
            let mut group = random.pick(&[ipv6(0, 2), ipv6(1, 81)]);
            [group[0], group[1]] = random.either(&[[0xff, 0x05], [0xff, 0x02], [0xff, 0x0e]], &[[0x20, 1], [0, 0]]);
            all.push(random.odd(6, &group));
        }
        if random.rng.bool() {
            let port = random.pick(&[0_u16, 8848, 9000, u16::MAX]);
            all.push(random.odd(7, &port.to_ne_bytes()));
        }
        if random.rng.bool() {
            let ttl = random.pick(&[0_u8, 1, 8, u8::MAX]);
            all.push(random.odd(8, &[ttl]));
        }
    }
    random.in_some_order(all)
}

fn ipv6(net: u8, host: u8) -> [u8; 16] {
    [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, net, host]
}

/// The random source of a message.
struct RandomSource {
    rng: Rng,
    /// Nothing is wrong on purpose.
    is_careful: bool,
}

impl RandomSource {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    /// One of the right values, or now and then of the wrong ones.
    fn either<T: Copy>(&mut self, right: &[T], wrong: &[T]) -> T {
        let is_wrong = !self.is_careful && self.rng.u8(..8) == 0;
        self.pick(if is_wrong { wrong } else { right })
    }

    /// Whether something odd happens.
    fn seldom(&mut self) -> bool {
        !self.is_careful && self.rng.u8(..) < 8
    }

    fn often(&mut self) -> bool {
        self.is_careful || self.rng.u8(..) > 20
    }

    /// An attribute, which may be missing, short, long, twice, empty, or hold anything.
    fn odd(&mut self, kind: u16, value: &[u8]) -> Vec<u8> {
        if self.is_careful {
            return attribute(kind, value);
        }
        let anything = |rng: &mut Rng, most: usize| -> Vec<u8> { (0..rng.usize(..most)).map(|_| rng.u8(..)).collect() };
        // Nests come through here as well; a number in them must not become one with the highest bit by chance.
        match self.rng.u16(..640) {
            0..=5 => Vec::new(),
            6..=9 => attribute(kind, value.get(..value.len().saturating_sub(1)).unwrap_or_default()),
            10..=12 => [attribute(kind, value), attribute(kind, value)].concat(),
            13..=15 => attribute(kind, &[value, &[0]].concat()),
            16..=17 => attribute(kind | NESTED, value),
            18..=19 => attribute(kind, &anything(&mut self.rng, 3)),
            20..=21 => attribute(kind, &[]),
            22..=23 => [attribute(kind, &anything(&mut self.rng, 3)), attribute(kind, value)].concat(),
            _ => attribute(kind, value),
        }
    }

    /// All of it; now and then not in the order that it was given in.
    fn in_some_order(&mut self, mut attributes: Vec<Vec<u8>>) -> Vec<u8> {
        if self.rng.u8(..8) == 0 {
            self.rng.shuffle(&mut attributes);
        }
        attributes.concat()
    }
}
