//! The files of the kernel: connections, statistics, sysctls, modules.

use std::collections::BTreeSet;
use std::fs;
use std::net::UdpSocket;
use std::ops::Range;
use std::time::{Duration, Instant};

use ipvs_rs::model::{Config, Persistence, PersistenceEngine, Stats, SyncDaemon, SyncRole, Tunnel};
use ipvs_rs::procfs::{
    Connection, ConnectionOrigin, ConnectionProtocol, ConnectionState, KernelVersion, Procfs, ProcfsError,
    ProcfsErrorKind, Sysctl, SysctlAccess, SysctlKind, SysctlValue,
};
use ipvs_rs::transport::Netns;
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};
use nix::sys::socket::{setsockopt, sockopt};

use crate::conformance::World;
use crate::forwarding::{serve, with_network};
use crate::kernel;
use crate::namespaces::{Namespace, alone, fresh, ip, program};
use crate::network::{exchange, pass, wait_until};
use crate::process::{again, is_again};
use crate::world::RealKernel;

fn connections() -> Vec<Connection> {
    Procfs::current().connections().unwrap().map(Result::unwrap).collect()
}

/// The only connection, or the only template.
fn only(is_template: bool) -> Connection {
    let found: Vec<_> = connections().into_iter().filter(|row| row.is_template() == is_template).collect();
    let [row] = <[_; 1]>::try_from(found).unwrap();
    row
}

