//! The frequency of this host's time-stamp counter.
//!
//! An emulated guest sees the host's counter, but has to find out its frequency against an emulated timer. On a busy
//! host that fails, and a kernel that does not know the frequency waits for its first tick for ever. So it is told.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// The frequency in kHz, if it can be known.
pub fn counter_khz() -> Option<u64> {
    measured().or_else(|| {
        let fixed = !Path::new("/sys/devices/system/cpu/cpu0/cpufreq").exists();
        let text = fs::read_to_string("/proc/cpuinfo").ok()?;
        if fixed { described(&text) } else { None }
    })
}

/// Compares the counter with the clock over a short while.
fn measured() -> Option<u64> {
    let clock = quanta::Clock::new();
    // Being interrupted between two readings spoils a sample; the tightest of a few is good.
    let sample = || {
        (0..16)
            .map(|_| {
                let before = clock.raw();
                let time = Instant::now();
                let width = clock.raw().saturating_sub(before);
                (width, before + width / 2, time)
            })
            .min_by_key(|(width, ..)| *width)
    };
    let (_, first, start) = sample()?;
    thread::sleep(Duration::from_millis(20));
    let (_, second, end) = sample()?;
    rate(second.checked_sub(first)?, end - start)
}

fn rate(counts: u64, time: Duration) -> Option<u64> {
    let khz = u64::try_from(u128::from(counts) * 1_000_000 / time.as_nanos().max(1)).ok()?;
    // Without a steady counter the library counts nanoseconds, which says nothing about the counter.
    let nanoseconds = 999_000..=1_001_000;
    (khz > 100_000 && !nanoseconds.contains(&khz)).then_some(khz)
}

/// Of a virtual processor without frequency scaling, `cpu MHz` is the counter's frequency.
fn described(cpuinfo: &str) -> Option<u64> {
    let value =
        |key: &str| cpuinfo.lines().find_map(|line| line.strip_prefix(key)?.split_once(": ")).map(|(_, value)| value);
    let virtual_processor = value("flags")?.split_whitespace().any(|flag| flag == "hypervisor");
    let (mhz, thousandths) = value("cpu MHz")?.trim().split_once('.')?;
    let khz = mhz.parse::<u64>().ok()? * 1000 + thousandths.parse::<u64>().ok()?;
    virtual_processor.then_some(khz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_counts_per_millisecond() {
        let time = Duration::from_millis(20);
        assert_eq!(rate(50_000_000, time), Some(2_500_000));
        assert_eq!(rate(20_000_000, time), None, "nanoseconds");
        assert_eq!(rate(0, time), None);
    }

    #[test]
    fn a_virtual_processor_describes_itself() {
        let text = "processor\t: 0\ncpu MHz\t\t: 2499.998\nflags\t\t: fpu hypervisor tsc\n";
        assert_eq!(described(text), Some(2_499_998));
        assert_eq!(described(&text.replace("hypervisor ", "")), None);
    }
}
