use std::slice::ChunksMut;
use std::sync::{Mutex, PoisonError};
use std::{panic, thread};

use super::mode::{Blocking, Mode, block_on};
use super::operations::Operations;
use super::reader::hand_over;
use super::{Consistency, Handle};
use crate::error::Error;
use crate::model::{DestinationEntry, Reading, Table, TableService};

/// The number of services that a thread takes on at a time.
const SHARE: usize = 32;

/// Chunks of a table's services, which several threads share.
type Work<'a> = Mutex<ChunksMut<'a, TableService>>;

impl Handle {
    /// Reads every service with its destinations.
    ///
    /// One list of services, then one list for each: changes that other programs make meanwhile may be in it or not,
    /// and [`Table::reading`] tells how far the lists can be relied on. A service that vanished between the two has no
    /// destinations here.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    #[doc(alias = "ipvsadm -L")]
    pub fn snapshot(&self) -> Result<Table, Error> {
        self.snapshot_with(Consistency::Once)
    }

    /// Reads every service with its destinations into a table, whose memory is used again: for a table that hardly
    /// changes, almost none is allocated.
    ///
    /// The former contents are replaced. When the call fails, the table is empty.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Example
    ///
    /// ```no_run
    /// use std::thread::sleep;
    /// use std::time::Duration;
    /// use ipvs_rs::{Handle, Table};
    ///
    /// let handle = Handle::new()?;
    /// let mut table = Table::default();
    /// for _minute in 0..60 {
    ///     handle.snapshot_into(&mut table)?;
    ///     println!("{} services, {} destinations", table.len(), table.destination_count());
    ///     sleep(Duration::from_secs(60));
    /// }
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn snapshot_into(&self, table: &mut Table) -> Result<Reading, Error> {
        self.operations.snapshot_in_threads(table, Consistency::Once)
    }

    /// Reads every service with its destinations, each list as consistently as is asked for.
    ///
    /// With [`Consistency::Stable`], every entry that existed throughout the call is in the table, and each entry in it
    /// existed at some moment of the call. A service that vanishes meanwhile is not in the table.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unstable`](crate::error::ErrorKind::Unstable) when some list never was the same twice in a row,
    /// which [`Consistency::Once`] does not ask for; those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::Handle;
    /// use ipvs_rs::error::ErrorKind;
    /// use ipvs_rs::handle::Consistency;
    ///
    /// match Handle::new()?.snapshot_with(Consistency::Stable { attempts: 10 }) {
    ///     Ok(table) => println!("{} services, read {}", table.len(), table.reading()),
    ///     Err(error) if error.kind() == ErrorKind::Unstable => println!("other programs are busy: later"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn snapshot_with(&self, consistency: Consistency) -> Result<Table, Error> {
        let mut table = Table::default();
        self.operations.snapshot_in_threads(&mut table, consistency)?;
        Ok(table)
    }
}

impl<S: Mode> Operations<S> {
    pub(super) async fn snapshot_into(&self, table: &mut Table, consistency: Consistency) -> Result<Reading, Error> {
        let read = self.read_table(table, consistency).await;
        finish(table, read)
    }

    async fn read_table(&self, table: &mut Table, consistency: Consistency) -> Result<Reading, Error> {
        let services = self.fill_services(table, consistency).await?;
        let mut buffer = self.buffers.take_destinations();
        let destinations = self.fill_all(0, &mut table.services, consistency, &mut buffer).await;
        self.buffers.put_destinations(buffer);
        let reading = services.and(destinations?);
        self.drop_vanished(table, consistency).await?;
        Ok(reading)
    }

    /// Puts the services into the table, reusing the rows that are there.
    async fn fill_services(&self, table: &mut Table, consistency: Consistency) -> Result<Reading, Error> {
        let mut services = self.buffers.take_services();
        let read = self.read_services(&mut services, consistency.passes()).await;
        if read.is_ok() {
            let rows = &mut table.services;
            rows.truncate(services.len());
            rows.reserve_exact(services.len().saturating_sub(rows.len()));
            let mut entries = services.drain(..);
            for (row, entry) in rows.iter_mut().zip(&mut entries) {
                row.service = entry;
            }
            rows.extend(entries.map(|entry| TableService::new(entry, Vec::new())));
        }
        self.buffers.put_services(services);
        read
    }

