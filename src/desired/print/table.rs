use super::address::{family_word, service_address};
use super::defaults::factor;
use super::options::{Order, PrintOptions};
use crate::desired::settings::{DESTINATION, SERVICE, Version};
use crate::desired::spec::{DestinationSpec, FileSpec, ServiceSpec, StatsSpec};
use crate::desired::{ConnectionCounts, Observed, globals};
use crate::model::{AddressFamily, Destination, DestinationEntry, Scheduler, Service, ServiceId, Stats, TableService};

impl FileSpec {
    /// Writes the observed state as a file that changes nothing when it is applied to the same table.
    ///
    /// Settings that are the default are left out, and so is the version, unless version 1 cannot express the state.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::desired::spec::FileSpec;
    /// use ipvs_rs::desired::{Observed, PrintOptions};
    ///
    /// let file = FileSpec::from_observed(&Observed::default(), &PrintOptions::new());
    /// assert_eq!(file, FileSpec::default());
    /// ```
    pub fn from_observed(live: &Observed, options: &PrintOptions) -> Self {
        let mut rows: Vec<&TableService> = live.table.services.iter().collect();
        if options.order == Order::Sorted {
            rows.sort_by_key(|row| service_key(&row.service.id()));
        }
        let mut services: Vec<_> = rows.iter().map(|row| row_as_is(row, *options)).collect();
        let version = rows.iter().any(|row| needs_version_2(row)).then_some(2);
        let defaults = if options.factor_defaults { factor(&mut services) } else { None };
        let rest = if options.all { globals::as_is(live) } else { Self::default() };
        Self { version, defaults, services: (!services.is_empty()).then_some(services), ..rest }
    }
}

/// Family, protocol, address, port; marks last.
fn service_key(id: &ServiceId) -> (bool, AddressFamily, ServiceId) {
    (id.mark().is_some(), id.family(), *id)
}

impl Observed {
    /// Sorts services and destinations; the order of the kernel is the one in which they were read.
    pub fn sort(&mut self, order: Order) {
        if order == Order::Sorted {
            self.table.services.sort_by_key(|row| service_key(&row.service.id()));
            for row in &mut self.table.services {
                row.destinations.sort_by_key(DestinationEntry::id);
            }
        }
    }
}

fn needs_version_2(row: &TableService) -> bool {
    let service = &row.service.service;
    matches!(service.scheduler, Scheduler::Other(_))
        || service.id.mark().is_some_and(|mark| mark.get() > Version::One.last_mark())
        || row.destinations.iter().any(|entry| Version::One.weight(entry.destination.weight.get().into()).is_none())
}

fn row_as_is(row: &TableService, options: PrintOptions) -> ServiceSpec {
    let mut entries: Vec<&DestinationEntry> = row.destinations.iter().collect();
    if options.order == Order::Sorted {
        entries.sort_by_key(|entry| entry.id());
    }
    let destinations: Vec<_> = entries
        .iter()
        .map(|entry| DestinationSpec {
            stats: options.stats.then(|| stats_as_is(&entry.stats, Some(ConnectionCounts::of(entry))).into()),
            ..destination_as_is(&entry.destination)
        })
        .collect();
    ServiceSpec {
        stats: options.stats.then(|| stats_as_is(&row.service.stats, None).into()),
        destinations: (!destinations.is_empty()).then_some(destinations),
        ..service_as_is(&row.service.service)
    }
}

/// A service without destinations, as it stands in a file.
pub(in crate::desired) fn service_as_is(service: &Service) -> ServiceSpec {
    let address = Some(service_address(&service.id));
    let family = family_word(&service.id).map(str::to_owned);
    SERVICE.print(service, ServiceSpec { address, family, ..ServiceSpec::default() })
}

/// A destination as it stands in a file.
pub(in crate::desired) fn destination_as_is(destination: &Destination) -> DestinationSpec {
    let address = Some(destination.id.to_string());
    DESTINATION.print(destination, DestinationSpec { address, ..DestinationSpec::default() })
}

fn stats_as_is(stats: &Stats, held: Option<ConnectionCounts>) -> StatsSpec {
    let Stats { connections, packets_in, packets_out, bytes_in, bytes_out, .. } = *stats;
    StatsSpec { held, connections, packets_in, packets_out, bytes_in, bytes_out }
}
