//! Random lines for `ipvsadm`: most of them make sense, so that tables grow, and the rest is wrong in every way.

use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use fastrand::Rng;

/// Arguments and standard input of one call.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub words: Vec<OsString>,
    pub stdin: Vec<u8>,
}

impl Line {
    /// Whether two calls in two network namespaces may print services in another order: the kernel's own order depends
    /// on where the namespace lies in memory.
    pub fn is_unsorted(&self) -> bool {
        self.words.iter().any(|word| word == "--nosort")
    }
}

/// As a line for bash.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.stdin.is_empty() {
            write!(f, "printf %s $'{}' | ", self.stdin.escape_ascii())?;
        }
        f.write_str("ipvsadm")?;
        for word in &self.words {
            let bytes = word.as_bytes();
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/=[]+,".contains(byte);
            f.write_char(' ')?;
            if !bytes.is_empty() && bytes.iter().all(is_plain) {
                f.write_str(&String::from_utf8_lossy(bytes))?;
            } else {
                write!(f, "$'{}'", bytes.escape_ascii())?;
            }
        }
        Ok(())
    }
}

type Word = Vec<u8>;

/// An option with its value, or a word that stands for itself.
type Group = Vec<Word>;

/// Services that were named, each with the servers that were named with it.
type Named = Vec<(Group, Vec<Group>)>;

/// Where random lines come from. It remembers what it has named.
pub struct Generator {
    random: Rng,
    addresses: &'static [&'static str],
    marks: &'static [&'static str],
    services: Named,
    before: Named,
}

