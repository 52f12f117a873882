use std::fmt;
use std::str::FromStr;

use super::{Actions, Operation, OperationKind};

/// Makes the kinds of operations and the actions of a list: its variant, its flag, its name, its letters, the file of its
/// object, its effect, and its step in a plan.
macro_rules! kinds {
    ($($kind:ident $flag:ident $name:literal $letters:literal: $object:ident $verb:ident, step $step:literal;)*) => {
        bitflags::bitflags! {
            /// Kinds of operations that may be carried out: `--allowed-actions`.
            ///
            /// Written as `*` for all of them, or as a list of two-letter words with commas: `as`, `us`, `ds` add, update
            /// and delete services, `ad`, `ud`, `dd` destinations, `ut` updates timeouts, `ay` and `dy` start and stop
            /// daemons.
            #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
            pub struct Actions: u16 {
                $(#[doc = concat!("`", $letters, "`")] const $flag = 1 << OperationKind::$kind as u16;)*
            }
        }

        /// The object of an [`Operation`] and the effect on it, as one word.
        #[derive(Clone, Copy, Debug, serde::Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize)]
        #[non_exhaustive]
        pub enum OperationKind {
            $(#[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $kind,)*
        }

        impl OperationKind {
            /// All kinds.
            pub const ALL: [Self; [$($letters),*].len()] = [$(Self::$kind),*];

            /// The number of steps of a plan.
            pub(in crate::desired) const STEPS: usize = Self::ALL.len();

            /// Its word in a change set.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Its letters among the actions.
            pub(super) const fn letters(self) -> &'static str {
                match self { $(Self::$kind => $letters,)* }
            }

            /// Returns what it does to its object.
            pub const fn verb(self) -> Verb {
                match self { $(Self::$kind => Verb::$verb,)* }
            }

            /// Its place in the order of a plan.
            pub(in crate::desired) const fn step(self) -> usize {
                match self { $(Self::$kind => $step,)* }
            }
        }

        impl Item {
            /// Returns the operation again, on the observed state.
            pub(in crate::desired) fn operation(&self, live: &There<'_>) -> Result<Operation, String> {
                let operation = match self.kind { $(OperationKind::$kind => $object::of_item(self, live),)* };
                Ok(operation?.drained(self.drain()?))
            }
        }
    };
}
pub(super) use kinds;

/// A word that is not an action.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("invalid action: {word}")]
pub struct ActionError {
    word: String,
}

impl OperationKind {
    /// The sign of a line about it: `+`, `~` or `-`.
    pub fn sign(self) -> char {
        self.verb().of(['+', '~', '-'])
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Actions {
    /// Returns the actions that an operation takes: a new service with destinations takes two.
    pub fn needed_by(operation: &Operation) -> Self {
        let own = Self::from(operation.kind());
        if operation.makes_destinations() { own | Self::ADD_DESTINATION } else { own }
    }

    /// Whether an operation may be carried out.
    pub fn allow(self, operation: &Operation) -> bool {
        self.contains(Self::needed_by(operation))
    }
}

impl From<OperationKind> for Actions {
    fn from(kind: OperationKind) -> Self {
        Self::from_bits_retain(1 << kind as u16)
    }
}

impl FromStr for Actions {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        if text == "*" {
            return Ok(Self::all());
        }
        text.split(',').try_fold(Self::empty(), |all, word| {
            let kind = OperationKind::ALL.into_iter().find(|kind| kind.letters() == word);
            Ok(all | kind.map(Self::from).ok_or_else(|| ActionError { word: word.to_owned() })?)
        })
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.pad("*");
        }
        let kinds = OperationKind::ALL.into_iter().filter(|kind| self.contains(Self::from(*kind)));
        f.pad(&kinds.map(OperationKind::letters).collect::<Vec<_>>().join(","))
    }
}
