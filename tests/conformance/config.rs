//! The settings of a namespace as a whole: timeouts, and the information of the kernel.

use std::time::Duration;

use ipvs_rs::model::{Config, Timeout, Version};
use ipvs_rs::{Scheduler, Service};

use super::World;

pub fn timeouts_are_read_as_written_and_those_left_out_are_kept(world: &dyn World) {
    let handle = world.handle();
    assert_eq!(handle.get_config().unwrap(), config(900, 120, 300), "the kernel's own");
    handle.set_config(&config(600, 60, 30)).unwrap();
    assert_eq!(handle.get_config().unwrap(), config(600, 60, 30), "all");
    handle.set_config(&Config::new().tcp(seconds(601)).unwrap()).unwrap();
    assert_eq!(handle.get_config().unwrap(), config(601, 60, 30), "tcp");
    handle.set_config(&Config::new().tcp_fin(seconds(61)).unwrap()).unwrap();
    assert_eq!(handle.get_config().unwrap(), config(601, 61, 30), "tcpfin");
    handle.set_config(&Config::new().udp(seconds(31)).unwrap()).unwrap();
    assert_eq!(handle.get_config().unwrap(), config(601, 61, 31), "udp");
    handle.set_config(&Config::new()).unwrap();
    assert_eq!(handle.get_config().unwrap(), config(601, 61, 31), "nothing");
    handle.set_config(&config(1, 1, 1)).unwrap();
    assert_eq!(handle.get_config().unwrap(), config(1, 1, 1), "the least");
}

pub fn timeout_that_is_too_long_for_the_clock_changes_nothing(world: &dyn World) {
    let handle = world.handle();
    // 1000 ticks a second are the most that a kernel is built with.
    handle.set_config(&config(2_147_483, 2_147_483, 2_147_483)).unwrap();
    assert_eq!(handle.get_config().unwrap(), config(2_147_483, 2_147_483, 2_147_483));
    let before = config(600, 60, 30);
    handle.set_config(&before).unwrap();

    let longest = config(601, 61, Timeout::MAX_SECS);
    match handle.set_config(&longest) {
        Ok(()) => {
            world.note("this kernel has 100 ticks a second and takes every timeout");
            assert_eq!(handle.get_config().unwrap(), longest);
        }
        Err(error) => {
            assert!(error.is_invalid(), "{error}");
            assert_eq!(handle.get_config().unwrap(), before, "all or nothing");
        }
    }
}

pub fn timeouts_belong_to_the_namespace(world: &dyn World) {
    let here = world.handle();
    here.set_config(&config(600, 60, 30)).unwrap();
    world.elsewhere(&|there| {
        let there = there.handle();
        assert_eq!(there.get_config().unwrap(), config(900, 120, 300));
        there.set_config(&config(700, 70, 40)).unwrap();
        assert_eq!(there.get_config().unwrap(), config(700, 70, 40));
    });
    assert_eq!(here.get_config().unwrap(), config(600, 60, 30));
}

pub fn kernel_tells_its_version_and_the_size_of_its_table(world: &dyn World) {
    let handle = world.handle();
    let before = handle.get_info().unwrap();
    assert_eq!(before.version, Version { major: 1, minor: 2, patch: 1 });
    handle.new_service(&Service::new("FWM 7".parse().unwrap(), Scheduler::Rr)).unwrap();
    let after = handle.get_info().unwrap();
    assert!(after.connection_table_size.is_power_of_two(), "{after:?}");
    if world.version() >= (7, 0) {
        assert_eq!(before.connection_table_size, 0, "no table is needed yet");
    } else {
        assert_eq!(before, after, "one table for all");
    }
}

fn config(tcp: u32, tcp_fin: u32, udp: u32) -> Config {
    let config = Config::new().tcp(seconds(tcp)).and_then(|config| config.tcp_fin(seconds(tcp_fin)));
    config.and_then(|config| config.udp(seconds(udp))).unwrap()
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}
