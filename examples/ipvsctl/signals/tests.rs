use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::clock::Clock;

/// Time that passes at once, and ends when a test says so.
#[cfg(feature = "testing")]
pub struct TestClock<'a> {
    pub elapsed: Duration,
    pub ends_at: Option<Duration>,
    pub meanwhile: Box<dyn FnMut(Duration) + 'a>,
}

#[cfg(feature = "testing")]
impl<'a> TestClock<'a> {
    pub fn new() -> Self {
        Self { elapsed: Duration::ZERO, ends_at: None, meanwhile: Box::new(|_| {}) }
    }

    pub fn meanwhile(self, work: impl FnMut(Duration) + 'a) -> Self {
        Self { meanwhile: Box::new(work), ..self }
    }
}

#[cfg(feature = "testing")]
impl Clock for TestClock<'_> {
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

#[test]
fn hangup_is_a_wish_to_end_until_it_is_one_to_read_again() {
    let mut signals = catch(usize::MAX).unwrap();
    assert!(signals.wait_until(Duration::ZERO));
    // Under nohup it is ignored until it asks for a reload.
    let ends = usize::from(!ignores(&fs::read_to_string("/proc/self/status").unwrap(), SIGHUP));
    kill(Pid::this(), Signal::SIGHUP).unwrap();
    assert_eq!(signals.wait_until(signals.elapsed() + Duration::from_secs(if ends == 0 { 0 } else { 60 })), ends == 0);
    assert_eq!(signals.count(), ends);
    signals.catch_reload().unwrap();
    kill(Pid::this(), Signal::SIGHUP).unwrap();
    let begin = Instant::now();
    while !signals.take_reload() {
        assert!(begin.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    }
    assert_eq!((signals.count(), signals.take_reload()), (ends, false));
}

#[test]
fn ignored_signals_are_known_by_the_mask_of_the_process() {
    let status = |mask: &str| format!("Name:\tx\nSigBlk:\t00000000000000ff\nSigIgn:\t{mask}\nSigCgt:\t0\n");
    for (mask, is_ignored) in
        [("0000000000000001", true), ("0000000000001003", true), ("0000000000001000", false), ("", false)]
    {
        assert_eq!(ignores(&status(mask), SIGHUP), is_ignored, "{mask}");
    }
    assert!(!ignores("", SIGHUP));
}
