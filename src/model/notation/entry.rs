//! Observed objects, as lines for logs.

use std::fmt;

use crate::model::{DestinationEntry, SchedulerFlags, ServiceEntry};

impl fmt::Display for ServiceEntry {
    /// Identity and settings, as `ipvsadm -L -n` lists them.
    ///
    /// ```
    /// use ipvs_rs::model::Persistence;
    /// use ipvs_rs::{Scheduler, Service, ServiceEntry};
    ///
    /// let service = Service::new("udp://192.0.2.10:53".parse()?, Scheduler::Wlc)
    ///     .persistence(Persistence::for_secs(300)?)
    ///     .one_packet(true);
    /// assert_eq!(ServiceEntry::new(service).to_string(), "UDP 192.0.2.10:53 wlc persistent 300 ops");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = &self.service;
        write!(f, "{} {}", service.id, service.scheduler)?;
        if service.scheduler_flags != SchedulerFlags::empty() {
            write!(f, " ({})", service.scheduler_flags.notation(&service.scheduler))?;
        }
        if let Some(persistence) = &service.persistence {
            write!(f, " {persistence}")?;
        }
        f.write_str(if service.one_packet { " ops" } else { "" })
    }
}

impl fmt::Display for DestinationEntry {
    /// Identity, forwarding method, weight and connections.
    ///
    /// ```
    /// use ipvs_rs::{Destination, DestinationEntry, ForwardMethod};
    ///
    /// let server = Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade).weight(10)?;
    /// let mut entry = DestinationEntry::new(server);
    /// entry.active_connections = 3;
    /// assert_eq!(entry.to_string(), "10.0.0.2:8080 Masq weight 10 active 3 inactive 0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, active_connections, inactive_connections, .. } = self;
        let (id, forward, weight) = (destination.id, destination.forward, destination.weight);
        write!(f, "{id} {forward} weight {weight} active {active_connections} inactive {inactive_connections}")
    }
}
