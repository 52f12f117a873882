use std::collections::HashMap;

use super::{Change, Operation, Planner};
use crate::desired::object::created;
use crate::desired::settings::{SERVICE, wanted_destination};
use crate::desired::{ConnectionCounts, DesiredService};
use crate::model::{DestinationId, TableService};

/// Buffers that are reused for one service after the other.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// The place of each destination that should be there; the last one of an identity counts.
    places: HashMap<DestinationId, usize>,
    /// Those that exist.
    present: Vec<bool>,
}

impl Planner<'_> {
    /// Compares a desired service with the observed one.
    pub(super) fn service(&mut self, desired: &DesiredService, live: Option<&TableService>) {
        let before = self.steps.count();
        match live {
            None => {
                let operation = Operation::of_service(Change::add(desired.service.clone()), created(desired));
                self.steps.push(Operation { left_alone: desired.left_alone, ..operation });
            }
            Some(live) => {
                let is = &live.service.service;
                let wanted = SERVICE.with_settings(is, &desired.service, desired.left_alone);
                if wanted != *is {
                    self.steps.push(Operation::of_service(Change::update(is.clone(), wanted), created(desired)));
                }
                self.destinations(desired, live);
            }
        }
        if self.steps.count() != before {
            self.labels.add(desired);
        }
    }

    fn destinations(&mut self, desired: &DesiredService, live: &TableService) {
        let service = desired.id();
        let Lists { places, present } = &mut self.lists;
        places.clear();
        places.extend(desired.destinations.iter().enumerate().map(|(place, wanted)| (wanted.id(), place)));
        present.clear();
        present.resize(desired.destinations.len(), false);
        for entry in &live.destinations {
            let is = &entry.destination;
            let place = places.get(&is.id).copied();
            let Some((place, should)) = place.and_then(|place| Some((place, desired.destinations.get(place)?))) else {
                let drain = self.options.drain_of(desired.drain.or(self.desired.drain));
                let operation = Operation::of_destination(service, Change::delete(is.clone())).drained(drain);
                self.steps.push(Operation { connections: ConnectionCounts::of(entry), ..operation });
                continue;
            };
            if let Some(present) = present.get_mut(place) {
                *present = true;
            }
            let wanted = wanted_destination(is, should, self.options.keep_weights);
            if wanted != *is {
                let operation = Operation::of_destination(service, Change::update(is.clone(), wanted));
                self.steps.push(operation);
            }
        }
        for (place, destination) in desired.destinations.iter().enumerate() {
            if present.get(place) == Some(&false) && places.get(&destination.id()) == Some(&place) {
                let operation = Operation::of_destination(service, Change::add(destination.created()));
                self.steps.push(operation);
            }
        }
    }
}
