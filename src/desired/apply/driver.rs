use std::thread;
use std::time::{Duration, Instant};

use super::applier::Applier;
use super::drain::Drains;
use super::error::ApplyError;
use super::observer::Observer;
use super::options::ApplyOptions;
use super::report::Report;
use super::step::Step;
use crate::Handle;
use crate::desired::plan::Plan;

/// The longest time until an interrupt is noticed.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Carries out a plan.
///
/// An empty plan sends nothing. The plan should be made for the current table: changes since then are handled as
/// described at the [top of this module](super#changes-by-other-programs).
///
/// Other programs that write to the table should be kept away meanwhile, see [`Lock`](crate::desired::Lock).
///
/// # Errors
///
/// When the plan is [refused](ApplyError::is_refused), with nothing sent; when an operation failed, in the end; when it
/// was [interrupted](super::Cause::Interrupted), and when the table is not [what the plan
/// promised](ApplyError::is_raced): the error then tells the state of the rest.
pub fn apply(
    handle: &Handle,
    plan: &Plan,
    options: &ApplyOptions,
    observer: &mut dyn Observer,
) -> Result<Report, ApplyError> {
    drive(&mut Applier::new(plan, options), handle, observer, &mut wait)
}

/// Carries out a plan, but does not wait for connections: destinations that drain stay in `drains`, which the next plan
/// takes over. [`Report::pending`] counts their operations. An interrupt does not cut their connections off.
///
/// # Errors
///
/// Those of [`apply`].
pub fn apply_beside(
    handle: &Handle,
    plan: &Plan,
    options: &ApplyOptions,
    drains: &mut Drains,
    observer: &mut dyn Observer,
) -> Result<Report, ApplyError> {
    let mut applier = Applier::new(plan, options).beside(drains.clone());
    let result = drive(&mut applier, handle, observer, &mut wait);
    *drains = applier.take_drains();
    result
}

fn wait(time: Duration) -> Instant {
    if !time.is_zero() {
        thread::sleep(time);
    }
    Instant::now()
}

/// Turns the steps of an applier into calls of a handle until the plan is done.
///
/// `wait` lets at most this much time pass, and returns the time afterwards; in a test it returns at once.
///
/// # Errors
///
/// Those of [`apply`].
pub fn drive(
    applier: &mut Applier<'_>,
    handle: &Handle,
    observer: &mut dyn Observer,
    wait: &mut dyn FnMut(Duration) -> Instant,
) -> Result<Report, ApplyError> {
    let mut time = Duration::ZERO;
    loop {
        let now = wait(std::mem::take(&mut time));
        match applier.next(now) {
            Step::Send(commands) => {
                let answer = commands.send(handle, || observer.interrupt());
                applier.feed(answer);
            }
            Step::Read(question) => applier.feed(question.ask(handle)),
            Step::WaitUntil(until) => {
                time = until.saturating_duration_since(now).min(POLL_INTERVAL);
                applier.interrupt(observer.interrupt());
            }
            Step::Progress(progress) => observer.progress(&progress),
            Step::Done(result) => return result,
        }
    }
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::{Applier, ApplyError, ApplyOptions, Drains, Observer, POLL_INTERVAL, Plan, Report, Step};
    use crate::AsyncHandle;

    /// Carries out a plan, as [`apply`](super::apply) does.
    ///
    /// Dropping the future leaves the plan half done.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](super::apply).
    #[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
    pub async fn apply_async(
        handle: &AsyncHandle,
        plan: &Plan,
        options: &ApplyOptions,
        observer: &mut (dyn Observer + Send),
    ) -> Result<Report, ApplyError> {
        drive_async(&mut Applier::new(plan, options), handle, observer).await
    }

    /// Carries out a plan without waiting for connections, as [`apply_beside`](super::apply_beside) does.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](super::apply).
    #[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
    pub async fn apply_beside_async(
        handle: &AsyncHandle,
        plan: &Plan,
        options: &ApplyOptions,
        drains: &mut Drains,
        observer: &mut (dyn Observer + Send),
    ) -> Result<Report, ApplyError> {
        let mut applier = Applier::new(plan, options).beside(drains.clone());
        let result = drive_async(&mut applier, handle, observer).await;
        *drains = applier.take_drains();
        result
    }

    /// Turns the steps of an applier into calls of an async handle until the plan is done. Uses the clock of tokio.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](super::apply).
    #[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
    pub async fn drive_async(
        applier: &mut Applier<'_>,
        handle: &AsyncHandle,
        observer: &mut (dyn Observer + Send),
    ) -> Result<Report, ApplyError> {
        loop {
            let now = tokio::time::Instant::now().into_std();
            match applier.next(now) {
                Step::Send(commands) => {
                    let answer = commands.send_async(handle, || observer.interrupt()).await;
                    applier.feed(answer);
                }
                Step::Read(question) => applier.feed(question.ask_async(handle).await),
                Step::WaitUntil(until) => {
                    tokio::time::sleep(until.saturating_duration_since(now).min(POLL_INTERVAL)).await;
                    applier.interrupt(observer.interrupt());
                }
                Step::Progress(progress) => observer.progress(&progress),
                Step::Done(result) => return result,
            }
        }
    }
}

#[cfg(feature = "tokio")]
pub use on_tokio::{apply_async, apply_beside_async, drive_async};