impl Generator {
    /// All addresses and marks of one generator lie within half of their numbers' circle. Others would be sorted in an
    /// order that depends on that of the kernel, and this on the namespace.
    pub fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let addresses = [LOW_ADDRESSES, HIGH_ADDRESSES][random.usize(..2)];
        let marks = [LOW_MARKS, HIGH_MARKS][random.usize(..2)];
        Self { random, addresses, marks, services: Named::new(), before: Named::new() }
    }

    /// Tells it that its last line has failed, so that it forgets what was named there.
    pub fn failed(&mut self) {
        self.services.clone_from(&self.before);
    }

    pub fn line(&mut self) -> Line {
        self.before.clone_from(&self.services);
        loop {
            let line = if self.random.u8(..16) == 0 { self.restore() } else { self.call() };
            if !avoids(&line) {
                return line;
            }
        }
    }

    fn call(&mut self) -> Line {
        let groups = self.groups();
        let words = groups.into_iter().flatten().map(OsString::from_vec).collect();
        Line { words, stdin: Vec::new() }
    }

    /// A call of `-R` with some lines, or only with something like lines.
    fn restore(&mut self) -> Line {
        let mut stdin = Vec::new();
        for _ in 0..self.random.usize(..9) {
            match self.random.u8(..24) {
                0 => stdin.extend_from_slice(self.pick(BLANKS).as_bytes()),
                1 => stdin.extend_from_slice(b"# a remark"),
                2 => stdin.extend_from_slice(b"-A -t \"10.0.0.1:80\""),
                3 => stdin.extend_from_slice(b"ipvsadm "),
                4 => stdin.extend_from_slice(b"-R"),
                _ => {}
            }
            // Lists of everything in the kernel's own order are for calls of their own.
            let words: Vec<Word> = loop {
                let words: Vec<Word> = self.groups().into_iter().flatten().collect();
                if !words.iter().any(|word| word == b"--nosort") {
                    break words;
                }
            };
            for (place, word) in words.into_iter().enumerate() {
                if place > 0 {
                    stdin.extend_from_slice(self.pick(&[" ", " ", " ", " ", "  ", "\t", " \t ", "\r"]).as_bytes());
                }
                stdin.extend(word);
            }
            stdin.extend_from_slice(self.pick(&["\n", "\n", "\n", "\n", " \n", "\r\n", "\n\n", ""]).as_bytes());
        }
        let mut words: Vec<Word> = vec![self.pick(&["-R", "-R", "--restore"]).into()];
        if self.random.u8(..20) == 0 {
            words.push(self.pick(JUNK).into());
        }
        Line { words: words.into_iter().map(OsString::from_vec).collect(), stdin }
    }

    fn groups(&mut self) -> Vec<Group> {
        let mut groups = self.command();
        if self.random.u8(..4) == 0 {
            self.random.shuffle(&mut groups[1..]);
        }
        if self.random.u8(..4) == 0 {
            for _ in 0..self.random.usize(1..=2) {
                self.spoil(&mut groups);
            }
        }
        if self.random.bool() {
            self.bundle(&mut groups);
        }
        groups
    }

    /// A command with options that belong to it, and as a rule with good values.
    fn command(&mut self) -> Vec<Group> {
        match self.random.u8(..100) {
            0..=19 => self.service_command("add-service", true),
            20..=25 => self.service_command("edit-service", false),
            26..=45 => self.server_command("add-server"),
            46..=52 => self.server_command("edit-server"),
            53..=56 => self.server_command("delete-server"),
            57..=59 => {
                let (service, _) = self.known();
                vec![self.named("delete-service"), service]
            }
            60..=75 => self.list(),
            76..=79 => {
                let mut groups = vec![self.named("save")];
                if self.random.bool() {
                    groups.push(self.named("numeric"));
                }
                groups
            }
            80..=82 => {
                let mut groups = vec![self.named("zero")];
                if self.random.bool() {
                    groups.push(self.known().0);
                }
                groups
            }
            83..=85 => {
                let mut groups = vec![self.named("set")];
                for _ in 0..3 {
                    groups.push(vec![self.value(&["0", "1", "60", "900", "2678400"], NUMBERS)]);
                }
                groups
            }
            86..=88 => self.daemon(),
            89..=90 => {
                let role = self.value(&["master", "backup"], &["MASTER", "mas", "", "both"]);
                let mut groups = vec![self.with_value("stop-daemon", role)];
                if self.random.u8(..4) == 0 {
                    groups.push(self.option("syncid"));
                }
                groups
            }
            91 => vec![self.named("clear")],
            92 => vec![self.named("version")],
            93 => vec![self.named("help")],
            _ => {
                let mut groups = vec![vec![self.pick(JUNK).into()]];
                for _ in 0..self.random.usize(..4) {
                    groups.push(self.any_option());
                }
                groups
            }
        }
    }

    fn service_command(&mut self, name: &'static str, fresh: bool) -> Vec<Group> {
        let service = if fresh && self.random.u8(..5) > 0 { self.service() } else { self.known().0 };
        if fresh {
            self.services.push((service.clone(), Vec::new()));
        }
        let mut groups = vec![self.named(name), service];
        let is_udp = groups[1][0].starts_with(b"-u") || groups[1][0].starts_with(b"--u");
        let options =
            [("persistent", 6), ("netmask", 3), ("pe", 1), ("ops", if is_udp { 5 } else { 1 }), ("sched-flags", 1)];
        for (option, odds) in options {
            if self.random.u8(..20) < odds {
                groups.push(self.option(option));
            }
        }
        match self.random.u8(..10) {
            0 => {
                let scheduler = self.pick(&["sh", "mh"]);
                groups.push(self.with_value("scheduler", scheduler.into()));
                let flags = self.pick(&["port", "fallback", "port,{}-fallback", "fallback,flag-3"]);
                let flags = format!("{scheduler}-{}", flags.replace("{}", scheduler));
                groups.push(self.with_value("sched-flags", flags.into()));
            }
            1..=6 => groups.push(self.option("scheduler")),
            _ => {}
        }
        groups
    }

    fn server_command(&mut self, name: &'static str) -> Vec<Group> {
        let (service, servers) = self.known();
        let known = name != "add-server" && self.random.u8(..5) > 0;
        let server = match self.random.choice(&servers) {
            Some(server) if known => server.clone(),
            _ => {
                let address = self.server(is_ipv6(&service));
                self.with_value("real-server", address)
            }
        };
        if let Some((_, servers)) = self.services.iter_mut().find(|(named, _)| *named == service) {
            servers.push(server.clone());
        }
        let mut groups = vec![self.named(name), service, server];
        if name == "delete-server" {
            return groups;
        }
        let forward = self.pick(&["gatewaying", "masquerading", "masquerading", "ipip", "ipip"]);
        if self.random.u8(..5) > 0 {
            groups.push(self.named(forward));
        }
        if forward == "ipip" && self.random.bool() {
            let kind = self.pick(&["ipip", "gue", "gue", "gre"]);
            groups.push(self.with_value("tun-type", kind.into()));
            if kind == "gue" && self.random.u8(..8) > 0 {
                groups.push(self.option("tun-port"));
            }
            if self.random.bool() {
                let sum = self.pick(&["tun-csum", "tun-nocsum", "tun-remcsum"]);
                groups.push(self.named(sum));
            }
        }
        for (option, odds) in [("weight", 8), ("u-threshold", 4), ("l-threshold", 2), ("tun-port", 1)] {
            if self.random.u8(..20) < odds {
                groups.push(self.option(option));
            }
        }
        groups
    }

    fn list(&mut self) -> Vec<Group> {
        let mut groups = vec![self.named("list")];
        match self.random.u8(..20) {
            0..=4 => groups.push(self.known().0),
            5 => groups.push(self.named("connection")),
            6 => groups.push(self.named("timeout")),
            7..=8 => groups.push(self.named("daemon")),
            _ => {}
        }
        let plain = groups.len() == 1 || groups[1].len() > 1;
        let odds = |odds| if plain { odds } else { 0 };
        for (option, odds) in [
            ("numeric", 12),
            ("stats", odds(3)),
            ("rate", odds(3)),
            ("thresholds", odds(3)),
            ("persistent-conn", odds(4)),
            ("tun-info", 3),
            ("exact", 3),
            ("nosort", 2),
            ("sort", 1),
            ("syncid", 1),
        ] {
            if self.random.u8(..20) < odds {
                groups.push(self.option(option));
            }
        }
        groups
    }

    fn daemon(&mut self) -> Vec<Group> {
        let role = self.value(&["master", "backup"], &["MASTER", "master ", "", "x"]);
        let mut groups = vec![self.with_value("start-daemon", role)];
        for (option, odds) in [
            ("mcast-interface", 18),
            ("syncid", 10),
            ("sync-maxlen", 5),
            ("mcast-group", 5),
            ("mcast-port", 5),
            ("mcast-ttl", 5),
        ] {
            if self.random.u8(..20) < odds {
                groups.push(self.option(option));
            }
        }
        groups
    }

    /// One that was named before, with the servers that were named with it; a new one if there is none.
    fn known(&mut self) -> (Group, Vec<Group>) {
        if self.random.u8(..12) > 0
            && let Some(known) = self.random.choice(&self.services)
        {
            return known.clone();
        }
        (self.service(), Vec::new())
    }

    fn service(&mut self) -> Group {
        match self.random.u8(..20) {
            0..=8 => self.option("tcp-service"),
            9..=12 => self.option("udp-service"),
            13..=14 => self.option("sctp-service"),
            _ => {
                let mut group = self.option("fwmark-service");
                if self.random.bool() {
                    group.push(self.pick(&["-6", "--ipv6"]).into());
                }
                group
            }
        }
    }

    fn address(&mut self) -> Word {
        let mut host = match self.random.u8(..10) {
            0..=6 => self.pick(self.addresses).to_owned(),
            _ => self.pick(ADDRESSES_6).to_owned(),
        };
        let bare = host.starts_with('[') && self.random.u8(..10) == 0;
        if bare {
            host.retain(|c| !['[', ']'].contains(&c));
        } else if self.random.u8(..10) > 0 {
            host.push(':');
            let port = self.value(PORTS, BAD_PORTS);
            host.push_str(&String::from_utf8(port).unwrap());
        }
        self.or_bad(host.into(), BAD_ADDRESSES)
    }

    fn server(&mut self, ipv6: bool) -> Word {
        let other = self.random.u8(..8) == 0;
        let host = self.pick(if ipv6 == other { SERVERS } else { SERVERS_6 });
        let port = if self.random.u8(..4) > 0 { self.value(PORTS, BAD_PORTS) } else { Vec::new() };
        let mut address = Word::from(host);
        if !port.is_empty() {
            address.push(b':');
            address.extend(port);
        }
        self.or_bad(address, BAD_ADDRESSES)
    }

    /// An option by its long name, with a value if it takes one.
    fn option(&mut self, name: &'static str) -> Group {
        let value = match name {
            "tcp-service" | "udp-service" | "sctp-service" => self.address(),
            "real-server" => self.server(false),
            "fwmark-service" => {
                let mark = self.pick(self.marks);
                self.or_bad(mark.into(), &["0", "-1", "4294967296", "x", "", "1x", "0x1", "1.5"])
            }
            // Every unknown one makes the kernel call modprobe.
            "scheduler" => match self.random.u8(..24) {
                0 => self.pick(&["", "WLC", "foo", "rrr", "wlcwlcwlcwlcwlcwlc", "\u{fc}"]).into(),
                _ => self.pick(SCHEDULERS).into(),
            },
            "persistent" => match self.random.u8(..3) {
                0 => return self.named(name),
                _ => self.value(&["1", "60", "360", "2678400"], NUMBERS),
            },
            "netmask" => {
                let good = ["255.255.255.0", "255.255.0.0", "255.255.255.255", "24", "64", "128", "48", "localhost"];
                self.value(&good, &["", "0", "129", "255.255.255.256", "64x", "x", "ffff::", "-1"])
            }
            "pe" => self.value(&["sip", "sip", "sip", ""], &["foo", "sipsipsipsipsipsipsip"]),
            "sched-flags" => {
                let good = ["flag-1", "flag-2", "flag-3", "flag-1,flag-3", "sh-port", "sh-fallback,sh-port", "mh-port"];
                self.value(&good, &["", "flag-4", ",flag-1,", "mh-fallback", "sh-port,mh-port", "FLAG-1", "flag-1 "])
            }
            "weight" | "u-threshold" | "l-threshold" => {
                self.value(&["0", "1", "2", "5", "100", "65535", "65536", "2147483647"], NUMBERS)
            }
            "tun-type" => self.value(&["ipip", "gue", "gre"], &["GUE", "", "vxlan"]),
            "tun-port" | "mcast-port" => self.value(&["1", "6080", "65535"], NUMBERS),
            "syncid" => self.value(&["0", "1", "255"], NUMBERS),
            "sync-maxlen" => self.value(&["1", "1000", "1400"], NUMBERS),
            "mcast-ttl" => self.value(&["1", "5", "255"], NUMBERS),
            "mcast-interface" => self.value(&[INTERFACE], &["", "eth0", "d1", "a-very-long-interface-name"]),
            "mcast-group" => {
                let good = ["224.0.0.81", "239.1.2.3", "ff02::81", "ff05::1"];
                self.value(&good, &["", "10.0.0.1", "224.1", "fe80::1", "ff02::x", "300.1.1.1", "ff02::1%d0"])
            }
            "start-daemon" | "stop-daemon" => self.value(&["master", "backup"], &["x", ""]),
            _ => return self.named(name),
        };
        self.with_value(name, value)
    }

    fn any_option(&mut self) -> Group {
        let option = self.random.usize(..OPTIONS.len());
        self.option(OPTIONS[option].0)
    }

    /// A flag, or an option without its value.
    fn named(&mut self, name: &'static str) -> Group {
        match short(name) {
            Some(short) if self.random.u8(..4) > 0 => vec![format!("-{short}").into()],
            _ => vec![format!("--{name}").into()],
        }
    }

    /// An option in one of the notations that the parser knows.
    fn with_value(&mut self, name: &'static str, value: Word) -> Group {
        let joined = |start: String| vec![[start.as_bytes(), &value].concat()];
        match (short(name), self.random.u8(..12)) {
            (Some(short), 0) => joined(format!("-{short}")),
            (Some(short), 1) => joined(format!("-{short}=")),
            // A value that is only attached is never taken for something else.
            (_, 2) => joined(format!("--{name}=")),
            (Some(short), 3..=9) => vec![format!("-{short}").into(), value],
            _ => vec![format!("--{name}").into(), value],
        }
    }

    fn value(&mut self, good: &[&str], bad: &[&str]) -> Word {
        match self.random.u8(..20) {
            0 => self.pick(bad).into(),
            // The forms of numbers that C accepts.
            1 if good.iter().all(|value| value.parse::<u64>().is_ok()) => {
                let form = self.pick(&["+", "0", "00", " ", "\t"]);
                [form.as_bytes(), self.pick(good).as_bytes()].concat()
            }
            _ => self.pick(good).into(),
        }
    }

    fn or_bad(&mut self, good: Word, bad: &[&str]) -> Word {
        if self.random.u8(..24) == 0 { self.pick(bad).into() } else { good }
    }

    /// Breaks something.
    fn spoil(&mut self, groups: &mut Vec<Group>) {
        let place = self.random.usize(..groups.len());
        match self.random.u8(..14) {
            0 if groups.len() > 1 => drop(groups.remove(place)),
            1 => groups.insert(place, groups[place].clone()),
            2 => {
                let other = self.random.usize(..groups.len());
                groups.swap(place, other);
            }
            3 => drop(groups[place].pop().filter(|_| groups.len() > 1)),
            4 | 5 => groups.insert(place + 1, self.any_option()),
            6 | 7 => groups.insert(place + 1, vec![self.pick(JUNK).into()]),
            8 => groups.push(vec![self.pick(JUNK).into()]),
            9 => {
                if let Some(word) = groups[place].last_mut() {
                    word.truncate(self.random.usize(..=word.len()));
                }
            }
            10 | 11 => {
                if let Some(word) = groups[place].last_mut() {
                    let at = self.random.usize(..=word.len());
                    word.insert(at, self.random.u8(1..));
                }
            }
            12 => {
                if let Some(word) = groups[place].last_mut() {
                    word.extend(self.pick(&["=", "=x", "=1", "x", " ", ",", "0"]).bytes());
                }
            }
            _ => {
                let command = self.command();
                groups.extend(command.into_iter().take(2));
            }
        }
        if groups.is_empty() {
            groups.push(Vec::new());
        }
    }

    /// Joins short options that follow one another.
    fn bundle(&mut self, groups: &mut Vec<Group>) {
        let mut place = 0;
        while place + 1 < groups.len() {
            let is_flag = matches!(&groups[place][..], [word] if matches!(word[..], [b'-', letter] if is_flag(letter)));
            let is_short =
                matches!(groups[place + 1].first().map(Vec::as_slice), Some([b'-', letter, ..]) if *letter != b'-');
            if is_flag && is_short && self.random.bool() {
                let mut next = groups.remove(place + 1);
                next[0].remove(0);
                let mut joined = groups[place].remove(0);
                joined.append(&mut next[0]);
                next[0] = joined;
                groups[place] = next;
            }
            place += 1;
        }
    }

    fn pick<'a>(&mut self, pool: &[&'a str]) -> &'a str {
        pool[self.random.usize(..pool.len())]
    }
}

