//! Destinations that drain from plan to plan while connections come and go, another program acts and the kernel
//! misbehaves.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::desired::{planned, put};
use super::universe::{Dice, INTERFACE};
use crate::desired::apply::{Applier, ApplyOptions, Drains, drive};
use crate::desired::{Drain, OnTimeout};
use crate::error::Errno;
use crate::handle::Handle;
use crate::model::{DestinationId, ServiceId};
use crate::testing::{FakeKernel, Fault, FaultPlan as Mishaps, Interface, Traffic};

/// Looks at a table again and again, each time carrying out the plan for it. A destination with connections is not
/// deleted before their time is over, whatever happens meanwhile; and when everything has come to rest, the table is as
/// it should be.
pub fn drains(bytes: &[u8]) {
    let mut dice = Dice(bytes);
    let looks = dice.below(12);
    let mut case = dice.case();
    let kernel = FakeKernel::new();
    kernel.add_interface(Interface::new(INTERFACE));
    let Ok(handle) = kernel.handle() else { return };
    put(&handle, &case);
    // Drains that never end by themselves are kept.
    let patient = Drain::new(Duration::from_secs(60)).on_timeout(OnTimeout::Keep);
    case.desired.drain = Some(patient);
    case.desired.services.iter_mut().for_each(|service| service.drain = None);
    if !planned(&handle, &case.desired).conflicts().is_empty() {
        return;
    }
    let (mut drains, begin, mut now) = (Drains::default(), Instant::now(), Duration::ZERO);
    for _ in 0..looks {
        let destinations = destinations(&handle);
        let chosen = destinations.get(usize::from(dice.below(16))).copied();
        match (dice.below(8), chosen) {
            (0..=2, Some((service, id))) => drop(kernel.carry(&service, &id, Traffic::new().opened(2))),
            (3, Some((service, id))) => drop(kernel.carry(&service, &id, Traffic::new().closed(1))),
            (4, Some((service, id))) => drop(handle.delete_destination(&service, &id)),
            (5, Some((service, _))) => drop(handle.delete_service(&service)),
            (6, _) => kernel.misbehave(Mishaps::new().well(dice.below(8).into()).then(Fault::Refuse(Errno::EPERM))),
            _ => {}
        }
        let busy = busy(&handle);
        now += Duration::from_secs(u64::from(dice.below(40)));
        let plan = planned(&handle, &case.desired);
        let mut applier = Applier::new(&plan, &ApplyOptions::new()).beside(drains);
        let mut wait = |time: Duration| {
            now += time;
            begin + now
        };
        let result = drive(&mut applier, &handle, &mut (), &mut wait);
        drains = applier.take_drains();
        kernel.behave();
        let still: HashSet<_> = self::destinations(&handle).into_iter().collect();
        assert!(busy.iter().all(|it| still.contains(it)), "{result:?}");
    }
    for (service, id) in destinations(&handle) {
        let _ = kernel.carry(&service, &id, Traffic::new().closed(u32::from(u8::MAX)));
    }
    let mut wait = |time: Duration| {
        now += time;
        begin + now
    };
    let plan = planned(&handle, &case.desired);
    if !plan.conflicts().is_empty() {
        // Objects that another program deleted may have odd settings, and are not made again.
        return;
    }
    let result = drive(&mut Applier::new(&plan, &ApplyOptions::new()), &handle, &mut (), &mut wait);
    assert!(result.as_ref().is_ok_and(crate::desired::apply::Report::is_complete), "{result:?}");
    let nothing = planned(&handle, &case.desired);
    assert!(nothing.is_empty(), "{nothing}");
}

fn destinations(handle: &Handle) -> Vec<(ServiceId, DestinationId)> {
    entries(handle, |_| true)
}

/// The destinations that have active connections.
fn busy(handle: &Handle) -> Vec<(ServiceId, DestinationId)> {
    entries(handle, |active| active > 0)
}

fn entries(handle: &Handle, which: impl Fn(u32) -> bool) -> Vec<(ServiceId, DestinationId)> {
    let table = handle.snapshot().unwrap_or_default();
    let rows = table.services.into_iter().flat_map(|row| {
        let service = row.id();
        row.destinations.into_iter().map(move |entry| (service, entry))
    });
    rows.filter(|(_, entry)| which(entry.active_connections)).map(|(service, entry)| (service, entry.id())).collect()
}
