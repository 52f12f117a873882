//! `stats`: counters and rates.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use ipvs_rs::desired::{Observed, Order, service_text};
use ipvs_rs::model::Stats;
use ipvs_rs::{DestinationId, Handle, ServiceId};
use serde::Serialize;

use crate::args::ListFormat;
use crate::columns::{Columns, Title};
use crate::command::get;
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::pace::Pace;

/// What is counted, and how it is shown.
pub struct Counting {
    pub service: Option<ServiceId>,
    pub output: ListFormat,
    pub watch: Option<Duration>,
}

#[derive(Serialize)]
struct Document {
    services: Vec<ServiceRecord>,
}

#[derive(Serialize)]
struct ServiceRecord {
    address: String,
    stats: Counters,
    rates: Counters,
    destinations: Vec<DestinationRecord>,
}

#[derive(Serialize)]
struct DestinationRecord {
    address: String,
    active: u32,
    inactive: u32,
    persistent: u32,
    stats: Counters,
    rates: Counters,
}

/// Since the beginning, or in a second.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Counters {
    connections: u64,
    packets_in: u64,
    packets_out: u64,
    bytes_in: u64,
    bytes_out: u64,
}

/// Shows counters, once or again and again.
pub fn stats(handle: &Handle, console: &mut Console, pace: &mut impl Pace, counting: &Counting) -> Result<(), Failure> {
    let is_screen = counting.watch.is_some() && counting.output == ListFormat::Table && io::stdout().is_terminal();
    let mut rates = Rates::default();
    let mut turn = 0_u32;
    loop {
        let begin = pace.elapsed();
        let mut live = get::read(handle, false)?;
        if let Some(id) = &counting.service {
            live.table.services.retain(|row| row.service.id() == *id);
            if live.table.is_empty() {
                let sentence = format!("Service {} not found in active ipvs configuration.", service_text(id));
                return Err(Failure::new(Exit::Query, format!("Unable to get current ipvs config: {sentence}")));
            }
        }
        if counting.watch.is_some() {
            rates.put_into(&mut live, begin);
        }
        get::sort(&mut live, Order::Sorted);
        let text = match counting.output {
            ListFormat::Table => as_table(&live),
            ListFormat::Json if counting.watch.is_some() => one_line(&document(&live))?,
            ListFormat::Json => get::as_json(&document(&live))?,
        };
        if is_screen {
            console.print("\x1b[H\x1b[2J");
        } else if turn > 0 && counting.output == ListFormat::Table {
            console.print("\n");
        }
        console.print(&text);
        console.flush();
        turn += 1;
        let Some(interval) = counting.watch else { return Ok(()) };
        if console.is_closed() || !pace.wait_until(begin + interval.max(SHORTEST)) {
            return Ok(());
        }
    }
}

/// The kernel adds its counters up every two seconds; nobody has use for more than ten looks in one.
const SHORTEST: Duration = Duration::from_millis(100);

fn one_line(document: &Document) -> Result<String, Failure> {
    let line = serde_json::to_string(document);
    line.map(|line| line + "\n")
        .map_err(|error| Failure::new(Exit::Output, format!("Unable to format output: {error}")))
}

fn as_table(live: &Observed) -> String {
    let mut titles = vec![Title::Left("SERVICE")];
    titles.extend(["ACTIVE", "INACTIVE", "CONNS", "INPKTS", "OUTPKTS", "INBYTES", "OUTBYTES"].map(Title::Right));
    titles.extend(["CPS", "INPPS", "OUTPPS", "INBPS", "OUTBPS"].map(Title::Right));
    let mut columns = Columns::new(titles);
    for row in &live.table.services {
        let mut cells = vec![service_text(&row.service.id()), String::new(), String::new()];
        cells.extend(numbers(&row.service.stats));
        columns.row(cells);
        for entry in &row.destinations {
            let gauges = [entry.active_connections, entry.inactive_connections].map(|gauge| gauge.to_string());
            let mut cells = vec![format!("  {}", entry.id())];
            cells.extend(gauges);
            cells.extend(numbers(&entry.stats));
            columns.row(cells);
        }
    }
    columns.text()
}

