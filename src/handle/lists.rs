use super::mode::{Mode, block_on};
use super::operations::Operations;
use super::reader::hand_over;
use super::{Consistency, Handle};
use crate::engine::Passes;
use crate::error::Error;
use crate::model::{DestinationEntry, DestinationId, Reading, ServiceEntry, ServiceId};

/// The number of times that a list is read, at most, to conclude that an entry is not in it.
const CONFIRMATIONS: u32 = 20;

/// # Lists
///
/// The kernel makes a list piece by piece and continues by position. While other programs change the table (before
/// Linux 7 in *any* network namespace) an entry can appear twice, which is corrected here, or be left out, which cannot
/// be detected. On Linux 7 that can also happen to a list of services for half a second after many were created or
/// removed, while the kernel resizes its own table. A list that fits one piece, some 90 entries, is right in any case.
/// From Linux 7 on the kernel takes no lock to make a list, so that an entry which is being created or removed at that
/// moment can be incomplete: a service with the scheduler `none`.
///
/// The choice of a method:
///
/// * To show the table, or to look for an entry where the search can be repeated: [`get_services`](Self::get_services),
///   [`get_destinations`](Self::get_destinations) and [`snapshot`](Self::snapshot), which read once.
/// * To conclude something from an absence, as "it is missing, so it is created":
///   [`get_services_with`](Self::get_services_with), [`get_destinations_with`](Self::get_destinations_with) and
///   [`snapshot_with`](Self::snapshot_with), each with [`Consistency::Stable`], which read again until the list can be
///   relied on, and fail when it never can.
/// * To find out whether one object exists: [`get_service`](Self::get_service) and
///   [`get_destination`](Self::get_destination), which do not report an object as missing that exists.
/// * To tell a service without destinations from one that does not exist:
///   [`find_destinations`](Self::find_destinations).
/// * To read repeatedly into the same memory: [`for_each_service`](Self::for_each_service),
///   [`for_each_destination`](Self::for_each_destination) and [`snapshot_into`](Self::snapshot_into), which read once
///   and tell in a [`Reading`] how far the list can be relied on.
impl Handle {
    /// Reads all services, in the order of the kernel, which has no meaning.
    ///
    /// When other programs write meanwhile, services may be missing, unless there are few: see [above](#lists).
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_GET_SERVICE` as a dump; `ipvsadm -L`.
    #[doc(alias = "IPVS_CMD_GET_SERVICE")]
    #[doc(alias = "ipvsadm -L")]
    pub fn get_services(&self) -> Result<Vec<ServiceEntry>, Error> {
        block_on(self.operations.get_services())
    }

    /// Reads all services as consistently as is asked for: with [`Consistency::Stable`], every service that existed
    /// throughout the call is in the list, and no service that never existed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unstable`](crate::error::ErrorKind::Unstable) when no two passes in a row were the same, which
    /// [`Consistency::Once`] does not ask for; those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::Handle;
    /// use ipvs_rs::handle::Consistency;
    ///
    /// let services = Handle::new()?.get_services_with(Consistency::Stable { attempts: 10 })?;
    /// println!("these {} and no others", services.len());
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn get_services_with(&self, consistency: Consistency) -> Result<Vec<ServiceEntry>, Error> {
        block_on(self.operations.get_services_with(consistency))
    }

    /// Reads all services, hands each to a function, and returns how far the list can be relied on.
    ///
    /// The list is complete before the function sees any of it, and the function may use the handle. The memory is kept
    /// for the next call: reading a list again allocates none.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation); in that case the function was not called.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::Handle;
    ///
    /// let mut connections = 0;
    /// let reading = Handle::new()?.for_each_service(|entry| connections += entry.stats.connections)?;
    /// println!("{connections} connections until now; the list was read {reading}");
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn for_each_service(&self, visit: impl FnMut(&ServiceEntry)) -> Result<Reading, Error> {
        block_on(self.operations.for_each_service(visit))
    }

    /// Reads the destinations of a service, newest first.
    ///
    /// For a service that does not exist the kernel reports **no destinations**, and so does this method. Where that
    /// makes a difference use [`find_destinations`](Self::find_destinations). When other programs write meanwhile,
    /// destinations may be missing, unless there are few: see [above](#lists).
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_GET_DEST` as a dump.
    #[doc(alias = "IPVS_CMD_GET_DEST")]
    pub fn get_destinations(&self, service: &ServiceId) -> Result<Vec<DestinationEntry>, Error> {
        block_on(self.operations.get_destinations(service))
    }

    /// Reads the destinations of a service as consistently as is asked for, as
    /// [`get_services_with`](Self::get_services_with) does. A service that does not exist has none.
    ///
    /// # Errors
    ///
    /// As [`get_services_with`](Self::get_services_with).
    pub fn get_destinations_with(
        &self,
        service: &ServiceId,
        consistency: Consistency,
    ) -> Result<Vec<DestinationEntry>, Error> {
        block_on(self.operations.get_destinations_with(service, consistency))
    }

    /// Reads the destinations of a service; `None` when the service does not exist.
    ///
    /// When the list is empty, the service itself is read as well.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    pub fn find_destinations(&self, service: &ServiceId) -> Result<Option<Vec<DestinationEntry>>, Error> {
        block_on(self.operations.find_destinations(service))
    }

    /// Reads the destinations of a service, hands each to a function, and returns how far the list can be relied on, as
    /// [`for_each_service`](Self::for_each_service) does.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation); in that case the function was not called.
    pub fn for_each_destination(
        &self,
        service: &ServiceId,
        visit: impl FnMut(&DestinationEntry),
    ) -> Result<Reading, Error> {
        block_on(self.operations.for_each_destination(service, visit))
    }

    /// Reads one destination; `None` when the destination or service does not exist.
    ///
    /// The kernel has no command for it: all destinations of the service are read. If it is not among them and the list
    /// cannot be relied on, they are read again, up to 20 times.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unstable`](crate::error::ErrorKind::Unstable) when it was not found while other programs kept
    /// changing the list; those of [every operation](Self#errors-of-every-operation).
    pub fn get_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<Option<DestinationEntry>, Error> {
        block_on(self.operations.get_destination(service, id))
    }
}

