//! The commands of a batch as messages, and the meaning of the answers for each command.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::{BatchProgress, BatchReport};
use crate::codec::{Request, put_request, request_in};
use crate::error::{Call, Cause, Errno, Error, Target};
use crate::handle::Inner;
use crate::handle::conversation::BulkFailure;
use crate::handle::mode::{Link, Mode};
use crate::handle::operations::{Operations, failed, subject, valid};
use crate::model::{Destination, Service, ServiceId};
use crate::transport::Limits;

/// The commands of a batch, encoded, in their order.
pub(in crate::handle) struct Commands {
    messages: Vec<u8>,
    places: Vec<Command>,
    /// Whether there is a message whose failure is not simply that of its command.
    has_parts: bool,
    /// A value that cannot be sent.
    refused: Option<Error>,
}

/// A command of the batch. Its target is in the message, and is only needed when the command fails.
#[derive(Debug)]
struct Command {
    call: Call,
    role: Role,
    /// The offset at which the message ends and the next begins.
    end: usize,
}

/// The part of a message in its command, which decides about the meaning of a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// All of it.
    Whole,
    /// The first of two: creates an object that may exist.
    Make,
    /// The second of two: counts when the first has found the object.
    Change,
    /// All of it; a missing object counts as success.
    Remove,
}

impl<S: Mode> Operations<S> {
    pub(in crate::handle) async fn send(
        &self,
        mut commands: Commands,
        mut watch: impl FnMut(BatchProgress) -> ControlFlow<()>,
    ) -> Result<BatchReport, Error> {
        if let Some(error) = commands.refused.take() {
            return Err(error);
        }
        let namespace = self.namespace.as_ref();
        let messages = commands.places.len();
        let mut results = Vec::with_capacity(messages);
        let mut progress = BatchProgress { done: 0, failed: 0, total: commands.len() };
        let mut inner = self.lock().await;
        let limits = inner.conversation.limits();
        while results.len() < messages {
            if !results.is_empty() {
                inner.conversation.pause().await;
            }
            let chunk = commands.chunk(results.len(), limits);
            let can_go_on = send_chunk(&mut inner, &mut commands, &chunk, &mut results, namespace).await;
            commands.count(&mut progress, &results, chunk);
            let is_stopped = watch(progress).is_break();
            let cause = match (can_go_on, is_stopped) {
                (false, _) => || Cause::NotSent,
                (true, true) => || Cause::Stopped,
                (true, false) => continue,
            };
            let rest = results.len()..messages;
            results.extend(rest.map(|place| Err(commands.failed(place, cause(), namespace))));
        }
        Ok(BatchReport { results: commands.merge(results) })
    }
}

impl Commands {
    pub(super) fn new() -> Self {
        Self {
            messages: Vec::with_capacity(FIRST_BYTES),
            places: Vec::with_capacity(FIRST_COMMANDS),
            has_parts: false,
            refused: None,
        }
    }

    pub(super) fn service(&mut self, call: Call, service: &Service, request: impl FnOnce(Service) -> Request) {
        match valid(call, service) {
            Ok(service) => self.add(Role::Whole, &request(service)),
            Err(error) => drop(self.refused.get_or_insert(error)),
        }
    }

    pub(super) fn ensure_service(&mut self, service: &Service) {
        match valid(Call::NewService, service) {
            Ok(service) => {
                self.add(Role::Make, &Request::NewService(service.clone()));
                self.add(Role::Change, &Request::SetService(service));
            }
            Err(error) => drop(self.refused.get_or_insert(error)),
        }
    }

    pub(super) fn ensure_destination(&mut self, service: ServiceId, destination: Destination) {
        self.add(Role::Make, &Request::NewDestination(service, destination.clone()));
        self.add(Role::Change, &Request::SetDestination(service, destination));
    }

    pub(super) fn add(&mut self, role: Role, request: &Request) {
        // Family, flags and sequence number are filled in when the batch is sent.
        put_request(&mut self.messages, 0, 0, 0, request);
        self.has_parts |= role != Role::Whole;
        self.places.push(Command { call: subject(request).0, role, end: self.messages.len() });
    }

