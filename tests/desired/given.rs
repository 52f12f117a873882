//! Tables and states for the tests, from the notation of ipvsadm.

use ipvs_rs::desired::{DesiredDestination, DesiredService, DesiredState, Observed};
use ipvs_rs::model::TableService;
use ipvs_rs::model::notation::Rule;
use ipvs_rs::{Destination, DestinationEntry, Service, ServiceEntry, ServiceId, Table};

/// A table from rules such as `-A -t 192.0.2.1:80 -s wlc` and `-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5`.
pub(crate) fn table(rules: &[&str]) -> Table {
    let mut rows: Vec<TableService> = Vec::new();
    for rule in rules {
        match rule.parse().unwrap_or_else(|error| panic!("{rule}: {error}")) {
            Rule::Service(service) => rows.push(TableService::new(ServiceEntry::new(service), Vec::new())),
            Rule::Destination { service, destination } => {
                let row = rows.iter_mut().find(|row| row.id() == service).expect("its service stands before");
                row.destinations.push(DestinationEntry::new(destination));
            }
            other => panic!("{other:?} is no rule of a table"),
        }
    }
    Table::new(rows)
}

/// The observed table.
pub(crate) fn live(rules: &[&str]) -> Observed {
    Observed::new(table(rules))
}

/// The desired state, in the same notation.
pub(crate) fn desired(rules: &[&str]) -> DesiredState {
    DesiredState::from(&table(rules))
}

pub(crate) fn service(rule: &str) -> Service {
    match rule.parse().unwrap() {
        Rule::Service(service) => service,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn destination(rule: &str) -> (ServiceId, Destination) {
    match rule.parse().unwrap() {
        Rule::Destination { service, destination } => (service, destination),
        other => panic!("{other:?}"),
    }
}

/// A service that should be there, with its destinations.
pub(crate) fn wanted(rule: &str, destinations: &[&str]) -> DesiredService {
    destinations.iter().fold(DesiredService::new(service(rule)), |all, rule| {
        all.destination(DesiredDestination::new(destination(rule).1))
    })
}

pub(crate) const WEB: &str = "-A -t 192.0.2.80:80 -s rr";
pub(crate) const WEB_1: &str = "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 100";
pub(crate) const WEB_2: &str = "-a -t 192.0.2.80:80 -r 198.51.100.12:80 -g -w 100";
pub(crate) const WEB_3: &str = "-a -t 192.0.2.80:80 -r 198.51.100.13:80 -g -w 100";
