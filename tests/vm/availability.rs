//! A kernel without IPVS. These run by themselves, in a guest that cannot load the module.

use std::time::{Duration, Instant};

use ipvs_rs::Handle;
use ipvs_rs::error::{ErrorKind, Operation};
use ipvs_rs::transport::Netns;

#[test]
#[ignore = "needs a kernel without ip_vs: cargo xtask vm --without-ipvs"]
fn handle_cannot_be_opened_and_says_what_to_do() {
    let error = Handle::new().unwrap_err();
    assert!(error.is_not_available());
    assert_eq!((error.kind(), error.operation()), (ErrorKind::NotAvailable, Operation::Open));
    assert_eq!(
        error.to_string(),
        "open handle: this kernel has no IPVS; load the module with `modprobe ip_vs`, or install the kernel's modules; \
         a container needs it loaded on the host"
    );
}

#[test]
#[ignore = "needs a kernel without ip_vs: cargo xtask vm --without-ipvs"]
fn refusal_comes_within_the_deadline_also_from_another_namespace() {
    let deadline = Duration::from_secs(5);
    let start = Instant::now();
    let builder = Handle::builder().netns(Netns::pid(std::process::id())).deadline(deadline);
    assert!(builder.open().unwrap_err().is_not_available());
    // Looking for the module takes as long as it takes; an answer that never came would take the whole deadline.
    assert!(start.elapsed() < deadline);
}

#[test]
#[ignore = "needs a kernel without ip_vs: cargo xtask vm --without-ipvs"]
fn wrong_namespace_is_reported_as_such() {
    let builder = Handle::builder().netns(Netns::path("/run/netns/no-such-namespace"));
    assert_eq!(builder.open().unwrap_err().kind(), ErrorKind::Namespace);
}
