//! Callers who may not: every call says so, those that read included.

use std::fmt::Debug;
use std::time::Duration;

use ipvs_rs::error::Errno;
use ipvs_rs::model::{Config, SyncDaemon, SyncRole};
use ipvs_rs::{Destination, Error, ForwardMethod, Scheduler, Service, ServiceId};

use super::World;
use super::raw::{DUMP, GET_DAEMON, GET_DEST, GET_INFO, NEW_SERVICE, REQUEST, RawSocket, error};

/// In a world without privilege.
pub fn every_call_is_refused_and_says_what_it_takes(world: &dyn World) {
    // The number of the family may be asked for without privilege.
    let handle = world.handle();
    let id: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
    let service = Service::new(id, Scheduler::Rr);
    let destination = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    let config = Config::new().tcp(Duration::from_secs(900)).unwrap();

    refused("new service", handle.new_service(&service));
    refused("update service", handle.update_service(&service));
    refused("delete service", handle.delete_service(&id));
    refused("get service", handle.get_service(&id));
    refused("get services", handle.get_services());
    refused("new destination", handle.new_destination(&id, &destination));
    refused("update destination", handle.update_destination(&id, &destination));
    refused("delete destination", handle.delete_destination(&id, &destination.id));
    refused("get destinations", handle.get_destinations(&id));
    refused("find destinations", handle.find_destinations(&id));
    refused("get destination", handle.get_destination(&id, &destination.id));
    refused("snapshot", handle.snapshot());
    refused("ensure service", handle.ensure_service(&service));
    refused("ensure destination", handle.ensure_destination(&id, &destination));
    refused("remove service", handle.remove_service(&id));
    refused("remove destination", handle.remove_destination(&id, &destination.id));
    refused("modify service", handle.modify_service(&id, |_| {}));
    refused("modify destination", handle.modify_destination(&id, &destination.id, |_| {}));
    refused("start sync", handle.start_sync(&SyncDaemon::backup("lo").unwrap()));
    refused("stop sync", handle.stop_sync(SyncRole::Backup));
    refused("get sync daemons", handle.get_sync_daemons());
    refused("set config", handle.set_config(&config));
    refused("get config", handle.get_config());
    refused("get info", handle.get_info());
    refused("zero", handle.zero_all());
    refused("zero one", handle.zero_service(&id));
    refused("flush", handle.flush());
    let report = handle.batch().new_service(&service).flush().set_config(&config).send().unwrap();
    for result in report.into_results() {
        refused("batch", result);
    }

    assert_eq!(
        handle.get_service(&id).unwrap_err().to_string(),
        "get service TCP 192.0.2.10:80: permission denied (EPERM); every IPVS command takes CAP_NET_ADMIN in the \
         initial user namespace: run as root, outside of a rootless container"
    );
}

/// In the same world. Whether privilege or the command is looked at first depends on the kernel.
pub fn command_that_cannot_be_done_is_refused_for_that_or_for_privilege(world: &dyn World) {
    const EPERM: i32 = -1;
    const EOPNOTSUPP: i32 = -95;
    let mut line = RawSocket::open(world);
    let first = if world.version() >= (6, 12) { EOPNOTSUPP } else { EPERM };
    for (command, flags, expected) in [
        (GET_DEST, REQUEST, first),
        (GET_DAEMON, REQUEST, first),
        (NEW_SERVICE, REQUEST | DUMP, first),
        (GET_INFO, REQUEST | DUMP, first),
        (GET_DEST, REQUEST | DUMP, EPERM),
        (GET_INFO, REQUEST, EPERM),
        (99, REQUEST, EOPNOTSUPP),
    ] {
        let request = line.request(command, flags, &[]);
        assert_eq!(line.ask(&request), [error(expected)], "{command}, {flags:#x}");
    }
}

fn refused<T: Debug>(label: &str, result: Result<T, Error>) {
    let error = result.expect_err(label);
    assert_eq!((error.is_permission_denied(), error.errno()), (true, Some(Errno::EPERM)), "{label}: {error}");
}
