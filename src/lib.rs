//! A typed, fast and honest client of the Linux kernel's load balancer (IPVS).

pub mod codec;
pub mod engine;
pub mod error;
pub mod handle;
pub mod model;
pub mod transport;

pub use error::Error;
pub use handle::Handle;
pub use model::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table,
};
