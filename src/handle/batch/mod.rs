mod commands;

use std::fmt;
use std::ops::ControlFlow;

use super::Handle;
#[cfg(feature = "tokio")]
use super::asynchronous::AsyncHandle;
use super::mode::block_on;
use crate::codec::Request;
use crate::error::{Call, Error};
use crate::model::{Config, Destination, DestinationId, Service, ServiceId};
use commands::{Commands, Role};

/// Many commands that are sent in few datagrams.
///
/// The kernel executes the commands in order. A failure does not stop the batch: the commands after it are executed,
/// and the [report](BatchReport) has the result of each. There is no transaction: to undo commands is up to the caller.
///
/// ```no_run
/// use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};
///
/// let handle = Handle::new()?;
/// let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
/// let report = handle
///     .batch()
///     .new_service(&Service::new(web, Scheduler::Wlc))
///     .new_destination(&web, &Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade))
///     .send()?;
/// for (place, error) in report.failures() {
///     eprintln!("command {place}: {error}");
/// }
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
///
/// In a loop, [`push`](Self::push) and `extend` take commands as values:
///
/// ```no_run
/// use ipvs_rs::handle::BatchCommand;
/// use ipvs_rs::{Destination, DestinationId, ForwardMethod, Handle, ServiceId};
///
/// # fn found() -> Vec<(DestinationId, bool)> { Vec::new() }
/// let handle = Handle::new()?;
/// let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
/// let mut batch = handle.batch();
/// batch.extend(found().into_iter().map(|(server, is_up)| match is_up {
///     true => BatchCommand::EnsureDestination(web, Destination::new(server, ForwardMethod::Masquerade)),
///     false => BatchCommand::RemoveDestination(web, server),
/// }));
/// batch.push(BatchCommand::ZeroService(web));
/// batch.send()?.into_result()?;
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
///
/// A batch goes out in datagrams of so many commands that no answer is lost even if every command fails (200 with the
/// system's default buffers). Other threads that share the handle wait until it has finished.
///
/// # After many were deleted
///
/// The kernel remembers every destination that was deleted, by a flush or with its service too, for two to three
/// minutes. Whenever one is added to the same network namespace, it searches those that it remembers, the latest first.
/// Where 10,000 were deleted, adding others costs some ten times as much for that time, and adding the same again in
/// the same order some five times, whichever client is used. So where many destinations change at a time:
///
/// * Change instead of deleting and adding: [`update_destination`](Self::update_destination) is never slowed down. To
///   take a server out of service, give it the weight 0, which also lets its connections finish.
/// * Compare the table with the desired state and send the difference, instead of flushing and creating everything
///   again.
/// * Add the new before deleting the old.
/// * Add the same again in the reverse order of deleting: the latest is found at once.
/// * Or wait three minutes.
#[must_use = "a batch does nothing until it is sent"]
pub struct Batch<'h, H = Handle> {
    handle: &'h H,
    commands: Commands,
}

/// A command of a [`Batch`], as a value; each is described at the method of the same name.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BatchCommand {
    /// [`Handle::new_service`].
    NewService(Service),
    /// [`Handle::update_service`].
    UpdateService(Service),
    /// [`Handle::delete_service`].
    DeleteService(ServiceId),
    /// [`Batch::ensure_service`].
    EnsureService(Service),
    /// [`Batch::remove_service`].
    RemoveService(ServiceId),
    /// [`Handle::new_destination`].
    NewDestination(ServiceId, Destination),
    /// [`Handle::update_destination`].
    UpdateDestination(ServiceId, Destination),
    /// [`Handle::delete_destination`].
    DeleteDestination(ServiceId, DestinationId),
    /// [`Batch::ensure_destination`].
    EnsureDestination(ServiceId, Destination),
    /// [`Batch::remove_destination`].
    RemoveDestination(ServiceId, DestinationId),
    /// [`Handle::zero_service`].
    ZeroService(ServiceId),
    /// [`Handle::zero_all`].
    ZeroAll,
    /// [`Handle::flush`].
    Flush,
    /// [`Handle::set_config`].
    SetConfig(Config),
}

/// The progress of a [`Batch`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BatchProgress {
    /// Commands that were sent, whatever their result.
    pub done: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// All commands of the batch.
    pub total: usize,
}

/// The results of the commands of a [`Batch`], in their order.
///
/// ```no_run
/// use ipvs_rs::Handle;
///
/// let report = Handle::new()?.batch().zero_all().flush().send()?;
/// if report.is_ok() {
///     println!("all {} done", report.results().len());
/// }
/// // Or, when one failure is enough to give up:
/// report.into_result()?;
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "commands of a batch fail one by one"]
pub struct BatchReport {
    results: Vec<Result<(), Error>>,
}

impl Handle {
    /// Begins a batch of commands.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }
}

#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
impl AsyncHandle {
    /// Begins a batch of commands, as [`Handle::batch`](crate::Handle::batch).
    pub fn batch(&self) -> Batch<'_, Self> {
        Batch::new(self)
    }
}

