//! `drain`, `undrain`, `set state`: whether destinations take new connections.

use std::time::Duration;

use ipvs_rs::desired::{Drain, OnTimeout, WaitFor, service_text};
use ipvs_rs::error::Error;
use ipvs_rs::model::Weight;
use ipvs_rs::procfs::{Procfs, Sysctl, SysctlValue};
use ipvs_rs::{DestinationEntry, DestinationId, Handle, ServiceId};

use crate::address;
use crate::command::set::{self, Place};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::pace::Pace;

/// What is drained, and how.
pub struct Draining<'a> {
    pub service: ServiceId,
    pub destinations: &'a [DestinationId],
    pub drain: Drain,
    pub delete: bool,
}

/// A destination whose connections are waited for.
struct Waiting {
    id: DestinationId,
    weight: Weight,
    left: u32,
}

const WHAT: &str = "Unable to drain";

/// Gives destinations weight 0, waits until they have no connections, and deletes them if that is wanted.
pub fn drain(
    handle: &Handle,
    console: &mut Console,
    pace: &mut impl Pace,
    draining: &Draining<'_>,
) -> Result<(), Failure> {
    let Draining { service, destinations, drain, delete } = draining;
    let mut waiting = begin(handle, console, service, destinations)?;
    let begin = pace.elapsed();
    let end = begin + drain.timeout;
    let has_time = loop {
        let mut finished = look(handle, service, drain.wait, &mut waiting)?;
        for id in finished.drain(..) {
            console.info(&format!("Destination {id} of service {} has no connections", service_text(service)));
            if *delete {
                remove(handle, console, service, &id)?;
            }
        }
        let now = pace.elapsed();
        if waiting.is_empty() {
            break true;
        }
        if now >= end {
            break true;
        }
        console.progress(&progress(&waiting, end.saturating_sub(now)));
        if !pace.wait_until(end.min(now + drain.poll)) {
            break false;
        }
    };
    console.progress("");
    if waiting.is_empty() { Ok(()) } else { give_up(handle, console, draining, &waiting, has_time) }
}

/// Sets the weights to 0 once all of the destinations are known to be there.
fn begin(
    handle: &Handle,
    console: &mut Console,
    service: &ServiceId,
    destinations: &[DestinationId],
) -> Result<Vec<Waiting>, Failure> {
    let entries = list(handle, service)?;
    let mut waiting: Vec<Waiting> = Vec::new();
    for id in destinations {
        let Some(entry) = entries.iter().find(|entry| entry.id() == *id) else {
            let has_service = handle.get_service(service).map_err(|error| Failure::query("service", &error))?.is_some();
            return Err(set::missing(WHAT, service, has_service.then_some(id)));
        };
        if waiting.iter().all(|known| known.id != *id) {
            waiting.push(Waiting { id: *id, weight: entry.destination.weight, left: 0 });
        }
    }
    for Waiting { id, .. } in &waiting {
        set::set_weight(handle, console, &Place { service: *service, destination: *id }, Weight::ZERO)?;
    }
    Ok(waiting)
}

/// Counts the connections that are left, and returns the destinations that have none.
fn look(
    handle: &Handle,
    service: &ServiceId,
    wait: WaitFor,
    waiting: &mut Vec<Waiting>,
) -> Result<Vec<DestinationId>, Failure> {
    let entries = list(handle, service)?;
    for destination in waiting.iter_mut() {
        let entry = entries.iter().find(|entry| entry.id() == destination.id);
        // One that somebody has deleted has none.
        destination.left = entry.map_or(0, |entry| wait.count(entry.active_connections, entry.inactive_connections));
    }
    let finished = waiting.iter().filter(|destination| destination.left == 0).map(|destination| destination.id);
    let finished = finished.collect();
    waiting.retain(|destination| destination.left > 0);
    Ok(finished)
}

fn list(handle: &Handle, service: &ServiceId) -> Result<Vec<DestinationEntry>, Failure> {
    handle.get_destinations(service).map_err(|error| Failure::query("destinations", &error))
}

fn progress(waiting: &[Waiting], left: Duration) -> String {
    let connections: u64 = waiting.iter().map(|destination| u64::from(destination.left)).sum();
    let destinations = match waiting {
        [one] => one.id.to_string(),
        several => format!("{} destinations", several.len()),
    };
    format!("draining {destinations}: {connections} connections, {} s left", left.as_secs())
}

