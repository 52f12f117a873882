//! Single objects as saved plans have them: in the words of version 2, without checks between objects.

use super::{object, whole};
use crate::desired::settings::{Context, Subject, Version};
use crate::desired::written::{self, Findings, Form, Spot};
use crate::desired::{DesiredDestination, DesiredService, Drain, Scope, Severity, shown, spec};
use crate::model::{Config, DestinationId, ServiceId, SyncDaemon};

/// Reads the address of a service and the family of a mark, as they are printed.
pub(in crate::desired) fn service_id(spec: &spec::Service) -> Result<ServiceId, String> {
    let written = written::Service::of(spec);
    alone(|spot, findings| object::identity(&Context::new(Version::Two), &written, spot, findings))
}

/// Reads the address of a destination, as it is printed.
pub(in crate::desired) fn destination_id(spec: &spec::Destination) -> Result<DestinationId, String> {
    let text = spec.address.as_deref().unwrap_or_default();
    super::address::destination(text, None, shown(""), None)
}

/// Reads a service with its destinations.
pub(in crate::desired) fn service(spec: &spec::Service) -> Result<DesiredService, String> {
    let (context, written) = (Context::new(Version::Two), written::Service::of(spec));
    let text = spec.address.as_deref().unwrap_or_default();
    alone(|spot, findings| {
        let id = object::identity(&context, &written, spot, findings);
        let service = object::service(&context, id, &written, (spot, text), findings);
        Some(DesiredService { name: spec.name.clone(), ..service })
    })
}

/// Reads a destination of a service.
pub(in crate::desired) fn destination(
    service: ServiceId,
    spec: &spec::Destination,
) -> Result<DesiredDestination, String> {
    let (context, written) = (Context::new(Version::Two), written::Destination::of(spec));
    let text = crate::desired::print::service_text(&service);
    alone(|spot, findings| {
        let (text, family) = (shown(&text), Some(service.family()));
        let mut subject = Subject { context: &context, spot, text, service: text, family, findings };
        object::destination(Some(service), &written, spot, &mut subject).1
    })
}

/// Reads a synchronization daemon.
pub(in crate::desired) fn sync(spec: &spec::Sync) -> Result<SyncDaemon, String> {
    alone(|spot, findings| whole::sync(&Form::of(spec), spot, findings))
}

/// Reads time-outs.
pub(in crate::desired) fn timeouts(spec: &spec::Timeouts) -> Result<Config, String> {
    alone(|spot, findings| Some(whole::timeouts(&Form::of(spec), spot, findings)))
}

/// Reads how to drain.
pub(in crate::desired) fn drain(spec: &spec::Drain) -> Result<Option<Drain>, String> {
    alone(|spot, findings| Some(whole::drain(&Form::of(spec), None, spot, findings)))
}

/// Reads a scope.
pub(in crate::desired) fn scope(spec: &spec::Scope) -> Result<Scope, String> {
    alone(|spot, findings| Some(whole::scope(&Form::of(spec), spot, findings)))
}

fn alone<T>(read: impl FnOnce(&Spot<'_>, &mut Findings) -> Option<T>) -> Result<T, String> {
    let mut findings = Findings::default();
    let value = read(&Spot::default(), &mut findings);
    let error = findings.into_found().into_iter().find(|one| one.severity == Severity::Error);
    match (error, value) {
        (None, Some(value)) => Ok(value),
        (error, _) => Err(error.map(|error| error.message).unwrap_or_default()),
    }
}
