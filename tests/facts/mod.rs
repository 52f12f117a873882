//! Tables that some program can make, written to the wire byte by byte, and what the desired state owes all of them.
//!
//! Nothing here goes by what the types of the library suggest: attributes hold whatever fits them, and what the kernel
//! refuses is left out.

use ipvs_rs::codec::{FAMILY_NAME, Family, FamilyRequest, Frames, Payload, put_family_request};
use ipvs_rs::desired::apply::{ApplyOptions, apply};
use ipvs_rs::desired::files::{Reader, Source};
use ipvs_rs::desired::plan::{Plan, PlanOptions, SavedPlan, plan};
use ipvs_rs::desired::spec::FileSpec;
use ipvs_rs::desired::{DesiredState, Observed, PrintOptions, service_text, yaml};
use ipvs_rs::model::Protocol;
use ipvs_rs::model::notation::Rule;
use ipvs_rs::transport::Transport;
use ipvs_rs::{Destination, Handle, Service, ServiceId, Table};

use fastrand::Rng;

use crate::netlink::{
    ACK, NEW_DAEMON, NEW_DEST, NEW_SERVICE, REQUEST, SET_CONFIG, attribute, message, name, number8, number16, number32,
    port,
};

/// The interface that daemons find, whose name no file can hold as it is.
pub(crate) const INTERFACE: &[u8] = b"d\x01\xff\\x,(=)";
/// Addresses of that interface: without them the kernel has no such destinations.
pub(crate) const LOCAL: [&str; 2] = ["::ffff:10.0.0.9", "fe80::9"];

/// Gives the namespace of the calling thread that interface.
#[cfg(target_os = "linux")]
pub(crate) fn add_interface() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("ip is needed");
    let mut input = child.stdin.take().unwrap();
    input.write_all(&[b"link add ", INTERFACE, b" up type dummy\n"].concat()).unwrap();
    for address in ["10.8.9.8/24".to_owned()].into_iter().chain(LOCAL.map(|local| format!("{local}/64 nodad"))) {
        input.write_all(&[b"address add ", address.as_bytes(), b" dev ", INTERFACE, b"\n"].concat()).unwrap();
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// A request: its command and its attributes.
pub(crate) type Request = (u8, Vec<u8>);

/// A socket for requests that are put together by hand.
pub(crate) struct Wire {
    socket: Box<dyn Transport>,
    family: u16,
}

impl Wire {
    pub(crate) fn over(socket: impl Transport + 'static) -> Self {
        let mut wire = Self { socket: Box::new(socket), family: 0 };
        let mut question = Vec::new();
        put_family_request(&mut question, 1, 1, FamilyRequest::new(FAMILY_NAME));
        wire.socket.send(&question).unwrap();
        let answer = wire.receive();
        let Payload::Data { command, attributes } = Frames::new(&answer).next().unwrap().unwrap().payload else {
            panic!("there is no IPVS")
        };
        wire.family = Family::decode(command, attributes, FAMILY_NAME).unwrap().id;
        wire
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 32 * 1024];
        let received = self.socket.try_receive(&mut buffer).unwrap().unwrap();
        buffer.truncate(received.len);
        buffer
    }

    /// Makes a request and returns the error number of its answer; 0 is success.
    pub(crate) fn ask(&mut self, (command, attributes): &Request) -> i32 {
        let payload = [&[*command, 1, 0, 0], &attributes[..]].concat();
        self.socket.send(&message(self.family, REQUEST | ACK, 1, &payload)).unwrap();
        let answer = self.receive();
        match Frames::new(&answer).next().unwrap().unwrap().payload {
            Payload::Error(error) => error.code,
            other => panic!("{other:?}"),
        }
    }
}

/// The identity of a service, and its settings.
#[derive(Clone, Debug)]
pub(crate) struct RawService {
    pub(crate) address: Vec<u8>,
    pub(crate) protocol: u16,
    pub(crate) port: u16,
    /// In place of protocol, address and port; the address still says the family.
    pub(crate) mark: Option<u32>,
    pub(crate) scheduler: &'static str,
    pub(crate) flags: u32,
    pub(crate) timeout: u32,
    pub(crate) netmask: [u8; 4],
    pub(crate) engine: Option<&'static str>,
}

/// The identity of a destination, and its settings.
#[derive(Clone, Debug)]
pub(crate) struct RawDestination {
    pub(crate) address: Vec<u8>,
    pub(crate) port: u16,
    pub(crate) method: u32,
    pub(crate) weight: u32,
    pub(crate) upper: u32,
    pub(crate) lower: u32,
    pub(crate) tunnel: (u8, u16, u16),
}

