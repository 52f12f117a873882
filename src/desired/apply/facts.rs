use std::collections::HashMap;

use super::command::{Part, Value, row};
use super::step::{Question, Reply};
use crate::desired::ServiceAttributes;
use crate::desired::plan::{Change, both_say, is_like};
use crate::desired::settings::with_settings;
use crate::error::ErrorKind;
use crate::model::{Config, DestinationEntry, DestinationId, Service, ServiceId, SyncDaemon};

/// A question that the kernel did not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unknown;

/// The answers of the kernel since the last command.
#[derive(Debug, Default)]
pub(super) struct Facts {
    timeouts: Option<Result<Config, Unknown>>,
    daemons: Option<Result<Vec<SyncDaemon>, Unknown>>,
    services: HashMap<ServiceId, Result<Option<Service>, Unknown>>,
    /// Whether all services are known, so that one that is missing there is missing.
    has_all_services: bool,
    /// Whether services were listed, so that few are still unknown.
    pub(super) has_listed_services: bool,
    lists: HashMap<ServiceId, List>,
    /// Whether the kernel did not even answer a question.
    pub(super) is_unreachable: bool,
    /// The last question that was not answered, and why.
    pub(super) refusal: Option<(Question, crate::Error)>,
}

/// The destinations of a service, and whether the list can be relied on for what is missing in it.
#[derive(Debug)]
pub(super) struct List {
    entries: Option<HashMap<DestinationId, DestinationEntry>>,
    is_stable: bool,
}

/// The state of an object, compared with the state that a command was to bring about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// Just that.
    Wanted,
    /// The object, with other settings, or although it was to go.
    Other,
    /// Nothing, although there should be something.
    Missing,
    /// The kernel does not say.
    Unknown,
}

impl Facts {
    pub(super) fn learn(&mut self, reply: Reply) {
        let mut refusal = None;
        let mut note = |question, error: crate::Error| {
            self.is_unreachable |= !matches!(error.kind(), ErrorKind::Kernel | ErrorKind::Unstable);
            refusal = Some((question, error));
            Unknown
        };
        match reply {
            Reply::Sent(..) => {}
            Reply::Timeouts(config) => {
                self.timeouts = Some(config.map_err(|error| note(Question::Timeouts, error)));
            }
            Reply::SyncDaemons(daemons) => {
                self.daemons = Some(daemons.map_err(|error| note(Question::SyncDaemons, error)));
            }
            Reply::Service(id, entry) => {
                let entry = entry.map_err(|error| note(Question::Service(id), error));
                self.services.insert(id, entry.map(|entry| entry.map(|entry| entry.service)));
            }
            Reply::Services(entries, is_stable) => match entries {
                Ok(entries) => {
                    self.services.extend(entries.into_iter().map(|entry| (entry.id(), Ok(Some(entry.service)))));
                    self.has_all_services = is_stable;
                    self.has_listed_services = true;
                }
                Err(error) => {
                    note(Question::Services, error);
                }
            },
            Reply::Destinations(service, Err(error), _) if error.is_not_found() => {
                self.services.insert(service, Ok(None));
                self.lists.insert(service, List { entries: Some(HashMap::new()), is_stable: true });
            }
            Reply::Destinations(service, entries, is_stable) => {
                let entries = entries.map_err(|error| note(Question::StableDestinations(service), error)).ok();
                let entries = entries.map(|list| list.into_iter().map(|entry| (entry.id(), entry)).collect());
                self.lists.insert(service, List { entries, is_stable });
            }
        }
        if refusal.is_some() {
            self.refusal = refusal;
        }
    }

    /// Returns the question to ask before [`state`](Self::state) can tell of a part; nothing if that is known, or cannot be.
    pub(super) fn question(&self, part: &Part<'_>) -> Option<Question> {
        match part {
            _ if self.is_unreachable => None,
            Part::Timeouts(_) => self.timeouts.is_none().then_some(Question::Timeouts),
            Part::SyncDaemon(_) => self.daemons.is_none().then_some(Question::SyncDaemons),
            Part::Service(_) => self.question_of_service(part.service()?),
            Part::Destination(service, _) => {
                // A list that is complete is asked for where something is missing in a quick one.
                let is_known = match self.lists.get(*service) {
                    None => false,
                    Some(list) if list.is_stable => true,
                    Some(List { entries, .. }) => {
                        entries.as_ref().is_some_and(|it| part.destination().is_some_and(|id| it.contains_key(&id)))
                    }
                };
                (!is_known).then_some(Question::StableDestinations(**service))
            }
        }
    }

