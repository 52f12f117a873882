use std::collections::HashMap;

use super::address::Written;
use super::findings::Findings;
use super::merge::Said;
use super::{Context, Lowering, version};
use crate::desired::print::service_text;
use crate::desired::{DesiredDestination, DesiredService, ServiceAttributes, spec};
use crate::model::{
    AddressFamily, DestinationId, ForwardMethod, Protocol, Scheduler, SchedulerFlags, Service, ServiceId,
};

impl Lowering {
    pub(super) fn service(
        &mut self,
        context: &Context,
        place: usize,
        spec: &spec::Service,
        findings: &mut Findings<'_>,
    ) {
        let path = format!("services[{place}]");
        if findings.has_broken() && findings.is_broken(&path) {
            return;
        }
        let before = findings.errors();
        let written = spec.address.as_deref().filter(|text| !text.is_empty());
        let id = self.identity(context, spec, written, &path, findings);
        // What cannot be called by its address is called by its place.
        let text = written.unwrap_or(&path);
        let name = self.name(spec, id, &path, findings);
        let drain = context.drain(spec.drain.as_ref(), &format!("{path}.drain"), findings);
        let Some(id) = id else {
            settings(None, context, spec, text, &path, findings);
            self.destinations(None, context, spec, text, &path, findings);
            return;
        };
        let mut service = Service::new(id, context.scheduler.unwrap_or(Scheduler::Rr));
        settings(Some(&mut service), context, spec, text, &path, findings);
        let mut desired = DesiredService::new(service);
        if context.version == version::Version::One {
            desired.left_alone = left_alone(spec);
        }
        desired.written = Some(text).filter(|text| *text != service_text(&id)).map(Into::into);
        desired.drain = drain;
        desired.name = name;
        desired.destinations = self.destinations(Some(id), context, spec, text, &path, findings);

        let is_damaged = context.are_defaults_wrong || findings.has_broken() && findings.is_damaged(&path);
        let is_right = findings.errors() == before && !is_damaged;
        let address_path = format!("{path}.address");
        let here = findings.place(&address_path);
        match self.services.get(&id) {
            None => {
                let index = is_right.then_some(self.state.services.len());
                self.services.insert(id, (index, here.clone()));
                if is_right {
                    warn(&desired, spec, text, &path, findings);
                    self.state.services.push(desired);
                    self.places.push(here);
                    self.said.push(Said::by(spec));
                }
            }
            Some((index, first)) if self.merge => {
                let first = first.clone();
                if let Some(index) = index.filter(|_| is_right) {
                    self.unite(index, desired, Said::by(spec), (text, &path, &first), findings);
                }
            }
            // With another default port they might be two.
            Some(_) if context.are_defaults_wrong && id.port() == Some(0) => {}
            Some((_, first)) => {
                findings.error(&address_path, format!("Service addresses must be unique: {text} (first at {first})"));
            }
        }
    }

    /// Its identity; nothing if its address is wrong.
    #[expect(clippy::unused_self, reason = "the steps of lowering stand together")]
    fn identity(
        &self,
        context: &Context,
        spec: &spec::Service,
        text: Option<&str>,
        path: &str,
        findings: &mut Findings<'_>,
    ) -> Option<ServiceId> {
        let address_path = format!("{path}.address");
        let Some(text) = text else {
            if !findings.is_key_broken(path, "address") {
                findings.error(path, "Service address may not be empty");
            }
            return None;
        };
        let before = findings.errors();
        let written = Written::parse(text, context.version).map_err(|message| findings.error(&address_path, message));
        let written = written.ok()?;
        let family = family(spec, &written, text, path, findings);
        if findings.errors() != before || findings.is_key_broken(path, "family") {
            return None;
        }
        let id = written.id(family, context.port);
        id.map_err(|message| findings.error(&address_path, message)).ok()
    }

