//! The table of sysctls.

use ipvs_rs::procfs::{KernelVersion, Sysctl, SysctlKind, SysctlValue};
use proptest::prelude::*;

use crate::golden::text;

/// Names and contents of what a kernel has.
fn of_kernel(kernel: &str) -> Vec<(Sysctl, String)> {
    let text = text(kernel, "sysctls");
    text.lines()
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.parse().unwrap(), value.to_owned())
        })
        .collect()
}

#[test]
fn every_kernel_has_what_the_table_says() {
    for (kernel, version, count) in [
        ("6.1", KernelVersion(6, 1, 0), 27),
        ("6.12", KernelVersion(6, 12, 0), 29),
        ("7.2", KernelVersion(7, 2, 0), 32),
    ] {
        let there: Vec<_> = of_kernel(kernel).into_iter().map(|(sysctl, _)| sysctl).collect();
        // Debian builds with connection tracking, and the schedulers were not loaded.
        let expected: Vec<_> = Sysctl::ALL
            .iter()
            .copied()
            .filter(|sysctl| {
                let info = sysctl.info();
                info.since <= version && (info.condition.is_none() || *sysctl == Sysctl::Conntrack)
            })
            .collect();
        assert_eq!(there, expected, "{kernel}");
        assert_eq!(there.len(), count, "{kernel}");
    }
}

#[test]
fn every_value_of_a_kernel_is_read_and_the_default_where_there_is_one() {
    for kernel in ["6.1", "6.12", "7.2"] {
        for (sysctl, text) in of_kernel(kernel) {
            let value = sysctl.value(&text).unwrap();
            assert_eq!(value.to_string(), text.replace('\t', " "), "{kernel} {sysctl}");
            if let Some(default) = sysctl.info().default {
                assert_eq!(value, sysctl.value(default).unwrap(), "{kernel} {sysctl}");
            }
        }
    }
}

#[test]
fn table_is_in_order_and_says_something_of_each() {
    let names: Vec<_> = Sysctl::ALL.iter().map(|sysctl| sysctl.name()).collect();
    assert!(names.is_sorted_by(|left, right| left < right), "{names:?}");
    for sysctl in Sysctl::ALL.iter().copied() {
        let info = sysctl.info();
        assert_eq!(sysctl.name().parse(), Ok(sysctl));
        assert_eq!(sysctl.to_string(), sysctl.name());
        assert!(info.meaning.ends_with('.'), "{sysctl}");
        assert_eq!(info.unit.is_none(), info.kind == SysctlKind::Switch, "{sysctl}");
        if let Some(default) = info.default {
            let default = sysctl.value(default).unwrap();
            match info.kind {
                SysctlKind::Switch => assert!(matches!(default, SysctlValue::Number(0 | 1)), "{sysctl}"),
                SysctlKind::Number { least, greatest } => {
                    let number = default.as_number().unwrap();
                    assert!((least.into()..=greatest.into()).contains(&number), "{sysctl}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn names_that_are_none_are_refused() {
    for name in ["", "Conntrack", "CONNTRACK", "net.ipv4.vs.conntrack", "../ip_forward", "conntrack "] {
        let error = name.parse::<Sysctl>().unwrap_err();
        assert_eq!((error.what(), error.piece()), ("sysctl", name));
    }
}

#[test]
fn values_of_another_kind_are_refused() {
    for (sysctl, text, expected) in [
        (Sysctl::Conntrack, "on", "a number"),
        (Sysctl::Conntrack, "", "a number"),
        (Sysctl::Conntrack, "+1", "a number"),
        (Sysctl::Conntrack, "0x1", "a number"),
        (Sysctl::Conntrack, "1 1", "a number"),
        (Sysctl::SyncQlenMax, "170141183460469231731687303715884105728", "a number"),
        (Sysctl::SyncThreshold, "3", "two numbers"),
        (Sysctl::SyncThreshold, "3 50 7", "two numbers"),
        (Sysctl::SyncThreshold, "3,50", "two numbers"),
        (Sysctl::EstCpulist, "0 1", "a list of processors, such as 0-3,8"),
        (Sysctl::EstCpulist, "0\n1", "a list of processors, such as 0-3,8"),
    ] {
        let error = sysctl.value(text).unwrap_err();
        assert_eq!((error.what(), error.piece(), error.expected()), (sysctl.name(), text, expected));
    }
}

#[test]
fn numbers_are_as_wide_as_those_of_the_kernel() {
    for (text, number) in [
        ("-2147483648", i128::from(i32::MIN)),
        ("18446744073709551615", i128::from(u64::MAX)),
        ("-9223372036854775808", i128::from(i64::MIN)),
        ("0", 0),
    ] {
        let value = Sysctl::SyncQlenMax.value(text).unwrap();
        assert_eq!(value.as_number(), Some(number));
        assert_eq!(value.as_switch(), Some(number != 0));
        assert_eq!(value.to_string(), text);
    }
    assert_eq!(SysctlValue::from(u64::MAX), SysctlValue::Number(u64::MAX.into()));
    assert_eq!(SysctlValue::Threshold { packets: 3, period: 50 }.as_number(), None);
}

proptest! {
    #[test]
    fn value_that_is_printed_is_read_as_it_was(
        number: i64,
        packets: i64,
        period: i64,
        list in "[0-9]{1,3}(-[0-9]{1,3})?(,[0-9]{1,3}){0,9}",
    ) {
        for (sysctl, value) in [
            (Sysctl::AmDroprate, SysctlValue::from(number)),
            (Sysctl::SyncThreshold, SysctlValue::Threshold { packets, period }),
            (Sysctl::EstCpulist, SysctlValue::Cpus(list)),
        ] {
            prop_assert_eq!(sysctl.value(&value.to_string()), Ok(value));
        }
    }

    #[test]
    fn any_text_is_a_value_or_an_error(text: String) {
        for sysctl in Sysctl::ALL.iter().copied() {
            if let Ok(value) = sysctl.value(&text) {
                prop_assert_eq!(sysctl.value(&value.to_string()), Ok(value));
            }
        }
    }
}