pub(crate) const TCP: RawService = RawService {
    address: Vec::new(),
    protocol: 6,
    port: 80,
    mark: None,
    scheduler: "rr",
    flags: 0,
    timeout: 0,
    netmask: [255; 4],
    engine: None,
};

pub(crate) const SERVER: RawDestination =
    RawDestination { address: Vec::new(), port: 80, method: 0, weight: 1, upper: 0, lower: 0, tunnel: (0, 0, 0) };

/// `AF_INET` or `AF_INET6`.
fn family(address: &[u8]) -> u16 {
    if address.len() == 16 { 10 } else { 2 }
}

pub(crate) fn v6(text: &str) -> Vec<u8> {
    text.parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec()
}

impl RawService {
    fn name(&self) -> Vec<u8> {
        let family = number16(1, family(&self.address));
        if let Some(mark) = self.mark {
            return [family, number32(5, mark)].concat();
        }
        [family, number16(2, self.protocol), attribute(3, &self.address), port(4, self.port)].concat()
    }

    pub(crate) fn made(&self) -> Request {
        let settings = [
            name(6, self.scheduler),
            attribute(7, &[self.flags.to_ne_bytes(), [0xff; 4]].concat()),
            number32(8, self.timeout),
            attribute(9, &self.netmask),
            self.engine.map_or_else(Vec::new, |engine| name(11, engine)),
        ];
        (NEW_SERVICE, attribute(1, &[self.name(), settings.concat()].concat()))
    }

    pub(crate) fn with(&self, destination: &RawDestination) -> Request {
        let RawDestination { address, port: number, method, weight, upper, lower, tunnel } = destination;
        let nest = [
            attribute(1, address),
            port(2, *number),
            number32(3, *method),
            number32(4, *weight),
            number32(5, *upper),
            number32(6, *lower),
            number16(11, family(address)),
            number8(13, tunnel.0),
            port(14, tunnel.1),
            number16(15, tunnel.2),
        ];
        (NEW_DEST, [attribute(1, &self.name()), attribute(2, &nest.concat())].concat())
    }
}

/// A daemon in this state (1 or 2) with the interface, sync id, length, port, TTL and perhaps a group.
pub(crate) fn daemon(state: u32, id: u32, length: u16, port: u16, ttl: u8, group: Option<&[u8]>) -> Request {
    let group = match group {
        Some(group) if group.len() == 16 => attribute(6, group),
        Some(group) => attribute(5, group),
        None => Vec::new(),
    };
    let nest = [
        number32(1, state),
        name(2, INTERFACE),
        number32(3, id),
        number16(4, length),
        number16(7, port),
        number8(8, ttl),
        group,
    ];
    (NEW_DAEMON, attribute(3, &nest.concat()))
}

