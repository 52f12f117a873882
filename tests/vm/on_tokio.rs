//! Tests of the async handle that need a socket.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ipvs_rs::error::ErrorKind;
use ipvs_rs::transport::{Arrival, AsyncTransport, KernelSocket, Limits, Netns, Received, SocketOptions, Transport};
use ipvs_rs::{AsyncHandle, Scheduler, Service, ServiceId};
use nix::sys::socket::{MsgFlags, send};
use tokio::runtime::Builder;

use crate::namespaces::{Namespace, alone, fresh};
use crate::netlink;
use crate::process::{again, is_again};
use crate::syscalls::{between_marks, mark};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn numbered(number: u32) -> Service {
    Service::new(format!("fwmark:{number}").parse().unwrap(), Scheduler::Rr)
}

async fn with_services(count: u32) -> AsyncHandle {
    let handle = AsyncHandle::new().await.unwrap();
    let batch = (1..=count).fold(handle.batch(), |batch, number| batch.new_service(&numbered(number)));
    assert!(batch.send().await.unwrap().is_ok());
    handle
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_dropped_at_any_point_leaves_the_handle_usable() {
    alone(|| {
        block_on(async {
            let handle = with_services(1000).await;
            let mut dropped = 0_usize;
            loop {
                let is_complete = {
                    let mut list = pin!(handle.get_services());
                    let mut polls = 0;
                    poll_fn(|context| {
                        polls += 1;
                        match list.as_mut().poll(context) {
                            Poll::Ready(services) => Poll::Ready(Some(services.unwrap().len())),
                            Poll::Pending if polls > dropped => Poll::Ready(None),
                            Poll::Pending => Poll::Pending,
                        }
                    })
                    .await
                };
                // Each in its turn is the first to meet with what was left behind.
                match dropped % 3 {
                    0 => assert_eq!(handle.get_services().await.unwrap().len(), 1000),
                    1 => handle.update_service(&numbered(1)).await.unwrap(),
                    _ => assert!(handle.batch().update_service(&numbered(1)).zero_all().send().await.unwrap().is_ok()),
                }
                if let Some(count) = is_complete {
                    assert_eq!(count, 1000);
                    break;
                }
                dropped += 1;
            }
            // A datagram of 32 KiB holds about a hundred of them, and after the second others get their turn.
            assert!(dropped >= 8, "dropped {dropped} times");
        });
    });
}

/// The kernel's socket, of which the kernel hears nothing.
#[derive(Debug)]
struct SilentSocket(KernelSocket, bool);

impl Transport for SilentSocket {
    fn port(&self) -> u32 {
        self.0.port()
    }

    fn limits(&self) -> Limits {
        self.0.limits()
    }

    /// Only the family is looked up.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        if std::mem::replace(&mut self.1, true) { Ok(()) } else { self.0.send(datagram) }
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.0.try_receive(buffer)
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        panic!("an async handle never blocks")
    }
}

impl AsyncTransport for SilentSocket {
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        self.0.arrival(timeout)
    }
}