/// Lines that are known to end differently, as the readme of our program says, and what only ours knows.
fn avoids(line: &Line) -> bool {
    let input = line.stdin.split(u8::is_ascii_whitespace);
    let mut words = line.words.iter().map(|word| word.as_bytes()).chain(input);
    words.any(|word| {
        // A list of nothing but commas crashes the original.
        let only_commas = word.ends_with(b",") && {
            let rest = word.trim_ascii_end();
            let rest = &rest[..rest.iter().rposition(|byte| *byte != b',').map_or(0, |last| last + 1)];
            rest.is_empty() || rest.ends_with(b"b") || rest.ends_with(b"=")
        };
        let ours = ["--json", "--service", "--watch", "--netns", "--completions", "--man", "--help-all"];
        only_commas || ours.iter().any(|option| word.starts_with(option.as_bytes()))
    })
}

fn is_ipv6(service: &Group) -> bool {
    service.iter().any(|word| word == b"-6" || word == b"--ipv6" || word.split(|byte| *byte == b':').count() > 2)
}

fn short(name: &str) -> Option<char> {
    OPTIONS.iter().find(|(long, _)| *long == name).and_then(|(_, short)| *short)
}

fn is_flag(letter: u8) -> bool {
    b"AEDCLlaedRSZhv6ogimncX".contains(&letter)
}

