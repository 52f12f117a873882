use std::fmt;

use crate::desired::{Diagnostic, Diagnostics, Place, Stage};

/// Where the values of a file come from.
pub(in crate::desired) trait Origin {
    /// Where the value of a path stands.
    fn place(&self, path: &str) -> Place;

    /// Whether something was wrong with a value before anybody asked what it means. It is not there, but not because
    /// nobody wrote it.
    fn is_broken(&self, path: &str) -> bool;

    /// Whether there is any such value.
    fn has_broken(&self) -> bool;
}

/// Values of a program stand nowhere, and they all arrive.
pub(super) struct Nowhere;

impl Origin for Nowhere {
    fn place(&self, path: &str) -> Place {
        Place { path: path.to_owned(), ..Place::default() }
    }

    fn is_broken(&self, _path: &str) -> bool {
        false
    }

    fn has_broken(&self) -> bool {
        false
    }
}

/// The way to a value.
#[derive(Clone, Copy, Debug)]
pub(in crate::desired) enum Path<'p> {
    File,
    Key(&'p Path<'p>, &'static str),
    Item(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    pub(in crate::desired) const fn key(&'p self, key: &'static str) -> Self {
        Path::Key(self, key)
    }

    pub(in crate::desired) const fn item(&'p self, place: usize) -> Self {
        Path::Item(self, place)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::File => Ok(()),
            Path::Key(Path::File, key) => f.write_str(key),
            Path::Key(before, key) => write!(f, "{before}.{key}"),
            Path::Item(before, place) => write!(f, "{before}[{place}]"),
        }
    }
}

/// A value that may be there, or may have been there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Setting<T> {
    /// Nobody wrote it.
    Absent,
    /// Somebody wrote it, and it is wrong. That was said: nothing that follows from it is said as well.
    Broken,
    Is(T),
}

impl<T> Setting<T> {
    /// The value, or what counts where nobody wrote one; nothing if it is wrong.
    pub(super) fn or(self, default: T) -> Option<T> {
        match self {
            Self::Absent => Some(default),
            Self::Broken => None,
            Self::Is(value) => Some(value),
        }
    }

    pub(super) fn and_then<U>(self, check: impl FnOnce(T) -> Option<U>) -> Setting<U> {
        match self {
            Self::Absent => Setting::Absent,
            Self::Broken => Setting::Broken,
            Self::Is(value) => check(value).map_or(Setting::Broken, Setting::Is),
        }
    }

    /// The value of somebody else, where nobody wrote one here.
    pub(super) fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Absent => other(),
            here => here,
        }
    }
}

impl<T> From<Option<T>> for Setting<T> {
    /// Somebody wrote it, and it is right or not.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Broken, Self::Is)
    }
}

impl<T, E> From<Result<T, E>> for Setting<T> {
    fn from(value: Result<T, E>) -> Self {
        value.ok().into()
    }
}

/// What is found in one file.
pub(super) struct Findings<'o> {
    pub(super) origin: &'o dyn Origin,
    pub(super) is_version_2: bool,
    pub(super) found: Diagnostics,
}

impl<'o> Findings<'o> {
    pub(super) fn new(origin: &'o dyn Origin, is_version_2: bool) -> Self {
        Self { origin, is_version_2, found: Diagnostics::new() }
    }

    pub(super) fn error(&mut self, path: &Path<'_>, message: impl Into<String>) {
        let place = self.origin.place(&path.to_string());
        self.found.push(Diagnostic::error(Stage::Validation, place, message));
    }

    pub(super) fn warning(&mut self, path: &Path<'_>, message: impl Into<String>) {
        let place = self.origin.place(&path.to_string());
        self.found.push(Diagnostic::warning(Stage::Validation, place, message));
    }

    /// Whether something is wrong with a value, and was said.
    pub(super) fn is_broken(&self, path: &Path<'_>) -> bool {
        // To spell out the paths of everything that is absent takes its time.
        self.origin.has_broken() && self.origin.is_broken(&path.to_string())
    }

    /// A value as it was written, or was not.
    pub(super) fn setting<'v, T>(&self, path: &Path<'_>, value: Option<&'v T>) -> Setting<&'v T> {
        match value {
            Some(value) => Setting::Is(value),
            None if self.is_broken(path) => Setting::Broken,
            None => Setting::Absent,
        }
    }

    /// A number that has to be in a range; it is wrong, and the message says so, if it is not.
    pub(super) fn number(
        &mut self,
        path: &Path<'_>,
        value: Option<i64>,
        range: std::ops::RangeInclusive<u32>,
        message: impl FnOnce(i64) -> String,
    ) -> Setting<u32> {
        self.setting(path, value.as_ref()).and_then(|number| {
            let in_range = u32::try_from(*number).ok().filter(|number| range.contains(number));
            if in_range.is_none() {
                self.error(path, message(*number));
            }
            in_range
        })
    }

    /// The largest weight and firewall mark.
    pub(super) const fn max_weight(&self) -> u32 {
        if self.is_version_2 { 2_147_483_647 } else { 65_535 }
    }

    pub(super) const fn max_mark(&self) -> u32 {
        if self.is_version_2 { u32::MAX } else { 65_535 }
    }
}