impl<'h, H> Batch<'h, H> {
    fn new(handle: &'h H) -> Self {
        Self { handle, commands: Commands::new() }
    }

    /// Adds [`Handle::new_service`].
    pub fn new_service(mut self, service: &Service) -> Self {
        self.commands.service(Call::NewService, service, Request::NewService);
        self
    }

    /// Adds [`Handle::update_service`].
    pub fn update_service(mut self, service: &Service) -> Self {
        self.commands.service(Call::UpdateService, service, Request::SetService);
        self
    }

    /// Creates a service, or gives it these settings if it exists.
    ///
    /// These are two commands to the kernel, of which the second one is harmless when the first has created the
    /// service, so that the order of the batch is kept. It fails as [`Handle::new_service`] does, except that the
    /// service may exist.
    pub fn ensure_service(mut self, service: &Service) -> Self {
        self.commands.ensure_service(service);
        self
    }

    /// Removes a service if it exists, as [`Handle::remove_service`].
    pub fn remove_service(mut self, id: &ServiceId) -> Self {
        self.commands.add(Role::Remove, &Request::DeleteService(*id));
        self
    }

    /// Adds [`Handle::delete_service`].
    pub fn delete_service(mut self, id: &ServiceId) -> Self {
        self.commands.add(Role::Whole, &Request::DeleteService(*id));
        self
    }

    /// Adds [`Handle::new_destination`].
    pub fn new_destination(mut self, service: &ServiceId, destination: &Destination) -> Self {
        self.commands.add(Role::Whole, &Request::NewDestination(*service, destination.clone()));
        self
    }

    /// Adds [`Handle::update_destination`].
    pub fn update_destination(mut self, service: &ServiceId, destination: &Destination) -> Self {
        self.commands.add(Role::Whole, &Request::SetDestination(*service, destination.clone()));
        self
    }

    /// Adds [`Handle::delete_destination`].
    pub fn delete_destination(mut self, service: &ServiceId, id: &DestinationId) -> Self {
        self.commands.add(Role::Whole, &Request::DeleteDestination(*service, *id));
        self
    }

    /// Creates a destination, or gives it these settings if it exists, with two commands as
    /// [`ensure_service`](Self::ensure_service) does.
    ///
    /// It fails as [`Handle::new_destination`] does, except that the destination may exist.
    pub fn ensure_destination(mut self, service: &ServiceId, destination: &Destination) -> Self {
        self.commands.ensure_destination(*service, destination.clone());
        self
    }

    /// Removes a destination if it exists, as [`Handle::remove_destination`].
    pub fn remove_destination(mut self, service: &ServiceId, id: &DestinationId) -> Self {
        self.commands.add(Role::Remove, &Request::DeleteDestination(*service, *id));
        self
    }

    /// Adds [`Handle::zero_service`].
    pub fn zero_service(mut self, id: &ServiceId) -> Self {
        self.commands.add(Role::Whole, &Request::Zero(Some(*id)));
        self
    }

    /// Adds [`Handle::zero_all`].
    pub fn zero_all(mut self) -> Self {
        self.commands.add(Role::Whole, &Request::Zero(None));
        self
    }

    /// Adds [`Handle::flush`].
    pub fn flush(mut self) -> Self {
        self.commands.add(Role::Whole, &Request::Flush);
        self
    }

    /// Adds [`Handle::set_config`].
    pub fn set_config(mut self, config: &Config) -> Self {
        self.commands.add(Role::Whole, &Request::SetConfig(*config));
        self
    }

    /// Adds a command, where the batch is to be kept: in a loop, or in a structure.
    ///
    /// ```no_run
    /// use ipvs_rs::handle::BatchCommand;
    /// use ipvs_rs::{Handle, ServiceId};
    ///
    /// let handle = Handle::new()?;
    /// let mut batch = handle.batch();
    /// for entry in handle.get_services()? {
    ///     if entry.stats.connections == 0 {
    ///         batch.push(BatchCommand::RemoveService(entry.id()));
    ///     }
    /// }
    /// batch.send()?.into_result()?;
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn push(&mut self, command: BatchCommand) -> &mut Self {
        use BatchCommand as Add;
        let commands = &mut self.commands;
        let request = match command {
            Add::NewService(service) => {
                commands.service(Call::NewService, &service, Request::NewService);
                return self;
            }
            Add::UpdateService(service) => {
                commands.service(Call::UpdateService, &service, Request::SetService);
                return self;
            }
            Add::EnsureService(service) => {
                commands.ensure_service(&service);
                return self;
            }
            Add::EnsureDestination(service, destination) => {
                commands.ensure_destination(service, destination);
                return self;
            }
            Add::RemoveService(id) => {
                commands.add(Role::Remove, &Request::DeleteService(id));
                return self;
            }
            Add::RemoveDestination(service, id) => {
                commands.add(Role::Remove, &Request::DeleteDestination(service, id));
                return self;
            }
            Add::DeleteService(id) => Request::DeleteService(id),
            Add::NewDestination(service, destination) => Request::NewDestination(service, destination),
            Add::UpdateDestination(service, destination) => Request::SetDestination(service, destination),
            Add::DeleteDestination(service, id) => Request::DeleteDestination(service, id),
            Add::ZeroService(id) => Request::Zero(Some(id)),
            Add::ZeroAll => Request::Zero(None),
            Add::Flush => Request::Flush,
            Add::SetConfig(config) => Request::SetConfig(config),
        };
        commands.add(Role::Whole, &request);
        self
    }

