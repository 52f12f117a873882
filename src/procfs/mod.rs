//! What the kernel shows of IPVS only as files: connections.
//!
//! `Procfs` reads them in a network namespace (Linux only). The parsers behind it work on any system and on anything
//! that can be read, such as a file that was saved elsewhere: they are total, so that any bytes end in values or in an
//! error that says which line does not fit and why.
//!
//! ```
//! use ipvs_rs::procfs::{ConnectionState, Connections};
//!
//! let saved = "\
//! Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
//! TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED     895
//! TCP 0A020002 A029 0A090909 0050 0A010002 1F90 TIME_WAIT       115
//! ";
//! let mut established = 0;
//! for connection in Connections::from_reader(saved.as_bytes()) {
//!     established += u32::from(connection?.state == ConnectionState::Established);
//! }
//! assert_eq!(established, 1);
//! # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
//! ```

mod connection;
mod connections;
mod error;
#[cfg(target_os = "linux")]
mod files;
mod lines;
mod modules;
mod row;
mod stats;
mod sysctl;
mod word;

pub use connection::{Connection, ConnectionOrigin, ConnectionProtocol, ConnectionState, EngineData};
pub use connections::Connections;
pub use error::{ProcfsError, ProcfsErrorKind, ProcfsOperation};
#[cfg(target_os = "linux")]
pub use files::Procfs;
pub use modules::Modules;
pub use stats::{CpuCounters, CpuStats, stats_from_reader};
pub use sysctl::{KernelVersion, Sysctl, SysctlInfo, SysctlKind, SysctlValue};
pub use word::Word;
