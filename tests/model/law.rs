//! Laws that hold for every value.

use std::fmt::{Debug, Display};
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use ipvs_rs::model::notation::Rule;
use ipvs_rs::model::{ParseError, SchedulerFlags, ServiceFlags, Version};
use ipvs_rs::{ForwardMethod, Scheduler, Service};
use proptest::prelude::*;

use crate::strategy::*;

/// A failure becomes a line of one of the tables, not a file of seeds.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn reads_back<T: Display + FromStr<Err = ParseError> + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let text = value.to_string();
    let read = text.parse::<T>();
    prop_assert_eq!(read.as_ref(), Ok(value), "{}", text);
    prop_assert!(!text.contains('\n') && text.trim() == text, "{:?} is not one bare line", text);
    // Asked for a width, a value takes at least that, and nothing else changes.
    let padded = format!("{value:>60}");
    prop_assert_eq!(padded.trim_start(), &text);
    prop_assert!(padded.len() >= 60);
    Ok(())
}

macro_rules! notations {
    ($($name:ident: $strategy:expr;)*) => {
        proptest! {
            #![proptest_config(config())]
            $(
            #[test]
            fn $name(value in $strategy) {
                reads_back(&value)?;
            }
            )*
        }
    };
}

notations! {
    service_id_reads_back: arb_service_id();
    destination_id_reads_back: arb_destination_id();
    protocol_reads_back: arb_protocol();
    address_family_reads_back: arb_family();
    forward_method_reads_back: arb_forward_method();
    tunnel_reads_back: arb_tunnel();
    tunnel_kind_reads_back: arb_tunnel_kind();
    tunnel_flags_read_back: arb_tunnel_flags();
    scheduler_reads_back: arb_scheduler();
    scheduler_flags_read_back: arb_scheduler_flags();
    service_flags_read_back: arb_service_flags();
    persistence_engine_reads_back: arb_engine();
    interface_name_reads_back: arb_interface_name();
    weight_reads_back: arb_weight();
    thresholds_read_back: arb_thresholds();
    prefix_reads_back: arb_prefix();
    granularity_reads_back: arb_family().prop_flat_map(arb_granularity);
    persistence_reads_back: arb_family().prop_flat_map(arb_persistence);
    timeout_reads_back: arb_timeout();
    config_reads_back: arb_config();
    sync_role_reads_back: arb_sync_role();
    multicast_group_reads_back: arb_multicast_group();
    sync_daemon_reads_back: arb_sync_daemon();
    version_reads_back:
        any::<(u16, u8, u8)>().prop_map(|(major, minor, patch)| Version { major, minor, patch });
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn scheduler_flags_read_back_for_their_scheduler(flags in arb_scheduler_flags(), scheduler in arb_scheduler()) {
        prop_assert_eq!(SchedulerFlags::from_notation(&flags.notation(&scheduler), &scheduler), Ok(flags));
        prop_assert_eq!(flags.notation(&scheduler).parse(), Ok(flags));
    }

    #[test]
    fn scheduler_of_a_name_is_the_only_one_with_that_name(name in "[ -~]{0,20}") {
        if let Ok(scheduler) = Scheduler::from_name(&name) {
            prop_assert!(scheduler.name().eq_ignore_ascii_case(&name));
            prop_assert_eq!(Scheduler::from_name(scheduler.name()), Ok(scheduler));
        }
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(text in "\\PC{0,40}") {
        read_as_everything(&text);
    }

    #[test]
    fn text_that_nearly_fits_is_read_or_refused(text in "(-[Aatufrsp6M]|--?[a-z]{1,6}|[a-z]{3,6}:/{0,2})?[ =]?[0-9a-f:./\\[\\]+,-]{0,20}( [a-z0-9-]{0,4}){0,3}") {
        read_as_everything(&text);
    }

    #[test]
    fn service_rule_reads_back(service in arb_service()) {
        let line = service.full_rule().to_string();
        let Ok(Rule::Service(read)) = line.parse() else { return Err(TestCaseError::fail(line)) };
        let mut awake = service.clone();
        if service.persistence.is_none() {
            // A timeout without effect is the one setting that no option tells.
            awake = Service::new(service.id, service.scheduler)
                .scheduler_flags(service.scheduler_flags)
                .one_packet(service.one_packet);
            prop_assert_eq!(read.full_rule().to_string(), &line[..]);
        }
        if awake == service {
            prop_assert_eq!(&read, &service);
        }
        prop_assert_eq!(Rule::Service(read).to_string(), line);
    }

    #[test]
    fn destination_rule_reads_back(service in arb_service_id(), destination in arb_destination()) {
        let rule = Rule::Destination { service, destination };
        let read = rule.to_string().parse::<Rule>();
        prop_assert_eq!(read.as_ref(), Ok(&rule), "{}", rule);
    }

    #[test]
    fn line_of_ipvsadm_reads_back_to_the_same_line(service in arb_service(), destination in arb_destination()) {
        let nameless = matches!(destination.forward, ForwardMethod::Tunnel(tunnel) if tunnel.kind().number() > 2);
        for line in [service.rule().to_string(), destination.rule(&service.id).to_string()] {
// A value that ipvsadm has no word for is left out, or written in a way that it does not read.
            let refused = line.contains("--xxx-service") || line.contains("-f -") || line.ends_with("-b ");
            match line.parse() {
                Ok(Rule::Service(read)) => prop_assert_eq!(read.rule().to_string(), line),
                Ok(Rule::Destination { .. }) if nameless => {}
                Ok(Rule::Destination { service, destination }) => {
                    prop_assert_eq!(destination.rule(&service).to_string(), line);
                }
                other => prop_assert!(refused, "{:?} became {:?}", line, other),
            }
        }
    }

    #[test]
    fn every_line_of_a_table_reads_back(table in arb_table()) {
        let lines = table.full_rules().to_string();
        prop_assert_eq!(lines.lines().count(), table.len() + table.destination_count());
        for line in lines.lines() {
            prop_assert_eq!(line.parse::<Rule>().unwrap().to_string(), line);
        }
        prop_assert_eq!(table.rules().to_string().lines().count(), table.len() + table.destination_count());
    }

    #[test]
    fn order_of_options_does_not_matter(service in arb_service_id(), destination in arb_destination(), turn in 0..6usize) {
        let line = destination.full_rule(&service).to_string();
        let mut options: Vec<&str> = line.strip_prefix("-a ").unwrap().split_inclusive(' ').collect();
        // An option and its value stay together.
        let mut groups: Vec<String> = Vec::new();
        for word in options.drain(..) {
            match groups.last_mut() {
                Some(group) if !word.starts_with('-') => group.push_str(word),
                _ => groups.push(word.trim_end().to_owned() + " "),
            }
        }
        let turns = turn % groups.len();
        groups.rotate_left(turns);
        let turned = format!("-a {}", groups.join(" "));
        prop_assert_eq!(turned.parse::<Rule>(), line.parse::<Rule>(), "{}", turned);
    }

    #[test]
    fn services_that_the_kernel_cannot_tell_apart_are_equal(service in arb_service()) {
        let mut other = service.clone();
        if let Some(persistence) = &mut other.persistence {
            persistence.granularity = persistence.granularity.normalized();
        }
        let state = RandomState::new();
        prop_assert_eq!(&other, &service);
        prop_assert_eq!(state.hash_one(&other), state.hash_one(&service));
        prop_assert!(other.cmp(&service).is_eq());
    }

    #[test]
    fn service_flags_are_those_of_the_settings(service in arb_service()) {
        let flags = service.flags();
        prop_assert_eq!(flags.contains(ServiceFlags::PERSISTENT), service.persistence.is_some());
        prop_assert_eq!(flags.contains(ServiceFlags::ONE_PACKET), service.one_packet);
        prop_assert_eq!(flags.scheduler_flags(), service.scheduler_flags);
        prop_assert_eq!(service.validate(), Ok(()));
    }
}

/// No parser panics, and what one accepts it prints and reads again.
fn read_as_everything(text: &str) {
    fn check<T: Display + FromStr<Err = ParseError> + PartialEq + Debug>(text: &str) {
        match text.parse::<T>() {
            Ok(value) => assert_eq!(value.to_string().parse(), Ok(value), "{text:?}"),
            Err(error) => {
                assert!(!error.what().is_empty() && !error.expected().is_empty(), "{error:?}");
                assert!(text.contains(error.piece()), "{error:?} of {text:?}");
            }
        }
    }

    use ipvs_rs::model::*;
    use ipvs_rs::*;
    check::<ServiceId>(text);
    check::<DestinationId>(text);
    check::<Protocol>(text);
    check::<AddressFamily>(text);
    check::<ForwardMethod>(text);
    check::<Tunnel>(text);
    check::<TunnelKind>(text);
    check::<TunnelFlags>(text);
    check::<Scheduler>(text);
    check::<SchedulerFlags>(text);
    check::<ServiceFlags>(text);
    check::<PersistenceEngine>(text);
    check::<InterfaceName>(text);
    check::<Weight>(text);
    check::<Thresholds>(text);
    check::<Prefix>(text);
    check::<Granularity>(text);
    check::<Persistence>(text);
    check::<Timeout>(text);
    check::<Config>(text);
    check::<SyncRole>(text);
    check::<MulticastGroup>(text);
    check::<SyncDaemon>(text);
    check::<Version>(text);
    check::<Rule>(text);
}
