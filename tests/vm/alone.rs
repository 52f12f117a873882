//! What concerns the whole machine: the module goes and comes back. These run one after the other, by themselves, and
//! only in the virtual machine.

use std::process::Command;
use std::time::{Duration, Instant};

use ipvs_rs::{Handle, Scheduler, Service, ServiceId};

use crate::kernel;
use crate::namespaces::{fresh, program};

fn web() -> Service {
    let id: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
    Service::new(id, Scheduler::Rr)
}

/// Unloads IPVS. Namespaces that have just gone may hold on to it for a moment.
fn unload() {
    assert!(kernel::is_ours(), "this unloads a module, which is for the virtual machine only");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let modules = std::fs::read_to_string("/proc/modules").unwrap();
        let loaded: Vec<&str> = modules
            .lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|name| name.starts_with("ip_vs"))
            .collect();
        if loaded.is_empty() {
            return;
        }
        for name in loaded {
            let _ = Command::new("rmmod").arg(name).output();
        }
        assert!(Instant::now() < deadline, "{modules}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn opening_a_handle_loads_the_module() {
    unload();
    fresh(|| {
        Handle::new().unwrap().get_info().unwrap();
        assert!(std::fs::read_to_string("/proc/modules").unwrap().contains("ip_vs "));
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_works_on_after_the_module_came_back() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        handle.new_service(&web()).unwrap();
        handle.flush().unwrap();
        unload();
        program("modprobe", "ip_vs");
        // The family has another number now. What was made is gone, and nothing pretends otherwise.
        assert_eq!(handle.get_services().unwrap(), []);
        handle.new_service(&web()).unwrap();
        assert_eq!(handle.get_services().unwrap().len(), 1);
        handle.flush().unwrap();
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_brings_the_module_back_when_it_is_needed() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        unload();
        // The look-up that follows "no such family" makes the kernel load it.
        handle.new_service(&web()).unwrap();
        assert_eq!(handle.get_service(&web().id).unwrap().unwrap().service, web());
        handle.flush().unwrap();
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn batch_works_on_after_the_module_came_back() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        unload();
        let other = Service::new("UDP 192.0.2.10:53".parse().unwrap(), Scheduler::Rr);
        let report = handle.batch().new_service(&web()).new_service(&other).send().unwrap();
        assert!(report.is_ok(), "{report:?}");
        assert_eq!(handle.get_services().unwrap().len(), 2);
        handle.flush().unwrap();
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn module_that_cannot_come_back_is_an_error_and_never_a_success() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        unload();
        // A kernel that cannot call modprobe cannot load anything.
        let path = "/proc/sys/kernel/modprobe";
        let modprobe = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, "/nonexistent").unwrap();
        let errors = [
            handle.flush().unwrap_err(),
            handle.new_service(&web()).unwrap_err(),
            handle.get_services().unwrap_err(),
            handle.get_service(&web().id).unwrap_err(),
            handle.stop_sync(ipvs_rs::model::SyncRole::Master).unwrap_err(),
            handle.batch().new_service(&web()).send().unwrap().into_result().unwrap_err(),
        ];
        std::fs::write(path, modprobe.trim()).unwrap();
        for error in errors {
            assert!(error.is_not_available(), "{error}");
        }
        handle.get_info().unwrap();
    });
}
