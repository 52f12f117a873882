//! Synchronization daemons: what is asked for, what the kernel chooses, and the stop that it may not confirm.

use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};
use std::time::{Duration, Instant};

use ipvs_rs::error::Errno;
use ipvs_rs::model::{InvalidValue, MulticastGroup, SyncDaemon, SyncRole, Tunnel};
use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service, ServiceId};

use super::raw::{ACK, Answer, DUMP, GET_DAEMON, MULTI, NEW_DAEMON, OK, REQUEST, RawSocket, name, nest, number32};
use super::{Interface, World};

use super::client::Handle;

pub fn daemon_is_started_with_each_attribute_listed_and_stopped(world: &dyn World) {
    type Change = fn(SyncDaemon) -> Result<SyncDaemon, InvalidValue>;
    let group4: IpAddr = "224.1.2.3".parse().unwrap();
    let group6: IpAddr = "ff05::2".parse().unwrap();
    // The values asked for, and those that the kernel uses for a master and for a backup: length, group, port, TTL.
    let cases: [(&str, Change, [KernelDefaults; 2]); 9] = [
        ("nothing", Ok, [DEFAULT, DEFAULT]),
        ("sync id", |daemon| Ok(daemon.sync_id(255)), [DEFAULT, DEFAULT]),
        (
            "length",
            |daemon| daemon.max_len(1400),
            [KernelDefaults { len: 1400, ..DEFAULT }, KernelDefaults { len: 1400, ..DEFAULT }],
        ),
        (
            "least length",
            |daemon| daemon.max_len(1),
            [KernelDefaults { len: 1, ..DEFAULT }, KernelDefaults { len: 1024, ..DEFAULT }],
        ),
        (
            "greatest length",
            |daemon| daemon.max_len(65535),
            [KernelDefaults { len: 65507, ..DEFAULT }, KernelDefaults { len: 65507, ..DEFAULT }],
        ),
        (
            "port",
            |daemon| daemon.port(9000),
            [KernelDefaults { port: 9000, ..DEFAULT }, KernelDefaults { port: 9000, ..DEFAULT }],
        ),
        ("TTL", |daemon| daemon.ttl(8), [KernelDefaults { ttl: 8, ..DEFAULT }, KernelDefaults { ttl: 8, ..DEFAULT }]),
        (
            "IPv4 group",
            |daemon| daemon.group("224.1.2.3".parse().unwrap()),
            [KernelDefaults { group: Some(group4), ..DEFAULT }, KernelDefaults { group: Some(group4), ..DEFAULT }],
        ),
        (
            "IPv6 group and all the rest",
            |daemon| daemon.group("ff05::2".parse().unwrap())?.sync_id(7).max_len(1200)?.port(9001)?.ttl(9),
            [KernelDefaults { len: 1200, group: Some(group6), port: 9001, ttl: 9 }; 2],
        ),
    ];
    with_interface(world, |handle| {
        assert_eq!(handle.get_sync_daemons().unwrap(), []);
        for (label, change, chosen) in cases {
            for (role, chosen) in ROLES.into_iter().zip(chosen) {
                let asked = change(SyncDaemon::new(role, "d0".parse().unwrap())).unwrap();
                handle.start_sync(&asked).unwrap_or_else(|error| panic!("{label}: {error}"));
                assert_eq!(handle.get_sync_daemons().unwrap(), [chosen.of(asked)], "{role}, {label}");
                stop(handle, role);
                assert_eq!(handle.get_sync_daemons().unwrap(), [], "{role}, {label}");
            }
        }
    });
}

pub fn ipv6_group_alone_leaves_room_for_the_longer_header(world: &dyn World) {
    with_interface(world, |handle| {
        let group: IpAddr = "ff05::2".parse().unwrap();
        for role in ROLES {
            let asked = SyncDaemon::new(role, "d0".parse().unwrap()).group(group).unwrap();
            handle.start_sync(&asked).unwrap();
            let expected = KernelDefaults { len: 1452, group: Some(group), ..DEFAULT }.of(asked);
            assert_eq!(handle.get_sync_daemons().unwrap(), [expected], "{role}");
            stop(handle, role);
        }
    });
}

