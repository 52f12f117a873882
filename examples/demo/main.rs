//! A virtual service at work: two web servers behind a director, a client that never pauses, and a server that is
//! removed meanwhile without a single failed request; over IPv4 and then over IPv6.
//!
//! `cargo xtask demo` runs it in a virtual machine. On a host with IPVS: `cargo run --example demo --features yaml`, as root. It lives
//! in three network namespaces of its own, which are gone afterwards, and leaves the host's own table alone.
//!
//! Every claim is checked. The last line says whether all of them held, and so does the exit status.

mod client;
mod network;
mod report;
mod scenario;
mod table;
mod web;

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use network::Lab;
use report::{Report, say};
use scenario::Scenario;

/// A failure is printed, not handled: one line of text is enough.
type DemoResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    if let Err(error) = network::check_tools() {
        report::complain(&format!("error: {error}"));
        return ExitCode::FAILURE;
    }
    let begin = Instant::now();
    let mut report = Report::default();
    // A panic must not keep the last line from being printed; the lab cleans up after itself either way.
    let told = catch_unwind(AssertUnwindSafe(|| tell(&mut report)));
    let failure = match told {
        Ok(Ok(requests)) => {
            say(&format!("It took {:.1} s.", begin.elapsed().as_secs_f64()));
            say(&format!(
                "demo: all {} checks held (IPv4 and IPv6, {requests} requests, 0 failed)",
                report.checks_held()
            ));
            return ExitCode::SUCCESS;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a panic, see above".to_owned(),
    };
    say(&format!("demo: FAILED: {}", failure.trim().replace('\n', "; ")));
    ExitCode::FAILURE
}

/// Runs the whole scenario; returns how many requests were answered.
fn tell(report: &mut Report) -> DemoResult<u64> {
    let lab = Lab::build()?;
    say("Three network namespaces in a row, joined by veth, made with `ip`:");
    say(&lab.to_string());

    let mut requests = 0;
    for place in network::NETWORKS {
        requests += Scenario::begin(&lab, &place)?.tell(report)?;
    }

    report.step("Clean up.");
    let gone = lab.remove()?;
    report.check(gone, "the three namespaces are gone")?;
    Ok(requests)
}
