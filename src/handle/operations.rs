use super::conversation::{Answer, Nothing};
use super::side::Side;
use crate::codec::{DecodeError, DecodeProblem, Reply, Request};
use crate::error::{Cause, Error, Operation, Target};
use crate::model::{
    Config, Destination, DestinationId, Info, InvalidValue, Service, ServiceEntry, ServiceId, SyncDaemon, SyncRole,
};

/// What a handle of either side can do. Lists, batches and idempotent forms stand in files of their own.
#[derive(Debug)]
pub(super) struct Operations<S>(pub(super) S);

impl<S: Side> Operations<S> {
    pub(super) async fn new_service(&self, service: &Service) -> Result<(), Error> {
        self.write_service(Operation::NewService, service, Request::NewService).await
    }

    pub(super) async fn update_service(&self, service: &Service) -> Result<(), Error> {
        self.write_service(Operation::UpdateService, service, Request::SetService).await
    }

    pub(super) async fn delete_service(&self, id: &ServiceId) -> Result<(), Error> {
        self.command(Operation::DeleteService, Target::Service(*id), &Request::DeleteService(*id)).await
    }

    pub(super) async fn get_service(&self, id: &ServiceId) -> Result<Option<ServiceEntry>, Error> {
        let id = *id;
        let mut answer = One::new(|reply| match reply {
            Reply::Service(entry) if entry.id() == id => Some(entry),
            _ => None,
        });
        match self.ask(Operation::GetService, Target::Service(id), &Request::GetService(id), &mut answer).await {
            Ok(()) => Ok(answer.value),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn new_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        let request = Request::NewDestination(*service, destination.clone());
        self.command(Operation::NewDestination, Target::Destination(*service, destination.id), &request).await
    }

    pub(super) async fn update_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        let request = Request::SetDestination(*service, destination.clone());
        self.command(Operation::UpdateDestination, Target::Destination(*service, destination.id), &request).await
    }

    pub(super) async fn delete_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<(), Error> {
        let request = Request::DeleteDestination(*service, *id);
        self.command(Operation::DeleteDestination, Target::Destination(*service, *id), &request).await
    }

    pub(super) async fn flush(&self) -> Result<(), Error> {
        self.command(Operation::Flush, Target::Table, &Request::Flush).await
    }

    pub(super) async fn zero(&self, service: Option<&ServiceId>) -> Result<(), Error> {
        let target = service.map_or(Target::Table, |id| Target::Service(*id));
        self.command(Operation::Zero, target, &Request::Zero(service.copied())).await
    }

    pub(super) async fn get_config(&self) -> Result<Config, Error> {
        self.get(Operation::GetConfig, &Request::GetConfig, |reply| match reply {
            Reply::Config(config) => Some(config),
            _ => None,
        })
        .await
    }

    pub(super) async fn set_config(&self, config: &Config) -> Result<(), Error> {
        self.command(Operation::SetConfig, Target::Table, &Request::SetConfig(*config)).await
    }

    pub(super) async fn get_info(&self) -> Result<Info, Error> {
        self.get(Operation::GetInfo, &Request::GetInfo, |reply| match reply {
            Reply::Info(info) => Some(info),
            _ => None,
        })
        .await
    }

    pub(super) async fn start_sync(&self, daemon: &SyncDaemon) -> Result<(), Error> {
        self.command(Operation::StartSync, Target::Daemon(daemon.role), &Request::NewDaemon(*daemon)).await
    }

    pub(super) async fn stop_sync(&self, role: SyncRole) -> Result<(), Error> {
        let failed = |cause| Error::new(Operation::StopSync, Target::Daemon(role), cause);
        let answered = self.lock().await.conversation.stop_daemon(role).await.map_err(failed)?;
        if answered || self.get_sync_daemons().await?.iter().all(|daemon| daemon.role != role) {
            Ok(())
        } else {
            Err(failed(Cause::Lost))
        }
    }

    pub(super) async fn get_sync_daemons(&self) -> Result<Vec<SyncDaemon>, Error> {
        let mut daemons = Daemons(Vec::new());
        self.ask(Operation::GetSyncDaemons, Target::Table, &Request::GetDaemons, &mut daemons).await?;
        Ok(daemons.0)
    }

    async fn write_service(
        &self,
        operation: Operation,
        service: &Service,
        request: impl FnOnce(Service) -> Request,
    ) -> Result<(), Error> {
        let target = Target::Service(service.id);
        match service.validate() {
            Ok(()) => self.command(operation, target, &request(service.clone())).await,
            Err(value) => Err(invalid(operation, target, value)),
        }
    }

    /// A request that is only acknowledged.
    async fn command(&self, operation: Operation, target: Target, request: &Request) -> Result<(), Error> {
        self.ask(operation, target, request, &mut Nothing).await
    }

    /// A request that is answered by one message.
    async fn get<T>(
        &self,
        operation: Operation,
        request: &Request,
        select: impl Fn(Reply) -> Option<T>,
    ) -> Result<T, Error> {
        let mut answer = One::new(select);
        self.ask(operation, Target::Table, request, &mut answer).await?;
        let nothing = DecodeError::new("message", 0, DecodeProblem::Missing);
        answer.value.ok_or_else(|| Error::new(operation, Target::Table, Cause::Decode(nothing)))
    }

    async fn ask(
        &self,
        operation: Operation,
        target: Target,
        request: &Request,
        answer: &mut impl Answer,
    ) -> Result<(), Error> {
        let asked = self.lock().await.conversation.ask(request, answer).await;
        asked.map_err(|cause| Error::new(operation, target, cause))
    }

    pub(super) fn lock(&self) -> impl Future<Output = S::Guard<'_>> {
        self.0.lock()
    }
}

pub(super) fn invalid(operation: Operation, target: Target, value: InvalidValue) -> Error {
    Error::new(operation, target, Cause::Invalid(value))
}

/// Takes one message, if it is the one that was asked for.
#[derive(Debug)]
struct One<T, F> {
    select: F,
    value: Option<T>,
}

impl<T, F: Fn(Reply) -> Option<T>> One<T, F> {
    const fn new(select: F) -> Self {
        Self { select, value: None }
    }
}

impl<T, F: Fn(Reply) -> Option<T>> Answer for One<T, F> {
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError> {
        self.value = (self.select)(Reply::decode(command, attributes)?);
        match self.value {
            Some(_) => Ok(()),
            None => Err(DecodeError::new("message", 0, DecodeProblem::Unexpected)),
        }
    }

    fn restart(&mut self) {
        self.value = None;
    }
}

/// One of each role, however often it comes.
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
            _ => Err(DecodeError::new("message", 0, DecodeProblem::Unexpected)),
        }
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}
