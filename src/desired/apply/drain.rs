use std::collections::HashMap;
use std::mem;
use std::time::Duration;

use super::command::{Command, Step};
use super::error::Failure;
use super::options::OnError;
use super::report::{DrainOutcome, Drained};
use super::run::{Direction, Ended, PAUSE};
use super::{Applier, Interrupt, Phase, mark_failed};
use crate::Error;
use crate::desired::{Drain, OnTimeout, Operation, Plan};
use crate::model::{DestinationEntry, DestinationId, ServiceId, Weight};

/// How often in a row the counters may be unreadable.
const LOOKS: u32 = 3;
/// How often a list is read until what is missing in it is gone.
const ATTEMPTS: u32 = 10;
/// The shortest time between two looks.
const LEAST: Duration = Duration::from_millis(1);
/// How long it takes at most until an interrupt is seen.
const NAP: Duration = Duration::from_millis(100);

/// Destinations that are drained and deleted together: one, or all of a service.
#[derive(Debug)]
pub(super) struct Group<'p> {
    place: usize,
    service: &'p ServiceId,
    drain: Drain,
    delete: Command<'p>,
    members: Vec<Member<'p>>,
}

#[derive(Debug)]
struct Member<'p> {
    entry: &'p DestinationEntry,
    /// The connections that are waited for; `None` if the destination is gone.
    left: Option<u32>,
}

/// What becomes of a group now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Waits,
    IsIdle,
    IsOver,
}

/// Whether the destinations of an operation have to be drained.
pub(super) fn is_drained(operation: &Operation) -> bool {
    match operation {
        Operation::DeleteDestination { drain, .. } => drain.is_some(),
        Operation::DeleteService { drain, live } => drain.is_some() && !live.destinations.is_empty(),
        _ => false,
    }
}

/// What has to be drained.
pub(super) fn groups(operations: &[Operation]) -> Vec<Group<'_>> {
    operations.iter().enumerate().filter_map(|(place, operation)| Group::of(place, operation)).collect()
}

/// The destinations of a plan that are drained while persistence holds clients to them.
///
/// Those clients come back to a destination of weight 0, so that waiting for them may be in vain, unless the sysctl
/// `net.ipv4.vs.expire_quiescent_template` is 1: say so before, where it is not.
///
/// # Example
///
/// ```no_run
/// use ipvs_rs::desired::Plan;
/// use ipvs_rs::desired::apply::held_by_persistence;
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
        let held = group.members.into_iter().filter(|member| member.entry.persistent_connections > 0);
        held.map(move |member| (*group.service, member.entry.id()))
    })
}

impl<'p> Group<'p> {
    fn of(place: usize, operation: &'p Operation) -> Option<Self> {
        let member = |entry: &'p DestinationEntry| Member { entry, left: Some(u32::MAX) };
        match operation {
            _ if !is_drained(operation) => None,
            Operation::DeleteDestination { service, live, drain: Some(drain) } => {
                let delete =
                    Command::DeleteDestination { service, id: &live.destination.id, was: Some(&live.destination) };
                Some(Self { place, service, drain: *drain, delete, members: vec![member(live)] })
            }
            Operation::DeleteService { live, drain: Some(drain) } => {
                let service = &live.service.service.id;
                let delete = Command::DeleteService { id: service, was: Some(live) };
                Some(Self {
                    place,
                    service,
                    drain: *drain,
                    delete,
                    members: live.destinations.iter().map(member).collect(),
                })
            }
            _ => None,
        }
    }

    pub(super) fn mixes_families(&self) -> bool {
        self.members.iter().any(|member| member.entry.id().family() != self.service.family())
    }

