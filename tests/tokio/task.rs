//! Many tasks, one handle; and what a runtime must be able to rely on.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ipvs_rs::testing::FakeKernel;
use ipvs_rs::transport::{Arrival, AsyncTransport, Received, Transport};
use ipvs_rs::{AsyncHandle, Destination, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::cancellation::poll;

fn mark(number: u32) -> ServiceId {
    format!("fwmark:{number}").parse().unwrap()
}

async fn open(kernel: &FakeKernel) -> AsyncHandle {
    AsyncHandle::builder().open_over(kernel.transport()).await.unwrap()
}

/// A handle to a table with one service, which has so many destinations.
async fn with_servers(count: u32) -> AsyncHandle {
    let handle = open(&FakeKernel::new()).await;
    let batch = handle.batch().new_service(&Service::new(mark(1), Scheduler::Rr));
    let batch = (1..=count).fold(batch, |batch, number| {
        let [_, b, c, d] = number.to_be_bytes();
        let id = format!("10.{b}.{c}.{d}:80").parse().unwrap();
        batch.new_destination(&mark(1), &Destination::new(id, ForwardMethod::DirectRoute))
    });
    assert!(batch.send().await.unwrap().is_ok());
    handle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_that_share_a_handle_make_the_right_table_and_get_their_own_answers() {
    const TASKS: u32 = 16;
    const EACH: u32 = 50;
    let handle = Arc::new(open(&FakeKernel::new()).await);
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let handle = handle.clone();
        tasks.spawn(async move {
            for number in 0..EACH {
                let id = mark(1 + task * EACH + number);
                let server = Destination::new("10.0.0.1:80".parse().unwrap(), ForwardMethod::Masquerade);
                let server = server.weight(task * EACH + number).unwrap();
                let batch = handle.batch().new_service(&Service::new(id, Scheduler::Rr)).new_destination(&id, &server);
                assert!(batch.send().await.unwrap().is_ok());
                assert_eq!(handle.get_service(&id).await.unwrap().unwrap().id(), id);
                assert_eq!(handle.get_destinations(&id).await.unwrap()[0].destination, server);
                assert!(handle.new_service(&Service::new(id, Scheduler::Rr)).await.unwrap_err().is_already_exists());
                assert!(handle.snapshot().await.unwrap().get(&id).is_some());
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let found: BTreeSet<ServiceId> = handle.get_services().await.unwrap().iter().map(ServiceEntry::id).collect();
    assert_eq!(found, (1..=TASKS * EACH).map(mark).collect());
}

#[tokio::test]
async fn tasks_are_served_in_the_order_in_which_they_came() {
    let handle = with_servers(1000).await;
    let order = RefCell::new(Vec::new());
    let mut lists: Vec<_> = (0..4)
        .map(|number| {
            let (handle, order) = (&handle, &order);
            Box::pin(async move {
                assert_eq!(handle.get_destinations(&mark(1)).await.unwrap().len(), 1000);
                order.borrow_mut().push(number);
            })
        })
        .collect();
    // The first waits within its exchange, the others for it.
    for list in &mut lists {
        assert!(poll(&mut list.as_mut(), 1).is_none());
    }
    // They end in the order in which they began, whichever is polled first.
    while !lists.is_empty() {
        for place in (0..lists.len()).rev() {
            if poll(&mut lists[place].as_mut(), 1).is_some() {
                drop(lists.remove(place));
            }
        }
    }
    assert_eq!(*order.borrow(), [0, 1, 2, 3]);
}

#[tokio::test]
async fn batch_tells_how_far_it_has_come_and_lets_others_have_their_turn_between_datagrams() {
    let handle = open(&FakeKernel::new()).await;
    let batch =
        (1..=900).fold(handle.batch(), |batch, number| batch.new_service(&Service::new(mark(number), Scheduler::Rr)));
    let told = RefCell::new(Vec::new());
    let mut sending = pin!(batch.send_with_progress(|progress| {
        told.borrow_mut().push(progress.done);
        if progress.done < 600 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }));
    for done in [200, 400] {
        assert!(poll(&mut sending, 1).is_none());
        assert_eq!(told.borrow().last(), Some(&done));
    }
    let report = poll(&mut sending, 1).unwrap().unwrap();
    assert_eq!(*told.borrow(), [200, 400, 600]);
    assert_eq!(report.failures().count(), 300);
    assert_eq!(handle.get_services().await.unwrap().len(), 600);
}

#[tokio::test]
async fn long_list_lets_others_have_their_turn_and_a_short_one_takes_none() {
    let handle = with_servers(1000).await;
    assert_eq!(poll(&mut pin!(handle.get_services()), 1).unwrap().unwrap().len(), 1);
    let id = mark(1);
    let mut list = pin!(handle.get_destinations(&id));
    let mut turns = 0;
    let rows = loop {
        match poll(&mut list, 1) {
            Some(rows) => break rows.unwrap(),
            None => turns += 1,
        }
    };
    assert_eq!(rows.len(), 1000);
    // Twelve datagrams with an end; the first two are taken in a row.
    assert_eq!(turns, 10);
}

/// Never answers, and lets the runtime do the waiting.
#[derive(Debug)]
struct SilentTransport;

impl Transport for SilentTransport {
    fn port(&self) -> u32 {
        1
    }

    fn send(&mut self, _datagram: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn try_receive(&mut self, _buffer: &mut [u8]) -> io::Result<Option<Received>> {
        Ok(None)
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        panic!("an async handle never blocks")
    }
}

impl AsyncTransport for SilentTransport {
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        Box::pin(async move {
            sleep(timeout).await;
            Ok(false)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_deadline_while_other_tasks_go_on() {
    let start = Instant::now();
    let builder = AsyncHandle::builder().deadline(Duration::from_secs(5));
    let (opened, ticks) = tokio::join!(builder.open_over(SilentTransport), async {
        for _ in 0..4 {
            sleep(Duration::from_secs(1)).await;
        }
        start.elapsed()
    });
    assert!(opened.unwrap_err().is_timeout());
    assert_eq!((ticks, start.elapsed()), (Duration::from_secs(4), Duration::from_secs(5)));
}

#[test]
fn handle_and_its_parts_cross_threads() {
    fn sent_and_shared<T: Send + Sync + 'static>() {}
    sent_and_shared::<AsyncHandle>();
    sent_and_shared::<ipvs_rs::handle::Batch<'static, AsyncHandle>>();
}
