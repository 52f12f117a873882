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
//!
//! # How errors print
//!
//! All errors of the crate follow one convention. `Display` is one complete line, which includes the message of the
//! cause. [`source()`](std::error::Error::source) is the typed cause, where there is one, for code that looks for a
//! type: the `io::Error` of a system call, the [`InvalidValue`](crate::model::InvalidValue) that was refused. `Debug` of
//! an error that a program meets in daily use is the same line, because `main` and `unwrap` print that.
//!
//! So print `{error}` alone. A reporter that prints the whole chain, such as `{:#}` of anyhow, would say the cause twice.

pub(crate) mod client;
mod convert;
mod errno;
mod subject;

pub use client::ErrorKind;
pub(crate) use client::{Cause, Error};
pub use errno::Errno;
pub use subject::{Call, Target};