impl<S: Mode> Operations<S> {
    pub(super) async fn get_services(&self) -> Result<Vec<ServiceEntry>, Error> {
        self.get_services_with(Consistency::Once).await
    }

    pub(super) async fn get_services_with(&self, consistency: Consistency) -> Result<Vec<ServiceEntry>, Error> {
        let mut rows = self.buffers.take_services();
        let read = self.read_services(&mut rows, consistency.passes()).await;
        let services = read.map(|_reading| hand_over(&mut rows));
        self.buffers.put_services(rows);
        services
    }

    pub(super) async fn for_each_service(&self, visit: impl FnMut(&ServiceEntry)) -> Result<Reading, Error> {
        let mut rows = self.buffers.take_services();
        let read = self.read_services(&mut rows, Passes::once()).await;
        if read.is_ok() {
            rows.iter().for_each(visit);
        }
        self.buffers.put_services(rows);
        read
    }

    pub(super) async fn get_destinations(&self, service: &ServiceId) -> Result<Vec<DestinationEntry>, Error> {
        self.get_destinations_with(service, Consistency::Once).await
    }

    pub(super) async fn get_destinations_with(
        &self,
        service: &ServiceId,
        consistency: Consistency,
    ) -> Result<Vec<DestinationEntry>, Error> {
        let mut rows = self.buffers.take_destinations();
        let read = self.read_destinations(0, service, &mut rows, consistency.passes(), |_| false).await;
        let destinations = read.map(|_reading| hand_over(&mut rows));
        self.buffers.put_destinations(rows);
        destinations
    }

    pub(super) async fn for_each_destination(
        &self,
        service: &ServiceId,
        visit: impl FnMut(&DestinationEntry),
    ) -> Result<Reading, Error> {
        let mut rows = self.buffers.take_destinations();
        let read = self.read_destinations(0, service, &mut rows, Passes::once(), |_| false).await;
        if read.is_ok() {
            rows.iter().for_each(visit);
        }
        self.buffers.put_destinations(rows);
        read
    }

    pub(super) async fn find_destinations(&self, service: &ServiceId) -> Result<Option<Vec<DestinationEntry>>, Error> {
        let destinations = self.get_destinations(service).await?;
        if destinations.is_empty() && self.get_service(service).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(destinations))
    }

    pub(super) async fn get_destination(
        &self,
        service: &ServiceId,
        id: &DestinationId,
    ) -> Result<Option<DestinationEntry>, Error> {
        let mut rows = self.buffers.take_destinations();
        let is_there = |rows: &[DestinationEntry]| rows.iter().any(|entry| entry.id() == *id);
        let read = self.read_destinations(0, service, &mut rows, Passes::new(CONFIRMATIONS), is_there).await;
        let found = read.map(|_reading| rows.iter().find(|entry| entry.id() == *id).cloned());
        self.buffers.put_destinations(rows);
        found
    }
}
