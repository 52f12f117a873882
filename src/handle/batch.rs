use std::fmt;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

#[cfg(feature = "tokio")]
use super::AsyncHandle;
use super::conversation::BulkFailure;
use super::operations::{Operations, failed, subject, valid};
use super::side::{Link, Side, block_on};
use super::{Handle, Inner};
use crate::codec::{Request, put_request, request_in};
use crate::error::{Cause, Errno, Error, Operation, Target};
use crate::model::{Config, Destination, DestinationId, Service, ServiceId};
use crate::transport::Limits;

/// Many commands, few datagrams.
///
/// The kernel executes the commands in order. One that fails stops nothing: those after it run, and the
/// [report](BatchReport) says of each what became of it. There is no transaction: to undo is up to the caller.
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A batch goes out in datagrams of so many commands that no answer is lost even if every command fails (200 with the
/// system's default buffers). Other threads that share the handle wait until it is through.
///
/// # After many were deleted
///
/// The kernel remembers every destination that was deleted, by a flush or with its service too, for two to three minutes.
/// Whenever one is added to the same network namespace, it looks through what it remembers, the latest first. Where
/// 10,000 were deleted, adding others costs some ten times as much for that time, and adding the same again in the same
/// order some five times, whatever the client is. So where many destinations change at a time:
///
/// * Change instead of deleting and adding: [`update_destination`](Self::update_destination) is never held up. A server
///   that is to rest gets the weight 0, which lets its connections finish, too.
/// * Compare what is there with what should be and send the difference, instead of flushing and making all anew.
/// * Add the new before deleting the old.
/// * Add the same again in the reverse order of deleting: the latest is found at once.
/// * Or wait three minutes.
#[must_use = "a batch does nothing until it is sent"]
pub struct Batch<'h, H = Handle> {
    handle: &'h H,
    commands: Commands,
}

/// The commands of a batch, encoded, in their order.
pub(super) struct Commands {
    /// That of the handle which sends them, once that is known.
    namespace: Option<Arc<str>>,
    messages: Vec<u8>,
    places: Vec<Command>,
    /// A value that cannot be sent.
    refused: Option<Error>,
}

/// What it is done to stands in the message, and is of interest only when it fails.
#[derive(Debug)]
struct Command {
    operation: Operation,
    /// Where the message ends, and the next begins.
    end: usize,
}

/// Room for this many commands is there from the beginning.
const FIRST_COMMANDS: usize = 64;
/// What a destination with all its settings takes.
const FIRST_BYTES: usize = FIRST_COMMANDS * 160;

/// How far a [`Batch`] has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BatchProgress {
    /// Commands that were sent, whatever became of them.
    pub done: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// All commands of the batch.
    pub total: usize,
}

/// What became of the commands of a [`Batch`], in their order.
///
/// ```no_run
/// use ipvs_rs::Handle;
///
/// let report = Handle::new()?.batch().zero(None).flush().send()?;
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

impl<'h, H> Batch<'h, H> {
    pub(super) fn new(handle: &'h H) -> Self {
        let commands = Commands {
            namespace: None,
            messages: Vec::with_capacity(FIRST_BYTES),
            places: Vec::with_capacity(FIRST_COMMANDS),
            refused: None,
        };
        Self { handle, commands }
    }

    /// Adds [`Handle::new_service`].
    pub fn new_service(self, service: &Service) -> Self {
        self.service(Operation::NewService, service, Request::NewService)
    }

    /// Adds [`Handle::update_service`].
    pub fn update_service(self, service: &Service) -> Self {
        self.service(Operation::UpdateService, service, Request::SetService)
    }

    /// Adds [`Handle::delete_service`].
    pub fn delete_service(self, id: &ServiceId) -> Self {
        self.add(&Request::DeleteService(*id))
    }

    /// Adds [`Handle::new_destination`].
    pub fn new_destination(self, service: &ServiceId, destination: &Destination) -> Self {
        self.add(&Request::NewDestination(*service, destination.clone()))
    }

    /// Adds [`Handle::update_destination`].
    pub fn update_destination(self, service: &ServiceId, destination: &Destination) -> Self {
        self.add(&Request::SetDestination(*service, destination.clone()))
    }

    /// Adds [`Handle::delete_destination`].
    pub fn delete_destination(self, service: &ServiceId, id: &DestinationId) -> Self {
        self.add(&Request::DeleteDestination(*service, *id))
    }

    /// Adds [`Handle::zero`].
    pub fn zero(self, service: Option<&ServiceId>) -> Self {
        self.add(&Request::Zero(service.copied()))
    }

