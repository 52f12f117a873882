use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;
use std::{slice, vec};

use super::{DestinationEntry, DestinationId, Reading, ServiceEntry, ServiceId, Stats};

/// The whole table of a network namespace, as it was read: every service with its destinations.
///
/// Services are in the order of the kernel, which has no meaning; destinations are newest first. The kernel cannot
/// report the whole table at one instant: see [`snapshot`](crate::Handle::snapshot).
///
/// ```
/// use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table};
/// use ipvs_rs::model::TableService;
///
/// let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
/// let server = Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade);
/// let table = Table::new(vec![TableService::new(
///     ServiceEntry::new(Service::new(web, Scheduler::Wlc)),
///     vec![DestinationEntry::new(server)],
/// )]);
/// assert!(table.get(&web).is_some());
/// for row in &table {
///     assert_eq!(row.id(), web);
/// }
/// assert_eq!(
///     table.rules().to_string(),
///     "-A -t 192.0.2.10:80 -s wlc\n-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 1\n"
/// );
/// # Ok::<(), ipvs_rs::model::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Table {
    /// The services.
    pub services: Vec<TableService>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) reading: Reading,
}

/// One service of a [`Table`] with its destinations.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct TableService {
    /// The service.
    pub service: ServiceEntry,
    /// Its destinations, newest first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub destinations: Vec<DestinationEntry>,
}

impl Table {
    /// A table of these services.
    pub fn new(services: Vec<TableService>) -> Self {
        Self { services, reading: Reading::default() }
    }

    /// The consistency of the table. Comparison ignores it, and it is not serialized; a
    /// table that was not read has [`Reading::Whole`].
    pub const fn reading(&self) -> Reading {
        self.reading
    }

    /// Finds a service, by a linear search.
    pub fn get(&self, id: &ServiceId) -> Option<&TableService> {
        self.services.iter().find(|row| row.id() == *id)
    }

    /// An iterator over the services.
    pub fn iter(&self) -> slice::Iter<'_, TableService> {
        self.services.iter()
    }

    /// An iterator over the services, which can be modified.
    pub fn iter_mut(&mut self) -> slice::IterMut<'_, TableService> {
        self.services.iter_mut()
    }

    /// The number of services.
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether the table does not have any services.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// The number of destinations of all services together.
    pub fn destination_count(&self) -> usize {
        self.services.iter().map(|row| row.destinations.len()).sum()
    }

    /// Replaces the kernel's averages by the rates since an earlier reading, as [`Stats::set_rates_since`] does.
    ///
    /// A service or a destination that is not in the earlier reading has counted from zero.
    pub fn set_rates_since(&mut self, before: &Self, elapsed: Duration) {
        let none = Stats::default();
        let services: HashMap<_, _> = before.services.iter().map(|row| (row.service.id(), row)).collect();
        for row in &mut self.services {
            let before = services.get(&row.service.id());
            let destinations = before.map(|before| before.destinations.as_slice()).unwrap_or_default();
            let destinations: HashMap<_, _> = destinations.iter().map(|entry| (entry.id(), &entry.stats)).collect();
            row.service.stats.set_rates_since(before.map_or(&none, |before| &before.service.stats), elapsed);
            for entry in &mut row.destinations {
                let before = destinations.get(&entry.id()).copied();
                entry.stats.set_rates_since(before.unwrap_or(&none), elapsed);
            }
        }
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.services == other.services
    }
}

impl Eq for Table {}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.services.hash(state);
    }
}

impl IntoIterator for Table {
    type Item = TableService;
    type IntoIter = vec::IntoIter<TableService>;

    fn into_iter(self) -> Self::IntoIter {
        self.services.into_iter()
    }
}

impl<'a> IntoIterator for &'a Table {
    type Item = &'a TableService;
    type IntoIter = slice::Iter<'a, TableService>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Table {
    type Item = &'a mut TableService;
    type IntoIter = slice::IterMut<'a, TableService>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl FromIterator<TableService> for Table {
    fn from_iter<I: IntoIterator<Item = TableService>>(services: I) -> Self {
        Self::new(services.into_iter().collect())
    }
}

impl TableService {
    /// A service with its destinations.
    pub fn new(service: ServiceEntry, destinations: Vec<DestinationEntry>) -> Self {
        Self { service, destinations }
    }

    /// The identity of the service.
    pub fn id(&self) -> ServiceId {
        self.service.id()
    }

    /// Finds a destination, by a linear search.
    pub fn get(&self, id: &DestinationId) -> Option<&DestinationEntry> {
        self.destinations.iter().find(|entry| entry.id() == *id)
    }
}
