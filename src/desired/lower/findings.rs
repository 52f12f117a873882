use super::Document;
use crate::desired::{Diagnostic, Diagnostics, Place, Stage};

/// What is wrong with one file, or worth a look.
pub(super) struct Findings<'a> {
    document: &'a Document<'a>,
    diagnostics: Diagnostics,
    errors: usize,
    warnings: usize,
}

impl<'a> Findings<'a> {
    pub(super) const fn new(document: &'a Document<'a>) -> Self {
        Self { document, diagnostics: Diagnostics::new(), errors: 0, warnings: 0 }
    }

    pub(super) fn error(&mut self, path: &str, message: impl Into<String>) {
        self.errors += 1;
        if self.errors <= MAX_FOUND {
            self.diagnostics.push(invalid(self.place(path), message));
        }
    }

    pub(super) fn warning(&mut self, path: &str, message: impl Into<String>) {
        self.warnings += 1;
        if self.warnings <= MAX_FOUND {
            self.diagnostics.push(Diagnostic::warning(Stage::Validation, self.place(path), message));
        }
    }

    /// The number of errors so far: whoever sees it grow knows that something of his is wrong.
    pub(super) const fn errors(&self) -> usize {
        self.errors
    }

    pub(super) fn place(&self, path: &str) -> Place {
        (self.document.place)(path)
    }

    /// Whether a value could not be read: it is missing, but not because nobody wrote it.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.document.broken.contains(path)
    }

    /// Whether the value of a key could not be read.
    pub(super) fn is_key_broken(&self, path: &str, key: &str) -> bool {
        // To spell out the path of everything that is missing takes its time.
        self.has_broken() && self.is_broken(&format!("{path}.{key}"))
    }

    /// Whether something in an object, which is an item of a list, could not be read.
    pub(super) fn is_damaged(&self, path: &str) -> bool {
        self.document.broken.range(path.to_owned()..).next().is_some_and(|first| first.starts_with(path))
    }

    /// Whether there is anything that could not be read.
    pub(super) fn has_broken(&self) -> bool {
        !self.document.broken.is_empty()
    }

    pub(super) fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics
    }
}

/// More errors, or warnings, than this are not kept of one file: they would take more memory than the file.
const MAX_FOUND: usize = 10_000;

/// A value that no table can have.
pub(super) fn invalid(place: Place, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Stage::Validation, place, message)
}