    /// Adds [`Handle::flush`].
    pub fn flush(self) -> Self {
        self.add(&Request::Flush)
    }

    /// Adds [`Handle::set_config`].
    pub fn set_config(self, config: &Config) -> Self {
        self.add(&Request::SetConfig(*config))
    }

    /// The number of commands.
    pub fn len(&self) -> usize {
        self.commands.places.len()
    }

    /// Whether there is no command.
    pub fn is_empty(&self) -> bool {
        self.commands.places.is_empty()
    }

    fn service(mut self, operation: Operation, service: &Service, request: impl FnOnce(Service) -> Request) -> Self {
        match valid(operation, service) {
            Ok(service) => self.add(&request(service)),
            Err(error) => {
                self.commands.refused.get_or_insert(error);
                self
            }
        }
    }

    fn add(mut self, request: &Request) -> Self {
        let Commands { messages, places, .. } = &mut self.commands;
        // Family, flags and number are known when the batch is sent.
        put_request(messages, 0, 0, 0, request);
        places.push(Command { operation: subject(request).0, end: messages.len() });
        self
    }
}

impl Batch<'_> {
    /// Sends all commands and waits for what became of them. An empty batch sends nothing.
    ///
    /// When an answer does not come or is lost, the commands of its datagram that were not answered have an unknown
    /// end ([`Timeout`](crate::error::ErrorKind::Timeout), [`Lost`](crate::error::ErrorKind::Lost)) and those after it
    /// are [not sent](crate::error::ErrorKind::NotSent).
    ///
    /// # Errors
    ///
    /// When one of the values was refused before anything was sent. What becomes of commands that were sent is in the
    /// report.
    pub fn send(self) -> Result<BatchReport, Error> {
        self.send_with_progress(|_| ControlFlow::Continue(()))
    }

    /// Sends all commands and tells a function after each datagram how far it has come.
    ///
    /// The function may end it with [`ControlFlow::Break`]: then the rest is [not
    /// sent](crate::error::ErrorKind::NotSent), as it is after a datagram whose answers did not come. The handle is
    /// locked meanwhile: a function that uses it would wait for ever.
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
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_with_progress(self, watch: impl FnMut(BatchProgress) -> ControlFlow<()>) -> Result<BatchReport, Error> {
        block_on(self.handle.operations.send(self.commands, watch))
    }
}

/// How many commands there are, and how many bytes they take.
impl<H> fmt::Debug for Batch<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("commands", &self.len())
            .field("bytes", &self.commands.messages.len())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
impl Batch<'_, AsyncHandle> {
    /// Sends all commands and waits for what became of them, as the batch of a blocking handle does.
    ///
    /// Other tasks get their turn between two datagrams, except those that want this handle.
    ///
    /// # Errors
    ///
    /// When one of the values was refused before anything was sent. What becomes of commands that were sent is in the
    /// report.
    pub async fn send(self) -> Result<BatchReport, Error> {
        self.send_with_progress(|_| ControlFlow::Continue(())).await
    }

    /// Sends all commands and tells a function after each datagram how far it has come, as the batch of a [blocking
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

impl<S: Side> Operations<S> {
    pub(super) async fn send(
        &self,
        mut commands: Commands,
        mut watch: impl FnMut(BatchProgress) -> ControlFlow<()>,
    ) -> Result<BatchReport, Error> {
        if let Some(error) = commands.refused.take() {
            return Err(error);
        }
        commands.namespace.clone_from(&self.namespace);
        let total = commands.places.len();
        let mut results = Vec::with_capacity(total);
        let mut failed = 0;
        let mut inner = self.lock().await;
        let limits = inner.conversation.limits();
        while results.len() < total {
            if !results.is_empty() {
                inner.conversation.pause().await;
            }
            let chunk = commands.chunk(results.len(), limits);
            let can_go_on = send_chunk(&mut inner, &mut commands, &chunk, &mut results).await;
            failed += results.get(chunk).unwrap_or_default().iter().filter(|result| result.is_err()).count();
            let is_stopped = watch(BatchProgress { done: results.len(), failed, total }).is_break();
            let cause = match (can_go_on, is_stopped) {
                (false, _) => || Cause::NotSent,
                (true, true) => || Cause::Stopped,
                (true, false) => continue,
            };
            let rest = results.len()..total;
            results.extend(rest.map(|place| Err(commands.failed(place, cause()))));
        }
        Ok(BatchReport { results })
    }
}

