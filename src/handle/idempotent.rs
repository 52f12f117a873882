use std::fmt;

use super::Handle;
use super::mode::{Mode, block_on};
use super::operations::Operations;
use crate::error::{Call, Cause, Errno, Error, ErrorKind, Target};
use crate::model::{Destination, DestinationId, Service, ServiceId};

/// The number of attempts for an object that another program removes and makes at the same time.
const ATTEMPTS: u32 = 3;

/// The change that was needed to bring an object to the requested state.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "an object can be made, changed, removed or left alone")]
pub enum Outcome {
    /// It was made.
    Created,
    /// Its settings were changed.
    Updated,
    /// It was removed.
    Removed,
    /// It was left alone: nothing had to be changed.
    Unchanged,
}

impl fmt::Display for Outcome {
    /// One word for a log: `created`, `updated`, `removed` or `unchanged`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Removed => "removed",
            Self::Unchanged => "unchanged",
        })
    }
}

impl Handle {
    /// Creates a service, or changes it to these settings if it exists.
    ///
    /// # Errors
    ///
    /// As [`new_service`](Self::new_service), except that the service may exist.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::{Handle, Scheduler, Service};
    /// use ipvs_rs::handle::Outcome;
    ///
    /// let handle = Handle::new()?;
    /// let service = Service::new("TCP 192.0.2.10:80".parse()?, Scheduler::Wlc);
    /// handle.ensure_service(&service)?;
    /// assert_eq!(handle.ensure_service(&service)?, Outcome::Unchanged);
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn ensure_service(&self, service: &Service) -> Result<Outcome, Error> {
        block_on(self.operations.ensure_service(service))
    }

    /// Creates a destination, or changes it to these settings if it exists.
    ///
    /// To find out whether anything has to be changed, the destinations of the service are read, unless the destination
    /// was missing.
    ///
    /// # Errors
    ///
    /// As [`new_destination`](Self::new_destination), except that the destination may exist.
    pub fn ensure_destination(&self, service: &ServiceId, destination: &Destination) -> Result<Outcome, Error> {
        block_on(self.operations.ensure_destination(service, destination))
    }

    /// Removes a service if it exists.
    ///
    /// # Errors
    ///
    /// As [`delete_service`](Self::delete_service), except that the service may be missing.
    pub fn remove_service(&self, id: &ServiceId) -> Result<Outcome, Error> {
        block_on(self.operations.remove_service(id))
    }

    /// Removes a destination if it exists. A service that does not exist has none.
    ///
    /// # Errors
    ///
    /// As [`delete_destination`](Self::delete_destination), except that the destination may be missing.
    pub fn remove_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<Outcome, Error> {
        block_on(self.operations.remove_destination(service, id))
    }

    /// Reads a service, lets a function change its settings, and writes them back if they have changed.
    ///
    /// The kernel replaces all settings at once and has no lock for this: a change that another program makes in
    /// between is lost.
    /// The identity cannot be changed; whatever the function does to it is undone.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found); otherwise as [`update_service`](Self::update_service).
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::{Handle, Scheduler};
    ///
    /// let handle = Handle::new()?;
    /// handle.modify_service(&"TCP 192.0.2.10:80".parse()?, |service| service.scheduler = Scheduler::Sh)?;
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn modify_service(&self, id: &ServiceId, change: impl FnOnce(&mut Service)) -> Result<Outcome, Error> {
        block_on(self.operations.modify_service(id, change))
    }

    /// Reads a destination, lets a function change its settings, and writes them back if they have changed.
    ///
    /// With the same limits as [`modify_service`](Self::modify_service). To find one, all destinations of the service
    /// are read, as [`get_destination`](Self::get_destination) does.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found); [`ErrorKind::Unstable`] when it was not found while other programs kept
    /// changing the list; otherwise as [`update_destination`](Self::update_destination).
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::Handle;
    /// use ipvs_rs::model::Weight;
    ///
    /// let (web, server) = ("TCP 192.0.2.10:80".parse()?, "10.0.0.2:8080".parse()?);
    /// Handle::new()?.modify_destination(&web, &server, |destination| destination.weight = Weight::ZERO)?;
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn modify_destination(
        &self,
        service: &ServiceId,
        id: &DestinationId,
        change: impl FnOnce(&mut Destination),
    ) -> Result<Outcome, Error> {
        block_on(self.operations.modify_destination(service, id, change))
    }
}

