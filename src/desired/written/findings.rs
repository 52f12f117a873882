use std::fmt;
use std::sync::Arc;

use super::{Form, Spot};
use crate::desired::diagnostic::Position;
use crate::desired::{Diagnostic, Place, Severity, Stage};

/// Whatever is wrong with one document, or worth a look.
#[derive(Debug, Default)]
pub(in crate::desired) struct Findings {
    /// The file, if it is one.
    name: Option<Arc<str>>,
    found: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

/// More errors, or warnings, than this are not kept of one document: they would take more memory than the document.
pub(super) const MAX_FOUND: usize = 10_000;

impl Findings {
    pub(in crate::desired) fn new(name: &Arc<str>) -> Self {
        Self { name: Some(Arc::clone(name)), ..Self::default() }
    }

    /// Says that a value is not one that a table can have.
    pub(in crate::desired) fn error(&mut self, spot: &Spot<'_>, message: impl fmt::Display) {
        self.add(Severity::Error, Stage::Validation, spot, message);
    }

    pub(in crate::desired) fn warning(&mut self, spot: &Spot<'_>, message: impl fmt::Display) {
        self.add(Severity::Warning, Stage::Validation, spot, message);
    }

    /// Says that the value of a key is not one that a table can have, such as `tunnel.type` of a destination.
    pub(in crate::desired) fn error_at<W: Form>(
        &mut self,
        spot: &Spot<'_>,
        (key, written): (&str, &W),
        message: impl fmt::Display,
    ) {
        self.error(&spot.at(key, written.locate(key)), message);
    }

    pub(in crate::desired) fn warning_at<W: Form>(
        &mut self,
        spot: &Spot<'_>,
        (key, written): (&str, &W),
        message: impl fmt::Display,
    ) {
        self.warning(&spot.at(key, written.locate(key)), message);
    }

    pub(in crate::desired) fn add(
        &mut self,
        severity: Severity,
        stage: Stage,
        spot: &Spot<'_>,
        message: impl fmt::Display,
    ) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= MAX_FOUND {
            let (place, message) = (self.place(spot), message.to_string());
            self.found.push(Diagnostic { severity, stage, place, message });
        }
    }

    /// The number of errors so far: where it grows while an object is read, something is wrong with that.
    pub(in crate::desired) const fn errors(&self) -> usize {
        self.errors
    }

    /// Whether there are so many errors that not all of them were kept.
    pub(in crate::desired) const fn is_full(&self, severity: Severity) -> bool {
        let count = match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
        };
        count > MAX_FOUND
    }

    pub(in crate::desired) fn place(&self, spot: &Spot<'_>) -> Place {
        let Position { line, column } = spot.position();
        let known = |number: u32| Some(number).filter(|number| *number > 0);
        Place { file: self.name.clone(), line: known(line), column: known(column), path: spot.to_string() }
    }

    pub(in crate::desired) fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }
}