/// The interface for the daemons, in every namespace.
pub const INTERFACE: &str = "d0";

/// Every option by its long name.
const OPTIONS: &[(&str, Option<char>)] = &[
    ("add-service", Some('A')),
    ("edit-service", Some('E')),
    ("delete-service", Some('D')),
    ("clear", Some('C')),
    ("list", Some('L')),
    ("add-server", Some('a')),
    ("delete-server", Some('d')),
    ("edit-server", Some('e')),
    ("set", None),
    ("start-daemon", None),
    ("stop-daemon", None),
    ("restore", Some('R')),
    ("save", Some('S')),
    ("zero", Some('Z')),
    ("help", Some('h')),
    ("version", Some('v')),
    ("tcp-service", Some('t')),
    ("udp-service", Some('u')),
    ("sctp-service", None),
    ("fwmark-service", Some('f')),
    ("ipv6", Some('6')),
    ("scheduler", Some('s')),
    ("persistent", Some('p')),
    ("netmask", Some('M')),
    ("pe", None),
    ("ops", Some('o')),
    ("sched-flags", Some('b')),
    ("real-server", Some('r')),
    ("gatewaying", Some('g')),
    ("ipip", Some('i')),
    ("masquerading", Some('m')),
    ("weight", Some('w')),
    ("u-threshold", Some('x')),
    ("l-threshold", Some('y')),
    ("tun-type", None),
    ("tun-port", None),
    ("tun-nocsum", None),
    ("tun-csum", None),
    ("tun-remcsum", None),
    ("numeric", Some('n')),
    ("connection", Some('c')),
    ("timeout", None),
    ("daemon", None),
    ("stats", None),
    ("rate", None),
    ("thresholds", None),
    ("persistent-conn", None),
    ("tun-info", None),
    ("nosort", None),
    ("sort", None),
    ("exact", Some('X')),
    ("syncid", None),
    ("sync-maxlen", None),
    ("mcast-interface", None),
    ("mcast-group", None),
    ("mcast-port", None),
    ("mcast-ttl", None),
];

