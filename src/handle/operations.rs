use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::conversation::{Answer, Nothing};
use super::memory::BufferPool;
use super::mode::Mode;
use crate::codec::{DecodeError, DecodeProblem, Reply, Request};
use crate::error::{Call, Cause, Error, Target};
use crate::model::{Config, Destination, DestinationId, Info, Service, ServiceEntry, ServiceId, SyncDaemon, SyncRole};

/// The operations of a handle, blocking or asynchronous. Lists, batches and idempotent forms are in files of their own.
pub(super) struct Operations<S> {
    /// The network namespace as it was given; `None` for the one that the handle was opened in.
    pub(super) namespace: Option<Arc<str>>,
    pub(super) deadline: Duration,
    /// For commands, and for long lists.
    pub(super) commands: S,
    /// For lists of destinations that are expected to be short.
    pub(super) readers: Vec<S>,
    pub(super) buffers: BufferPool,
}

impl<S: Mode> Operations<S> {
    pub(super) fn new(
        namespace: Option<Arc<str>>,
        deadline: Duration,
        commands: S,
        readers: impl IntoIterator<Item = S>,
    ) -> Self {
        Self { namespace, deadline, commands, readers: readers.into_iter().collect(), buffers: BufferPool::default() }
    }

    pub(super) async fn new_service(&self, service: &Service) -> Result<(), Error> {
        self.command(&Request::NewService(valid(Call::NewService, service)?)).await
    }

    pub(super) async fn update_service(&self, service: &Service) -> Result<(), Error> {
        self.command(&Request::SetService(valid(Call::UpdateService, service)?)).await
    }

    pub(super) async fn delete_service(&self, id: &ServiceId) -> Result<(), Error> {
        self.command(&Request::DeleteService(*id)).await
    }

    pub(super) async fn get_service(&self, id: &ServiceId) -> Result<Option<ServiceEntry>, Error> {
        let id = *id;
        let mut answer = One::new(|command, attributes: &[u8]| {
            let entry = Reply::decode_service(command, attributes)?;
            if entry.id() == id { Ok(entry) } else { Err(unexpected()) }
        });
        match self.ask(&Request::GetService(id), &mut answer).await {
            Ok(()) => Ok(answer.value),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn new_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        self.command(&Request::NewDestination(*service, destination.clone())).await
    }

    pub(super) async fn update_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        self.command(&Request::SetDestination(*service, destination.clone())).await
    }

    pub(super) async fn delete_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<(), Error> {
        self.command(&Request::DeleteDestination(*service, *id)).await
    }

    pub(super) async fn flush(&self) -> Result<(), Error> {
        self.command(&Request::Flush).await
    }

    pub(super) async fn zero_service(&self, id: &ServiceId) -> Result<(), Error> {
        self.command(&Request::Zero(Some(*id))).await
    }

    pub(super) async fn zero_all(&self) -> Result<(), Error> {
        self.command(&Request::Zero(None)).await
    }

    pub(super) async fn get_config(&self) -> Result<Config, Error> {
        let select = |reply| match reply {
            Reply::Config(config) => Some(config),
            _ => None,
        };
        self.get(&Request::GetConfig, select).await
    }

    pub(super) async fn set_config(&self, config: &Config) -> Result<(), Error> {
        self.command(&Request::SetConfig(*config)).await
    }

    pub(super) async fn get_info(&self) -> Result<Info, Error> {
        let select = |reply| match reply {
            Reply::Info(info) => Some(info),
            _ => None,
        };
        self.get(&Request::GetInfo, select).await
    }

    pub(super) async fn start_sync(&self, daemon: &SyncDaemon) -> Result<(), Error> {
        self.command(&Request::NewDaemon(*daemon)).await
    }

    pub(super) async fn stop_sync(&self, role: SyncRole) -> Result<(), Error> {
        let failed = |cause| self.failed(&Request::DeleteDaemon(role), cause);
        let answered = self.lock().await.conversation.stop_daemon(role).await.map_err(failed)?;
        if answered || self.get_sync_daemons().await?.iter().all(|daemon| daemon.role != role) {
            Ok(())
        } else {
            Err(failed(Cause::Lost))
        }
    }

    pub(super) async fn get_sync_daemons(&self) -> Result<Vec<SyncDaemon>, Error> {
        let mut daemons = Daemons(Vec::new());
        self.ask(&Request::GetDaemons, &mut daemons).await?;
        Ok(daemons.0)
    }

    /// Sends a request that is only acknowledged.
    async fn command(&self, request: &Request) -> Result<(), Error> {
        self.ask(request, &mut Nothing).await
    }

