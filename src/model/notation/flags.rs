use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::piece::bits;
use crate::model::{ParseError, Scheduler, SchedulerFlags, ServiceFlags};

impl SchedulerFlags {
    /// The flags by the names that they have for this scheduler, separated by commas; empty without flags.
    ///
    /// ```
    /// use ipvs_rs::Scheduler;
    /// use ipvs_rs::model::SchedulerFlags;
    ///
    /// assert_eq!(SchedulerFlags::PORT.notation(&Scheduler::Sh), "sh-port");
    /// assert_eq!(SchedulerFlags::PORT.notation(&Scheduler::Wlc), "flag-2");
    /// ```
    pub fn notation(self, scheduler: &Scheduler) -> String {
        let [first, second] = match scheduler {
            Scheduler::Sh => ["sh-fallback", "sh-port"],
            Scheduler::Mh => ["mh-fallback", "mh-port"],
            _ => ["flag-1", "flag-2"],
        };
        let words = [(Self::FALLBACK, first), (Self::PORT, second), (Self::FLAG_3, "flag-3")];
        join(words.into_iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, word)| word))
    }

    /// Reads a list of names that are separated by commas, for this scheduler.
    ///
    /// ```
    /// use ipvs_rs::Scheduler;
    /// use ipvs_rs::model::SchedulerFlags;
    ///
    /// assert_eq!(SchedulerFlags::from_notation("sh-port", &Scheduler::Sh)?, SchedulerFlags::PORT);
    /// assert!(SchedulerFlags::from_notation("sh-port", &Scheduler::Mh).is_err());
    /// # Ok::<(), ipvs_rs::model::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a name is unknown, or is that of another scheduler: `flag-1` to `flag-3` fit every one, `sh-fallback` and
    /// `sh-port` only `sh`, `mh-fallback` and `mh-port` only `mh`.
    pub fn from_notation(list: &str, scheduler: &Scheduler) -> Result<Self, ParseError> {
        parse_list("scheduler flags", list, |word| match scheduler_flag(word) {
            Some((owner, flag)) if owner.is_none_or(|owner| owner == *scheduler) => Ok(flag),
            _ => Err(match scheduler {
                Scheduler::Sh => "sh-fallback, sh-port, flag-1, flag-2 or flag-3",
                Scheduler::Mh => "mh-fallback, mh-port, flag-1, flag-2 or flag-3",
                _ => "flag-1, flag-2 or flag-3",
            }),
        })
    }
}

impl fmt::Display for SchedulerFlags {
    /// The names that fit every scheduler, `flag-1,flag-2,flag-3`; [`notation`](Self::notation) has those of `sh` and
    /// `mh`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.notation(&Scheduler::None))
    }
}

impl FromStr for SchedulerFlags {
    type Err = ParseError;

    /// Takes the names of all schedulers; [`from_notation`](Self::from_notation) is stricter.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_list("scheduler flags", text, |word| {
            let flag = scheduler_flag(word).map(|(_, flag)| flag);
            flag.ok_or("flag-1, flag-2, flag-3, sh-fallback, sh-port, mh-fallback or mh-port")
        })
    }
}

impl fmt::Display for ServiceFlags {
    /// A list of names; bits without a name as one number: `persistent,hashed,ops,flag-1,0x40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = SERVICE_FLAGS.into_iter().filter(|(flag, _)| self.contains(*flag));
        let mut text = join(named.map(|(_, word)| word));
        let unnamed = *self - Self::NAMED;
        if !unnamed.is_empty() {
            let comma = if text.is_empty() { "" } else { "," };
            write!(text, "{comma}{:#x}", unnamed.bits())?;
        }
        f.pad(&text)
    }
}

impl FromStr for ServiceFlags {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_list("service flags", text, |word| {
            let named = SERVICE_FLAGS.into_iter().find(|(_, name)| *name == word).map(|(flag, _)| flag);
            named
                .or_else(|| bits(word).map(Self::from_bits_retain))
                .ok_or("persistent, hashed, ops, flag-1, flag-2, flag-3, or bits such as 0x40")
        })
    }
}

/// A flag by its name, with the scheduler that alone may have it.
fn scheduler_flag(word: &str) -> Option<(Option<Scheduler>, SchedulerFlags)> {
    match word {
        "flag-1" => Some((None, SchedulerFlags::FALLBACK)),
        "flag-2" => Some((None, SchedulerFlags::PORT)),
        "flag-3" => Some((None, SchedulerFlags::FLAG_3)),
        "sh-fallback" => Some((Some(Scheduler::Sh), SchedulerFlags::FALLBACK)),
        "sh-port" => Some((Some(Scheduler::Sh), SchedulerFlags::PORT)),
        "mh-fallback" => Some((Some(Scheduler::Mh), SchedulerFlags::FALLBACK)),
        "mh-port" => Some((Some(Scheduler::Mh), SchedulerFlags::PORT)),
        _ => None,
    }
}

/// Parses items that are separated by commas; empty ones are ignored, as by ipvsadm.
fn parse_list<T: bitflags::Flags>(
    what: &'static str,
    list: &str,
    flag: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<T, ParseError> {
    let mut words = list.split(',').filter(|word| !word.is_empty());
    words.try_fold(T::empty(), |flags, word| {
        let flag = flag(word).map_err(|expected| ParseError::new(what, word, expected))?;
        Ok(flags.union(flag))
    })
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(",")
}

const SERVICE_FLAGS: [(ServiceFlags, &str); 6] = [
    (ServiceFlags::PERSISTENT, "persistent"),
    (ServiceFlags::HASHED, "hashed"),
    (ServiceFlags::ONE_PACKET, "ops"),
    (ServiceFlags::SCHEDULER_1, "flag-1"),
    (ServiceFlags::SCHEDULER_2, "flag-2"),
    (ServiceFlags::SCHEDULER_3, "flag-3"),
];
