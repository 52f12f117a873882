use std::net::Ipv4Addr;

use super::version::{engine, engine_text, foreign_scheduler, scheduler_text};
use super::{FieldValue, Setting, Subject, Table};
use crate::desired::escaped;
use crate::desired::spec::{DurationSpec, PersistenceSettingsSpec, PersistenceSpec, ServiceSpec};
use crate::desired::state::ServiceAttributes;
use crate::desired::written::text;
use crate::model::{
    AddressFamily, Granularity, Persistence, PersistenceEngine, Prefix, Scheduler, Service, ServiceFlags,
};

/// The settings of a service, in the order of a file.
pub(in crate::desired) static SERVICE: Table<Service, ServiceSpec, ServiceAttributes> = Table {
    by_version_1: ServiceAttributes::all(),
    rows: &[
        Setting {
            key: "sched",
            attribute: ServiceAttributes::empty(),
            is_said: |spec| text(spec.sched.as_ref()).is_some(),
            read: read_scheduler,
            print: |service, spec| spec.sched = Some(scheduler_text(&service.scheduler)),
            show: |service| FieldValue::Text(scheduler_text(&service.scheduler)),
            is_same: |one, other| one.scheduler == other.scheduler,
            copy: |from, to| to.scheduler = from.scheduler,
            remark: |service| scheduler_text(&service.scheduler),
        },
        Setting {
            key: "sched-flags",
            attribute: ServiceAttributes::SCHEDULER_FLAGS,
            is_said: |spec| spec.sched_flags.is_some(),
            read: read_flags,
            print: |service, spec| spec.sched_flags = Some(flag_words(service)).filter(|words| !words.is_empty()),
            show: |service| FieldValue::Text(flag_text(service).unwrap_or_else(|| "none".to_owned())),
            // The same flag has another name with another scheduler.
            is_same: |one, other| flags(one) == flags(other),
            copy: |from, to| set_flags(to, flags(from)),
            remark: |service| flag_text(service).map_or_else(String::new, |words| format!(" ({words})")),
        },
        Setting {
            key: "one-packet",
            attribute: ServiceAttributes::ONE_PACKET,
            is_said: |spec| spec.one_packet.is_some(),
            read: |spec, _, service| service.one_packet = spec.one_packet.unwrap_or(false),
            print: |service, spec| spec.one_packet = service.one_packet.then_some(true),
            show: |service| FieldValue::Switch(service.one_packet),
            is_same: |one, other| one.one_packet == other.one_packet,
            copy: |from, to| to.one_packet = from.one_packet,
            remark: |service| if service.one_packet { ", one-packet".to_owned() } else { String::new() },
        },
        Setting {
            key: "persistence",
            attribute: ServiceAttributes::PERSISTENCE,
            is_said: |spec| spec.persistence.is_some(),
            read: read_persistence,
            print: |service, spec| spec.persistence = service.persistence.as_ref().map(persistence_as_is),
            show: |service| FieldValue::Text(service.persistence.map_or_else(|| "off".to_owned(), persistence_text)),
            is_same: |one, other| one.persistence == other.persistence,
            copy: |from, to| match from.persistence {
                Some(persistence) => *to = to.clone().persistence(persistence),
                None => to.persistence = None,
            },
            remark: |service| match service.persistence {
                Some(persistence) => format!(", persistence {}s", persistence.timeout_secs()),
                None => String::new(),
            },
        },
    ],
};

/// The scheduler, its own or that of the defaults; `None` if it is wrong.
fn scheduler(spec: &ServiceSpec, subject: Subject<'_>) -> Option<Scheduler> {
    match text(spec.sched.as_ref()) {
        None => subject.context.scheduler.filter(|_| !subject.spot.at("sched").is_broken()),
        Some(name) => subject.context.version.scheduler(name),
    }
}

fn read_scheduler(spec: &ServiceSpec, subject: Subject<'_>, service: &mut Service) {
    let name = text(spec.sched.as_ref());
    if let Some(scheduler) = scheduler(spec, subject) {
        service.scheduler = scheduler;
        if let Some(message) = name.and_then(|_| foreign_scheduler(&scheduler)) {
            subject.spot.at("sched").warning(message);
        }
    } else if let Some(name) = name {
        let (name, text) = (escaped(name), subject.text);
        subject.spot.at("sched").error(format_args!("invalid scheduler ({name}) for service ({text})."));
    }
}

