//! Both programs show the same table in the same words.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use fastrand::Rng;

use crate::kernel::note;
use crate::namespaces::{Namespace, alone};
use crate::root::{Program, Root};

/// Every list that there is of a whole table.
pub const ALL: &[&[&str]] = &[
    &[],
    &["-L"],
    &["-Ln"],
    &["-L", "--exact"],
    &["-Ln", "--nosort"],
    &["-L", "--stats"],
    &["-Ln", "--stats"],
    &["-Ln", "--stats", "--exact"],
    &["-L", "--rate"],
    &["-Ln", "--rate"],
    &["-Ln", "--rate", "--exact"],
    &["-L", "--thresholds"],
    &["-Ln", "--thresholds", "--nosort"],
    &["-L", "--persistent-conn"],
    &["-Ln", "--persistent-conn"],
    &["-L", "--tun-info"],
    &["-Ln", "--tun-info", "--nosort"],
    &["-S"],
    &["-Sn"],
    &["-L", "--timeout"],
    &["-L", "--daemon"],
    &["-Lc"],
    &["-Lcn"],
    &["-Lcn", "--persistent-conn"],
];

/// Asserts that both programs print the same in these lists, and returns what the original printed.
pub fn assert_same(network: &Namespace, programs: &[Root; 2], lists: &[&[&str]]) -> Vec<String> {
    let mut differences = String::new();
    let mut printed = Vec::new();
    for words in lists {
        let [expected, actual] = programs.each_ref().map(|program| program.ipvsadm(network, words, b""));
        if let Some(difference) = expected.difference(&actual) {
            let _ = writeln!(differences, "ipvsadm {}\n{difference}", words.join(" "));
        }
        printed.push(String::from_utf8(expected.stdout).unwrap());
    }
    assert!(differences.is_empty(), "{differences}");
    printed
}

/// Debian's program, and ours.
pub fn programs() -> [Root; 2] {
    [Program::Debians, Program::Ours].map(Root::new)
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn table_is_shown_in_the_order_of_wrapped_differences() {
    let seed = fastrand::u64(..);
    note(&format!("seed of the listings: {seed}"));
    let mut random = Rng::with_seed(seed);
    alone(|| {
        let programs = programs();
        for _ in 0..3 {
            // Addresses from all over: the relation that they are sorted by is not even transitive.
            let (network, rules) = (Namespace::new(), rules(&mut random));
            let output = programs[0].ipvsadm(&network, &["-R"], rules.as_bytes());
            assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status), ("", 0), "{rules}");
            let lists = [["-Ln"], ["-Sn"], ["-L"]].each_ref().map(<[&str; 1]>::as_slice);
            let printed = assert_same(&network, &programs, &[&lists[..], &[&["-Ln", "--nosort"]]].concat());
            assert_eq!(printed[1].lines().count(), rules.lines().count(), "everything is shown");
        }
    });
}

/// Sixty services, some with servers, that no two of are the same.
fn rules(random: &mut Rng) -> String {
    let mut rules = String::new();
    for number in 1..=60 {
        let ipv4 = |random: &mut Rng| Ipv4Addr::from(random.u32(..));
        // A unicast address, which the kernel takes as a server.
        let ipv6 = |random: &mut Rng| Ipv6Addr::from((random.u128(..) >> 3) | (1 << 125));
        let (service, is_ipv4) = match random.u8(..5) {
            0 | 1 => (format!("-t {}:{number}", ipv4(random)), true),
            2 => (format!("-u [{}]:{number}", ipv6(random)), false),
            3 => (format!("-f {}", (random.u32(..) & !63) | number), true),
            _ => (format!("-f {} -6", (random.u32(..) & !63) | number), false),
        };
        let _ = writeln!(rules, "-A {service} -s rr");
        for port in 1..=random.u8(..4) {
            let server = if is_ipv4 {
                let host = random.u32(..) % 0x0100_0000;
                let net = random.choice([1_u32, 10, 100, 150, 172, 192, 198, 223]).unwrap();
                format!("{}:{port}", Ipv4Addr::from((net << 24) | host))
            } else {
                format!("[{}]:{port}", ipv6(random))
            };
            let _ = writeln!(rules, "-a {service} -r {server} -m -w 1");
        }
    }
    rules
}