impl Commands {
    /// The commands of the next datagram: as many as fit, one at least.
    fn chunk(&self, first: usize, limits: Limits) -> Range<usize> {
        let longest = self.start(first).saturating_add(limits.datagram);
        let most = first.saturating_add(limits.answers).min(self.places.len());
        let fitting = self.places.get(first..most).unwrap_or_default();
        let count = fitting.partition_point(|command| command.end <= longest);
        first..first.saturating_add(count.max(1))
    }

    /// Where a command begins, or everything ends.
    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).and_then(|before| self.places.get(before)).map_or(0, |before| before.end)
    }

    fn bytes(&self, commands: &Range<usize>) -> Range<usize> {
        self.start(commands.start)..self.start(commands.end)
    }

    fn message(&self, place: usize) -> &[u8] {
        self.messages.get(self.bytes(&(place..place.saturating_add(1)))).unwrap_or_default()
    }

    /// What is said of a command that failed.
    fn failed(&self, place: usize, cause: Cause) -> Error {
        let namespace = self.namespace.as_ref();
        if let Some(request) = request_in(self.message(place)) {
            return failed(&request, cause, namespace);
        }
        let operation = self.places.get(place).map_or(Operation::Flush, |command| command.operation);
        Error::new(operation, Target::Table, cause).within(namespace)
    }
}

/// Sends one datagram and appends what became of each command. Returns whether the next one can be sent.
async fn send_chunk<L: Link>(
    inner: &mut Inner<L>,
    commands: &mut Commands,
    chunk: &Range<usize>,
    results: &mut Vec<Result<(), Error>>,
) -> bool {
    let bytes = commands.bytes(chunk);
    let mut looked_up = false;
    loop {
        results.truncate(chunk.start);
        results.resize_with(chunk.end, || Ok(()));
        let mut refused = Vec::new();
        let mut acknowledged = None;
        let datagram = commands.messages.get_mut(bytes.clone()).unwrap_or_default();
        let sent = inner.conversation.commands(datagram, chunk.len(), |place, result| {
            let place = chunk.start.saturating_add(usize::try_from(place).unwrap_or(usize::MAX));
            match result {
                Ok(()) => acknowledged = Some(place),
                Err(error) => refused.push((place, error)),
            }
        });
        let sent = sent.await;
        // Every single one failing like this is what it looks like when the family has got another number.
        let nobody_there =
            refused.len() == chunk.len() && refused.iter().all(|(_, error)| error.errno == Errno::ENOENT.raw());
        for (place, error) in refused {
            if let Some(result) = results.get_mut(place) {
                *result = Err(commands.failed(place, Cause::kernel(error, commands.message(place))));
            }
        }
        let (cause, others) = match sent {
            Ok(()) if nobody_there && !looked_up => {
                looked_up = true;
                let cause = match inner.conversation.look_up_family().await {
                    Ok(true) => continue,
                    Ok(false) => return true,
                    Err(cause) => cause,
                };
                // IPVS is gone, and with it the table: that is what every refusal meant. Or else, whether the refusals
                // came from IPVS or from nobody stays unknown.
                results.truncate(chunk.start);
                results.resize_with(chunk.end, || Ok(()));
                let others = alike(&cause);
                (cause, others)
            }
            Ok(()) => return true,
            Err(BulkFailure::NotSent(error)) => (Cause::Io(error), Cause::NotSent),
            Err(BulkFailure::Unknown(cause)) => {
                let others = alike(&cause);
                (cause, others)
            }
        };
        let mut cause = Some(cause);
        for (place, result) in results.iter_mut().enumerate().skip(chunk.start) {
            if result.is_ok() && acknowledged != Some(place) {
                *result = Err(commands.failed(place, cause.take().unwrap_or_else(|| alike(&others))));
            }
        }
        return false;
    }
}

/// What is said of the commands that share the end of the first of them.
const fn alike(cause: &Cause) -> Cause {
    match cause {
        Cause::Timeout { after } => Cause::Timeout { after: *after },
        Cause::NotAvailable => Cause::NotAvailable,
        Cause::NotSent => Cause::NotSent,
        _ => Cause::Lost,
    }
}

impl BatchReport {
    /// What became of each command, in order.
    pub fn results(&self) -> &[Result<(), Error>] {
        &self.results
    }

    /// Those that failed, by their place.
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

/// How many commands there were, how many of them failed, and the first that did.
impl fmt::Debug for BatchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReport")
            .field("commands", &self.results.len())
            .field("failed", &self.failures().count())
            .field("first", &self.failures().next())
            .finish_non_exhaustive()
    }
}
