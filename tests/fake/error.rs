//! Errors from every floor: where they happened, what was asked for, what is behind them, and one type for all.

use std::error::Error as _;
use std::io;
use std::ops::ControlFlow;

use ipvs_rs::codec::DecodeError;
use ipvs_rs::engine::ExchangeFailure;
use ipvs_rs::error::{Call, Errno, ErrorKind, Target};
use ipvs_rs::handle::Consistency;
use ipvs_rs::model::{InvalidValue, ParseError, Persistence, PersistenceEngine, Weight};
use ipvs_rs::procfs::{Connections, ProcfsError, Sysctl};
use ipvs_rs::testing::{Ability, FakeKernel, Fault};
use ipvs_rs::{Destination, DestinationId, Error, ForwardMethod, Handle, Scheduler, Service, ServiceId};

fn web() -> ServiceId {
    "TCP 192.0.2.10:80".parse().unwrap()
}

fn server() -> DestinationId {
    "10.0.0.2:80".parse().unwrap()
}

/// Meets errors of every floor.
fn add(handle: &Handle, service: &str, server: &str, weight: u32) -> Result<(), Error> {
    let (service, server) = (service.parse()?, server.parse()?);
    let server = Destination::new(server, ForwardMethod::Masquerade).weight(weight)?;
    handle.new_destination(&service, &server)
}

#[test]
fn one_error_takes_what_lower_floors_report() {
    let handle = FakeKernel::new().handle().unwrap();
    let error = add(&handle, "http://192.0.2.10", "10.0.0.2:80", 1).unwrap_err();
    let parse_error = "http://192.0.2.10".parse::<ServiceId>().unwrap_err();
    assert_eq!((error.to_string(), error.parse_error()), (parse_error.to_string(), Some(&parse_error)));
    assert_eq!((error.kind(), error.call(), error.is_invalid()), (ErrorKind::Parse, Call::ParseText, true));
    assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&parse_error));

    let error = add(&handle, "TCP 192.0.2.10:80", "10.0.0.2:80", u32::MAX).unwrap_err();
    let invalid = Weight::new(u32::MAX).unwrap_err();
    assert_eq!((error.to_string(), error.invalid_value()), (invalid.to_string(), Some(&invalid)));
    assert_eq!((error.kind(), error.call()), (ErrorKind::Invalid, Call::MakeValue));
    assert_eq!((error.target(), error.is_invalid()), (&Target::Table, true));
    assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&invalid));

    let error = add(&handle, "TCP 192.0.2.10:80", "10.0.0.2:80", 1).unwrap_err();
    assert_eq!((error.errno(), error.source().is_none()), (Some(Errno::ESRCH), true));

    let procfs = || Connections::from_reader(&b"TCP"[..]).next().unwrap().unwrap_err();
    let error = Error::from(procfs());
    assert_eq!((error.to_string(), error.kind()), (procfs().to_string(), ErrorKind::Procfs));
    assert_eq!((error.call(), error.hint(), error.namespace()), (Call::Procfs, None, None));
    assert_eq!(error.procfs_error().and_then(ProcfsError::line), Some(1));
    assert_eq!(error.parse_error().map(ParseError::what), Some("header"));
    let below: &ProcfsError = error.source().unwrap().downcast_ref().unwrap();
    assert!(below.source().is_some_and(<dyn std::error::Error>::is::<ParseError>));
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn error_has_the_one_below_as_its_source() {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    handle.new_service(&Service::new(web(), Scheduler::Rr)).unwrap();
    kernel.misbehave(Fault::Garbage(vec![1, 2, 3]));
    let error = handle.get_info().unwrap_err();
    assert!(error.source().unwrap().is::<DecodeError>(), "{error}");
    kernel.misbehave(Fault::SendFails(Errno::EMSGSIZE));
    let error = handle.get_info().unwrap_err();
    let source: &io::Error = error.source().unwrap().downcast_ref().unwrap();
    assert_eq!(source.raw_os_error().map(i32::unsigned_abs), Some(Errno::EMSGSIZE.raw()));
    let mut ipv6 = Service::new("TCP [2001:db8::1]:80".parse().unwrap(), Scheduler::Rr);
    let mask = ipvs_rs::model::Granularity::Mask([255, 255, 255, 0].into());
    ipv6.persistence = Some(Persistence::for_secs(60).unwrap().granularity(mask));
    let error = handle.new_service(&ipv6).unwrap_err();
    assert!(error.source().unwrap().is::<InvalidValue>(), "{error}");
    assert!(error.to_string().starts_with("new service TCP [2001:db8::1]:80: persistence granularity"), "{error}");
    for fault in [Fault::Silence, Fault::Refuse(Errno::EPERM), Fault::Drop] {
        kernel.misbehave(fault);
        let error = handle.flush().unwrap_err();
        assert!(error.source().is_none(), "{error}");
    }
}