    /// The number of commands, of which some have two messages.
    pub(super) fn len(&self) -> usize {
        if !self.has_parts {
            return self.places.len();
        }
        self.places.iter().filter(|command| command.role != Role::Change).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The length of all messages in bytes.
    pub(super) fn bytes_in_all(&self) -> usize {
        self.messages.len()
    }

    /// Adds the results of a datagram to the progress of the batch.
    fn count(&self, progress: &mut BatchProgress, results: &[Result<(), Error>], chunk: Range<usize>) {
        if !self.has_parts {
            progress.done = results.len();
            let failed = results.get(chunk).unwrap_or_default().iter().filter(|result| result.is_err()).count();
            progress.failed = progress.failed.saturating_add(failed);
            return;
        }
        let start = chunk.start;
        let commands = self.places.get(chunk).unwrap_or_default();
        for (place, command) in (start..).zip(commands) {
            let Some(result) = results.get(place) else { return };
            let has_failed = match command.role {
                Role::Whole => result.is_err(),
                Role::Make => continue,
                Role::Remove => result.as_ref().is_err_and(|error| !error.is_not_found()),
                Role::Change => match place.checked_sub(1).and_then(|before| results.get(before)) {
                    Some(made) if is_there_already(made) => result.is_err(),
                    made => made.is_some_and(Result::is_err),
                },
            };
            progress.done = progress.done.saturating_add(1);
            progress.failed = progress.failed.saturating_add(has_failed.into());
        }
    }

    /// The results of the commands, from those of their messages.
    fn merge(&self, results: Vec<Result<(), Error>>) -> Vec<Result<(), Error>> {
        if !self.has_parts {
            return results;
        }
        let mut merged: Vec<Result<(), Error>> = Vec::with_capacity(self.len());
        for (command, result) in self.places.iter().zip(results) {
            match (command.role, result) {
                (Role::Remove, Err(error)) if error.is_not_found() => merged.push(Ok(())),
                (Role::Whole | Role::Make | Role::Remove, result) => merged.push(result),
                (Role::Change, result) => {
                    if let Some(made) = merged.last_mut().filter(|made| is_there_already(made)) {
                        *made = result;
                    }
                }
            }
        }
        merged
    }

    /// The messages of the next datagram: as many as fit, one at least.
    fn chunk(&self, first: usize, limits: Limits) -> Range<usize> {
        let longest = self.start(first).saturating_add(limits.datagram);
        let most = first.saturating_add(limits.answers).min(self.places.len());
        let fitting = self.places.get(first..most).unwrap_or_default();
        let count = fitting.partition_point(|command| command.end <= longest);
        first..first.saturating_add(count.max(1))
    }

    /// The offset at which a message begins; for the place after the last, the end of all messages.
    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).and_then(|before| self.places.get(before)).map_or(0, |before| before.end)
    }

    fn bytes(&self, commands: &Range<usize>) -> Range<usize> {
        self.start(commands.start)..self.start(commands.end)
    }

    fn message(&self, place: usize) -> &[u8] {
        self.messages.get(self.bytes(&(place..place.saturating_add(1)))).unwrap_or_default()
    }

    /// The error of a command that failed.
    fn failed(&self, place: usize, cause: Cause, namespace: Option<&Arc<str>>) -> Error {
        if let Some(request) = request_in(self.message(place)) {
            return failed(&request, cause, namespace);
        }
        let call = self.places.get(place).map_or(Call::Flush, |command| command.call);
        Error::new(call, Target::Table, cause).within(namespace)
    }
}

/// Sends one datagram and appends the result of each message. Returns whether the next one can be sent.
async fn send_chunk<L: Link>(
    inner: &mut Inner<L>,
    commands: &mut Commands,
    chunk: &Range<usize>,
    results: &mut Vec<Result<(), Error>>,
    namespace: Option<&Arc<str>>,
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
        // When the number of the family has changed, every single message fails with this error.
        let is_family_suspect =
            refused.len() == chunk.len() && refused.iter().all(|(_, error)| error.errno == Errno::ENOENT.raw());
        for (place, error) in refused {
            if let Some(result) = results.get_mut(place) {
                *result = Err(commands.failed(place, Cause::kernel(error, commands.message(place)), namespace));
            }
        }
        let (cause, others) = match sent {
            Ok(()) if is_family_suspect && !looked_up => {
                looked_up = true;
                let cause = match inner.conversation.look_up_family().await {
                    Ok(true) => continue,
                    Ok(false) => return true,
                    Err(cause) => cause,
                };
                // Either IPVS was unloaded, and its table with it, which is the meaning of every one of these errors;
                // or the lookup failed, and it stays unknown whether they came from IPVS at all.
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
                let cause = cause.take().unwrap_or_else(|| alike(&others));
                *result = Err(commands.failed(place, cause, namespace));
            }
        }
        return false;
    }
}

fn is_there_already(result: &Result<(), Error>) -> bool {
    result.as_ref().is_err_and(Error::is_already_exists)
}

/// The cause that is reported for the other commands when several fail together: the same, or [`Cause::Lost`] when it
/// cannot be copied.
const fn alike(cause: &Cause) -> Cause {
    match cause {
        Cause::Timeout { after } => Cause::Timeout { after: *after },
        Cause::NotAvailable => Cause::NotAvailable,
        Cause::NotSent => Cause::NotSent,
        _ => Cause::Lost,
    }
}

/// The number of commands that memory is allocated for at the beginning.
const FIRST_COMMANDS: usize = 64;
/// The memory for their messages, in bytes; a destination with all its settings takes 160.
const FIRST_BYTES: usize = FIRST_COMMANDS * 160;
