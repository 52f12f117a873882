//! `set`, `zero`: one thing changes, the rest stays.

use std::time::Duration;

use ipvs_rs::desired::apply::{ApplyOptions, OnError, OnRace, apply};
use ipvs_rs::desired::plan::Change;
use ipvs_rs::desired::{Operation, Plan, service_text};
use ipvs_rs::error::{Errno, Error};
use ipvs_rs::model::{Config, InvalidValue, SchedulerFlags, Thresholds, Weight};
use ipvs_rs::{Destination, DestinationId, Handle, Scheduler, ServiceId};

use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::pace::Pace;

/// A destination in the table.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub service: ServiceId,
    pub destination: DestinationId,
}

impl Place {
    /// Its service and itself, as messages have them.
    pub fn text(&self) -> String {
        format!("{}/{}", service_text(&self.service), self.destination)
    }
}

/// Reads the weight of `set weight`.
pub fn weight(text: &str) -> Result<Weight, Failure> {
    text.parse::<u16>().map(Weight::from).map_err(|_unsaid| {
        Failure::new(Exit::Value, format!("Invalid weight: \"{}\" is no number from 0 to 65535", text.escape_debug()))
    })
}

/// Reads any weight that the kernel takes.
pub fn any_weight(text: &str) -> Result<Weight, Failure> {
    text.parse().ok().and_then(|number| Weight::new(number).ok()).ok_or_else(|| {
        let text = text.escape_debug();
        Failure::new(Exit::Value, format!("Invalid weight: \"{text}\" is no number from 0 to 2147483647"))
    })
}

/// Sets a weight at once.
pub fn set_weight(handle: &Handle, console: &mut Console, place: &Place, weight: Weight) -> Result<(), Failure> {
    change_weight(handle, place, weight)?;
    console.info(&format!("Updated weight to {} for service {}", weight.get(), place.text()));
    Ok(())
}

/// Sets a weight in steps of a second.
pub fn ramp_weight(
    handle: &Handle,
    console: &mut Console,
    pace: &mut impl Pace,
    place: &Place,
    (target, seconds): (Weight, u32),
) -> Result<(), Failure> {
    if seconds < 2 {
        return set_weight(handle, console, place, target);
    }
    let before = destination(handle, WEIGHT, place)?;
    let (from, begin) = (before.weight, pace.elapsed());
    let mut now = from;
    for step in 1..=u64::from(seconds) {
        if !pace.wait_until(begin + Duration::from_secs(step)) {
            return Err(Failure::new(
                Exit::Set,
                format!(
                    "{WEIGHT}: interrupted on the way from {} to {}: {} has weight {} now; run the same command again to \
                     go on from there",
                    from.get(),
                    target.get(),
                    place.text(),
                    now.get()
                ),
            ));
        }
        // A kernel that took long is made up for: steps are counted in time, not in turns.
        let passed = pace.elapsed().saturating_sub(begin).as_secs().clamp(step, seconds.into());
        let next = between(from, target, passed, seconds.into());
        change_weight(handle, place, next)?;
        now = next;
        console.info(&format!("Updated weight {} [elapsed {passed}s] for service {}", now.get(), place.text()));
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
    // Between two weights there are only weights.
    u32::try_from(weight).ok().and_then(|weight| Weight::new(weight).ok()).unwrap_or_default()
}

fn change_weight(handle: &Handle, place: &Place, weight: Weight) -> Result<(), Failure> {
    change_destination(handle, WEIGHT, place, |destination| destination.weight = weight)
}

/// A destination as it is.
fn destination(handle: &Handle, what: &str, place: &Place) -> Result<Destination, Failure> {
    let entry =
        handle.get_destination(&place.service, &place.destination).map_err(|error| refused(what, &error, place))?;
    if let Some(entry) = entry {
        return Ok(entry.destination);
    }
    let service = handle.get_service(&place.service).map_err(|error| refused(what, &error, place))?;
    Err(missing(what, &place.service, service.map(|_| &place.destination)))
}

/// Changes settings of a destination and keeps the rest.
pub fn change_destination(
    handle: &Handle,
    what: &str,
    place: &Place,
    change: impl FnOnce(&mut Destination),
) -> Result<(), Failure> {
    let before = destination(handle, what, place)?;
    let mut after = before.clone();
    change(&mut after);
    carry_out(handle, what, Operation::of_destination(place.service, Change::update(before, after)), |error| {
        refused(what, error, place)
    })
}

/// Carries a single change of what is there out; nothing is made that has gone meanwhile.
fn carry_out(
    handle: &Handle,
    what: &str,
    operation: Operation,
    refused: impl FnOnce(&Error) -> Failure,
) -> Result<(), Failure> {
    let options = ApplyOptions::new().on_error(OnError::Stop).on_race(OnRace::Fail);
    match apply(handle, &Plan::of(vec![operation]), &options, &mut ()) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kernel_error() {
            Some(error) => refused(error),
            None => Failure::new(Exit::Set, format!("{what}: {error}")),
        }),
    }
}

/// Sets the limits of connections.
pub fn set_thresholds(
    handle: &Handle,
    console: &mut Console,
    place: &Place,
    (upper, lower): (u32, u32),
) -> Result<(), Failure> {
    let invalid = |error: InvalidValue| Failure::new(Exit::Value, format!("Invalid thresholds: {error}"));
    let thresholds = if (upper, lower) == (0, 0) {
        Thresholds::default()
    } else if upper == 0 {
        return Err(Failure::new(Exit::Value, "Invalid thresholds: a lower one needs an upper one: --upper N"));
    } else {
        let thresholds = Thresholds::with_upper(upper).map_err(invalid)?;
        if lower == 0 { thresholds } else { thresholds.with_lower(lower).map_err(invalid)? }
    };
    change_destination(handle, "Unable to set new thresholds", place, |it| it.thresholds = thresholds)?;
    console.info(&format!("Updated thresholds to {upper} and {lower} for service {}", place.text()));
    Ok(())
}