/// Below 128.0.0.0, in every notation of `inet_aton` and by name.
const LOW_ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.1",
    "0x0a000001",
    "010.0.0.1",
    "1234",
    "10.0.0.4 x",
    "100.64.0.1",
    "0.0.0.0",
    "127.0.0.1",
    "localhost",
    "vip",
    "[10.0.0.5]",
];

/// From 172.16.0.0 to the end.
const HIGH_ADDRESSES: &[&str] = &[
    "172.16.0.1",
    "172.16.1",
    "0xac100002",
    "192.168.0.1",
    "192.168.255.254",
    "0300.0250.0.2",
    "198.51.100.7",
    "224.0.0.1",
    "255.255.255.255",
    "[192.168.0.3]",
    "far",
];

const ADDRESSES_6: &[&str] = &[
    "[2001:db8::1]",
    "[2001:db8::2]",
    "[2001:db8:0:0:0:0:0:3]",
    "[::1]",
    "[fd00::1]",
    "[fe80::1]",
    "[ff02::1]",
    "[::ffff:10.0.0.1]",
    "[2001:DB8::A]",
];

const SERVERS: &[&str] = &[
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.4",
    "192.168.7.9",
    "172.16.0.9",
    "rs1",
    "10.77",
    "localhost",
    "224.0.0.5",
    "0.0.0.0",
];

