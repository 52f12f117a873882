//! Isolation of the tables of network namespaces.

use ipvs_rs::{Scheduler, Service};

use super::World;
use super::client::Handle;

pub fn handles_in_two_namespaces_do_not_see_each_other(world: &dyn World) {
    let service = |text: &str, scheduler| Service::new(text.parse().unwrap(), scheduler);
    let count_and_scheduler = |handle: &Handle| {
        let listed = handle.get_services().unwrap();
        (listed.len(), listed[0].service.scheduler)
    };
    let blue = world.handle();
    blue.new_service(&service("TCP 192.0.2.10:80", Scheduler::Rr)).unwrap();
    world.elsewhere(&|there| {
        let red = there.handle();
        assert_eq!(red.get_services().unwrap(), []);
        red.new_service(&service("TCP 192.0.2.10:80", Scheduler::Wlc)).unwrap();
        red.new_service(&service("UDP 192.0.2.10:80", Scheduler::Wlc)).unwrap();
        assert_eq!(count_and_scheduler(&blue), (1, Scheduler::Rr));
        assert_eq!(count_and_scheduler(&red), (2, Scheduler::Wlc));
        red.flush().unwrap();
        assert_eq!(count_and_scheduler(&blue), (1, Scheduler::Rr));
    });
}

pub fn handle_stays_in_its_namespace_wherever_it_is_used(world: &dyn World) {
    let handle = world.handle();
    let service = |mark: &str| Service::new(mark.parse().unwrap(), Scheduler::Rr);
    handle.new_service(&service("FWM 7")).unwrap();
    world.elsewhere(&|there| {
        assert_eq!(there.handle().get_services().unwrap(), []);
        assert_eq!(handle.get_services().unwrap().len(), 1);
        handle.new_service(&service("FWM 8")).unwrap();
        assert_eq!(there.handle().get_services().unwrap(), []);
    });
    assert_eq!(handle.get_services().unwrap().len(), 2);
}