/// Sets the scheduler of a service, and its flags if there are any to set.
///
/// Flags have a meaning only to their scheduler: with another one they are gone, unless they are set.
pub fn set_scheduler(
    handle: &Handle,
    console: &mut Console,
    service: &ServiceId,
    (scheduler, flags): (&str, Option<&str>),
) -> Result<(), Failure> {
    const WHAT: &str = "Unable to set new scheduler";
    let scheduler = Scheduler::from_name(scheduler)
        .map_err(|error| Failure::new(Exit::Value, format!("Invalid scheduler: {error}")))?;
    let flags = flags.map(|flags| read_flags(flags, &scheduler)).transpose()?;
    let refused = |error: &Error| refused_of_service(WHAT, error, service);
    let entry = handle.get_service(service).map_err(|error| refused(&error))?;
    let before = entry.ok_or_else(|| missing(WHAT, service, None))?.service;
    let mut after = before.clone();
    after.scheduler = scheduler;
    match flags {
        Some(flags) => after.scheduler_flags = flags,
        None if before.scheduler != scheduler => after.scheduler_flags = SchedulerFlags::empty(),
        None => {}
    }
    carry_out(handle, WHAT, Operation::of_service(Change::update(before, after), Vec::new()), refused)?;
    console.info(&format!("Updated scheduler to {scheduler} for service {}", service_text(service)));
    Ok(())
}

/// `fallback` and `port` as files have them, and the words of ipvsadm.
fn read_flags(list: &str, scheduler: &Scheduler) -> Result<SchedulerFlags, Failure> {
    let prefix = scheduler.name();
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    let words: Vec<String> = words
        .map(|word| if matches!(word, "fallback" | "port") { format!("{prefix}-{word}") } else { word.to_owned() })
        .collect();
    if words.is_empty() {
        return Ok(SchedulerFlags::empty());
    }
    SchedulerFlags::from_notation(&words.join(","), scheduler)
        .map_err(|error| Failure::new(Exit::Value, format!("Invalid scheduler flags: {error}")))
}

/// Sets time-outs; what is not set stays.
pub fn set_timeouts(handle: &Handle, console: &mut Console, timeouts: [Option<Duration>; 3]) -> Result<(), Failure> {
    const WHAT: &str = "Unable to set new time-outs";
    let mut config = Config::new();
    let [tcp, tcp_fin, udp] = timeouts;
    let invalid = |error: InvalidValue| Failure::new(Exit::Value, format!("Invalid time-out: {error}"));
    if let Some(timeout) = tcp {
        config = config.tcp(timeout).map_err(invalid)?;
    }
    if let Some(timeout) = tcp_fin {
        config = config.tcp_fin(timeout).map_err(invalid)?;
    }
    if let Some(timeout) = udp {
        config = config.udp(timeout).map_err(invalid)?;
    }
    let before = handle.get_config().map_err(|error| failed(WHAT, &error))?;
    let change = Operation::timeouts(Change::update(before, config));
    carry_out(handle, WHAT, change, |error| failed(WHAT, error))?;
    for (name, timeout) in [("tcp", tcp), ("tcpfin", tcp_fin), ("udp", udp)] {
        if let Some(timeout) = timeout {
            console.info(&format!("Updated time-out of {name} to {}s", timeout.as_secs()));
        }
    }
    Ok(())
}

/// Sets counters to zero.
pub fn zero(handle: &Handle, console: &mut Console, service: Option<&ServiceId>) -> Result<(), Failure> {
    const WHAT: &str = "Unable to set counters to zero";
    handle.zero(service).map_err(|error| match service {
        Some(service) => refused_of_service(WHAT, &error, service),
        None => failed(WHAT, &error),
    })?;
    match service {
        Some(service) => console.info(&format!("Set counters to zero for service {}", service_text(service))),
        None => console.info("Set all counters to zero"),
    }
    Ok(())
}

const WEIGHT: &str = "Unable to set new weight";

/// What is said when a change of a destination was refused.
pub fn refused(what: &str, error: &Error, place: &Place) -> Failure {
    match error.errno() {
        Some(Errno::ESRCH) => missing(what, &place.service, None),
        Some(Errno::ENOENT) if error.is_not_found() => missing(what, &place.service, Some(&place.destination)),
        _ => failed(what, error),
    }
}

fn refused_of_service(what: &str, error: &Error, service: &ServiceId) -> Failure {
    if error.is_not_found() { missing(what, service, None) } else { failed(what, error) }
}

fn failed(what: &str, error: &Error) -> Failure {
    if error.is_permission_denied() {
        return Failure::query("services", error);
    }
    Failure::set(what, error)
}

/// There is no such service, or it has no such destination.
pub fn missing(what: &str, service: &ServiceId, destination: Option<&DestinationId>) -> Failure {
    let what_is_missing = match destination {
        Some(destination) => format!("Destination {destination}"),
        None => format!("Service {}", service_text(service)),
    };
    let whose = destination.map(|_| format!(" of service {}", service_text(service))).unwrap_or_default();
    Failure::new(
        Exit::Set,
        format!(
            "{what}: Unable to set new value: {what_is_missing}{whose} not found in active ipvs configuration. Try \
             ipvsctl get"
        ),
    )
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
