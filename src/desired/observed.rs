#[cfg(feature = "tokio")]
use crate::AsyncHandle;
use crate::model::{Config, SyncDaemon, Table};
use crate::{Error, Handle};

use super::DesiredState;

/// The observed state: the side of the kernel in a [plan](super::plan()).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// The services with their destinations.
    pub table: Table,
    /// The time-outs, if they were asked for.
    pub timeouts: Option<Config>,
    /// The synchronization daemons, if they were asked for.
    pub sync: Option<Vec<SyncDaemon>>,
}

impl Observed {
    /// How often a list may be read until it can be relied on.
    const ATTEMPTS: u32 = 10;

    /// A table, without time-outs and daemons.
    pub fn new(table: Table) -> Self {
        Self { table, ..Self::default() }
    }

    /// Reads everything that a plan for this state compares.
    ///
    /// Lists are read until they can be relied on, see [`Handle::snapshot_stable`]: what is missing in one would be made
    /// once more.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::snapshot_stable`].
    pub fn read(handle: &Handle, desired: &DesiredState) -> Result<Self, Error> {
        let table = handle.snapshot_stable(Self::ATTEMPTS)?;
        let (timeouts, sync) = Self::compared(desired);
        let timeouts = timeouts.then(|| handle.get_config()).transpose()?;
        let sync = sync.then(|| handle.get_sync_daemons()).transpose()?;
        Ok(Self { table, timeouts, sync })
    }

    /// Reads everything.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::snapshot_stable`].
    pub fn read_all(handle: &Handle) -> Result<Self, Error> {
        Ok(Self { table: handle.snapshot_stable(Self::ATTEMPTS)?, ..Self::read_rest(handle)? })
    }

    /// Reads everything but services.
    pub(super) fn read_rest(handle: &Handle) -> Result<Self, Error> {
        let (timeouts, sync) = (handle.get_config()?, handle.get_sync_daemons()?);
        Ok(Self { timeouts: Some(timeouts), sync: Some(sync), ..Self::default() })
    }

    /// Reads everything that a plan for this state compares, as [`read`](Self::read) does.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::snapshot_stable`].
    #[cfg(feature = "tokio")]
    #[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
    pub async fn read_async(handle: &AsyncHandle, desired: &DesiredState) -> Result<Self, Error> {
        let table = handle.snapshot_stable(Self::ATTEMPTS).await?;
        let (timeouts, sync) = Self::compared(desired);
        let timeouts = if timeouts { Some(handle.get_config().await?) } else { None };
        let sync = if sync { Some(handle.get_sync_daemons().await?) } else { None };
        Ok(Self { table, timeouts, sync })
    }

    /// Reads everything, as [`read_all`](Self::read_all) does.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::snapshot_stable`].
    #[cfg(feature = "tokio")]
    #[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
    pub async fn read_all_async(handle: &AsyncHandle) -> Result<Self, Error> {
        Ok(Self { table: handle.snapshot_stable(Self::ATTEMPTS).await?, ..Self::read_rest_async(handle).await? })
    }

    #[cfg(feature = "tokio")]
    pub(super) async fn read_rest_async(handle: &AsyncHandle) -> Result<Self, Error> {
        let (timeouts, sync) = (handle.get_config().await?, handle.get_sync_daemons().await?);
        Ok(Self { timeouts: Some(timeouts), sync: Some(sync), ..Self::default() })
    }

    /// Whether a plan for this state compares time-outs, and daemons.
    fn compared(desired: &DesiredState) -> (bool, bool) {
        // A destination of the other family and a daemon exclude each other, whichever program started it.
        (desired.timeouts != Config::new(), desired.sync.is_some() || desired.mixes_families())
    }
}