    /// Sends a request that is answered by one message.
    async fn get<T>(&self, request: &Request, select: impl Fn(Reply) -> Option<T>) -> Result<T, Error> {
        let decode = |command, attributes: &[u8]| select(Reply::decode(command, attributes)?).ok_or_else(unexpected);
        let mut answer = One::new(decode);
        self.ask(request, &mut answer).await?;
        let nothing = DecodeError::new("message", 0, DecodeProblem::Missing);
        answer.value.ok_or_else(|| self.failed(request, Cause::Decode(nothing)))
    }

    async fn ask(&self, request: &Request, answer: &mut impl Answer) -> Result<(), Error> {
        let asked = self.lock().await.conversation.ask(request, answer).await;
        asked.map_err(|cause| self.failed(request, cause))
    }

    /// The error of a request that failed.
    pub(super) fn failed(&self, request: &Request, cause: Cause) -> Error {
        failed(request, cause, self.namespace.as_ref())
    }

    pub(super) fn lock(&self) -> impl Future<Output = S::Guard<'_>> {
        self.commands.lock()
    }
}

impl<S> Operations<S> {
    /// Shows a handle: short, and without a lock, because it may be printed where the lock is held.
    pub(super) fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut handle = f.debug_struct(name);
        if let Some(namespace) = &self.namespace {
            handle.field("namespace", namespace);
        }
        handle.field("deadline", &self.deadline).field("readers", &self.readers.len()).finish_non_exhaustive()
    }
}

/// The service, if it can be sent.
pub(super) fn valid(call: Call, service: &Service) -> Result<Service, Error> {
    match service.validate() {
        Ok(()) => Ok(service.clone()),
        Err(value) => Err(Error::new(call, Target::Service(service.id), Cause::Invalid(value))),
    }
}

/// The error of a request that failed in a namespace.
pub(super) fn failed(request: &Request, cause: Cause, namespace: Option<&Arc<str>>) -> Error {
    let (call, target) = subject(request);
    let error = Error::new(call, target, cause).within(namespace);
    match request {
        Request::NewService(service) | Request::SetService(service) => error.wanting(service),
        _ => error,
    }
}

/// The call and the target of a request.
pub(super) const fn subject(request: &Request) -> (Call, Target) {
    match request {
        Request::NewService(service) => (Call::NewService, Target::Service(service.id)),
        Request::SetService(service) => (Call::UpdateService, Target::Service(service.id)),
        Request::DeleteService(id) => (Call::DeleteService, Target::Service(*id)),
        Request::GetService(id) => (Call::GetService, Target::Service(*id)),
        Request::GetServices => (Call::GetServices, Target::Table),
        Request::NewDestination(service, server) => (Call::NewDestination, Target::Destination(*service, server.id)),
        Request::SetDestination(service, server) => (Call::UpdateDestination, Target::Destination(*service, server.id)),
        Request::DeleteDestination(service, id) => (Call::DeleteDestination, Target::Destination(*service, *id)),
        Request::GetDestinations(service) => (Call::GetDestinations, Target::Destinations(*service)),
        Request::NewDaemon(daemon) => (Call::StartSync, Target::Daemon(daemon.role)),
        Request::DeleteDaemon(role) => (Call::StopSync, Target::Daemon(*role)),
        Request::GetDaemons => (Call::GetSyncDaemons, Target::Table),
        Request::SetConfig(_) => (Call::SetConfig, Target::Table),
        Request::GetConfig => (Call::GetConfig, Target::Table),
        Request::GetInfo => (Call::GetInfo, Target::Table),
        Request::Zero(Some(id)) => (Call::Zero, Target::Service(*id)),
        Request::Zero(None) => (Call::Zero, Target::Table),
        Request::Flush => (Call::Flush, Target::Table),
    }
}

/// An answer of one message, if it is the one that was asked for.
#[derive(Debug)]
struct One<T, F> {
    decode: F,
    value: Option<T>,
}

impl<T, F: Fn(u8, &[u8]) -> Result<T, DecodeError>> One<T, F> {
    const fn new(decode: F) -> Self {
        Self { decode, value: None }
    }
}

impl<T, F: Fn(u8, &[u8]) -> Result<T, DecodeError>> Answer for One<T, F> {
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError> {
        self.value = Some((self.decode)(command, attributes)?);
        Ok(())
    }

    fn restart(&mut self) {
        self.value = None;
    }
}

const fn unexpected() -> DecodeError {
    DecodeError::new("message", 0, DecodeProblem::Unexpected)
}

/// The daemons of an answer: one of each role, even if the kernel lists it more than once.
#[derive(Debug)]
struct Daemons(Vec<SyncDaemon>);

impl Answer for Daemons {
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError> {
        match Reply::decode(command, attributes)? {
            Reply::Daemon(daemon) => {
                if self.0.iter().all(|known| known.role != daemon.role) {
                    self.0.push(daemon);
                }
                Ok(())
            }
            _ => Err(unexpected()),
        }
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}
