use std::ops::ControlFlow;
use std::time::Instant;

use super::command::Command;
use super::error::ApplyError;
use super::observer::{Interrupt, Progress};
use super::report::Report;
use crate::Error;
use crate::desired::Observed;
use crate::desired::object::{Change, Object, Question, Reply};
use crate::desired::observed::Rest;
use crate::handle::{Batch, BatchProgress, Handle};
use crate::model::SyncDaemon;

#[cfg(feature = "tokio")]
use crate::AsyncHandle;

/// The next thing to do for an [`Applier`](super::Applier).
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// Commands for the kernel: [send](Commands::send) them and feed the results.
    Send(Commands<'a>),
    /// A question to the kernel: [ask](Question::ask) it and feed the answer.
    Read(Question),
    /// Nothing can be done before this time, unless an [interrupt](super::Applier::interrupt) comes.
    WaitUntil(Instant),
    /// The progress of the plan, for observers.
    Progress(Progress),
    /// The plan is done.
    Done(Result<Report, ApplyError>),
}

/// Commands that are sent together, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    pub(super) commands: &'a [Command],
    /// The interrupt from which on no further datagram is sent.
    pub(super) heeded: Interrupt,
}

/// The results of commands, or the answer to a question.
#[derive(Debug)]
pub struct Answer(pub(super) Told);

#[derive(Debug)]
pub(super) enum Told {
    Sent(Vec<Result<(), Error>>, Interrupt),
    Read(Reply),
}

impl Commands<'_> {
    /// The number of commands.
    pub const fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there are no commands; there is always at least one.
    pub const fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The daemon that starts or stops, which is sent by itself: the kernel may stop one silently.
    fn daemon(&self) -> Option<&Change<SyncDaemon>> {
        match self.commands {
            [Command { object: Object::SyncDaemon(change), .. }] => Some(change),
            _ => None,
        }
    }

    fn add_to<'h, H>(&self, batch: Batch<'h, H>) -> Batch<'h, H> {
        self.commands.iter().fold(batch, |batch, command| command.object.add_to(batch))
    }

    fn watch(
        &self,
        progress: BatchProgress,
        strongest: &mut Interrupt,
        interrupt: &mut impl FnMut() -> Interrupt,
    ) -> ControlFlow<()> {
        if progress.done < progress.total {
            *strongest = interrupt().max(*strongest);
        }
        let has_to_end = progress.failed > 0 || *strongest >= self.heeded;
        if has_to_end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Services are checked before they are sent: an error means that nothing was sent.
fn results(sent: Result<crate::handle::BatchReport, Error>) -> Vec<Result<(), Error>> {
    sent.map_or_else(|error| vec![Err(error)], crate::handle::BatchReport::into_results)
}

/// Writes the calls of a handle: with the words `async` and `await` those of one that does not block.
macro_rules! calls {
    ($(#[$doc:meta])* $handle:ty: $send:ident, $ask:ident, $read_rest:ident $(, $async:ident $await:ident)?) => {
        impl Commands<'_> {
            /// Sends them. Before each datagram the function is asked whether to end; commands that were not sent by
            /// then, or that follow a datagram with a failure, stay unsent.
            $(#[$doc])*
            pub $($async)? fn $send(&self, handle: &$handle, mut interrupt: impl FnMut() -> Interrupt) -> Answer {
                let mut strongest = interrupt();
                if strongest >= self.heeded {
                    return Answer(Told::Sent(Vec::new(), strongest));
                }
                let watch = |progress: BatchProgress| self.watch(progress, &mut strongest, &mut interrupt);
                let results = match self.daemon() {
                    Some(Change { after: Some(starts), .. }) => vec![handle.start_sync(starts)$(.$await)?],
                    Some(Change { before: Some(stops), after: None }) => vec![handle.stop_sync(stops.role)$(.$await)?],
                    _ => results(self.add_to(handle.batch()).send_with_progress(watch)$(.$await)?),
                };
                Answer(Told::Sent(results, strongest))
            }
        }

        impl Question {
            /// Asks the kernel.
            $(#[$doc])*
            pub $($async)? fn $ask(&self, handle: &$handle) -> Answer {
                Answer(Told::Read(match *self {
                    Self::Rest => Reply::Rest(Observed::$read_rest(handle, Rest::ALL)$(.$await)?),
                    Self::Service(id) => Reply::Service(id, Box::new(handle.get_service(&id)$(.$await)?)),
                    Self::Services => Reply::Services(handle.get_services()$(.$await)?, false),
                    Self::StableServices => Reply::Services(handle.get_services_with(Observed::CONSISTENCY)$(.$await)?, true),
                    Self::Destinations(id) => Reply::Destinations(id, handle.get_destinations(&id)$(.$await)?, false),
                    Self::StableDestinations(id) => {
                        Reply::Destinations(id, handle.get_destinations_with(&id, Observed::CONSISTENCY)$(.$await)?, true)
                    }
                }))
            }
        }
    };
}

calls!(Handle: send, ask, read_rest);
#[cfg(feature = "tokio")]
calls!(
    #[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
    AsyncHandle: send_async, ask_async, read_rest_async, async await
);
