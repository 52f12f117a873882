use std::collections::HashSet;
use std::mem;
use std::time::{Duration, Instant};

use super::applier::{Applier, Ended, PAUSE, Run};
use super::command::{Command, Role};
use super::error::Failure;
use super::group::{Group, GroupState, Key};
use super::observer::{Interrupt, Phase};
use super::options::OnError;
use super::report::{DrainOutcome, Drained};
use super::verify::LOOKS;
use crate::desired::object::{Facts, List};
use crate::desired::{Drain, OnTimeout};
use crate::model::Destination;

/// The shortest time between two polls.
const LEAST: Duration = Duration::from_millis(1);

/// Destinations that are being drained, from one plan to the next: kept by a program that goes on reconciling while
/// servers drain.
///
/// A drain goes on if the next plan deletes the same destination or service, and ends if it does not.
#[derive(Clone, Debug, Default)]
pub struct Drains {
    held: Vec<Held>,
    /// Those whose timeout has passed and that got their weight back: they are not drained again for the same reason.
    restored: HashSet<Key>,
}

#[derive(Clone, Debug)]
struct Held {
    key: Key,
    since: Instant,
    /// The destinations as they were before they got weight 0.
    before: Vec<Destination>,
}

impl Drains {
    /// The number of destinations and services that are being drained.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nothing is being drained.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

impl Applier<'_> {
    /// Goes on with drains of an earlier plan, and is done as soon as nothing but connections is left to wait for:
    /// [`take_drains`](Self::take_drains) returns the destinations that are still being drained.
    #[must_use]
    pub fn beside(mut self, drains: Drains) -> Self {
        self.waits = false;
        for held in drains.held {
            let Some(group) = self.groups.iter_mut().find(|group| group.key() == held.key) else { continue };
            group.since = Some(held.since);
            for member in &mut group.members {
                let before = held.before.iter().find(|before| before.id == member.planned.id);
                member.before = before.unwrap_or(&member.planned).clone();
            }
        }
        let (stay, groups): (Vec<_>, Vec<_>) =
            mem::take(&mut self.groups).into_iter().partition(|group| drains.restored.contains(&group.key()));
        self.groups = groups;
        for mut group in stay {
            group.members.iter_mut().for_each(|member| member.left = member.left.map(|_| 0));
            self.restored.insert(group.key());
            self.note_drained(&group, DrainOutcome::Restored);
        }
        self
    }

    /// Takes the destinations that are still being drained, for the applier of the next plan.
    pub fn take_drains(&mut self) -> Drains {
        let held = mem::take(&mut self.groups).into_iter().filter_map(|group| {
            let before = group.members.iter().map(|member| member.before.clone()).collect();
            Some(Held { key: group.key(), since: group.since?, before })
        });
        Drains { held: held.collect(), restored: mem::take(&mut self.restored) }
    }

    /// Sets the weight of all destinations that are to be deleted to 0.
    pub(super) fn quiesce(&mut self) {
        self.progress.phase = Phase::Draining;
        let commands: Vec<_> = self.groups.iter().flat_map(Group::quiesce).collect();
        self.start(Run::Quiesce, commands.into_iter());
    }

    /// Begins to wait, except for destinations whose weight could not be set to 0: they would get new connections all
    /// the time, and stay.
    pub(super) fn quiesced(&mut self, ended: Ended) {
        let now = self.now;
        let (failed, groups): (Vec<_>, Vec<_>) =
            mem::take(&mut self.groups).into_iter().partition(|group| self.has_failed(group));
        self.groups = groups;
        self.groups.iter_mut().for_each(|group| group.since = group.since.or(now));
        for group in failed {
            self.note_drained(&group, DrainOutcome::Unfinished);
        }
        self.go_on_draining(ended);
    }

    /// Reads the counters; sends the commands that follow from them, or waits for the next poll.
    pub(super) fn poll(&mut self) {
        if self.interrupt >= Interrupt::Now {
            return self.go_on_draining(Ended::Interrupted);
        }
        if let Some(question) = self.groups.iter().find_map(|group| group.question(&self.facts)) {
            self.question = Some(question);
            return;
        }
        let is_refused = |group: &Group| self.facts.lists.get(&group.service).is_none_or(List::is_refused);
        let is_refused = self.groups.iter().any(is_refused);
        let facts = mem::take(&mut self.facts);
        // A destination whose connections are not known is neither idle nor timed out.
        if is_refused {
            self.failed_looks += 1;
            if self.failed_looks == LOOKS {
                return self.give_up(facts);
            }
            return self.pause_for(PAUSE);
        }
        self.failed_looks = 0;
        self.groups.iter_mut().for_each(|group| group.count(&facts));
        // An applier that does not wait has no wait to end: its drains go on to the next plan.
        let has_to_end = self.waits && self.interrupt >= Interrupt::Stop;
        if has_to_end {
            // Only the waiting ends.
            self.heeded = Interrupt::Now;
        }
        self.take_away(has_to_end);
    }

