use std::collections::{HashSet, VecDeque};

use super::command::Command;
use crate::Error;
use crate::model::ServiceId;

/// The answers to one batch, while they are looked at.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) results: VecDeque<(Command, Option<Result<(), Error>>)>,
    /// Commands that are sent again.
    pub(super) back: VecDeque<Command>,
    /// Services that will be made after all.
    pub(super) awaited: HashSet<ServiceId>,
    pub(super) has_ended: bool,
    pub(super) has_to_pause: bool,
}

impl Round {
    pub(super) fn new(batch: Vec<Command>, results: Vec<Result<(), Error>>) -> Self {
        let results = results.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        Self { results: batch.into_iter().zip(results).collect(), ..Self::default() }
    }
}