impl<S: Mode> Operations<S> {
    pub(super) async fn ensure_service(&self, service: &Service) -> Result<Outcome, Error> {
        let mut attempts = Attempts::default();
        loop {
            let outcome = self.try_to_ensure_service(service).await;
            if attempts.end_with(&outcome) {
                return outcome;
            }
        }
    }

    async fn try_to_ensure_service(&self, service: &Service) -> Result<Outcome, Error> {
        match self.new_service(service).await {
            Err(error) if error.is_already_exists() => {}
            created => return created.map(|()| Outcome::Created),
        }
        match self.get_service(&service.id).await? {
            Some(entry) if entry.service == *service => Ok(Outcome::Unchanged),
            _ => self.update_service(service).await.map(|()| Outcome::Updated),
        }
    }

    pub(super) async fn ensure_destination(
        &self,
        service: &ServiceId,
        destination: &Destination,
    ) -> Result<Outcome, Error> {
        let mut attempts = Attempts::default();
        loop {
            let outcome = self.try_to_ensure_destination(service, destination).await;
            if attempts.end_with(&outcome) {
                return outcome;
            }
        }
    }

    async fn try_to_ensure_destination(
        &self,
        service: &ServiceId,
        destination: &Destination,
    ) -> Result<Outcome, Error> {
        match self.new_destination(service, destination).await {
            Err(error) if error.is_already_exists() => {}
            created => return created.map(|()| Outcome::Created),
        }
        match self.get_destination(service, &destination.id).await {
            Ok(Some(entry)) if entry.destination == *destination => Ok(Outcome::Unchanged),
            // When the lists cannot tell whether it exists, the update will.
            Err(error) if error.kind() != ErrorKind::Unstable => Err(error),
            _ => self.update_destination(service, destination).await.map(|()| Outcome::Updated),
        }
    }

    pub(super) async fn remove_service(&self, id: &ServiceId) -> Result<Outcome, Error> {
        removed(self.delete_service(id).await)
    }

    pub(super) async fn remove_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<Outcome, Error> {
        removed(self.delete_destination(service, id).await)
    }

    pub(super) async fn modify_service(
        &self,
        id: &ServiceId,
        change: impl FnOnce(&mut Service),
    ) -> Result<Outcome, Error> {
        let Some(entry) = self.get_service(id).await? else {
            return Err(self.missing(Call::UpdateService, Target::Service(*id), Errno::ESRCH));
        };
        let mut service = entry.service.clone();
        change(&mut service);
        service.id = *id;
        if service == entry.service {
            return Ok(Outcome::Unchanged);
        }
        self.update_service(&service).await.map(|()| Outcome::Updated)
    }

    pub(super) async fn modify_destination(
        &self,
        service: &ServiceId,
        id: &DestinationId,
        change: impl FnOnce(&mut Destination),
    ) -> Result<Outcome, Error> {
        let Some(entry) = self.get_destination(service, id).await? else {
            let errno = if self.get_service(service).await?.is_some() { Errno::ENOENT } else { Errno::ESRCH };
            return Err(self.missing(Call::UpdateDestination, Target::Destination(*service, *id), errno));
        };
        let mut destination = entry.destination.clone();
        change(&mut destination);
        destination.id = *id;
        if destination == entry.destination {
            return Ok(Outcome::Unchanged);
        }
        self.update_destination(service, &destination).await.map(|()| Outcome::Updated)
    }

    fn missing(&self, call: Call, target: Target, errno: Errno) -> Error {
        let cause = Cause::Kernel { errno, message: None, attribute: None };
        Error::new(call, target, cause).within(self.namespace.as_ref())
    }
}

/// The attempts made so far: between the answer "exists" and the update another program may remove the object, so that
/// it has to be created after all.
#[derive(Debug, Default)]
struct Attempts(u32);

impl Attempts {
    /// Counts one, and returns whether it was the last.
    fn end_with(&mut self, outcome: &Result<Outcome, Error>) -> bool {
        self.0 += 1;
        let is_gone = |error: &Error| error.is_not_found() && error.call() != Call::NewDestination;
        self.0 == ATTEMPTS || !outcome.as_ref().is_err_and(is_gone)
    }
}

fn removed(deleted: Result<(), Error>) -> Result<Outcome, Error> {
    match deleted {
        Ok(()) => Ok(Outcome::Removed),
        Err(error) if error.is_not_found() => Ok(Outcome::Unchanged),
        Err(error) => Err(error),
    }
}