    /// Deletes the idle ones, and takes the action of the drain for the rest if their timeout has passed.
    fn take_away(&mut self, has_to_end: bool) {
        let Some(now) = self.now else { return };
        let mut commands = Vec::new();
        let mut through = Vec::new();
        for group in mem::take(&mut self.groups) {
            let outcome = match (group.state(now, has_to_end), group.drain.on_timeout) {
                (GroupState::Waiting, _) => {
                    self.groups.push(group);
                    continue;
                }
                (GroupState::Idle, _) if group.stays => DrainOutcome::Drained,
                (GroupState::Idle, _) => DrainOutcome::Idle,
                (GroupState::Expired, OnTimeout::Delete) => DrainOutcome::Deleted,
                (GroupState::Expired, OnTimeout::Keep) => DrainOutcome::Kept,
                (GroupState::Expired, OnTimeout::Fail) => DrainOutcome::Restored,
            };
            match outcome {
                DrainOutcome::Kept => {}
                DrainOutcome::Drained => self.count(group.place),
                DrainOutcome::Restored => {
                    self.restored.insert(group.key());
                    commands.extend(group.restore());
                }
                _ => {
                    let role = if group.stays { Role::Extra } else { Role::Main };
                    commands.push(Command { role, ..Command::new(group.place, group.delete.clone()) });
                }
            }
            through.push((group, outcome));
        }
        self.start(Run::TakeAway(through), commands.into_iter());
    }

    /// Notes the outcome of those that were removed, and waits for the others.
    pub(super) fn taken_away(&mut self, through: Vec<(Group, DrainOutcome)>, ended: Ended) {
        for (group, outcome) in through {
            let is_sure = ended == Ended::Through && !self.has_failed(&group);
            self.note_drained(&group, if is_sure { outcome } else { DrainOutcome::Unfinished });
        }
        self.progress.draining = self.groups.iter().map(Group::busy).sum();
        self.progress.connections = self.groups.iter().map(Group::connections).sum();
        self.has_news = true;
        self.go_on_draining(ended);
    }

    fn go_on_draining(&mut self, ended: Ended) {
        if ended != Ended::Through {
            for group in mem::take(&mut self.groups) {
                self.note_drained(&group, DrainOutcome::Unfinished);
            }
        }
        let is_waiting = self.progress.draining > 0;
        match self.next_poll().filter(|_| is_waiting) {
            _ if self.groups.is_empty() || (is_waiting && !self.waits) => {
                (self.progress.draining, self.progress.connections) = (0, 0);
                self.drained(ended);
            }
            Some(time) => {
                self.has_waited = true;
                self.pause_for(time);
                self.watch();
            }
            None => self.watch(),
        }
    }

    /// The time until the next poll.
    fn next_poll(&self) -> Option<Duration> {
        let now = self.now?;
        let until_look = |group: &Group| {
            let Drain { poll, timeout, .. } = group.drain;
            poll.max(LEAST).min(timeout.saturating_sub(group.waited(now)))
        };
        self.groups.iter().map(until_look).min()
    }

    /// Gives up on the rest, since it is not known how many connections there are.
    fn give_up(&mut self, facts: Facts) {
        let groups = mem::take(&mut self.groups);
        let first = groups.first().and_then(|group| Some((group, self.plan.operations().get(group.place)?)));
        if let Some(((group, operation), error)) = first.zip(facts.refusal) {
            let action = format!("look at the connections of {}", group.service);
            self.failures.push(Failure { operation: operation.clone(), action, error, is_conflict: false });
        }
        for group in groups {
            self.mark_failed(group.place);
            self.note_drained(&group, DrainOutcome::Unfinished);
        }
        self.go_on_draining(match self.options.on_error {
            OnError::Continue => Ended::Through,
            _ => Ended::Failed,
        });
    }

    fn has_failed(&self, group: &Group) -> bool {
        self.states.get(group.place).is_some_and(|state| state.has_failed)
    }

    fn note_drained(&mut self, group: &Group, outcome: DrainOutcome) {
        let waited = self.now.map_or(Duration::ZERO, |now| group.waited(now));
        self.report.drains.extend(group.members.iter().map(|member| Drained {
            service: group.service,
            destination: member.planned.id,
            outcome: if member.left.is_none() { DrainOutcome::Gone } else { outcome },
            left: member.left.filter(|left| *left != u32::MAX).unwrap_or(0),
            waited,
        }));
    }
}
