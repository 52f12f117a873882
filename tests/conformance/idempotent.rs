//! "Make it so": the first application does what is needed, the second nothing.

use ipvs_rs::handle::Outcome;
use ipvs_rs::model::{Persistence, PersistenceEngine, SchedulerFlags, Thresholds, Tunnel};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId};

use super::World;
use super::services::KINDS;

pub fn service_is_made_then_left_alone_then_changed_then_removed_once(world: &dyn World) {
    let handle = world.handle();
    for kind in KINDS {
        let id: ServiceId = kind.parse().unwrap();
        let persistence = Persistence::for_secs(60).unwrap().engine(PersistenceEngine::Sip);
        let settings = [
            Service::new(id, Scheduler::Wlc),
            Service::new(id, Scheduler::Sh).scheduler_flags(SchedulerFlags::PORT),
            Service::new(id, Scheduler::Sh).one_packet(true),
            Service::new(id, Scheduler::Sh).persistence(persistence),
            Service::new(id, Scheduler::Sh).dormant_persistence(persistence),
        ];
        for (place, service) in settings.iter().enumerate() {
            let first = if place == 0 { Outcome::Created } else { Outcome::Updated };
            assert_eq!(handle.ensure_service(service).unwrap(), first, "{kind} {place}");
            assert_eq!(handle.ensure_service(service).unwrap(), Outcome::Unchanged, "{kind} {place} again");
            assert_eq!(handle.get_service(&id).unwrap(), Some(ServiceEntry::new(service.clone())), "{kind} {place}");
        }
        assert_eq!(handle.remove_service(&id).unwrap(), Outcome::Removed, "{kind}");
        assert_eq!(handle.remove_service(&id).unwrap(), Outcome::Unchanged, "{kind} again");
    }
}

pub fn destination_is_made_then_left_alone_then_changed_then_removed_once(world: &dyn World) {
    let handle = world.handle();
    let service: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
    let plain = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    let error = handle.ensure_destination(&service, &plain).unwrap_err();
    assert_eq!(error.to_string(), "new destination 10.0.0.2:80 for TCP 192.0.2.10:80: no such service (ESRCH)");
    assert_eq!(handle.remove_destination(&service, &plain.id).unwrap(), Outcome::Unchanged, "no service");

    handle.new_service(&Service::new(service, Scheduler::Rr)).unwrap();
    handle.new_destination(&service, &Destination::new("10.0.0.3:80".parse().unwrap(), plain.forward)).unwrap();
    let settings = [
        plain.clone(),
        plain.clone().weight(9).unwrap(),
        plain.clone().thresholds(Thresholds::with_upper(10).unwrap().with_lower(5).unwrap()),
        Destination::new(plain.id, ForwardMethod::Tunnel(Tunnel::gre())),
        Destination::new(plain.id, ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap())),
        plain.clone().drained(),
    ];
    for (place, destination) in settings.iter().enumerate() {
        let first = if place == 0 { Outcome::Created } else { Outcome::Updated };
        assert_eq!(handle.ensure_destination(&service, destination).unwrap(), first, "{place}");
        assert_eq!(handle.ensure_destination(&service, destination).unwrap(), Outcome::Unchanged, "{place} again");
        let read = handle.get_destination(&service, &plain.id).unwrap();
        assert_eq!(read, Some(DestinationEntry::new(destination.clone())), "{place}");
    }
    assert_eq!(handle.remove_destination(&service, &plain.id).unwrap(), Outcome::Removed);
    assert_eq!(handle.remove_destination(&service, &plain.id).unwrap(), Outcome::Unchanged);
    assert_eq!(handle.get_destinations(&service).unwrap().len(), 1, "the neighbor stays");
}

pub fn one_setting_of_a_destination_is_changed_and_the_rest_kept(world: &dyn World) {
    let handle = world.handle();
    let service: ServiceId = "FWM 7".parse().unwrap();
    let full = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap()))
        .weight(5)
        .unwrap()
        .thresholds(Thresholds::with_upper(10).unwrap().with_lower(5).unwrap());
    handle.new_service(&Service::new(service, Scheduler::Rr)).unwrap();
    handle.new_destination(&service, &full).unwrap();

    let drain = |destination: &mut Destination| *destination = destination.clone().drained();
    assert_eq!(handle.modify_destination(&service, &full.id, drain).unwrap(), Outcome::Updated);
    assert_eq!(handle.modify_destination(&service, &full.id, drain).unwrap(), Outcome::Unchanged);
    let read = handle.get_destination(&service, &full.id).unwrap();
    assert_eq!(read, Some(DestinationEntry::new(full.clone().drained())));

    let error = handle.modify_destination(&service, &"10.0.0.3:80".parse().unwrap(), drain).unwrap_err();
    assert_eq!(error.to_string(), "update destination 10.0.0.3:80 for FWM 7: no such destination (ENOENT)");
    let error = handle.modify_destination(&"FWM 8".parse().unwrap(), &full.id, drain).unwrap_err();
    assert_eq!(error.to_string(), "update destination 10.0.0.2:80 for FWM 8: no such service (ESRCH)");
}
