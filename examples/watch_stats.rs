//! Shows every second the traffic of each service and server: per second according to their counters, and in
//! parentheses the kernel's own average over some eight seconds.
//!
//! `cargo run --example watch_stats -- [COUNT]`, as root; ends after COUNT rounds, if that is given.

#![allow(clippy::print_stderr, reason = "an example prints")]

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroU64;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use ipvs_rs::model::Stats;
use ipvs_rs::{DestinationId, Handle, ServiceId};

type Counters = BTreeMap<(ServiceId, Option<DestinationId>), Stats>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into()).collect();
    let (error, status) = match words.as_slice() {
        [] => (watch(NonZeroU64::MAX).err(), 1),
        [count] => match count.parse() {
            Ok(count) => (watch(count).err(), 1),
            Err(_) => (Some(format!("count: \"{count}\" is not a number of 1 or more").into()), 2),
        },
        _ => (Some("expected nothing but a count".into()), 2),
    };
    let Some(error) = error else { return ExitCode::SUCCESS };
    // The reader of the output has ended, which is not a failure.
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn watch(count: NonZeroU64) -> Result<(), Box<dyn Error>> {
    let handle = Handle::new()?;
    let mut out = io::stdout();
    // The kernel refreshes its counters every two seconds: from one second to the next they stand still or make a
    // double step, so each round compares with the counters of two seconds before.
    let mut rounds: VecDeque<(Instant, Counters)> = VecDeque::with_capacity(3);
    for _ in 0..count.get() {
        if let Some((begin, _)) = rounds.back() {
            thread::sleep(Duration::from_secs(1).saturating_sub(begin.elapsed()));
        }
        if out.is_terminal() {
            write!(out, "\x1b[H\x1b[J")?;
        }
        if rounds.len() == 3 {
            rounds.pop_front();
        }
        rounds.push_back((Instant::now(), read(&handle)?));
        print(&mut out, &rounds)?;
    }
    Ok(())
}

fn read(handle: &Handle) -> Result<Counters, ipvs_rs::Error> {
    let mut counters = Counters::new();
    for row in handle.snapshot()?.services {
        let id = row.id();
        counters.insert((id, None), row.service.stats);
        counters.extend(row.destinations.iter().map(|entry| ((id, Some(entry.id())), entry.stats)));
    }
    Ok(counters)
}

fn print(out: &mut impl Write, rounds: &VecDeque<(Instant, Counters)>) -> io::Result<()> {
    let Some((now, counters)) = rounds.back() else { return Ok(()) };
    let past = rounds.front().filter(|_| rounds.len() == 3);
    let title = |name: &str| format!("{name:>10} {:>10}", "(kernel)");
    let titles = ["conns/s", "packets in", "bytes in", "bytes out"].map(title).join(" ");
    writeln!(out, "{:<34} {titles}", "PER SECOND")?;
    for ((service, server), stats) in counters {
        let name = server.map_or_else(|| service.to_string(), |server| format!("  -> {server}"));
        let before = past.and_then(|(then, past)| Some((now.duration_since(*then), past.get(&(*service, *server))?)));
        let mut measured = *stats;
        if let Some((time, past)) = before {
            measured.set_rates_since(past, time);
        }
        let cell = |counter: fn(&Stats) -> u64, rate: fn(&Stats) -> u64| {
            // A counter that has fallen was set to zero, or the service was made anew.
            let has_rate = before.is_some_and(|(_, past)| counter(stats) >= counter(past));
            let shown = if has_rate { rate(&measured).to_string() } else { "-".to_owned() };
            format!("{shown:>10} {:>10}", format!("({})", rate(stats)))
        };
        writeln!(
            out,
            "{name:<34} {} {} {} {}",
            cell(|stats| stats.connections, |stats| stats.connections_per_sec),
            cell(|stats| stats.packets_in, |stats| stats.packets_per_sec_in),
            cell(|stats| stats.bytes_in, |stats| stats.bytes_per_sec_in),
            cell(|stats| stats.bytes_out, |stats| stats.bytes_per_sec_out),
        )?;
    }
    writeln!(out)?;
    out.flush()
}
