use std::borrow::Cow;

use super::name::{name_bytes, name_text};
use crate::desired::words::FORWARDS;
use crate::model::{EngineName, ForwardMethod, PersistenceEngine, Scheduler, SchedulerName, Weight};

/// The version of the format, which decides which values are valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::desired) enum Version {
    One,
    Two,
}

impl Version {
    pub(in crate::desired) fn weight(self, weight: i64) -> Option<Weight> {
        let weight = u32::try_from(weight).ok()?;
        match self {
            Self::One => u16::try_from(weight).ok().map(Weight::from),
            Self::Two => Weight::new(weight).ok(),
        }
    }

    /// The largest firewall mark.
    pub(in crate::desired) const fn last_mark(self) -> u32 {
        match self {
            Self::One => 65_535,
            Self::Two => u32::MAX,
        }
    }

    /// Names without a constant may be those of external modules, if the file's version allows it.
    pub(in crate::desired) fn scheduler(self, name: &str) -> Option<Scheduler> {
        // `none` among them: the output of `get` for a service whose scheduler was taken away must be readable.
        let known = |known: &Scheduler| known.name().eq_ignore_ascii_case(name);
        match Scheduler::KNOWN.into_iter().find(known) {
            Some(known) => Some(known).filter(|known| known.name() == name),
            None if self == Self::One => None,
            None => SchedulerName::verbatim(&name_bytes(name)).ok().map(Scheduler::Other),
        }
    }

    pub(in crate::desired) fn forward(self, word: &str) -> Option<ForwardMethod> {
        // The output of `get` for a table that another program has made must be readable.
        if word.starts_with("unknown-") {
            return word.parse().ok();
        }
        let known = FORWARDS.iter().find(|(own, other, _)| word == *own || (self == Self::Two && word == *other));
        known.map(|(.., forward)| *forward)
    }
}

/// A forwarding method as it is written in files: `nat`, `direct`; `unknown-5` for one without a name.
///
/// ```
/// use ipvs_rs::ForwardMethod;
///
/// assert_eq!(ipvs_rs::desired::forward_text(ForwardMethod::Masquerade), "nat");
/// ```
pub fn forward_text(forward: ForwardMethod) -> Cow<'static, str> {
    let known = FORWARDS.iter().find(|(.., known)| known.number() == forward.number());
    known.map_or_else(|| format!("unknown-{}", forward.number()).into(), |(word, ..)| (*word).into())
}

pub(super) fn scheduler_text(scheduler: &Scheduler) -> String {
    if let Scheduler::Other(name) = scheduler { name_text(name.as_bytes()) } else { scheduler.name().to_owned() }
}

pub(super) fn engine(name: &str) -> Option<PersistenceEngine> {
    match name {
        "sip" => Some(PersistenceEngine::Sip),
        // The name of the kernel's own engine in another case is not another engine.
        _ if name.eq_ignore_ascii_case("sip") => None,
        _ => EngineName::verbatim(&name_bytes(name)).ok().map(PersistenceEngine::Other),
    }
}

pub(super) fn engine_text(engine: &PersistenceEngine) -> String {
    if let PersistenceEngine::Other(name) = engine { name_text(name.as_bytes()) } else { engine.name().to_owned() }
}

/// Returns a message about a scheduler that is not one of the kernel's.
pub(in crate::desired) fn foreign_scheduler(scheduler: &Scheduler) -> Option<String> {
    let name = matches!(scheduler, Scheduler::Other(_)).then(|| scheduler_text(scheduler))?;
    Some(format!("the scheduler {name} is not one of Linux: a module must bring it"))
}
