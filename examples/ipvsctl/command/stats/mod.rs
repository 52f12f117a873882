//! `stats`: counters and rates.

use std::io::{self, IsTerminal};
use std::time::Duration;

use ipvs_rs::desired::{Observed, Order, service_text};
use ipvs_rs::model::Stats;
use ipvs_rs::{DestinationEntry, ServiceId};
use serde_json::{Value, json};

use crate::args::Format;
use crate::clock::Clock;
use crate::columns::Columns;
use crate::command::get;
use crate::document;
use crate::failure::Failure;
use crate::session::Session;

/// Shows counters, once or again and again.
pub fn stats(
    session: &mut Session<'_>,
    clock: &mut impl Clock,
    service: Option<&ServiceId>,
    (output, watch): (Format, Option<Duration>),
) -> Result<(), Failure> {
    let is_screen = watch.is_some() && output == Format::Table && io::stdout().is_terminal();
    let mut last: Option<(Duration, Observed)> = None;
    loop {
        let begin = clock.elapsed();
        let mut live = get::read(&session.handle, false, service)?;
        if let Some((then, before)) = &last {
            live.table.set_rates_since(&before.table, begin.saturating_sub(*then));
        }
        live.sort(Order::Sorted);
        let text = match output {
            Format::Table => as_table(&live),
            _ if watch.is_some() => format!("{}\n", document(&live)),
            format => document::text(format, &document(&live))?,
        };
        if is_screen {
            session.console.print("\x1b[H\x1b[2J");
        } else if last.is_some() && output == Format::Table {
            session.console.print("\n");
        }
        session.console.print(&text);
        session.console.flush();
        last = Some((begin, live));
        let Some(interval) = watch else { return Ok(()) };
        if session.console.is_closed() || !clock.wait_until(begin + interval.max(SHORTEST)) {
            return Ok(());
        }
    }
}

/// The kernel adds its counters up every two seconds: more than ten readings in one second are of no use.
const SHORTEST: Duration = Duration::from_millis(100);

fn as_table(live: &Observed) -> String {
    let counters = ">CONNS >INPKTS >OUTPKTS >INBYTES >OUTBYTES >CPS >INPPS >OUTPPS >INBPS >OUTBPS";
    let mut columns = Columns::new(&format!("SERVICE >ACTIVE >INACTIVE {counters}"));
    let mut add = |name: [String; 3], stats: &Stats| {
        let numbers = stats.counters().into_iter().chain(stats.rates()).map(|number| number.to_string());
        columns.row(name.into_iter().chain(numbers).collect());
    };
    for row in &live.table.services {
        add([service_text(&row.service.id()), String::new(), String::new()], &row.service.stats);
        for entry in &row.destinations {
            let [active, inactive] = [entry.active_connections, entry.inactive_connections].map(|it| it.to_string());
            add([format!("  {}", entry.id()), active, inactive], &entry.stats);
        }
    }
    columns.text()
}

fn document(live: &Observed) -> Value {
    let services = live.table.services.iter().map(|row| {
        let stats = &row.service.stats;
        json!({
            "address": service_text(&row.service.id()),
            "stats": numbers(stats.counters()),
            "rates": numbers(stats.rates()),
            "destinations": row.destinations.iter().map(destination).collect::<Vec<_>>(),
        })
    });
    json!({ "services": services.collect::<Vec<_>>() })
}

fn destination(entry: &DestinationEntry) -> Value {
    json!({
        "address": entry.id().to_string(),
        "active": entry.active_connections,
        "inactive": entry.inactive_connections,
        "persistent": entry.persistent_connections,
        "stats": numbers(entry.stats.counters()),
        "rates": numbers(entry.stats.rates()),
    })
}

fn numbers([connections, packets_in, packets_out, bytes_in, bytes_out]: [u64; 5]) -> Value {
    json!({
        "connections": connections,
        "packets-in": packets_in,
        "packets-out": packets_out,
        "bytes-in": bytes_in,
        "bytes-out": bytes_out,
    })
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
