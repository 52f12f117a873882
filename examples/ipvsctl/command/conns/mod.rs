//! `conns`: the connections that the kernel keeps.

use ipvs_rs::model::AddressFamily;
use ipvs_rs::procfs::{Connection, Procfs, ProcfsError};
use ipvs_rs::{DestinationId, ServiceId};
use serde::Serialize;

use crate::args::ListFormat;
use crate::columns::{Columns, Title};
use crate::command::get;
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// Which connections are shown, and how.
pub struct Listing {
    pub service: Option<ServiceId>,
    pub destination: Option<DestinationId>,
    pub output: ListFormat,
}

#[derive(Serialize)]
struct Document {
    connections: Vec<Record>,
}

#[derive(Serialize)]
struct Record {
    protocol: String,
    client: String,
    service: String,
    destination: String,
    state: String,
    expires: u64,
    template: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine_data: Option<String>,
}

fn failed(error: &ProcfsError) -> Failure {
    let is_missing = error.is_not_available() || error.namespace_error().is_some();
    let exit = if is_missing && !error.is_permission_denied() { Exit::NotAvailable } else { Exit::Query };
    Failure::new(
        exit,
        format!("Unable to get current ipvs config: Unable to query IPVS (connections).\nReason: {error}"),
    )
}

/// Shows the connections of a network namespace.
pub fn conns(procfs: &Procfs, console: &mut Console, listing: &Listing) -> Result<(), Failure> {
    let connections = procfs.connections().map_err(|error| failed(&error))?;
    show(connections, console, listing).map_err(|error| match error {
        Problem::Reading(error) => failed(&error),
        Problem::Writing(failure) => failure,
    })
}

enum Problem {
    Reading(ProcfsError),
    Writing(Failure),
}

fn show(
    connections: impl Iterator<Item = Result<Connection, ProcfsError>>,
    console: &mut Console,
    listing: &Listing,
) -> Result<(), Problem> {
    let mut records = Vec::new();
    for connection in connections {
        let connection = connection.map_err(Problem::Reading)?;
        if listing.holds(&connection) {
            records.push(record(&connection));
        }
    }
    let text = match listing.output {
        ListFormat::Json => get::as_json(&Document { connections: records }).map_err(Problem::Writing)?,
        ListFormat::Table => as_table(records),
    };
    console.print(&text);
    Ok(())
}

impl Listing {
    /// Whether a connection is one of those. Connections by a firewall mark do not tell it; their templates do.
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

fn record(connection: &Connection) -> Record {
    let service = match connection.mark() {
        Some(mark) if connection.client.is_ipv6() => format!("fwmark6:{mark}"),
        Some(mark) => format!("fwmark:{mark}"),
        None => connection.service.to_string(),
    };
    let engine = connection.engine.as_ref();
    Record {
        protocol: connection.protocol.to_string(),
        client: connection.client.to_string(),
        service,
        destination: connection.destination.to_string(),
        state: connection.state.to_string(),
        expires: connection.expires_secs,
        template: connection.is_template(),
        engine: engine.map(|engine| engine.name.to_string()),
        engine_data: engine.map(|engine| String::from_utf8_lossy(&engine.data).into_owned()),
    }
}

fn as_table(records: Vec<Record>) -> String {
    let titles = ["PROTOCOL", "CLIENT", "SERVICE", "DESTINATION", "STATE"].map(Title::Left);
    let mut columns = Columns::new(titles.into_iter().chain([Title::Right("EXPIRES")]).collect());
    for record in records {
        let expires = format!("{}:{:02}", record.expires / 60, record.expires % 60);
        columns.row(vec![record.protocol, record.client, record.service, record.destination, record.state, expires]);
    }
    columns.text()
}

#[cfg(test)]
mod tests;