pub fn master_and_backup_run_together_each_in_its_own_way(world: &dyn World) {
    with_interface(world, |handle| {
        let master = SyncDaemon::master("d0").unwrap().sync_id(1);
        let backup = SyncDaemon::backup("lo").unwrap().sync_id(2);
        handle.start_sync(&backup).unwrap();
        handle.start_sync(&master).unwrap();
        // The loopback interface has the greatest packets.
        let expected = [DEFAULT.of(master), KernelDefaults { len: 65507, ..DEFAULT }.of(backup)];
        let listed = handle.get_sync_daemons().unwrap();
        assert_eq!(listed, expected, "the master first");

        let error = handle.start_sync(&SyncDaemon::master("lo").unwrap()).unwrap_err();
        assert!(error.is_already_exists(), "{error}");
        let error = handle.start_sync(&SyncDaemon::backup("d0").unwrap()).unwrap_err();
        assert!(error.is_already_exists(), "{error}");
        assert_eq!(handle.get_sync_daemons().unwrap(), expected, "as before");

        stop(handle, SyncRole::Master);
        assert_eq!(handle.get_sync_daemons().unwrap(), expected[1..]);
        assert!(handle.stop_sync(SyncRole::Master).unwrap_err().is_not_found(), "stopped again");
        stop(handle, SyncRole::Backup);
        assert!(handle.stop_sync(SyncRole::Backup).unwrap_err().is_not_found(), "stopped again");
    });
}

pub fn stop_right_after_the_start_neither_hangs_nor_lies(world: &dyn World) {
    with_interface(world, |handle| {
        let start = Instant::now();
        for round in 0..20 {
            let role = ROLES[round % 2];
            handle.start_sync(&SyncDaemon::new(role, "d0".parse().unwrap())).unwrap();
            let stopped = handle.stop_sync(role);
            let runs = handle.get_sync_daemons().unwrap().iter().any(|daemon| daemon.role == role);
            assert_eq!(stopped.is_ok(), !runs, "round {round}: {stopped:?}");
            if runs {
                world.note("a daemon went on after a stop that the kernel did not confirm");
                stop(handle, role);
            }
        }
        let time = start.elapsed();
        assert!(time < Duration::from_secs(20), "no round waits for the deadline: {time:?}");
        assert_eq!(handle.get_sync_daemons().unwrap(), []);
    });
}

pub fn daemon_and_server_of_another_family_exclude_each_other(world: &dyn World) {
    with_interface(world, |handle| {
        let service: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
        let tunnel = ForwardMethod::Tunnel(Tunnel::ipip());
        let server = Destination::new("[2001:db8::2]:80".parse().unwrap(), tunnel);
        handle.new_service(&Service::new(service, Scheduler::Rr)).unwrap();
        handle.new_destination(&service, &server).unwrap();
        for role in ROLES {
            let error = handle.start_sync(&SyncDaemon::new(role, "d0".parse().unwrap())).unwrap_err();
            assert!(error.is_invalid(), "{error}");
        }
        handle.delete_destination(&service, &server.id).unwrap();
        handle.start_sync(&SyncDaemon::backup("d0").unwrap()).unwrap();
        assert!(handle.new_destination(&service, &server).unwrap_err().is_invalid());
        stop(handle, SyncRole::Backup);
        handle.new_destination(&service, &server).unwrap();
    });
}

pub fn flush_leaves_daemons_alone(world: &dyn World) {
    with_interface(world, |handle| {
        let daemon = SyncDaemon::backup("d0").unwrap();
        handle.start_sync(&daemon).unwrap();
        handle.flush().unwrap();
        assert_eq!(handle.get_sync_daemons().unwrap(), [DEFAULT.of(daemon)]);
        stop(handle, SyncRole::Backup);
    });
}