    fn name(
        &mut self,
        spec: &spec::Service,
        id: Option<ServiceId>,
        path: &str,
        findings: &mut Findings<'_>,
    ) -> Option<String> {
        let name = spec.name.as_deref()?;
        let path = format!("{path}.name");
        let is_right = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_right {
            let message =
                format!("invalid name ({name}): expected 1 to 63 letters, digits, dots, underscores or dashes");
            findings.error(&path, message);
            return None;
        }
        if let Some((owner, first)) = self.names.get(name) {
            let is_itself = self.merge && (owner.is_none() || id.is_none() || *owner == id);
            if !is_itself {
                findings.error(&path, format!("Service names must be unique: {name} (first at {first})"));
            }
        } else {
            self.names.insert(name.to_owned(), (id, findings.place(&path)));
        }
        Some(name.to_owned())
    }

    fn destinations(
        &self,
        service: Option<ServiceId>,
        context: &Context,
        spec: &spec::Service,
        text: &str,
        service_path: &str,
        findings: &mut Findings<'_>,
    ) -> Vec<DesiredDestination> {
        let specs = spec.destinations.as_deref().unwrap_or_default();
        let mut seen: HashMap<DestinationId, usize> = HashMap::with_capacity(specs.len());
        let mut lowered = Vec::with_capacity(specs.len());
        for (place, spec) in specs.iter().enumerate() {
            let path = || format!("{service_path}.destinations[{place}]");
            if findings.has_broken() && findings.is_broken(&path()) {
                continue;
            }
            let (id, destination) = self.destination((service, text), context, spec, path, findings);
            // With another default port they might be two.
            let Some(id) = id.filter(|id| id.port() != 0 || !context.are_defaults_wrong) else { continue };
            if let Some(first) = seen.get(&id) {
                let first = findings.place(&format!("{service_path}.destinations[{first}].address"));
                let written = spec.address.as_deref().unwrap_or_default();
                let message = format!(
                    "Destination addresses must be unique per service: {written} in service {text} (first at {first})"
                );
                findings.error(&format!("{}.address", path()), message);
            } else {
                seen.insert(id, place);
                lowered.extend(destination);
            }
        }
        lowered
    }
}

/// The value of `family`, which counts for a mark only.
fn family(
    spec: &spec::Service,
    written: &Written,
    text: &str,
    path: &str,
    findings: &mut Findings<'_>,
) -> Option<AddressFamily> {
    let word = spec.family.as_deref()?;
    let path = format!("{path}.family");
    let family = match word {
        "ipv4" => AddressFamily::Ipv4,
        "ipv6" => AddressFamily::Ipv6,
        _ => {
            findings.error(&path, format!("invalid family ({word}) for service {text}: expected ipv4 or ipv6"));
            return None;
        }
    };
    match written {
        Written::Address { .. } => {
            findings.error(&path, format!("family is for firewall marks only: the address of {text} says which it is"));
        }
        Written::Mark { family: Some(other), .. } if *other != family => {
            findings.error(&path, format!("family {word} contradicts the address {text}"));
        }
        Written::Mark { .. } => {}
    }
    Some(family)
}

/// What version 1 cannot say and the file does not say.
fn left_alone(spec: &spec::Service) -> ServiceAttributes {
    let mut left_alone = ServiceAttributes::empty();
    left_alone.set(ServiceAttributes::SCHEDULER_FLAGS, spec.sched_flags.is_none());
    left_alone.set(ServiceAttributes::ONE_PACKET, spec.one_packet.is_none());
    left_alone.set(ServiceAttributes::PERSISTENCE, spec.persistence.is_none());
    left_alone
}

