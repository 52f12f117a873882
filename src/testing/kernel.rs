use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::fault::FaultPlan;
use super::interface::Interface;
use super::machine::{Machine, Namespace};
use super::release::Release;
use super::socket::{FakeSocket, lock};
use crate::error::Error;
use crate::handle::Handle;
use crate::model::{PersistenceEngine, Scheduler};

/// IPVS in memory, seen from one network namespace.
///
/// See the [module](super) for a tutorial. A clone is another view of the same kernel and the same namespace; any
/// number of handles and sockets can be open to it, in any thread.
#[derive(Clone)]
pub struct FakeKernel {
    machine: Arc<Mutex<Machine>>,
    namespace: u32,
}

/// An ability that a kernel can have or lack.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Ability {
    /// IPVS itself. Without it the family cannot be found. Disabling it unloads the module, with all services, daemons
    /// and timeouts; enabling it loads the module under another number.
    Ipvs,
    /// A scheduler (the module `ip_vs_NAME`). Services that use it keep it. `none` is not a module and always
    /// available.
    Scheduler(Scheduler),
    /// A persistence engine (the module `ip_vs_pe_NAME`).
    Engine(PersistenceEngine),
    /// Tunnels other than plain IPIP. A kernel before 5.2 ignores their attributes, and does not report them.
    Tunnels,
    /// IPv6. Without it services and destinations of that family are refused (`EAFNOSUPPORT`).
    Ipv6,
}

impl FakeKernel {
    /// A kernel of the oldest [`Release`] with an empty table, in its first namespace.
    pub fn new() -> Self {
        Self::of(Release::default())
    }

    /// A kernel of a release.
    pub fn of(release: Release) -> Self {
        Self { machine: Arc::new(Mutex::new(Machine::new(release))), namespace: 0 }
    }

    /// The release that is simulated.
    pub fn release(&self) -> Release {
        self.lock().release
    }

    /// Opens a handle, with the defaults of [`Handle::builder`].
    ///
    /// # Errors
    ///
    /// When [IPVS](Ability::Ipvs) was disabled ([`is_not_available`](Error::is_not_available)).
    pub fn handle(&self) -> Result<Handle, Error> {
        Handle::builder().open_over(self.transport())
    }

    /// Opens a socket, for a handle with options or for a conversation without one.
    pub fn transport(&self) -> FakeSocket {
        FakeSocket::new(Arc::clone(&self.machine), self.namespace)
    }

