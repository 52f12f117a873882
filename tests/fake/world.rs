//! The kernel in memory, for the suite that every kernel has to pass.

use ipvs_rs::testing::{self, FakeKernel, Release};
use ipvs_rs::transport::Transport;

use super::client::{Handle, HandleBuilder};
use super::conformance;

/// A kernel in memory, in a namespace of its own.
pub struct World(FakeKernel);

impl World {
    pub fn of(release: Release) -> Self {
        Self::over(FakeKernel::of(release))
    }

    pub fn over(kernel: FakeKernel) -> Self {
        Self(kernel)
    }
}

impl conformance::World for World {
    fn open(&self, builder: HandleBuilder) -> Handle {
        builder.open_over(self.0.transport()).unwrap()
    }

    fn handle_with_buffer(&self, bytes: usize) -> Handle {
        Handle::builder().open_over(self.0.transport().receive_buffer(bytes)).unwrap()
    }

    fn transport(&self) -> Box<dyn Transport> {
        Box::new(self.0.transport())
    }

    fn elsewhere(&self, body: &(dyn Fn(&dyn conformance::World) + Sync)) {
        body(&Self(self.0.unshare()));
    }

    fn add_interface(&self, interface: &conformance::Interface<'_>) {
        let mut made = testing::Interface::new(interface.name);
        for address in interface.addresses {
            let (address, prefix) = address.split_once('/').unwrap();
            made = made.address(address.parse().unwrap(), prefix.parse().unwrap());
        }
        self.0.add_interface(if interface.is_up { made } else { made.down() });
    }

    fn version(&self) -> (u32, u32) {
        match self.0.release() {
            Release::V6_1 => (6, 1),
            Release::V6_12 => (6, 12),
            _ => (7, 0),
        }
    }

    fn note(&self, text: &str) {
        println!("note: {}: {text}", self.0.release());
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
