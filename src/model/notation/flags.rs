use std::fmt;

use crate::model::{Scheduler, SchedulerFlags, ServiceFlags};

impl SchedulerFlags {
    /// The flags by the names that they have for this scheduler, separated by commas; empty where there is none.
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
}

impl fmt::Display for SchedulerFlags {
    /// The names that fit every scheduler: `flag-1,flag-2,flag-3`; those of `sh` and `mh` are to be had from
    /// [`notation`](Self::notation).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.notation(&Scheduler::None))
    }
}

impl fmt::Display for ServiceFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = SERVICE_FLAGS.into_iter().filter(|(flag, _)| self.contains(*flag));
        let mut text = join(named.map(|(_, word)| word));
        let unnamed = SERVICE_FLAGS.into_iter().fold(*self, |rest, (flag, _)| rest - flag);
        if !unnamed.is_empty() {
            let comma = if text.is_empty() { "" } else { "," };
            text.push_str(&format!("{comma}{:#x}", unnamed.bits()));
        }
        f.pad(&text)
    }
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
