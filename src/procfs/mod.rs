//! The parts of IPVS that the kernel shows only as files: connections, totals, sysctls, modules.
//!
//! | data | of the kernel | from a reader |
//! |---|---|---|
//! | [`Connections`] | `Procfs::connections`, `connections_with_origin` | [`Connections::from_reader`] |
//! | [`Stats`](crate::model::Stats) of the whole namespace | `Procfs::get_stats` | [`stats_from_reader`] |
//! | [`CpuStats`] | `Procfs::get_cpu_stats` | [`CpuStats::from_reader`] |
//! | [`Sysctl`] | `Procfs::get_sysctl`, `get_sysctls`, `set_sysctl` | [`Sysctl::value`] |
//! | [`Modules`] | `Procfs::get_modules` | [`Modules::from_reader`] |
//!
//! `Procfs` is for Linux only. It reads in the network namespace of the calling thread, or in another one, and requires
//! no privilege to read, unlike a handle. The parsers behind it work on any system and with any reader, such as a file
//! that was saved elsewhere. They are total: any bytes result in values, or in a [`ProcfsError`] that names the file,
//! the line, the column and the form that was expected there.
//!
//! # Example
//!
//! The number of connections of each server, from a table that was saved:
//!
//! ```
//! use std::collections::BTreeMap;
//! use ipvs_rs::procfs::{ConnectionState, Connections};
//!
//! let saved = "\
//! Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
//! TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED     895
//! TCP 0A020002 A029 0A090909 0050 0A010002 1F90 TIME_WAIT       115
//! TCP 0A020003 8822 0A090909 0050 0A010003 1F90 ESTABLISHED     871
//! ";
//! let mut established = BTreeMap::new();
//! for connection in Connections::from_reader(saved.as_bytes()) {
//!     let connection = connection?;
//!     if connection.state == ConnectionState::Established {
//!         *established.entry(connection.destination).or_insert(0) += 1;
//!     }
//! }
//! assert_eq!(established, BTreeMap::from([("10.1.0.3:8080".parse().unwrap(), 2)]));
//! # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
//! ```
//!
//! The table of the running kernel, and other files:
//!
//! ```no_run
//! # #[cfg(target_os = "linux")] {
//! use ipvs_rs::procfs::{Procfs, Sysctl};
//!
//! let here = Procfs::current();
//! let ending = here.connections()?.filter(|row| row.as_ref().is_ok_and(|row| row.expires_secs < 60)).count();
//! println!("{ending} connections end within a minute");
//! println!("{} connections so far", here.get_stats()?.connections);
//! if here.get_sysctl(Sysctl::ExpireNodestConn)?.as_switch() == Some(false) {
//!     here.set_sysctl(Sysctl::ExpireNodestConn, true)?;
//! }
//! # }
//! # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
//! ```

#[cfg(feature = "serde")]
mod bytes;
mod connection;
mod connections;
mod error;
#[cfg(target_os = "linux")]
mod files;
mod lines;
mod modules;
mod row;
#[cfg(feature = "serde")]
mod serde;
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
pub use sysctl::{KernelVersion, Sysctl, SysctlAccess, SysctlInfo, SysctlKind, SysctlValue};
pub use word::Word;
