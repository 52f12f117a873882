//! Time that passes, and signals that end it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    ended: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
}

impl Signals {
    /// From now on the first `SIGINT` or `SIGTERM` is a wish, and the second one the end.
    pub fn catch() -> Result<Self, Failure> {
        let (ended, reload) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the end looks at what the wish has set.
            flag::register_conditional_shutdown(signal, 128 + signal, ended.clone())
                .and_then(|_| flag::register(signal, ended.clone()))
                .map_err(|error| Failure::new(Exit::Apply, format!("Unable to watch for signals: {error}")))?;
        }
        Ok(Self { begin: Instant::now(), ended, reload })
    }

    /// Takes `SIGHUP` for a wish to read files again.
    pub fn catch_reload(&self) -> Result<(), Failure> {
        flag::register(SIGHUP, self.reload.clone())
            .map(drop)
            .map_err(|error| Failure::new(Exit::Apply, format!("Unable to watch for signals: {error}")))
    }

    /// Whether somebody wants this to end.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Whether somebody wanted files to be read again since this was last asked.
    pub fn take_reload(&self) -> bool {
        self.reload.swap(false, Ordering::Relaxed)
    }

    /// Set once somebody wants this to end.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.ended.clone()
    }
}

impl Pace for Signals {
    fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn wait_until(&mut self, elapsed: Duration) -> bool {
        while !self.is_ended() {
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
#[cfg(test)]
pub struct Scripted<'a> {
    pub elapsed: Duration,
    pub ends_at: Option<Duration>,
    pub meanwhile: Box<dyn FnMut(Duration) + 'a>,
}

#[cfg(test)]
impl<'a> Scripted<'a> {
    pub fn new() -> Self {
        Self { elapsed: Duration::ZERO, ends_at: None, meanwhile: Box::new(|_| {}) }
    }

    pub fn meanwhile(self, work: impl FnMut(Duration) + 'a) -> Self {
        Self { meanwhile: Box::new(work), ..self }
    }
}

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