/// The flags of the scheduler, and bits without a name.
fn flags(service: &Service) -> ServiceFlags {
    service.flags().difference(ServiceFlags::PERSISTENT | ServiceFlags::ONE_PACKET | ServiceFlags::HASHED)
}

fn set_flags(service: &mut Service, flags: ServiceFlags) {
    service.scheduler_flags = flags.scheduler_flags();
    *service = service.clone().unnamed_flags(flags);
}

/// The flags of a scheduler as words of a file: its own names, and bits without a name as a number.
fn flag_words(service: &Service) -> Vec<String> {
    let notation = service.scheduler_flags.notation(&service.scheduler);
    let words = notation.split(',').filter(|word| !word.is_empty());
    let words =
        words.map(|word| word.strip_prefix("sh-").or_else(|| word.strip_prefix("mh-")).unwrap_or(word).to_owned());
    let unnamed = flags(service).difference(service.scheduler_flags.into());
    words.chain((!unnamed.is_empty()).then(|| unnamed.to_string())).collect()
}

fn flag_text(service: &Service) -> Option<String> {
    Some(flag_words(service).join(",")).filter(|words| !words.is_empty())
}

fn read_flags(spec: &ServiceSpec, subject: Subject<'_>, service: &mut Service) {
    let Some(scheduler) = scheduler(spec, subject) else { return };
    let list = subject.spot.at("sched-flags");
    let mut flags = ServiceFlags::empty();
    for (spot, word) in list.items(spec.sched_flags.as_ref()) {
        if let Some(flag) = flag(word, &scheduler) {
            flags |= flag;
            continue;
        }
        let fitting = match scheduler {
            Scheduler::Sh | Scheduler::Mh => "fallback, port, flag-1, flag-2 or flag-3",
            _ => "flag-1, flag-2 or flag-3",
        };
        let (word, text, name) = (escaped(word), subject.text, scheduler_text(&scheduler));
        spot.error(format_args!("invalid scheduler flag ({word}) for service {text}: with {name} expected {fitting}"));
    }
    set_flags(service, flags);
}

/// `flag-1` fits every scheduler, the others have names with two of them; bits without a name are a number.
fn flag(word: &str, scheduler: &Scheduler) -> Option<ServiceFlags> {
    let own = match scheduler {
        Scheduler::Sh => word.strip_prefix("sh-").or(Some(word)),
        Scheduler::Mh => word.strip_prefix("mh-").or(Some(word)),
        _ => None,
    };
    match (word, own) {
        ("flag-1", _) | (_, Some("fallback")) => Some(ServiceFlags::SCHEDULER_1),
        ("flag-2", _) | (_, Some("port")) => Some(ServiceFlags::SCHEDULER_2),
        ("flag-3", _) => Some(ServiceFlags::SCHEDULER_3),
        _ if word.starts_with("0x") => word.parse().ok().filter(|flags: &ServiceFlags| flags.to_string() == word),
        _ => None,
    }
}

/// The timeout of `persistence: true`, as with ipvsadm.
const DEFAULT_SECS: u64 = 360;
/// ipvsadm does not accept more than this, 31 days.
const LONG_SECS: u32 = 31 * 86_400;

fn read_persistence(spec: &ServiceSpec, subject: Subject<'_>, service: &mut Service) {
    let Subject { spot, text, family: Some(family), .. } = subject else { return };
    let default = DurationSpec::from_secs(DEFAULT_SECS);
    let nothing_else = PersistenceSettingsSpec::default();
    let (seconds, settings, key) = match &spec.persistence {
        None | Some(PersistenceSpec::Switch(false)) => return,
        Some(PersistenceSpec::Switch(true)) => (default, &nothing_else, "persistence"),
        Some(PersistenceSpec::Timeout(timeout)) => (*timeout, &nothing_else, "persistence"),
        Some(PersistenceSpec::Settings(it)) => (it.timeout.unwrap_or(default), &**it, "persistence.timeout"),
    };
    let timeout = seconds.get();
    let whole = u32::try_from(timeout.as_secs()).ok().filter(|_| timeout.subsec_nanos() == 0);
    if whole.is_none() {
        let expected = format!("whole seconds, 1 to {}", Persistence::MAX_SECS);
        subject.invalid(key, "persistence", seconds, expected);
    }
    if whole.is_some_and(|whole| whole > LONG_SECS) {
        let message = format!("the persistence of service {text} is more than the 31 days of ipvsadm");
        spot.at(key).warning(message);
    }
    let granularity = read_granularity(settings, family, subject);
    let engine = settings.engine.as_deref().map_or(Some(None), |name| read_engine(name, subject).map(Some));
    let (Some(whole), Some(granularity), Some(engine)) = (whole, granularity, engine) else { return };
    let mut persistence = Persistence::verbatim(whole).granularity(granularity);
    persistence.engine = engine;
    service.persistence = Some(persistence);
}

