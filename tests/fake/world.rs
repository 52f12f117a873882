//! The kernel in memory, for the suite that every kernel has to pass.

use ipvs_rs::testing::{self, FakeKernel, FakeSocket, Release};
use ipvs_rs::transport::Transport;

use super::client::{Handle, HandleBuilder};
use super::conformance;
use crate::network::Network;

/// A kernel in memory, in a namespace of its own.
pub struct World {
    kernel: FakeKernel,
    is_privileged: bool,
}

impl World {
    pub fn of(release: Release) -> Self {
        Self::over(FakeKernel::of(release))
    }

    pub fn over(kernel: FakeKernel) -> Self {
        Self { kernel, is_privileged: true }
    }

    /// The same for a client without `CAP_NET_ADMIN`.
    pub fn unprivileged(self) -> Self {
        Self { is_privileged: false, ..self }
    }

    fn socket(&self) -> FakeSocket {
        let socket = self.kernel.transport();
        if self.is_privileged { socket } else { socket.unprivileged() }
    }
}

impl conformance::World for World {
    fn open(&self, builder: HandleBuilder) -> Handle {
        builder.open_over(self.socket()).unwrap()
    }

    fn handle_with_buffer(&self, bytes: usize) -> Handle {
        Handle::builder().open_over(self.socket().receive_buffer(bytes)).unwrap()
    }

    fn transport(&self) -> Box<dyn Transport> {
        Box::new(self.socket())
    }

    fn transport_with(&self, options: conformance::Options) -> Box<dyn Transport> {
        let socket = self.socket();
        let socket = if options.capped { socket } else { socket.whole_errors() };
        // The option for strict checks says nothing to this family.
        Box::new(if options.extended { socket } else { socket.bare_errors() })
    }

    fn elsewhere(&self, body: &(dyn Fn(&dyn conformance::World) + Sync)) {
        body(&Self { kernel: self.kernel.unshare(), ..*self });
    }

    fn add_interface(&self, interface: &conformance::Interface<'_>) {
        let mut made = testing::Interface::new(interface.name);
        for address in interface.addresses {
            let (address, prefix) = address.split_once('/').unwrap();
            made = made.address(address.parse().unwrap(), prefix.parse().unwrap());
        }
        self.kernel.add_interface(if interface.is_up { made } else { made.down() });
    }

    fn network(&self) -> Box<dyn conformance::Network + '_> {
        Box::new(Network::of(&self.kernel))
    }

    fn version(&self) -> (u32, u32) {
        match self.kernel.release() {
            Release::V6_1 => (6, 1),
            Release::V6_12 => (6, 12),
            _ => (7, 0),
        }
    }

    fn note(&self, text: &str) {
        println!("note: {}: {text}", self.kernel.release());
    }
}

/// Makes a test of each case of the suite: it runs on every release.
macro_rules! on_every_release {
    ($($module:ident { $($company:ident $case:ident;)* })*) => {$(
        mod $module {
            $(
                #[test]
                fn $case() {
                    for release in ipvs_rs::testing::Release::ALL {
                        crate::conformance::$module::$case(&crate::world::World::of(release));
                    }
                }
            )*
        }
    )*};
}
pub(crate) use on_every_release;
