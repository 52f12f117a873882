use super::address::{family_word, service_address};
use super::defaults::factor;
use super::options::{Order, PrintOptions};
use crate::desired::settings::{DESTINATION, SERVICE, Version, name_text};
use crate::desired::{Connections, Drain, Observed, OnTimeout, Pattern, Scope, WaitFor, spec};
use crate::model::{
    AddressFamily, Config, Destination, DestinationEntry, Scheduler, Service, ServiceId, Stats, SyncDaemon,
    TableService, Timeout,
};

impl spec::File {
    /// Writes down what is there: applied where it was read, it changes nothing.
    ///
    /// Settings that are the default are left out, and so is the version, unless version 1 cannot say what is there.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::desired::{Observed, PrintOptions, spec};
    ///
    /// let file = spec::File::from_observed(&Observed::default(), &PrintOptions::new());
    /// assert_eq!(file, spec::File::default());
    /// ```
    pub fn from_observed(live: &Observed, options: &PrintOptions) -> Self {
        let mut rows: Vec<&TableService> = live.table.services.iter().collect();
        if options.order == Order::Sorted {
            rows.sort_by_key(|row| service_key(&row.service.id()));
        }
        let mut services: Vec<_> = rows.iter().map(|row| row_as_is(row, *options)).collect();
        let version = rows.iter().any(|row| needs_version_2(row)).then_some(2);
        let defaults = if options.factor_defaults { factor(&mut services) } else { None };
        Self {
            version,
            timeouts: live.timeouts.as_ref().filter(|_| options.all).map(timeouts_as_is),
            sync: live.sync.as_ref().filter(|_| options.all).map(|daemons| daemons.iter().map(sync_as_is).collect()),
            defaults,
            services: (!services.is_empty()).then_some(services),
            ..Self::default()
        }
    }
}

/// Family, protocol, address, port; marks behind.
fn service_key(id: &ServiceId) -> (bool, AddressFamily, ServiceId) {
    (id.mark().is_some(), id.family(), *id)
}

impl Observed {
    /// Puts services and destinations into an order; that of the kernel is the one in which they were read.
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

fn row_as_is(row: &TableService, options: PrintOptions) -> spec::Service {
    let mut entries: Vec<&DestinationEntry> = row.destinations.iter().collect();
    if options.order == Order::Sorted {
        entries.sort_by_key(|entry| entry.id());
    }
    let destinations: Vec<_> = entries
        .iter()
        .map(|entry| spec::Destination {
            stats: options.stats.then(|| stats_as_is(&entry.stats, Some(Connections::of(entry))).into()),
            ..destination_as_is(&entry.destination)
        })
        .collect();
    spec::Service {
        stats: options.stats.then(|| stats_as_is(&row.service.stats, None).into()),
        destinations: (!destinations.is_empty()).then_some(destinations),
        ..service_as_is(&row.service.service)
    }
}

/// A service without destinations, as it stands in a file.
pub(in crate::desired) fn service_as_is(service: &Service) -> spec::Service {
    let address = Some(service_address(&service.id));
    let family = family_word(&service.id).map(str::to_owned);
    SERVICE.print(service, spec::Service { address, family, ..spec::Service::default() })
}

/// A destination as it stands in a file.
pub(in crate::desired) fn destination_as_is(destination: &Destination) -> spec::Destination {
    let address = Some(destination.id.to_string());
    DESTINATION.print(destination, spec::Destination { address, ..spec::Destination::default() })
}

/// Time-outs as they stand in a file.
pub(in crate::desired) fn timeouts_as_is(config: &Config) -> spec::Timeouts {
    let time = |timeout: Timeout| spec::Duration::from_secs(timeout.as_secs().into());
    spec::Timeouts { tcp: config.tcp.map(time), tcpfin: config.tcp_fin.map(time), udp: config.udp.map(time) }
}

/// A synchronization daemon as it stands in a file.
pub(in crate::desired) fn sync_as_is(daemon: &SyncDaemon) -> spec::Sync {
    spec::Sync {
        role: Some(daemon.role.to_string()),
        interface: Some(name_text(daemon.interface.as_bytes())),
        id: Some(daemon.sync_id.into()),
        group: daemon.group.map(|group| group.address().to_string()),
        port: daemon.port.map(|port| port.get().into()),
        ttl: daemon.ttl.map(|ttl| ttl.get().into()),
        maxlen: daemon.max_len.map(|bytes| bytes.get().into()),
    }
}

/// A way to drain as it stands in a file.
pub(in crate::desired) fn drain_as_is(drain: &Drain) -> spec::Drain {
    spec::Drain {
        timeout: Some(drain.timeout.into()),
        poll: Some(drain.poll.into()).filter(|_| drain.poll != Drain::DEFAULT_POLL),
        wait: Some(drain.wait.name().to_owned()).filter(|_| drain.wait != WaitFor::default()),
        on_timeout: Some(drain.on_timeout.name().to_owned()).filter(|_| drain.on_timeout != OnTimeout::default()),
    }
}

/// A scope as it stands in a file.
pub(in crate::desired) fn scope_as_is(scope: &Scope) -> spec::Scope {
    let texts = |patterns: &[Pattern]| {
        let texts: Vec<_> = patterns.iter().map(Pattern::to_string).collect();
        (!texts.is_empty()).then_some(texts)
    };
    spec::Scope { manage: texts(&scope.manage), ignore: texts(&scope.ignore) }
}

fn stats_as_is(stats: &Stats, held: Option<Connections>) -> spec::Stats {
    let Stats { connections, packets_in, packets_out, bytes_in, bytes_out, .. } = *stats;
    spec::Stats { held, connections, packets_in, packets_out, bytes_in, bytes_out }
}
