use std::fmt;
use std::sync::Arc;

use super::escaped;

/// An error or a warning about a file.
///
/// Prints as `FILE:LINE:COLUMN: severity: message`, without the parts that are not known.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Whether the file can be used nevertheless.
    pub severity: Severity,
    /// The step that found it.
    pub stage: Stage,
    /// The place of the value.
    pub place: Place,
    /// The problem, and what would be valid.
    pub message: String,
}

/// A place in a file.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Place {
    /// The file, as it was named.
    pub file: Option<Arc<str>>,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column, counted in characters from 1.
    pub column: Option<u32>,
    /// The value in its document, such as `services[2].destinations[0].weight`.
    pub path: String,
}

impl Place {
    pub(in crate::desired) fn new(file: Option<&Arc<str>>, position: Position, path: String) -> Self {
        let known = |number: u32| Some(number).filter(|number| *number > 0);
        Self { file: file.cloned(), line: known(position.line), column: known(position.column), path }
    }
}

/// A line and a column, both counted from 1, the column in characters; 0 where they are not known.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::desired) struct Position {
    pub(in crate::desired) line: u32,
    pub(in crate::desired) column: u32,
}

/// Whether a file can be used nevertheless.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Severity {
    /// It can, but probably has another meaning than intended.
    Warning,
    /// It cannot.
    Error,
}

/// The step that found a problem, in the order in which the steps are taken.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Stage {
    /// The file could not be read, is not YAML, or has values of the wrong type.
    Reading,
    /// A parameter could not be resolved.
    Parameters,
    /// A value is not one that a table can have.
    Validation,
}

/// All problems that were found, in the order of the files. Prints as one line for each.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostic {
    /// An error.
    pub fn error(stage: Stage, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, stage, place, message: message.into() }
    }
}

impl Diagnostics {
    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// The errors.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning)
    }

    /// The first step that found an error.
    pub fn failed_stage(&self) -> Option<Stage> {
        self.errors().map(|diagnostic| diagnostic.stage).min()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of errors and warnings.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(diagnostics: T) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Error { "error" } else { "warning" })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_deref().map(|file| escaped(file).at_most(4096)), self.line, self.column) {
            (Some(file), Some(line), Some(column)) => write!(f, "{file}:{line}:{column}"),
            (Some(file), Some(line), None) => write!(f, "{file}:{line}"),
            (Some(file), None, _) => write!(f, "{file}"),
            (None, Some(line), Some(column)) => write!(f, "line {line}, column {column}"),
            (None, Some(line), None) => write!(f, "line {line}"),
            (None, None, _) => f.write_str(&self.path),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.to_string();
        let separator = if place.is_empty() { "" } else { ": " };
        write!(f, "{place}{separator}{}: {}", self.severity, self.message)
    }
}
