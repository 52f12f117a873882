//! Files of YAML or JSON, and their meaning.
//!
//! [`read_path`] opens files, a [`Reader`] interprets them. All problems are reported at once, each with its line and
//! column: a mistake in one service does not hide those in another one.
//!
//! # Format
//!
//! YAML 1.2, and JSON, which is a part of it. Several documents in a file are the same as several files. Anchors,
//! aliases and the merge key `<<` work. A key may occur only once in its mapping.
//!
//! Words without quotes have the meaning of YAML 1.2, numbers that of YAML 1.1: `yes`, `on` and `y` are text, `0777` is
//! a number of base 8, dates are text. Text in quotes is text: `weight: "5"` is an error. Control characters are
//! allowed in a file only as escapes.
//!
//! # Limits
//!
//! To limit the time and memory that a file takes, it has at most 64 MiB and 5,000,000 values, lists and mappings are
//! nested at most 64 deep, and the aliases of a file stand for at most 1,000,000 values.

mod reader;
mod source;
#[cfg(target_os = "linux")]
mod watch;

pub use reader::{Loaded, Reader};
pub use source::{Source, read_path};
#[cfg(target_os = "linux")]
pub use watch::{FileEvent, FileWatcher};
