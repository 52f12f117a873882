//! Single objects as saved plans have them: in the words of version 2, without checks between objects.

use super::{address, object};
use crate::desired::print::service_text;
use crate::desired::settings::{Context, Version};
use crate::desired::spec::{DestinationSpec, ServiceSpec};
use crate::desired::written::{Findings, Spot};
use crate::desired::{DesiredDestination, DesiredService, Severity, escaped};
use crate::model::{DestinationId, ServiceId};

/// Reads the address of a service and the family of a mark, as they are printed.
pub(in crate::desired) fn service_id(spec: &ServiceSpec) -> Result<ServiceId, String> {
    alone(|spot| object::identity(&Context::new(Version::Two), spec, spot))
}

/// Reads the address of a destination, as it is printed.
pub(in crate::desired) fn destination_id(spec: &DestinationSpec) -> Result<DestinationId, String> {
    let text = spec.address.as_deref().unwrap_or_default();
    address::destination(text, None, escaped(""), None)
}

/// Reads a service with its destinations.
pub(in crate::desired) fn service(spec: &ServiceSpec) -> Result<DesiredService, String> {
    let context = Context::new(Version::Two);
    let text = spec.address.as_deref().unwrap_or_default();
    alone(|spot| {
        let id = object::identity(&context, spec, spot);
        let service = object::service(&context, id, spec, (spot, text));
        Some(DesiredService { name: spec.name.clone(), ..service })
    })
}

/// Reads a destination of a service.
pub(in crate::desired) fn destination(
    service: ServiceId,
    spec: &DestinationSpec,
) -> Result<DesiredDestination, String> {
    let (context, text) = (Context::new(Version::Two), service_text(&service));
    alone(|spot| object::destination(&context, Some(service), spec, (spot, escaped(&text))).1)
}

/// Reads an object that does not stand in a file; the first mistake is the error.
pub(in crate::desired) fn alone<T>(read: impl FnOnce(&Spot<'_>) -> Option<T>) -> Result<T, String> {
    let findings = Findings::default();
    let value = read(&Spot::file(&findings, None));
    let error = findings.into_found().into_iter().find(|one| one.severity == Severity::Error);
    match (error, value) {
        (None, Some(value)) => Ok(value),
        (error, _) => Err(error.map(|error| error.message).unwrap_or_default()),
    }
}