    /// Puts the destinations of each service into its row.
    async fn fill_all(
        &self,
        reader: usize,
        rows: &mut [TableService],
        consistency: Consistency,
        buffer: &mut Vec<DestinationEntry>,
    ) -> Result<Reading, Error> {
        let mut reading = Reading::Whole;
        for row in rows {
            reading = reading.and(self.fill(reader, row, consistency, buffer).await?);
        }
        Ok(reading)
    }

    /// Puts the destinations of a service into its row.
    async fn fill(
        &self,
        reader: usize,
        row: &mut TableService,
        consistency: Consistency,
        buffer: &mut Vec<DestinationEntry>,
    ) -> Result<Reading, Error> {
        let TableService { service, destinations } = row;
        let is_new = destinations.capacity() == 0;
        let rows = if is_new { &mut *buffer } else { &mut *destinations };
        let reading = self.read_destinations(reader, &service.id(), rows, consistency.passes(), |_| false).await?;
        if is_new {
            *destinations = hand_over(buffer);
        }
        Ok(reading)
    }

    /// Drops the services without destinations that no longer exist, unless each list is read only once.
    async fn drop_vanished(&self, table: &mut Table, consistency: Consistency) -> Result<(), Error> {
        if consistency == Consistency::Once {
            return Ok(());
        }
        let mut place = 0;
        while let Some(row) = table.services.get(place) {
            if row.destinations.is_empty() && self.get_service(&row.id()).await?.is_none() {
                table.services.remove(place);
            } else {
                place += 1;
            }
        }
        Ok(())
    }
}

impl Operations<Blocking> {
    /// Reads a table with as many threads as there are sockets for lists of destinations.
    fn snapshot_in_threads(&self, table: &mut Table, consistency: Consistency) -> Result<Reading, Error> {
        if self.readers.len() < 2 {
            return block_on(self.snapshot_into(table, consistency));
        }
        let read = self.read_table_in_threads(table, consistency);
        finish(table, read)
    }

    fn read_table_in_threads(&self, table: &mut Table, consistency: Consistency) -> Result<Reading, Error> {
        let services = block_on(self.fill_services(table, consistency))?;
        let work = Mutex::new(table.services.chunks_mut(SHARE));
        let destinations = thread::scope(|scope| {
            let threads: Vec<_> = (1..self.readers.len())
                .filter_map(|reader| {
                    let work = &work;
                    let help = move || self.work_off(reader, work, consistency);
                    // When the system refuses another thread, fewer threads do the same work.
                    thread::Builder::new().name("ipvs-reader".into()).spawn_scoped(scope, help).ok()
                })
                .collect();
            let mine = self.work_off(0, &work, consistency);
            threads.into_iter().fold(mine, |all, thread| {
                let theirs = thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
                Ok(all?.and(theirs?))
            })
        })?;
        block_on(self.drop_vanished(table, consistency))?;
        Ok(services.and(destinations))
    }

    fn work_off(&self, reader: usize, work: &Work<'_>, consistency: Consistency) -> Result<Reading, Error> {
        let lock = || work.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = Vec::new();
        let mut reading = Reading::Whole;
        loop {
            let Some(rows) = lock().next() else { return Ok(reading) };
            match block_on(self.fill_all(reader, rows, consistency, &mut buffer)) {
                Ok(other) => reading = reading.and(other),
                Err(error) => {
                    // The other threads need not go on.
                    lock().by_ref().for_each(drop);
                    return Err(error);
                }
            }
        }
    }
}

/// Records how far a table can be relied on; clears it if reading it failed.
fn finish(table: &mut Table, read: Result<Reading, Error>) -> Result<Reading, Error> {
    if read.is_err() {
        table.services.clear();
    }
    table.reading = *read.as_ref().unwrap_or(&Reading::Whole);
    read
}
