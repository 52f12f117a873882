//! The scenario, once for each family of addresses.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use ipvs_rs::handle::Outcome;
use ipvs_rs::model::{TableService, Weight};
use ipvs_rs::transport::Netns;
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::DemoResult;
use crate::client::{Background, Client};
use crate::network::{Addresses, Lab};
use crate::report::{Report, say};
use crate::table;
use crate::web::WebServer;

mod file;

/// The kernel refreshes its counters every two seconds; a little more is certainly enough.
const REFRESH: Duration = Duration::from_millis(2_100);
const TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Everything that the steps share.
#[derive(Debug)]
pub(crate) struct Scenario {
    service: Service,
    alpha: WebServer,
    beta: WebServer,
    director: Netns,
    handle: Handle,
    own: Handle,
    client: Client,
}

impl Scenario {
    pub(crate) fn begin(lab: &Lab, place: &Addresses) -> DemoResult<Self> {
        let [alpha, beta] = place.servers.map(|address| SocketAddr::new(address, 8080));
        let target = SocketAddr::new(place.virtual_address, 80);
        say(&format!("\n== {} ==", place.family));
        Ok(Self {
            service: Service::new(ServiceId::tcp(target)?, Scheduler::Wrr),
            alpha: WebServer::start("alpha", alpha, &lab.servers)?,
            beta: WebServer::start("beta", beta, &lab.servers)?,
            director: lab.director.clone(),
            handle: Handle::builder().netns(lab.director.clone()).open()?,
            own: Handle::new()?,
            client: Client::new(&lab.client, target),
        })
    }

    /// Runs the scenario from beginning to end and returns how many requests were answered.
    pub(crate) fn tell(self, report: &mut Report) -> DemoResult<u64> {
        self.make_service(report)?;
        let background = self.client.keep_sending()?;
        self.balance(report)?;
        self.drain(report)?;
        self.remove_server(report)?;
        self.describe(report)?;
        self.account(background, report)
    }
}

/// The steps.
impl Scenario {
    fn make_service(&self, report: &mut Report) -> DemoResult<()> {
        let id = self.service.id;
        report.step(&format!("Make the service {id}, weighted round robin, with the servers alpha and beta."));
        say("    One batch of three commands, through a handle to the director's namespace.");
        let here = namespace()?;
        let servers = [&self.alpha, &self.beta].map(|server| Destination::new(server.id(), ForwardMethod::Masquerade));
        let mut batch = self.handle.batch().new_service(&self.service);
        for server in &servers {
            batch = batch.new_destination(&id, server);
        }
        batch.send()?.into_result()?;

        let row = self.row()?;
        let mut read: Vec<_> = row.destinations.iter().map(|entry| entry.destination.clone()).collect();
        read.sort();
        report
            .check(row.service.service == self.service && read == servers, "what was written is what is read back")?;
        let there = self.director.run(namespace)??;
        let claim = format!("this thread never moved: it is in {}, the service in {}", here.display(), there.display());
        report.check(namespace()? == here && here != there, &claim)?;
        report.check(self.own.get_service(&id)?.is_none(), "the table of its own namespace has no such service")
    }

    fn balance(&self, report: &mut Report) -> DemoResult<()> {
        const REQUESTS: u64 = 60;
        report.step(&format!("From now on a client sends requests and never stops. Beside it, {REQUESTS} more."));
        let answered = self.client.send(REQUESTS)?;
        report.check(answered.values().sum::<u64>() == REQUESTS, &format!("all {REQUESTS} are answered"))?;
        let tally = self.client.tally();
        let (alpha, beta) = (tally.by("alpha"), tally.by("beta"));
        let claim = format!("the spread is even: alpha answered {alpha} requests of both clients, beta {beta}");
        // One request of the client that never stops may be on its way.
        report.check(alpha.abs_diff(beta) <= 2, &claim)?;

        let row = self.wait(|row| row.service.stats.connections >= tally.done())?;
        let (least, counted, most) = (tally.done(), row.service.stats.connections, self.client.tally().begun);
        table::print(self.handle.get_info()?, &row);
        let claim =
            format!("the counters follow: {counted}, no less than the {least} before, no more than the {most} now");
        report.check((least..=most).contains(&counted), &claim)
    }