    /// Creates another network namespace of the same kernel, with an empty table and an interface `lo`. It exists for
    /// as long as the kernel does.
    ///
    /// ```
    /// use ipvs_rs::testing::FakeKernel;
    /// use ipvs_rs::{Scheduler, Service};
    ///
    /// let here = FakeKernel::new();
    /// let there = here.unshare();
    /// there.handle()?.new_service(&Service::new("FWM 7".parse()?, Scheduler::Rr))?;
    /// assert_eq!(here.handle()?.get_services()?.len(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unshare(&self) -> Self {
        let mut machine = self.lock();
        let namespace = u32::try_from(machine.namespaces.len()).unwrap_or(u32::MAX);
        machine.namespaces.push(Namespace::default());
        Self { machine: Arc::clone(&self.machine), namespace }
    }

    /// Adds an ability to the kernel.
    pub fn enable(&self, ability: Ability) {
        let mut machine = self.lock();
        match ability {
            Ability::Ipvs => machine.load(),
            Ability::Scheduler(scheduler) => drop(machine.schedulers.insert(scheduler.name().as_bytes().to_vec())),
            Ability::Engine(engine) => drop(machine.engines.insert(engine.name().as_bytes().to_vec())),
            Ability::Tunnels => machine.knows_tunnels = true,
            Ability::Ipv6 => machine.has_ipv6 = true,
        }
    }

    /// Removes an ability from the kernel.
    ///
    /// ```
    /// use ipvs_rs::testing::{Ability, FakeKernel};
    /// use ipvs_rs::{Scheduler, Service};
    ///
    /// let kernel = FakeKernel::new();
    /// let handle = kernel.handle()?;
    /// kernel.disable(Ability::Scheduler(Scheduler::Mh));
    /// let error = handle.new_service(&Service::new("FWM 7".parse()?, Scheduler::Mh)).unwrap_err();
    /// assert!(error.is_scheduler_unavailable());
    ///
    /// kernel.disable(Ability::Ipvs);
    /// assert!(handle.get_services().unwrap_err().is_not_available());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disable(&self, ability: Ability) {
        let mut machine = self.lock();
        match ability {
            Ability::Ipvs => machine.unload(),
            Ability::Scheduler(scheduler) => drop(machine.schedulers.remove(scheduler.name().as_bytes())),
            Ability::Engine(engine) => drop(machine.engines.remove(engine.name().as_bytes())),
            Ability::Tunnels => machine.knows_tunnels = false,
            Ability::Ipv6 => machine.has_ipv6 = false,
        }
    }

    /// Unloads IPVS and loads it again: every table is empty, and the family has another number.
    ///
    /// ```
    /// use ipvs_rs::testing::FakeKernel;
    ///
    /// let kernel = FakeKernel::new();
    /// let handle = kernel.handle()?;
    /// kernel.reload();
    /// assert_eq!(handle.get_services()?, [], "the handle finds the family again");
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn reload(&self) {
        self.disable(Ability::Ipvs);
        self.enable(Ability::Ipvs);
    }

    /// Adds a network interface to the namespace, or replaces the one with the same name.
    pub fn add_interface(&self, interface: Interface) {
        self.remove_interface(&interface.name);
        if let Some(namespace) = self.lock().namespace(self.namespace) {
            namespace.interfaces.push(interface);
        }
    }

    /// Removes a network interface from the namespace. Daemons that run on it keep running.
    pub fn remove_interface(&self, name: impl AsRef<[u8]>) {
        if let Some(namespace) = self.lock().namespace(self.namespace) {
            namespace.interfaces.retain(|interface| interface.name != name.as_ref());
        }
    }

    /// Puts services into another order in lists.
    ///
    /// The order has no meaning, as with a real kernel, where it follows a hash that differs from boot to boot. Here it
    /// follows a hash too, of the service and of this number, which is 0 by default; so it is the same in every run of
    /// a test, and differs with another number. The order for a given number may change from one version of this
    /// library to the next, and from one compiler to the next.
    ///
    /// Destinations have a defined order: the newest comes first.
    pub fn shuffle(&self, seed: u64) {
        let machine = &mut *self.lock();
        machine.seed = seed;
        let services = std::mem::take(&mut machine.services);
        for (place, service) in services {
            machine.services.insert(machine.place(place.key, place.namespace), service);
        }
    }

    /// Lets time pass, for all namespaces. Time does not pass otherwise.
    ///
    /// Every two seconds the estimator updates the counters that can be read and the rates; deleted destinations are
    /// forgotten when no connection has referred to them for two minutes.
    pub fn advance(&self, time: Duration) {
        self.lock().advance(time);
    }

    /// Makes the kernel misbehave: once with a [`Fault`](super::Fault), or by a [`FaultPlan`]. It replaces an earlier
    /// plan, and applies to all sockets and namespaces.
    pub fn misbehave(&self, plan: impl Into<FaultPlan>) {
        self.lock().plan = plan.into();
    }

    /// Ends all misbehavior.
    pub fn behave(&self) {
        self.misbehave(FaultPlan::new());
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    pub(super) const fn namespace(&self) -> u32 {
        self.namespace
    }
}

impl Default for FakeKernel {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the namespace only: reading the contents takes a lock, and they may be long.
impl fmt::Debug for FakeKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeKernel").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
