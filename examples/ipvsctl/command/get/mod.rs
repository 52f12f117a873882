//! `get`: the table.

use std::fmt::Write as _;

use ipvs_rs::desired::{DesiredState, Observed, Order, PrintOptions, service_text, spec};
use ipvs_rs::model::{ForwardMethod, Stats, Timeout};
use ipvs_rs::{DestinationEntry, Handle, ServiceEntry, ServiceId};

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
            sort(&mut live, order);
            live.table.full_rules().to_string()
        }
        Format::Table => {
            sort(&mut live, order);
            as_table(&live, get)
        }
        format => {
            let options = PrintOptions::new().order(order).stats(stats).all(all).factor_defaults(factor_defaults);
            document::text(format, &spec::File::from_observed(&live, &options))?
        }
    };
    session.console.print(&text);
    Ok(())
}

/// Reads the table or one service of it, and time-outs and daemons if they are wanted.
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

/// Puts services and destinations into the order of addresses.
pub fn sort(live: &mut Observed, order: Order) {
    if order == Order::Sorted {
        let services = &mut live.table.services;
        services.sort_by_key(|row| (row.service.id().mark().is_some(), row.service.id().family(), row.service.id()));
        for row in services {
            row.destinations.sort_by_key(DestinationEntry::id);
        }
    }
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
        add(cells, &service.stats, settings_of_service(service));
        for entry in &row.destinations {
            let destination = &entry.destination;
            let mut cells = vec![format!("  {}", destination.id), forward(destination.forward)];
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
        let _ = writeln!(text, "\ntime-outs: tcp {tcp}s, tcpfin {tcp_fin}s, udp {udp}s");
    }
    for daemon in live.sync.iter().flatten().filter(|_| get.all) {
        let _ = writeln!(text, "sync daemon: {}, {}, id {}", daemon.role, daemon.interface, daemon.sync_id);
    }
    text
}

/// What is not in a column, in the words of ipvsadm.
fn settings_of_service(entry: &ServiceEntry) -> String {
    let service = &entry.service;
    let mut settings = Vec::new();
    if !service.scheduler_flags.is_empty() {
        settings.push(format!("flags {}", service.scheduler_flags.notation(&service.scheduler)));
    }
    if service.one_packet {
        settings.push("one-packet".to_owned());
    }
    if let Some(persistence) = service.persistence {
        settings.push(format!("persistent {}s", persistence.timeout_secs()));
        settings.extend(persistence.engine.map(|engine| format!("engine {engine}")));
    }
    settings.join(", ")
}

fn settings_of_destination(entry: &DestinationEntry) -> String {
    let mut settings = Vec::new();
    if let ForwardMethod::Tunnel(tunnel) = entry.destination.forward {
        let text = tunnel.to_string();
        settings.extend((text != "ipip").then(|| format!("tunnel {text}")));
    }
    let thresholds = entry.destination.thresholds;
    settings.extend(thresholds.upper().map(|upper| format!("upper {upper}")));
    settings.extend(thresholds.lower().map(|lower| format!("lower {lower}")));
    if entry.persistent_connections > 0 {
        settings.push(format!("{} persistent", entry.persistent_connections));
    }
    settings.join(", ")
}

/// The word of a file.
fn forward(method: ForwardMethod) -> String {
    match method {
        ForwardMethod::Masquerade => "nat".to_owned(),
        ForwardMethod::DirectRoute => "direct".to_owned(),
        ForwardMethod::Tunnel(_) => "tunnel".to_owned(),
        other => other.to_string().to_ascii_lowercase(),
    }
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
