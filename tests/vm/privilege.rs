//! Callers who may not: every call says so, those that read included.

use std::fmt::Debug;
use std::time::Duration;

use ipvs_rs::error::{Errno, ErrorKind};
use ipvs_rs::model::{Config, SyncDaemon, SyncRole};
use ipvs_rs::transport::Netns;
use ipvs_rs::{Destination, Error, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::namespaces::{current, fresh};
use crate::process::{again, is_again};

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn ordinary_user_is_refused_by_every_call() {
    if is_again() {
        return expect_refusals();
    }
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    fresh(|| again("privilege::ordinary_user_is_refused_by_every_call", &nobody));
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn root_without_the_one_capability_is_refused_by_every_call() {
    if is_again() {
        return expect_refusals();
    }
    let limited = ["setpriv", "--bounding-set=-net_admin"];
    fresh(|| again("privilege::root_without_the_one_capability_is_refused_by_every_call", &limited));
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn root_of_another_user_namespace_is_refused_by_every_call() {
    if is_again() {
        return expect_refusals();
    }
    let container = ["unshare", "-r", "-n"];
    fresh(|| again("privilege::root_of_another_user_namespace_is_refused_by_every_call", &container));
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn ordinary_user_cannot_enter_the_namespace_of_another() {
    if is_again() {
        let before = current();
        let error = Handle::builder().netns(Netns::pid(1)).open().unwrap_err();
        assert_eq!((error.kind(), error.is_permission_denied()), (ErrorKind::Namespace, true), "{error}");
        assert_eq!(
            error.to_string(),
            "open handle: network namespace /proc/1/ns/net: permission denied; entering takes CAP_SYS_ADMIN"
        );
        assert_eq!(current(), before);
        return;
    }
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    fresh(|| again("privilege::ordinary_user_cannot_enter_the_namespace_of_another", &nobody));
}

fn expect_refusals() {
    // To ask for the number of the family is everybody's right.
    let handle = Handle::new().unwrap();
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
    refused("get destinations of existing", handle.get_destinations_of_existing(&id));
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
    refused("zero", handle.zero(None));
    refused("zero one", handle.zero(Some(&id)));
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

fn refused<T: Debug>(label: &str, result: Result<T, Error>) {
    let error = result.expect_err(label);
    assert_eq!((error.is_permission_denied(), error.errno()), (true, Some(Errno::EPERM)), "{label}: {error}");
}
