//! The calls in the transcripts of `tests/golden/transcripts`: every command, for IPv4, IPv6 and marks, with refusals.
//!
//! A scenario is a few calls of a handle. `cargo xtask golden` records the scenarios with real kernels; `tests/fake` says the
//! recordings again, and lets the kernel in memory run the same scenarios.

mod calls;
mod canonical;

use std::fmt::Display;

use ipvs_rs::testing::Recorder;
use ipvs_rs::transport::Transport;
use ipvs_rs::{Error, Handle};

use canonical::Canonical;

/// The one interface that daemons find, with packets of 1500 bytes.
pub const INTERFACE: &str = "eth1";

/// Where a scenario is played.
pub struct Client<'a> {
    handle: Handle,
    results: Vec<String>,
    /// Lets a daemon come to its work. One that is stopped before may stop without a word, or not.
    pause: &'a dyn Fn(),
}

type Scenario = fn(&mut Client<'_>);

/// Every scenario by name.
pub const SCENARIOS: [(&str, Scenario); 10] = [
    ("services-ipv4", calls::services_of_ipv4),
    ("services-ipv6", calls::services_of_ipv6),
    ("services-fwmark", calls::services_of_marks),
    ("destinations-ipv4", calls::destinations_of_ipv4),
    ("destinations-ipv6", calls::destinations_of_ipv6),
    ("destinations-fwmark", calls::destinations_of_marks),
    ("table", calls::table),
    ("batch", calls::batch),
    ("config", calls::config),
    ("sync", calls::sync),
];

/// Plays a scenario to a kernel. Returns what was said, under the name of the kernel and what came of each call.
///
/// The same kernel gives the same text every time: what differs from one run to the next has been made canonical.
pub fn record(
    kernel: &str,
    name: &str,
    scenario: Scenario,
    transport: impl Transport + 'static,
    pause: &dyn Fn(),
) -> String {
    let (recorder, recording) = Recorder::new(Canonical::new(transport));
    let results = run(scenario, recorder, pause);
    let results: String = results.iter().flat_map(|line| ["# ", line, "\n"]).collect();
    format!("# kernel: {kernel}\n# scene: {name}\n#\n{results}\n{}", recording.transcript())
}

/// Plays a scenario to whatever answers. Returns what came of each call.
pub fn run(scenario: Scenario, transport: impl Transport + 'static, pause: &dyn Fn()) -> Vec<String> {
    let handle = Handle::builder().open_over(transport).unwrap();
    let mut client = Client { handle, results: Vec::new(), pause };
    scenario(&mut client);
    client.results
}

impl Client<'_> {
    /// Makes a call and tells what came of it.
    fn call<T>(&mut self, what: &str, call: impl FnOnce(&Handle) -> Result<T, Error>, text: impl FnOnce(T) -> String) {
        let text =
            call(&self.handle).map_or_else(|error| error.to_string(), |value| format!("{what}: {}", text(value)));
        self.results.extend(text.lines().map(str::to_owned));
    }

    /// Gives a command that the kernel refuses. What fails, says by itself what it was.
    fn refused(&mut self, call: impl FnOnce(&Handle) -> Result<(), Error>) {
        self.results.push(call(&self.handle).unwrap_err().to_string());
    }

    /// Gives a command.
    fn command(&mut self, what: impl Display, call: impl FnOnce(&Handle) -> Result<(), Error>) {
        self.call(&what.to_string(), call, |()| "ok".to_owned());
    }
}
