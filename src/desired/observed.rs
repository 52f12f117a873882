#[cfg(feature = "tokio")]
use crate::AsyncHandle;
use crate::handle::Consistency;
use crate::model::{Config, SyncDaemon, Table};
use crate::{Error, Handle};

use super::DesiredState;

/// The observed state: the kernel's side of a [plan](super::plan::plan()).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// The services with their destinations.
    pub table: Table,
    /// The timeouts, if they were read.
    pub timeouts: Option<Config>,
    /// The synchronization daemons, if they were read.
    pub sync: Option<Vec<SyncDaemon>>,
}

/// Generates the readers of a handle: with the words `async` and `await` those of one that does not block.
macro_rules! readers {
    ($(#[$doc:meta])* $handle:ty: $read:ident, $read_all:ident, $read_rest:ident $(, $async:ident $await:ident)?) => {
        /// Reads everything that a plan for this state compares.
        ///
        /// Lists are read until they are consistent, see [`Handle::snapshot_with`]: an object missing in one would be
        /// made once more.
        ///
        /// # Errors
        ///
        /// Those of [`Handle::snapshot_with`].
        $(#[$doc])*
        pub $($async)? fn $read(handle: &$handle, desired: &DesiredState) -> Result<Self, Error> {
            let table = handle.snapshot_with(Self::CONSISTENCY)$(.$await)??;
            Ok(Self { table, ..Self::$read_rest(handle, Rest::compared(desired))$(.$await)?? })
        }

        /// Reads everything.
        ///
        /// # Errors
        ///
        /// Those of [`Handle::snapshot_with`].
        $(#[$doc])*
        pub $($async)? fn $read_all(handle: &$handle) -> Result<Self, Error> {
            let table = handle.snapshot_with(Self::CONSISTENCY)$(.$await)??;
            Ok(Self { table, ..Self::$read_rest(handle, Rest::ALL)$(.$await)?? })
        }

        /// Reads these parts besides services.
        pub(super) $($async)? fn $read_rest(handle: &$handle, rest: Rest) -> Result<Self, Error> {
            let timeouts = if rest.timeouts { Some(handle.get_config()$(.$await)??) } else { None };
            let sync = if rest.sync { Some(handle.get_sync_daemons()$(.$await)??) } else { None };
            Ok(Self { timeouts, sync, ..Self::default() })
        }
    };
}

impl Observed {
    /// Lists that conclusions are drawn from are read until they are consistent.
    pub(super) const CONSISTENCY: Consistency = Consistency::Stable { attempts: 10 };

    /// A table, without timeouts and daemons.
    pub fn new(table: Table) -> Self {
        Self { table, ..Self::default() }
    }

    readers!(Handle: read, read_all, read_rest);
    #[cfg(feature = "tokio")]
    readers!(
        #[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
        AsyncHandle: read_async, read_all_async, read_rest_async, async await
    );

    /// Returns the parts besides services that were read.
    pub(super) const fn rest(&self) -> Rest {
        Rest { timeouts: self.timeouts.is_some(), sync: self.sync.is_some() }
    }

    /// These parts besides services, without the services.
    pub(super) fn only_rest(&self, rest: Rest) -> Self {
        let (timeouts, sync) = (self.timeouts.filter(|_| rest.timeouts), self.sync.clone().filter(|_| rest.sync));
        Self { timeouts, sync, ..Self::default() }
    }
}

/// Parts besides services that are observed, by the keys that saved plans have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub(super) struct Rest {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    timeouts: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sync: bool,
}

impl Rest {
    pub(super) const ALL: Self = Self { timeouts: true, sync: true };

    /// The parts that a plan for this state compares.
    fn compared(desired: &DesiredState) -> Self {
        // A destination of the other family and a daemon exclude each other, even if another program started the
        // daemon.
        let sync = desired.sync.is_some() || desired.mixes_families();
        Self { timeouts: desired.timeouts != Config::new(), sync }
    }
}
