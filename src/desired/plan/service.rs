use std::collections::HashMap;

use super::{Operation, Planner};
use crate::desired::{DesiredDestination, DesiredService, DestinationAttributes, ServiceAttributes};
use crate::model::{Destination, DestinationId, ForwardMethod, Service, TableService};

/// Memory that is used for one service after the other.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// The place of each destination that should be there; the last one of an identity counts.
    places: HashMap<DestinationId, usize>,
    /// Which of them are there.
    present: Vec<bool>,
}

impl Planner<'_> {
    /// Compares a service that should be there with what is.
    pub(super) fn service(&mut self, desired: &DesiredService, live: Option<&TableService>) {
        let before = self.steps.count();
        match live {
            None => self.steps.new_services.push(Operation::AddService { service: desired.clone() }),
            Some(live) => {
                let is = &live.service.service;
                let wanted = wanted_service(is, desired);
                if wanted != *is {
                    let operation =
                        Operation::UpdateService { live: is.clone(), wanted, desired: Box::new(desired.clone()) };
                    self.steps.services.push(operation);
                }
                self.destinations(desired, live);
            }
        }
        if let Some(name) = desired.name.as_ref().filter(|_| self.steps.count() != before) {
            self.names.insert(desired.id(), name.clone());
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
                let operation = Operation::DeleteDestination { service, live: entry.clone(), drain };
                self.steps.old_destinations.push(operation);
                continue;
            };
            if let Some(present) = present.get_mut(place) {
                *present = true;
            }
            let wanted = wanted_destination(is, should, self.options.keep_weights);
            if wanted != *is {
                let written = should.written.clone();
                let operation = Operation::UpdateDestination { service, live: is.clone(), wanted, written };
                self.steps.destinations.push(operation);
            }
        }
        for (place, destination) in desired.destinations.iter().enumerate() {
            if present.get(place) == Some(&false) && places.get(&destination.id()) == Some(&place) {
                let operation = Operation::AddDestination { service, destination: destination.clone() };
                self.steps.new_destinations.push(operation);
            }
        }
    }
}

/// What becomes of a service: what is left alone stays as it is.
pub(in crate::desired) fn wanted_service(live: &Service, desired: &DesiredService) -> Service {
    let DesiredService { service: should, left_alone, .. } = desired;
    let mut wanted = live.clone();
    wanted.scheduler = should.scheduler;
    if !left_alone.contains(ServiceAttributes::SCHEDULER_FLAGS) {
        wanted.scheduler_flags = should.scheduler_flags;
    }
    if !left_alone.contains(ServiceAttributes::ONE_PACKET) {
        wanted.one_packet = should.one_packet;
    }
    if !left_alone.contains(ServiceAttributes::PERSISTENCE) {
        match should.persistence {
            Some(persistence) => wanted = wanted.persistence(persistence),
            None => wanted.persistence = None,
        }
    }
    wanted
}

/// What becomes of a destination: what is left alone stays as it is.
pub(super) fn wanted_destination(live: &Destination, desired: &DesiredDestination, keep_weights: bool) -> Destination {
    let DesiredDestination { destination: should, left_alone, .. } = desired;
    let mut wanted = live.clone();
    if !keep_weights && !left_alone.contains(DestinationAttributes::WEIGHT) {
        wanted.weight = desired.kernel_weight();
    }
    let keeps_tunnel = left_alone.contains(DestinationAttributes::TUNNEL)
        && matches!((live.forward, should.forward), (ForwardMethod::Tunnel(_), ForwardMethod::Tunnel(_)));
    if !keeps_tunnel {
        wanted.forward = should.forward;
    }
    if !left_alone.contains(DestinationAttributes::THRESHOLDS) {
        wanted.thresholds = should.thresholds;
    }
    wanted
}
