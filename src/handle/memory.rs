//! The state that a handle keeps from one list to the next.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use crate::engine::Listing;
use crate::model::{DestinationEntry, DestinationId, ServiceEntry, ServiceId};

/// The size of the buffer for lists of destinations that are expected to be short: two pages, less what the kernel
/// needs for itself. Some 20 fit. Clearing more than is filled costs the kernel more than the rest of such a list.
pub(super) const SHORT_BUFFER: usize = 8192 - 320;
/// The number of services that are remembered to have many destinations.
const REMEMBERED: usize = 4096;

/// The state that one socket keeps for its lists.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) services: Listing<ServiceId>,
    pub(super) destinations: Listing<DestinationId>,
    /// Services whose destinations do not fit a short datagram.
    pub(super) long: HashSet<ServiceId>,
}

impl Memory {
    pub(super) fn remember(&mut self, service: ServiceId) {
        if self.long.len() >= REMEMBERED {
            self.long.clear();
        }
        self.long.insert(service);
    }
}

/// Buffers that lists are read into, kept for reuse.
#[derive(Debug, Default)]
pub(super) struct BufferPool {
    services: Mutex<Vec<ServiceEntry>>,
    destinations: Mutex<Vec<DestinationEntry>>,
}

impl BufferPool {
    pub(super) fn take_services(&self) -> Vec<ServiceEntry> {
        take(&self.services)
    }

    pub(super) fn put_services(&self, rows: Vec<ServiceEntry>) {
        put(&self.services, rows);
    }

    pub(super) fn take_destinations(&self) -> Vec<DestinationEntry> {
        take(&self.destinations)
    }

    pub(super) fn put_destinations(&self, rows: Vec<DestinationEntry>) {
        put(&self.destinations, rows);
    }
}

fn take<R>(buffer: &Mutex<Vec<R>>) -> Vec<R> {
    mem::take(&mut buffer.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Keeps the larger of the two buffers.
fn put<R>(buffer: &Mutex<Vec<R>>, mut rows: Vec<R>) {
    rows.clear();
    let mut buffer = buffer.lock().unwrap_or_else(PoisonError::into_inner);
    if rows.capacity() > buffer.capacity() {
        *buffer = rows;
    }
}
