//! Many threads, one handle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ipvs_rs::codec::Request;
use ipvs_rs::error::Errno;
use ipvs_rs::{Scheduler, Service, ServiceId};

use crate::client::Handle;
use crate::message::{self, Message};
use crate::rule;
use crate::value::*;

/// Answers a read with what was asked for, a deletion with its absence, and everything else with success.
fn mirror(request: &Request) -> Message {
    thread::yield_now();
    match request {
        Request::GetService(id) => message::data(&service_reply(&Service::new(*id, Scheduler::Rr))),
        Request::DeleteService(_) => message::refusal(Errno::ESRCH),
        _ => message::ack(),
    }
}

#[test]
fn threads_that_share_a_handle_get_their_own_answers() {
    const THREADS: u32 = 8;
    const CALLS: u32 = 50;
    let handle = rule::open(mirror);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let handle = &handle;
            scope.spawn(move || {
                for call in 1..=CALLS {
                    let mark = number * CALLS + call;
                    let id = ServiceId::fwmark(mark, ipvs_rs::model::AddressFamily::Ipv6).unwrap();
                    assert_eq!(handle.get_service(&id).unwrap().unwrap().id(), id);
                    assert!(handle.delete_service(&id).unwrap_err().is_not_found());
                    handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
                }
            });
        }
    });
}

/// The lock is held meanwhile.
#[test]
fn handle_goes_on_after_a_panic_within_an_exchange() {
    let is_first = AtomicBool::new(true);
    let handle = rule::open(move |request| {
        assert!(!is_first.swap(false, Ordering::Relaxed), "on purpose");
        mirror(request)
    });
    let panicked = thread::scope(|scope| scope.spawn(|| handle.flush()).join().is_err());
    assert!(panicked);
    handle.flush().unwrap();
    assert!(handle.get_service(&web()).unwrap().is_some());
    assert!(format!("{handle:?}").contains("Handle { deadline: 5s, readers: 0, .. }"));
}

#[test]
fn handle_and_its_parts_cross_threads() {
    fn sent_and_shared<T: Send + Sync + 'static>() {}
    sent_and_shared::<Handle>();
    sent_and_shared::<ipvs_rs::Error>();
    sent_and_shared::<ipvs_rs::handle::HandleBuilder>();
    sent_and_shared::<ipvs_rs::handle::BatchReport>();
    sent_and_shared::<ipvs_rs::handle::Batch<'static>>();
    sent_and_shared::<ipvs_rs::engine::Exchange>();
    sent_and_shared::<ipvs_rs::engine::Bulk>();
    sent_and_shared::<ipvs_rs::engine::ExchangeFailure>();
    sent_and_shared::<Request>();
    sent_and_shared::<ipvs_rs::codec::Reply>();
    sent_and_shared::<ipvs_rs::codec::DecodeError>();
}
