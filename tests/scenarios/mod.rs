//! What the transcripts of `tests/golden/transcripts` show: every command, for IPv4, IPv6 and marks, refusals included.
//!
//! A scene is a few calls of a handle. `cargo xtask golden` records the scenes with real kernels; `tests/fake` says the
//! recordings again, and lets the kernel in memory play the same scenes.

mod canonical;
mod play;

use std::fmt::Display;

use ipvs_rs::testing::Recorder;
use ipvs_rs::transport::Transport;
use ipvs_rs::{Error, Handle};

use canonical::Canonical;

/// The one interface that daemons find, with packets of 1500 bytes.
pub const INTERFACE: &str = "eth1";

/// Where a scene is played.
pub struct Stage<'a> {
    handle: Handle,
    told: Vec<String>,
    /// Lets a daemon come to its work. One that is stopped before may stop without a word, or not.
    pause: &'a dyn Fn(),
}

type Scene = fn(&mut Stage<'_>);

/// Every scene by name.
pub const SCENES: [(&str, Scene); 10] = [
    ("services-ipv4", play::services_of_ipv4),
    ("services-ipv6", play::services_of_ipv6),
    ("services-fwmark", play::services_of_marks),
    ("destinations-ipv4", play::destinations_of_ipv4),
    ("destinations-ipv6", play::destinations_of_ipv6),
    ("destinations-fwmark", play::destinations_of_marks),
    ("table", play::table),
    ("batch", play::batch),
    ("config", play::config),
    ("sync", play::sync),
];

/// Plays a scene to a kernel. Returns what was said, under the name of the kernel and what came of each call.
///
/// The same kernel gives the same text every time: what differs from one run to the next has been made canonical.
pub fn record(kernel: &str, name: &str, scene: Scene, transport: impl Transport + 'static, pause: &dyn Fn()) -> String {
    let (recorder, recording) = Recorder::new(Canonical::new(transport));
    let told = play(scene, recorder, pause);
    let told: String = told.iter().flat_map(|line| ["# ", line, "\n"]).collect();
    format!("# kernel: {kernel}\n# scene: {name}\n#\n{told}\n{}", recording.transcript())
}

/// Plays a scene to whatever answers. Returns what came of each call.
pub fn play(scene: Scene, transport: impl Transport + 'static, pause: &dyn Fn()) -> Vec<String> {
    let handle = Handle::builder().open_over(transport).unwrap();
    let mut stage = Stage { handle, told: Vec::new(), pause };
    scene(&mut stage);
    stage.told
}

impl Stage<'_> {
    /// Makes a call and tells what came of it.
    fn call<T>(&mut self, what: &str, call: impl FnOnce(&Handle) -> Result<T, Error>, text: impl FnOnce(T) -> String) {
        let text =
            call(&self.handle).map_or_else(|error| error.to_string(), |value| format!("{what}: {}", text(value)));
        self.told.extend(text.lines().map(str::to_owned));
    }

    /// Gives a command that the kernel refuses. What fails, says by itself what it was.
    fn refused(&mut self, call: impl FnOnce(&Handle) -> Result<(), Error>) {
        self.told.push(call(&self.handle).unwrap_err().to_string());
    }

    /// Gives a command.
    fn give(&mut self, what: impl Display, call: impl FnOnce(&Handle) -> Result<(), Error>) {
        self.call(&what.to_string(), call, |()| "ok".to_owned());
    }
}
