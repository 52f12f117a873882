//! `conns`: the connections that the kernel keeps.

use std::fmt::Display;

use ipvs_rs::model::AddressFamily;
use ipvs_rs::procfs::{Connection, Procfs, ProcfsError};
use ipvs_rs::{DestinationId, ServiceId};
use serde_json::{Value, json};

use crate::args::Format;
use crate::columns::Columns;
use crate::console::Console;
use crate::document;
use crate::failure::{Exit, Failure};
use crate::unreadable::UnreadableRows;

/// The service and the destination of the connections that are shown, if they are not all.
#[derive(Clone, Copy)]
pub struct ConnectionFilter {
    pub service: Option<ServiceId>,
    pub destination: Option<DestinationId>,
}

/// Shows the connections of a network namespace.
pub fn conns(procfs: &Procfs, console: &mut Console, filter: ConnectionFilter, format: Format) -> Result<(), Failure> {
    let connections = procfs.connections().map_err(|error| failed(&error))?;
    show(connections, console, filter, format)
}

/// Shows the rows that can be read. Other rows are a failure at the end.
fn show(
    connections: impl Iterator<Item = Result<Connection, ProcfsError>>,
    console: &mut Console,
    filter: ConnectionFilter,
    format: Format,
) -> Result<(), Failure> {
    let mut skipped = UnreadableRows::default();
    let connections: Vec<_> = skipped.readable(connections).filter(|connection| filter.holds(connection)).collect();
    console.print(&text(&connections, format)?);
    let lines = skipped.lines();
    if lines.is_empty() { Ok(()) } else { Err(unreadable(Exit::Query, lines.join("\nReason: "))) }
}

fn failed(error: &ProcfsError) -> Failure {
    let is_missing = error.is_not_available() || error.namespace_error().is_some();
    let exit = if is_missing && !error.is_permission_denied() { Exit::NotAvailable } else { Exit::Query };
    unreadable(exit, error)
}

fn unreadable(exit: Exit, reason: impl Display) -> Failure {
    Failure::unreadable(exit, &format!("Unable to query IPVS (connections).\nReason: {reason}"))
}

impl ConnectionFilter {
    /// Whether a connection matches. Connections by a firewall mark do not have the mark; their templates do.
    fn holds(&self, connection: &Connection) -> bool {
        let service = self.service.is_none_or(|service| {
            if let Some(mark) = service.mark() {
                let family = AddressFamily::of(connection.client.ip());
                return connection.mark() == Some(mark.get()) && service.family() == family;
            }
            let is_there = service.address() == Some(connection.service.ip());
            let has_port = service.port() == Some(0) || service.port() == Some(connection.service.port());
            is_there && has_port && service.protocol() == connection.protocol.protocol()
        });
        let destination = self.destination.is_none_or(|destination| {
            destination.address() == connection.destination.ip() && destination.port() == connection.destination.port()
        });
        service && destination
    }
}

fn text(connections: &[Connection], format: Format) -> Result<String, Failure> {
    if format == Format::Json {
        let records: Vec<_> = connections.iter().map(record).collect();
        return document::text(format, &json!({ "connections": records }));
    }
    let mut columns = Columns::new("PROTOCOL CLIENT SERVICE DESTINATION STATE >EXPIRES");
    for connection in connections {
        let Connection { protocol, client, destination, state, expires_secs, .. } = connection;
        let expires = format!("{}:{:02}", expires_secs / 60, expires_secs % 60);
        let ends = [client.to_string(), service(connection), destination.to_string()];
        columns.row([&[protocol.to_string()], &ends[..], &[state.to_string(), expires]].concat());
    }
    Ok(columns.text())
}

fn service(connection: &Connection) -> String {
    match connection.mark() {
        Some(mark) if connection.client.is_ipv6() => format!("fwmark6:{mark}"),
        Some(mark) => format!("fwmark:{mark}"),
        None => connection.service.to_string(),
    }
}

fn record(connection: &Connection) -> Value {
    let engine = connection.engine.as_ref();
    document::without_nulls(json!({
        "protocol": connection.protocol.to_string(),
        "client": connection.client.to_string(),
        "service": service(connection),
        "destination": connection.destination.to_string(),
        "state": connection.state.to_string(),
        "expires": connection.expires_secs,
        "template": connection.is_template(),
        "engine": engine.map(|engine| engine.name.to_string()),
        "engine_data": engine.map(|engine| String::from_utf8_lossy(&engine.data)),
    }))
}

#[cfg(test)]
mod tests;
