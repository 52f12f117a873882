//! Errors: what they say, what they are taken for, and how large they are.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use ipvs_rs::Error;
use ipvs_rs::codec::Request;
use ipvs_rs::error::{Call, Errno, ErrorKind, Target};
use ipvs_rs::model::SyncRole;

use crate::client::{Handle, HandleBuilder};
use crate::message;
use crate::peer::Script;
use crate::rule;
use crate::value::*;

/// A call that is refused.
type Refused = fn(&Handle) -> Error;

/// Every call, by what it fails with.
fn calls() -> Vec<(Call, Refused)> {
    vec![
        (Call::NewService, |handle| handle.new_service(&service()).unwrap_err()),
        (Call::UpdateService, |handle| handle.update_service(&service()).unwrap_err()),
        (Call::DeleteService, |handle| handle.delete_service(&web()).unwrap_err()),
        (Call::GetServices, |handle| handle.get_services().unwrap_err()),
        (Call::NewDestination, |handle| handle.new_destination(&web(), &destination()).unwrap_err()),
        (Call::UpdateDestination, |handle| handle.update_destination(&web(), &destination()).unwrap_err()),
        (Call::DeleteDestination, |handle| handle.delete_destination(&web(), &server()).unwrap_err()),
        (Call::GetDestinations, |handle| handle.get_destinations(&web()).unwrap_err()),
        (Call::StartSync, |handle| handle.start_sync(&master()).unwrap_err()),
        (Call::StopSync, |handle| handle.stop_sync(SyncRole::Backup).unwrap_err()),
        (Call::GetSyncDaemons, |handle| handle.get_sync_daemons().unwrap_err()),
        (Call::SetConfig, |handle| handle.set_config(&config()).unwrap_err()),
        (Call::GetConfig, |handle| handle.get_config().unwrap_err()),
        (Call::GetInfo, |handle| handle.get_info().unwrap_err()),
        (Call::Zero, |handle| handle.zero_service(&web()).unwrap_err()),
        (Call::Flush, |handle| handle.flush().unwrap_err()),
    ]
}

/// The message of a call that the kernel refuses with a number.
fn refused(call: Call, errno: Errno) -> Error {
    let handle = rule::open(move |_| message::refusal(errno));
    if call == Call::GetService {
        return handle.get_service(&web()).unwrap_err();
    }
    let (_, make) = calls().into_iter().find(|(other, _)| *other == call).unwrap();
    make(&handle)
}

/// The predicates of an error that are true.
fn predicates(error: &Error) -> Vec<&'static str> {
    let all = [
        ("not found", error.is_not_found()),
        ("already exists", error.is_already_exists()),
        ("permission denied", error.is_permission_denied()),
        ("scheduler unavailable", error.is_scheduler_unavailable()),
        ("timeout", error.is_timeout()),
        ("not available", error.is_not_available()),
        ("unsupported", error.is_unsupported()),
        ("invalid", error.is_invalid()),
        ("retryable", error.is_retryable()),
    ];
    all.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

const IN_SERVICE: &str = "TCP 192.0.2.10:80";
const PERMISSION: &str = "every IPVS command takes CAP_NET_ADMIN in the initial user namespace: run as root, outside \
                          of a rootless container";
const MODULE: &str = "check the name, or load the module ip_vs_NAME or ip_vs_pe_NAME";
const UNICAST: &str = "the address must be unicast with `lo` up, only a tunnel may lead to the other address family \
                       (and only while no sync daemon runs), GUE needs a port, and newer kernels take an upper \
                       threshold of at most 2147483647";