async fn open_mute(deadline: Duration) -> AsyncHandle {
    let socket = SilentSocket(KernelSocket::open(SocketOptions::default()).unwrap(), false);
    AsyncHandle::builder().deadline(deadline).open_over(socket).await.unwrap()
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn others_go_on_while_an_answer_is_waited_for() {
    fresh(|| {
        block_on(async {
            let mute = open_mute(Duration::from_secs(3600)).await;
            let other = AsyncHandle::new().await.unwrap();
            let mut waiting = pin!(mute.get_info());
            for _ in 0..100 {
                let is_pending = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await;
                assert!(is_pending);
                other.get_info().await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn answer_that_does_not_come_is_waited_for_until_the_deadline() {
    fresh(|| {
        block_on(async {
            let mute = open_mute(Duration::from_millis(20)).await;
            for _ in 0..3 {
                let error = mute.get_info().await.unwrap_err();
                assert!(error.is_timeout(), "{error}");
            }
        });
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn socket_wakes_the_task_that_waits_for_it() {
    fresh(|| {
        block_on(async {
            let mut ours = KernelSocket::open(SocketOptions::default()).unwrap();
            assert!(!ours.arrival(Duration::from_millis(1)).await.unwrap(), "nothing to come");

            let mut buffer = [0; 4096];
            // The controller's list of families, which has an answer on every kernel.
            let request = netlink::message(16, 0x301, 1, &[3, 2, 0, 0]);

            ours.send(&request).unwrap();
            assert!(ours.arrival(Duration::from_secs(60)).await.unwrap(), "it has come already");
            while ours.try_receive(&mut buffer).unwrap().is_some() {}

            // The wait begins before there is anything, in the same thread.
            let beside = ours.as_fd().try_clone_to_owned().unwrap();
            let (arrived, ()) = tokio::join!(ours.arrival(Duration::from_secs(60)), async {
                tokio::task::yield_now().await;
                send(beside.as_raw_fd(), &request, MsgFlags::empty()).unwrap();
            });
            assert!(arrived.unwrap());
            assert_eq!(ours.try_receive(&mut buffer).unwrap().unwrap().sender, 0);
        });
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_stays_in_the_namespace_that_it_was_opened_for() {
    fresh(|| {
        let other = Namespace::new();
        let netns = other.run(|| Netns::fd(std::fs::File::open("/proc/thread-self/ns/net").unwrap()).unwrap());
        block_on(async {
            let there = AsyncHandle::builder().netns(netns).open().await.unwrap();
            let here = AsyncHandle::new().await.unwrap();
            there.new_service(&numbered(7)).await.unwrap();
            assert_eq!(here.get_services().await.unwrap(), []);
            assert_eq!(there.get_services().await.unwrap().len(), 1);
            let missing = AsyncHandle::builder().netns(Netns::path("/run/netns/no-such-namespace"));
            assert_eq!(missing.open().await.unwrap_err().kind(), ErrorKind::Namespace);
        });
        let seen: Vec<ServiceId> = other.run(|| {
            ipvs_rs::Handle::new().unwrap().get_services().unwrap().iter().map(ipvs_rs::ServiceEntry::id).collect()
        });
        assert_eq!(seen, [numbered(7).id]);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_is_not_opened_outside_of_a_runtime() {
    fresh(|| {
        let mut open = pin!(AsyncHandle::new());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let Poll::Ready(Err(error)) = open.as_mut().poll(&mut context) else { panic!("opened") };
        assert_eq!(error.kind(), ErrorKind::Io);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_goes_from_one_runtime_to_the_next() {
    fresh(|| {
        let handle = block_on(with_services(3));
        block_on(async { assert_eq!(handle.get_services().await.unwrap().len(), 3) });
        block_on(handle.flush()).unwrap();
        assert_eq!(block_on(handle.get_services()).unwrap(), []);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn command_is_sent_and_its_answer_received_and_nothing_else() {
    const NAME: &str = "on_tokio::command_is_sent_and_its_answer_received_and_nothing_else";
    if is_again() {
        return block_on(act());
    }
    let log = std::env::temp_dir().join(format!("ipvs-rs-strace-tokio-{}", std::process::id()));
    let under = ["strace", "-f", "-o", log.to_str().unwrap()];
    fresh(|| again(NAME, &under));
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    let calls = between_marks(&text);
    assert_eq!(calls[0], ["sendto", "recvfrom"].repeat(100), "updates");
    assert_eq!(calls[1], ["sendto", "recvfrom", "recvfrom"].repeat(10), "lists");
}

/// Each thing between two marks, and so few that the task need not give way.
async fn act() {
    let handle = with_services(1).await;
    handle.get_services().await.unwrap();
    tokio::task::yield_now().await;
    mark();
    for _ in 0..100 {
        handle.update_service(&numbered(1)).await.unwrap();
    }
    mark();
    for _ in 0..10 {
        assert_eq!(handle.get_services().await.unwrap().len(), 1);
    }
    mark();
}
