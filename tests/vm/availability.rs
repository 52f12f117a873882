//! A kernel without IPVS.
//!
//! Where it has IPVS, that is unloaded first, as in [`crate::alone`]; the runner has a machine without as well.

use ipvs_rs::Handle;
use ipvs_rs::error::{Call, ErrorKind, Target};
use ipvs_rs::transport::Netns;

use crate::kernel::{unload, without_loading};
use crate::namespaces::{Namespace, current, exclusive};

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_to_a_kernel_without_ipvs_is_not_opened_and_says_what_to_do() {
    exclusive(|| {
        unload();
        without_loading(|| {
            let before = current();
            let other = Namespace::new();
            let elsewhere = format!(" in network namespace {}", other.path().display());
            for (netns, place) in [(Netns::current(), ""), (Netns::path(other.path()), &elsewhere)] {
                let error = Handle::builder().netns(netns).open().unwrap_err();
                assert_eq!((error.kind(), error.is_not_available()), (ErrorKind::NotAvailable, true));
                assert_eq!((error.call(), error.target()), (Call::Open, &Target::Table));
                assert_eq!((error.errno(), error.is_not_found(), error.is_retryable()), (None, false, false));
                assert_eq!(
                    error.to_string(),
                    format!(
                        "open handle{place}: this kernel has no IPVS; load the module with `modprobe ip_vs`, or \
                         install the kernel's modules; a container needs it loaded on the host"
                    )
                );
            }
            assert_eq!(current(), before);
        });
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn wrong_namespace_is_reported_as_such_without_ipvs_too() {
    exclusive(|| {
        unload();
        without_loading(|| {
            let error = Handle::builder().netns(Netns::path("/run/netns/no-such-namespace")).open().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Namespace, "{error}");
        });
    });
}
