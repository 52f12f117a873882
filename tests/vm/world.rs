//! The real kernel, for the suite that every kernel has to pass.

use ipvs_rs::transport::{KernelSocket, SocketOptions, Transport};

use super::client::{Handle, HandleBuilder};
use super::conformance::{self, Interface, Options, World};
use crate::kernel;
use crate::namespaces::{Namespace, ip};
use crate::network::Network;
use crate::socket::BareSocket;

/// The kernel of this machine, in the namespace of the calling thread.
pub struct RealKernel;

impl World for RealKernel {
    fn open(&self, builder: HandleBuilder) -> Handle {
        builder.open().unwrap()
    }

    fn handle_with_buffer(&self, bytes: usize) -> Handle {
        Handle::builder().receive_buffer(bytes).open().unwrap()
    }

    fn transport(&self) -> Box<dyn Transport> {
        Box::new(KernelSocket::open(SocketOptions::default()).unwrap())
    }

    fn transport_with(&self, options: Options) -> Box<dyn Transport> {
        Box::new(BareSocket::open(options))
    }

    fn elsewhere(&self, body: &(dyn Fn(&dyn World) + Sync)) {
        Namespace::new().run(|| body(&Self));
    }

    fn add_interface(&self, interface: &Interface<'_>) {
        let name = interface.name;
        ip(&format!("link add {name} type dummy"));
        for address in interface.addresses {
            let options = if address.contains(':') { "nodad" } else { "" };
            ip(&format!("address add {address} dev {name} {options}"));
        }
        if interface.is_up {
            ip(&format!("link set {name} up"));
        }
    }

    fn network(&self) -> Box<dyn conformance::Network + '_> {
        Box::new(Network::new())
    }

    fn version(&self) -> (u32, u32) {
        kernel::version()
    }

    fn note(&self, text: &str) {
        kernel::note(text);
    }
}

/// Makes a test of each case of the suite that every kernel has to pass.
macro_rules! on_the_real_kernel {
    ($($module:ident { $($company:ident $case:ident;)* })*) => {$(
        mod $module {
            $(
                #[test]
                #[ignore = "needs root and ip_vs: cargo xtask vm"]
                fn $case() {
                    crate::namespaces::$company(|| crate::conformance::$module::$case(&crate::world::RealKernel));
                }
            )*
        }
    )*};
}
pub(crate) use on_the_real_kernel;
