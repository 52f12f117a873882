//! The state of a kernel in a form that can be compared. The tests on the real kernel take this in as well.

use std::collections::BTreeMap;

use ipvs_rs::desired::{DesiredState, Observed};
use ipvs_rs::model::{Config, SyncDaemon};
use ipvs_rs::{Destination, DestinationId, Handle, Service, ServiceId, Table};

use super::universe::Case;

/// The state of a kernel, without counters and in one order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct State {
    pub(crate) services: BTreeMap<ServiceId, (Service, BTreeMap<DestinationId, Destination>)>,
    pub(crate) config: Config,
    pub(crate) daemons: Vec<SyncDaemon>,
}

impl State {
    pub(crate) fn read(handle: &Handle) -> Self {
        let live = Observed::read_all(handle).unwrap();
        let mut daemons = live.sync.unwrap();
        daemons.sort_unstable();
        Self { services: services(&live.table), config: live.timeouts.unwrap(), daemons }
    }
}

pub(crate) fn services(table: &Table) -> BTreeMap<ServiceId, (Service, BTreeMap<DestinationId, Destination>)> {
    let rows = table.services.iter().map(|row| {
        let destinations = row.destinations.iter().map(|entry| (entry.id(), entry.destination.clone())).collect();
        (row.id(), (row.service.service.clone(), destinations))
    });
    rows.collect()
}

pub(crate) fn fill(handle: &Handle, table: &Table) {
    let mut batch = handle.batch();
    for row in &table.services {
        batch = batch.new_service(&row.service.service);
        for entry in &row.destinations {
            batch = batch.new_destination(&row.id(), &entry.destination);
        }
    }
    batch.send().unwrap().into_result().unwrap();
}

/// Puts everything of a case there.
pub(crate) fn put(handle: &Handle, case: &Case) {
    fill(handle, &case.table);
    handle.set_config(&case.config).unwrap();
    for daemon in &case.daemons {
        handle.start_sync(daemon).unwrap();
    }
}

/// Objects that are not managed are as they were.
pub(crate) fn assert_untouched(before: &State, after: &State, desired: &DesiredState) {
    let outside = |state: &State| {
        let mut services = state.services.clone();
        services.retain(|id, _| !desired.scope.covers(id));
        services
    };
    assert_eq!(outside(before), outside(after));
    if desired.sync.is_none() {
        assert_eq!(before.daemons, after.daemons);
    }
}
