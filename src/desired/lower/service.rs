use std::collections::HashSet;

use super::address::ServiceAddress;
use super::destination::LoweredDestination;
use super::findings::{Findings, Path, Setting};
use super::persistence::Of;
use super::settings::Defaults;
use super::words;
use crate::desired::print::service_address;
use crate::desired::{DesiredService, Drain, ServiceAttributes, spec};
use crate::model::{AddressFamily, Protocol, Scheduler, SchedulerFlags, Service, ServiceId};

/// A service as far as it can be understood.
#[derive(Debug)]
pub(super) struct LoweredService {
    /// Its place in the list of its file.
    pub(super) place: usize,
    pub(super) text: String,
    /// Nothing if its address is wrong.
    pub(super) id: Option<ServiceId>,
    pub(super) name: Option<String>,
    /// Without destinations; nothing if something of it is wrong.
    pub(super) desired: Option<DesiredService>,
    /// As many as are written.
    pub(super) destinations: Vec<LoweredDestination>,
}

impl Findings<'_> {
    pub(super) fn service(
        &mut self,
        place: usize,
        written: &spec::Service,
        defaults: &Defaults,
        drain: Option<Drain>,
    ) -> LoweredService {
        let list = Path::File.key("services");
        let path = list.item(place);
        let mut lowered = LoweredService {
            place,
            text: path.to_string(),
            id: None,
            name: None,
            desired: None,
            destinations: Vec::new(),
        };
        if self.is_broken(&path) {
            return lowered;
        }
        let address_path = path.key("address");
        match self.setting(&address_path, written.address.as_ref()) {
            Setting::Is(text) if !text.is_empty() => {
                lowered.text.clone_from(text);
                lowered.id = self.service_id(&path, text, written.family.as_ref(), defaults);
            }
            Setting::Absent | Setting::Is(_) => self.error(&address_path, "Service address may not be empty"),
            Setting::Broken => {}
        }
        let text = lowered.text.clone();
        let of = Of { text: &text, id: lowered.id };

        lowered.name = self.name(&path.key("name"), written.name.as_ref(), of);
        let scheduler = self.scheduler(&path.key("sched"), written.sched.as_ref(), of, defaults);
        let flags = self.scheduler_flags(&path.key("sched-flags"), written.sched_flags.as_ref(), scheduler, of);
        let one_packet = self.one_packet(&path.key("one-packet"), written.one_packet, of);
        let persistence = self.persistence(&path.key("persistence"), written.persistence.as_ref(), of);
        let drain_path = path.key("drain");
        let own_drain = match self.setting(&drain_path, written.drain.as_ref()) {
            Setting::Is(own) => self.drain(&drain_path, own, drain),
            _ => None,
        };
        lowered.destinations = self.destinations(&path, written, of, defaults);
        self.look_at_destinations(&path, &lowered, scheduler);

        let (Some(id), Some(scheduler), Some(flags)) = (lowered.id, scheduler, flags) else { return lowered };
        let Some(one_packet) = one_packet else { return lowered };
        let persistence = match persistence {
            Setting::Absent => None,
            Setting::Broken => return lowered,
            Setting::Is(persistence) => Some(persistence),
        };
        if id.port() == Some(0) && persistence.is_none() {
            let message = format!(
                "service {text} has neither a port nor persistence: the kernel takes it, but gives it no connection"
            );
            self.warning(&address_path, message);
        }
        let mut service = Service::new(id, scheduler).scheduler_flags(flags).one_packet(one_packet);
        if let Some(persistence) = persistence {
            service = service.persistence(persistence);
        }
        let mut desired = DesiredService::new(service);
        desired.name.clone_from(&lowered.name);
        desired.drain = own_drain;
        if !self.is_version_2 {
            desired.left_alone.set(ServiceAttributes::SCHEDULER_FLAGS, written.sched_flags.is_none());
            desired.left_alone.set(ServiceAttributes::ONE_PACKET, written.one_packet.is_none());
            desired.left_alone.set(ServiceAttributes::PERSISTENCE, written.persistence.is_none());
        }
        desired.written = (text != service_address(&id)).then(|| text.into_boxed_str());
        lowered.desired = Some(desired);
        lowered
    }

    fn service_id(
        &mut self,
        path: &Path<'_>,
        text: &str,
        family: Option<&String>,
        defaults: &Defaults,
    ) -> Option<ServiceId> {
        let (address_path, family_path) = (path.key("address"), path.key("family"));
        let address = ServiceAddress::parse(text, self.max_mark());
        let address = address.map_err(|message| self.error(&address_path, message)).ok();
        let family = self.setting(&family_path, family).and_then(|word| {
            let family = match word.as_str() {
                "ipv4" => Some(AddressFamily::Ipv4),
                "ipv6" => Some(AddressFamily::Ipv6),
                _ => None,
            };
            if family.is_none() {
                self.error(&family_path, format!("invalid family ({word}) for service {text}. Allowed are ipv4,ipv6"));
            }
            family
        });
        match address? {
            ServiceAddress::Mark { mark, family: own } => {
                if let (Some(own), Setting::Is(family)) = (own, family)
                    && own != family
                {
                    self.error(&family_path, format!("service {text} is of the family ipv6 already"));
                    return None;
                }
                let family = own.or(family.or(AddressFamily::Ipv4));
                ServiceId::fwmark(mark, family?).ok()
            }
            ServiceAddress::Address { protocol, address, port } => {
                if matches!(family, Setting::Is(_)) {
                    let message =
                        format!("service {text} has its family from its address: family is for firewall marks");
                    self.error(&family_path, message);
                }
                let port = match port {
                    0 => defaults.port.or(0)?,
                    port => port,
                };
                Some(ServiceId::verbatim(protocol, address, port))
            }
        }
    }

    fn name(&mut self, path: &Path<'_>, name: Option<&String>, of: Of<'_>) -> Option<String> {
        let name = name?;
        let is_allowed = |byte| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if (1..=63).contains(&name.len()) && name.bytes().all(is_allowed) {
            return Some(name.clone());
        }
        let service = of.text;
        self.error(
            path,
            format!("invalid name ({name}) for service {service}. A name is 1 to 63 letters, digits, dots, underscores and dashes"),
        );
        None
    }

    fn scheduler(
        &mut self,
        path: &Path<'_>,
        word: Option<&String>,
        of: Of<'_>,
        defaults: &Defaults,
    ) -> Option<Scheduler> {
        let (service, is_version_2) = (of.text, self.is_version_2);
        // An empty word is none, unlike one in the defaults.
        let scheduler = self.setting(path, word.filter(|word| !word.is_empty())).and_then(|word| {
            let scheduler = words::scheduler(word, is_version_2);
            match scheduler {
                None => self.error(path, format!("invalid scheduler ({word}) for service ({service}).")),
                Some(Scheduler::Other(_)) => {
                    let message = format!(
                        "the scheduler {word} of service {service} is not known here: the kernel has to have it"
                    );
                    self.warning(path, message);
                }
                Some(_) => {}
            }
            scheduler
        });
        scheduler.or_else(|| defaults.scheduler).or(Scheduler::Rr)
    }

    fn scheduler_flags(
        &mut self,
        path: &Path<'_>,
        words: Option<&Vec<String>>,
        scheduler: Option<Scheduler>,
        of: Of<'_>,
    ) -> Option<SchedulerFlags> {
        let words = match self.setting(path, words) {
            Setting::Absent => return Some(SchedulerFlags::empty()),
            Setting::Broken => return None,
            Setting::Is(words) => words,
        };
        let (scheduler, service) = (scheduler?, of.text);
        let mut flags = Some(SchedulerFlags::empty());
        for (place, word) in words.iter().enumerate() {
            let item = path.item(place);
            let flag = if self.is_broken(&item) { None } else { words::scheduler_flag(word, scheduler) };
            if flag.is_none() && !self.is_broken(&item) {
                let allowed = match scheduler {
                    Scheduler::Sh | Scheduler::Mh => "fallback,port,flag-1,flag-2,flag-3",
                    _ => "flag-1,flag-2,flag-3",
                };
                let message = format!(
                    "invalid flag ({word}) for the scheduler {scheduler} of service {service}. Allowed are {allowed}"
                );
                self.error(&item, message);
            }
            flags = flags.zip(flag).map(|(flags, flag)| flags | flag);
        }
        flags
    }

    fn one_packet(&mut self, path: &Path<'_>, one_packet: Option<bool>, of: Of<'_>) -> Option<bool> {
        let one_packet = self.setting(path, one_packet.as_ref()).and_then(|switch| Some(*switch)).or(false)?;
        let is_other = of.id.is_some_and(|id| id.protocol().is_some_and(|protocol| protocol != Protocol::UDP));
        if one_packet && is_other {
            let service = of.text;
            self.error(path, format!("one-packet is for UDP and firewall marks, which service {service} is not"));
            return None;
        }
        Some(one_packet)
    }

    fn destinations(
        &mut self,
        path: &Path<'_>,
        written: &spec::Service,
        of: Of<'_>,
        defaults: &Defaults,
    ) -> Vec<LoweredDestination> {
        let list = path.key("destinations");
        let service = of.text;
        let mut known = HashSet::new();
        let mut lowered = Vec::with_capacity(written.destinations.as_ref().map_or(0, Vec::len));
        for (place, destination) in written.destinations.iter().flatten().enumerate() {
            let path = list.item(place);
            let destination = self.destination(&path, destination, of, defaults);
            if destination.id.is_some_and(|id| !known.insert(id)) {
                let text = &destination.text;
                let message = format!("Destination addresses must be unique per service: {text} in service {service}");
                self.error(&path.key("address"), message);
            }
            lowered.push(destination);
        }
        lowered
    }

    /// What is allowed and seldom meant.
    fn look_at_destinations(&mut self, path: &Path<'_>, lowered: &LoweredService, scheduler: Option<Scheduler>) {
        let service = &lowered.text;
        let list = path.key("destinations");
        if lowered.destinations.is_empty() {
            if !self.is_broken(&list) {
                self.warning(path, format!("service {service} has no destinations"));
            }
            return;
        }
        let has_no_weight =
            |row: &LoweredDestination| row.desired.as_ref().is_some_and(|desired| desired.kernel_weight().get() == 0);
        if lowered.destinations.iter().all(has_no_weight) {
            let message = format!("all destinations of service {service} have weight 0: it takes no new connections");
            self.warning(&list, message);
        }
        // 1 is what tools write where nobody said anything.
        let weighted = lowered.destinations.iter().position(|row| row.own_weight.is_some_and(|weight| weight > 1));
        if let (Some(place), Some(scheduler)) = (weighted, scheduler.filter(|one| words::ignores_weights(*one))) {
            let path = list.item(place);
            let message = format!("the scheduler {scheduler} of service {service} looks at no weight, but for 0");
            self.warning(&path.key("weight"), message);
        }
    }
}
