//! Time that passes, and signals that end it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::{Exit, Failure};

/// Time since a beginning. Tests let it pass as they like.
pub trait Pace {
    /// The time since the beginning.
    fn elapsed(&self) -> Duration;

    /// Waits until so much time has passed, or somebody wants it to end. Returns whether nobody does.
    fn wait_until(&mut self, elapsed: Duration) -> bool;
}

/// The clock of the system and the signals of this process.
pub struct Signals {
    begin: Instant,
    count: Arc<AtomicUsize>,
    reload: Arc<AtomicBool>,
}

impl Signals {
    /// From now on the first `SIGINT` or `SIGTERM` is a wish, and the one of this number is the end.
    pub fn catch(last: usize) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(Exit::Apply, format!("Unable to watch for signals: {error}"));
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        let listen = move || {
            for signal in &mut signals {
                if counter.fetch_add(1, Ordering::Relaxed) + 1 >= last {
                    std::process::exit(128 + signal);
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(failed)?;
        Ok(Self { begin: Instant::now(), count, reload: Arc::new(AtomicBool::new(false)) })
    }

    /// Takes `SIGHUP` for a wish to read files again.
    pub fn catch_reload(&self) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::new(Exit::Apply, format!("Unable to watch for signals: {error}"));
        flag::register(SIGHUP, self.reload.clone()).map(drop).map_err(failed)
    }

    /// How often somebody wanted this to end.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether somebody wanted files to be read again since this was last asked.
    pub fn take_reload(&self) -> bool {
        self.reload.swap(false, Ordering::Relaxed)
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
            // Signals do not wake, so that nobody sleeps for long.
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        false
    }
}

/// Time that passes at once, and ends when a test says so.
#[cfg(feature = "testing")]
#[cfg(test)]
pub struct Scripted<'a> {
    pub elapsed: Duration,
    pub ends_at: Option<Duration>,
    pub meanwhile: Box<dyn FnMut(Duration) + 'a>,
}

#[cfg(feature = "testing")]
#[cfg(test)]
impl<'a> Scripted<'a> {
    pub fn new() -> Self {
        Self { elapsed: Duration::ZERO, ends_at: None, meanwhile: Box::new(|_| {}) }
    }

    pub fn meanwhile(self, work: impl FnMut(Duration) + 'a) -> Self {
        Self { meanwhile: Box::new(work), ..self }
    }
}

#[cfg(feature = "testing")]
#[cfg(test)]
impl Pace for Scripted<'_> {
    fn elapsed(&self) -> Duration {
        self.elapsed
    }

    fn wait_until(&mut self, elapsed: Duration) -> bool {
        if let Some(end) = self.ends_at.filter(|end| *end <= elapsed) {
            self.elapsed = end;
            return false;
        }
        self.elapsed = self.elapsed.max(elapsed);
        (self.meanwhile)(self.elapsed);
        true
    }
}
