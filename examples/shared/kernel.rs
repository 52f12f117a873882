//! Connections of the tools to the kernel.

use std::time::Duration;

use ipvs_rs::transport::Netns;
use ipvs_rs::{Error, Handle};

/// Connects to the IPVS of a namespace.
pub fn connect(netns: &Netns) -> Result<Handle, Error> {
    Handle::builder().netns(netns.clone()).deadline(DEADLINE).open()
}

/// The kernel answers at once, except while it loads a module, which is not cut short. A table of hundreds of thousands
/// of rows is one answer.
const DEADLINE: Duration = Duration::from_secs(60);
