//! The error of a client: the call, its object, the kernel's answer, and a hint.
//!
//! An [`Error`], at the [root of the crate](crate), is a line to print, predicates to branch by, and accessors for the
//! causes. This module has its parts.
//!
//! ```no_run
//! use ipvs_rs::Handle;
//!
//! let handle = Handle::new()?;
//! match handle.delete_service(&"TCP 192.0.2.10:80".parse()?) {
//!     Err(error) if error.is_not_found() => println!("there was none"),
//!     Err(error) => eprintln!("{error}"),
//!     Ok(()) => println!("done"),
//! }
//! # Ok::<(), ipvs_rs::Error>(())
//! ```

pub(crate) mod client;
mod convert;
mod errno;
mod subject;

pub use client::ErrorKind;
pub(crate) use client::{Cause, Error};
pub use errno::Errno;
pub use subject::{Call, Target};
