//! Handles that are cloned: one handle, held in several places.

use std::thread;
use std::time::Duration;

use ipvs_rs::testing::{FakeKernel, Fault, Recorder};
use ipvs_rs::{Handle, Scheduler, Service, ServiceId};

fn service(mark: u32) -> Service {
    let id: ServiceId = format!("FWM {mark}").parse().unwrap();
    Service::new(id, Scheduler::Rr)
}

#[test]
fn clones_talk_over_the_same_socket() {
    let (recorder, recording) = Recorder::new(FakeKernel::new().transport());
    let handle = Handle::builder().open_over(recorder).unwrap();
    let clone = handle.clone();
    handle.new_service(&service(1)).unwrap();
    clone.new_service(&service(2)).unwrap();
    drop(handle);
    assert_eq!(clone.clone().get_services().unwrap().len(), 2);
    let text = recording.transcript().to_string();
    assert_eq!(text.matches("\nrequest").count(), 4, "the family, two services, one list");
}

#[test]
fn clones_live_in_threads_of_their_own() {
    let handle = FakeKernel::new().handle().unwrap();
    let threads: Vec<_> = (1..=8)
        .map(|mark| {
            let handle = handle.clone();
            thread::spawn(move || handle.new_service(&service(mark)))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    assert_eq!(handle.get_services().unwrap().len(), 8);
}

#[test]
fn clones_have_the_deadline_of_the_first() {
    let kernel = FakeKernel::new();
    let handle = Handle::builder().deadline(Duration::from_secs(2)).open_over(kernel.transport()).unwrap().clone();
    kernel.misbehave(Fault::Silence);
    let line = handle.flush().unwrap_err().to_string();
    assert!(line.starts_with("flush: no answer within 2s; "), "{line}");
}

#[cfg(feature = "tokio")]
#[test]
fn clones_of_an_async_handle_live_in_tasks_of_their_own() {
    use ipvs_rs::AsyncHandle;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let services = runtime.block_on(async {
        let handle = AsyncHandle::builder().open_over(FakeKernel::new().transport()).await.unwrap();
        let tasks: Vec<_> = (1..=8)
            .map(|mark| {
                let handle = handle.clone();
                tokio::spawn(async move { handle.new_service(&service(mark)).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        handle.get_services().await.unwrap()
    });
    assert_eq!(services.len(), 8);
}
