use std::fmt;
use std::str::FromStr;

use bitflags::bitflags;

use super::{Object, Operation, OperationKind, Verb};

bitflags! {
    /// Kinds of operations that may be carried out: `--allowed-actions`.
    ///
    /// Written as `*` for all of them, or as a list of two-letter words with commas: `as`, `us`, `ds` add, update and
    /// delete services, `ad`, `ud`, `dd` destinations, `ut` updates time-outs, `ay` and `dy` start and stop daemons.
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
    pub struct Actions: u16 {
        /// `as`
        const ADD_SERVICE = 1;
        /// `us`
        const UPDATE_SERVICE = 1 << 1;
        /// `ds`
        const DELETE_SERVICE = 1 << 2;
        /// `ad`
        const ADD_DESTINATION = 1 << 3;
        /// `ud`
        const UPDATE_DESTINATION = 1 << 4;
        /// `dd`
        const DELETE_DESTINATION = 1 << 5;
        /// `ut`
        const UPDATE_TIMEOUTS = 1 << 6;
        /// `ay`
        const START_SYNC = 1 << 7;
        /// `dy`
        const STOP_SYNC = 1 << 8;
    }
}

/// A word that is not an action.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("invalid action: {word}")]
pub struct ActionError {
    word: String,
}

const WORDS: [(&str, OperationKind, Actions); 9] = [
    ("as", OperationKind::AddService, Actions::ADD_SERVICE),
    ("us", OperationKind::UpdateService, Actions::UPDATE_SERVICE),
    ("ds", OperationKind::DeleteService, Actions::DELETE_SERVICE),
    ("ad", OperationKind::AddDestination, Actions::ADD_DESTINATION),
    ("ud", OperationKind::UpdateDestination, Actions::UPDATE_DESTINATION),
    ("dd", OperationKind::DeleteDestination, Actions::DELETE_DESTINATION),
    ("ut", OperationKind::UpdateTimeouts, Actions::UPDATE_TIMEOUTS),
    ("ay", OperationKind::StartSync, Actions::START_SYNC),
    ("dy", OperationKind::StopSync, Actions::STOP_SYNC),
];

impl Actions {
    /// Returns the actions that an operation takes: a new service with destinations takes two.
    pub fn needed_by(operation: &Operation) -> Self {
        let makes_destinations = match &operation.object {
            Object::Service(change) if change.verb() == Verb::Add => {
                change.after.as_ref().is_some_and(|row| !row.destinations.is_empty())
            }
            _ => false,
        };
        let own = Self::from(operation.kind());
        if makes_destinations { own | Self::ADD_DESTINATION } else { own }
    }

    /// Whether an operation may be carried out.
    pub fn allow(self, operation: &Operation) -> bool {
        self.contains(Self::needed_by(operation))
    }
}

impl From<OperationKind> for Actions {
    fn from(kind: OperationKind) -> Self {
        let row = WORDS.iter().find(|(_, other, _)| *other == kind);
        row.map_or(Self::empty(), |(.., action)| *action)
    }
}

impl FromStr for Actions {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        if text == "*" {
            return Ok(Self::all());
        }
        let action = |word: &str| {
            let found = WORDS.iter().find(|(name, ..)| *name == word).map(|(.., action)| *action);
            found.ok_or_else(|| ActionError { word: word.to_owned() })
        };
        text.split(',').try_fold(Self::empty(), |all, word| Ok(all | action(word)?))
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.pad("*");
        }
        let words: Vec<_> =
            WORDS.iter().filter(|(.., action)| self.contains(*action)).map(|(word, ..)| *word).collect();
        f.pad(&words.join(","))
    }
}