const SERVERS_6: &[&str] = &["[2001:db8::2]", "[2001:db8::3]", "[fd00::9]", "[ff02::2]", "[fe80::2]", "[::1]"];

const BAD_ADDRESSES: &[&str] = &[
    "",
    "80",
    ":80",
    "10.0.0.1:80:90",
    "256.0.0.1:80",
    "nowhere:80",
    "ip6-localhost:80",
    "vip6:80",
    "[2001:db8::1]",
    "[2001:db8::1]80",
    "[2001:db8::1",
    "[]:80",
    "[",
    "]",
    "::",
    "2001:db8::1:80",
    "10.0.0.1.:80",
    " 10.0.0.1:80",
    "fe80::1%d0",
    "\u{e4}:80",
];

const PORTS: &[&str] =
    &["80", "80", "80", "443", "443", "8080", "53", "5060", "1", "65535", "0", "http", "domain", "sip", "0080", "+80"];

const BAD_PORTS: &[&str] =
    &["", "65536", "-1", "0x50", "HTTP", "nonsense", "8 0", "80x", "99999999999999999999", " 80", "80 "];

const LOW_MARKS: &[&str] = &["1", "2", "3", "7", "100", "2147483647", "007", "+8"];

const HIGH_MARKS: &[&str] = &["1", "2", "7", "4294967295", "4000000000", "3000000000"];