    fn drain(&self, report: &mut Report) -> DemoResult<()> {
        const REQUESTS: u64 = 30;
        let (id, beta) = (self.service.id, self.beta.id());
        report.step("Drain beta: weight 0. One connection to it stays open.");
        let mut held = self.client.hold("beta")?;
        let outcome = self.handle.modify_destination(&id, &beta, |server| server.weight = Weight::ZERO)?;
        let weight = self.row()?.get(&beta).map(|entry| entry.destination.weight);
        report.check(outcome == Outcome::Updated && weight == Some(Weight::ZERO), "its weight is 0 now")?;
        // Connections that were begun before may still get to beta.
        self.client.let_pass()?;
        let (accepted, done) = (self.beta.connections(), self.client.tally().done());
        let still = self.client.again(&mut held)? == "beta";
        report.check(still, "the connection that is open is still served by beta")?;
        drop(held);
        let closed = Instant::now();
        self.client.send(REQUESTS)?;
        let requests = self.client.tally().done() - done;
        let claim = format!("{requests} new requests, none of them got to beta");
        report.check(requests >= REQUESTS && self.beta.connections() == accepted, &claim)?;

        report.step("The open connection has been closed. Wait until beta is idle.");
        let row = self.wait(|row| row.get(&beta).is_some_and(DestinationEntry::is_idle))?;
        let entry = row.get(&beta).ok_or("beta has vanished")?;
        let claim = format!("no connection of beta is left after {:.1} s", closed.elapsed().as_secs_f64());
        report.check(entry.is_idle(), &claim)?;
        let (counted, accepted) = (entry.stats.connections, self.beta.connections());
        let claim = format!("the kernel counted {counted} connections to beta, beta itself {accepted}");
        report.check(counted == accepted, &claim)
    }

    fn remove_server(&self, report: &mut Report) -> DemoResult<()> {
        const REQUESTS: u64 = 30;
        report.step("Remove beta, while requests keep coming.");
        self.handle.delete_destination(&self.service.id, &self.beta.id())?;
        let left = self.row()?.destinations;
        let alone = left.len() == 1 && left.iter().all(|entry| entry.id() == self.alpha.id());
        report.check(alone, "alpha is the only server left")?;
        let answered = self.client.send(REQUESTS)?;
        let claim = format!("{REQUESTS} more requests, all answered by alpha");
        report.check(answered.get("alpha") == Some(&REQUESTS), &claim)
    }

    fn account(&self, background: Background, report: &mut Report) -> DemoResult<u64> {
        report.step("Now the client stops, and the counters must be exact.");
        background.stop()?;
        let tally = self.client.tally();
        // Traffic that was not counted at once is counted now.
        thread::sleep(REFRESH);
        let row = self.wait(|row| row.service.stats.connections == tally.begun)?;
        table::print(self.handle.get_info()?, &row);
        let failure = tally.first_failure.as_ref().map_or_else(String::new, |error| format!(": {error}"));
        let claim = format!("{} requests were sent, {} failed{failure}", tally.begun + tally.more, tally.failed);
        report.check(tally.failed == 0, &claim)?;
        let counted = row.service.stats.connections;
        let claim = format!("the clients made {} connections, the kernel counted {counted}", tally.begun);
        report.check(counted == tally.begun, &claim)?;
        let counted = row.get(&self.alpha.id()).map_or(0, |entry| entry.stats.connections);
        let accepted = self.alpha.connections();
        report.check(counted == accepted, &format!("of these, {counted} to alpha; alpha itself counted {accepted}"))?;
        self.handle.delete_service(&self.service.id)?;
        report.check(self.handle.snapshot()?.is_empty(), "the service is deleted, and the table empty")?;
        Ok(tally.done() + tally.more)
    }
}

/// Reading the table, for the steps.
impl Scenario {
    fn row(&self) -> DemoResult<TableService> {
        let id = self.service.id;
        let row = self.handle.snapshot()?.services.into_iter().find(|row| row.id() == id);
        row.ok_or_else(|| format!("{id} is not in the table").into())
    }

    /// Waits until the table is like this; after a while returns it as it is. The counters may be two seconds old.
    fn wait(&self, like_this: impl Fn(&TableService) -> bool) -> DemoResult<TableService> {
        let begin = Instant::now();
        loop {
            let row = self.row()?;
            if like_this(&row) || begin.elapsed() > TIMEOUT {
                return Ok(row);
            }
            thread::sleep(POLL);
        }
    }
}

/// The network namespace of this thread.
fn namespace() -> io::Result<PathBuf> {
    fs::read_link("/proc/thread-self/ns/net")
}
