use std::fmt;

use super::options::OnError;
use super::report::Report;
use crate::desired::plan::{Conflict, Operation};
use crate::model::InvalidValue;

/// The reason that a plan was not carried out, and the state that it left.
///
/// It prints as one complete line, with the error of the kernel in it: see [how errors print](crate::error#how-errors-print).
///
/// ```text
/// cannot add service FWM 7 (ipvsadm -A -f 7 -s mh); rolled back 3 of 3 operations: new service FWM 7: busy (EBUSY)
/// ```
pub struct ApplyError(Box<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) cause: Cause,
    pub(super) on_error: OnError,
    pub(super) report: Report,
    pub(super) unrestored: Vec<Unrestored>,
    /// Whether something was deleted, which cannot be restored exactly.
    pub(super) is_forgetful: bool,
}

/// The reason that a plan was not carried out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// It has conflicts in itself; nothing was sent.
    Conflicts(Vec<Conflict>),
    /// These operations are not [allowed](super::ApplyOptions::allowed); nothing was sent.
    Forbidden(Vec<Operation>),
    /// This operation has a value that the kernel cannot take; nothing was sent.
    Invalid(Box<Operation>, InvalidValue),
    /// These operations failed: the first one, or all of them if the plan continued. Those that failed only because
    /// another one had failed are left out.
    Failed(Vec<Failure>),
    /// Another program deleted objects that these operations need.
    Raced(Vec<Failure>),
    /// The results of these operations were not there when the table was verified.
    Changed(Vec<Operation>),
    /// Everything was done, but the table could not be read afterwards.
    Unconfirmed(crate::Error),
    /// It was interrupted by the caller.
    Interrupted,
}

/// An operation that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The operation.
    pub operation: Operation,
    /// The part of it that failed, with all settings: `add destination 10.0.0.2:80 (ipvsadm -a -t 192.0.2.10:80 -r …)`.
    pub action: String,
    /// The answer of the kernel.
    pub error: crate::Error,
    /// Whether another program made the object meanwhile with other settings, or deleted an object that it needs.
    pub is_conflict: bool,
}

/// Something that could not be undone.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unrestored {
    /// The action that would have undone it: `delete service TCP 192.0.2.10:80`.
    pub action: String,
    /// The error; `None` if it was not attempted.
    pub error: Option<crate::Error>,
}

impl ApplyError {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Box::new(inner))
    }

    /// Before anything was done.
    pub(super) fn refused(cause: Cause, total: usize) -> Self {
        let report = Report { total, ..Report::default() };
        Self::new(Inner { cause, on_error: OnError::Rollback, report, unrestored: Vec::new(), is_forgetful: false })
    }

    /// Returns the reason.
    pub const fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Returns the progress of the plan nevertheless.
    pub const fn report(&self) -> &Report {
        &self.0.report
    }

    /// Returns the line without the error of the kernel, for programs that print that one on a line of its own.
    pub fn summary(&self) -> impl fmt::Display {
        Summary(&self.0)
    }

    /// The operations that failed.
    pub fn failures(&self) -> &[Failure] {
        match &self.0.cause {
            Cause::Failed(failures) | Cause::Raced(failures) => failures,
            _ => &[],
        }
    }

    /// The operation that failed first, or was refused first.
    pub fn operation(&self) -> Option<&Operation> {
        match &self.0.cause {
            Cause::Forbidden(operations) | Cause::Changed(operations) => operations.first(),
            Cause::Invalid(operation, _) => Some(operation),
            Cause::Failed(failures) | Cause::Raced(failures) => failures.first().map(|failure| &failure.operation),
            Cause::Conflicts(_) | Cause::Unconfirmed(_) | Cause::Interrupted => None,
        }
    }

    /// Returns the answer of the kernel to the first operation that failed, or to the verification.
    pub fn kernel_error(&self) -> Option<&crate::Error> {
        match &self.0.cause {
            Cause::Unconfirmed(error) => Some(error),
            _ => self.failures().first().map(|failure| &failure.error),
        }
    }

    /// Returns the actions that could not be undone.
    pub fn unrestored(&self) -> &[Unrestored] {
        &self.0.unrestored
    }

    /// Whether the plan was refused before anything was sent.
    pub const fn is_refused(&self) -> bool {
        matches!(self.0.cause, Cause::Conflicts(_) | Cause::Forbidden(_) | Cause::Invalid(..))
    }

    /// Whether another program made an object meanwhile with other settings, or the plan had conflicts in itself.
    pub fn is_conflict(&self) -> bool {
        match &self.0.cause {
            Cause::Conflicts(_) => true,
            Cause::Failed(failures) | Cause::Raced(failures) => failures.first().is_some_and(|it| it.is_conflict),
            _ => false,
        }
    }

    /// Whether another program changed the table meanwhile, so that it is not as the plan promised: read it and make a
    /// new plan. This alone does not cause a rollback.
    pub const fn is_raced(&self) -> bool {
        matches!(self.0.cause, Cause::Raced(_) | Cause::Changed(_))
    }

    /// Whether everything that was done has been undone. Also true when nothing had been done.
    pub fn is_rolled_back(&self) -> bool {
        !self.is_raced()
            && !matches!(self.0.cause, Cause::Unconfirmed(_))
            && self.0.on_error == OnError::Rollback
            && self.0.report.rolled_back == self.0.report.changed
    }
}

