//! The signals that end a command.

use std::fs;
use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::clock::Signals;
use crate::failure::{Failure, failure};

/// The number of the signal that ends the program at once: the one after the request to end.
pub const SECOND: usize = 2;
/// The same where the second signal asks to leave everything as it is.
pub const THIRD: usize = 3;

/// From now on the first `SIGINT`, `SIGTERM` or `SIGHUP` asks for the end, and the one of this number ends the program.
///
/// A `SIGHUP` that is ignored stays so: that is how `nohup` starts a program.
pub fn catch(last: usize) -> Result<Signals, Failure> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wishes: &[i32] = if ignores(&status, SIGHUP) { &[SIGINT, SIGTERM] } else { &[SIGINT, SIGTERM, SIGHUP] };
    Signals::catch(wishes, last).map_err(|error| failed(&error))
}

/// Signals could not be caught.
pub fn failed(error: &io::Error) -> Failure {
    failure!(Apply, "Unable to watch for signals: {error}")
}

/// Whether a process with this `/proc/PID/status` ignores a signal.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal - 1)) != 0
}

#[cfg(feature = "testing")]
#[cfg(test)]
pub use tests::TestClock;

#[cfg(test)]
mod tests;
