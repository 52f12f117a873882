//! Files of YAML or JSON, and what they say.
//!
//! [`read_path`] opens files, a [`Reader`] understands them. What is wrong is found all at once, each thing with the line
//! and the column where it stands: what one service gets wrong hides nothing of another one.
//!
//! # What is read
//!
//! YAML 1.2, and JSON, which is a part of it. Several documents in a file are as good as several files. Anchors, aliases
//! and the merge key `<<` work. A key stands once in its mapping.
//!
//! Words without quotes mean what they mean in YAML 1.2, numbers what they mean in YAML 1.1: `yes`, `on` and `y` are text,
//! `0777` is a number of base 8, dates are text. Text in quotes is text: `weight: "5"` is an error. Control characters
//! stand in a file only as escapes.
//!
//! # Limits
//!
//! So that no file takes more than its share of time and memory, a file has at most 64 MiB and 5,000,000 values, lists and
//! mappings stand at most 64 deep in each other, and the aliases of a file stand for at most 1,000,000 values.

mod reader;
mod source;
#[cfg(target_os = "linux")]
mod watch;

pub use reader::{Loaded, Reader};
pub use source::{Source, read_path};
#[cfg(target_os = "linux")]
pub use watch::{FileEvent, FileWatcher};
