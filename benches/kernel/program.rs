//! A program with the command line of ipvsadm.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::client::{Client, Single, Work, timed};
use crate::load::Load;

pub struct Program(&'static str);

impl Program {
    /// Ours.
    pub const OURS: Self = Self("/usr/local/bin/ipvsadm");
    /// Debian's.
    pub const DEBIANS: Self = Self("/usr/sbin/ipvsadm");

    fn restore(&self, rules: impl Iterator<Item = String>) -> Duration {
        let mut file = NamedTempFile::new().unwrap();
        for rule in rules {
            writeln!(file, "{rule}").unwrap();
        }
        self.run("-R", Some(file.path()))
    }

    fn run(&self, words: &str, stdin: Option<&Path>) -> Duration {
        let stdin = stdin.map_or_else(Stdio::null, |path| File::open(path).unwrap().into());
        let mut command = Command::new(self.0);
        command.arg0("ipvsadm").arg(words).stdin(stdin).stdout(Stdio::null());
        timed(|| {
            let status = command.status().unwrap_or_else(|error| panic!("{}: {error}", self.0));
            assert!(status.success(), "{} {words}: {status}", self.0);
        })
    }
}

impl Client for Program {
    fn work(&mut self, work: Work, load: &Load) -> Option<Duration> {
        let services = || load.services.iter().map(|service| service.full_rule().to_string());
        let add = || load.destinations.iter().map(|(id, it)| it.full_rule(id).to_string());
        let change = || load.changed.iter().map(|(id, it)| it.full_rule(id).to_string().replacen("-a", "-e", 1));
        // The first words of its rule identify the destination and its service.
        let delete = || add().map(|rule| rule.split(' ').take(5).collect::<Vec<_>>().join(" ").replacen("-a", "-d", 1));
        Some(match work {
            Work::AddServices => self.restore(services()),
            Work::AddDestinations => self.restore(add()),
            Work::Update => self.restore(change()),
            Work::Snapshot => self.run("-Ln", None),
            Work::DeleteDestinations => self.restore(delete()),
            Work::Flush => self.run("-C", None),
            Work::Restore => self.restore(services().chain(add())),
            Work::AddDestinationsInBatches | Work::UpdateInBatches | Work::Create | Work::Delete => return None,
        })
    }

    fn singles(&mut self, _single: Single, _load: &Load, _samples: usize) -> Vec<Duration> {
        Vec::new()
    }

    fn calls(&self) -> Option<u64> {
        None
    }
}
