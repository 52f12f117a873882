//! Takes many servers out of service at the same time, without cutting off any client: as the example `drain`, but one
//! task for each server instead of one process.
//!
//! `cargo run --features tokio --example async_drain -- SECONDS SERVICE SERVER...`, as root. After that many seconds it
//! gives up; servers that were not idle by then are left with weight 0.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ipvs_rs::model::Weight;
use ipvs_rs::{AsyncHandle, DestinationId, ServiceId};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (error, status) = match arguments() {
        Err(error) => (error, 2),
        Ok((patience, service, servers)) => match drain_all(service, servers, patience).await {
            Err(error) => (error, 1),
            Ok(()) => return ExitCode::SUCCESS,
        },
    };
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn arguments() -> Result<(Duration, ServiceId, Vec<DestinationId>), Box<dyn Error>> {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into()).collect();
    let [seconds, service, servers @ ..] = words.as_slice() else {
        return Err("expected SECONDS SERVICE SERVER..., as in: 600 tcp://192.0.2.10:80 203.0.113.11:8080".into());
    };
    let Ok(patience) = seconds.parse::<u32>() else {
        return Err(format!("seconds: \"{seconds}\" is not a number of seconds").into());
    };
    let servers: Result<_, _> = servers.iter().map(|server| server.parse()).collect();
    Ok((Duration::from_secs(patience.into()), service.parse()?, servers?))
}

async fn drain_all(service: ServiceId, servers: Vec<DestinationId>, patience: Duration) -> Result<(), Box<dyn Error>> {
    let handle = Arc::new(AsyncHandle::new().await?);
    let mut tasks = JoinSet::new();
    for server in servers {
        let draining = timeout(patience, drain(handle.clone(), service, server));
        tasks.spawn(async move { (server, draining.await) });
    }
    let mut left = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        match ended? {
            (server, Ok(Ok(()))) => println!("{server}: idle, removed"),
            (server, Ok(Err(error))) => left.push(format!("{server}: {error}")),
            (server, Err(_)) => left.push(format!("{server}: not idle after {patience:?}")),
        }
    }
    if left.is_empty() { Ok(()) } else { Err(left.join("; ").into()) }
}

async fn drain(handle: Arc<AsyncHandle>, service: ServiceId, server: DestinationId) -> Result<(), ipvs_rs::Error> {
    handle.modify_destination(&service, &server, |destination| destination.weight = Weight::ZERO).await?;
    while handle.get_destination(&service, &server).await?.is_some_and(|entry| !entry.is_idle()) {
        sleep(Duration::from_millis(500)).await;
    }
    handle.remove_destination(&service, &server).await.map(drop)
}