#[test]
fn refusals_are_told_with_operation_object_meaning_number_and_hint() {
    let for_service = format!("10.0.0.2:8080 for {IN_SERVICE}");
    for (call, errno, expected) in [
        (Call::NewService, Errno::EEXIST, format!("new service {IN_SERVICE}: already exists (EEXIST)")),
        (
            Call::NewService,
            Errno::ENOENT,
            format!("new service {IN_SERVICE}: scheduler wlc not available (ENOENT); {MODULE}"),
        ),
        (
            Call::UpdateService,
            Errno::ENOENT,
            format!("update service {IN_SERVICE}: scheduler wlc not available (ENOENT); {MODULE}"),
        ),
        (Call::NewService, Errno::EINVAL, format!("new service {IN_SERVICE}: refused as invalid (EINVAL)")),
        (Call::UpdateService, Errno::ESRCH, format!("update service {IN_SERVICE}: no such service (ESRCH)")),
        (Call::DeleteService, Errno::ESRCH, format!("delete service {IN_SERVICE}: no such service (ESRCH)")),
        (Call::Zero, Errno::ESRCH, format!("zero {IN_SERVICE}: no such service (ESRCH)")),
        (Call::NewDestination, Errno::ESRCH, format!("new destination {for_service}: no such service (ESRCH)")),
        (Call::NewDestination, Errno::EEXIST, format!("new destination {for_service}: already exists (EEXIST)")),
        (
            Call::NewDestination,
            Errno::ERANGE,
            format!("new destination {for_service}: weight or threshold out of range (ERANGE)"),
        ),
        (
            Call::NewDestination,
            Errno::EINVAL,
            format!("new destination {for_service}: refused as invalid (EINVAL); {UNICAST}"),
        ),
        (
            Call::UpdateDestination,
            Errno::ENOENT,
            format!("update destination {for_service}: no such destination (ENOENT)"),
        ),
        (
            Call::UpdateDestination,
            Errno::EINVAL,
            format!("update destination {for_service}: refused as invalid (EINVAL); {UNICAST}"),
        ),
        (
            Call::UpdateDestination,
            Errno::ERANGE,
            format!("update destination {for_service}: weight or threshold out of range (ERANGE)"),
        ),
        (
            Call::DeleteDestination,
            Errno::ENOENT,
            format!("delete destination {for_service}: no such destination (ENOENT)"),
        ),
        (Call::DeleteDestination, Errno::ESRCH, format!("delete destination {for_service}: no such service (ESRCH)")),
        (Call::StartSync, Errno::EEXIST, "start sync master: already running (EEXIST)".to_owned()),
        (Call::StartSync, Errno::ENODEV, "start sync master: no such interface (ENODEV)".to_owned()),
        (
            Call::StartSync,
            Errno::ENETUNREACH,
            "start sync master: the multicast group cannot be reached by this interface (ENETUNREACH)".to_owned(),
        ),
        (
            Call::StartSync,
            Errno::EINVAL,
            "start sync master: refused as invalid (EINVAL); no destination may be of another address family than \
             its service while a daemon runs"
                .to_owned(),
        ),
        (Call::StopSync, Errno::ESRCH, "stop sync backup: not running (ESRCH)".to_owned()),
        (
            Call::SetConfig,
            Errno::EINVAL,
            "set config: refused as invalid (EINVAL); the timeout is more than this kernel's clock can count"
                .to_owned(),
        ),
        (Call::GetServices, Errno::EPERM, format!("get services: permission denied (EPERM); {PERMISSION}")),
        (Call::GetInfo, Errno::EPERM, format!("get info: permission denied (EPERM); {PERMISSION}")),
        (Call::GetConfig, Errno::EOPNOTSUPP, "get config: not supported by this kernel (EOPNOTSUPP)".to_owned()),
        (
            Call::GetService,
            Errno::EAFNOSUPPORT,
            format!("get service {IN_SERVICE}: address family not supported (EAFNOSUPPORT)"),
        ),
        (Call::GetSyncDaemons, Errno::ENOMEM, "get sync daemons: the kernel is out of memory (ENOMEM)".to_owned()),
        (Call::Flush, Errno::ENOPROTOOPT, "flush: the kernel refused (ENOPROTOOPT)".to_owned()),
        (Call::Flush, Errno::from_raw(524), "flush: the kernel refused (errno 524)".to_owned()),
        (Call::Flush, Errno::EBUSY, "flush: busy (EBUSY)".to_owned()),
        (
            Call::GetDestinations,
            Errno::EINVAL,
            format!("get destinations of {IN_SERVICE}: refused as invalid (EINVAL)"),
        ),
    ] {
        let error = refused(call, errno);
        assert_eq!(error.to_string(), expected);
        assert_eq!((error.call(), error.errno()), (call, Some(errno)), "{expected}");
        assert_eq!(error.kind(), ErrorKind::Kernel, "{expected}");
        let hint = error.hint();
        assert_eq!(hint.is_some(), expected.contains("; "), "{expected}");
        assert!(hint.is_none_or(|hint| expected.ends_with(hint)), "{expected}");
    }
}

/// One number, several meanings: each call with each number that IPVS has.
#[test]
fn predicates_know_the_call() {
    let of = |call: Call| -> BTreeMap<&str, &[&str]> {
        let mut expected: BTreeMap<&str, &[&str]> = BTreeMap::from([
            ("EPERM", &["permission denied"][..]),
            ("EACCES", &["permission denied"]),
            ("EEXIST", &["already exists"]),
            ("ESRCH", &["not found"]),
            ("ENOENT", &[]),
            ("EINVAL", &["invalid"]),
            ("ERANGE", &["invalid"]),
            ("EOPNOTSUPP", &["unsupported"]),
            ("EAFNOSUPPORT", &["unsupported"]),
            ("EBUSY", &["retryable"]),
            ("ENOMEM", &["retryable"]),
            ("ENOBUFS", &["retryable"]),
            ("EAGAIN", &["retryable"]),
            ("ENODEV", &[]),
            ("ENETUNREACH", &[]),
            ("ENOPROTOOPT", &[]),
            ("EPROTONOSUPPORT", &[]),
            ("EADDRNOTAVAIL", &[]),
            ("EMSGSIZE", &[]),
            ("EIO", &[]),
        ]);
        match call {
            Call::NewService | Call::UpdateService => expected.insert("ENOENT", &["scheduler unavailable"]),
            Call::UpdateDestination | Call::DeleteDestination => expected.insert("ENOENT", &["not found"]),
            _ => None,
        };
        expected
    };
    let numbers = [
        Errno::EPERM,
        Errno::EACCES,
        Errno::EEXIST,
        Errno::ESRCH,
        Errno::ENOENT,
        Errno::EINVAL,
        Errno::ERANGE,
        Errno::EOPNOTSUPP,
        Errno::EAFNOSUPPORT,
        Errno::EBUSY,
        Errno::ENOMEM,
        Errno::ENOBUFS,
        Errno::EAGAIN,
        Errno::ENODEV,
        Errno::ENETUNREACH,
        Errno::ENOPROTOOPT,
        Errno::EPROTONOSUPPORT,
        Errno::EADDRNOTAVAIL,
        Errno::EMSGSIZE,
        Errno::EIO,
    ];
    for (call, _) in calls() {
        let expected = of(call);
        for errno in numbers {
            let name = errno.name().unwrap();
            assert_eq!(predicates(&refused(call, errno)), expected[name], "{call} {errno}");
        }
    }
}