const SCHEDULERS: &[&str] =
    &["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sh", "sed", "nq", "fo", "ovf", "mh", "mh"];

const NUMBERS: &[&str] = &[
    "",
    "-1",
    "0",
    "256",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775808",
    "99999999999999999999",
    "1x",
    "0x10",
    "1.5",
    " ",
    "+",
    "--",
    "1 ",
];

const BLANKS: &[&str] = &["\n", " \n", "\t\n", "\r\n", "   ", "\n\n\n"];

const JUNK: &[&str] = &[
    "",
    "-",
    "--",
    "x",
    "foo",
    "-1",
    "80",
    "=",
    "-=",
    "--=",
    "-Q",
    "-LQ",
    "-nQ",
    "--foo",
    "--lis",
    "--list=",
    "--exact=5",
    "-n=1",
    "-list",
    "---",
    "%s%n",
    "*",
    " ",
    "\t",
    "\n",
    "ipvsadm",
    "\u{e9}",
    "-\u{e9}",
    "--\u{e9}",
    "-6",
    "-6",
];

#[test]
fn lines_come_again_with_their_seed() {
    let lines = |seed| {
        let mut generator = Generator::new(seed);
        (0..200).map(|_| generator.line().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(lines(1), lines(1));
    assert_ne!(lines(1), lines(2));
}

#[test]
fn lines_with_intended_differences_are_avoided() {
    let line =
        |words: &[&str], stdin: &str| Line { words: words.iter().map(Into::into).collect(), stdin: stdin.into() };
    for words in [&["-A", "-b", ","][..], &["-Ab,,"], &["-b=,"], &["--sched-flags=,,"], &["-L", "--json"], &["--man"]] {
        assert!(avoids(&line(words, "")), "{words:?}");
        assert!(avoids(&line(&["-R"], &words.join(" "))), "{words:?}");
    }
    assert!(!avoids(&line(&["-A", "-b", "flag-1,"], "-A -b ,flag-1\n")));
}

#[test]
fn line_is_shown_as_bash_reads_it() {
    let line = |words: &[&[u8]], stdin: &[u8]| {
        let words = words.iter().map(|word| OsString::from_vec(word.to_vec())).collect();
        Line { words, stdin: stdin.into() }.to_string()
    };
    assert_eq!(line(&[b"-A", b"", b"a b", b"\xff'"], b""), r"ipvsadm -A $'' $'a b' $'\xff\''");
    assert_eq!(line(&[b"-R"], b"-L\n"), r"printf %s $'-L\n' | ipvsadm -R");
}