/// Reads the settings of a service into it; of one whose address is wrong, as far as they can be read.
fn settings(
    service: Option<&mut Service>,
    context: &Context,
    spec: &spec::Service,
    text: &str,
    path: &str,
    findings: &mut Findings<'_>,
) {
    let scheduler = scheduler(context, spec, text, path, findings);
    let mut flags = SchedulerFlags::empty();
    for (place, word) in spec.sched_flags.iter().flatten().enumerate() {
        let Some(scheduler) = &scheduler else { break };
        let flag_path = format!("{path}.sched-flags[{place}]");
        if let Some(flag) = scheduler_flag(word, scheduler) {
            flags |= flag;
        } else if !findings.is_broken(&flag_path) {
            let fitting = match scheduler {
                Scheduler::Sh | Scheduler::Mh => "fallback, port, flag-1, flag-2 or flag-3",
                _ => "flag-1, flag-2 or flag-3",
            };
            let message =
                format!("invalid scheduler flag ({word}) for service {text}: with {scheduler} expected {fitting}");
            findings.error(&flag_path, message);
        }
    }
    let Some(service) = service else { return };
    service.scheduler = scheduler.unwrap_or(service.scheduler);
    service.scheduler_flags = flags;
    let is_stream = matches!(service.id.protocol(), Some(Protocol::TCP | Protocol::SCTP));
    if spec.one_packet == Some(true) {
        if is_stream {
            let message = format!("one-packet is for udp and firewall marks only: service {text}");
            findings.error(&format!("{path}.one-packet"), message);
        }
        service.one_packet = true;
    }
    if let Some(persistence) = &spec.persistence {
        let subject = super::persistence::Subject { id: service.id, text, version: context.version };
        service.persistence = subject.persistence(persistence, &format!("{path}.persistence"), findings);
    }
}

/// The scheduler, its own or that of the defaults; nothing if it is wrong.
fn scheduler(
    context: &Context,
    spec: &spec::Service,
    text: &str,
    path: &str,
    findings: &mut Findings<'_>,
) -> Option<Scheduler> {
    // An empty word is as good as none, unlike in the defaults.
    let Some(name) = spec.sched.as_deref().filter(|name| !name.is_empty()) else {
        return context.scheduler.filter(|_| !findings.is_key_broken(path, "sched"));
    };
    let path = format!("{path}.sched");
    let scheduler = context.version.scheduler(name);
    match &scheduler {
        Some(scheduler) => version::warn_of_scheduler(scheduler, &path, findings),
        None => findings.error(&path, format!("invalid scheduler ({name}) for service ({text}).")),
    }
    scheduler
}

/// `flag-1` fits every scheduler, the others have names with two of them.
fn scheduler_flag(word: &str, scheduler: &Scheduler) -> Option<SchedulerFlags> {
    let own = match scheduler {
        Scheduler::Sh => word.strip_prefix("sh-").or(Some(word)),
        Scheduler::Mh => word.strip_prefix("mh-").or(Some(word)),
        _ => None,
    };
    match (word, own) {
        ("flag-1", _) | (_, Some("fallback")) => Some(SchedulerFlags::FALLBACK),
        ("flag-2", _) | (_, Some("port")) => Some(SchedulerFlags::PORT),
        ("flag-3", _) => Some(SchedulerFlags::FLAG_3),
        _ => None,
    }
}

/// What can be meant, but probably is not.
fn warn(desired: &DesiredService, spec: &spec::Service, text: &str, path: &str, findings: &mut Findings<'_>) {
    let service = &desired.service;
    if service.id.port() == Some(0) && service.persistence.is_none() {
        let message =
            format!("service {text} has port 0 and no persistence: the kernel schedules no connection for it");
        findings.warning(&format!("{path}.address"), message);
    }
    if desired.destinations.is_empty() {
        findings.warning(path, format!("service {text} has no destinations: its clients are refused"));
        return;
    }
    if desired.destinations.iter().all(|wanted| wanted.destination.weight.get() == 0) {
        let message = format!("all destinations of service {text} have weight 0: none takes new connections");
        findings.warning(path, message);
    }
    let ignores_weights = matches!(service.scheduler, Scheduler::Rr | Scheduler::Lc | Scheduler::Dh);
    let weights = spec.destinations.iter().flatten().filter_map(|destination| destination.weight);
    if ignores_weights && weights.max().is_some_and(|weight| weight > 1) {
        let message = format!(
            "the scheduler {} of service {text} does not look at weights: only 0 makes a difference",
            service.scheduler
        );
        findings.warning(path, message);
    }
    let Some(port) = service.id.port().filter(|port| *port != 0) else { return };
    for wanted in &desired.destinations {
        let id = wanted.id();
        let is_mapped = matches!(wanted.destination.forward, ForwardMethod::DirectRoute | ForwardMethod::Tunnel(_));
        if is_mapped && id.port() != port {
            let message = format!(
                "destination {id} of service {text} has another port than its service, which works with forward: nat only"
            );
            findings.warning(path, message);
        }
    }
}