/// Tables that were once printed in words that were not read again, or could not be planned away.
pub(crate) fn known() -> Vec<(&'static str, Vec<Request>)> {
    let v4 = vec![192, 0, 2, 1];
    let tcp = RawService { address: v4.clone(), ..TCP };
    let server = RawDestination { address: vec![10, 0, 0, 1], ..SERVER };
    let persistent = |timeout, netmask| RawService { flags: 1, timeout, netmask, ..tcp.clone() };
    let tunnel = |tunnel| RawDestination { method: 2, tunnel, ..server.clone() };
    let alone = |service: &RawService| vec![service.made(), service.with(&server)];
    let mapped = RawService { address: v6("::ffff:192.0.2.1"), netmask: 128_u32.to_ne_bytes(), ..TCP };
    let mut tables = vec![
        ("protocols by number", {
            let numbers = [0, 1, 50, 51, 255, 256, 300, u16::MAX];
            numbers.iter().flat_map(|protocol| alone(&RawService { protocol: *protocol, ..tcp.clone() })).collect()
        }),
        ("a mask with holes", alone(&persistent(10, [0, 0, 0, 24]))),
        ("a mask of nothing", alone(&persistent(10, [0; 4]))),
        ("an IPv4-mapped service", {
            let local = RawDestination { address: v6(LOCAL[0]), ..server.clone() };
            vec![mapped.made(), mapped.with(&local), tcp.made(), tcp.with(&RawDestination { method: 2, ..local })]
        }),
        ("persistence of 0 seconds", alone(&persistent(0, [255; 4]))),
        ("persistence of many years", alone(&persistent(17_179_869, [255; 4]))),
        ("one-packet scheduling on TCP", alone(&RawService { flags: 4, ..tcp.clone() })),
        ("an engine on TCP", alone(&RawService { engine: Some("sip"), ..persistent(60, [255; 4]) })),
        ("flags without a name", alone(&RawService { flags: u32::MAX, ..tcp.clone() })),
        ("settings without effect", {
            let dormant = RawService { timeout: 7, netmask: [0, 0, 0, 24], engine: Some("sip"), ..tcp.clone() };
            vec![dormant.made(), dormant.with(&RawDestination { tunnel: (9, 9, 9), ..server.clone() })]
        }),
        ("port 0 and addresses of nothing", {
            let nothing = RawService { address: vec![0; 4], port: 0, ..TCP };
            let mark = RawService { mark: Some(0), address: v6("::"), netmask: 1_u32.to_ne_bytes(), ..TCP };
            let no_port = RawDestination { port: 0, ..server.clone() };
            vec![nothing.made(), nothing.with(&no_port), mark.made()]
        }),
        ("IPIP with checksums", vec![tcp.made(), tcp.with(&tunnel((0, 9, 3)))]),
        ("GUE with both checksums", vec![tcp.made(), tcp.with(&tunnel((1, 9, 0xffff)))]),
        ("tunnels without a name", vec![tcp.made(), tcp.with(&tunnel((255, 0, 4)))]),
        ("a tunnel to the other family", {
            let other = RawDestination { address: v6("2001:db8:1::1"), ..tunnel((0, 0, 0)) };
            vec![tcp.made(), tcp.with(&other)]
        }),
        ("thresholds of 32 bits", {
            vec![tcp.made(), tcp.with(&RawDestination { upper: u32::MAX, lower: 1 << 31, ..server.clone() })]
        }),
        ("a mark of each family", {
            let marks = [v4, v6("::")].map(|address| RawService { address, mark: Some(7), ..TCP });
            let [four, six] = marks;
            vec![four.made(), RawService { netmask: 128_u32.to_ne_bytes(), ..six }.made()]
        }),
        (
            "daemons with odd settings",
            vec![daemon(1, 256, 100, 1, 255, None), daemon(2, u32::MAX, 1, 0, 0, Some(&[239, 0, 0, 1]))],
        ),
    ];
    let methods = (0..8).map(|method| {
        tcp.with(&RawDestination {
            method,
            address: vec![10, 0, 0, u8::try_from(method).unwrap() + 1],
            ..server.clone()
        })
    });
    tables.push(("every forwarding method", std::iter::once(tcp.made()).chain(methods).collect()));
    tables
}

/// All known tables in one, each with an address of its own; daemons exclude others and are left out.
pub(crate) fn together() -> Vec<Request> {
    const ADDRESS: [u8; 4] = [192, 0, 2, 1];
    let mut requests = Vec::new();
    for (host, (_, table)) in (1..).zip(known()) {
        for (command, mut attributes) in table {
            if let Some(place) = attributes.windows(4).position(|window| window == ADDRESS) {
                attributes[place + 3] = host;
            }
            requests.extend((command != NEW_DAEMON).then_some((command, attributes)));
        }
    }
    requests
}

/// Requests for a table; not all of them succeed.
pub(crate) fn random(rng: &mut Rng) -> Vec<Request> {
    let mut requests = Vec::new();
    if rng.u8(..3) == 0 {
        for state in [1, 2] {
            let group = pick(rng, &[None, Some(vec![239, 1, 2, 3]), Some(v6("ff05::1"))]);
            let length = pick(rng, &[0, 1, 100, 1023, 1400, u16::MAX]);
            let id = pick(rng, &[0, 7, 255, 256, u32::MAX]);
            requests.push(daemon(state, id, length, rng.u16(..), rng.u8(..), group.as_deref()));
        }
    }
    let seconds = [4, 5, 6].map(|kind| number32(kind, pick(rng, &[0, 1, 60, 900, 8_589_934])));
    requests.push((SET_CONFIG, seconds.concat()));
    for _ in 0..rng.usize(1..7) {
        let service = random_service(rng);
        requests.push(service.made());
        for _ in 0..rng.usize(..5) {
            requests.push(service.with(&random_destination(rng, service.address.len())));
        }
    }
    requests
}

