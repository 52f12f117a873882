//! The objects of IPVS as plain values, without I/O.
//!
//! Those of daily use are at the [root of the crate](crate), as `ipvs_rs::Service`; this module has their parts and the
//! rest. They come in three roles:
//!
//! * **identity**: [`ServiceId`] and [`DestinationId`] name an object; they are small, `Copy`, ordered and hashable;
//! * **settings**: [`Service`] and [`Destination`], with a [`Scheduler`] and a [`ForwardMethod`], are what you write;
//! * **observation**: [`ServiceEntry`] and [`DestinationEntry`], or a whole [`Table`], are what you read: settings plus
//!   counters.
//!
//! A value that exists is a value that the kernel could hold. Constructors refuse any other with an [`InvalidValue`]
//! that names the value and the range. Values that the *kernel* reports are kept as they are, even where a constructor
//! would have refused them, because a table written by another program must stay readable.
//!
//! ```
//! use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service, ServiceId};
//! use ipvs_rs::model::Persistence;
//!
//! let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
//! let service = Service::new(web, Scheduler::Wlc).persistence(Persistence::for_secs(300)?);
//! let server = Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade).weight(10)?;
//!
//! assert_eq!(service.id.to_string(), "TCP 192.0.2.10:80");
//! assert_eq!(server.id.to_string(), "10.0.0.2:8080");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every value prints in the [`notation`] of ipvsadm(8) and is read back from it, including values that only another
//! program would write.
//!
//! With the feature `serde` every value can be serialized: names and words are strings in their notation, numbers are
//! numbers, and a value of several parts is a map with the names of the fields. Fields that are not set are left out,
//! which requires a self-describing format such as JSON or YAML. Deserialization accepts any value that a kernel may
//! hold, refuses anything else with the errors of the constructors, and refuses a field that does not exist.

/// Compares by the values that the kernel would store, so that a value read back equals the one that was written,
/// however that was expressed and whatever part of it has no effect.
macro_rules! compare_by_stored {
    ($type:ident) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }

        impl Eq for $type {}

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.stored().cmp(&other.stored())
            }
        }

        impl Hash for $type {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.stored().hash(state);
            }
        }
    };
}

mod config;
pub(crate) mod destination;
mod error;
mod flags;
pub(crate) mod forward;
mod info;
mod name;
pub mod notation;
mod persistence;
mod reading;
pub(crate) mod scheduler;
#[cfg(feature = "serde")]
mod serde;
pub(crate) mod service;
pub(crate) mod service_id;
mod stats;
mod sync_daemon;
pub(crate) mod table;

#[cfg(feature = "serde")]
pub(crate) use self::serde::{Text, as_text};
pub use config::{Config, Timeout};
pub(crate) use destination::{Destination, DestinationEntry, DestinationId};
pub use destination::{Thresholds, Weight};
pub use error::{InvalidValue, ParseError};
pub use flags::{SchedulerFlags, ServiceFlags};
pub(crate) use forward::ForwardMethod;
pub use forward::{Tunnel, TunnelFlags, TunnelKind, UnknownForwardMethod, UnknownTunnelKind};
pub use info::{Info, Version};
pub use name::{EngineName, InterfaceName, SchedulerName};
pub use persistence::{Granularity, Persistence, PersistenceEngine, Prefix};
pub use reading::Reading;
pub(crate) use scheduler::Scheduler;
pub(crate) use service::{Service, ServiceEntry};
pub(crate) use service_id::ServiceId;
pub use service_id::{AddressFamily, Protocol, ServiceKind};
pub use stats::Stats;
pub use sync_daemon::{MulticastGroup, SyncDaemon, SyncRole};
pub(crate) use table::Table;
pub use table::TableService;
