use serde::Serialize;

use super::{Item, Operation, Plan};

/// The operations of a [`Plan`] as data: the output of `ipvsctl changeset`.
///
/// Serializes as a mapping with the key `items`, or as an empty one if nothing has to be done.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChangeSet {
    /// One for each operation, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

impl Plan {
    /// The operations as data.
    pub fn change_set(&self) -> ChangeSet {
        let item = |operation: &Operation| Item {
            description: operation.object.subject().description(&self.labels),
            // A plan that is kept has it; scripts compare the items of a change set.
            drain: None,
            ..Item::new(operation, &self.labels)
        };
        ChangeSet { items: self.operations().iter().map(item).collect() }
    }
}