fn read_granularity(
    settings: &PersistenceSettingsSpec,
    family: AddressFamily,
    subject: Subject<'_>,
) -> Option<Granularity> {
    let Subject { spot, text, .. } = subject;
    match (&settings.netmask, settings.prefix) {
        (None, None) => return Some(Granularity::Client),
        (Some(_), Some(_)) => {
            let message = format!("service {text} has a netmask and a prefix: one of them is enough");
            spot.at("persistence").error(message);
        }
        (Some(_), None) if family == AddressFamily::Ipv6 => {
            let message = format!("service {text} is IPv6: it has a prefix, not a netmask");
            spot.at("persistence.netmask").error(message);
        }
        (Some(mask), None) => {
            if let Ok(mask) = mask.parse() {
                return Some(Granularity::Mask(mask));
            }
            let expected = "one without holes, such as 255.255.255.0";
            subject.invalid("persistence.netmask", "netmask", escaped(mask), expected);
        }
        (None, Some(bits)) => {
            let (granularity, range) = match family {
                AddressFamily::Ipv4 => {
                    let mask = u32::try_from(bits).ok().filter(|bits| *bits <= 32);
                    let mask = mask.map(|bits| u32::MAX.checked_shl(32 - bits).unwrap_or(0));
                    (mask.map(|mask| Granularity::Mask(Ipv4Addr::from_bits(mask))), "0 to 32")
                }
                AddressFamily::Ipv6 => {
                    let prefix = u8::try_from(bits).ok().and_then(|bits| Prefix::new(bits).ok());
                    (prefix.map(Granularity::Prefix), "1 to 128")
                }
            };
            if granularity.is_some() {
                return granularity;
            }
            subject.invalid("persistence.prefix", "prefix", bits, range);
        }
    }
    None
}

fn read_engine(name: &str, subject: Subject<'_>) -> Option<PersistenceEngine> {
    let (engine, name) = (engine(name), escaped(name));
    match &engine {
        Some(PersistenceEngine::Sip) => {}
        Some(_) => {
            let message = format!("the persistence engine {name} is not one of Linux: a module must bring it");
            subject.spot.at("persistence.engine").warning(message);
        }
        None => subject.invalid("persistence.engine", "persistence engine", name, "sip"),
    }
    engine
}

fn persistence_as_is(persistence: &Persistence) -> PersistenceSpec {
    let timeout = DurationSpec::from_secs(persistence.timeout_secs().into());
    let (netmask, prefix) = match persistence.granularity {
        Granularity::Client if persistence.engine.is_none() => return PersistenceSpec::Timeout(timeout),
        Granularity::Client => (None, None),
        Granularity::Mask(mask) => (Some(mask.to_string()), None),
        Granularity::Prefix(prefix) => (None, Some(prefix.bits().into())),
    };
    let engine = persistence.engine.as_ref().map(engine_text);
    PersistenceSpec::Settings(Box::new(PersistenceSettingsSpec { timeout: Some(timeout), netmask, prefix, engine }))
}

fn persistence_text(persistence: Persistence) -> String {
    let PersistenceSpec::Settings(settings) = persistence_as_is(&persistence) else {
        return format!("{}s", persistence.timeout_secs());
    };
    let PersistenceSettingsSpec { timeout, netmask, prefix, engine } = *settings;
    let named = [("netmask", netmask), ("prefix", prefix.map(|bits| bits.to_string())), ("engine", engine)];
    let named = named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    timeout.map(|it| it.to_string()).into_iter().chain(named).collect::<Vec<_>>().join(", ")
}