#[test]
fn kinds_without_a_number_have_their_predicates() {
    let (handle, _peer) = Script::new()
        .expect(Request::Flush)
        .silence()
        .expect(Request::Flush)
        .enobufs()
        .expect(Request::Flush)
        .datagram([message::done()])
        .expect(Request::Flush)
        .receive_fails(io::ErrorKind::PermissionDenied)
        .open();
    for (kind, expected) in [
        (ErrorKind::Timeout, &["timeout", "retryable"][..]),
        (ErrorKind::Lost, &["retryable"]),
        (ErrorKind::Decode, &[]),
        (ErrorKind::Io, &["permission denied"]),
    ] {
        let error = handle.flush().unwrap_err();
        assert_eq!((error.kind(), error.errno()), (kind, None));
        assert_eq!(predicates(&error), expected, "{kind:?}");
        assert_eq!((error.kernel_message(), error.attribute()), (None, None));
    }
}

#[test]
fn explanation_of_the_kernel_is_part_of_the_line() {
    let request = Request::SetConfig(config());
    let (handle, _peer) = Script::new()
        .expect(request.clone())
        .datagram([message::refusal(Errno::ERANGE).explained("Attribute failed policy validation", 20)])
        .expect(request)
        .datagram([message::refusal(Errno::EINVAL).explained("not aligned", 21)])
        .open();
    let error = handle.set_config(&config()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "set config: the kernel refused (ERANGE): Attribute failed policy validation [IPVS_CMD_ATTR_TIMEOUT_TCP]"
    );
    assert_eq!(error.kernel_message(), Some("Attribute failed policy validation"));
    assert_eq!(error.attribute(), Some("IPVS_CMD_ATTR_TIMEOUT_TCP"));
    let error = handle.set_config(&config()).unwrap_err();
    assert_eq!(error.attribute(), None, "no attribute begins there");
    assert!(error.is_invalid());
}

#[test]
fn error_is_one_line_that_source_does_not_repeat() {
    for (call, _) in calls() {
        let error = refused(call, Errno::EPERM);
        let line = error.to_string();
        assert!(!line.contains('\n') && !line.ends_with('.'), "{line}");
        assert!(std::error::Error::source(&error).is_none());
        assert_eq!(format!("{error:?}"), line, "what `unwrap` and `main` show");
        assert!(format!("{error:#?}").contains("errno: "), "{error:#?}");
    }
}

#[test]
fn error_is_as_wide_as_a_pointer() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[test]
fn error_tells_its_object() {
    for (call, target) in [
        (Call::NewService, Target::Service(web())),
        (Call::GetServices, Target::Table),
        (Call::DeleteDestination, Target::Destination(web(), server())),
        (Call::GetDestinations, Target::Destinations(web())),
        (Call::StopSync, Target::Daemon(SyncRole::Backup)),
        (Call::Zero, Target::Service(web())),
        (Call::Flush, Target::Table),
    ] {
        assert_eq!(refused(call, Errno::EPERM).target(), &target, "{call}");
    }
}

#[test]
fn error_numbers_have_the_names_and_values_of_linux() {
    for (errno, name, number) in [
        (Errno::EPERM, "EPERM", 1),
        (Errno::ENOENT, "ENOENT", 2),
        (Errno::ESRCH, "ESRCH", 3),
        (Errno::EEXIST, "EEXIST", 17),
        (Errno::ENODEV, "ENODEV", 19),
        (Errno::EINVAL, "EINVAL", 22),
        (Errno::ERANGE, "ERANGE", 34),
    ] {
        assert_eq!((errno.name(), errno.raw(), errno.to_string()), (Some(name), number, name.to_owned()));
        assert_eq!(Errno::from_raw(number), errno);
    }
    assert_eq!(Errno::from_raw(4095).name(), None);
    assert_eq!(Errno::from_raw(4095).to_string(), "errno 4095");
}

#[test]
fn builder_keeps_its_deadline() {
    let builder: HandleBuilder = Handle::builder().deadline(Duration::from_millis(1500));
    let (opened, _peer) = Script::bare().expect_family_lookup().silence().try_open(builder);
    assert_eq!(opened.unwrap_err().to_string(), "open handle: no answer within 1.5s; nothing was changed: try again");
}
