use super::findings::Findings;
use crate::model::{ForwardMethod, PersistenceEngine, Scheduler, Tunnel, Weight};

/// The version of the format: what a value may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    One,
    Two,
}

impl Version {
    pub(super) fn of(version: Option<i64>, findings: &mut Findings<'_>) -> Self {
        match version {
            None | Some(1) => Self::One,
            Some(2) => Self::Two,
            Some(other) => {
                findings.error("version", format!("unknown version {other}: there are 1 and 2"));
                Self::Two
            }
        }
    }

    pub(super) fn weight(self, weight: i64) -> Option<Weight> {
        let weight = u32::try_from(weight).ok()?;
        match self {
            Self::One => u16::try_from(weight).ok().map(Weight::from),
            Self::Two => Weight::new(weight).ok(),
        }
    }

    /// The largest firewall mark.
    pub(super) const fn last_mark(self) -> u32 {
        match self {
            Self::One => 65_535,
            Self::Two => u32::MAX,
        }
    }

    /// Names that nobody knows may be those of modules from outside, if the file is written for that.
    pub(super) fn scheduler(self, name: &str) -> Option<Scheduler> {
        // `none` among them: what `get` prints of a service whose scheduler was taken away must be readable.
        Scheduler::KNOWN.into_iter().find(|known| known.name() == name).or_else(|| {
            let other = self == Self::Two && is_module_name(name);
            Scheduler::from_name(name).ok().filter(|scheduler| other && matches!(scheduler, Scheduler::Other(_)))
        })
    }

    pub(super) fn engine(self, name: &str) -> Option<PersistenceEngine> {
        match name {
            "sip" => Some(PersistenceEngine::Sip),
            _ if self == Self::Two && is_module_name(name) => PersistenceEngine::from_name(name).ok(),
            _ => None,
        }
    }

    pub(super) fn forward(self, word: &str) -> Option<ForwardMethod> {
        Some(match (word, self) {
            ("direct", _) | ("gate", Self::Two) => ForwardMethod::DirectRoute,
            ("nat", _) | ("masq", Self::Two) => ForwardMethod::Masquerade,
            ("tunnel", _) | ("ipip", Self::Two) => ForwardMethod::Tunnel(Tunnel::ipip()),
            // What `get` prints of a table that somebody else has made must be readable.
            ("local", _) => ForwardMethod::Local,
            ("bypass", _) => ForwardMethod::Bypass,
            _ => return None,
        })
    }
}

/// What the name of a kernel module after `ip_vs_` looks like.
fn is_module_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

pub(super) fn warn_of_scheduler(scheduler: &Scheduler, path: &str, findings: &mut Findings<'_>) {
    if let Scheduler::Other(name) = scheduler {
        findings.warning(path, format!("the scheduler {name} is not one of Linux: a module must bring it"));
    }
}
