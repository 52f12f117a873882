use std::collections::BTreeMap;

use crate::desired::spec::{DefaultsSpec, ServiceSpec};

/// Moves the values that most services and destinations have in common into defaults.
pub(super) fn factor(services: &mut [ServiceSpec]) -> Option<DefaultsSpec> {
    let sched = most_frequent(services.iter().filter_map(|service| service.sched.clone()));
    let destinations = || services.iter().flat_map(|service| service.destinations.iter().flatten());
    let forward = most_frequent(destinations().filter_map(|destination| destination.forward.clone()));
    // Without a default, the weight is 0.
    let weight = most_frequent(destinations().map(|destination| destination.weight.unwrap_or(0)));
    let weight = weight.filter(|weight| *weight != 0);

    for service in services {
        service.sched.take_if(|own| sched.as_ref() == Some(own));
        for destination in service.destinations.iter_mut().flatten() {
            destination.forward.take_if(|own| forward.as_ref() == Some(own));
            if let Some(weight) = weight {
                destination.weight = Some(destination.weight.unwrap_or(0)).filter(|own| *own != weight);
            }
        }
    }
    let defaults = DefaultsSpec { port: None, weight, sched, forward };
    Some(defaults).filter(|defaults| *defaults != DefaultsSpec::default())
}

/// The most frequent value, the smallest of several; `None` if it occurs only once, because a default would not save
/// anything.
fn most_frequent<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let best = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    (best.1 > 1).then_some(best.0)
}