pub fn master_needs_a_way_to_its_group_and_a_backup_none(world: &dyn World) {
    world.add_interface(&Interface { name: "d1", addresses: &[], is_up: false });
    with_interface(world, |handle| {
        let groups: [IpAddr; 4] =
            ["224.0.0.81", "239.1.2.3", "ff02::51", "ff05::2"].map(|group| group.parse().unwrap());
        // The loopback interface has no route to any group of IPv6.
        for (interface, reached) in [("d0", [true; 4]), ("d1", [false; 4]), ("lo", [true, true, false, false])] {
            for (group, is_reached) in groups.into_iter().zip(reached) {
                for role in ROLES {
                    let daemon = SyncDaemon::new(role, interface.parse().unwrap()).group(group).unwrap();
                    match handle.start_sync(&daemon) {
                        Ok(()) => {
                            assert!(is_reached || role == SyncRole::Backup, "{role} {interface} {group}");
                            stop(handle, role);
                        }
                        Err(error) => {
                            assert!(!is_reached && role == SyncRole::Master, "{role} {interface} {group}: {error}");
                            assert_eq!(error.errno(), Some(Errno::ENETUNREACH), "{role} {interface} {group}");
                        }
                    }
                    assert_eq!(handle.get_sync_daemons().unwrap(), [], "{role} {interface} {group}");
                }
            }
        }
    });
}

pub fn list_that_is_being_read_tells_of_each_daemon_once_whenever_it_starts(world: &dyn World) {
    with_interface(world, |handle| {
        let mut line = RawSocket::open(world);
        let start = |role: u32| nest(3, &[&number32(1, role), &name(2, "d0"), &number32(3, 0)]);
        for (first, second) in [(1, 2), (2, 1)] {
            assert_eq!(line.command(NEW_DAEMON, &start(first)), OK);
            let list = line.request(GET_DAEMON, REQUEST | DUMP, &[]);
            let start = line.request(NEW_DAEMON, REQUEST | ACK, &start(second));
            let told = line.ask(&[&list[..], &start].concat());
            let role = |answer: &Answer| match answer {
                // The state stands first in the nest.
                Answer::Data(NEW_DAEMON, MULTI, row) => Some(u32::from_ne_bytes(row[8..12].try_into().unwrap())),
                _ => None,
            };
            assert_eq!(told.iter().map(role).collect::<Vec<_>>(), [Some(first), None, Some(second), None], "{told:?}");
            assert_eq!((&told[1], &told[3]), (&OK, &Answer::Done(0, None)));
            for role in ROLES {
                stop(handle, role);
            }
        }
    });
}

/// The values that the kernel reports for settings that may be left to it.
#[derive(Clone, Copy)]
struct KernelDefaults {
    len: u16,
    group: Option<IpAddr>,
    port: u16,
    ttl: u8,
}

/// On an interface with packets of 1500 bytes.
const DEFAULT: KernelDefaults = KernelDefaults { len: 1472, group: None, port: 8848, ttl: 1 };
const ROLES: [SyncRole; 2] = [SyncRole::Master, SyncRole::Backup];

impl KernelDefaults {
    fn of(self, asked: SyncDaemon) -> SyncDaemon {
        let group = self.group.unwrap_or("224.0.0.81".parse().unwrap());
        let mut daemon = asked;
        daemon.max_len = NonZeroU16::new(self.len);
        daemon.group = Some(MulticastGroup::new(group).unwrap());
        daemon.port = NonZeroU16::new(self.port);
        daemon.ttl = NonZeroU8::new(self.ttl);
        daemon
    }
}

/// Stops a daemon, however often it takes.
fn stop(handle: &Handle, role: SyncRole) {
    for _ in 0..100 {
        match handle.stop_sync(role) {
            Ok(()) => return,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
    panic!("the {role} does not stop");
}

/// Does something in a namespace with the interface `d0`.
fn with_interface(world: &dyn World, body: impl FnOnce(&Handle)) {
    world.add_interface(&Interface { name: "d0", addresses: &["10.8.8.8/24", "2001:db8:8::8/64"], is_up: true });
    body(&world.handle());
}
