use std::collections::HashMap;

use super::Lowering;
use super::object::text;
use crate::desired::settings::{self, SERVICE};
use crate::desired::written::Spot;
use crate::desired::{DesiredDestination, DesiredService, Place, shown, spec};

impl Lowering {
    /// Adds what is written about a service in another place: settings that were not said, and destinations.
    pub(super) fn unite(
        &mut self,
        index: usize,
        other: DesiredService,
        spec: &spec::Service,
        (spot, first): (&Spot<'_>, &Place),
    ) {
        let Some((known, (_, said))) = self.state.services.get_mut(index).zip(self.written.get_mut(index)) else {
            return;
        };
        let its_said = settings::said(&SERVICE, spec);
        let mine = (&mut known.service, said, &mut known.left_alone);
        let mut contradicting = settings::unite(&SERVICE, mine, (&other.service, its_said));
        match (&known.name, other.name) {
            (Some(mine), Some(its)) if *mine != its => contradicting.push("name"),
            (None, its) => known.name = its,
            _ => {}
        }
        match (known.drain, other.drain) {
            (Some(mine), Some(its)) if mine != its => contradicting.push("drain"),
            (None, its) => known.drain = its,
            _ => {}
        }
        let text = shown(text(spec.address.as_ref()).unwrap_or_default());
        for key in contradicting {
            spot.at(key).error(format_args!("service {text} has another {key} than at {first}"));
        }
        let there: HashMap<_, _> = known.destinations.iter().map(|wanted| (wanted.id(), wanted.clone())).collect();
        for destination in other.destinations {
            match there.get(&destination.id()) {
                None => known.destinations.push(destination),
                Some(other) if is_same(other, &destination) => {}
                Some(_) => spot.at("address").error(format_args!(
                    "destination {} of service {text} has other settings than with the service at {first}",
                    destination.id()
                )),
            }
        }
    }
}

fn is_same(one: &DesiredDestination, other: &DesiredDestination) -> bool {
    one.destination == other.destination && one.activity == other.activity && one.left_alone == other.left_alone
}