/// Does with the rest what is to be done when the time is over.
fn give_up(
    handle: &Handle,
    console: &mut Console,
    draining: &Draining<'_>,
    waiting: &[Waiting],
    has_time: bool,
) -> Result<(), Failure> {
    let Draining { service, drain, .. } = draining;
    let why = if has_time { format!("after {:?}", drain.timeout) } else { "when it was interrupted".to_owned() };
    let mut lines = Vec::new();
    for Waiting { id, weight, left } in waiting {
        let place = Place { service: *service, destination: *id };
        let what = match drain.on_timeout {
            OnTimeout::Delete => {
                remove(handle, console, service, id)?;
                "it was deleted with them".to_owned()
            }
            OnTimeout::Fail => {
                set::set_weight(handle, console, &place, *weight)?;
                format!("it has its weight {} again", weight.get())
            }
            _ => "it stays with weight 0; wait longer with --timeout, or give it its weight back with ipvsctl undrain"
                .to_owned(),
        };
        lines.push(format!(
            "Destination {id} of service {} still had {left} connections {why}: {what}",
            service_text(service)
        ));
    }
    if drain.on_timeout == OnTimeout::Delete {
        for line in &lines {
            console.warning(line);
        }
        return Ok(());
    }
    Err(Failure::new(Exit::Drain, lines.join("\n")))
}

fn remove(handle: &Handle, console: &mut Console, service: &ServiceId, id: &DestinationId) -> Result<(), Failure> {
    handle
        .remove_destination(service, id)
        .map_err(|error| set::refused("Unable to delete", &error, &Place { service: *service, destination: *id }))?;
    console.info(&format!("Deleted destination {id} of service {}", service_text(service)));
    Ok(())
}

/// Says what a wait cannot be relied on for.
pub fn warn(handle: &Handle, console: &mut Console, procfs: &Procfs, draining: &Draining<'_>) -> Result<(), Failure> {
    let Draining { service, drain, .. } = draining;
    if drain.wait == WaitFor::Active && address::is_udp(service) {
        console.warning("All connections of UDP count as inactive: nothing is waited for without --wait all");
    }
    let entry = handle.get_service(service).map_err(|error| Failure::query("service", &error))?;
    let is_persistent = entry.is_some_and(|entry| entry.service.persistence.is_some());
    let expires = procfs.get_sysctl(Sysctl::ExpireQuiescentTemplate);
    if is_persistent && expires.is_ok_and(|value| value == SysctlValue::Number(0)) {
        console.warning(
            "The service is persistent: clients that it knows come back to a drained destination as long as the sysctl \
             net.ipv4.vs.expire_quiescent_template is 0",
        );
    }
    Ok(())
}