/// Its three addresses.
fn addresses(row: &Connection) -> [String; 3] {
    [row.client, row.service, row.destination].map(|address| address.to_string())
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn table_without_traffic_is_empty() {
    fresh(|| {
        Handle::new().unwrap();
        assert_eq!(connections(), []);
        assert_eq!(Procfs::current().connections_with_origin().unwrap().count(), 0);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn tcp_connection_is_listed_from_its_beginning_to_its_end() {
    for (vip, server) in [("192.0.2.10", "10.2.0.2"), ("[2001:db8::10]", "[2001:db8:2::2]")] {
        with_network(|network, handle| {
            let (_, servers) = serve(handle, &format!("TCP {vip}:80"), &[&format!("{server}:8080")]);
            let listener = network.listen(&servers[0]);
            let client = network.connect(&format!("{vip}:80")).unwrap();
            let (accepted, _) = listener.accept().unwrap();
            pass("hello", &client, &accepted);

            let row = only(false);
            assert_eq!((row.protocol, row.state), (ConnectionProtocol::Tcp, ConnectionState::Established));
            let expected = [client.local_addr().unwrap().to_string(), format!("{vip}:80"), servers[0].clone()];
            assert_eq!(addresses(&row), expected);
            assert!((850..=900).contains(&row.expires_secs), "of 900 seconds: {row:?}");
            assert_eq!((&row.engine, row.origin, row.mark()), (&None, None, None));

            drop((client, accepted));
            wait_until("both ends have closed", || only(false).state == ConnectionState::TimeWait);
            assert!((60..=120).contains(&only(false).expires_secs));
        });
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn udp_connection_is_listed_until_its_timeout() {
    for (vip, server) in [("192.0.2.10", "10.2.0.2"), ("[2001:db8::10]", "[2001:db8:2::2]")] {
        with_network(|network, handle| {
            handle.set_config(&Config::new().udp(Duration::from_secs(3)).unwrap()).unwrap();
            let (_, servers) = serve(handle, &format!("UDP {vip}:53"), &[&format!("{server}:5353")]);
            let client = network.udp_client(&format!("{vip}:53"));
            exchange(&client, &network.udp_server(&servers[0]), 1);

            let row = only(false);
            assert_eq!((row.protocol, row.state), (ConnectionProtocol::Udp, ConnectionState::Udp));
            let expected = [client.local_addr().unwrap().to_string(), format!("{vip}:53"), servers[0].clone()];
            assert_eq!(addresses(&row), expected);
            assert!(row.expires_secs <= 3, "{row:?}");
            wait_until("it is forgotten", || connections().is_empty());
        });
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn connections_of_another_namespace_are_read_from_here() {
    let network_of = |body: &(dyn Fn(Procfs) + Sync)| {
        with_network(|network, handle| {
            let (_, servers) = serve(handle, "UDP 192.0.2.10:53", &["10.2.0.2:5353"]);
            exchange(&network.udp_client("192.0.2.10:53"), &network.udp_server(&servers[0]), 1);
            let there = Netns::fd(fs::File::open("/proc/thread-self/ns/net").unwrap()).unwrap();
            body(Procfs::of(there));
        });
    };
    network_of(&|there| {
        let here = Namespace::new();
        here.run(|| {
            assert_eq!(connections(), []);
            // The file stays that of the namespace, whichever thread reads it.
            let rows: Vec<_> = there.connections().unwrap().map(Result::unwrap).collect();
            let [row] = &rows[..] else { panic!("{rows:?}") };
            assert_eq!(row.service, "192.0.2.10:53".parse().unwrap());
            wait_until("totals of there", || there.get_stats().unwrap().connections == 1);
            assert_eq!(there.get_cpu_stats().unwrap().total.connections, 1);
            assert_eq!(Procfs::current().get_stats().unwrap(), Stats::default());
            assert_eq!(connections(), [], "and the thread has not moved");
        });
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn persistent_service_has_a_template_for_each_client() {
    for (vip, server, client) in
        [("192.0.2.10", "10.2.0.2", "10.1.0.2:0"), ("[2001:db8::10]", "[2001:db8:2::2]", "[2001:db8:1::2]:0")]
    {
        with_network(|network, handle| {
            let (id, servers) = serve(handle, &format!("TCP {vip}:80"), &[&format!("{server}:8080")]);
            let persistent = |service: &mut Service| service.persistence = Some(Persistence::for_secs(300).unwrap());
            handle.modify_service(&id, persistent).unwrap();
            let listener = network.listen(&servers[0]);
            let mut open = Vec::new();
            for _ in 0..3 {
                let stream = network.connect(&format!("{vip}:80")).unwrap();
                let accepted = listener.accept().unwrap();
                pass("hello", &stream, &accepted.0);
                open.push((stream, accepted));
            }
            assert_eq!(connections().len(), 4);
            let template = only(true);
            assert_eq!(addresses(&template), [client.to_owned(), format!("{vip}:80"), servers[0].clone()]);
            assert_eq!(template.protocol, ConnectionProtocol::Tcp);
            assert_eq!(template.state, ConnectionState::Assured, "a connection by it was established");
            assert_eq!((template.engine, template.origin), (None, None));
        });
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn template_of_an_engine_carries_what_it_knows_the_client_by() {
    with_network(|network, handle| {
        let (id, servers) = serve(handle, "UDP 192.0.2.10:5060", &["10.2.0.2:5060"]);
        let by_call = Persistence::for_secs(60).unwrap().engine(PersistenceEngine::Sip);
        handle.modify_service(&id, |service| service.persistence = Some(by_call)).unwrap();
        let (client, server) = (network.udp_client("192.0.2.10:5060"), network.udp_server(&servers[0]));
        let call = "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.2:5060\r\n\
                    Call-ID: 12345@10.1.0.2\r\nCSeq: 1 INVITE\r\n\r\n";
        client.send(call.as_bytes()).unwrap();
        server.recv_from(&mut [0; 1000]).unwrap();

        let template = only(true);
        let engine = template.engine.as_ref().unwrap();
        assert_eq!((engine.name, engine.data.as_slice()), (PersistenceEngine::Sip, &b"12345@10.1.0.2"[..]));
        assert_eq!(only(false).engine, None, "the connection itself does not");
        let with_origin: Vec<_> =
            Procfs::current().connections_with_origin().unwrap().map(|row| row.unwrap().engine).collect();
        assert_eq!(with_origin, [None, None], "nor does the other table");
        assert_eq!(Procfs::get_modules().unwrap().engines, [PersistenceEngine::Sip]);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn template_for_a_mark_tells_the_mark() {
    with_network(|network, handle| {
        for (mark, server, any, there) in [
            ("FWM 305419896", "10.2.0.2", "0.0.0.0:0", "10.2.0.200:7777"),
            ("FWM 305419896 IPv6", "[2001:db8:2::2]", "[::]:0", "[2001:db8:2::200]:7777"),
        ] {
            let (id, _) = serve(handle, mark, &[&format!("{server}:0")]);
            let persistent = |service: &mut Service| service.persistence = Some(Persistence::for_secs(60).unwrap());
            handle.modify_service(&id, persistent).unwrap();
            let server = network.udp_server(&format!("{server}:7777"));
            let client = UdpSocket::bind(any).unwrap();
            setsockopt(&client, sockopt::Mark, &305_419_896).unwrap();
            client.connect(there).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            exchange(&client, &server, 1);

            let family = |row: &Connection| row.client.is_ipv6() == any.contains("::");
            let rows: Vec<_> = connections().into_iter().filter(family).collect();
            let template = rows.iter().find(|row| row.is_template()).unwrap();
            assert_eq!((template.protocol, template.mark()), (ConnectionProtocol::Ip, Some(0x1234_5678)), "{mark}");
            assert_eq!((template.service.port(), template.destination.port()), (0, 0), "{mark}");
            let connection = rows.iter().find(|row| !row.is_template()).unwrap();
            assert_eq!((connection.protocol, connection.mark()), (ConnectionProtocol::Udp, None), "{mark}");
            assert_eq!(connection.service, there.parse().unwrap(), "{mark}");
            assert_eq!(rows.len(), 2, "{mark}");
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn server_behind_a_tunnel_may_be_of_another_family() {
    with_network(|network, handle| {
        let id: ServiceId = "UDP 192.0.2.10:53".parse().unwrap();
        handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
        let server = Destination::new("[2001:db8:2::2]:53".parse().unwrap(), ForwardMethod::Tunnel(Tunnel::ipip()));
        handle.new_destination(&id, &server).unwrap();
        let client = network.udp_client("192.0.2.10:53");
        client.send(b"into the tunnel").unwrap();
        wait_until("it has gone there", || !connections().is_empty());
        let expected = [&client.local_addr().unwrap().to_string(), "192.0.2.10:53", "[2001:db8:2::2]:53"];
        assert_eq!(addresses(&only(false)), expected);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn connection_that_was_made_here_is_of_local_origin() {
    with_network(|network, handle| {
        let (_, servers) = serve(handle, "UDP 192.0.2.10:53", &["10.2.0.2:5353"]);
        exchange(&network.udp_client("192.0.2.10:53"), &network.udp_server(&servers[0]), 1);
        let rows: Vec<_> = Procfs::current().connections_with_origin().unwrap().map(Result::unwrap).collect();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(row.origin, Some(ConnectionOrigin::Local));
        assert_eq!(addresses(row), addresses(&only(false)));
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn connection_that_another_director_told_of_is_of_synchronized_origin() {
    fresh(|| {
        let backup = Namespace::new();
        ip(&format!("link add sync0 type veth peer name sync0 netns {}", backup.path().display()));
        ip("address add 10.9.0.1/24 dev sync0");
        ip("link set sync0 up");
        backup.run(|| {
            ip("address add 10.9.0.2/24 dev sync0");
            ip("link set sync0 up");
            Handle::new().unwrap().start_sync(&SyncDaemon::backup("sync0").unwrap()).unwrap();
        });
        let handle = Handle::new().unwrap();
        let here = Procfs::current();
        // With its first packet, instead of its third.
        here.set_sysctl(Sysctl::SyncThreshold, SysctlValue::Threshold { packets: 0, period: 1 }).unwrap();
        handle.start_sync(&SyncDaemon::master("sync0").unwrap()).unwrap();
        serve_unreachable(&handle, 20_000..20_001);

        let there = Procfs::of(Netns::path(backup.path()));
        let origins = |procfs: &Procfs| {
            let rows = procfs.connections_with_origin().unwrap().map(Result::unwrap);
            rows.map(|row| (row.client.port(), row.origin.unwrap())).collect::<Vec<_>>()
        };
        wait_until("the backup was told", || !origins(&there).is_empty());
        assert_eq!(origins(&there), [(20_000, ConnectionOrigin::Sync)]);
        assert_eq!(origins(&here), [(20_000, ConnectionOrigin::Local)]);
        backup.run(|| Handle::new().unwrap().stop_sync(SyncRole::Backup)).unwrap();
        handle.stop_sync(SyncRole::Master).unwrap();
    });
}

/// Makes a connection from each of these ports, to a server that does not exist.
fn serve_unreachable(handle: &Handle, ports: Range<u16>) {
    for words in ["link add net0 type dummy", "address add 10.1.0.1/24 dev net0", "link set net0 up"] {
        ip(words);
    }
    ip("address add 192.0.2.10/32 dev lo");
    let id: ServiceId = "UDP 192.0.2.10:53".parse().unwrap();
    handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
    let server = Destination::new("10.1.0.2:53".parse().unwrap(), ForwardMethod::DirectRoute);
    handle.new_destination(&id, &server).unwrap();
    for port in ports {
        UdpSocket::bind(("10.1.0.1", port)).unwrap().send_to(b"x", "192.0.2.10:53").unwrap();
    }
}

/// Counters without the rates, which go their own way.
fn counters(stats: &Stats) -> [u64; 5] {
    [stats.connections, stats.packets_in, stats.packets_out, stats.bytes_in, stats.bytes_out]
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn totals_are_those_of_the_services_together_until_they_are_zeroed() {
    with_network(|network, handle| {
        let procfs = Procfs::current();
        assert_eq!(procfs.get_stats().unwrap(), Stats::default());
        for (vip, server, count) in [("192.0.2.10", "10.2.0.2", 5), ("[2001:db8::10]", "[2001:db8:2::2]", 7)] {
            let (_, servers) = serve(handle, &format!("UDP {vip}:53"), &[&format!("{server}:5353")]);
            exchange(&network.udp_client(&format!("{vip}:53")), &network.udp_server(&servers[0]), count);
        }
        // Questions of 100 bytes and answers of 300, with the headers of IP and UDP.
        let expected = [2, 12, 12, 5 * 128 + 7 * 148, 5 * 328 + 7 * 348];
        let of_services = || {
            let mut sums = [0; 5];
            for service in handle.get_services().unwrap() {
                for (sum, counter) in sums.iter_mut().zip(counters(&service.stats)) {
                    *sum += counter;
                }
            }
            sums
        };
        wait_until("the kernel has counted", || {
            of_services() == expected && counters(&procfs.get_stats().unwrap()) == expected
        });

        let of_cpus = procfs.get_cpu_stats().unwrap();
        assert_eq!(counters(&of_cpus.total), expected);
        let sums = of_cpus.cpus.iter().fold([0; 5], |[a, b, c, d, e], cpu| {
            [a + cpu.connections, b + cpu.packets_in, c + cpu.packets_out, d + cpu.bytes_in, e + cpu.bytes_out]
        });
        assert_eq!(sums, expected);
        let possible = fs::read_to_string("/sys/devices/system/cpu/possible").unwrap();
        let last = possible.trim().rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(of_cpus.cpus.iter().map(|cpu| cpu.cpu).collect::<Vec<_>>(), (0..=last).collect::<Vec<_>>());

        handle.zero_all().unwrap();
        let zeroed = procfs.get_cpu_stats().unwrap();
        assert_eq!(counters(&zeroed.total), [0; 5]);
        assert_eq!(zeroed.cpus, of_cpus.cpus, "what the processors have counted stays");
        assert_eq!(counters(&procfs.get_stats().unwrap()), [0; 5]);
    });
}

/// The names of the files that are there.
fn sysctl_files() -> BTreeSet<String> {
    let files = fs::read_dir("/proc/sys/net/ipv4/vs").unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn every_sysctl_of_the_kernel_is_known_and_every_one_that_is_known_is_there_or_newer() {
    fresh(|| {
        Handle::new().unwrap();
        let files = sysctl_files();
        let known: BTreeSet<_> = Sysctl::ALL.iter().map(|sysctl| sysctl.name().to_owned()).collect();
        assert_eq!(files.difference(&known).collect::<Vec<_>>(), [""; 0], "not known");

        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap());
        let version = KernelVersion(numbers.next().unwrap(), numbers.next().unwrap(), 0);
        for sysctl in Sysctl::ALL.iter().copied() {
            let info = sysctl.info();
            if info.condition.is_none() || sysctl == Sysctl::Conntrack {
                assert_eq!(files.contains(sysctl.name()), info.since <= version, "{sysctl} on {version}");
            }
        }
        let read: BTreeSet<_> =
            Procfs::current().get_sysctls().unwrap().into_iter().map(|(sysctl, _)| sysctl.to_string()).collect();
        assert_eq!(read, files);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn sysctls_of_the_locality_schedulers_come_with_them() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        for (scheduler, sysctl) in
            [(Scheduler::Lblc, Sysctl::LblcExpiration), (Scheduler::Lblcr, Sysctl::LblcrExpiration)]
        {
            handle.new_service(&Service::new("FWM 1".parse().unwrap(), scheduler)).unwrap();
            let there = Procfs::current();
            assert_eq!(there.get_sysctl(sysctl).unwrap(), 86_400.into());
            there.set_sysctl(sysctl, 60).unwrap();
            assert_eq!(there.get_sysctl(sysctl).unwrap(), 60.into());
            handle.flush().unwrap();
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn sysctls_of_a_new_namespace_have_their_defaults() {
    fresh(|| {
        Handle::new().unwrap();
        for (sysctl, value) in Procfs::current().get_sysctls().unwrap() {
            if let Some(default) = sysctl.info().default {
                assert_eq!(value, sysctl.value(default).unwrap(), "{sysctl}");
            }
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn every_sysctl_is_set_for_one_namespace_and_read_back() {
    fresh(|| {
        Handle::new().unwrap();
        let other = Namespace::new();
        let (here, there) = (Procfs::current(), Procfs::of(Netns::path(other.path())));
        for (sysctl, before) in here.get_sysctls().unwrap() {
            let unchanged = there.get_sysctl(sysctl).unwrap();
            for value in values(sysctl) {
                here.set_sysctl(sysctl, value.clone()).unwrap_or_else(|error| panic!("{error}"));
                // The defenses run on their own.
                if !matches!(value, SysctlValue::Number(1 | 2)) {
                    assert_eq!(here.get_sysctl(sysctl).unwrap(), value, "{sysctl}");
                }
            }
            assert_eq!(there.get_sysctl(sysctl).unwrap(), unchanged, "{sysctl} elsewhere");
            there.set_sysctl(sysctl, unchanged.clone()).unwrap();
            here.set_sysctl(sysctl, before.clone()).unwrap();
            assert_eq!(here.get_sysctl(sysctl).unwrap(), before, "{sysctl}");
        }
    });
}

/// Values at both ends of the range, and in between.
fn values(sysctl: Sysctl) -> Vec<SysctlValue> {
    match sysctl {
        // The kernel allocates by these.
        Sysctl::ConnMax | Sysctl::SyncQlenMax => vec![1000.into(), 2000.into()],
        Sysctl::SyncRefreshPeriod | Sysctl::LblcExpiration | Sysctl::LblcrExpiration => vec![0.into(), 3600.into()],
        _ => match sysctl.info().kind {
            SysctlKind::Switch => vec![true.into(), false.into()],
            SysctlKind::Number { least, greatest } => vec![least.into(), (least + 1).into(), greatest.into()],
            SysctlKind::PowerOfTwo { greatest } => vec![1.into(), 2.into(), greatest.into()],
            SysctlKind::Threshold => {
                vec![
                    SysctlValue::Threshold { packets: 0, period: 0 },
                    SysctlValue::Threshold { packets: 9, period: 10 },
                    SysctlValue::Threshold { packets: 7, period: 0 },
                ]
            }
            SysctlKind::Cpus => ["0", "", "1", "0-1"].map(|list| SysctlValue::Cpus(list.to_owned())).to_vec(),
            other => panic!("{sysctl}: {other:?}"),
        },
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_of_processors_counts_in_every_form() {
    fresh(|| {
        Handle::new().unwrap();
        let here = Procfs::current();
        if kernel::version() < (6, 2) {
            let error = here.set_sysctl(Sysctl::EstCpulist, SysctlValue::Cpus("0".to_owned())).unwrap_err();
            assert_eq!((error.kind(), error.is_unsupported()), (ProcfsErrorKind::NoSuchSysctl, true));
            assert_eq!(
                error.to_string(),
                "set sysctl est_cpulist to 0: /proc/sys/net/ipv4/vs/est_cpulist: this kernel has no such sysctl; it is \
                 there since Linux 6.2"
            );
            return;
        }
        for (written, read) in [("0,1", "0-1"), ("1-1", "1"), ("0-1,1", "0-1"), ("all", "0-1"), ("0-N:1/2", "0")] {
            here.set_sysctl(Sysctl::EstCpulist, SysctlValue::Cpus(written.to_owned())).unwrap();
            assert_eq!(here.get_sysctl(Sysctl::EstCpulist).unwrap(), SysctlValue::Cpus(read.to_owned()), "{written}");
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn value_that_the_kernel_refuses_is_an_error_that_says_what_it_takes() {
    fresh(|| {
        Handle::new().unwrap();
        let here = Procfs::current();
        for (sysctl, value, takes) in [
            (Sysctl::DropEntry, SysctlValue::from(4), "0 to 3"),
            (Sysctl::DropPacket, SysctlValue::from(-1), "0 to 3"),
            (Sysctl::SecureTcp, SysctlValue::from(4), "0 to 3"),
            (Sysctl::SyncVersion, SysctlValue::from(2), "0 to 1"),
            (Sysctl::SyncRetries, SysctlValue::from(4), "0 to 3"),
            (Sysctl::SyncPorts, SysctlValue::from(3), "a power of two, 1 to 64"),
            (Sysctl::AmDroprate, SysctlValue::from(1_u64 << 40), "0 to 2147483647"),
            (
                Sysctl::SyncThreshold,
                SysctlValue::Threshold { packets: 50, period: 3 },
                "two numbers, the first less than the second, or the second 0",
            ),
        ] {
            let before = here.get_sysctl(sysctl).unwrap();
            let error = here.set_sysctl(sysctl, value.clone()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "set sysctl {sysctl} to {value}: /proc/sys/net/ipv4/vs/{sysctl}: Invalid argument (os error 22); \
                     it takes {takes}"
                )
            );
            assert!(error.is_invalid() && !error.is_permission_denied());
            assert_eq!(here.get_sysctl(sysctl).unwrap(), before, "{sysctl}");
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn value_that_the_kernel_drops_without_a_word_is_an_error() {
    if is_again() {
        // Linux takes any number for this one, since 5.18, and keeps 256.
        let deaf = "/proc/sys/kernel/random/write_wakeup_threshold";
        program("mount", &format!("--bind {deaf} /proc/sys/net/ipv4/vs/am_droprate"));
        let error = Procfs::current().set_sysctl(Sysctl::AmDroprate, 20).unwrap_err();
        assert_eq!(
            error.to_string(),
            "set sysctl am_droprate to 20: /proc/sys/net/ipv4/vs/am_droprate: the kernel reported no error, but it \
             reads as 256"
        );
        assert_eq!(error.kind(), ProcfsErrorKind::NotTaken);
        assert_eq!((error.value(), error.read_back()), (Some(&20.into()), Some(&256.into())));
        return;
    }
    fresh(|| {
        Handle::new().unwrap();
        again("procfs::value_that_the_kernel_drops_without_a_word_is_an_error", &["unshare", "-m"]);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn sysctls_that_are_mounted_for_reading_only_cannot_be_set() {
    if is_again() {
        for words in ["--bind /proc/sys /proc/sys", "-o remount,bind,ro /proc/sys"] {
            program("mount", words);
        }
        let here = Procfs::current();
        let error = here.set_sysctl(Sysctl::Conntrack, true).unwrap_err();
        assert!(error.is_permission_denied());
        assert_eq!(
            error.to_string(),
            "set sysctl conntrack to 1: /proc/sys/net/ipv4/vs/conntrack: Read-only file system (os error 30); setting \
             takes root, and a /proc/sys that is mounted for writing"
        );
        assert_eq!(here.get_sysctl(Sysctl::Conntrack).unwrap(), false.into());
        return;
    }
    fresh(|| {
        Handle::new().unwrap();
        again("procfs::sysctls_that_are_mounted_for_reading_only_cannot_be_set", &["unshare", "-m"]);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn ordinary_user_reads_everything_and_sets_nothing() {
    if is_again() {
        let here = Procfs::current();
        assert_eq!(connections(), []);
        assert_eq!(here.get_stats().unwrap(), Stats::default());
        assert!(!here.get_cpu_stats().unwrap().cpus.is_empty());
        assert!(Procfs::get_modules().unwrap().has_ipvs);
        assert_eq!(here.get_sysctl(Sysctl::Conntrack).unwrap().as_switch(), Some(false));

        let error = here.set_sysctl(Sysctl::Conntrack, true).unwrap_err();
        assert!(error.is_permission_denied());
        assert_eq!(
            error.to_string(),
            "set sysctl conntrack to 1: /proc/sys/net/ipv4/vs/conntrack: Permission denied (os error 13); setting \
             takes root, and a /proc/sys that is mounted for writing"
        );
        let error = Procfs::of(Netns::pid(1)).connections().unwrap_err();
        assert_eq!((error.kind(), error.is_permission_denied()), (ProcfsErrorKind::Namespace, true));
        return;
    }
    let unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    fresh(|| {
        Handle::new().unwrap();
        again("procfs::ordinary_user_reads_everything_and_sets_nothing", &unprivileged);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn rootless_container_sees_its_own_connections_and_what_the_kernel_lets_it_see_of_sysctls() {
    if is_again() {
        let here = Procfs::current();
        assert_eq!(connections(), []);
        let read = here.get_sysctl(Sysctl::Conntrack);
        let set: Result<(), ProcfsError> = here.set_sysctl(Sysctl::SyncQlenMax, 1000);
        if sysctl_files().is_empty() {
            for error in [read.unwrap_err(), set.unwrap_err()] {
                assert!(error.is_unsupported());
                let expected = "this namespace has no sysctls of IPVS; an old kernel shows none in the \
                                namespace of a rootless container";
                assert!(error.to_string().ends_with(expected), "{error}");
            }
        } else {
            assert_eq!(read.unwrap(), false.into());
            assert!(set.unwrap_err().is_permission_denied());
            for (sysctl, value) in here.get_sysctls().unwrap() {
                let is_ours = sysctl.info().access == SysctlAccess::Namespace;
                match here.set_sysctl(sysctl, value) {
                    Ok(()) => assert!(is_ours, "{sysctl}"),
                    Err(error) => assert!(error.is_permission_denied() && !is_ours, "{error}"),
                }
            }
        }
        return;
    }
    let test = "procfs::rootless_container_sees_its_own_connections_and_what_the_kernel_lets_it_see_of_sysctls";
    fresh(|| {
        Handle::new().unwrap();
        again(test, &["unshare", "-r", "-n"]);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn scheduler_is_among_the_modules_once_a_service_has_asked_for_it() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        for scheduler in RealKernel.schedulers().into_iter().filter(|scheduler| *scheduler != Scheduler::None) {
            handle.new_service(&Service::new("FWM 1".parse().unwrap(), scheduler)).unwrap();
            let modules = Procfs::get_modules().unwrap();
            assert!(modules.has_ipvs);
            assert!(modules.schedulers.contains(&scheduler), "{scheduler}: {modules:?}");
            handle.flush().unwrap();
        }
    });
}

/// More connections than a page shows, or a buffer holds.
const MANY: u16 = 10_000;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn long_table_is_read_to_its_end() {
    alone(|| {
        let ports = 20_000..20_000 + MANY;
        serve_unreachable(&Handle::new().unwrap(), ports.clone());
        let start = Instant::now();
        let mut seen = BTreeSet::new();
        let mut rows = 0;
        for row in Procfs::current().connections().unwrap() {
            let row = row.unwrap();
            assert_eq!(row.destination, "10.1.0.2:53".parse().unwrap());
            seen.insert(row.client.port());
            rows += 1;
        }
        kernel::note(&format!("{rows} connections in {:?}", start.elapsed()));
        assert_eq!(seen, ports.collect::<BTreeSet<_>>());
        assert_eq!(rows, MANY, "in a table that is not changed each comes once");
    });
}