/// The line of each error of floors 0 to 4 that has a source.
#[test]
fn line_has_the_message_of_the_source() {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    let refused = |fault| {
        kernel.misbehave(fault);
        handle.get_info().unwrap_err()
    };
    let procfs = || Connections::from_reader(&b"TCP"[..]).next().unwrap().unwrap_err();
    let decode = refused(Fault::Garbage(vec![1, 2, 3]));
    let mut errors: Vec<Box<dyn std::error::Error>> = vec![
        Box::new(ExchangeFailure::from(*decode.decode_error().unwrap())),
        Box::new(decode),
        Box::new(refused(Fault::SendFails(Errno::EMSGSIZE))),
        Box::new(add(&handle, "http://192.0.2.10", "10.0.0.2:80", 1).unwrap_err()),
        Box::new(add(&handle, "TCP 192.0.2.10:80", "10.0.0.2:80", u32::MAX).unwrap_err()),
        Box::new(Error::from(procfs())),
        Box::new(procfs()),
    ];
    #[cfg(target_os = "linux")]
    {
        use ipvs_rs::transport::Netns;
        errors.push(Box::new(Handle::builder().netns(Netns::path("/no/such/file")).open().unwrap_err()));
        // A name longer than a file can have.
        let system = Netns::path("x".repeat(300)).run(|| ()).unwrap_err();
        errors.push(Box::new(Error::from(system.clone())));
        errors.push(Box::new(system));
    }
    for error in errors {
        let source = error.source().unwrap().to_string();
        assert!(error.to_string().contains(&source), "{error} lacks {source}");
    }
}

#[test]
fn error_becomes_one_of_the_system() {
    use io::ErrorKind as Kind;
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    let service = Service::new(web(), Scheduler::Rr);
    let unknown = Service::new(web(), "no-such".parse().unwrap());
    let refused = |fault| {
        kernel.misbehave(fault);
        handle.get_config().unwrap_err()
    };
    for (error, kind) in [
        (handle.delete_service(&web()).unwrap_err(), Kind::NotFound),
        (handle.new_service(&unknown).unwrap_err(), Kind::Unsupported),
        (handle.new_service(&service).and_then(|()| handle.new_service(&service)).unwrap_err(), Kind::AlreadyExists),
        (refused(Fault::Refuse(Errno::EPERM)), Kind::PermissionDenied),
        (refused(Fault::Refuse(Errno::EINVAL)), Kind::InvalidInput),
        (refused(Fault::Refuse(Errno::EOPNOTSUPP)), Kind::Unsupported),
        (refused(Fault::Refuse(Errno::EBUSY)), Kind::ResourceBusy),
        (refused(Fault::Refuse(Errno::ENOMEM)), Kind::OutOfMemory),
        (refused(Fault::Refuse(Errno::EIO)), Kind::Other),
        (refused(Fault::Silence), Kind::TimedOut),
        (refused(Fault::Garbage(vec![1])), Kind::InvalidData),
        (refused(Fault::SendFails(Errno::EACCES)), Kind::PermissionDenied),
        ("x".parse::<ServiceId>().unwrap_err().into(), Kind::InvalidInput),
        (Connections::from_reader(&b"x"[..]).next().unwrap().unwrap_err().into(), Kind::InvalidData),
    ] {
        let line = error.to_string();
        let system = io::Error::from(error);
        assert_eq!((system.kind(), system.to_string()), (kind, line.clone()));
        assert_eq!(system.downcast::<Error>().unwrap().to_string(), line);
    }
}