    /// The number of commands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there is no command.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

impl<H> Extend<BatchCommand> for Batch<'_, H> {
    fn extend<I: IntoIterator<Item = BatchCommand>>(&mut self, commands: I) {
        for command in commands {
            self.push(command);
        }
    }
}

impl Batch<'_> {
    /// Sends all commands and waits for their results. An empty batch sends nothing.
    ///
    /// When an answer does not come or is lost, the outcome of the commands of its datagram that were not answered is
    /// unknown ([`Timeout`](crate::error::ErrorKind::Timeout), [`Lost`](crate::error::ErrorKind::Lost)) and those after
    /// it are [not sent](crate::error::ErrorKind::NotSent).
    ///
    /// # Errors
    ///
    /// When one of the values was refused before anything was sent. The results of commands that were sent are in the
    /// report.
    pub fn send(self) -> Result<BatchReport, Error> {
        self.send_with_progress(|_| ControlFlow::Continue(()))
    }

    /// Sends all commands and calls a function with the progress after each datagram.
    ///
    /// The function may stop the batch with [`ControlFlow::Break`]: then the rest is [not
    /// sent](crate::error::ErrorKind::NotSent), as it is after a datagram whose answers did not come. The handle is
    /// locked meanwhile: a function that uses it would deadlock.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Example
    ///
    /// ```no_run
    /// use std::ops::ControlFlow;
    ///
    /// use ipvs_rs::{Destination, Handle, ServiceId};
    ///
    /// # fn servers() -> Vec<Destination> { Vec::new() }
    /// let handle = Handle::new()?;
    /// let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
    /// let batch = servers().iter().fold(handle.batch(), |batch, server| batch.new_destination(&web, server));
    /// let report = batch.send_with_progress(|progress| {
    ///     eprint!("\r{} of {}", progress.done, progress.total);
    ///     // So many refusals cannot be a coincidence.
    ///     if progress.failed > 100 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn send_with_progress(self, watch: impl FnMut(BatchProgress) -> ControlFlow<()>) -> Result<BatchReport, Error> {
        block_on(self.handle.operations.send(self.commands, watch))
    }
}

/// Shows the number of commands, and their length in bytes.
impl<H> fmt::Debug for Batch<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("commands", &self.len())
            .field("bytes", &self.commands.bytes_in_all())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
impl Batch<'_, AsyncHandle> {
    /// Sends all commands and waits for their results, as the batch of a blocking handle does.
    ///
    /// Other tasks get their turn between two datagrams, except those that want this handle.
    ///
    /// # Errors
    ///
    /// When one of the values was refused before anything was sent. The results of commands that were sent are in the
    /// report.
    pub async fn send(self) -> Result<BatchReport, Error> {
        self.send_with_progress(|_| ControlFlow::Continue(())).await
    }

    /// Sends all commands and calls a function with the progress after each datagram, as the batch of a [blocking
    /// handle](Batch::send_with_progress) does.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with_progress(
        self,
        watch: impl FnMut(BatchProgress) -> ControlFlow<()>,
    ) -> Result<BatchReport, Error> {
        self.handle.operations.send(self.commands, watch).await
    }
}

impl BatchReport {
    /// The result of each command, in order.
    pub fn results(&self) -> &[Result<(), Error>] {
        &self.results
    }

    /// The commands that failed, with their place in the batch.
    pub fn failures(&self) -> impl Iterator<Item = (usize, &Error)> {
        self.results.iter().enumerate().filter_map(|(place, result)| Some((place, result.as_ref().err()?)))
    }

    /// Whether every command succeeded.
    pub fn is_ok(&self) -> bool {
        self.results.iter().all(Result::is_ok)
    }

    /// The results themselves, in order.
    pub fn into_results(self) -> Vec<Result<(), Error>> {
        self.results
    }

    /// Success if every command succeeded.
    ///
    /// # Errors
    ///
    /// The first failure.
    pub fn into_result(self) -> Result<(), Error> {
        self.results.into_iter().collect()
    }
}

/// Shows the number of commands, the number that failed, and the first failure.
impl fmt::Debug for BatchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReport")
            .field("commands", &self.results.len())
            .field("failed", &self.failures().count())
            .field("first", &self.failures().next())
            .finish_non_exhaustive()
    }
}
