//! The contents of the table.

use std::net::Ipv4Addr;

use ipvs_rs::model::Weight;
use ipvs_rs::{Destination, DestinationId, ForwardMethod, Scheduler, Service, ServiceId};

/// Services over TCP, each with the same number of destinations, and all addresses different.
pub struct Load {
    pub services: Vec<Service>,
    /// Service by service.
    pub destinations: Vec<(ServiceId, Destination)>,
    /// The same with another weight.
    pub changed: Vec<(ServiceId, Destination)>,
    pub per_service: u32,
}

impl Load {
    pub fn new(services: u32, per_service: u32) -> Self {
        let service = |number| {
            let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 128, 0, 1).to_bits() + number);
            Service::new(ServiceId::tcp((address, 80).into()).unwrap(), Scheduler::Rr)
        };
        let services: Vec<Service> = (0..services).map(service).collect();
        let destination = |(number, id): (u32, ServiceId)| {
            let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + number);
            let server = DestinationId::new((address, 8080).into()).unwrap();
            (id, Destination::new(server, ForwardMethod::Masquerade))
        };
        let ids = services.iter().flat_map(|service| std::iter::repeat_n(service.id, per_service as usize));
        let destinations: Vec<_> = (0..).zip(ids).map(destination).collect();
        let mut changed = destinations.clone();
        for (_, destination) in &mut changed {
            destination.weight = Weight::new(7).unwrap();
        }
        Self { services, destinations, changed, per_service }
    }
}