#[test]
fn errors_are_cloned_with_all_that_they_say() {
    let kernel = FakeKernel::new();
    kernel.misbehave(Fault::SendFails(Errno::EMSGSIZE));
    let error = kernel.handle().unwrap().flush().unwrap_err();
    let clone = error.clone();
    assert_eq!((clone.to_string(), clone.call()), (error.to_string(), error.call()));
    assert_eq!(clone.io_error().map(io::Error::kind), error.io_error().map(io::Error::kind));
    let procfs = Sysctl::ExpireNodestConn.value("x").unwrap_err();
    assert_eq!(procfs.clone(), procfs);
    let procfs = Connections::from_reader(&b"x"[..]).next().unwrap().unwrap_err();
    assert_eq!(procfs.clone().to_string(), procfs.to_string());
}

#[test]
fn missing_scheduler_or_engine_is_named() {
    let kernel = FakeKernel::new();
    kernel.disable(Ability::Engine(PersistenceEngine::Sip));
    let handle = kernel.handle().unwrap();
    let sip = Persistence::for_secs(60).unwrap().engine(PersistenceEngine::Sip);
    let unknown = Service::new(web(), "no-such".parse().unwrap());
    let with_engine = Service::new(web(), Scheduler::Rr).persistence(sip);
    let hint = "check the name, or load the module ip_vs_NAME or ip_vs_pe_NAME";
    for (service, what, scheduler, engine) in [
        (&unknown, "scheduler no-such not available", "no-such", None),
        (&with_engine, "scheduler rr or persistence engine sip not available", "rr", Some("sip")),
    ] {
        let singly = handle.new_service(service).unwrap_err();
        let batched = handle.batch().new_service(service).send().unwrap().into_result().unwrap_err();
        for error in [singly, batched] {
            assert_eq!(error.to_string(), format!("new service TCP 192.0.2.10:80: {what} (ENOENT); {hint}"));
            assert!(error.is_scheduler_unavailable());
            assert_eq!(error.scheduler().map(Scheduler::name), Some(scheduler));
            assert_eq!(error.engine().map(PersistenceEngine::name), engine);
        }
    }
    handle.new_service(&Service::new(web(), Scheduler::Rr)).unwrap();
    let error = handle.update_service(&unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("update service TCP 192.0.2.10:80: scheduler no-such not available (ENOENT); {hint}")
    );
    // Only where one of the two may be what is missing.
    let error = handle.new_service(&unknown).unwrap_err();
    assert_eq!((error.errno(), error.scheduler(), error.engine()), (Some(Errno::EEXIST), None, None));
}

#[cfg(target_os = "linux")]
mod in_a_namespace {
    use super::*;
    use ipvs_rs::transport::{Netns, NetnsError};

    fn blue() -> Netns {
        Netns::named("blue").unwrap()
    }

    #[test]
    fn every_error_of_a_handle_names_its_namespace() {
        let kernel = FakeKernel::new();
        let socket = kernel.transport();
        let handle = Handle::builder().netns(blue()).reader_transports([kernel.transport()]).open_over(socket).unwrap();
        let errors = [
            (handle.delete_service(&web()).unwrap_err(), "delete service TCP 192.0.2.10:80", "no such service (ESRCH)"),
            (
                handle.modify_service(&web(), |_| {}).unwrap_err(),
                "update service TCP 192.0.2.10:80",
                "no such service (ESRCH)",
            ),
            (
                handle.batch().delete_destination(&web(), &server()).send().unwrap().into_result().unwrap_err(),
                "delete destination 10.0.0.2:80 for TCP 192.0.2.10:80",
                "no such service (ESRCH)",
            ),
            (
                handle.stop_sync(ipvs_rs::model::SyncRole::Master).unwrap_err(),
                "stop sync master",
                "not running (ESRCH)",
            ),
        ];
        for (error, what, why) in errors {
            assert_eq!(error.to_string(), format!("{what} in network namespace /run/netns/blue: {why}"));
            assert_eq!(error.namespace(), Some("/run/netns/blue"));
        }
        kernel.misbehave(ipvs_rs::testing::FaultPlan::always(Fault::Silence));
        for error in [
            handle.get_services().unwrap_err(),
            handle.get_destinations(&web()).unwrap_err(),
            handle.get_info().unwrap_err(),
            handle.snapshot_with(Consistency::Stable { attempts: 3 }).unwrap_err(),
        ] {
            let line = error.to_string();
            assert!(line.contains(" in network namespace /run/netns/blue: no answer within 5s; nothing was"), "{line}");
        }
        let stopped = handle.batch().flush().send_with_progress(|_| ControlFlow::Break(())).unwrap();
        let line = stopped.into_result().unwrap_err().to_string();
        assert!(line.starts_with("flush in network namespace /run/netns/blue: no answer"), "{line}");
    }

