//! `set`, `zero`: change one setting and leave the rest.

use std::time::Duration;

use ipvs_rs::desired::apply::{ApplyOptions, OnError, OnRace, apply};
use ipvs_rs::desired::plan::{Change, Object, Operation, Plan};
use ipvs_rs::desired::service_text;
use ipvs_rs::error::Errno;
use ipvs_rs::model::{Config, InvalidValue, SchedulerFlags, Thresholds, Weight};
use ipvs_rs::{Destination, DestinationId, Error, Handle, Scheduler, ServiceId};

use crate::clock::Clock;
use crate::failure::{Failure, failure};
use crate::place::Place;
use crate::session::Session;

/// The beginning of failures to set a weight, and to restore one.
pub const WEIGHT: &str = "Unable to set new weight";
pub const UNDRAIN: &str = "Unable to undrain";

/// Sets a weight at once.
pub fn set_weight(session: &mut Session<'_>, what: &str, place: &Place, weight: Weight) -> Result<(), Failure> {
    change_destination(&session.handle, what, place, |destination| destination.weight = weight)?;
    session.console.info(&format!("Updated weight to {} for service {}", weight.get(), place.text()));
    Ok(())
}

/// Sets a weight in steps of a second.
pub fn ramp_weight(
    session: &mut Session<'_>,
    clock: &mut impl Clock,
    place: &Place,
    (target, seconds): (Weight, u32),
) -> Result<(), Failure> {
    if seconds < 2 {
        return set_weight(session, WEIGHT, place, target);
    }
    let from = destination(&session.handle, WEIGHT, place)?.weight;
    let (begin, mut now) = (clock.elapsed(), from);
    for step in 1..=u64::from(seconds) {
        if !clock.wait_until(begin + Duration::from_secs(step)) {
            let (from, to, now) = (from.get(), target.get(), now.get());
            return Err(failure!(
                Set,
                "{WEIGHT}: interrupted on the way from {from} to {to}: {} has weight {now} now; run the same command again to \
                 go on from there",
                place.text()
            ));
        }
        // A slow kernel does not delay the rest: steps are counted in time, not in turns.
        let passed = clock.elapsed().saturating_sub(begin).as_secs().clamp(step, seconds.into());
        now = between(from, target, passed, seconds.into());
        change_destination(&session.handle, WEIGHT, place, |destination| destination.weight = now)?;
        let text = format!("Updated weight {} [elapsed {passed}s] for service {}", now.get(), place.text());
        session.console.info(&text);
        if passed >= u64::from(seconds) {
            break;
        }
    }
    Ok(())
}

/// The weight after a part of the time, rounded towards zero.
fn between(from: Weight, to: Weight, passed: u64, whole: u64) -> Weight {
    let (from, to) = (i128::from(from.get()), i128::from(to.get()));
    let weight = from + (to - from) * i128::from(passed) / i128::from(whole.max(1));
    // A value between two weights is a valid weight.
    u32::try_from(weight).ok().and_then(|weight| Weight::new(weight).ok()).unwrap_or_default()
}

/// A destination as it is in the table.
fn destination(handle: &Handle, what: &str, place: &Place) -> Result<Destination, Failure> {
    let Place { service, destination } = place;
    let refused = |error| refused(what, &error, Some(*service), Some(*destination));
    if let Some(entry) = handle.get_destination(service, destination).map_err(refused)? {
        return Ok(entry.destination);
    }
    let found = handle.get_service(service).map_err(refused)?;
    Err(missing(what, *service, found.map(|_| *destination)))
}

/// Changes settings of a destination and keeps the rest.
fn change_destination(
    handle: &Handle,
    what: &str,
    place: &Place,
    change: impl FnOnce(&mut Destination),
) -> Result<(), Failure> {
    let before = destination(handle, what, place)?;
    let mut after = before.clone();
    change(&mut after);
    carry_out(handle, what, Operation::of_destination(place.service, Change::update(before, after)))
}

/// Carries out a single change of an existing object; an object that was deleted meanwhile is not made again.
fn carry_out(handle: &Handle, what: &str, operation: Operation) -> Result<(), Failure> {
    let (service, destination) = (operation.service(), operation.destination());
    let options = ApplyOptions::new().on_error(OnError::Stop).on_race(OnRace::Fail);
    let applied = apply(handle, &Plan::of(vec![operation]), &options, &mut ());
    applied.map(drop).map_err(|error| match error.kernel_error() {
        Some(error) => refused(what, error, service, destination),
        None => failure!(Set, "{what}: {error}"),
    })
}

