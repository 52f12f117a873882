//! `get`: the table.

use std::fmt::Write as _;

use ipvs_rs::desired::{Observed, Order, PrintOptions, service_text, spec, yaml};
use ipvs_rs::model::ForwardMethod;
use ipvs_rs::{DestinationEntry, Handle, ServiceEntry, ServiceId};

use crate::args::{self, Get, GetFormat};
use crate::columns::{Columns, Title};
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// Prints the table, or one service of it.
pub fn get(handle: &Handle, console: &mut Console, get: &Get, service: Option<&ServiceId>) -> Result<(), Failure> {
    let mut live = read(handle, get.all)?;
    if let Some(id) = service {
        live.table.services.retain(|row| row.service.id() == *id);
        if live.table.is_empty() {
            let sentence = format!("Service {} not found in active ipvs configuration.", service_text(id));
            return Err(Failure::new(Exit::Query, format!("Unable to get current ipvs config: {sentence}")));
        }
    }
    let order = match get.order {
        args::Order::Sorted => Order::Sorted,
        args::Order::Kernel => Order::Kernel,
    };
    let options = PrintOptions::new().order(order).stats(get.stats).all(get.all).factor_defaults(get.factor_defaults);
    let text = match get.output {
        GetFormat::Yaml => as_yaml(&spec::File::from_observed(&live, &options))?,
        GetFormat::Json => as_json(&spec::File::from_observed(&live, &options))?,
        GetFormat::Ipvsadm => {
            sort(&mut live, order);
            live.table.full_rules().to_string()
        }
        GetFormat::Table => {
            sort(&mut live, order);
            as_table(&live, get)
        }
    };
    console.print(&text);
    Ok(())
}

/// Reads the table, and time-outs and daemons if they are wanted.
pub fn read(handle: &Handle, all: bool) -> Result<Observed, Failure> {
    let live = if all { Observed::read_all(handle) } else { handle.snapshot_stable(ATTEMPTS).map(Observed::new) };
    live.map_err(|error| Failure::query("services", &error))
}

/// How often a list is read until it can be relied on.
const ATTEMPTS: u32 = 10;

/// Any value as YAML.
pub fn as_yaml<T: serde::Serialize>(value: &T) -> Result<String, Failure> {
    yaml::to_string(value).map_err(|error| Failure::new(Exit::Output, format!("Unable to format output: {error}")))
}

/// Any value as JSON.
pub fn as_json<T: serde::Serialize>(value: &T) -> Result<String, Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Ok(text + "\n"),
        Err(error) => Err(Failure::new(Exit::Output, format!("Unable to format output: {error}"))),
    }
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
    let mut titles = vec![
        Title::Left("SERVICE"),
        Title::Left("SCHED"),
        Title::Right("WEIGHT"),
        Title::Right("ACTIVE"),
        Title::Right("INACTIVE"),
    ];
    if get.stats {
        let counters = ["CONNS", "INPKTS", "OUTPKTS", "INBYTES", "OUTBYTES"];
        titles.extend(counters.map(Title::Right));
    }
    titles.push(Title::Left("SETTINGS"));
    let mut columns = Columns::new(titles);
    for row in &live.table.services {
        let service = &row.service;
        let name = service_text(&service.id());
        let mut cells = vec![name, service.service.scheduler.to_string(), String::new(), String::new(), String::new()];
        add_counters(&mut cells, &service.stats, get.stats);
        cells.push(settings_of_service(service));
        columns.row(cells);
        for entry in &row.destinations {
            let destination = &entry.destination;
            let mut cells = vec![
                format!("  {}", destination.id),
                forward(destination.forward),
                destination.weight.get().to_string(),
                entry.active_connections.to_string(),
                entry.inactive_connections.to_string(),
            ];
            add_counters(&mut cells, &entry.stats, get.stats);
            cells.push(settings_of_destination(entry));
            columns.row(cells);
        }
    }
    let mut text = columns.text();
    if let Some(timeouts) = live.timeouts.filter(|_| get.all) {
        let seconds = |timeout: Option<ipvs_rs::model::Timeout>| timeout.map_or(0, ipvs_rs::model::Timeout::as_secs);
        let (tcp, tcp_fin, udp) = (seconds(timeouts.tcp), seconds(timeouts.tcp_fin), seconds(timeouts.udp));
        // Writing to a string does not fail.
        let _ = writeln!(text, "\ntime-outs: tcp {tcp}s, tcpfin {tcp_fin}s, udp {udp}s");
    }
    for daemon in live.sync.iter().flatten().filter(|_| get.all) {
        let _ = writeln!(text, "sync daemon: {}, {}, id {}", daemon.role, daemon.interface, daemon.sync_id);
    }
    text
}

fn add_counters(cells: &mut Vec<String>, stats: &ipvs_rs::model::Stats, wanted: bool) {
    if wanted {
        let counters = [stats.connections, stats.packets_in, stats.packets_out, stats.bytes_in, stats.bytes_out];
        cells.extend(counters.map(|counter| counter.to_string()));
    }
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