    #[test]
    fn opening_names_the_namespace_once() {
        let kernel = FakeKernel::new();
        kernel.disable(Ability::Ipvs);
        let error = Handle::builder().netns(blue()).open_over(kernel.transport()).unwrap_err();
        let line = error.to_string();
        assert!(
            line.starts_with("open handle in network namespace /run/netns/blue: this kernel has no IPVS; "),
            "{line}"
        );
        let error = Handle::builder().netns(Netns::path("/no/such/file")).open().unwrap_err();
        assert_eq!(
            error.to_string(),
            "open handle: network namespace /no/such/file: the file or process does not exist; `ip netns` lists those \
             with a name"
        );
        assert!(error.source().unwrap().is::<NetnsError>());
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
        let error = kernel.handle().unwrap_err();
        assert_eq!(error.namespace(), None);
        assert!(error.to_string().starts_with("open handle: this kernel has no IPVS; "), "{error}");
    }

    #[test]
    fn namespace_that_has_no_name_is_an_error_like_any_other() {
        let named = |name: &str| -> Result<Netns, Error> { Ok(Netns::named(name)?) };
        let error = named("a/b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "network namespace \"a/b\": no namespace can have this name; a path needs `Netns::path`"
        );
        assert_eq!((error.kind(), error.call()), (ErrorKind::Namespace, Call::EnterNetns));
        assert_eq!(error.namespace_error().map(NetnsError::place), Some("\"a/b\""));
        assert_eq!(error.clone().to_string(), error.to_string());
        let error = Netns::path("/proc/version").run(|| ()).unwrap_err();
        assert_eq!(error.to_string(), "network namespace /proc/version: this is not the file of a namespace");
        assert!(error.source().is_none());
    }

    #[test]
    fn namespaces_are_equal_when_they_are_given_alike() {
        use std::collections::HashSet;
        use std::fs::File;
        let file = File::open("/proc/self/ns/net").unwrap();
        let (one, other) = (Netns::fd(&file).unwrap(), Netns::fd(&file).unwrap());
        assert_eq!(one, one.clone());
        assert_ne!(one, other, "another descriptor");
        assert_eq!(blue(), Netns::path("/run/netns/blue"));
        assert_ne!(Netns::pid(1), Netns::pid(2));
        assert_eq!(Netns::current(), Netns::current());
        let all = [one.clone(), one, other, blue(), blue(), Netns::current(), Netns::path("/proc/self/ns/net")];
        assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 5);
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn every_error_of_an_async_handle_names_its_namespace() {
        use ipvs_rs::AsyncHandle;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kernel = FakeKernel::new();
        let builder = || AsyncHandle::builder().netns(blue()).deadline(std::time::Duration::from_secs(2)).readers(7);
        let handle = runtime.block_on(builder().open_over(kernel.transport())).unwrap();
        let expected = "AsyncHandle { namespace: \"/run/netns/blue\", deadline: 2s, readers: 0, .. }";
        assert_eq!(format!("{handle:?}"), expected, "over a transport of one's own there is one socket");
        kernel.misbehave(Fault::Silence);
        let line = runtime.block_on(handle.clone().flush()).unwrap_err().to_string();
        assert!(line.starts_with("flush in network namespace /run/netns/blue: no answer within 2s; "), "{line}");
        kernel.disable(Ability::Ipvs);
        let error = runtime.block_on(builder().open_over(kernel.transport())).unwrap_err();
        assert_eq!((error.is_not_available(), error.namespace()), (true, Some("/run/netns/blue")));
        let missing = AsyncHandle::builder().netns(Netns::path("/no/such/file"));
        assert_eq!(runtime.block_on(missing.open()).unwrap_err().kind(), ErrorKind::Namespace);
    }
}
