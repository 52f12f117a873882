//! Callers without privilege.

use std::io;

use ipvs_rs::Handle;
use ipvs_rs::error::ErrorKind;
use ipvs_rs::transport::{KernelSocket, Netns, SocketOptions, Transport};
use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};

use crate::conformance::privilege;
use crate::namespaces::{current, fresh};
use crate::process::{again, is_again};
use crate::world::RealKernel;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn ordinary_user_is_refused_by_every_call() {
    if is_again() {
        return expect_refusals();
    }
    let unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    fresh(|| again("privilege::ordinary_user_is_refused_by_every_call", &unprivileged));
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
    let unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    fresh(|| again("privilege::ordinary_user_cannot_enter_the_namespace_of_another", &unprivileged));
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn only_the_kernel_can_send_to_the_socket_of_a_handle() {
    fresh(|| {
        let stranger = Socket::new(NETLINK_GENERIC).unwrap();
        let send = |port| stranger.send_to(&[0; 20], &SocketAddr::new(port, 0), 0);
        let mut buffer = [0; 64];

        let mut ours = KernelSocket::open(SocketOptions::default()).unwrap();
        assert_eq!(send(ours.port()).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(ours.try_receive(&mut buffer).unwrap(), None);

        // A socket that is not connected takes it.
        let mut open_to_all = Socket::new(NETLINK_GENERIC).unwrap();
        let port = open_to_all.bind_auto().unwrap().port_number();
        assert_eq!(send(port).unwrap(), 20);
        assert_eq!(open_to_all.recv(&mut &mut buffer[..], 0).unwrap(), 20);
    });
}

fn expect_refusals() {
    privilege::every_call_is_refused_and_says_what_it_takes(&RealKernel);
    privilege::command_that_cannot_be_done_is_refused_for_that_or_for_privilege(&RealKernel);
}
