use std::time::{Duration, Instant};

use super::command::{Command, Role};
use crate::desired::object::{DestinationChange, Facts, Question};
use crate::desired::plan::{Change, Object, Operation, Plan, Verb};
use crate::desired::{ConnectionCounts, Drain};
use crate::model::{Destination, DestinationId, ServiceId, Weight};

/// A destination, or a service with all of its destinations.
pub(super) type Key = (ServiceId, Option<DestinationId>);

/// Destinations that are drained and deleted together: one, or all of a service.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) place: usize,
    pub(super) service: ServiceId,
    pub(super) drain: Drain,
    pub(super) delete: Object,
    /// Whether it stays with weight 0 when it is idle.
    pub(super) stays: bool,
    pub(super) members: Vec<Member>,
    /// When the waiting began.
    pub(super) since: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Member {
    /// As it is in the plan.
    pub(super) planned: Destination,
    /// As it was before it was first drained.
    pub(super) before: Destination,
    pub(super) connections: ConnectionCounts,
    /// The connections that are waited for; `None` if the destination is gone.
    pub(super) left: Option<u32>,
}

/// The state of a group at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum GroupState {
    Waiting,
    Idle,
    Expired,
}

/// Whether the destinations of an operation have to be drained.
pub(super) fn is_drained(operation: &Operation) -> bool {
    Group::of(0, operation).is_some()
}

/// Returns the groups of destinations that have to be drained.
pub(super) fn groups(operations: &[Operation]) -> Vec<Group> {
    operations.iter().enumerate().filter_map(|(place, operation)| Group::of(place, operation)).collect()
}

/// The destinations of a plan that are drained while persistence holds clients to them.
///
/// Those clients come back to a destination of weight 0, so that waiting for them may be in vain, unless the sysctl
/// `net.ipv4.vs.expire_quiescent_template` is 1: warn of it before where it is not.
///
/// # Example
///
/// ```no_run
/// use ipvs_rs::desired::apply::held_by_persistence;
/// use ipvs_rs::desired::plan::Plan;
///
/// # fn made() -> Plan { Plan::default() }
/// let plan = made();
/// for (service, destination) in held_by_persistence(&plan) {
///     eprintln!("clients of {service} are held to {destination}");
/// }
/// ```
pub fn held_by_persistence(plan: &Plan) -> impl Iterator<Item = (ServiceId, DestinationId)> {
    let groups = groups(plan.operations()).into_iter();
    groups.flat_map(|group| {
        let held = group.members.into_iter().filter(|member| member.connections.persistent > 0);
        held.map(move |member| (group.service, member.planned.id))
    })
}

impl Group {
    fn of(place: usize, operation: &Operation) -> Option<Self> {
        let drain = operation.drain.filter(|_| operation.verb() != Verb::Add)?;
        let stays = operation.verb() == Verb::Update;
        let mut delete = operation.object.clone();
        let drained: Vec<_> = match &mut delete {
            Object::Destination(of) => {
                let planned = of.change.before.clone()?;
                if of.change.after.take().is_some_and(|after| after != planned.clone().drained()) {
                    return None;
                }
                vec![(planned, operation.connections)]
            }
            Object::Service(_) if !stays => {
                operation.destinations.iter().map(|it| (it.destination.clone(), ConnectionCounts::of(it))).collect()
            }
            _ => return None,
        };
        let member = |(planned, connections): (Destination, _)| Member {
            before: planned.clone(),
            planned,
            connections,
            left: Some(u32::MAX),
        };
        let members: Vec<_> = drained.into_iter().map(member).collect();
        let service = operation.service().filter(|_| !members.is_empty())?;
        Some(Self { place, service, drain, delete, stays, members, since: None })
    }

    pub(super) fn mixes_families(&self) -> bool {
        self.members.iter().any(|member| member.planned.id.family() != self.service.family())
    }

    pub(super) fn key(&self) -> Key {
        let destination = self.members.first().map(|member| member.planned.id);
        (self.service, destination.filter(|_| matches!(self.delete, Object::Destination(_))))
    }

    /// The commands that set the weight to 0 for those that have a weight.
    pub(super) fn quiesce(&self) -> impl Iterator<Item = Command> {
        let weighted = self.members.iter().filter(|member| member.planned.weight != Weight::ZERO);
        weighted.map(|member| self.command(Role::Quiesce, member.planned.clone(), member.planned.clone().drained()))
    }

    /// The commands that restore the weight of those that had one.
    pub(super) fn restore(&self) -> impl Iterator<Item = Command> {
        let weighted =
            self.members.iter().filter(|member| member.before.weight != Weight::ZERO && member.left.is_some());
        weighted.map(|member| self.command(Role::Restore, member.before.clone().drained(), member.before.clone()))
    }

    fn command(&self, role: Role, before: Destination, after: Destination) -> Command {
        let change = DestinationChange { service: self.service, change: Change::update(before, after) };
        Command { role, ..Command::new(self.place, Object::Destination(change)) }
    }

    pub(super) fn connections(&self) -> u64 {
        self.members.iter().map(|member| u64::from(member.left.unwrap_or(0))).sum()
    }

    /// The destinations that still have connections.
    pub(super) fn busy(&self) -> usize {
        self.members.iter().filter(|member| member.left.is_some_and(|left| left > 0)).count()
    }

    pub(super) fn waited(&self, now: Instant) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    pub(super) fn state(&self, now: Instant, has_to_end: bool) -> GroupState {
        match self.busy() {
            0 => GroupState::Idle,
            _ if has_to_end || self.waited(now) >= self.drain.timeout => GroupState::Expired,
            _ => GroupState::Waiting,
        }
    }

    /// Returns the question that is still to be asked before the connections of all members are known.
    pub(super) fn question(&self, facts: &Facts) -> Option<Question> {
        let Some(list) = facts.lists.get(&self.service) else { return Some(Question::Destinations(self.service)) };
        let is_sure = list.is_stable || list.is_refused();
        // A list that other programs change while it is read can miss destinations.
        let is_missing = |member: &Member| member.left.is_some() && list.get(&member.planned.id).is_none();
        (!is_sure && self.members.iter().any(is_missing)).then_some(Question::StableDestinations(self.service))
    }

    pub(super) fn count(&mut self, facts: &Facts) {
        let Some(list) = facts.lists.get(&self.service) else { return };
        for member in self.members.iter_mut().filter(|member| member.left.is_some()) {
            member.left = list.get(&member.planned.id).map(|entry| {
                member.connections = ConnectionCounts::of(entry);
                self.drain.wait.count(entry.active_connections, entry.inactive_connections)
            });
        }
    }
}
