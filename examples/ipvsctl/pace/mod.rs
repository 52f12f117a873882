//! Time that passes, and signals that end it.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_rs::desired::apply::Interrupt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{self, Handle};

use crate::failure::{Failure, failure};

/// Time since a beginning. Tests let it pass as they like.
pub trait Pace {
    /// The time since the beginning.
    fn elapsed(&self) -> Duration;

    /// Waits until so much time has passed, or a signal asks for the end. Returns whether none did.
    fn wait_until(&mut self, elapsed: Duration) -> bool;
}

/// The clock of the system and the signals of this process.
pub struct Signals {
    begin: Instant,
    state: Arc<State>,
    handle: Handle,
}

#[derive(Default)]
struct State {
    count: AtomicUsize,
    /// Whether `SIGHUP` asks for files to be read again, and whether it did.
    hangup_reloads: AtomicBool,
    reload: AtomicBool,
}

impl Signals {
    /// The signal that ends the program at once: the one after the wish.
    pub const SECOND: usize = 2;
    /// The same where the second one is the wish to leave everything as it is.
    pub const THIRD: usize = 3;

    /// From now on the first `SIGINT`, `SIGTERM` or `SIGHUP` is a wish, and the one of this number is the end.
    ///
    /// A `SIGHUP` that is ignored stays so: that is how `nohup` starts a program.
    pub fn catch(last: usize) -> Result<Self, Failure> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ends = [SIGINT, SIGTERM, SIGHUP];
        let ends = ends.into_iter().filter(|signal| *signal != SIGHUP || !ignores(&status, SIGHUP));
        let mut signals = iterator::Signals::new(ends).map_err(|error| failed(&error))?;
        let (state, handle) = (Arc::new(State::default()), signals.handle());
        let seen = state.clone();
        let listen = move || {
            for signal in &mut signals {
                if signal == SIGHUP && seen.hangup_reloads.load(Ordering::Relaxed) {
                    seen.reload.store(true, Ordering::Relaxed);
                } else if seen.count.fetch_add(1, Ordering::Relaxed) + 1 >= last {
                    std::process::exit(128 + signal);
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(|error| failed(&error))?;
        Ok(Self { begin: Instant::now(), state, handle })
    }

    /// Takes `SIGHUP` for a wish to read files again.
    pub fn catch_reload(&self) -> Result<(), Failure> {
        self.state.hangup_reloads.store(true, Ordering::Relaxed);
        self.handle.add_signal(SIGHUP).map_err(|error| failed(&error))
    }

    /// Returns how many signals asked for the end.
    pub fn count(&self) -> usize {
        self.state.count.load(Ordering::Relaxed)
    }

    /// Returns what they ask of a plan that is being carried out.
    pub fn wish(&self) -> Interrupt {
        match self.count() {
            0 => Interrupt::None,
            1 => Interrupt::Stop,
            _ => Interrupt::Now,
        }
    }

    /// Returns whether a signal asked for files to be read again since the last call.
    pub fn take_reload(&self) -> bool {
        self.state.reload.swap(false, Ordering::Relaxed)
    }
}

impl Pace for Signals {
    fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn wait_until(&mut self, elapsed: Duration) -> bool {
        while self.count() == 0 {
            let left = elapsed.saturating_sub(self.elapsed());
            if left.is_zero() {
                return true;
            }
            // A signal does not end a sleep, so that each is short.
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        false
    }
}

fn failed(error: &io::Error) -> Failure {
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
pub use tests::Scripted;

#[cfg(test)]
mod tests;
