use super::Handle;
use super::conversation::Answer;
use super::operations::{Operations, failed};
use super::side::{Side, block_on};
use crate::codec::{DecodeError, DecodeProblem, Reply, Request};
use crate::engine::Rows;
use crate::error::Error;
use crate::model::{AddressFamily, DestinationEntry, DestinationId, ServiceEntry, ServiceId, Table, TableService};

/// What lists remember from one to the next: memory.
#[derive(Debug, Default)]
pub(super) struct ListMemory {
    services: Rows<ServiceId, ServiceEntry>,
    destinations: Rows<DestinationId, DestinationEntry>,
}

impl Handle {
    /// Reads all services, in the order of the kernel, which means nothing.
    ///
    /// The list is not of one instant: the kernel makes it piece by piece and continues by position. While others
    /// change the table (before Linux 7 in *any* network namespace) a service can come twice, which is mended here, or
    /// be left out, which nobody can see. On Linux 7 that can also happen for a moment after many services were made or
    /// removed, while the kernel resizes its own table. Before you act on an absence, ask with
    /// [`get_service`](Self::get_service).
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

    /// Reads the destinations of a service, newest first.
    ///
    /// A service that is not there has **no destinations**, says the kernel, and so does this. Where that makes a
    /// difference use [`get_destinations_of_existing`](Self::get_destinations_of_existing). Like a list of services, it
    /// is not of one instant.
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

    /// Reads the destinations of a service that must be there; `None` when it is not.
    ///
    /// An empty list is followed by the question for the service.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    pub fn get_destinations_of_existing(&self, service: &ServiceId) -> Result<Option<Vec<DestinationEntry>>, Error> {
        block_on(self.operations.get_destinations_of_existing(service))
    }

    /// Reads one destination; `None` when there is none, or no such service.
    ///
    /// The kernel has no command for it: all destinations of the service are read.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    pub fn get_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<Option<DestinationEntry>, Error> {
        block_on(self.operations.get_destination(service, id))
    }

    /// Reads every service with its destinations.
    ///
    /// One list of services, then one list for each: what others change meanwhile may be in it or not. A service that
    /// vanished between the two has no destinations here.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    #[doc(alias = "ipvsadm -L")]
    pub fn snapshot(&self) -> Result<Table, Error> {
        block_on(self.operations.snapshot())
    }
}

impl<S: Side> Operations<S> {
    pub(super) async fn get_services(&self) -> Result<Vec<ServiceEntry>, Error> {
        let mut inner = self.lock().await;
        let inner = &mut *inner;
        let mut list = Services(&mut inner.lists.services);
        list.restart();
        let request = Request::GetServices;
        inner.conversation.ask(&request, &mut list).await.map_err(|cause| failed(&request, cause))?;
        Ok(list.0.finish())
    }

    pub(super) async fn get_destinations(&self, service: &ServiceId) -> Result<Vec<DestinationEntry>, Error> {
        let mut inner = self.lock().await;
        let inner = &mut *inner;
        let mut list = Destinations { rows: &mut inner.lists.destinations, family: service.family() };
        list.restart();
        let request = Request::GetDestinations(*service);
        inner.conversation.ask(&request, &mut list).await.map_err(|cause| failed(&request, cause))?;
        Ok(list.rows.finish())
    }

    pub(super) async fn get_destinations_of_existing(
        &self,
        service: &ServiceId,
    ) -> Result<Option<Vec<DestinationEntry>>, Error> {
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
        Ok(self.get_destinations(service).await?.into_iter().find(|entry| entry.id() == *id))
    }

    pub(super) async fn snapshot(&self) -> Result<Table, Error> {
        let services = self.get_services().await?;
        let mut table = Table::default();
        table.services.reserve_exact(services.len());
        for service in services {
            let destinations = self.get_destinations(&service.id()).await?;
            table.services.push(TableService::new(service, destinations));
        }
        Ok(table)
    }
}

struct Services<'a>(&'a mut Rows<ServiceId, ServiceEntry>);

impl Answer for Services<'_> {
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError> {
        match Reply::decode(command, attributes)? {
            Reply::Service(entry) => {
                self.0.push(entry.id(), entry);
                Ok(())
            }
            _ => Err(unexpected()),
        }
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

struct Destinations<'a> {
    rows: &'a mut Rows<DestinationId, DestinationEntry>,
    family: AddressFamily,
}

impl Answer for Destinations<'_> {
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError> {
        match Reply::decode_for(command, attributes, self.family)? {
            Reply::Destination(entry) => {
                self.rows.push(entry.id(), entry);
                Ok(())
            }
            _ => Err(unexpected()),
        }
    }

    fn restart(&mut self) {
        self.rows.clear();
    }
}

const fn unexpected() -> DecodeError {
    DecodeError::new("message", 0, DecodeProblem::Unexpected)
}