fn numbers(stats: &Stats) -> impl Iterator<Item = String> {
    let Counters { connections, packets_in, packets_out, bytes_in, bytes_out } = counters(stats);
    let rates = rates(stats);
    let rates = [rates.connections, rates.packets_in, rates.packets_out, rates.bytes_in, rates.bytes_out];
    let counters = [connections, packets_in, packets_out, bytes_in, bytes_out];
    counters.into_iter().chain(rates).map(|number| number.to_string())
}

fn document(live: &Observed) -> Document {
    let services = live.table.services.iter().map(|row| ServiceRecord {
        address: service_text(&row.service.id()),
        stats: counters(&row.service.stats),
        rates: rates(&row.service.stats),
        destinations: row
            .destinations
            .iter()
            .map(|entry| DestinationRecord {
                address: entry.id().to_string(),
                active: entry.active_connections,
                inactive: entry.inactive_connections,
                persistent: entry.persistent_connections,
                stats: counters(&entry.stats),
                rates: rates(&entry.stats),
            })
            .collect(),
    });
    Document { services: services.collect() }
}

const fn counters(stats: &Stats) -> Counters {
    Counters {
        connections: stats.connections,
        packets_in: stats.packets_in,
        packets_out: stats.packets_out,
        bytes_in: stats.bytes_in,
        bytes_out: stats.bytes_out,
    }
}

const fn rates(stats: &Stats) -> Counters {
    Counters {
        connections: stats.connections_per_sec,
        packets_in: stats.packets_per_sec_in,
        packets_out: stats.packets_per_sec_out,
        bytes_in: stats.bytes_per_sec_in,
        bytes_out: stats.bytes_per_sec_out,
    }
}

/// Rates of the time between two looks; in the first one, those of the kernel.
#[derive(Default)]
struct Rates {
    last: Option<Duration>,
    services: HashMap<ServiceId, Stats>,
    destinations: HashMap<(ServiceId, DestinationId), Stats>,
}

impl Rates {
    fn put_into(&mut self, live: &mut Observed, now: Duration) {
        let passed = self.last.replace(now).map(|last| now.saturating_sub(last));
        let services = std::mem::take(&mut self.services);
        let destinations = std::mem::take(&mut self.destinations);
        for row in &mut live.table.services {
            let id = row.service.id();
            self.services.insert(id, row.service.stats);
            replace(&mut row.service.stats, services.get(&id), passed);
            for entry in &mut row.destinations {
                let id = (id, entry.id());
                self.destinations.insert(id, entry.stats);
                replace(&mut entry.stats, destinations.get(&id), passed);
            }
        }
    }
}

/// Puts rates in the place of the kernel's. What was not there before has begun from nothing.
fn replace(stats: &mut Stats, before: Option<&Stats>, passed: Option<Duration>) {
    let Some(passed) = passed.filter(|passed| !passed.is_zero()) else { return };
    let before = before.copied().unwrap_or_default();
    let rate = |now: u64, before: u64| {
        // Counters that were set to zero have begun from nothing as well.
        let grown = now.checked_sub(before).unwrap_or(now);
        let rate = u128::from(grown) * 1_000_000_000 / passed.as_nanos().max(1);
        u64::try_from(rate).unwrap_or(u64::MAX)
    };
    stats.connections_per_sec = rate(stats.connections, before.connections);
    stats.packets_per_sec_in = rate(stats.packets_in, before.packets_in);
    stats.packets_per_sec_out = rate(stats.packets_out, before.packets_out);
    stats.bytes_per_sec_in = rate(stats.bytes_in, before.bytes_in);
    stats.bytes_per_sec_out = rate(stats.bytes_out, before.bytes_out);
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
