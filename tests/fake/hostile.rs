//! Malformed requests: whatever comes, the kernel goes on.

use ipvs_rs::codec::{Request, put_request};
use ipvs_rs::testing::{FakeKernel, FakeSocket, Recorder, Release, Transcript};
use ipvs_rs::transport::Transport;
use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};
use proptest::collection::vec;
use proptest::prelude::*;

/// Sends a datagram and takes every answer.
fn drain(socket: &mut impl Transport, datagram: &[u8]) {
    let _ = socket.send(datagram);
    let mut buffer = [0; 4096];
    while !matches!(socket.try_receive(&mut buffer), Ok(None)) {}
}

/// Every command, well-formed, in one datagram.
fn commands() -> Vec<u8> {
    let service = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Wlc);
    let destination = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    let (id, server) = (service.id, destination.id);
    let requests = [
        Request::NewService(service.clone()),
        Request::NewDestination(id, destination.clone()),
        Request::SetService(service),
        Request::SetDestination(id, destination),
        Request::GetService(id),
        Request::GetServices,
        Request::GetDestinations(id),
        Request::GetDaemons,
        Request::GetConfig,
        Request::GetInfo,
        Request::Zero(None),
        Request::Zero(Some(id)),
        Request::DeleteDestination(id, server),
        Request::DeleteService(id),
        Request::Flush,
    ];
    let mut datagram = Vec::new();
    for (sequence, request) in (1..).zip(requests) {
        let flags = if request.is_dump() { 0x301 } else { 0x5 };
        put_request(&mut datagram, 31, flags, sequence, &request);
    }
    datagram
}

fn is_alive(kernel: &FakeKernel) -> bool {
    let handle = kernel.handle().unwrap();
    handle.ensure_service(&Service::new("FWM 7".parse().unwrap(), Scheduler::Rr)).unwrap();
    handle.snapshot().is_ok()
}

fn socket(kernel: &FakeKernel) -> FakeSocket {
    kernel.transport().whole_errors()
}

proptest! {
    #[test]
    fn any_bytes_are_answered_or_ignored(datagram in vec(any::<u8>(), 0..200)) {
        let kernel = FakeKernel::of(Release::V6_1);
        drain(&mut socket(&kernel), &datagram);
        prop_assert!(is_alive(&kernel));
    }

    #[test]
    fn commands_with_some_bytes_changed_are_answered_or_ignored(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut datagram = commands();
        for (place, byte) in changes {
            let place = place.index(datagram.len());
            datagram[place] = byte;
        }
        let kernel = FakeKernel::of(Release::V6_1);
        let (mut recorder, recording) = Recorder::new(socket(&kernel));
        drain(&mut recorder, &datagram);
        prop_assert!(is_alive(&kernel));
        let transcript = recording.transcript();
        prop_assert_eq!(transcript.to_string().parse::<Transcript>().unwrap(), transcript);
    }

    #[test]
    fn attributes_of_any_content_are_answered(command in 0_u8..20, dump in any::<bool>(), attributes in vec(any::<u8>(), 0..120)) {
        let mut datagram = u32::try_from(20 + attributes.len()).unwrap().to_ne_bytes().to_vec();
        datagram.extend(31_u16.to_ne_bytes());
        datagram.extend(if dump { 0x301_u16 } else { 0x5 }.to_ne_bytes());
        datagram.extend([0; 8]);
        datagram.extend([command, 1, 0, 0]);
        datagram.extend(attributes);
        let kernel = FakeKernel::of(Release::V6_1);
        let mut socket = socket(&kernel);
        socket.send(&datagram).unwrap();
        prop_assert!(socket.try_receive(&mut [0; 4096]).unwrap().is_some(), "something is always said");
        prop_assert!(is_alive(&kernel));
    }
}
