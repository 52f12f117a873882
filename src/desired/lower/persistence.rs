use std::net::Ipv4Addr;

use super::findings::{Findings, Path, Setting};
use crate::desired::spec;
use crate::model::{AddressFamily, Granularity, Persistence, PersistenceEngine, Prefix, Protocol, ServiceId};

/// How long a client stays where nobody says how long.
const DEFAULT_SECS: u32 = 360;
/// What ipvsadm takes at most.
const MAX_SECS: u64 = 31 * 24 * 60 * 60;

/// The service that is asked about.
#[derive(Clone, Copy)]
pub(super) struct Of<'s> {
    pub(super) text: &'s str,
    /// Nothing if its address is wrong.
    pub(super) id: Option<ServiceId>,
}

impl Findings<'_> {
    /// Whether and how clients stay where they are.
    pub(super) fn persistence(
        &mut self,
        path: &Path<'_>,
        written: Option<&spec::Persistence>,
        of: Of<'_>,
    ) -> Setting<Persistence> {
        let settings = match self.setting(path, written) {
            Setting::Absent | Setting::Is(spec::Persistence::Switch(false)) => return Setting::Absent,
            Setting::Broken => return Setting::Broken,
            Setting::Is(spec::Persistence::Switch(true)) => return Persistence::for_secs(DEFAULT_SECS).into(),
            Setting::Is(spec::Persistence::Timeout(timeout)) => {
                return self.persistence_timeout(path, *timeout, of).into();
            }
            Setting::Is(spec::Persistence::Settings(settings)) => settings,
        };
        let timeout_path = path.key("timeout");
        let persistence = match self.setting(&timeout_path, settings.timeout.as_ref()) {
            Setting::Absent => Persistence::for_secs(DEFAULT_SECS).into(),
            Setting::Broken => Setting::Broken,
            Setting::Is(timeout) => self.persistence_timeout(&timeout_path, *timeout, of).into(),
        };
        let granularity = self.granularity(path, settings, of);
        let engine = self.engine(&path.key("engine"), settings.engine.as_ref(), of);
        let persistence = persistence.and_then(|persistence| Some(persistence.granularity(granularity?)));
        persistence.and_then(|persistence| match engine {
            Setting::Absent => Some(persistence),
            Setting::Broken => None,
            Setting::Is(engine) => Some(persistence.engine(engine)),
        })
    }

    fn persistence_timeout(&mut self, path: &Path<'_>, timeout: spec::Duration, of: Of<'_>) -> Option<Persistence> {
        let is_allowed = (1..=MAX_SECS).contains(&timeout.get().as_secs());
        let persistence = Persistence::new(timeout.get()).ok().filter(|_| is_allowed);
        if persistence.is_none() {
            let service = of.text;
            let message = format!(
                "invalid persistence timeout ({timeout}) for service {service}. Allowed are 1 second to 31 days"
            );
            self.error(path, message);
        }
        persistence
    }

    fn granularity(
        &mut self,
        path: &Path<'_>,
        settings: &spec::PersistenceSettings,
        of: Of<'_>,
    ) -> Option<Granularity> {
        let service = of.text;
        let (mask_path, prefix_path) = (path.key("netmask"), path.key("prefix"));
        let mask = self.setting(&mask_path, settings.netmask.as_ref());
        let prefix = self.setting(&prefix_path, settings.prefix.as_ref());
        match (mask, prefix) {
            (Setting::Absent, Setting::Absent) => Some(Granularity::Client),
            (Setting::Broken, _) | (_, Setting::Broken) => None,
            (Setting::Is(_), Setting::Is(_)) => {
                self.error(
                    &prefix_path,
                    format!("persistence of service {service} has a netmask or a prefix, not both"),
                );
                None
            }
            (Setting::Is(text), Setting::Absent) => {
                if of.id.is_some_and(|id| id.family() == AddressFamily::Ipv6) {
                    let message = format!("persistence of service {service} takes a prefix: a netmask is for IPv4");
                    self.error(&mask_path, message);
                    return None;
                }
                let is_whole = |mask: &Ipv4Addr| mask.to_bits().leading_ones() == mask.to_bits().count_ones();
                let mask = text.parse().ok().filter(is_whole);
                if mask.is_none() {
                    let message = format!(
                        "invalid netmask ({text}) for service {service}. Allowed are those without holes, such as 255.255.255.0"
                    );
                    self.error(&mask_path, message);
                }
                mask.map(Granularity::Mask)
            }
            (Setting::Absent, Setting::Is(bits)) => {
                let family = of.id.map(|id| id.family());
                let granularity = u8::try_from(*bits).ok().and_then(|bits| prefix_of(bits, family));
                if granularity.is_none() {
                    let allowed = match family {
                        Some(AddressFamily::Ipv4) => "0 to 32",
                        Some(AddressFamily::Ipv6) => "1 to 128",
                        None => "0 to 128",
                    };
                    self.error(
                        &prefix_path,
                        format!("invalid prefix ({bits}) for service {service}. Allowed are {allowed}"),
                    );
                }
                granularity
            }
        }
    }

    fn engine(&mut self, path: &Path<'_>, name: Option<&String>, of: Of<'_>) -> Setting<PersistenceEngine> {
        let service = of.text;
        self.setting(path, name).and_then(|name| {
            let engine = name.parse().ok().filter(|engine| match engine {
                PersistenceEngine::Sip => name == "sip",
                _ => self.is_version_2,
            });
            match engine {
                None => {
                    let message = format!("invalid persistence engine ({name}) for service {service}. Allowed is sip");
                    self.error(path, message);
                }
                Some(PersistenceEngine::Sip) => {}
                Some(_) => {
                    let message = format!(
                        "the persistence engine {name} of service {service} is not known here: the kernel has to have it"
                    );
                    self.warning(path, message);
                }
            }
            if of.id.is_some_and(|id| id.protocol() != Some(Protocol::UDP)) {
                self.error(path, format!("a persistence engine is for UDP, which service {service} is not"));
                return None;
            }
            engine
        })
    }
}

fn prefix_of(bits: u8, family: Option<AddressFamily>) -> Option<Granularity> {
    match family {
        Some(AddressFamily::Ipv4) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits.into())?).unwrap_or(0);
            Some(Granularity::Mask(mask.into()))
        }
        Some(AddressFamily::Ipv6) => Prefix::new(bits).ok().map(Granularity::Prefix),
        None => (bits <= 128).then_some(Granularity::Client),
    }
}
