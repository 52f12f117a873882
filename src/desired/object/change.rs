use super::Object;
use crate::model::{Destination, DestinationEntry, ServiceId};

/// A value before and after.
///
/// The values that are there determine the effect; swapping them gives the inverse.
///
/// ```
/// use ipvs_rs::desired::plan::{Change, Verb};
///
/// let change = Change::add(7);
/// assert_eq!(change.verb(), Verb::Add);
/// assert_eq!(change.inverse(), Change::delete(7));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(clippy::exhaustive_structs, reason = "there is no third side")]
pub struct Change<T> {
    /// The value as it is; `None` if there is none.
    pub before: Option<T>,
    /// The value as it will be; `None` if there will be none.
    pub after: Option<T>,
}

/// The effect of a [`Change`], by the values that it has.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(clippy::exhaustive_enums, reason = "there is no third side")]
pub enum Verb {
    /// Only the value after is there.
    Add,
    /// Both values are there.
    Update,
    /// Only the value before is there.
    Delete,
}

impl Verb {
    /// Returns the item of three that is for adding, updating or deleting.
    pub(super) fn of<T>(self, [add, update, delete]: [T; 3]) -> T {
        match self {
            Self::Add => add,
            Self::Update => update,
            Self::Delete => delete,
        }
    }
}

impl<T> Change<T> {
    /// A value that comes.
    pub const fn add(after: T) -> Self {
        Self { before: None, after: Some(after) }
    }

    /// A value that becomes another.
    pub const fn update(before: T, after: T) -> Self {
        Self { before: Some(before), after: Some(after) }
    }

    /// A value that goes.
    pub const fn delete(before: T) -> Self {
        Self { before: Some(before), after: None }
    }

    /// Returns its effect. A change without any value counts as the deletion of something that is not there.
    pub const fn verb(&self) -> Verb {
        match (&self.before, &self.after) {
            (None, Some(_)) => Verb::Add,
            (Some(_), Some(_)) => Verb::Update,
            (_, None) => Verb::Delete,
        }
    }

    /// The change that undoes it.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { before: self.after, after: self.before }
    }

    /// The value as it will be, or as it was if it goes.
    pub fn latest(&self) -> Option<&T> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// Returns the items of the value after that the value before does not have.
    pub(super) fn anew<U: PartialEq>(&self, of: impl Fn(&T) -> Vec<U>) -> Vec<U> {
        let before = self.before.as_ref().map(&of).unwrap_or_default();
        let after = self.after.as_ref().map(of).unwrap_or_default();
        after.into_iter().filter(|one| !before.contains(one)).collect()
    }
}

/// A destination of a service, before and after.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_structs, reason = "a destination of a service has these two parts")]
pub struct DestinationChange {
    /// The service.
    pub service: ServiceId,
    /// The destination.
    pub change: Change<Destination>,
}

impl DestinationChange {
    pub(super) fn inverse(self) -> Self {
        Self { change: self.change.inverse(), ..self }
    }
}

/// Returns destinations of a service as additions.
pub(in crate::desired) fn additions(
    service: ServiceId,
    made: &[DestinationEntry],
) -> impl DoubleEndedIterator<Item = Object> {
    let addition =
        move |entry: &DestinationEntry| DestinationChange { service, change: Change::add(entry.destination.clone()) };
    made.iter().map(addition).map(Object::Destination)
}
