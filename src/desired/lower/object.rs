use std::collections::HashMap;

use super::address;
use crate::desired::oddity::{Oddity, oddities_of_destination, oddities_of_service};
use crate::desired::print::service_text;
use crate::desired::settings::{Context, DESTINATION, SERVICE, Subject};
use crate::desired::spec::{DestinationSpec, ServiceSpec};
use crate::desired::words::FAMILIES;
use crate::desired::written::{Spot, text};
use crate::desired::{Activity, DesiredDestination, DesiredService, Escaped, escaped};
use crate::model::{Destination, DestinationId, ForwardMethod, Protocol, Scheduler, Service, ServiceId, ServiceKind};

/// The identity of a service; `None` if its address is wrong.
pub(super) fn identity(context: &Context<'_>, spec: &ServiceSpec, spot: &Spot<'_>) -> Option<ServiceId> {
    let Some(text) = text(spec.address.as_ref()) else {
        if !spot.at("address").is_broken() {
            spot.error("Service address may not be empty");
        }
        return None;
    };
    let before = spot.findings.errors();
    let mut kind = address::service(text, context.version).map_err(|message| spot.at("address").error(message)).ok()?;
    if let ServiceKind::Address { port: port @ 0, .. } = &mut kind {
        *port = context.port.unwrap_or(0);
    }
    if let Some(word) = &spec.family {
        set_family(&mut kind, word, text, &spot.at("family"));
    }
    let is_right = spot.findings.errors() == before && !spot.at("family").is_broken();
    is_right.then(|| kind.into())
}

/// Applies the value of `family`, which is for marks only.
fn set_family(kind: &mut ServiceKind, word: &str, address: &str, spot: &Spot<'_>) {
    let text = escaped(address);
    let Some((_, wanted)) = FAMILIES.into_iter().find(|(known, _)| *known == word) else {
        let word = escaped(word);
        return spot.error(format_args!("invalid family ({word}) for service {text}: expected ipv4 or ipv6"));
    };
    match kind {
        ServiceKind::Address { .. } => {
            spot.error(format_args!("family is for firewall marks only: the address of {text} says which it is"));
        }
        ServiceKind::Mark { family, .. } if *family != wanted && address.starts_with("fwmark6:") => {
            spot.error(format_args!("family {word} contradicts the address {text}"));
        }
        ServiceKind::Mark { family, .. } => *family = wanted,
    }
}

/// A service with its destinations; if its address is wrong, everything else is still checked as far as possible.
pub(super) fn service(
    context: &Context<'_>,
    id: Option<ServiceId>,
    spec: &ServiceSpec,
    (spot, text): (&Spot<'_>, &str),
) -> DesiredService {
    let placeholder = ServiceId::verbatim(Protocol::TCP, [0, 0, 0, 0].into(), 0);
    let mut desired = DesiredService::new(Service::new(id.unwrap_or(placeholder), Scheduler::Rr));
    let family = id.map(|id| id.family());
    let escaped = escaped(text);
    let subject = Subject { context, spot, object: "service", text: escaped, service: escaped, family };
    desired.left_alone = SERVICE.read(spec, subject, &mut desired.service);
    desired.destinations = destinations(context, id, spec, (spot, escaped));
    if let Some(id) = id {
        warn_of_oddities(&oddities_of_service(&desired.service), spot, format_args!("service {escaped}"));
        desired.written = Some(text).filter(|text| *text != service_text(&id)).map(Into::into);
    }
    desired
}

fn destinations(
    context: &Context<'_>,
    id: Option<ServiceId>,
    spec: &ServiceSpec,
    (spot, service): (&Spot<'_>, Escaped<'_>),
) -> Vec<DesiredDestination> {
    let list = spot.at("destinations");
    let count = spec.destinations.as_ref().map_or(0, Vec::len);
    let mut seen: HashMap<DestinationId, usize> = HashMap::with_capacity(count);
    let mut lowered = Vec::with_capacity(count);
    for (place, spec) in spec.destinations.iter().flatten().enumerate() {
        let spot = list.item(place);
        if spot.is_broken() {
            continue;
        }
        let (own, desired) = destination(context, id, spec, (&spot, service));
        // With another default port they might be two.
        let Some(own) = own.filter(|own| own.port() != 0 || !context.are_defaults_wrong) else { continue };
        let Some(first) = seen.get(&own) else {
            seen.insert(own, place);
            lowered.extend(desired);
            continue;
        };
        let first = list.item(*first).at("address").place();
        let address = escaped(text(spec.address.as_ref()).unwrap_or_default());
        spot.at("address").error(format_args!(
            "Destination addresses must be unique per service: {address} in service {service} (first at {first})"
        ));
    }
    lowered
}

/// A destination of a service: its identity if its address is right, and all of it if everything is.
pub(super) fn destination(
    context: &Context<'_>,
    id: Option<ServiceId>,
    spec: &DestinationSpec,
    (spot, service): (&Spot<'_>, Escaped<'_>),
) -> (Option<DestinationId>, Option<DesiredDestination>) {
    let before = spot.findings.errors();
    let address = text(spec.address.as_ref());
    if address.is_none() && !spot.at("address").is_broken() {
        spot.error(format_args!("Destination address may not be empty for service {service}"));
    }
    let own = address.and_then(|text| {
        let own = address::destination(text, id, service, context.port);
        own.map_err(|message| spot.at("address").error(message)).ok()
    });
    // An object without an address is named by its place.
    let own_path = if address.is_none() { spot.to_string() } else { String::new() };
    let text = address.unwrap_or(&own_path);
    let family = own.map(|own| own.family());
    let subject = Subject { context, spot, object: "destination", text: escaped(text), service, family };
    let placeholder = DestinationId::verbatim([0, 0, 0, 0].into(), 0);
    let forward = context.forward.unwrap_or(ForwardMethod::DirectRoute);
    let mut destination = Destination::new(own.unwrap_or(placeholder), forward);
    let left_alone = DESTINATION.read(spec, subject, &mut destination);
    let mut activity = Activity::Active;
    if let Some(word) = spec.state.as_deref() {
        match Activity::ALL.into_iter().find(|activity| activity.name() == word) {
            Some(known) => activity = known,
            None => subject.invalid("state", "state", escaped(word), "active or drain"),
        }
    }
    let Some(own) = own.filter(|_| spot.findings.errors() == before) else { return (own, None) };
    if let Some(id) = id {
        let oddities = oddities_of_destination(&id, &destination);
        warn_of_oddities(&oddities, spot, format_args!("destination {} of service {service}", subject.text));
    }
    let mut desired = DesiredDestination::new(destination).activity(activity).left_alone(left_alone);
    desired.written = Some(text).filter(|text| own.to_string() != *text).map(Into::into);
    (Some(own), Some(desired))
}

/// Warns of the oddities of an object that was read.
fn warn_of_oddities(oddities: &[Oddity], spot: &Spot<'_>, object: std::fmt::Arguments<'_>) {
    for Oddity { key, problem } in oddities {
        spot.at(key).warning(format_args!("{object} has {problem}"));
    }
}
