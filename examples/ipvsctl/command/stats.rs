//! `stats`: counters and rates.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use ipvs_rs::desired::{Live, Order, service_text};
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

fn as_table(live: &Live) -> String {
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

fn document(live: &Live) -> Document {
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
    fn put_into(&mut self, live: &mut Live, now: Duration) {
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
mod tests {
    use ipvs_rs::testing::{FakeKernel, Traffic};
    use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};

    use super::*;
    use crate::pace::Scripted;

    fn kernel() -> FakeKernel {
        let kernel = FakeKernel::new();
        let (handle, web) = (kernel.handle().unwrap(), "tcp://192.0.2.10:80".parse().unwrap());
        handle.new_service(&Service::new(web, Scheduler::Rr)).unwrap();
        handle.new_service(&Service::new("FWM 7".parse().unwrap(), Scheduler::Rr)).unwrap();
        let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
        handle.new_destination(&web, &server).unwrap();
        kernel
    }

    fn carry(kernel: &FakeKernel, connections: u32) {
        let traffic = Traffic::new().opened(connections).packets_in(10, 1000);
        kernel.carry(&"tcp://192.0.2.10:80".parse().unwrap(), &"10.0.0.2:80".parse().unwrap(), traffic).unwrap();
        // The kernel adds up every two seconds.
        kernel.advance(Duration::from_secs(2));
    }

    #[test]
    fn counters_of_one_service_are_one_document() {
        let kernel = kernel();
        carry(&kernel, 3);
        let mut console = Console::memory(0);
        let service = Some("tcp://192.0.2.10:80".parse().unwrap());
        let counting = Counting { service, output: ListFormat::Json, watch: None };
        stats(&kernel.handle().unwrap(), &mut console, &mut Scripted::new(), &counting).unwrap();
        let document: serde_json::Value = serde_json::from_str(&console.taken().0).unwrap();
        let service = &document["services"][0];
        assert_eq!(document["services"].as_array().unwrap().len(), 1);
        assert_eq!(service["address"], "tcp://192.0.2.10:80");
        assert_eq!(service["stats"]["connections"], 3);
        assert_eq!(service["destinations"][0]["active"], 3);
        assert_eq!(service["destinations"][0]["stats"]["bytes-in"], 1000);
    }

    #[test]
    fn rates_are_of_the_time_between() {
        let kernel = kernel();
        let mut console = Console::memory(0);
        let counting = Counting { service: None, output: ListFormat::Json, watch: Some(Duration::from_secs(2)) };
        let mut pace = Scripted { ends_at: Some(Duration::from_secs(4)), ..Scripted::new() };
        pace = pace.meanwhile(|_| carry(&kernel, 20));
        stats(&kernel.handle().unwrap(), &mut console, &mut pace, &counting).unwrap();
        let text = console.taken().0;
        let documents: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let rate = |turn: usize| documents[turn]["services"][0]["rates"]["connections"].clone();
        assert_eq!((documents.len(), rate(0), rate(1)), (2, 0.into(), 10.into()));
    }

    #[test]
    fn every_service_and_destination_has_a_row() {
        let mut console = Console::memory(0);
        let counting = Counting { service: None, output: ListFormat::Table, watch: None };
        stats(&kernel().handle().unwrap(), &mut console, &mut Scripted::new(), &counting).unwrap();
        let text = console.taken().0;
        let names: Vec<_> = text.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(names, ["SERVICE", "tcp://192.0.2.10:80", "10.0.0.2:80", "fwmark:7"]);
    }

    #[test]
    fn missing_service_is_no_empty_table() {
        let service = Some("FWM 9".parse().unwrap());
        let counting = Counting { service, output: ListFormat::Table, watch: None };
        let handle = kernel().handle().unwrap();
        let failure = stats(&handle, &mut Console::memory(0), &mut Scripted::new(), &counting).unwrap_err();
        assert_eq!(failure.exit, Exit::Query);
    }
}
