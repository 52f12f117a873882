//! Where a case happens.

use ipvs_rs::transport::Transport;
use ipvs_rs::{Scheduler, Service, ServiceId};

use super::client::{Handle, HandleBuilder};

/// A kernel, and a network namespace of it that nobody else uses.
pub trait World: Sync {
    /// Opens a handle.
    fn handle(&self) -> Handle {
        self.open(Handle::builder())
    }

    /// Opens a handle with options.
    fn open(&self, builder: HandleBuilder) -> Handle;

    /// Opens a handle whose socket has a receive buffer of so many bytes.
    fn handle_with_buffer(&self, bytes: usize) -> Handle;

    /// Opens a socket.
    fn transport(&self) -> Box<dyn Transport>;

    /// Does something in another namespace of the same kernel.
    fn elsewhere(&self, body: &(dyn Fn(&dyn World) + Sync));

    /// Adds a network interface with packets of 1500 bytes.
    fn add_interface(&self, interface: &Interface<'_>);

    /// Which kernel this is.
    fn version(&self) -> (u32, u32);

    /// Says what was left out, or is worth knowing.
    fn note(&self, text: &str);

    /// Every scheduler that the kernel has. Of the known ones it may lack those that distributions leave out, which is
    /// noted; it is an error if it lacks others.
    fn schedulers(&self) -> Vec<Scheduler> {
        let handle = self.handle();
        let has = |scheduler: Scheduler| {
            let id: ServiceId = "fwmark:4294967295".parse().unwrap();
            match handle.new_service(&Service::new(id, scheduler)) {
                Ok(()) => handle.delete_service(&id).map(|()| true).unwrap(),
                Err(error) if error.is_scheduler_unavailable() => false,
                Err(error) => panic!("{error}"),
            }
        };
        let left_out: Vec<Scheduler> = OPTIONAL_SCHEDULERS.into_iter().filter(|scheduler| !has(*scheduler)).collect();
        if !left_out.is_empty() {
            self.note(&format!("left out: schedulers that this kernel does not have: {left_out:?}"));
        }
        Scheduler::KNOWN.into_iter().filter(|scheduler| !left_out.contains(scheduler)).collect()
    }
}

/// A network interface.
pub struct Interface<'a> {
    pub name: &'a str,
    /// With the length of the prefix, as `10.8.8.8/24`.
    pub addresses: &'a [&'a str],
    pub is_up: bool,
}

/// Since Linux 5.13; Debian builds it since 6.12.
const OPTIONAL_SCHEDULERS: [Scheduler; 1] = [Scheduler::Twos];
