//! Every refusal that the kernel knows, and what the library makes of it.

use std::fmt::Debug;
use std::time::Duration;

use ipvs_rs::error::{Call, Errno, ErrorKind, Target};
use ipvs_rs::model::{Config, Persistence, SyncDaemon, SyncRole, Timeout, Tunnel};
use ipvs_rs::{Destination, DestinationId, Error, ForwardMethod, Scheduler, Service, ServiceId};

use super::{Interface, World, wire};

use super::client::Handle;

struct Row {
    error: Error,
    errno: Errno,
    call: Call,
    target: Target,
    /// All predicates that are true of it.
    predicates: &'static [&'static str],
    text: &'static str,
}

pub fn every_refusal_says_what_was_attempted_on_what_and_why(world: &dyn World) {
    for Row { error, errno, call, target, predicates, text } in refusals(world) {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.errno(), Some(errno), "{text}");
        assert_eq!(error.kind(), ErrorKind::Kernel, "{text}");
        assert_eq!(error.call(), call, "{text}");
        assert_eq!(*error.target(), target, "{text}");
        assert_eq!(true_of(&error), predicates, "{text}");
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn refusals(world: &dyn World) -> Vec<Row> {
    world.add_interface(&Interface { name: "d0", addresses: &["10.8.8.8/24"], is_up: true });
    world.add_interface(&Interface { name: "d1", addresses: &[], is_up: false });

    let handle = world.handle();
    let web = id("TCP 192.0.2.10:80");
    let web6 = id("TCP [2001:db8::10]:80");
    let missing = id("UDP 192.0.2.10:80");
    let server = destination("10.0.0.2:80");
    let other = destination("10.0.0.3:80");
    handle.new_service(&rr(web)).unwrap();
    handle.new_service(&rr(web6)).unwrap();
    handle.new_destination(&web, &server).unwrap();
    handle.start_sync(&SyncDaemon::master("d0").unwrap()).unwrap();

    let tunnel_to = |server: &str, tunnel| Destination::new(server.parse().unwrap(), ForwardMethod::Tunnel(tunnel));
    let unknown = Service::new(web, "no-such".parse().unwrap());
    let engine = "no-such".parse().unwrap();
    let unknown_engine = rr(missing).persistence(Persistence::for_secs(60).unwrap().engine(engine));
    let longest = Config::new().udp(Duration::from_secs(Timeout::MAX_SECS.into())).unwrap();

    vec![
        row(
            handle.new_service(&rr(web)),
            Errno::EEXIST,
            (Call::NewService, Target::Service(web)),
            &["already_exists"],
            "new service TCP 192.0.2.10:80: already exists (EEXIST)",
        ),
        row(
            handle.new_service(&unknown),
            Errno::EEXIST,
            (Call::NewService, Target::Service(web)),
            &["already_exists"],
            "new service TCP 192.0.2.10:80: already exists (EEXIST)",
        ),
        row(
            handle.new_destination(&web, &server),
            Errno::EEXIST,
            (Call::NewDestination, Target::Destination(web, server.id)),
            &["already_exists"],
            "new destination 10.0.0.2:80 for TCP 192.0.2.10:80: already exists (EEXIST)",
        ),
        row(
            handle.start_sync(&SyncDaemon::master("d0").unwrap()),
            Errno::EEXIST,
            (Call::StartSync, Target::Daemon(SyncRole::Master)),
            &["already_exists"],
            "start sync master: already running (EEXIST)",
        ),
        row(
            handle.update_service(&rr(missing)),
            Errno::ESRCH,
            (Call::UpdateService, Target::Service(missing)),
            &["not_found"],
            "update service UDP 192.0.2.10:80: no such service (ESRCH)",
        ),
        row(
            handle.modify_service(&missing, |_| {}),
            Errno::ESRCH,
            (Call::UpdateService, Target::Service(missing)),
            &["not_found"],
            "update service UDP 192.0.2.10:80: no such service (ESRCH)",
        ),
        row(
            handle.delete_service(&missing),
            Errno::ESRCH,
            (Call::DeleteService, Target::Service(missing)),
            &["not_found"],
            "delete service UDP 192.0.2.10:80: no such service (ESRCH)",
        ),
        row(
            handle.zero_service(&missing),
            Errno::ESRCH,
            (Call::Zero, Target::Service(missing)),
            &["not_found"],
            "zero UDP 192.0.2.10:80: no such service (ESRCH)",
        ),
        row(
            handle.new_destination(&missing, &server),
            Errno::ESRCH,
            (Call::NewDestination, Target::Destination(missing, server.id)),
            &["not_found"],
            "new destination 10.0.0.2:80 for UDP 192.0.2.10:80: no such service (ESRCH)",
        ),
        row(
            handle.update_destination(&missing, &server),
            Errno::ESRCH,
            (Call::UpdateDestination, Target::Destination(missing, server.id)),
            &["not_found"],
            "update destination 10.0.0.2:80 for UDP 192.0.2.10:80: no such service (ESRCH)",
        ),
        row(
            handle.delete_destination(&missing, &server.id),
            Errno::ESRCH,
            (Call::DeleteDestination, Target::Destination(missing, server.id)),
            &["not_found"],
            "delete destination 10.0.0.2:80 for UDP 192.0.2.10:80: no such service (ESRCH)",
        ),
        row(
            handle.stop_sync(SyncRole::Backup),
            Errno::ESRCH,
            (Call::StopSync, Target::Daemon(SyncRole::Backup)),
            &["not_found"],
            "stop sync backup: not running (ESRCH)",
        ),
        row(
            handle.update_destination(&web, &other),
            Errno::ENOENT,
            (Call::UpdateDestination, Target::Destination(web, other.id)),
            &["not_found"],
            "update destination 10.0.0.3:80 for TCP 192.0.2.10:80: no such destination (ENOENT)",
        ),
        row(
            handle.delete_destination(&web, &other.id),
            Errno::ENOENT,
            (Call::DeleteDestination, Target::Destination(web, other.id)),
            &["not_found"],
            "delete destination 10.0.0.3:80 for TCP 192.0.2.10:80: no such destination (ENOENT)",
        ),
        row(
            handle.new_service(&Service::new(missing, unknown.scheduler)),
            Errno::ENOENT,
            (Call::NewService, Target::Service(missing)),
            &["scheduler_unavailable"],
            "new service UDP 192.0.2.10:80: scheduler no-such not available (ENOENT); check the name, or load the \
             module ip_vs_NAME or ip_vs_pe_NAME",
        ),
        row(
            handle.new_service(&unknown_engine),
            Errno::ENOENT,
            (Call::NewService, Target::Service(missing)),
            &["scheduler_unavailable"],
            "new service UDP 192.0.2.10:80: scheduler rr or persistence engine no-such not available (ENOENT); check \
             the name, or load the module ip_vs_NAME or ip_vs_pe_NAME",
        ),
        row(
            handle.update_service(&unknown),
            Errno::ENOENT,
            (Call::UpdateService, Target::Service(web)),
            &["scheduler_unavailable"],
            "update service TCP 192.0.2.10:80: scheduler no-such not available (ENOENT); check the name, or load the \
             module ip_vs_NAME or ip_vs_pe_NAME",
        ),
        row(
            handle.new_destination(&web, &destination("224.0.0.1:80")),
            Errno::EINVAL,
            (Call::NewDestination, Target::Destination(web, "224.0.0.1:80".parse().unwrap())),
            &["invalid"],
            "new destination 224.0.0.1:80 for TCP 192.0.2.10:80: refused as invalid (EINVAL); the address must be \
             unicast with `lo` up, only a tunnel may lead to the other address family (and only while no sync daemon \
             runs), GUE needs a port, and newer kernels take an upper threshold of at most 2147483647",
        ),
        row(
            handle.new_destination(&web, &tunnel_to("[2001:db8::2]:80", Tunnel::ipip())),
            Errno::EINVAL,
            (Call::NewDestination, Target::Destination(web, "[2001:db8::2]:80".parse().unwrap())),
            &["invalid"],
            "new destination [2001:db8::2]:80 for TCP 192.0.2.10:80: refused as invalid (EINVAL); the address must be \
             unicast with `lo` up, only a tunnel may lead to the other address family (and only while no sync daemon \
             runs), GUE needs a port, and newer kernels take an upper threshold of at most 2147483647",
        ),
        row(
            overwriting(world, &TUNNEL_PORT, &[0, 0])
                .update_destination(&web, &tunnel_to("10.0.0.2:80", Tunnel::gue(6080).unwrap())),
            Errno::EINVAL,
            (Call::UpdateDestination, Target::Destination(web, server.id)),
            &["invalid"],
            "update destination 10.0.0.2:80 for TCP 192.0.2.10:80: refused as invalid (EINVAL); the address must be \
             unicast with `lo` up, only a tunnel may lead to the other address family (and only while no sync daemon \
             runs), GUE needs a port, and newer kernels take an upper threshold of at most 2147483647",
        ),
        row(
            overwriting(world, &NETMASK, &129_u32.to_ne_bytes()).update_service(&rr(web6)),
            Errno::EINVAL,
            (Call::UpdateService, Target::Service(web6)),
            &["invalid"],
            "update service TCP [2001:db8::10]:80: refused as invalid (EINVAL)",
        ),
        row(
            overwriting(world, &GROUP, &[10, 0, 0, 1]).start_sync(
                &SyncDaemon::backup("d0").and_then(|daemon| daemon.group("224.0.0.82".parse().unwrap())).unwrap(),
            ),
            Errno::EINVAL,
            (Call::StartSync, Target::Daemon(SyncRole::Backup)),
            &["invalid"],
            "start sync backup: refused as invalid (EINVAL); no destination may be of another address family than its \
             service while a daemon runs",
        ),
        row(
            handle.set_config(&longest),
            Errno::EINVAL,
            (Call::SetConfig, Target::Table),
            &["invalid"],
            "set config: refused as invalid (EINVAL); the timeout is more than this kernel's clock can count",
        ),
        row(
            overwriting(world, &WEIGHT, &(-1_i32).to_ne_bytes()).new_destination(&web, &other),
            Errno::ERANGE,
            (Call::NewDestination, Target::Destination(web, other.id)),
            &["invalid"],
            "new destination 10.0.0.3:80 for TCP 192.0.2.10:80: weight or threshold out of range (ERANGE)",
        ),
        row(
            overwriting(world, &LOWER, &1_u32.to_ne_bytes()).update_destination(&web, &server),
            Errno::ERANGE,
            (Call::UpdateDestination, Target::Destination(web, server.id)),
            &["invalid"],
            "update destination 10.0.0.2:80 for TCP 192.0.2.10:80: weight or threshold out of range (ERANGE)",
        ),
        row(
            overwriting(world, &SERVICE_FAMILY, &99_u16.to_ne_bytes()).new_service(&rr(missing)),
            Errno::EAFNOSUPPORT,
            (Call::NewService, Target::Service(missing)),
            &["unsupported"],
            "new service UDP 192.0.2.10:80: address family not supported (EAFNOSUPPORT)",
        ),
        row(
            overwriting(world, &SERVER_FAMILY, &99_u16.to_ne_bytes()).delete_destination(&web, &server.id),
            Errno::EAFNOSUPPORT,
            (Call::DeleteDestination, Target::Destination(web, server.id)),
            &["unsupported"],
            "delete destination 10.0.0.2:80 for TCP 192.0.2.10:80: address family not supported (EAFNOSUPPORT)",
        ),
        row(
            handle.start_sync(&SyncDaemon::backup("no-such").unwrap()),
            Errno::ENODEV,
            (Call::StartSync, Target::Daemon(SyncRole::Backup)),
            &[],
            "start sync backup: no such interface (ENODEV)",
        ),
        row(
            {
                handle.stop_sync(SyncRole::Master).unwrap();
                handle.start_sync(&SyncDaemon::master("d1").unwrap())
            },
            Errno::ENETUNREACH,
            (Call::StartSync, Target::Daemon(SyncRole::Master)),
            &[],
            "start sync master: the multicast group cannot be reached by this interface (ENETUNREACH)",
        ),
        row(
            wire::editing(world, |datagram| datagram[wire::COMMAND] = 18).flush(),
            Errno::EOPNOTSUPP,
            (Call::Flush, Target::Table),
            &["unsupported"],
            "flush: not supported by this kernel (EOPNOTSUPP)",
        ),
        row(
            wire::editing(world, |datagram| datagram[wire::COMMAND] = 14).get_info(),
            Errno::EOPNOTSUPP,
            (Call::GetInfo, Target::Table),
            &["unsupported"],
            "get info: not supported by this kernel (EOPNOTSUPP)",
        ),
        row(
            // Destinations without the flag that asks for a list.
            wire::editing(world, |datagram| datagram[7] = 0).get_destinations(&web),
            Errno::EOPNOTSUPP,
            (Call::GetDestinations, Target::Destinations(web)),
            &["unsupported"],
            "get destinations of TCP 192.0.2.10:80: not supported by this kernel (EOPNOTSUPP)",
        ),
    ]
}

pub fn words_and_attribute_of_the_kernel_are_passed_on(world: &dyn World) {
    let handle = wire::editing(world, |datagram| {
        // Two bytes where four are needed.
        let value = wire::attribute(datagram, &[4]).unwrap();
        datagram[value.start - 4] = 6;
    });
    let error = handle.set_config(&Config::new().tcp(Duration::from_secs(900)).unwrap()).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ERANGE));
    assert_eq!(error.kernel_message(), Some("Attribute failed policy validation"));
    assert_eq!(error.attribute(), Some("IPVS_CMD_ATTR_TIMEOUT_TCP"));
    assert_eq!(
        error.to_string(),
        "set config: the kernel refused (ERANGE): Attribute failed policy validation [IPVS_CMD_ATTR_TIMEOUT_TCP]"
    );
}

