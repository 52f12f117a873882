use std::collections::HashMap;

use super::address::{self, Written};
use crate::desired::print::service_text;
use crate::desired::settings::{self, Context, DESTINATION, SERVICE, Subject};
use crate::desired::taste::{Oddity, oddities_of_destination, oddities_of_service};
use crate::desired::written::{self, Findings, Form, Item, Spot};
use crate::desired::{Activity, DesiredDestination, DesiredService, shown};
use crate::model::{AddressFamily, Destination, DestinationId, ForwardMethod, Protocol, Scheduler, Service, ServiceId};

/// The identity of a service; nothing if its address is wrong.
pub(super) fn identity(
    context: &Context<'_>,
    written: &written::Service,
    spot: &Spot<'_>,
    findings: &mut Findings,
) -> Option<ServiceId> {
    let Some(text) = written.address.text() else {
        if !written.address.is_broken() {
            findings.error(spot, "Service address may not be empty");
        }
        return None;
    };
    let before = findings.errors();
    let wrong = |findings: &mut Findings, message: String| findings.error_at(spot, ("address", written), message);
    let parsed = Written::parse(text, context.version).map_err(|message| wrong(findings, message)).ok()?;
    let family = family(written, &parsed, spot, findings);
    if findings.errors() != before || written.family.is_broken() {
        return None;
    }
    parsed.id(family, context.port).map_err(|message| wrong(findings, message)).ok()
}

/// The value of `family`, which counts for a mark only.
fn family(
    written: &written::Service,
    parsed: &Written,
    spot: &Spot<'_>,
    findings: &mut Findings,
) -> Option<AddressFamily> {
    let word = written.family.get()?.as_ref();
    let text = shown(written.address.text().unwrap_or_default());
    let mut wrong = |message: String| findings.error_at(spot, ("family", written), message);
    let family = match word {
        "ipv4" => AddressFamily::Ipv4,
        "ipv6" => AddressFamily::Ipv6,
        _ => {
            wrong(format!("invalid family ({}) for service {text}: expected ipv4 or ipv6", shown(word)));
            return None;
        }
    };
    match parsed {
        Written::Address { .. } => {
            wrong(format!("family is for firewall marks only: the address of {text} says which it is"));
        }
        Written::Mark { family: Some(other), .. } if *other != family => {
            wrong(format!("family {word} contradicts the address {text}"));
        }
        Written::Mark { .. } => {}
    }
    Some(family)
}

/// A service with its destinations; of one whose address is wrong, all else is checked as far as it can be read.
pub(super) fn service(
    context: &Context<'_>,
    id: Option<ServiceId>,
    written: &written::Service,
    (spot, text): (&Spot<'_>, &str),
    findings: &mut Findings,
) -> DesiredService {
    let placeholder = ServiceId::verbatim(Protocol::TCP, [0, 0, 0, 0].into(), 0);
    let mut desired = DesiredService::new(Service::new(id.unwrap_or(placeholder), Scheduler::Rr));
    let family = id.map(|id| id.family());
    let mut subject = Subject { context, spot, text: shown(text), service: shown(text), family, findings };
    desired.left_alone = settings::read(&SERVICE, written, &mut subject, &mut desired.service);
    desired.destinations = destinations(id, written, &mut subject);
    if let Some(id) = id {
        warn_of_oddities(&oddities_of_service(&desired.service), written, &mut subject, "service");
        desired.written = Some(text).filter(|text| *text != service_text(&id)).map(Into::into);
    }
    desired
}

fn destinations(
    id: Option<ServiceId>,
    written: &written::Service,
    service: &mut Subject<'_>,
) -> Vec<DesiredDestination> {
    let list = service.spot.key("destinations", &written.destinations);
    let count = written.destinations.get().map_or(0, Vec::len);
    let mut seen: HashMap<DestinationId, &Item<Box<written::Destination>>> = HashMap::with_capacity(count);
    let mut lowered = Vec::with_capacity(count);
    for item in written.destinations.items() {
        let spot = list.item(item.place, item.position);
        let (own, desired) = destination(id, &item.value, &spot, service);
        // With another default port they might be two.
        let Some(own) = own.filter(|own| own.port() != 0 || !service.context.are_defaults_wrong) else { continue };
        let Some(first) = seen.get(&own) else {
            seen.insert(own, item);
            lowered.extend(desired);
            continue;
        };
        let first_spot = list.item(first.place, first.position);
        let first = service.findings.place(&first_spot.key("address", &first.value.address));
        let (address, text) = (shown(item.value.address.text().unwrap_or_default()), service.text);
        let message = format_args!(
            "Destination addresses must be unique per service: {address} in service {text} (first at {first})"
        );
        service.findings.error_at(&spot, ("address", &item.value), message);
    }
    lowered
}

/// A destination of a service: its identity if its address is right, and all of it if everything is.
pub(super) fn destination(
    id: Option<ServiceId>,
    written: &written::Destination,
    spot: &Spot<'_>,
    service: &mut Subject<'_>,
) -> (Option<DestinationId>, Option<DesiredDestination>) {
    let Subject { context, text: service, ref mut findings, .. } = *service;
    let before = findings.errors();
    let address = written.address.text();
    if address.is_none() && !written.address.is_broken() {
        findings.error(spot, format_args!("Destination address may not be empty for service {service}"));
    }
    let own = address.and_then(|text| {
        let own = address::destination(text, id, service, context.port);
        own.map_err(|message| findings.error_at(spot, ("address", written), message)).ok()
    });
    // What cannot be called by its address is called by its place.
    let own_path = if address.is_none() { spot.to_string() } else { String::new() };
    let text = address.unwrap_or(&own_path);
    let family = own.map(|own| own.family());
    let mut subject = Subject { context, spot, text: shown(text), service, family, findings };
    let placeholder = DestinationId::verbatim([0, 0, 0, 0].into(), 0);
    let forward = context.forward.unwrap_or(ForwardMethod::DirectRoute);
    let mut destination = Destination::new(own.unwrap_or(placeholder), forward);
    let left_alone = settings::read(&DESTINATION, written, &mut subject, &mut destination);
    let activity = activity(written, &mut subject);
    let Some(own) = own.filter(|_| subject.findings.errors() == before) else { return (own, None) };
    if let Some(id) = id {
        let what = format!("destination {} of service", subject.text);
        warn_of_oddities(&oddities_of_destination(&id, &destination), written, &mut subject, &what);
    }
    let mut desired = DesiredDestination::new(destination).activity(activity).left_alone(left_alone);
    desired.written = Some(text).filter(|text| own.to_string() != *text).map(Into::into);
    (Some(own), Some(desired))
}

fn activity(written: &written::Destination, subject: &mut Subject<'_>) -> Activity {
    match written.state.get().map(AsRef::as_ref) {
        None | Some("active") => Activity::Active,
        Some("drain") => Activity::Drain,
        Some(other) => {
            let (other, text) = (shown(other), subject.text);
            let message = format_args!("invalid state ({other}) for destination {text}: expected active or drain");
            subject.findings.error_at(subject.spot, ("state", written), message);
            Activity::Active
        }
    }
}

/// Warns of what is odd about an object that was read.
fn warn_of_oddities<W: Form>(oddities: &[Oddity], written: &W, subject: &mut Subject<'_>, what: &str) {
    for Oddity { key, problem } in oddities {
        let message = format_args!("{what} {} has {problem}", subject.service);
        subject.findings.warning_at(subject.spot, (key, written), message);
    }
}