struct Summary<'e>(&'e Inner);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { cause, on_error, report, unrestored, is_forgetful } = self.0;
        match cause {
            Cause::Conflicts(conflicts) => {
                if let Some(first) = conflicts.first() {
                    write!(f, "{first}")?;
                }
                return more(f, conflicts.len()).and_then(|()| f.write_str("; nothing was changed"));
            }
            Cause::Forbidden(operations) => {
                if let Some(first) = operations.first() {
                    write!(f, "{} is not allowed: {}", first.kind(), first.object.subject().name())?;
                }
                return more(f, operations.len()).and_then(|()| f.write_str("; nothing was changed"));
            }
            Cause::Invalid(operation, _) => {
                return write!(
                    f,
                    "{} {} is impossible; nothing was changed",
                    operation.kind(),
                    operation.object.subject().name()
                );
            }
            Cause::Failed(failures) => {
                if let Some(first) = failures.first() {
                    let others = if first.is_conflict { ", since another program changed the table" } else { "" };
                    write!(f, "cannot {}{others}", first.action)?;
                }
                more(f, failures.len())?;
            }
            Cause::Raced(failures) => {
                if let Some(first) = failures.first() {
                    write!(f, "cannot {}, since another program changed the table", first.action)?;
                }
                more(f, failures.len())?;
                return write!(f, "; {} of {} {} done", report.done, report.total, operations(report.total));
            }
            Cause::Changed(changed) => {
                f.write_str("another program changed the table meanwhile: ")?;
                if let Some(first) = changed.first() {
                    write!(f, "{} {} did not last", first.kind(), first.object.subject().name())?;
                }
                more(f, changed.len())?;
                return write!(f, "; {} of {} {} done", report.done, report.total, operations(report.total));
            }
            Cause::Unconfirmed(_) => {
                let Report { done, total, .. } = report;
                return write!(f, "{done} of {total} {} done, but the table cannot be read", operations(*total));
            }
            Cause::Interrupted => f.write_str("interrupted")?,
        }
        let Report { total, done, changed, rolled_back, .. } = report;
        match on_error {
            OnError::Rollback => {
                write!(f, "; rolled back {rolled_back} of {changed} {}", operations(*changed))?;
                if let Some(first) = unrestored.first() {
                    write!(f, ", cannot {}", first.action)?;
                    if let Some(error) = &first.error {
                        write!(f, " ({error})")?;
                    }
                    more(f, unrestored.len())?;
                }
                if *is_forgetful {
                    f.write_str("; counters and connections of what was deleted are not restored")?;
                }
                Ok(())
            }
            _ => write!(f, "; {done} of {total} {} done", operations(*total)),
        }
    }
}

/// The number of operations besides the named one.
fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count {
        0 | 1 => Ok(()),
        count => write!(f, " (and {} more)", count - 1),
    }
}

const fn operations(count: usize) -> &'static str {
    if count == 1 { "operation" } else { "operations" }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)?;
        match std::error::Error::source(self) {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

/// The line of [`Display`](fmt::Display); `{:#?}` shows the parts.
impl fmt::Debug for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.debug_tuple("ApplyError").field(&self.0).finish();
        }
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            Cause::Invalid(_, value) => Some(value),
            _ => self.kernel_error().map(|error| -> &(dyn std::error::Error + 'static) { error }),
        }
    }
}
