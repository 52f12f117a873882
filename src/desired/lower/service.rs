use std::collections::HashMap;
use std::iter::zip;

use super::{Lowering, object};
use crate::desired::settings::{Context, SERVICE};
use crate::desired::spec::ServiceSpec;
use crate::desired::written::{Spot, text};
use crate::desired::{DesiredDestination, DesiredService, Place, escaped, globals};
use crate::model::{ForwardMethod, Scheduler, ServiceId};

impl Lowering {
    pub(super) fn service(&mut self, context: &Context<'_>, spec: &ServiceSpec, spot: &Spot<'_>) {
        let before = spot.findings.errors();
        let id = object::identity(context, spec, spot);
        let address = text(spec.address.as_ref());
        // An object without an address is named by its place.
        let path = if address.is_none() { spot.to_string() } else { String::new() };
        let text = address.unwrap_or(&path);
        let name = self.name(spec, id, &spot.at("name"));
        let drain = spec.drain.as_ref().and_then(|own| globals::drain(own, context.drain, &spot.at("drain")));
        let desired = object::service(context, id, spec, (spot, text));
        let Some(id) = id else { return };
        let desired = DesiredService { name, drain, ..desired };

        let is_right = spot.findings.errors() == before && !context.are_defaults_wrong && !spot.is_damaged();
        match self.services.get(&id) {
            None => {
                let here = spot.at("address").place();
                let index = is_right.then_some(self.state.services.len());
                self.services.insert(id, (index, here.clone()));
                if is_right {
                    warn(&desired, spec, spot);
                    self.state.services.push(desired);
                    self.written.push((here, SERVICE.said(spec)));
                }
            }
            Some((index, first)) if self.merge => {
                let first = first.clone();
                if let Some(index) = index.filter(|_| is_right) {
                    self.unite(index, desired, spec, (spot, &first));
                }
            }
            // With another default port they might be two.
            Some(_) if context.are_defaults_wrong && id.port() == Some(0) => {}
            Some((_, first)) => {
                let text = escaped(text);
                let message = format!("Service addresses must be unique: {text} (first at {first})");
                spot.at("address").error(message);
            }
        }
    }

    /// Adds the settings and destinations of a service that stands in several places, as far as they were missing.
    fn unite(&mut self, index: usize, other: DesiredService, spec: &ServiceSpec, (spot, first): (&Spot<'_>, &Place)) {
        let Some((known, (_, said))) = self.state.services.get_mut(index).zip(self.written.get_mut(index)) else {
            return;
        };
        let its_said = SERVICE.said(spec);
        let mine = (&mut known.service, said, &mut known.left_alone);
        let mut contradicting = SERVICE.unite(mine, (&other.service, its_said));
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
        let text = escaped(text(spec.address.as_ref()).unwrap_or_default());
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

    fn name(&mut self, spec: &ServiceSpec, id: Option<ServiceId>, spot: &Spot<'_>) -> Option<String> {
        let name = spec.name.as_deref()?;
        let is_right = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_right {
            spot.invalid("name", escaped(name), "1 to 63 letters, digits, dots, underscores or dashes");
            return None;
        }
        if let Some((owner, first)) = self.names.get(name) {
            let is_itself = self.merge && (owner.is_none() || id.is_none() || *owner == id);
            if !is_itself {
                spot.error(format_args!("Service names must be unique: {name} (first at {first})"));
            }
        } else {
            self.names.insert(name.to_owned(), (id, spot.place()));
        }
        Some(name.to_owned())
    }
}

fn is_same(one: &DesiredDestination, other: &DesiredDestination) -> bool {
    one.destination == other.destination && one.activity == other.activity && one.left_alone == other.left_alone
}

/// Warns of values that can be intended, but probably are not.
fn warn(desired: &DesiredService, spec: &ServiceSpec, spot: &Spot<'_>) {
    let service = &desired.service;
    let text = escaped(text(spec.address.as_ref()).unwrap_or_default());
    if service.id.port() == Some(0) && service.persistence.is_none() {
        spot.at("address").warning(format_args!(
            "service {text} has port 0 and no persistence: the kernel schedules no connection for it"
        ));
    }
    if desired.destinations.is_empty() {
        return spot.warning(format_args!("service {text} has no destinations: its clients are refused"));
    }
    if desired.destinations.iter().all(|wanted| wanted.destination.weight.get() == 0) {
        let message = format!("all destinations of service {text} have weight 0: none takes new connections");
        spot.warning(message);
    }
    let destinations = spec.destinations.iter().flatten();
    let ignores_weights = matches!(service.scheduler, Scheduler::Rr | Scheduler::Lc | Scheduler::Dh);
    if ignores_weights && destinations.clone().any(|destination| destination.weight.is_some_and(|weight| weight > 1)) {
        let scheduler = service.scheduler;
        spot.warning(format_args!(
            "the scheduler {scheduler} of service {text} does not look at weights: only 0 makes a difference"
        ));
    }
    let Some(port) = service.id.port().filter(|port| *port != 0) else { return };
    let list = spot.at("destinations");
    for (wanted, (spot, _)) in zip(&desired.destinations, list.items(spec.destinations.as_ref())) {
        let id = wanted.id();
        let is_mapped = matches!(wanted.destination.forward, ForwardMethod::DirectRoute | ForwardMethod::Tunnel(_));
        if is_mapped && id.port() != port {
            spot.at("address").warning(format_args!(
                "destination {id} of service {text} has another port than its service, which works with forward: nat only"
            ));
        }
    }
}
