//! A kernel in memory, for tests that need no root, no module and no machine of their own.
//!
//! A [`FakeKernel`] is IPVS behind the seam of [`transport`](crate::transport): a [`Handle`](crate::Handle) over it is
//! a real handle, and everything from the encoding of a request to the order of a list is what it is with the real
//! kernel. It reads the wire by itself, checks in the kernel's order and refuses with the kernel's numbers. The same
//! suite of tests runs on it and on Linux 6.1, 6.12 and 7; a difference is a bug here.
//!
//! # Tutorial
//!
//! Say that your program drains a server and waits until nobody uses it. It takes a handle, as it would in production:
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
//! Its test makes a kernel, sets the table up through a handle, and lets traffic come and go:
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
//! // What does the program make of a kernel that does not answer? Nobody waits for the deadline.
//! kernel.misbehave(Fault::Silence);
//! assert!(drain(&handle, &web, &server).unwrap_err().is_timeout());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From here on:
//!
//! * [`FakeKernel::of`] plays another [`Release`]; [`FakeKernel::disable`] takes a scheduler, an engine or all of IPVS
//!   away; [`FakeKernel::transport`] gives a socket with other buffers, or of somebody without privilege.
//! * [`FakeKernel::carry`] moves counters and connections, [`FakeKernel::advance`] lets time pass.
//! * [`FakeKernel::misbehave`] makes answers late, lost, doubled, cut off or wrong, by a [`FaultPlan`].
//! * [`FakeKernel::unshare`] makes another network namespace; a clone of a kernel is the same kernel.
//!
//! Beside it there is a [`Recorder`]: it writes down any conversation, with the real kernel too, as text that explains
//! itself, and a [`Replay`] says it again where there is no such kernel.
//!
//! # What it does not do
//!
//! * **Forward packets.** No scheduler runs: traffic goes where [`carry`](FakeKernel::carry) says.
//! * **Files.** What is under `/proc` belongs to the real kernel, and so does what
//!   [`procfs`](crate::procfs) reads.
//! * **Be slow.** A call that loads a module or waits for a lock takes no time here. What needs a wait that is over too
//!   late has [`Fault::Delay`].
//! * **Other families.** The controller of generic netlink knows only IPVS, and of its commands only `GETFAMILY`.

mod annotation;
mod answer;
#[cfg(feature = "tokio")]
mod asynchronous;
mod command;
mod controller;
mod counters;
mod daemon;
mod fault;
mod identity;
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

pub use daemon::Interface;
pub use fault::{Fault, FaultPlan};
pub use kernel::{Ability, FakeKernel};
pub use recorder::{Recorder, Recording, Replay};
pub use release::Release;
pub use socket::FakeSocket;
pub use traffic::{NoDestination, Traffic};
pub use transcript::{Transcript, TranscriptError};