/// Sets the limits of connections.
pub fn set_thresholds(session: &mut Session<'_>, place: &Place, (upper, lower): (u32, u32)) -> Result<(), Failure> {
    if upper == 0 && lower > 0 {
        return Err(failure!(Value, "Invalid thresholds: a lower one needs an upper one: --upper N"));
    }
    let thresholds = Thresholds::with_upper(upper).and_then(|thresholds| match lower {
        0 => Ok(thresholds),
        lower => thresholds.with_lower(lower),
    });
    let thresholds = thresholds.map_err(|error| failure!(Value, "Invalid thresholds: {error}"))?;
    let what = "Unable to set new thresholds";
    change_destination(&session.handle, what, place, |destination| destination.thresholds = thresholds)?;
    session.console.info(&format!("Updated thresholds to {upper} and {lower} for service {}", place.text()));
    Ok(())
}

/// Sets the scheduler of a service, and its flags if there are any to set.
///
/// Flags have a meaning only to their scheduler: another scheduler clears them, unless they are set.
pub fn set_scheduler(
    session: &mut Session<'_>,
    service: &ServiceId,
    (scheduler, flags): (&str, Option<&str>),
) -> Result<(), Failure> {
    const WHAT: &str = "Unable to set new scheduler";
    let scheduler = Scheduler::from_name(scheduler).map_err(|error| failure!(Value, "Invalid scheduler: {error}"))?;
    let flags = flags.map(|flags| read_flags(flags, &scheduler)).transpose()?;
    let entry = session.handle.get_service(service).map_err(|error| refused(WHAT, &error, Some(*service), None))?;
    let before = entry.ok_or_else(|| missing(WHAT, *service, None))?.service;
    let mut after = before.clone();
    after.scheduler = scheduler;
    match flags {
        Some(flags) => after.scheduler_flags = flags,
        None if before.scheduler != scheduler => after.scheduler_flags = SchedulerFlags::empty(),
        None => {}
    }
    carry_out(&session.handle, WHAT, Operation::of_service(Change::update(before, after), Vec::new()))?;
    session.console.info(&format!("Updated scheduler to {scheduler} for service {}", service_text(service)));
    Ok(())
}

/// `fallback` and `port` as files have them, and the words of ipvsadm.
fn read_flags(list: &str, scheduler: &Scheduler) -> Result<SchedulerFlags, Failure> {
    let words = list.split(',').map(|word| match word.trim() {
        word @ ("fallback" | "port") => format!("{}-{word}", scheduler.name()),
        word => word.to_owned(),
    });
    SchedulerFlags::from_notation(&words.collect::<Vec<_>>().join(","), scheduler)
        .map_err(|error| failure!(Value, "Invalid scheduler flags: {error}"))
}

/// Sets timeouts; those that are not given stay.
pub fn set_timeouts(session: &mut Session<'_>, timeouts: [Option<Duration>; 3]) -> Result<(), Failure> {
    const WHAT: &str = "Unable to set new timeouts";
    type Setter = fn(Config, Duration) -> Result<Config, InvalidValue>;
    let setters: [(&str, Setter); 3] = [("tcp", Config::tcp), ("tcpfin", Config::tcp_fin), ("udp", Config::udp)];
    let given = || setters.into_iter().zip(timeouts).filter_map(|(setter, timeout)| Some((setter, timeout?)));
    let config = given().try_fold(Config::new(), |config, ((_, set), timeout)| set(config, timeout));
    let config = config.map_err(|error| failure!(Value, "Invalid timeout: {error}"))?;
    let before = session.handle.get_config().map_err(|error| Failure::set(WHAT, &error))?;
    carry_out(&session.handle, WHAT, Operation::new(Object::Timeouts(Change::update(before, config))))?;
    for ((name, _), timeout) in given() {
        session.console.info(&format!("Updated timeout of {name} to {}s", timeout.as_secs()));
    }
    Ok(())
}

/// Sets counters to zero.
pub fn zero(session: &mut Session<'_>, service: Option<&ServiceId>) -> Result<(), Failure> {
    const WHAT: &str = "Unable to set counters to zero";
    let handle = &session.handle;
    let done = service.map_or_else(|| handle.zero_all(), |service| handle.zero_service(service));
    done.map_err(|error| refused(WHAT, &error, service.copied(), None))?;
    session.console.info(&match service {
        Some(service) => format!("Set counters to zero for service {}", service_text(service)),
        None => "Set all counters to zero".to_owned(),
    });
    Ok(())
}

/// The failure of a change that the kernel refused: of counters, of a service, or of a destination of one.
pub fn refused(what: &str, error: &Error, service: Option<ServiceId>, destination: Option<DestinationId>) -> Failure {
    match service.filter(|_| error.is_not_found()) {
        Some(service) => missing(what, service, destination.filter(|_| error.errno() != Some(Errno::ESRCH))),
        None => Failure::set(what, error),
    }
}

/// There is no such service, or it has no such destination.
pub fn missing(what: &str, service: ServiceId, destination: Option<DestinationId>) -> Failure {
    let service = service_text(&service);
    let missing = match destination {
        Some(destination) => format!("Destination {destination} of service {service}"),
        None => format!("Service {service}"),
    };
    failure!(Set, "{what}: Unable to set new value: {missing} not found in active ipvs configuration. Try ipvsctl get")
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
