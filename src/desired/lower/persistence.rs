use std::net::Ipv4Addr;

use super::findings::Findings;
use super::version::Version;
use crate::desired::spec;
use crate::model::{AddressFamily, Granularity, Persistence, PersistenceEngine, Prefix, Protocol, ServiceId};

/// The service whose persistence is read.
pub(super) struct Subject<'a> {
    pub(super) id: ServiceId,
    pub(super) text: &'a str,
    pub(super) version: Version,
}

/// What `persistence: true` means, as with ipvsadm.
const DEFAULT_SECS: u64 = 360;
/// More than this, 31 days, ipvsadm does not take.
const LONG_SECS: u32 = 31 * 86_400;

impl Subject<'_> {
    /// The persistence, or nothing if it is off or wrong.
    pub(super) fn persistence(
        &self,
        spec: &spec::Persistence,
        path: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Persistence> {
        let default = spec::Duration::from_secs(DEFAULT_SECS);
        match spec {
            spec::Persistence::Switch(false) => None,
            spec::Persistence::Switch(true) => self.timeout(default, path, findings),
            spec::Persistence::Timeout(timeout) => self.timeout(*timeout, path, findings),
            spec::Persistence::Settings(settings) => {
                let timeout_path = format!("{path}.timeout");
                let persistence = self.timeout(settings.timeout.unwrap_or(default), &timeout_path, findings);
                let granularity = self.granularity(settings, path, findings);
                let engine = settings.engine.as_deref().map(|name| self.engine(name, path, findings));
                let persistence = persistence?.granularity(granularity?);
                match engine {
                    Some(engine) => Some(persistence.engine(engine?)),
                    None => Some(persistence),
                }
            }
        }
    }

    fn timeout(&self, timeout: spec::Duration, path: &str, findings: &mut Findings<'_>) -> Option<Persistence> {
        let persistence = Persistence::new(timeout.get()).ok().filter(|persistence| persistence.timeout_secs() > 0);
        match persistence {
            None => {
                let message = format!(
                    "invalid persistence ({timeout}) for service {}: expected whole seconds, 1 to {}",
                    self.text,
                    Persistence::MAX_SECS
                );
                findings.error(path, message);
            }
            Some(persistence) if persistence.timeout_secs() > LONG_SECS => {
                let message = format!("the persistence of service {} is more than the 31 days of ipvsadm", self.text);
                findings.warning(path, message);
            }
            Some(_) => {}
        }
        persistence
    }

    fn granularity(
        &self,
        settings: &spec::PersistenceSettings,
        path: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Granularity> {
        let text = self.text;
        match (&settings.netmask, settings.prefix) {
            (None, None) => Some(Granularity::Client),
            (Some(_), Some(_)) => {
                findings.error(path, format!("service {text} has a netmask and a prefix: one of them is enough"));
                None
            }
            (Some(mask), None) => {
                if self.id.family() == AddressFamily::Ipv6 {
                    let message = format!("service {text} is IPv6: it has a prefix, not a netmask");
                    findings.error(&format!("{path}.netmask"), message);
                    return None;
                }
                let mask = mask.parse().ok().filter(|mask: &Ipv4Addr| is_contiguous(*mask));
                if mask.is_none() {
                    let message = format!(
                        "invalid netmask ({}) for service {text}: expected one without holes, such as 255.255.255.0",
                        settings.netmask.as_deref().unwrap_or_default()
                    );
                    findings.error(&format!("{path}.netmask"), message);
                }
                mask.map(Granularity::Mask)
            }
            (None, Some(bits)) => {
                let (granularity, range) = match self.id.family() {
                    AddressFamily::Ipv4 => (v4(bits), "0 to 32"),
                    AddressFamily::Ipv6 => (v6(bits), "1 to 128"),
                };
                if granularity.is_none() {
                    let message = format!("invalid prefix ({bits}) for service {text}: expected {range}");
                    findings.error(&format!("{path}.prefix"), message);
                }
                granularity
            }
        }
    }

    fn engine(&self, name: &str, path: &str, findings: &mut Findings<'_>) -> Option<PersistenceEngine> {
        let path = format!("{path}.engine");
        if matches!(self.id.protocol(), Some(Protocol::TCP | Protocol::SCTP)) {
            findings.error(&path, format!("persistence engines are for udp only: service {}", self.text));
            return None;
        }
        let engine = self.version.engine(name);
        match engine {
            None => {
                let message = format!("invalid persistence engine ({name}) for service {}: expected sip", self.text);
                findings.error(&path, message);
            }
            Some(PersistenceEngine::Sip) => {}
            Some(_) => {
                let message = format!("the persistence engine {name} is not one of Linux: a module must bring it");
                findings.warning(&path, message);
            }
        }
        engine
    }
}

fn is_contiguous(mask: Ipv4Addr) -> bool {
    let bits = mask.to_bits();
    bits.leading_ones() + bits.trailing_zeros() >= 32
}

fn v4(bits: i64) -> Option<Granularity> {
    let bits = u32::try_from(bits).ok().filter(|bits| *bits <= 32)?;
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    Some(Granularity::Mask(Ipv4Addr::from_bits(mask)))
}

fn v6(bits: i64) -> Option<Granularity> {
    u8::try_from(bits).ok().and_then(|bits| Prefix::new(bits).ok()).map(Granularity::Prefix)
}
