//! `get`: the table.

use std::fmt::Write as _;

use ipvs_rs::desired::spec::FileSpec;
use ipvs_rs::desired::{DesiredState, Observed, PrintOptions, forward_text, service_text};
use ipvs_rs::model::{Stats, Timeout};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Handle, Service, ServiceId};

use crate::args::{Format, Get};
use crate::columns::Columns;
use crate::document;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// Prints the table, or one service of it.
pub fn get(session: &mut Session<'_>, get: &Get, service: Option<&ServiceId>) -> Result<(), Failure> {
    let Get { output, order, stats, all, factor_defaults, .. } = *get;
    let mut live = read(&session.handle, all, service)?;
    let text = match output {
        Format::Ipvsadm => {
            live.sort(order);
            live.table.full_rules().to_string()
        }
        Format::Table => {
            live.sort(order);
            as_table(&live, get)
        }
        format => {
            let options = PrintOptions::new().order(order).stats(stats).all(all).factor_defaults(factor_defaults);
            document::text(format, &FileSpec::from_observed(&live, &options))?
        }
    };
    session.console.print(&text);
    Ok(())
}

/// Reads the table or one service of it, and timeouts and daemons on request.
pub fn read(handle: &Handle, all: bool, service: Option<&ServiceId>) -> Result<Observed, Failure> {
    let live = if all { Observed::read_all(handle) } else { Observed::read(handle, &DesiredState::new()) };
    let mut live = live.map_err(|error| Failure::query("services", &error))?;
    if let Some(id) = service {
        live.table.services.retain(|row| row.service.id() == *id);
        if live.table.is_empty() {
            let sentence = format!("Service {} not found in active ipvs configuration.", service_text(id));
            return Err(Failure::unreadable(Exit::Query, &sentence));
        }
    }
    Ok(live)
}

fn as_table(live: &Observed, get: &Get) -> String {
    let counters = if get.stats { " >CONNS >INPKTS >OUTPKTS >INBYTES >OUTBYTES" } else { "" };
    let mut columns = Columns::new(&format!("SERVICE SCHED >WEIGHT >ACTIVE >INACTIVE{counters} SETTINGS"));
    let mut add = |mut cells: Vec<String>, stats: &Stats, settings: String| {
        if get.stats {
            cells.extend(stats.counters().map(|counter| counter.to_string()));
        }
        cells.push(settings);
        columns.row(cells);
    };
    for row in &live.table.services {
        let service = &row.service;
        let mut cells = vec![service_text(&service.id()), service.service.scheduler.to_string()];
        cells.resize(5, String::new());
        add(cells, &service.stats, settings_of_service(&service.service));
        for entry in &row.destinations {
            let destination = &entry.destination;
            let mut cells = vec![format!("  {}", destination.id), forward_text(destination.forward).into_owned()];
            let numbers = [destination.weight.get(), entry.active_connections, entry.inactive_connections];
            cells.extend(numbers.map(|number| number.to_string()));
            add(cells, &entry.stats, settings_of_destination(entry));
        }
    }
    let mut text = columns.text();
    if let Some(timeouts) = live.timeouts.filter(|_| get.all) {
        let [tcp, tcp_fin, udp] =
            [timeouts.tcp, timeouts.tcp_fin, timeouts.udp].map(|timeout| timeout.map_or(0, Timeout::as_secs));
        // Writing to a string does not fail.
        let _ = writeln!(text, "\ntimeouts: tcp {tcp}s, tcpfin {tcp_fin}s, udp {udp}s");
    }
    for daemon in live.sync.iter().flatten().filter(|_| get.all) {
        let _ = writeln!(text, "sync daemon: {}, {}, id {}", daemon.role, daemon.interface, daemon.sync_id);
    }
    text
}

/// Settings that have no column, in the words of ipvsadm.
fn settings_of_service(service: &Service) -> String {
    let Service { scheduler, scheduler_flags, one_packet, persistence, .. } = service;
    joined([
        (!scheduler_flags.is_empty()).then(|| format!("flags {}", scheduler_flags.notation(scheduler))),
        one_packet.then(|| "one-packet".to_owned()),
        persistence.map(|persistence| format!("persistent {}s", persistence.timeout_secs())),
        persistence.and_then(|persistence| persistence.engine).map(|engine| format!("engine {engine}")),
    ])
}

fn settings_of_destination(entry: &DestinationEntry) -> String {
    let Destination { forward, thresholds, .. } = entry.destination;
    let tunnel = if let ForwardMethod::Tunnel(tunnel) = forward { Some(tunnel.to_string()) } else { None };
    let persistent = entry.persistent_connections;
    joined([
        tunnel.filter(|text| text != "ipip").map(|text| format!("tunnel {text}")),
        thresholds.upper().map(|upper| format!("upper {upper}")),
        thresholds.lower().map(|lower| format!("lower {lower}")),
        (persistent > 0).then(|| format!("{persistent} persistent")),
    ])
}

fn joined(settings: [Option<String>; 4]) -> String {
    settings.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
