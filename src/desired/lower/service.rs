use std::iter::zip;

use super::{Lowering, object, whole};
use crate::desired::settings::{self, Context, SERVICE};
use crate::desired::written::{self, Findings, Spot};
use crate::desired::{DesiredService, shown};
use crate::model::{ForwardMethod, Scheduler, ServiceId};

impl Lowering {
    pub(super) fn service(
        &mut self,
        context: &Context<'_>,
        written: &written::Service,
        spot: &Spot<'_>,
        findings: &mut Findings,
    ) {
        let before = findings.errors();
        let id = object::identity(context, written, spot, findings);
        // What cannot be called by its address is called by its place.
        let path = if written.address.text().is_none() { spot.to_string() } else { String::new() };
        let text = written.address.text().unwrap_or(&path);
        let name = self.name(written, id, spot, findings);
        let drain = written
            .drain
            .get()
            .and_then(|own| whole::drain(own, context.drain, &spot.key("drain", &written.drain), findings));
        let desired = object::service(context, id, written, (spot, text), findings);
        let Some(id) = id else { return };
        let desired = DesiredService { name, drain, ..desired };

        let is_right = findings.errors() == before && !context.are_defaults_wrong && !written.is_damaged;
        match self.services.get(&id) {
            None => {
                let here = findings.place(&spot.key("address", &written.address));
                let index = is_right.then_some(self.state.services.len());
                self.services.insert(id, (index, here.clone()));
                if is_right {
                    warn(&desired, written, spot, findings);
                    self.state.services.push(desired);
                    self.written.push((here, settings::said(&SERVICE, written)));
                }
            }
            Some((index, first)) if self.merge => {
                let first = first.clone();
                if let Some(index) = index.filter(|_| is_right) {
                    self.unite(index, desired, written, (spot, &first), findings);
                }
            }
            // With another default port they might be two.
            Some(_) if context.are_defaults_wrong && id.port() == Some(0) => {}
            Some((_, first)) => {
                let text = shown(text);
                let message = format_args!("Service addresses must be unique: {text} (first at {first})");
                findings.error_at(spot, ("address", written), message);
            }
        }
    }

    fn name(
        &mut self,
        written: &written::Service,
        id: Option<ServiceId>,
        spot: &Spot<'_>,
        findings: &mut Findings,
    ) -> Option<String> {
        let name = written.name.get()?.as_ref();
        let spot = spot.key("name", &written.name);
        let is_right = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_right {
            let name = shown(name);
            let message =
                format_args!("invalid name ({name}): expected 1 to 63 letters, digits, dots, underscores or dashes");
            findings.error(&spot, message);
            return None;
        }
        if let Some((owner, first)) = self.names.get(name) {
            let is_itself = self.merge && (owner.is_none() || id.is_none() || *owner == id);
            if !is_itself {
                findings.error(&spot, format_args!("Service names must be unique: {name} (first at {first})"));
            }
        } else {
            self.names.insert(name.to_owned(), (id, findings.place(&spot)));
        }
        Some(name.to_owned())
    }
}

/// What can be meant, but probably is not.
fn warn(desired: &DesiredService, written: &written::Service, spot: &Spot<'_>, findings: &mut Findings) {
    let service = &desired.service;
    let text = shown(written.address.text().unwrap_or_default());
    if service.id.port() == Some(0) && service.persistence.is_none() {
        let message =
            format_args!("service {text} has port 0 and no persistence: the kernel schedules no connection for it");
        findings.warning_at(spot, ("address", written), message);
    }
    if desired.destinations.is_empty() {
        findings.warning(spot, format_args!("service {text} has no destinations: its clients are refused"));
        return;
    }
    if desired.destinations.iter().all(|wanted| wanted.destination.weight.get() == 0) {
        let message = format_args!("all destinations of service {text} have weight 0: none takes new connections");
        findings.warning(spot, message);
    }
    let ignores_weights = matches!(service.scheduler, Scheduler::Rr | Scheduler::Lc | Scheduler::Dh);
    let weights = written.destinations.items().filter_map(|item| item.value.weight.get());
    if ignores_weights && weights.max().is_some_and(|weight| *weight > 1) {
        let scheduler = service.scheduler;
        let message = format_args!(
            "the scheduler {scheduler} of service {text} does not look at weights: only 0 makes a difference"
        );
        findings.warning(spot, message);
    }
    let Some(port) = service.id.port().filter(|port| *port != 0) else { return };
    let list = spot.key("destinations", &written.destinations);
    for (wanted, item) in zip(&desired.destinations, written.destinations.items()) {
        let id = wanted.id();
        let is_mapped = matches!(wanted.destination.forward, ForwardMethod::DirectRoute | ForwardMethod::Tunnel(_));
        if is_mapped && id.port() != port {
            let message = format_args!(
                "destination {id} of service {text} has another port than its service, which works with forward: nat only"
            );
            findings.warning_at(&list.item(item.place, item.position), ("address", &item.value), message);
        }
    }
}
