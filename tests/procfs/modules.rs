//! Which parts of IPVS are there.

use ipvs_rs::Scheduler;
use ipvs_rs::model::PersistenceEngine;
use ipvs_rs::procfs::Modules;

use crate::golden::{KERNELS, text};

#[test]
fn modules_of_every_kernel_are_read() {
    for kernel in KERNELS {
        let modules = Modules::from_reader(text(kernel, "modules").as_bytes()).unwrap();
        assert!(modules.has_ipvs, "{kernel}");
        // ip_vs_ftp is there as well, and is no scheduler.
        assert_eq!(modules.schedulers, [Scheduler::Rr, Scheduler::Lblc, Scheduler::Lblcr], "{kernel}");
        assert_eq!(modules.engines, [PersistenceEngine::Sip], "{kernel}");
        assert!(!modules.knows_builtin, "{kernel}");
    }
}

#[test]
fn module_that_comes_or_goes_does_not_count() {
    for state in ["Loading", "Unloading", ""] {
        let line = format!("ip_vs_wlc 16384 0 - {state} 0x0000000000000000\n");
        let modules = Modules::from_reader(line.as_bytes()).unwrap();
        assert_eq!(modules.schedulers, [], "{state}");
    }
}

#[test]
fn unknown_scheduler_is_found_by_its_name() {
    let lines = "ip_vs_hrw 1 0 - Live 0x0\nip_vs_pe_new 1 0 - Live 0x0\nip_vs_ 1 0 - Live 0x0\nip_vsx 1 0 - Live 0x0\n";
    let modules = Modules::from_reader(lines.as_bytes()).unwrap();
    assert_eq!(modules.schedulers, [Scheduler::from_name("hrw").unwrap()]);
    assert_eq!(modules.engines, [PersistenceEngine::from_name("new").unwrap()]);
    assert!(!modules.has_ipvs);
}

#[test]
fn built_in_modules_are_added() {
    let builtin = "kernel/net/core/failover.ko\nkernel/net/netfilter/ipvs/ip_vs.ko\n\
                   kernel/net/netfilter/ipvs/ip_vs_wlc.ko\nkernel/net/netfilter/ipvs/ip_vs_rr.ko\n";
    let loaded = "ip_vs_rr 1 0 - Live 0x0\n";
    let modules = Modules::from_reader(loaded.as_bytes()).unwrap().with_builtin(builtin.as_bytes()).unwrap();
    assert!(modules.has_ipvs && modules.knows_builtin);
    assert_eq!(modules.schedulers, [Scheduler::Rr, Scheduler::Wlc]);
}

#[test]
fn line_beyond_reason_is_an_error() {
    let long = "x".repeat(65_537);
    let error = Modules::from_reader(format!("a\n{long}\n").as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "get modules: modules: line 2: it is longer than 65536 bytes");
    let longest = "x".repeat(65_536);
    assert!(Modules::from_reader(format!("a\n{longest}\n").as_bytes()).is_ok());
}