fn random_service(rng: &mut Rng) -> RawService {
    let is_v6 = rng.u8(..3) == 0;
    let texts = ["2001:db8::1", "2001:db8::2", "::", "::ffff:192.0.2.1", "::192.0.2.1", "fe80::1", "ff02::1", "::1"];
    let address = match (is_v6, rng.u8(..8)) {
        (false, 0) => rng.u32(..).to_be_bytes().to_vec(),
        (false, _) => {
            pick(rng, &[[192, 0, 2, 1], [192, 0, 2, 1], [192, 0, 2, 2], [0; 4], [255; 4], [224, 0, 0, 1]]).into()
        }
        (true, 0) => rng.u128(..).to_be_bytes().to_vec(),
        (true, _) => v6(pick(rng, &texts)),
    };
    let odd = rng.u16(..);
    let netmask = if is_v6 {
        pick(rng, &[128_u32, 128, 64, 1, 127]).to_ne_bytes()
    } else {
        let any = rng.u32(..).to_ne_bytes();
        pick(rng, &[[255; 4], [255; 4], [255, 255, 255, 0], [0; 4], [0, 0, 0, 24], any])
    };
    let any = rng.u32(..);
    RawService {
        address,
        protocol: pick(rng, &[6, 6, 6, 17, 17, 132, 50, 51, 0, 1, 255, 256, 300, u16::MAX, odd]),
        port: pick(rng, &[80, 80, 53, 0, u16::MAX, odd]),
        mark: (rng.u8(..6) == 0).then(|| pick(rng, &[7, 7, 1, 0, 1 << 31, u32::MAX])),
        scheduler: pick(rng, &["rr", "wlc", "sh", "mh", "lc", "fo", "none"]),
        flags: pick(rng, &[0, 1, 1, 4, 5, 0x18, 0x3f, 0x40, u32::MAX, any]),
        timeout: pick(rng, &[0, 0, 1, 59, 300, 4_294_967, 4_294_968, 17_179_869, 17_179_870, u32::MAX, any]),
        netmask,
        engine: (rng.u8(..4) == 0).then_some("sip"),
    }
}

/// A destination of a service whose address has so many bytes.
fn random_destination(rng: &mut Rng, length: usize) -> RawDestination {
    let crosses = rng.u8(..5) == 0;
    let address = if (length == 4) == crosses {
        let texts = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::4", "::1", LOCAL[0], LOCAL[1], "::10.0.0.1"];
        v6(pick(rng, &texts))
    } else {
        pick(rng, &[[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 4], [127, 0, 0, 1], [240, 0, 0, 1], [0, 1, 2, 3]]).into()
    };
    let upper = pick(rng, &[0, 0, 10, i32::MAX.unsigned_abs(), 1 << 31, u32::MAX]);
    let tunnel = if rng.bool() {
        let kind = pick(rng, &[0, 1, 1, 2, 3, 255]);
        (kind, pick(rng, &[if kind == 1 { 6080 } else { 0 }, 9, u16::MAX]), pick(rng, &[0, 0, 1, 2, 3, 4, u16::MAX]))
    } else {
        (0, 0, 0)
    };
    RawDestination {
        address,
        port: pick(rng, &[80, 80, 80, 0, 8080, u16::MAX]),
        method: if crosses { pick(rng, &[2, 2, 0xffff_fffa]) } else { rng.u32(..8) },
        weight: pick(rng, &[0, 1, 100, 65_536, i32::MAX.unsigned_abs()]),
        upper,
        lower: pick(rng, &[0, 0, upper / 2, upper]),
        tunnel,
    }
}

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

/// A kernel of its own for each table, and what is to be true of it.
pub(crate) struct Case {
    pub(crate) wire: Wire,
    pub(crate) handle: Handle,
    pub(crate) requests: Vec<Request>,
    /// Another state, which has nothing that is refused to be made anew.
    pub(crate) other: DesiredState,
}

impl Case {
    /// Whatever is printed for a value is read as that value.
    pub(crate) fn names_are_read(&mut self) {
        fill(&mut self.wire, &self.handle, &self.requests);
        assert_names(&self.handle.snapshot().unwrap());
    }

    /// A file that says what is there changes nothing.
    pub(crate) fn file_changes_nothing(&mut self) {
        fill(&mut self.wire, &self.handle, &self.requests);
        assert_printed(&Observed::read_all(&self.handle).unwrap());
    }

    /// A plan to another state, and one that deletes everything, can be saved, loaded and carried out.
    pub(crate) fn plans_lead_away(&mut self) {
        for desired in [&self.other, &DesiredState::new()] {
            fill(&mut self.wire, &self.handle, &self.requests);
            assert_reached(&self.handle, desired);
        }
        assert!(self.handle.get_services().unwrap().is_empty(), "everything can be deleted");
    }
}

