use std::collections::HashMap;

use super::Input;
use super::findings::{Findings, Path};
use super::service::LoweredService;
use crate::desired::{DesiredService, Scope, ServiceAttributes, spec};
use crate::model::ServiceId;

/// Services of several files become those of one table.
pub(super) struct Join<'j, 'f> {
    pub(super) inputs: &'j [Input<'f>],
    /// Whether one service may stand in several places.
    pub(super) merges: bool,
    /// What is managed; nothing if that is not known.
    pub(super) scope: Option<&'j Scope>,
    /// Whether a synchronization daemon should run.
    pub(super) has_sync: bool,
    joined: Vec<Joined>,
    by_id: HashMap<ServiceId, usize>,
    by_name: HashMap<String, usize>,
}

/// A service, and where it was found first.
struct Joined {
    input: usize,
    lowered: LoweredService,
    /// Where its destinations were found: file, place of the service, place of the destination.
    rows: Vec<(usize, usize, usize)>,
}

impl<'j, 'f> Join<'j, 'f> {
    pub(super) fn new(inputs: &'j [Input<'f>], merges: bool, scope: Option<&'j Scope>, has_sync: bool) -> Self {
        let (by_id, by_name) = (HashMap::new(), HashMap::new());
        Self { inputs, merges, scope, has_sync, joined: Vec::new(), by_id, by_name }
    }

    pub(super) fn add(&mut self, input: usize, lowered: LoweredService, findings: &mut Findings<'_>) {
        let list = Path::File.key("services");
        let path = list.item(lowered.place);
        let address = path.key("address");
        if let Some(id) = lowered.id {
            if self.scope.is_some_and(|scope| !scope.covers(&id)) {
                findings.error(&address, format!("service {} is outside of the scope", lowered.text));
            }
            self.check_families(&path, id, &lowered, findings);
            if let Some(first) = self.by_id.get(&id).copied() {
                if self.merges {
                    self.merge(first, input, lowered, findings);
                } else {
                    findings.error(&address, self.twice(first, input, &lowered.text));
                }
                return;
            }
            self.by_id.insert(id, self.joined.len());
        }
        self.check_name(&path, input, self.joined.len(), lowered.name.as_ref(), findings);
        let rows = (0..lowered.destinations.len()).map(|row| (input, lowered.place, row)).collect();
        self.joined.push(Joined { input, lowered, rows });
    }

    /// The services, if nothing is wrong with any of them.
    pub(super) fn finish(self) -> Vec<DesiredService> {
        let services = self.joined.into_iter().filter_map(|Joined { lowered, .. }| {
            let mut desired = lowered.desired?;
            desired.destinations = lowered.destinations.into_iter().filter_map(|row| row.desired).collect();
            Some(desired)
        });
        services.collect()
    }

    fn twice(&self, first: usize, input: usize, text: &str) -> String {
        let message = format!("Service addresses must be unique: {text}");
        match self.joined.get(first) {
            Some(joined) if joined.input != input => format!("{message}; {}", self.already(joined)),
            Some(joined) if joined.lowered.text != text => format!("{message} is {}", joined.lowered.text),
            _ => message,
        }
    }

    fn already(&self, joined: &Joined) -> String {
        let path = format!("services[{}].address", joined.lowered.place);
        let place = self.inputs.get(joined.input).map(|input| input.origin.place(&path)).unwrap_or_default();
        format!("it stands in {place} already")
    }

    fn check_name(
        &mut self,
        path: &Path<'_>,
        input: usize,
        index: usize,
        name: Option<&String>,
        findings: &mut Findings<'_>,
    ) {
        let Some(name) = name else { return };
        match self.by_name.get(name).copied().filter(|first| *first != index) {
            None => {
                self.by_name.insert(name.clone(), index);
            }
            Some(first) => {
                let message = format!("Service names must be unique: {name}");
                let message = match self.joined.get(first) {
                    Some(joined) if joined.input != input => format!("{message}; {}", self.already(joined)),
                    Some(joined) => format!("{message}; service {} has it already", joined.lowered.text),
                    None => message,
                };
                findings.error(&path.key("name"), message);
            }
        }
    }

    /// The kernel refuses a destination of the other family where a daemon runs, and a daemon where there is one.
    fn check_families(&self, path: &Path<'_>, id: ServiceId, lowered: &LoweredService, findings: &mut Findings<'_>) {
        if !self.has_sync {
            return;
        }
        let list = path.key("destinations");
        for (place, row) in lowered.destinations.iter().enumerate() {
            if row.desired.is_some() && row.id.is_some_and(|row| row.family() != id.family()) {
                let message = format!(
                    "destination {} is of another address family than service {}: the kernel takes none where a synchronization daemon runs",
                    row.text, lowered.text
                );
                findings.error(&list.item(place).key("address"), message);
            }
        }
    }

    /// Adds what is written about a service in another place.
    fn merge(&mut self, first: usize, input: usize, other: LoweredService, findings: &mut Findings<'_>) {
        let list = Path::File.key("services");
        let path = list.item(other.place);
        self.check_name(&path, input, first, other.name.as_ref(), findings);
        let written = |input: usize, place: usize| -> Option<&spec::Service> {
            self.inputs.get(input)?.file.services.as_ref()?.get(place)
        };
        let Some(mine) = self.joined.get(first).and_then(|one| written(one.input, one.lowered.place)).cloned() else {
            return;
        };
        let Some(its) = written(input, other.place) else { return };
        let already = self.joined.get(first).map(|one| self.already(one)).unwrap_or_default();
        let Some(one) = self.joined.get_mut(first) else { return };

        if let (Some(desired), Some(theirs)) = (one.lowered.desired.as_mut(), &other.desired) {
            let mut differ = |key: &'static str| {
                let message = format!("service {} has another {key} elsewhere: {already}", other.text);
                findings.error(&path.key(key), message);
            };
            let (service, their) = (&mut desired.service, &theirs.service);
            if its.sched.is_some() {
                if mine.sched.is_none() {
                    service.scheduler = their.scheduler;
                } else if service.scheduler != their.scheduler {
                    differ("sched");
                }
            }
            if its.sched_flags.is_some() {
                if mine.sched_flags.is_none() {
                    service.scheduler_flags = their.scheduler_flags;
                    desired.left_alone.remove(ServiceAttributes::SCHEDULER_FLAGS);
                } else if service.scheduler_flags != their.scheduler_flags {
                    differ("sched-flags");
                }
            }
            if its.one_packet.is_some() {
                if mine.one_packet.is_none() {
                    service.one_packet = their.one_packet;
                    desired.left_alone.remove(ServiceAttributes::ONE_PACKET);
                } else if service.one_packet != their.one_packet {
                    differ("one-packet");
                }
            }
            if its.persistence.is_some() {
                if mine.persistence.is_none() {
                    service.persistence = their.persistence;
                    desired.left_alone.remove(ServiceAttributes::PERSISTENCE);
                } else if service.persistence != their.persistence {
                    differ("persistence");
                }
            }
            if its.drain.is_some() {
                if mine.drain.is_none() {
                    desired.drain = theirs.drain;
                } else if desired.drain != theirs.drain {
                    differ("drain");
                }
            }
            if its.name.is_some() {
                if mine.name.is_none() {
                    desired.name.clone_from(&theirs.name);
                } else if desired.name != theirs.name {
                    differ("name");
                }
            }
        }
        self.merge_destinations(first, input, other, findings);
    }

    fn merge_destinations(&mut self, first: usize, input: usize, other: LoweredService, findings: &mut Findings<'_>) {
        let Some(one) = self.joined.get_mut(first) else { return };
        let known: HashMap<_, usize> =
            one.lowered.destinations.iter().enumerate().filter_map(|(row, known)| Some((known.id?, row))).collect();
        let list = Path::File.key("services");
        let path = list.item(other.place);
        let path = path.key("destinations");
        for (place, row) in other.destinations.into_iter().enumerate() {
            let before = row.id.and_then(|id| known.get(&id).copied());
            let Some(before) = before else {
                one.lowered.destinations.push(row);
                one.rows.push((input, other.place, place));
                continue;
            };
            let known = one.lowered.destinations.get(before).and_then(|known| known.desired.as_ref());
            let is_same = known
                .zip(row.desired.as_ref())
                .is_some_and(|(known, row)| known.destination == row.destination && known.activity == row.activity);
            if !is_same && row.desired.is_some() {
                let at = one.rows.get(before).and_then(|(input, service, row)| {
                    let path = format!("services[{service}].destinations[{row}].address");
                    Some(self.inputs.get(*input)?.origin.place(&path))
                });
                let message = format!(
                    "Destination addresses must be unique per service: {} in service {}; it stands in {} already, with other settings",
                    row.text,
                    other.text,
                    at.unwrap_or_default()
                );
                findings.error(&path.item(place).key("address"), message);
            }
        }
    }
}
