//! The features of a kernel, the privileges that its requests need, and the state that its clients share.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::thread;

use ipvs_rs::error::Errno;
use ipvs_rs::model::{Persistence, PersistenceEngine, SyncDaemon, Tunnel};
use ipvs_rs::testing::{Ability, FakeKernel, FakeSocket, Interface, Release};
use ipvs_rs::transport::{Limits, Transport};
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceEntry};

use crate::conformance::raw::{REQUEST, RawSocket};
use crate::world::World;

fn rr(id: &str) -> Service {
    Service::new(id.parse().unwrap(), Scheduler::Rr)
}

#[test]
fn kernel_and_socket_can_be_shared_and_sent() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<FakeKernel>();
    sent::<FakeSocket>();

    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    thread::scope(|scope| {
        for worker in 0..4 {
            let (kernel, handle) = (kernel.clone(), &handle);
            scope.spawn(move || {
                let own = kernel.handle().unwrap();
                for number in 1..=100 {
                    let through = if number % 2 == 0 { handle } else { &own };
                    through.new_service(&rr(&format!("FWM {}", worker * 100 + number))).unwrap();
                }
            });
        }
    });
    assert_eq!(handle.get_services().unwrap().len(), 400);
}

#[test]
fn schedulers_and_engines_come_and_go() {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    let hrw: Scheduler = "hrw".parse().unwrap();
    kernel.enable(Ability::Scheduler(hrw));
    handle.new_service(&Service::new("FWM 1".parse().unwrap(), hrw)).unwrap();
    kernel.disable(Ability::Scheduler(hrw));
    let again = Service::new("FWM 2".parse().unwrap(), hrw);
    assert!(handle.new_service(&again).unwrap_err().is_scheduler_unavailable());
    assert_eq!(handle.get_services().unwrap().len(), 1, "who has it keeps it");

    let sip = Persistence::for_secs(60).unwrap().engine(PersistenceEngine::Sip);
    kernel.disable(Ability::Engine(PersistenceEngine::Sip));
    let call = rr("UDP 192.0.2.10:5060").persistence(sip);
    assert!(handle.new_service(&call).unwrap_err().is_scheduler_unavailable());
    kernel.enable(Ability::Engine(PersistenceEngine::Sip));
    handle.new_service(&call).unwrap();
}

#[test]
fn every_release_has_the_schedulers_that_it_was_built_with() {
    for release in Release::ALL {
        let handle = FakeKernel::of(release).handle().unwrap();
        let lacks = |scheduler: &Scheduler| {
            let made = handle.new_service(&Service::new("FWM 7".parse().unwrap(), *scheduler));
            handle.flush().unwrap();
            made.is_err()
        };
        let lacking: Vec<_> = Scheduler::KNOWN.into_iter().filter(lacks).collect();
        assert_eq!(lacking, if release == Release::V6_1 { vec![Scheduler::Twos] } else { Vec::new() }, "{release}");
    }
}

#[test]
fn kernel_that_knows_no_tunnels_makes_plain_ones() {
    let kernel = FakeKernel::new();
    kernel.disable(Ability::Tunnels);
    let handle = kernel.handle().unwrap();
    let service = rr("TCP 192.0.2.10:80");
    handle.new_service(&service).unwrap();
    let gue = ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap());
    handle.new_destination(&service.id, &Destination::new("10.0.0.2:80".parse().unwrap(), gue)).unwrap();
    let read = handle.get_destinations(&service.id).unwrap();
    assert_eq!(read[0].destination.forward, ForwardMethod::Tunnel(Tunnel::ipip()));
}

#[test]
fn kernel_without_ipv6_refuses_the_family() {
    let kernel = FakeKernel::new();
    kernel.disable(Ability::Ipv6);
    let error = kernel.handle().unwrap().new_service(&rr("TCP [2001:db8::10]:80")).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EAFNOSUPPORT));
}

#[test]
fn kernel_without_ipvs_is_not_opened() {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    handle.new_service(&rr("FWM 7")).unwrap();
    kernel.disable(Ability::Ipvs);
    assert!(kernel.handle().unwrap_err().is_not_available());
    assert!(handle.get_services().unwrap_err().is_not_available());
    kernel.enable(Ability::Ipvs);
    assert_eq!(handle.get_services().unwrap(), [], "the table went with the module");
}

#[test]
fn family_has_another_number_after_each_load() {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    let family = || RawSocket::open(&World::over(kernel.clone())).family;
    assert_eq!(family(), 31);
    kernel.reload();
    assert_eq!(family(), 32);
    handle.new_service(&rr("FWM 7")).unwrap();
    assert!(handle.batch().new_service(&rr("FWM 8")).send().unwrap().is_ok());
    kernel.reload();
    assert!(handle.batch().new_service(&rr("FWM 8")).send().unwrap().is_ok());
    assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(rr("FWM 8"))]);
}

fn family(release: Release) -> u16 {
    match release {
        Release::V6_1 => 31,
        Release::V6_12 => 33,
        _ => 35,
    }
}

#[test]
fn namespaces_share_the_kernel_and_nothing_in_it() {
    let here = FakeKernel::new();
    let there = here.unshare();
    here.add_interface(Interface::new("eth1"));
    let (handle, other) = (here.handle().unwrap(), there.handle().unwrap());
    handle.new_service(&rr("FWM 7")).unwrap();
    handle.start_sync(&SyncDaemon::backup("eth1").unwrap()).unwrap();
    let error = other.start_sync(&SyncDaemon::backup("eth1").unwrap()).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENODEV));
    assert_eq!(other.get_services().unwrap(), []);
    assert_eq!(other.get_sync_daemons().unwrap(), []);
    other.flush().unwrap();
    assert_eq!(handle.get_services().unwrap().len(), 1);

    assert_eq!(here.clone().handle().unwrap().get_services().unwrap().len(), 1, "a clone is the same namespace");
    here.reload();
    assert_eq!(other.get_services().unwrap(), [], "the module is one for all");
}