/// Makes the table anew; what the kernel refuses is left out.
fn fill(wire: &mut Wire, handle: &Handle, requests: &[Request]) {
    handle.flush().unwrap();
    for request in requests {
        let _ = wire.ask(request);
    }
}

/// Whatever is printed for a value is read as that value.
fn assert_names(table: &Table) {
    let json = serde_json::to_string(table).unwrap();
    assert_eq!(&serde_json::from_str::<Table>(&json).unwrap(), table, "{json}");
    for row in &table.services {
        let id = row.id();
        for text in [service_text(&id), id.to_string()] {
            assert_eq!(text.parse::<ServiceId>(), Ok(id), "{text}");
        }
        for entry in &row.destinations {
            assert_eq!(entry.id().to_string().parse(), Ok(entry.id()));
            let rule = Rule::Destination { service: id, destination: entry.destination.clone() };
            let read: Rule = rule.to_string().parse().unwrap();
            assert_eq!(read.to_string(), rule.to_string());
        }
        let rule = Rule::Service(row.service.service.clone());
        let read: Rule = rule.to_string().parse().unwrap();
        assert_eq!(read.to_string(), rule.to_string());
    }
}

/// The settings in effect, as rules: those without effect may be left out of a file.
fn effective<'a>(services: impl Iterator<Item = (&'a Service, Vec<&'a Destination>)>) -> Vec<String> {
    let mut lines = Vec::new();
    for (service, destinations) in services {
        let bare = Service::new(service.id, service.scheduler);
        let bare = bare.scheduler_flags(service.scheduler_flags).one_packet(service.one_packet);
        let bare = service.persistence.map_or(bare.clone(), |persistence| bare.persistence(persistence));
        lines.push(bare.full_rule().to_string());
        lines.extend(destinations.iter().map(|destination| destination.full_rule(&service.id).to_string()));
    }
    lines.sort();
    lines
}

/// A file that says what is there is read as that, and changes nothing.
fn assert_printed(live: &Observed) {
    let there = effective(
        live.table
            .services
            .iter()
            .map(|row| (&row.service.service, row.destinations.iter().map(|entry| &entry.destination).collect())),
    );
    for options in [PrintOptions::new(), PrintOptions::new().all(true), PrintOptions::new().factor_defaults(true)] {
        let file = FileSpec::from_observed(live, &options);
        let json = serde_json::to_string(&file).unwrap();
        for text in [yaml::to_string(&file).unwrap(), json] {
            let loaded = Reader::new().read(&[Source::new("table", text.as_str())]);
            let state = loaded.unwrap_or_else(|found| panic!("{found}\n{text}")).state;
            let read = effective(state.services.iter().map(|service| {
                (&service.service, service.destinations.iter().map(|wanted| &wanted.destination).collect())
            }));
            assert_eq!(read, there, "{text}");
            let nothing = plan(live, &state, &PlanOptions::new().prune(true));
            assert!(nothing.is_empty() && nothing.conflicts().is_empty(), "{nothing}\n{text}");
        }
    }
}

/// A plan to another state can be saved, and what is loaded leads there.
fn assert_reached(handle: &Handle, desired: &DesiredState) {
    let planned = |live: &Observed| plan(live, desired, &PlanOptions::new().prune(true));
    let live = Observed::read_all(handle).unwrap();
    let fresh = planned(&live);
    if !fresh.conflicts().is_empty() {
        return;
    }
    let text = serde_json::to_string_pretty(&fresh.saved(&live)).unwrap();
    let saved: SavedPlan = serde_json::from_str(&text).unwrap();
    let loaded: Plan = saved.plan(&live).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(loaded.rules().to_string(), fresh.rules().to_string(), "{text}");
    let report =
        apply(handle, &loaded, &ApplyOptions::new(), &mut ()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(report.is_complete(), "{report:?}");
    let rest = planned(&Observed::read_all(handle).unwrap());
    assert!(rest.is_empty(), "left to do: {rest}\n{text}");
}

/// A state of which nothing is refused to be made anew.
pub(crate) fn tasteful(mut desired: DesiredState) -> DesiredState {
    for service in &mut desired.services {
        service.service.one_packet &= service.service.id.protocol().is_none_or(|protocol| protocol == Protocol::UDP);
    }
    desired
}
