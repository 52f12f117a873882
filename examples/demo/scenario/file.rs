//! The chapter in which the service is described by a file.

use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::thread;

use ipvs_rs::Handle;
use ipvs_rs::desired::Observed;
use ipvs_rs::desired::apply::{ApplyOptions, DrainOutcome, Report as Applied, apply};
use ipvs_rs::desired::files::{Reader, Source};
use ipvs_rs::desired::plan::{Plan, PlanOptions, plan};
use ipvs_rs::model::{TableService, Weight};

use super::{POLL, Scenario};
use crate::DemoResult;
use crate::report::{Report, say};

impl Scenario {
    /// The same service as a file: applied, changed, planned, applied again, with a server that is drained.
    pub(super) fn describe(&self, report: &mut Report) -> DemoResult<()> {
        self.apply_first(report)?;
        self.apply_change(report)?;
        self.apply_drain(report)
    }

    fn apply_first(&self, report: &mut Report) -> DemoResult<()> {
        const REQUESTS: u64 = 30;
        report.step("Write the service down in a file, with both servers, and apply it.");
        let file = self.file(&[("alpha", 1), ("beta", 1)])?;
        let plan = self.plan(&file)?;
        report.check(plan.summary().add == 1 && plan.len() == 1, "all that is missing is beta")?;
        let applied = self.apply(&plan)?;
        report.check(applied.is_complete() && self.plan(&file)?.is_empty(), "applied, and nothing is left to do")?;
        let answered = self.client.send(REQUESTS)?;
        report.check(answered.contains_key("beta"), "beta answers again")
    }

    fn apply_change(&self, report: &mut Report) -> DemoResult<()> {
        const REQUESTS: u64 = 40;
        report.step("Change a weight in the file, while requests keep coming.");
        let plan = self.plan(&self.file(&[("alpha", 3), ("beta", 1)])?)?;
        say(&indented(&plan.to_string()));
        let before = self.client.tally();
        let applied = self.apply(&plan)?;
        let row = self.row()?;
        let weight = |row: &TableService, id| row.get(&id).map(|entry| entry.destination.weight);
        let is_so = weight(&row, self.alpha.id()) == Some(Weight::from(3))
            && weight(&row, self.beta.id()) == Some(Weight::from(1));
        report.check(applied.is_complete() && is_so, "the kernel has just this change")?;
        let answered = self.client.send(REQUESTS)?;
        let count = |name| answered.get(name).copied().unwrap_or(0);
        let claim = format!("of {REQUESTS} more requests alpha answered {}, beta {}", count("alpha"), count("beta"));
        report.check(count("alpha") > count("beta"), &claim)?;
        let failed = self.client.tally().failed - before.failed;
        report.check(failed == 0, "no request failed over it")
    }

    fn apply_drain(&self, report: &mut Report) -> DemoResult<()> {
        const REQUESTS: u64 = 30;
        report.step("Take beta out of the file, with a minute to drain. One connection to it stays open.");
        let mut held = self.client.hold("beta")?;
        let before = self.client.tally();
        let plan = self.plan(&self.file(&[("alpha", 3)])?)?;
        say(&indented(&plan.to_string()));
        // The plan waits for the connection, so that it is carried out beside the scenario, over a handle of its own.
        let handle = Handle::builder().netns(self.director.clone()).open()?;
        let applying = thread::spawn(move || apply(&handle, &plan, &ApplyOptions::new(), &mut ()));
        let beta = self.beta.id();
        self.wait(|row| row.get(&beta).is_some_and(|entry| entry.destination.weight == Weight::ZERO))?;
        let still = self.client.again(&mut held)? == "beta";
        report.check(still && !applying.is_finished(), "beta has weight 0, and serves the connection that is open")?;
        drop(held);
        let applied = applying.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        let drained = applied.drains.first().ok_or("nothing was drained")?;
        let claim = format!("the connection was closed, and {:.1} s later beta is gone", drained.waited.as_secs_f64());
        report.check(drained.outcome == DrainOutcome::Idle && applied.is_complete(), &claim)?;
        let answered = self.client.send(REQUESTS)?;
        report.check(
            answered.get("alpha") == Some(&REQUESTS),
            &format!("{REQUESTS} more requests, all answered by alpha"),
        )?;
        let failed = self.client.tally().failed - before.failed;
        report.check(failed == 0, "no request failed over it")
    }

    /// The file: this service and no other.
    fn file(&self, servers: &[(&str, u32)]) -> DemoResult<String> {
        let address = ipvs_rs::desired::service_text(&self.service.id);
        let poll = POLL.as_millis();
        let mut text = format!(
            "version: 2\ndrain: {{timeout: 60s, poll: {poll}ms}}\ndefaults: {{forward: nat}}\nservices:\n- address: \
             {address}\n  sched: wrr\n  destinations:\n"
        );
        for (name, weight) in servers {
            let server = [&self.alpha, &self.beta].into_iter().find(|server| server.name() == *name);
            let id = server.ok_or("there are two servers")?.id();
            writeln!(text, "  - {{address: \"{id}\", weight: {weight}}}")?;
        }
        Ok(text)
    }

    fn plan(&self, file: &str) -> DemoResult<Plan> {
        let desired = Reader::new().read(&[Source::new("web.yaml", file)])?.state;
        let live = Observed::read(&self.handle, &desired)?;
        Ok(plan(&live, &desired, &PlanOptions::new().prune(true)))
    }

    fn apply(&self, plan: &Plan) -> DemoResult<Applied> {
        Ok(apply(&self.handle, plan, &ApplyOptions::new(), &mut ())?)
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
