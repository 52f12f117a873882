use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::version::{engine, engine_text, foreign_scheduler, scheduler_text};
use super::{ServiceSetting, Subject};
use crate::desired::state::ServiceAttributes;
use crate::desired::written;
use crate::desired::{shown, spec};
use crate::model::{
    AddressFamily, Granularity, Persistence, PersistenceEngine, Prefix, Scheduler, Service, ServiceFlags,
};

/// The settings of a service, in the order of a file.
pub(in crate::desired) static SERVICE: [ServiceSetting; 4] = [
    ServiceSetting {
        key: "sched",
        attribute: ServiceAttributes::empty(),
        by_version_1: false,
        is_said: |written| written.sched.text().is_some(),
        read: read_scheduler,
        print: |service, spec| spec.sched = Some(scheduler_text(&service.scheduler)),
        show: |service| scheduler_text(&service.scheduler).into(),
        is_same: |one, other| one.scheduler == other.scheduler,
        copy: |from, to| to.scheduler = from.scheduler,
        remark: |service| scheduler_text(&service.scheduler),
    },
    ServiceSetting {
        key: "sched-flags",
        attribute: ServiceAttributes::SCHEDULER_FLAGS,
        by_version_1: true,
        is_said: |written| written.sched_flags.is_said(),
        read: read_flags,
        print: |service, spec| spec.sched_flags = Some(flag_words(service)).filter(|words| !words.is_empty()),
        show: |service| match flag_words(service).join(",").as_str() {
            "" => "none".into(),
            words => words.into(),
        },
        // The same flag has another name with another scheduler.
        is_same: |one, other| flags(one) == flags(other),
        copy: |from, to| set_flags(to, flags(from)),
        remark: |service| match flag_words(service).join(",").as_str() {
            "" => String::new(),
            words => format!(" ({words})"),
        },
    },
    ServiceSetting {
        key: "one-packet",
        attribute: ServiceAttributes::ONE_PACKET,
        by_version_1: true,
        is_said: |written| written.one_packet.is_said(),
        read: |written, _, service| service.one_packet = written.one_packet.get().is_some_and(|it| *it),
        print: |service, spec| spec.one_packet = service.one_packet.then_some(true),
        show: |service| service.one_packet.into(),
        is_same: |one, other| one.one_packet == other.one_packet,
        copy: |from, to| to.one_packet = from.one_packet,
        remark: |service| if service.one_packet { ", one-packet".to_owned() } else { String::new() },
    },
    ServiceSetting {
        key: "persistence",
        attribute: ServiceAttributes::PERSISTENCE,
        by_version_1: true,
        is_said: |written| written.persistence.is_said(),
        read: read_persistence,
        print: |service, spec| spec.persistence = service.persistence.as_ref().map(persistence_as_is),
        show: |service| service.persistence.map_or_else(|| "off".to_owned(), persistence_text).into(),
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
];

/// The scheduler, its own or that of the defaults; nothing if it is wrong.
fn scheduler(written: &written::Service, subject: &Subject<'_>) -> Option<Scheduler> {
    // An empty word is as good as none, unlike in the defaults.
    match written.sched.text() {
        None => subject.context.scheduler.filter(|_| !written.sched.is_broken()),
        Some(name) => subject.context.version.scheduler(name),
    }
}

fn read_scheduler(written: &written::Service, subject: &mut Subject<'_>, service: &mut Service) {
    let name = written.sched.text();
    if let Some(scheduler) = scheduler(written, subject) {
        service.scheduler = scheduler;
        if let Some(message) = name.and_then(|_| foreign_scheduler(&scheduler)) {
            subject.warning(written, "sched", message);
        }
    } else if let Some(name) = name {
        let (name, text) = (shown(name), subject.text);
        subject.error(written, "sched", format_args!("invalid scheduler ({name}) for service ({text})."));
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

fn read_flags(written: &written::Service, subject: &mut Subject<'_>, service: &mut Service) {
    let Some(scheduler) = scheduler(written, subject) else { return };
    let mut flags = ServiceFlags::empty();
    for item in written.sched_flags.items() {
        let word = item.value.as_ref();
        if let Some(flag) = flag(word, &scheduler) {
            flags |= flag;
            continue;
        }
        let fitting = match scheduler {
            Scheduler::Sh | Scheduler::Mh => "fallback, port, flag-1, flag-2 or flag-3",
            _ => "flag-1, flag-2 or flag-3",
        };
        let (word, text, name) = (shown(word), subject.text, scheduler_text(&scheduler));
        let message =
            format_args!("invalid scheduler flag ({word}) for service {text}: with {name} expected {fitting}");
        let list = subject.spot.key("sched-flags", &written.sched_flags);
        subject.findings.error(&list.item(item.place, item.position), message);
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
/// More than this, 31 days, ipvsadm does not take.
const LONG_SECS: u32 = 31 * 86_400;

fn read_persistence(written: &written::Service, subject: &mut Subject<'_>, service: &mut Service) {
    let Some(family) = subject.family else { return };
    let default = spec::Duration::from_secs(DEFAULT_SECS);
    let (seconds, settings) = match written.persistence.get().map(|persistence| &**persistence) {
        None | Some(written::Persistence::Switch(false)) => return,
        Some(written::Persistence::Switch(true)) => (default, None),
        Some(written::Persistence::Timeout(timeout)) => (*timeout, None),
        Some(written::Persistence::Settings(settings)) => {
            (settings.timeout.get().copied().unwrap_or(default), Some(settings))
        }
    };
    let key = if settings.is_some() { "persistence.timeout" } else { "persistence" };
    let text = subject.text;
    let timeout = seconds.get();
    let whole = u32::try_from(timeout.as_secs()).ok().filter(|_| timeout.subsec_nanos() == 0);
    if whole.is_none() {
        let longest = Persistence::MAX_SECS;
        let message =
            format_args!("invalid persistence ({seconds}) for service {text}: expected whole seconds, 1 to {longest}");
        subject.error(written, key, message);
    }
    if whole.is_some_and(|whole| whole > LONG_SECS) {
        let message = format_args!("the persistence of service {text} is more than the 31 days of ipvsadm");
        subject.warning(written, key, message);
    }
    let granularity = settings.map_or(Some(Granularity::Client), |it| read_granularity(it, written, family, subject));
    let name = settings.and_then(|settings| settings.engine.get());
    let engine = name.map_or(Some(None), |name| read_engine(name.as_ref(), written, subject).map(Some));
    let (Some(whole), Some(granularity), Some(engine)) = (whole, granularity, engine) else { return };
    let mut persistence = Persistence::verbatim(whole).granularity(granularity);
    persistence.engine = engine;
    service.persistence = Some(persistence);
}

fn read_granularity(
    settings: &written::PersistenceSettings,
    written: &written::Service,
    family: AddressFamily,
    subject: &mut Subject<'_>,
) -> Option<Granularity> {
    let text = subject.text;
    let (granularity, key, message) = match (settings.netmask.get(), settings.prefix.get()) {
        (None, None) => return Some(Granularity::Client),
        (Some(_), Some(_)) => {
            (None, "persistence", format!("service {text} has a netmask and a prefix: one of them is enough"))
        }
        (Some(_), None) if family == AddressFamily::Ipv6 => {
            (None, "persistence.netmask", format!("service {text} is IPv6: it has a prefix, not a netmask"))
        }
        (Some(mask), None) => {
            let (mask, shown) = (mask.as_ref().parse().ok().map(Granularity::Mask), shown(mask.as_ref()));
            let expected = "one without holes, such as 255.255.255.0";
            (mask, "persistence.netmask", format!("invalid netmask ({shown}) for service {text}: expected {expected}"))
        }
        (None, Some(bits)) => {
            let (granularity, range) = match family {
                AddressFamily::Ipv4 => (v4(*bits), "0 to 32"),
                AddressFamily::Ipv6 => (v6(*bits), "1 to 128"),
            };
            let message = format!("invalid prefix ({bits}) for service {text}: expected {range}");
            (granularity, "persistence.prefix", message)
        }
    };
    if granularity.is_none() {
        subject.error(written, key, message);
    }
    granularity
}

fn read_engine(name: &str, written: &written::Service, subject: &mut Subject<'_>) -> Option<PersistenceEngine> {
    let engine = engine(name);
    let (name, text) = (shown(name), subject.text);
    match &engine {
        Some(PersistenceEngine::Sip) => {}
        Some(_) => {
            let message = format_args!("the persistence engine {name} is not one of Linux: a module must bring it");
            subject.warning(written, "persistence.engine", message);
        }
        None => {
            let message = format_args!("invalid persistence engine ({name}) for service {text}: expected sip");
            subject.error(written, "persistence.engine", message);
        }
    }
    engine
}

fn v4(bits: i64) -> Option<Granularity> {
    let bits = u32::try_from(bits).ok().filter(|bits| *bits <= 32)?;
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    Some(Granularity::Mask(Ipv4Addr::from_bits(mask)))
}

fn v6(bits: i64) -> Option<Granularity> {
    u8::try_from(bits).ok().and_then(|bits| Prefix::new(bits).ok()).map(Granularity::Prefix)
}

fn persistence_as_is(persistence: &Persistence) -> spec::Persistence {
    let timeout = spec::Duration::from_secs(persistence.timeout_secs().into());
    let (netmask, prefix) = match persistence.granularity {
        Granularity::Client if persistence.engine.is_none() => return spec::Persistence::Timeout(timeout),
        Granularity::Client => (None, None),
        Granularity::Mask(mask) => (Some(mask.to_string()), None),
        Granularity::Prefix(prefix) => (None, Some(prefix.bits().into())),
    };
    let engine = persistence.engine.as_ref().map(engine_text);
    spec::Persistence::Settings(spec::PersistenceSettings { timeout: Some(timeout), netmask, prefix, engine })
}

fn persistence_text(persistence: Persistence) -> String {
    let mut text = format!("{}s", persistence.timeout_secs());
    match persistence.granularity {
        Granularity::Client => {}
        Granularity::Mask(mask) => drop(write!(text, ", netmask {mask}")),
        Granularity::Prefix(prefix) => drop(write!(text, ", prefix {}", prefix.bits())),
    }
    if let Some(engine) = &persistence.engine {
        let _ = write!(text, ", engine {}", engine_text(engine));
    }
    text
}