    pub(super) fn question_of_service(&self, id: ServiceId) -> Option<Question> {
        (!self.has_all_services && !self.services.contains_key(&id)).then_some(Question::Service(id))
    }

    /// The entries of a list that was asked for; `None` if it was not.
    pub(super) fn list(&self, service: &ServiceId) -> Option<&List> {
        self.lists.get(service)
    }

    /// A service as it is.
    pub(super) fn service(&self, id: &ServiceId) -> Result<Option<&Service>, Unknown> {
        match self.services.get(id) {
            Some(service) => service.as_ref().map(Option::as_ref).map_err(|unknown| *unknown),
            None if self.has_all_services => Ok(None),
            None => Err(Unknown),
        }
    }

    fn destination(&self, service: &ServiceId, id: &DestinationId) -> Result<Option<&DestinationEntry>, Unknown> {
        let entries = self.lists.get(service).and_then(|list| list.entries.as_ref());
        entries.map(|entries| entries.get(id)).ok_or(Unknown)
    }

    /// Returns the state of the object of a part.
    pub(super) fn state(&self, part: &Part<'_>, left_alone: ServiceAttributes) -> State {
        match part {
            Part::Timeouts(change) => {
                let after = change.after.unwrap_or_default();
                match self.timeouts {
                    Some(Ok(config)) if both_say(&config, &after) == after => State::Wanted,
                    Some(Ok(_)) => State::Other,
                    _ => State::Unknown,
                }
            }
            Part::Service(change) => {
                let live = part.service().ok_or(Unknown).and_then(|id| self.service(&id));
                compare(live, change.after.as_ref(), |live, after| {
                    with_settings(live, &after.service.service, left_alone) == *live
                })
            }
            Part::Destination(service, change) => {
                let live = part.destination().ok_or(Unknown).and_then(|id| self.destination(service, &id));
                compare(live, change.after.as_ref(), |live, after| live.destination == **after)
            }
            Part::SyncDaemon(change) => {
                let live =
                    self.daemons.as_ref().and_then(|daemons| daemons.as_ref().ok()).ok_or(Unknown).map(|daemons| {
                        daemons.iter().find(|daemon| change.latest().is_some_and(|it| it.role == daemon.role))
                    });
                compare(live, change.after.as_ref(), |live, after| is_like(live, after))
            }
        }
    }

    /// The part planned again, on what is there by now; `None` where that cannot be said.
    pub(super) fn plan_again<'p>(&self, part: &Part<'p>, left_alone: ServiceAttributes) -> Option<Part<'p>> {
        match part {
            Part::Service(change) => {
                let after = change.after.clone()?;
                Some(Part::Service(match self.service(&after.service.id()).ok()? {
                    None => Change::add(after),
                    Some(live) => {
                        let settings = with_settings(live, &after.service.service, left_alone);
                        Change::update(row(live.clone()), row(settings))
                    }
                }))
            }
            Part::Destination(service, change) => {
                let after = change.after.clone()?;
                if self.service(service) == Ok(None) {
                    return None;
                }
                Some(Part::Destination(
                    service,
                    match self.destination(service, &after.id).ok()? {
                        None => Change::add(after),
                        Some(live) => Change::update(Value::own(live.destination.clone()), after),
                    },
                ))
            }
            Part::Timeouts(_) | Part::SyncDaemon(_) => None,
        }
    }
}

impl List {
    /// A destination as it is; nothing in a list that can be relied on means that it is gone.
    pub(super) fn get(&self, id: &DestinationId) -> Option<&DestinationEntry> {
        self.entries.as_ref()?.get(id)
    }

    pub(super) const fn is_refused(&self) -> bool {
        self.entries.is_none()
    }

    pub(super) const fn is_stable(&self) -> bool {
        self.is_stable
    }
}

fn compare<L, A>(
    live: Result<Option<&L>, Unknown>,
    after: Option<&A>,
    is_wanted: impl FnOnce(&L, &A) -> bool,
) -> State {
    match (live, after) {
        (Err(Unknown), _) => State::Unknown,
        (Ok(None), None) => State::Wanted,
        (Ok(None), Some(_)) => State::Missing,
        (Ok(Some(live)), Some(after)) if is_wanted(live, after) => State::Wanted,
        (Ok(Some(_)), _) => State::Other,
    }
}
