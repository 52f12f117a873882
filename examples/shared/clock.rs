//! Signals that ask a tool to end, and waits that they cut short.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGHUP;
use signal_hook::iterator::{self, Handle};

/// Time since a beginning. Tests control it.
pub trait Clock {
    /// The time since the beginning.
    fn elapsed(&self) -> Duration;

    /// Waits until this much time has passed, or a signal asks for the end. Returns whether there was no such signal.
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
    /// Whether `SIGHUP` asks for a reload of files, and whether it has done so.
    hangup_reloads: AtomicBool,
    reload: AtomicBool,
}

impl Signals {
    /// From now on the first of these signals asks for the end, and the one of this number ends the process.
    pub fn catch(wishes: &[i32], last: usize) -> io::Result<Self> {
        let mut signals = iterator::Signals::new(wishes)?;
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
        thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
        Ok(Self { begin: Instant::now(), state, handle })
    }

    /// Takes `SIGHUP` as a request to reload files.
    pub fn catch_reload(&self) -> io::Result<()> {
        self.state.hangup_reloads.store(true, Ordering::Relaxed);
        self.handle.add_signal(SIGHUP)
    }

    /// Returns how many signals asked for the end.
    pub fn count(&self) -> usize {
        self.state.count.load(Ordering::Relaxed)
    }

    /// Returns whether a signal asked for a reload of files since the last call.
    pub fn take_reload(&self) -> bool {
        self.state.reload.swap(false, Ordering::Relaxed)
    }
}

impl Clock for Signals {
    fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn wait_until(&mut self, elapsed: Duration) -> bool {
        while self.count() == 0 {
            let left = elapsed.saturating_sub(self.elapsed());
            if left.is_zero() {
                return true;
            }
            // A signal does not end a sleep, so each sleep is short.
            thread::sleep(left.min(POLL_INTERVAL));
        }
        false
    }
}

/// The longest sleep during which a signal is not noticed.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);
