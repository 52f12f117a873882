//! Takes a server out of service without cutting off any client: weight 0, so that it gets no new connections; wait
//! until its last connection is forgotten; delete.
//!
//! `cargo run --example drain -- SERVICE SERVER [SECONDS]`, as root. After that many seconds (600 by default) it gives
//! up and leaves the server with weight 0. The kernel remembers a closed TCP connection for up to two minutes.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_rs::model::Weight;
use ipvs_rs::{DestinationId, Handle, ServiceId};

fn main() -> ExitCode {
    let (error, status) = match arguments() {
        Err(error) => (error, 2),
        Ok((service, server, patience)) => match drain(&service, &server, patience) {
            Err(error) => (error, 1),
            Ok(()) => return ExitCode::SUCCESS,
        },
    };
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn arguments() -> Result<(ServiceId, DestinationId, Duration), Box<dyn Error>> {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into()).collect();
    let (service, server, seconds) = match words.as_slice() {
        [service, server] => (service, server, "600"),
        [service, server, seconds] => (service, server, seconds.as_str()),
        _ => return Err("expected SERVICE SERVER [SECONDS], as in: tcp://192.0.2.10:80 203.0.113.11:8080".into()),
    };
    let Ok(patience) = seconds.parse::<u32>() else {
        return Err(format!("seconds: \"{seconds}\" is not a number of seconds").into());
    };
    Ok((service.parse()?, server.parse()?, Duration::from_secs(patience.into())))
}

fn drain(service: &ServiceId, server: &DestinationId, patience: Duration) -> Result<(), Box<dyn Error>> {
    let handle = Handle::new()?;
    let outcome = handle.modify_destination(service, server, |destination| destination.weight = Weight::ZERO)?;
    println!("{server} of {service}: weight 0 ({outcome})");

    let begin = Instant::now();
    let mut shown = None;
    while let Some(entry) = handle.get_destination(service, server)?.filter(|entry| !entry.is_idle()) {
        let left = format!("{} active, {} inactive connections", entry.active_connections, entry.inactive_connections);
        if begin.elapsed() >= patience {
            return Err(format!("{server} still has {left} after {patience:?}; it keeps weight 0").into());
        }
        if shown.as_ref() != Some(&left) {
            println!("{left}");
            shown = Some(left);
        }
        thread::sleep(Duration::from_millis(500));
    }
    println!("idle, {}", handle.remove_destination(service, server)?);
    Ok(())
}
