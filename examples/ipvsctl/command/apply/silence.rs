use std::{fs, io};

use ipvs_rs::desired::plan::OperationKind;
use ipvs_rs::desired::{Operation, Plan};
use ipvs_rs::transport::Netns;

use crate::console::Console;

/// While this lives, the director tells nobody that a port cannot be reached.
///
/// The kernel takes a service's old scheduler away before it puts the new one in its place, and tells who connects in between
/// that the port cannot be reached. Who is told nothing tries again after a second, and gets through.
pub struct Silence {
    netns: Netns,
    /// The limits with what they were.
    before: Vec<(&'static str, String)>,
}

/// How many milliseconds lie between two such messages to the same client.
const LIMITS: [&str; 2] = ["/proc/sys/net/ipv4/icmp_ratelimit", "/proc/sys/net/ipv6/icmp/ratelimit"];
/// A day: longer than the kernel remembers a client to whom it has said nothing.
const SILENT: &str = "86400000";

impl Silence {
    /// Begins, if the plan changes a scheduler. A limit that cannot be set is told of and left.
    pub fn during(plan: &Plan, netns: &Netns, console: &mut Console) -> Option<Self> {
        if !plan.operations().iter().any(changes_scheduler) {
            return None;
        }
        let mut silence = Self { netns: netns.clone(), before: Vec::new() };
        for limit in LIMITS {
            let set = netns.run(|| -> io::Result<String> {
                let before = fs::read_to_string(limit)?;
                fs::write(limit, SILENT)?;
                Ok(before)
            });
            match set.map_err(io::Error::other).and_then(|set| set) {
                Ok(before) => silence.before.push((limit, before)),
                // A kernel without IPv6.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    console.warning(&format!("Clients may be refused while a scheduler changes: {limit}: {error}"));
                }
            }
        }
        console.debug(|| "Clients are not told that they are refused while schedulers change".to_owned());
        Some(silence)
    }

    /// Sets the limits as they were.
    pub fn end(self, console: &mut Console) {
        for (limit, before) in &self.before {
            let set = self.netns.run(|| fs::write(limit, before));
            if let Err(error) = set.map_err(io::Error::other).and_then(|set| set) {
                console.warning(&format!("{limit} could not be set back to {}: {error}", before.trim()));
            }
        }
    }
}

fn changes_scheduler(operation: &Operation) -> bool {
    operation.kind() == OperationKind::UpdateService && operation.changes().iter().any(|change| change.field == "sched")
}
