//! IPVS that comes and goes under an open handle.
//!
//! These tests unload modules and keep the kernel from loading them: they touch what all namespaces share, and run in
//! the virtual machine only.

use ipvs_rs::error::ErrorKind;
use ipvs_rs::model::SyncRole;
use ipvs_rs::procfs::{Procfs, Sysctl};
use ipvs_rs::{Destination, Error, ForwardMethod, Handle, Scheduler, Service, ServiceEntry, ServiceId};

use crate::kernel::{is_loaded, unload, without_loading};
use crate::namespaces::exclusive;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn opening_a_handle_loads_ipvs() {
    exclusive(|| {
        unload();
        assert!(!is_loaded());
        let handle = Handle::new().unwrap();
        assert!(is_loaded());
        assert_eq!(handle.get_services().unwrap(), []);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_goes_on_after_ipvs_was_unloaded_and_loaded_again() {
    let service = Service::new(id(), Scheduler::Rr);
    let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    // Each as the first call after the change, when the handle still has the old number of the family.
    let checks: [(&str, Check); 7] = [
        ("list", |handle, _, _| assert_eq!(handle.get_services().unwrap(), [])),
        ("get", |handle, service, _| assert_eq!(handle.get_service(&service.id).unwrap(), None)),
        ("info", |handle, _, _| assert_eq!(handle.get_info().unwrap().version.major, 1)),
        ("command", |handle, service, _| {
            handle.new_service(service).unwrap();
            assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(service.clone())]);
        }),
        ("refusal", |handle, service, server| {
            // The unknown number and a missing destination have the same errno; a missing service has another.
            let error = handle.delete_destination(&service.id, &server.id).unwrap_err();
            assert_eq!(
                error.to_string(),
                "delete destination 10.0.0.2:80 for TCP 192.0.2.10:80: no such service (ESRCH)"
            );
        }),
        ("batch", |handle, service, server| {
            let report = handle.batch().new_service(service).new_destination(&service.id, server).send().unwrap();
            assert!(report.is_ok(), "{report:?}");
            assert_eq!(handle.snapshot().unwrap().destination_count(), 1);
        }),
        ("stop", |handle, _, _| {
            let error = handle.stop_sync(SyncRole::Master).unwrap_err();
            assert_eq!(error.to_string(), "stop sync master: not running (ESRCH)");
        }),
    ];
    exclusive(|| {
        for (label, check) in checks {
            let handle = Handle::new().unwrap();
            handle.new_service(&service).unwrap();
            handle.flush().unwrap();
            unload();
            println!("{label}");
            check(&handle, &service, &server);
            assert!(is_loaded(), "{label}: asking for the number has loaded it");
            handle.flush().unwrap();
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_without_ipvs_says_so_and_never_succeeds() {
    let service = Service::new(id(), Scheduler::Rr);
    let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    exclusive(|| {
        let handle = Handle::new().unwrap();
        unload();
        without_loading(|| {
            for _ in 0..2 {
                gone(handle.new_service(&service));
                gone(handle.update_service(&service));
                gone(handle.delete_service(&service.id));
                gone(handle.get_service(&service.id));
                gone(handle.get_services());
                gone(handle.new_destination(&service.id, &server));
                gone(handle.update_destination(&service.id, &server));
                gone(handle.delete_destination(&service.id, &server.id));
                gone(handle.remove_destination(&service.id, &server.id));
                gone(handle.get_destinations(&service.id));
                gone(handle.stop_sync(SyncRole::Backup));
                gone(handle.get_sync_daemons());
                gone(handle.get_config());
                gone(handle.get_info());
                gone(handle.zero_all());
                gone(handle.flush());
                let report = handle.batch().new_service(&service).flush().zero_all().send().unwrap();
                let kinds = report.failures().map(|(_, error)| error.kind()).collect::<Vec<_>>();
                assert_eq!(kinds, [ErrorKind::NotAvailable; 3]);
            }
        });
        handle.new_service(&service).unwrap();
        assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(service)], "and comes back with it");
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn files_of_ipvs_come_and_go_with_it() {
    exclusive(|| {
        unload();
        let here = Procfs::current();
        let errors = [
            ("get connections: /proc/thread-self/net/ip_vs_conn", here.connections().unwrap_err()),
            ("get connections: /proc/thread-self/net/ip_vs_conn_sync", here.connections_with_origin().unwrap_err()),
            ("get stats: /proc/thread-self/net/ip_vs_stats", here.get_stats().unwrap_err()),
            ("get stats of processors: /proc/thread-self/net/ip_vs_stats_percpu", here.get_cpu_stats().unwrap_err()),
            ("get sysctl conntrack: /proc/sys/net/ipv4/vs/conntrack", here.get_sysctl(Sysctl::Conntrack).unwrap_err()),
            ("get sysctl am_droprate: /proc/sys/net/ipv4/vs/am_droprate", here.get_sysctls().unwrap_err()),
            (
                "set sysctl conntrack to 1: /proc/sys/net/ipv4/vs/conntrack",
                here.set_sysctl(Sysctl::Conntrack, true).unwrap_err(),
            ),
        ];
        for (place, error) in errors {
            assert!(error.is_not_available() && !error.is_unsupported() && !error.is_permission_denied());
            let expected = format!(
                "{place}: the file does not exist, so IPVS is not loaded; load the module with `modprobe ip_vs`, or \
                 open a handle, which makes the kernel load it; /proc must be mounted"
            );
            assert_eq!(error.to_string(), expected);
        }
        let modules = Procfs::get_modules().unwrap();
        assert!(!modules.has_ipvs);
        assert_eq!((modules.schedulers, modules.engines), (vec![], vec![]));
        assert!(!is_loaded(), "looking loads nothing");

        let handle = Handle::new().unwrap();
        handle.new_service(&Service::new(id(), Scheduler::Rr)).unwrap();
        assert_eq!(here.connections().unwrap().count(), 0);
        assert_eq!(here.get_sysctl(Sysctl::Conntrack).unwrap(), false.into());
        let modules = Procfs::get_modules().unwrap();
        assert!(modules.has_ipvs && modules.knows_builtin);
        assert_eq!(modules.schedulers, [Scheduler::Rr]);
        handle.flush().unwrap();
    });
}

type Check = fn(&Handle, &Service, &Destination);

fn gone<T: std::fmt::Debug>(result: Result<T, Error>) {
    let error = result.unwrap_err();
    assert!(error.is_not_available(), "{error:?}");
}

fn id() -> ServiceId {
    "TCP 192.0.2.10:80".parse().unwrap()
}
