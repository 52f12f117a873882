use std::collections::HashMap;

use super::Subject;
use crate::desired::Observed;
use crate::error::{Error, ErrorKind};
use crate::model::{DestinationEntry, DestinationId, Service, ServiceEntry, ServiceId};

/// A question to the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Question {
    /// Everything but services: timeouts and synchronization daemons.
    Rest,
    /// One service.
    Service(ServiceId),
    /// All services. A list that other programs change while it is read can miss some.
    Services,
    /// All services, in a consistent list.
    StableServices,
    /// The destinations of a service. A list that other programs change while it is read can miss some.
    Destinations(ServiceId),
    /// The destinations of a service, in a consistent list.
    StableDestinations(ServiceId),
}

/// The answer to a question; lists come with whether they are consistent, so that an entry missing in them does not
/// exist.
#[derive(Debug)]
pub(in crate::desired) enum Reply {
    Rest(Result<Observed, Error>),
    Service(ServiceId, Box<Result<Option<ServiceEntry>, Error>>),
    Services(Result<Vec<ServiceEntry>, Error>, bool),
    Destinations(ServiceId, Result<Vec<DestinationEntry>, Error>, bool),
}

/// A question that the kernel did not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::desired) struct Unknown;

/// The answers of the kernel since the last command.
#[derive(Debug, Default)]
pub(in crate::desired) struct Facts {
    rest: Option<Result<Observed, Unknown>>,
    services: HashMap<ServiceId, Result<Option<Service>, Unknown>>,
    /// Whether the list of services is consistent, so that a service missing in it does not exist.
    has_all_services: bool,
    /// Whether services were listed, so that few are still unknown.
    pub(in crate::desired) has_listed_services: bool,
    /// The lists that were asked for.
    pub(in crate::desired) lists: HashMap<ServiceId, List>,
    /// Whether a question got no answer at all.
    is_unreachable: bool,
    /// The error of the last question that was not answered.
    pub(in crate::desired) refusal: Option<Error>,
}

/// The destinations of a service, and whether the list is consistent, so that one missing in it does not exist.
#[derive(Debug)]
pub(in crate::desired) struct List {
    entries: Option<HashMap<DestinationId, DestinationEntry>>,
    pub(in crate::desired) is_stable: bool,
}

/// The state of an object, compared with the state that a command was to bring about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::desired) enum State {
    /// As the command was to leave it.
    Wanted,
    /// The object is there with other settings, or although it was to be deleted.
    Other,
    /// Nothing is there, although the object should be.
    Missing,
    /// It could not be read from the kernel.
    Unknown,
}

impl Facts {
    pub(in crate::desired) fn learn(&mut self, reply: Reply) {
        match reply {
            Reply::Rest(rest) => self.rest = Some(rest.map_err(|error| self.note(error))),
            Reply::Service(id, entry) => {
                let entry = entry.map_err(|error| self.note(error));
                self.services.insert(id, entry.map(|entry| entry.map(|entry| entry.service)));
            }
            Reply::Services(Ok(entries), is_stable) => {
                self.services.extend(entries.into_iter().map(|entry| (entry.id(), Ok(Some(entry.service)))));
                self.has_all_services = is_stable;
                self.has_listed_services = true;
            }
            Reply::Services(Err(error), _) => {
                self.note(error);
            }
            Reply::Destinations(service, Err(error), _) if error.is_not_found() => {
                self.services.insert(service, Ok(None));
                self.lists.insert(service, List { entries: Some(HashMap::new()), is_stable: true });
            }
            Reply::Destinations(service, entries, is_stable) => {
                let entries = entries.map_err(|error| self.note(error)).ok();
                let entries = entries.map(|list| list.into_iter().map(|entry| (entry.id(), entry)).collect());
                self.lists.insert(service, List { entries, is_stable });
            }
        }
    }

    fn note(&mut self, error: Error) -> Unknown {
        self.is_unreachable |= !matches!(error.kind(), ErrorKind::Kernel | ErrorKind::Unstable);
        self.refusal = Some(error);
        Unknown
    }

    /// Returns the question to ask before the [state](Subject::state) of an object can be determined; `None` if that is
    /// known, or cannot be known.
    pub(in crate::desired) fn open_question(&self, subject: &dyn Subject) -> Option<Question> {
        if self.is_unreachable { None } else { subject.question(self) }
    }

    /// Returns the question about everything but services, if it was not asked.
    pub(super) fn question_of_rest(&self) -> Option<Question> {
        self.rest.is_none().then_some(Question::Rest)
    }

    /// Returns the question about a service, if it is not known.
    pub(in crate::desired) fn question_of_service(&self, id: ServiceId) -> Option<Question> {
        (!self.has_all_services && !self.services.contains_key(&id)).then_some(Question::Service(id))
    }

    /// Returns the question about a destination, if it is not known. It asks for a consistent list.
    pub(super) fn question_of_destination(&self, service: ServiceId, id: &DestinationId) -> Option<Question> {
        let is_known = self.lists.get(&service).is_some_and(|list| list.is_stable || list.get(id).is_some());
        (!is_known).then_some(Question::StableDestinations(service))
    }

    /// Everything but services as it is.
    pub(super) fn rest(&self) -> Result<&Observed, Unknown> {
        self.rest.as_ref().and_then(|rest| rest.as_ref().ok()).ok_or(Unknown)
    }

    /// A service as it is.
    pub(in crate::desired) fn service(&self, id: &ServiceId) -> Result<Option<&Service>, Unknown> {
        match self.services.get(id) {
            Some(service) => service.as_ref().map(Option::as_ref).map_err(|unknown| *unknown),
            None if self.has_all_services => Ok(None),
            None => Err(Unknown),
        }
    }

    /// A destination as it is.
    pub(super) fn destination(
        &self,
        service: &ServiceId,
        id: &DestinationId,
    ) -> Result<Option<&DestinationEntry>, Unknown> {
        let entries = self.lists.get(service).and_then(|list| list.entries.as_ref());
        entries.map(|entries| entries.get(id)).ok_or(Unknown)
    }
}

impl List {
    /// A destination as it is; `None` in a consistent list means that it is gone.
    pub(in crate::desired) fn get(&self, id: &DestinationId) -> Option<&DestinationEntry> {
        self.entries.as_ref()?.get(id)
    }

    pub(in crate::desired) const fn is_refused(&self) -> bool {
        self.entries.is_none()
    }
}

impl State {
    /// Compares the observed state with the desired one.
    pub(super) fn of<L, A>(
        live: Result<Option<&L>, Unknown>,
        after: Option<&A>,
        is_wanted: impl FnOnce(&L, &A) -> bool,
    ) -> Self {
        match (live, after) {
            (Err(Unknown), _) => Self::Unknown,
            (Ok(None), None) => Self::Wanted,
            (Ok(None), Some(_)) => Self::Missing,
            (Ok(Some(live)), Some(after)) if is_wanted(live, after) => Self::Wanted,
            (Ok(Some(_)), _) => Self::Other,
        }
    }
}
