use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::desired::{Diagnostic, Severity};

/// All errors and warnings about one document.
#[derive(Debug, Default)]
pub(in crate::desired) struct Findings {
    /// The file, if it is one.
    pub(super) name: Option<Arc<str>>,
    found: RefCell<Vec<Diagnostic>>,
    errors: Cell<usize>,
    warnings: Cell<usize>,
    /// The paths of values that could not be read.
    broken: RefCell<BTreeSet<String>>,
}

/// More errors, or warnings, than this are not kept of one document: they would take more memory than the document.
pub(super) const MAX_FOUND: usize = 10_000;

impl Findings {
    #[cfg(feature = "yaml")]
    pub(in crate::desired) fn new(name: &Arc<str>) -> Self {
        Self { name: Some(Arc::clone(name)), ..Self::default() }
    }

    pub(super) fn add(&self, severity: Severity, finding: impl FnOnce() -> Diagnostic) {
        let count = self.count(severity);
        count.set(count.get() + 1);
        if count.get() <= MAX_FOUND {
            let finding = finding();
            self.found.borrow_mut().push(finding);
        }
    }

    /// The number of errors so far: if it grows while an object is read, the object has a mistake.
    pub(in crate::desired) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// Whether there are so many that not all of them were kept.
    #[cfg(feature = "yaml")]
    pub(in crate::desired) fn is_full(&self, severity: Severity) -> bool {
        self.count(severity).get() > MAX_FOUND
    }

    const fn count(&self, severity: Severity) -> &Cell<usize> {
        match severity {
            Severity::Error => &self.errors,
            Severity::Warning => &self.warnings,
        }
    }

    #[cfg(feature = "yaml")]
    pub(super) fn add_broken(&self, path: impl fmt::Display) {
        self.broken.borrow_mut().insert(path.to_string());
    }

    /// Returns the first path of a broken value that is not before this one; it is spelled out only if there are any.
    pub(super) fn broken_from(&self, path: impl fmt::Display) -> Option<(String, String)> {
        let broken = self.broken.borrow();
        if broken.is_empty() {
            return None;
        }
        let path = path.to_string();
        broken.range(path.clone()..).next().cloned().map(|first| (path, first))
    }

    pub(in crate::desired) fn into_found(self) -> Vec<Diagnostic> {
        self.found.into_inner()
    }
}
