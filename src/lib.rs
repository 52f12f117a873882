//! A typed, fast and honest client of the Linux kernel's load balancer (IPVS).
pub mod codec;
pub mod engine;
pub mod model;

pub use model::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table,
};