pub fn refusal_changes_nothing_and_leaves_the_handle_usable(world: &dyn World) {
    let handle = world.handle();
    let service = rr(id("TCP 192.0.2.10:80"));
    handle.new_service(&service).unwrap();
    handle.new_destination(&service.id, &destination("10.0.0.2:80")).unwrap();
    let before = handle.snapshot().unwrap();
    for _ in 0..3 {
        handle.new_service(&service).unwrap_err();
        handle.update_service(&Service::new(service.id, "no-such".parse().unwrap())).unwrap_err();
        handle.new_destination(&service.id, &destination("224.0.0.1:80")).unwrap_err();
        handle.delete_destination(&service.id, &"10.0.0.3:80".parse().unwrap()).unwrap_err();
        assert_eq!(handle.snapshot().unwrap(), before);
    }
}

fn row<T: Debug>(
    result: Result<T, Error>,
    errno: Errno,
    (call, target): (Call, Target),
    predicates: &'static [&'static str],
    text: &'static str,
) -> Row {
    match result {
        Ok(value) => panic!("{value:?} instead of: {text}"),
        Err(error) => Row { error, errno, call, target, predicates, text },
    }
}

fn true_of(error: &Error) -> Vec<&'static str> {
    [
        ("not_found", error.is_not_found()),
        ("already_exists", error.is_already_exists()),
        ("permission_denied", error.is_permission_denied()),
        ("scheduler_unavailable", error.is_scheduler_unavailable()),
        ("timeout", error.is_timeout()),
        ("not_available", error.is_not_available()),
        ("unsupported", error.is_unsupported()),
        ("invalid", error.is_invalid()),
        ("retryable", error.is_retryable()),
    ]
    .into_iter()
    .filter_map(|(name, is)| is.then_some(name))
    .collect()
}

/// A handle whose requests say something else than the library would.
fn overwriting(world: &dyn World, path: &'static [u16], value: &[u8]) -> Handle {
    let value = value.to_vec();
    wire::editing(world, move |datagram| wire::overwrite(datagram, path, &value))
}

fn rr(id: ServiceId) -> Service {
    Service::new(id, Scheduler::Rr)
}

fn id(text: &str) -> ServiceId {
    text.parse().unwrap()
}

fn destination(text: &str) -> Destination {
    Destination::new(text.parse::<DestinationId>().unwrap(), ForwardMethod::Masquerade)
}

// Attributes, by the path to them.
const SERVICE_FAMILY: [u16; 2] = [1, 1];
const NETMASK: [u16; 2] = [1, 9];
const WEIGHT: [u16; 2] = [2, 4];
const LOWER: [u16; 2] = [2, 6];
const SERVER_FAMILY: [u16; 2] = [2, 11];
const TUNNEL_PORT: [u16; 2] = [2, 14];
const GROUP: [u16; 2] = [3, 5];
