use std::fmt;

use super::Field;
use crate::desired::diagnostic::Position;

/// A place in a file: the way to it, such as `services[2].destinations[0].weight`, and the line and column.
///
/// The way is spelled out only where there is something to say.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::desired) struct Spot<'p> {
    step: Step<'p>,
    position: Position,
}

#[derive(Clone, Copy, Debug, Default)]
enum Step<'p> {
    #[default]
    File,
    Key(&'p Spot<'p>, &'p str),
    Item(&'p Spot<'p>, usize),
}

impl<'p> Spot<'p> {
    /// A whole document.
    pub(in crate::desired) const fn file(position: Position) -> Self {
        Self { step: Step::File, position }
    }

    pub(in crate::desired) const fn is_file(&self) -> bool {
        matches!(self.step, Step::File)
    }

    /// The value of a key, or, where nothing stands behind it, what it is missing in.
    pub(in crate::desired) fn key<T>(&'p self, key: &'p str, field: &Field<T>) -> Self {
        self.at(key, field.position())
    }

    /// The same for a value that stands at this position.
    pub(in crate::desired) fn at(&'p self, key: &'p str, position: Option<Position>) -> Self {
        Self { step: Step::Key(self, key), position: position.unwrap_or(self.position) }
    }

    pub(in crate::desired) const fn item(&'p self, place: usize, position: Position) -> Self {
        Self { step: Step::Item(self, place), position }
    }

    pub(in crate::desired) const fn position(&self) -> Position {
        self.position
    }
}

impl fmt::Display for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::File => Ok(()),
            Step::Key(before, key) if before.is_file() => f.write_str(key),
            Step::Key(before, key) => write!(f, "{before}.{key}"),
            Step::Item(before, place) => write!(f, "{before}[{place}]"),
        }
    }
}