#[test]
fn order_of_services_is_that_of_the_seed_and_marks_come_last_before_linux_7() {
    for release in Release::ALL {
        let kernel = FakeKernel::of(release);
        let handle = kernel.handle().unwrap();
        for number in 1..=20 {
            handle.new_service(&rr(&format!("FWM {number}"))).unwrap();
            handle.new_service(&rr(&format!("TCP 192.0.2.10:{number}"))).unwrap();
        }
        let order = || handle.get_services().unwrap().iter().map(ServiceEntry::id).collect::<Vec<_>>();
        let first = order();
        assert_eq!(order(), first, "{release}: nothing has changed");
        kernel.shuffle(1);
        let second = order();
        assert_ne!(first, second, "{release}");
        kernel.shuffle(0);
        assert_eq!(order(), first, "{release}");
        let marks_come_last = first.is_sorted_by_key(|id| id.mark().is_some());
        assert_eq!(marks_come_last, release < Release::V7, "{release}");
        let [first, second] = [first, second].map(BTreeSet::from_iter);
        assert_eq!(first, second, "{release}: none is lost");
    }
}

#[test]
fn services_of_others_shift_long_lists_before_linux_7() {
    for release in Release::ALL {
        let kernel = FakeKernel::of(release);
        let (ours, others) = (kernel.handle().unwrap(), kernel.unshare().handle().unwrap());
        for number in 1..=40 {
            ours.new_service(&rr(&format!("FWM {number}"))).unwrap();
            others.new_service(&rr(&format!("FWM {number}"))).unwrap();
        }
        // The first piece is made with the question, the second when the first is received.
        let mut line = RawSocket::with(Box::new(kernel.transport()), family(release));
        let request = line.request(4, REQUEST | 0x300, &[]);
        line.socket.send(&request).unwrap();
        others.flush().unwrap();
        let mut rows = 0;
        while let Some((answers, _)) = line.receive(4096) {
            rows += answers.len();
        }
        let is_whole = rows == 41;
        assert_eq!(is_whole, release == Release::V7, "{release}: {rows} rows with the end");
    }
}

#[test]
fn batch_that_is_stopped_has_done_what_was_sent() {
    let handle = FakeKernel::new().handle().unwrap();
    let batch = (1..=450).fold(handle.batch(), |batch, mark| batch.new_service(&rr(&format!("fwmark:{mark}"))));
    let mut told = Vec::new();
    let report = batch.send_with_progress(|progress| {
        told.push([progress.done, progress.failed, progress.total]);
        if progress.done < 400 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(told, [[200, 0, 450], [400, 0, 450]]);
    let unsent: Vec<usize> = report.unwrap().failures().map(|(place, _)| place).collect();
    assert_eq!(unsent, (400..450).collect::<Vec<_>>());
    assert_eq!(handle.get_services().unwrap().len(), 400);
}

#[test]
fn limits_are_those_of_the_buffers() {
    let kernel = FakeKernel::new();
    assert_eq!(kernel.transport().limits(), Limits::default());
    let socket = kernel.transport().send_buffer(1000).receive_buffer(10_640);
    assert_eq!(socket.limits(), Limits { datagram: 968, answers: 10 });
    let handle = Handle::builder().open_over(socket).unwrap();
    let batch = (1..=100).fold(handle.batch(), |batch, mark| batch.new_service(&rr(&format!("FWM {mark}"))));
    assert!(batch.send().unwrap().is_ok());
    assert_eq!(handle.get_services().unwrap().len(), 100);
}

#[test]
fn interface_decides_about_broadcast_and_link_local_addresses() {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    for id in ["TCP 192.0.2.10:80", "TCP [2001:db8::10]:80"] {
        handle.new_service(&rr(id)).unwrap();
    }
    let accepts = |server: &str| {
        let service = if server.starts_with('[') { "TCP [2001:db8::10]:80" } else { "TCP 192.0.2.10:80" };
        let server = Destination::new(server.parse().unwrap(), ForwardMethod::DirectRoute);
        handle.new_destination(&service.parse().unwrap(), &server).is_ok()
    };
    let servers = ["10.1.0.255:80", "10.2.0.1:80", "10.3.0.7:80", "[fe80::7]:80"];
    kernel.add_interface(
        Interface::new("eth1")
            .address("10.1.0.1".parse().unwrap(), 24)
            .address("10.2.0.0".parse().unwrap(), 31)
            .address("10.3.0.7".parse().unwrap(), 32)
            .address("fe80::7".parse().unwrap(), 64),
    );
    assert_eq!(servers.map(accepts), [false, true, true, true]);
    handle.flush().unwrap();
    for id in ["TCP 192.0.2.11:80", "TCP [2001:db8::11]:80"] {
        handle.new_service(&rr(id)).unwrap();
    }
    kernel.remove_interface("eth1");
    let link_local = Destination::new("[fe80::7]:80".parse().unwrap(), ForwardMethod::DirectRoute);
    let error = handle.new_destination(&"TCP [2001:db8::11]:80".parse().unwrap(), &link_local).unwrap_err();
    assert!(error.is_invalid());
}
