//! The library with a desired state: reading, planning and applying.

use std::time::Duration;

use ipvs_rs::Handle;
use ipvs_rs::desired::apply::{ApplyOptions, apply};
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::{DesiredService, DesiredState, Observed};

use crate::client::{Client, Single, Work, timed};
use crate::load::Load;

pub struct Plans {
    handle: Handle,
}

impl Plans {
    pub fn open() -> Self {
        Self { handle: Handle::new().unwrap() }
    }

    /// Brings the table to the state, and returns the number of operations for that.
    fn make(&self, desired: &DesiredState) -> usize {
        let live = Observed::read(&self.handle, desired).unwrap();
        let plan = plan(&live, desired, &PlanOptions::new().prune(true));
        apply(&self.handle, &plan, &ApplyOptions::new(), &mut ()).unwrap().done
    }
}

impl Client for Plans {
    fn work(&mut self, work: Work, load: &Load) -> Option<Duration> {
        let desired = desired(load);
        let (expected, taken) = match work {
            Work::Create => (load.services.len(), timed(|| self.make(&desired))),
            // The table is in the desired state, which takes only reading to find out.
            Work::Snapshot => (0, timed(|| self.make(&desired))),
            Work::Flush => return Some(timed(|| self.handle.flush().unwrap())),
            _ => return None,
        };
        assert!(expected == 0 || self.make(&desired) == 0, "everything is there");
        Some(taken)
    }

    fn singles(&mut self, _single: Single, _load: &Load, _samples: usize) -> Vec<Duration> {
        Vec::new()
    }

    fn calls(&self) -> Option<u64> {
        None
    }
}

fn desired(load: &Load) -> DesiredState {
    let mut destinations = load.destinations.iter();
    let services = load.services.iter().map(|service| {
        let own = destinations.by_ref().take(load.per_service as usize);
        own.fold(DesiredService::new(service.clone()), |service, (_, destination)| {
            service.destination(destination.clone())
        })
    });
    services.fold(DesiredState::new(), DesiredState::service)
}
