use crate::model::{Config, SyncDaemon, Table};
use crate::{Error, Handle};

use super::DesiredState;

/// The observed state: the side of the kernel in a [plan](super::plan()).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Live {
    /// The services with their destinations.
    pub table: Table,
    /// The time-outs, if they were asked for.
    pub timeouts: Option<Config>,
    /// The synchronization daemons, if they were asked for.
    pub sync: Option<Vec<SyncDaemon>>,
}

impl Live {
    /// How often a list may be read until it can be relied on.
    const ATTEMPTS: u32 = 10;

    /// A table, without time-outs and daemons.
    pub fn new(table: Table) -> Self {
        Self { table, ..Self::default() }
    }

    /// Reads what a plan for this state compares.
    ///
    /// Lists are read until they can be relied on, see [`Handle::snapshot_stable`]: what is missing in one would be made
    /// once more.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::snapshot_stable`].
    pub fn read(handle: &Handle, desired: &DesiredState) -> Result<Self, Error> {
        let table = handle.snapshot_stable(Self::ATTEMPTS)?;
        let has_timeouts = desired.timeouts != Config::new();
        let timeouts = has_timeouts.then(|| handle.get_config()).transpose()?;
        // A destination of the other family and a daemon exclude each other, whichever program started it.
        let sync =
            (desired.sync.is_some() || desired.mixes_families()).then(|| handle.get_sync_daemons()).transpose()?;
        Ok(Self { table, timeouts, sync })
    }

    /// Reads everything.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::snapshot_stable`].
    pub fn read_all(handle: &Handle) -> Result<Self, Error> {
        Ok(Self {
            table: handle.snapshot_stable(Self::ATTEMPTS)?,
            timeouts: Some(handle.get_config()?),
            sync: Some(handle.get_sync_daemons()?),
        })
    }
}
