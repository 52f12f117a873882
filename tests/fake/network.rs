//! Traffic as the kernel in memory has it: told, not sent.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use ipvs_rs::model::{AddressFamily, Protocol};
use ipvs_rs::testing::{FakeKernel, Traffic};
use ipvs_rs::{DestinationId, ServiceId};

use crate::conformance;

/// A client and servers of a kernel.
pub struct Network<'a> {
    kernel: &'a FakeKernel,
    /// Services that remember the client, with the server that they do it for.
    held: RefCell<BTreeSet<(ServiceId, DestinationId)>>,
}

impl<'a> Network<'a> {
    pub fn of(kernel: &'a FakeKernel) -> Self {
        Self { kernel, held: RefCell::default() }
    }
}

impl conformance::Network for Network<'_> {
    fn dial(&self, service: &ServiceId, server: &DestinationId) -> Box<dyn conformance::TestConnection + '_> {
        let dialogue =
            TestConnection { kernel: self.kernel, service: *service, server: *server, has_begun: Cell::new(false) };
        let entry = self.kernel.handle().unwrap().get_service(service).unwrap().unwrap();
        if entry.service.persistence.is_some() && self.held.borrow_mut().insert((*service, *server)) {
            dialogue.carry(Traffic::new().held(1));
        }
        // By TCP both sides know of each other at once.
        if service.protocol() == Some(Protocol::TCP) {
            dialogue.begin(Traffic::new().opened(1));
        }
        Box::new(dialogue)
    }

    fn wait_until(&self, what: &str, is: &mut dyn FnMut() -> bool) {
        const ROUNDS: usize = 10;
        let estimation = Duration::from_secs(2);
        for _ in 0..ROUNDS {
            if is() {
                return;
            }
            self.kernel.advance(estimation);
        }
        panic!("not within {ROUNDS} rounds of the estimator: {what}");
    }
}

struct TestConnection<'a> {
    kernel: &'a FakeKernel,
    service: ServiceId,
    server: DestinationId,
    has_begun: Cell<bool>,
}

impl TestConnection<'_> {
    fn begin(&self, traffic: Traffic) {
        if !self.has_begun.replace(true) {
            self.carry(traffic);
        }
    }

    fn carry(&self, traffic: Traffic) {
        self.kernel.carry(&self.service, &self.server, traffic).unwrap();
    }
}

impl conformance::TestConnection for TestConnection<'_> {
    fn ask(&self, questions: u64) {
        // Those of UDP are never active.
        self.begin(Traffic::new().opened(1).closed(1));
        let headers = if self.service.family() == AddressFamily::Ipv4 { 28 } else { 48 };
        let traffic = Traffic::new().packets_in(questions, questions * (100 + headers));
        self.carry(traffic.packets_out(questions, questions * (300 + headers)));
    }

    fn hang_up(self: Box<Self>) {
        self.carry(Traffic::new().closed(1));
    }
}