    /// Commands that are one for each destination that has a weight.
    fn weighted(&self, command: impl Fn(&'p ServiceId, &'p DestinationEntry) -> Command<'p>) -> Vec<Step<'p>> {
        let weighted = self.members.iter().filter(|member| member.entry.destination.weight != Weight::ZERO);
        weighted.map(|member| Step::new(self.place, command(self.service, member.entry))).collect()
    }

    fn connections(&self) -> u64 {
        self.members.iter().map(|member| u64::from(member.left.unwrap_or(0))).sum()
    }

    /// The destinations that still have connections.
    fn busy(&self) -> usize {
        self.members.iter().filter(|member| member.left.is_some_and(|left| left > 0)).count()
    }

    fn fate(&self, waited: Duration, has_to_end: bool) -> Fate {
        match self.busy() {
            0 => Fate::IsIdle,
            _ if has_to_end || waited >= self.drain.timeout => Fate::IsOver,
            _ => Fate::Waits,
        }
    }
}

impl<'p> Applier<'_, 'p> {
    /// Gives all destinations that go the weight 0, waits for their connections, each as long as it may, and deletes them.
    pub(super) fn drain(&mut self, groups: Vec<Group<'p>>) -> Ended {
        self.progress.phase = Phase::Draining;
        let quiesce = |service, entry: &'p DestinationEntry| Command::Quiesce { service, from: &entry.destination };
        let steps: Vec<_> = groups.iter().flat_map(|group| group.weighted(quiesce)).collect();
        let mut ended = self.run(steps.into_iter(), Direction::Forward);
        let start = self.options.clock.now();
        // Those that would get new connections all the time stay.
        let (failed, mut groups): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| self.has_failed(group));
        for group in failed {
            self.note_drained(&group, Duration::ZERO, DrainOutcome::Unfinished);
        }
        if ended == Ended::Through {
            ended = self.wait(&mut groups, start);
        }
        let waited = self.options.clock.now().saturating_sub(start);
        for group in groups {
            self.note_drained(&group, waited, DrainOutcome::Unfinished);
        }
        (self.progress.draining, self.progress.connections) = (0, 0);
        ended
    }

    /// Takes away those that are through until none is left.
    fn wait(&mut self, groups: &mut Vec<Group<'p>>, start: Duration) -> Ended {
        let mut failed_looks = 0;
        loop {
            let looked = self.look_at(groups);
            self.ask();
            if self.interrupt == Interrupt::Now {
                return Ended::Interrupted;
            }
            // Whose connections are not known is neither idle nor over.
            if let Err(error) = looked {
                failed_looks += 1;
                if failed_looks == LOOKS {
                    return self.give_up(groups, error);
                }
                self.options.clock.sleep(PAUSE);
                continue;
            }
            failed_looks = 0;
            let has_to_end = self.interrupt == Interrupt::Stop;
            if has_to_end {
                // Only the waiting ends.
                self.heeded = Interrupt::Now;
            }
            let waited = self.options.clock.now().saturating_sub(start);
            let ended = self.take_away(groups, waited, has_to_end);
            if ended != Ended::Through {
                return ended;
            }
            self.progress.draining = groups.iter().map(Group::busy).sum();
            self.progress.connections = groups.iter().map(Group::connections).sum();
            self.tell();
            if groups.is_empty() {
                return Ended::Through;
            }
            self.rest(groups, waited);
        }
    }

    /// Reads the counters: one list for each service.
    fn look_at(&self, groups: &mut [Group<'p>]) -> Result<(), Error> {
        let mut lists: HashMap<ServiceId, HashMap<DestinationId, DestinationEntry>> = HashMap::new();
        let by_id = |entries: Vec<DestinationEntry>| entries.into_iter().map(|entry| (entry.id(), entry)).collect();
        for group in groups {
            let mut is_sure = false;
            for member in &mut group.members {
                if member.left.is_none() {
                    continue;
                }
                if !lists.contains_key(group.service) {
                    lists.insert(*group.service, by_id(self.handle.get_destinations(group.service)?));
                }
                let find = |lists: &HashMap<ServiceId, HashMap<DestinationId, DestinationEntry>>| {
                    let entry = lists.get(group.service)?.get(&member.entry.id())?;
                    Some(group.drain.wait.count(entry.active_connections, entry.inactive_connections))
                };
                let mut left = find(&lists);
                // A list that others change while it is read can miss what is there.
                if left.is_none() && !is_sure {
                    is_sure = true;
                    let entries = self.handle.get_destinations_stable(group.service, ATTEMPTS)?;
                    lists.insert(*group.service, by_id(entries));
                    left = find(&lists);
                }
                member.left = left;
            }
        }
        Ok(())
    }

    /// Deletes what is idle, and does with the rest what was said if its time is over.
    fn take_away(&mut self, groups: &mut Vec<Group<'p>>, waited: Duration, has_to_end: bool) -> Ended {
        let mut steps = Vec::new();
        let mut through = Vec::new();
        for group in mem::take(groups) {
            let fate = group.fate(waited, has_to_end);
            let outcome = match (fate, group.drain.on_timeout) {
                (Fate::Waits, _) => {
                    groups.push(group);
                    continue;
                }
                (Fate::IsIdle, _) => DrainOutcome::Idle,
                (Fate::IsOver, OnTimeout::Delete) => DrainOutcome::Deleted,
                (Fate::IsOver, OnTimeout::Keep) => DrainOutcome::Kept,
                (Fate::IsOver, OnTimeout::Fail) => DrainOutcome::Restored,
            };
            match outcome {
                DrainOutcome::Kept => {}
                DrainOutcome::Restored => {
                    let restore =
                        |service, entry: &'p DestinationEntry| Command::Restore { service, to: &entry.destination };
                    steps.extend(group.weighted(restore));
                }
                _ => steps.push(Step::new(group.place, group.delete)),
            }
            through.push((group, outcome));
        }
        let ended = self.run(steps.into_iter(), Direction::Forward);
        for (group, outcome) in through {
            let is_sure = ended == Ended::Through && !self.has_failed(&group);
            self.note_drained(&group, waited, if is_sure { outcome } else { DrainOutcome::Unfinished });
        }
        ended
    }

    /// Sleeps until it is time for the next look.
    fn rest(&mut self, groups: &[Group<'p>], waited: Duration) {
        let until_look = |drain: Drain| drain.poll.max(LEAST).min(drain.timeout.saturating_sub(waited));
        let time = groups.iter().map(|group| until_look(group.drain)).min();
        let until = self.options.clock.now().saturating_add(time.unwrap_or_default());
        loop {
            let left = until.saturating_sub(self.options.clock.now());
            if left.is_zero() {
                return;
            }
            self.options.clock.sleep(left.min(NAP));
            self.ask();
            if self.is_interrupted() {
                return;
            }
        }
    }

    /// Lets the rest be, since nobody knows how many connections there are.
    fn give_up(&mut self, groups: &[Group<'p>], error: Error) -> Ended {
        for group in groups {
            mark_failed(&mut self.states, group.place);
        }
        let first = groups.first().and_then(|group| Some((group, self.plan.operations().get(group.place)?)));
        if let Some((group, operation)) = first {
            let action = format!("look at the connections of {}", group.service);
            self.failures.push(Failure::new(operation.clone(), action, error, false));
        }
        match self.options.on_error {
            OnError::Continue => Ended::Through,
            _ => Ended::Failed,
        }
    }

    fn has_failed(&self, group: &Group<'p>) -> bool {
        self.states.get(group.place).is_some_and(|state| state.has_failed)
    }

    fn note_drained(&mut self, group: &Group<'p>, waited: Duration, outcome: DrainOutcome) {
        self.report.drains.extend(group.members.iter().map(|member| Drained {
            service: *group.service,
            destination: member.entry.id(),
            outcome: if member.left.is_none() { DrainOutcome::Gone } else { outcome },
            left: member.left.filter(|left| *left != u32::MAX).unwrap_or(0),
            waited,
        }));
    }
}
