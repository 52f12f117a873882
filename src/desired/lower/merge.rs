use std::collections::HashMap;

use super::Lowering;
use super::findings::Findings;
use crate::desired::{DesiredDestination, DesiredService, Place, ServiceAttributes, spec};

/// The settings of a service that somebody wrote; what nobody wrote contradicts nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    scheduler: bool,
    attributes: ServiceAttributes,
}

impl Said {
    pub(super) fn by(spec: &spec::Service) -> Self {
        let mut attributes = ServiceAttributes::empty();
        attributes.set(ServiceAttributes::SCHEDULER_FLAGS, spec.sched_flags.is_some());
        attributes.set(ServiceAttributes::ONE_PACKET, spec.one_packet.is_some());
        attributes.set(ServiceAttributes::PERSISTENCE, spec.persistence.is_some());
        Self { scheduler: spec.sched.as_ref().is_some_and(|name| !name.is_empty()), attributes }
    }
}

impl Lowering {
    /// Adds what is written about a service in another place: settings that were not said, and destinations.
    pub(super) fn unite(
        &mut self,
        index: usize,
        other: DesiredService,
        said: Said,
        (text, path, first): (&str, &str, &Place),
        findings: &mut Findings<'_>,
    ) {
        let Some((known, before)) = self.state.services.get_mut(index).zip(self.said.get_mut(index)) else { return };
        let differ = |key: &str, findings: &mut Findings<'_>| {
            findings.error(&format!("{path}.{key}"), format!("service {text} has another {key} than at {first}"));
        };
        let (mine, its) = (&mut known.service, &other.service);
        match (before.scheduler, said.scheduler) {
            (true, true) if mine.scheduler != its.scheduler => differ("sched", findings),
            (false, true) => mine.scheduler = its.scheduler,
            _ => {}
        }
        for attribute in
            [ServiceAttributes::SCHEDULER_FLAGS, ServiceAttributes::ONE_PACKET, ServiceAttributes::PERSISTENCE]
        {
            if !said.attributes.contains(attribute) {
                continue;
            }
            let (key, is_same) = if attribute == ServiceAttributes::SCHEDULER_FLAGS {
                ("sched-flags", mine.scheduler_flags == its.scheduler_flags)
            } else if attribute == ServiceAttributes::ONE_PACKET {
                ("one-packet", mine.one_packet == its.one_packet)
            } else {
                ("persistence", mine.persistence == its.persistence)
            };
            if before.attributes.contains(attribute) {
                if !is_same {
                    differ(key, findings);
                }
                continue;
            }
            match key {
                "sched-flags" => mine.scheduler_flags = its.scheduler_flags,
                "one-packet" => mine.one_packet = its.one_packet,
                _ => mine.persistence = its.persistence,
            }
            known.left_alone.remove(attribute);
        }
        before.scheduler |= said.scheduler;
        before.attributes |= said.attributes;
        match (&known.name, other.name) {
            (Some(mine), Some(its)) if *mine != its => differ("name", findings),
            (None, its) => known.name = its,
            _ => {}
        }
        match (known.drain, other.drain) {
            (Some(mine), Some(its)) if mine != its => differ("drain", findings),
            (None, its) => known.drain = its,
            _ => {}
        }
        unite_destinations(known, other.destinations, (text, path, first), findings);
    }
}

fn unite_destinations(
    known: &mut DesiredService,
    others: Vec<DesiredDestination>,
    (text, path, first): (&str, &str, &Place),
    findings: &mut Findings<'_>,
) {
    let there: HashMap<_, _> = known.destinations.iter().map(|wanted| (wanted.id(), wanted.clone())).collect();
    for destination in others {
        match there.get(&destination.id()) {
            None => known.destinations.push(destination),
            Some(other) if is_same(other, &destination) => {}
            Some(_) => {
                let message = format!(
                    "destination {} of service {text} has other settings than with the service at {first}",
                    destination.id()
                );
                findings.error(&format!("{path}.address"), message);
            }
        }
    }
}

fn is_same(one: &DesiredDestination, other: &DesiredDestination) -> bool {
    one.destination == other.destination && one.activity == other.activity && one.left_alone == other.left_alone
}