/// Gives a destination a weight again.
pub fn undrain(handle: &Handle, console: &mut Console, place: &Place, weight: Weight) -> Result<(), Failure> {
    let undrained = |error: Error| set::refused("Unable to undrain", &error, place);
    handle
        .modify_destination(&place.service, &place.destination, |destination| destination.weight = weight)
        .map_err(undrained)?;
    let Place { service, destination } = place;
    console.info(&format!("Updated weight to {} for service {}/{destination}", weight.get(), service_text(service)));
    Ok(())
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests {
    use ipvs_rs::testing::{FakeKernel, Traffic};
    use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};

    use super::*;
    use crate::pace::Scripted;

    const SERVICE: &str = "tcp://192.0.2.10:80";

    struct World {
        kernel: FakeKernel,
        service: ServiceId,
        servers: Vec<DestinationId>,
    }

    /// A service with two servers of weight 7, both with two connections.
    fn world() -> World {
        let kernel = FakeKernel::new();
        let (handle, service) = (kernel.handle().unwrap(), SERVICE.parse().unwrap());
        handle.new_service(&Service::new(service, Scheduler::Wlc)).unwrap();
        let servers: Vec<DestinationId> = ["10.0.0.2:80", "10.0.0.3:80"].map(|server| server.parse().unwrap()).into();
        for server in &servers {
            let destination = Destination::new(*server, ForwardMethod::Masquerade).weight(7).unwrap();
            handle.new_destination(&service, &destination).unwrap();
            kernel.carry(&service, server, Traffic::new().opened(2)).unwrap();
        }
        World { kernel, service, servers }
    }

    impl World {
        fn drain(&self, pace: &mut Scripted<'_>, drain: Drain, delete: bool) -> (Result<(), Failure>, String) {
            let mut console = Console::memory(1);
            let draining = Draining { service: self.service, destinations: &self.servers, drain, delete };
            let done = super::drain(&self.kernel.handle().unwrap(), &mut console, pace, &draining);
            (done, console.taken().1)
        }

        fn weights(&self) -> Vec<u32> {
            let handle = self.kernel.handle().unwrap();
            let entry = |server| handle.get_destination(&self.service, server).unwrap();
            self.servers.iter().filter_map(entry).map(|entry| entry.destination.weight.get()).collect()
        }

        fn close(&self, server: usize) {
            let traffic = Traffic::new().closed(2);
            self.kernel.carry(&self.service, &self.servers[server], traffic).unwrap();
        }
    }

    #[test]
    fn connections_are_waited_for() {
        let world = world();
        let mut pace = Scripted::new().meanwhile(|now| match now.as_millis() {
            1000 => world.close(0),
            2000 => world.close(1),
            _ => {}
        });
        let (done, log) = world.drain(&mut pace, Drain::new(Duration::from_secs(60)), false);
        assert_eq!(done, Ok(()));
        assert_eq!(pace.elapsed, Duration::from_secs(2));
        assert_eq!(world.weights(), [0, 0]);
        assert_eq!(
            log.lines().collect::<Vec<_>>(),
            [
                "INFO Updated weight to 0 for service tcp://192.0.2.10:80/10.0.0.2:80",
                "INFO Updated weight to 0 for service tcp://192.0.2.10:80/10.0.0.3:80",
                "INFO Destination 10.0.0.2:80 of service tcp://192.0.2.10:80 has no connections",
                "INFO Destination 10.0.0.3:80 of service tcp://192.0.2.10:80 has no connections",
            ]
        );
    }

    #[test]
    fn drained_destination_is_deleted_while_others_are_waited_for() {
        let world = world();
        world.close(0);
        let mut pace = Scripted::new().meanwhile(|now| {
            assert_eq!(world.weights(), [0], "{now:?}");
            if now >= Duration::from_secs(1) {
                world.close(1);
            }
        });
        let (done, _) = world.drain(&mut pace, Drain::new(Duration::from_secs(60)), true);
        assert_eq!((done, world.weights()), (Ok(()), vec![]));
    }

    #[test]
    fn end_of_the_time_has_three_ways() {
        for (on_timeout, exit, weights) in [
            (OnTimeout::Keep, Some(Exit::Drain), vec![0, 0]),
            (OnTimeout::Fail, Some(Exit::Drain), vec![7, 7]),
            (OnTimeout::Delete, None, vec![]),
        ] {
            let world = world();
            let mut pace = Scripted::new();
            let drain = Drain::new(Duration::from_secs(3)).on_timeout(on_timeout);
            let (done, log) = world.drain(&mut pace, drain, true);
            let said = done.as_ref().err().map_or(log, |failure| failure.message.clone());
            assert_eq!(done.err().map(|failure| failure.exit), exit, "{on_timeout:?}");
            assert_eq!(world.weights(), weights, "{on_timeout:?}");
            assert_eq!(pace.elapsed, Duration::from_secs(3));
            assert!(said.contains("still had 2 connections after 3s"), "{said}");
        }
    }

    #[test]
    fn interrupt_is_the_end_of_the_time() {
        let world = world();
        let mut pace = Scripted { ends_at: Some(Duration::from_secs(1)), ..Scripted::new() };
        let drain = Drain::new(Duration::from_secs(60)).on_timeout(OnTimeout::Fail);
        let (done, _) = world.drain(&mut pace, drain, false);
        let failure = done.unwrap_err();
        assert!(failure.message.contains("when it was interrupted"), "{}", failure.message);
        assert_eq!(world.weights(), [7, 7]);
    }

    #[test]
    fn missing_destination_leaves_all_weights() {
        let mut world = world();
        world.servers.push("10.0.0.9:80".parse().unwrap());
        let (done, _) = world.drain(&mut Scripted::new(), Drain::new(Duration::ZERO), false);
        let failure = done.unwrap_err();
        assert_eq!(failure.exit, Exit::Set);
        assert!(failure.message.contains("Destination 10.0.0.9:80 of service tcp://192.0.2.10:80 not found"));
        assert_eq!(world.weights(), [7, 7]);
    }

    #[test]
    fn undrained_destination_has_its_weight() {
        let world = world();
        let handle = world.kernel.handle().unwrap();
        let place = Place { service: world.service, destination: world.servers[0] };
        undrain(&handle, &mut Console::memory(0), &place, Weight::new(3).unwrap()).unwrap();
        assert_eq!(world.weights(), [3, 7]);
    }
}
