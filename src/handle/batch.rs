use std::ops::Range;

#[cfg(feature = "tokio")]
use super::AsyncHandle;
use super::conversation::BulkFailure;
use super::operations::{Operations, subject, valid};
use super::side::{Link, Side, block_on};
use super::{Handle, Inner};
use crate::codec::{Request, put_request};
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
#[derive(Debug)]
#[must_use = "a batch does nothing until it is sent"]
pub struct Batch<'h, H = Handle> {
    handle: &'h H,
    commands: Commands,
}

/// The commands of a batch, encoded, in their order.
#[derive(Debug, Default)]
pub(super) struct Commands {
    messages: Vec<u8>,
    places: Vec<Command>,
    /// A value that cannot be sent.
    refused: Option<Error>,
}

#[derive(Clone, Debug)]
struct Command {
    start: usize,
    operation: Operation,
    target: Target,
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
#[derive(Debug)]
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
        Self { handle, commands: Commands::default() }
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
        let (operation, target) = subject(request);
        let Commands { messages, places, .. } = &mut self.commands;
        places.push(Command { start: messages.len(), operation, target });
        // Family, flags and number are known when the batch is sent.
        put_request(messages, 0, 0, 0, request);
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
        block_on(self.handle.operations.send(self.commands))
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
        self.handle.operations.send(self.commands).await
    }
}

impl<S: Side> Operations<S> {
    pub(super) async fn send(&self, mut commands: Commands) -> Result<BatchReport, Error> {
        if let Some(error) = commands.refused.take() {
            return Err(error);
        }
        let count = commands.places.len();
        let mut results = Vec::with_capacity(count);
        let mut inner = self.lock().await;
        let limits = inner.conversation.limits();
        while results.len() < count {
            if !results.is_empty() {
                inner.conversation.pause().await;
            }
            let chunk = commands.chunk(results.len(), limits);
            let (bytes, places) = (commands.bytes(&chunk), commands.places.get(chunk).unwrap_or_default());
            let messages = commands.messages.get_mut(bytes).unwrap_or_default();
            if !send_chunk(&mut inner, messages, places, &mut results).await {
                let rest = commands.places.get(results.len()..).unwrap_or_default();
                results.extend(rest.iter().map(|command| Err(command.failed(Cause::NotSent))));
            }
        }
        Ok(BatchReport { results })
    }
}

impl Commands {
    /// The commands of the next datagram: as many as fit, one at least.
    fn chunk(&self, first: usize, limits: Limits) -> Range<usize> {
        let start = self.start(first);
        let fits = |end: &usize| {
            end.saturating_sub(first) <= limits.answers && self.start(*end).saturating_sub(start) <= limits.datagram
        };
        let end = (first.saturating_add(1)..=self.places.len()).take_while(fits).last();
        first..end.unwrap_or_else(|| first.saturating_add(1))
    }

    fn bytes(&self, commands: &Range<usize>) -> Range<usize> {
        self.start(commands.start)..self.start(commands.end)
    }

    /// Where a command begins, or everything ends.
    fn start(&self, command: usize) -> usize {
        self.places.get(command).map_or(self.messages.len(), |command| command.start)
    }
}

/// Sends one datagram and appends what became of each command. Returns whether the next one can be sent.
async fn send_chunk<L: Link>(
    inner: &mut Inner<L>,
    messages: &mut [u8],
    commands: &[Command],
    results: &mut Vec<Result<(), Error>>,
) -> bool {
    let base = commands.first().map_or(0, |command| command.start);
    let first = results.len();
    let mut looked_up = false;
    loop {
        results.truncate(first);
        results.extend(commands.iter().map(|_| Ok(())));
        let mut refused = Vec::new();
        let mut acknowledged = None;
        let starts = commands.iter().map(|command| command.start.saturating_sub(base));
        let sent = inner.conversation.commands(messages, starts, |place, result| {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            match result {
                Ok(()) => acknowledged = Some(place),
                Err(error) => refused.push((place, error)),
            }
        });
        let sent = sent.await;
        // Every single one failing like this is what it looks like when the family has got another number.
        let nobody_there =
            refused.len() == commands.len() && refused.iter().all(|(_, error)| error.errno == Errno::ENOENT.raw());
        for (place, error) in refused {
            if let (Some(command), Some(result)) = (commands.get(place), results.get_mut(first.saturating_add(place))) {
                let message = messages.get(command.start.saturating_sub(base)..).unwrap_or_default();
                *result = Err(command.failed(Cause::kernel(error, message)));
            }
        }
        let all = results.get_mut(first..).unwrap_or_default().iter_mut().zip(commands);
        let unanswered = all.enumerate().filter(|(place, (result, _))| result.is_ok() && acknowledged != Some(*place));
        let mut unanswered = unanswered.map(|(_, command)| command);
        match sent {
            Ok(()) if nobody_there && !looked_up => {
                looked_up = true;
                match inner.conversation.look_up_family().await {
                    Ok(true) => {}
                    Ok(false) => return true,
                    // IPVS is gone, and with it the table: that is what every refusal meant.
                    Err(Cause::NotAvailable) => {
                        results.truncate(first);
                        results.extend(commands.iter().map(|command| Err(command.failed(Cause::NotAvailable))));
                        return false;
                    }
                    // Whether the refusals came from IPVS or from nobody stays unknown.
                    Err(cause) => {
                        let same = unknown_like(&cause);
                        results.truncate(first);
                        results.extend(commands.iter().map(|command| Err(command.failed(same()))));
                        if let (Some(result), Some(command)) = (results.get_mut(first), commands.first()) {
                            *result = Err(command.failed(cause));
                        }
                        return false;
                    }
                }
            }
            Ok(()) => return true,
            Err(BulkFailure::NotSent(error)) => {
                if let Some((result, command)) = unanswered.next() {
                    *result = Err(command.failed(Cause::Io(error)));
                }
                unanswered.for_each(|(result, command)| *result = Err(command.failed(Cause::NotSent)));
                return false;
            }
            Err(BulkFailure::Unknown(cause)) => {
                let same = unknown_like(&cause);
                if let Some((result, command)) = unanswered.next() {
                    *result = Err(command.failed(cause));
                }
                unanswered.for_each(|(result, command)| *result = Err(command.failed(same())));
                return false;
            }
        }
    }
}

/// What is said of the commands that share an unknown end with the first of them.
fn unknown_like(cause: &Cause) -> impl Fn() -> Cause + use<> {
    let after = match cause {
        Cause::Timeout { after } => Some(*after),
        _ => None,
    };
    move || after.map_or(Cause::Lost, |after| Cause::Timeout { after })
}

impl Command {
    fn failed(&self, cause: Cause) -> Error {
        Error::new(self.operation, self.target.clone(), cause)
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
