//! The kernel in memory: the suite that every kernel has to pass, and what only this one can.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "test code"
)]

/// The handle that the suite is run with.
mod client {
    pub use ipvs_rs::Handle;
    pub use ipvs_rs::handle::{Batch, HandleBuilder};
}
#[path = "../conformance/mod.rs"]
mod conformance;
mod fault;
mod hostile;
mod kernel;
mod recorder;
mod simulation;
mod world;

use ipvs_rs::testing::Release;
use world::World;

/// Makes a test of each case of the suite: it runs on every release.
macro_rules! on_every_release {
    ($($module:ident { $($company:ident $case:ident;)* })*) => {$(
        mod $module {
            $(
                #[test]
                fn $case() {
                    for release in super::Release::ALL {
                        super::conformance::$module::$case(&super::World::of(release));
                    }
                }
            )*
        }
    )*};
}
conformance::cases!(on_every_release);
