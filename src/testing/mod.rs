//! A kernel in memory, for tests that need no root, no module and no machine of their own.
//!
//! A [`FakeKernel`] is IPVS behind the interface of [`transport`](crate::transport): a [`Handle`](crate::Handle) over
//! it is a real handle, and everything from the encoding of a request to the order of a list is as with the real
//! kernel. It has its own parser of the wire format, makes its checks in the kernel's order and fails with the kernel's
//! error numbers. The same suite of tests runs on it and on Linux 6.1, 6.12 and 7; a difference is a bug here.
//!
//! # Tutorial
//!
//! Suppose that your program drains a server and waits until it has no connections. It takes a handle, as it would in
//! production:
//!
//! ```
//! # use ipvs_rs::{DestinationId, Handle, ServiceId};
//! use ipvs_rs::model::Weight;
//!
//! /// Ends new connections to a server; true when the old ones have ended too.
//! fn drain(handle: &Handle, service: &ServiceId, server: &DestinationId) -> Result<bool, ipvs_rs::Error> {
//!     handle.modify_destination(service, server, |destination| destination.weight = Weight::ZERO)?;
//!     Ok(handle.get_destination(service, server)?.is_none_or(|entry| entry.is_idle()))
//! }
//! ```
//!
//! Its test creates a kernel, sets up the table through a handle, and simulates traffic:
//!
//! ```
//! # use ipvs_rs::model::Weight;
//! # use ipvs_rs::{DestinationId, Handle, ServiceId};
//! # fn drain(handle: &Handle, service: &ServiceId, server: &DestinationId) -> Result<bool, ipvs_rs::Error> {
//! #     handle.modify_destination(service, server, |destination| destination.weight = Weight::ZERO)?;
//! #     Ok(handle.get_destination(service, server)?.is_none_or(|entry| entry.is_idle()))
//! # }
//! use ipvs_rs::testing::{FakeKernel, Fault, Traffic};
//! use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};
//!
//! let kernel = FakeKernel::new();
//! let handle = kernel.handle()?;
//! let (web, server) = ("TCP 192.0.2.10:80".parse()?, "10.0.0.2:8080".parse()?);
//! handle.new_service(&Service::new(web, Scheduler::Wlc))?;
//! handle.new_destination(&web, &Destination::new(server, ForwardMethod::Masquerade))?;
//!
//! kernel.carry(&web, &server, Traffic::new().opened(2))?;
//! assert!(!drain(&handle, &web, &server)?);
//! kernel.carry(&web, &server, Traffic::new().closed(2).expired(2))?;
//! assert!(drain(&handle, &web, &server)?);
//!
//! // A kernel that does not answer: the deadline passes at once.
//! kernel.misbehave(Fault::Silence);
//! assert!(drain(&handle, &web, &server).unwrap_err().is_timeout());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Further possibilities:
//!
//! * [`FakeKernel::of`] simulates another [`Release`]; [`FakeKernel::disable`] removes a scheduler, an engine or all of
//!   IPVS; [`FakeKernel::transport`] returns a socket, which can have other buffers or no privilege.
//! * [`FakeKernel::carry`] changes counters and connections, [`FakeKernel::advance`] lets time pass.
//! * [`FakeKernel::misbehave`] makes answers late, lost, duplicated, cut off or wrong, by a [`FaultPlan`].
//! * [`FakeKernel::unshare`] creates another network namespace; a clone of a kernel is the same kernel.
//!
//! Besides, there is a [`Recorder`]: it records any conversation, with the real kernel too, as annotated text, and a
//! [`Replay`] replays it where there is no such kernel.
//!
//! # What it does not do
//!
//! * **Forward packets.** No scheduler runs: traffic goes to the destination that is given to
//!   [`carry`](FakeKernel::carry).
//! * **Files.** The files under `/proc` are those of the real kernel, and [`procfs`](crate::procfs) reads only these.
//! * **Be slow.** A call that loads a module or waits for a lock takes no time here. To test a wait that ends too late,
//!   use [`Fault::Delay`].
//! * **Other families.** The controller of generic netlink knows only IPVS, and of its commands only `GETFAMILY`.

mod annotation;
mod answer;
#[cfg(feature = "tokio")]
mod asynchronous;
mod command;
mod controller;
mod counters;
mod daemon;
mod dispatch;
mod fault;
mod identity;
mod interface;
mod kernel;
mod list;
mod machine;
mod recorder;
mod release;
mod socket;
mod table;
mod traffic;
mod transcript;
mod wire;

pub use fault::{Fault, FaultPlan};
pub use interface::Interface;
pub use kernel::{Ability, FakeKernel};
pub use recorder::{Recorder, Recording, Replay};
pub use release::Release;
pub use socket::FakeSocket;
pub use traffic::{NoDestination, Traffic};
pub use transcript::{Transcript, TranscriptError};
