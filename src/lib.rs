//! A typed, fast and honest client of IPVS, the load balancer of the Linux kernel, over generic netlink.
//!
//! IPVS (IP Virtual Server) spreads connections over servers inside the kernel. Each network namespace has one table
//! of it: *services*, which are virtual addresses or firewall marks, each with *destinations*, which are the real
//! servers. This crate reads and changes that table: the operations of ipvsadm(8), as values and functions. It is a
//! port of the Go library moby/ipvs, and covers the rest of the kernel's interface as well.
//!
//! ```no_run
//! use ipvs_rs::model::Persistence;
//! use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};
//!
//! let handle = Handle::new()?;
//!
//! let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
//! handle.new_service(&Service::new(web, Scheduler::Wlc).persistence(Persistence::for_secs(300)?))?;
//! for server in ["10.0.0.2:8080", "10.0.0.3:8080"] {
//!     handle.new_destination(&web, &Destination::new(server.parse()?, ForwardMethod::Masquerade).weight(10)?)?;
//! }
//!
//! for entry in handle.get_destinations(&web)? {
//!     println!("{} has {} active connections", entry.id(), entry.active_connections);
//! }
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! Every command requires `CAP_NET_ADMIN` in the initial user namespace, reading included; root outside of a rootless
//! container has it. Only the files of [`procfs`] can be read without privilege.
//!
//! There are further pages: the [README](_documentation::readme) with two commands that show and test all of this on a
//! real kernel, a table for users of moby/ipvs, and help by error message; the
//! [questions and answers about the design](_documentation::design); the [changelog](_documentation::changelog).
//!
//! # Tour
//!
//! Everything starts with a [`Handle`]: one connection to the IPVS of one network namespace, one method for each
//! command of the kernel. It can be shared between threads; its methods take `&self`.
//!
//! Its methods take and return values of three roles, each with exactly the role that is needed:
//!
//! | role | service | destination | purpose |
//! |---|---|---|---|
//! | identity | [`ServiceId`] | [`DestinationId`] | names an object: small, `Copy`, ordered, hashable |
//! | settings | [`Service`] | [`Destination`] | is written: `new(required)` and one setter for each option |
//! | observation | [`ServiceEntry`] | [`DestinationEntry`] | is read: settings, counters, connections |
//!
//! A value that exists is one that the kernel could hold; an invalid one is refused when it is constructed, with an
//! [`InvalidValue`](model::InvalidValue) that names the range. Values print in the notation of ipvsadm and are parsed
//! from it, see [`model::notation`]. Settings that were read equal the settings that were written.
//!
//! A call that fails returns an [`Error`]: the call, its object, the kernel's error number and its meaning for that
//! call, and often a hint. It prints in one line. Predicates such as [`is_not_found`](Error::is_not_found) are for
//! branching. With `?` the errors of values, text, namespaces and files are converted to it.
//!
//! Below the handle there are floors, each of which depends only on those below it. Most programs do not need them;
//! they are for programs with a connection of their own, or with a simulated kernel in a test.
//!
//! | floor | module | contents | I/O |
//! |---|---|---|---|
//! | 5 | `desired` | feature `desired`: the desired state, the plan to reach it, its execution | through 4 |
//! | 4 | [`handle`] | [`Handle`], [`Batch`](handle::Batch), idempotent forms; feature `tokio`: async handle | through 3 |
//! | 3 | [`transport`] | a datagram out, datagrams in: the kernel's socket, network namespaces | yes |
//! | 3 | [`procfs`] | the kernel's files: connections, totals, sysctls, modules | yes |
//! | 2 | [`engine`] | the conversation: sequence numbers, acknowledgements, lists, deadlines as values | none |
//! | 1 | [`codec`] | bytes to values and back; total: any bytes result in a value or an error | none |
//! | 0 | [`model`] | the objects of IPVS: identities, settings, observations, notation | none |
//!
//! [`error`] belongs to floor 4.
//!
//! # Features
//!
//! Without any feature there is the blocking client. A feature adds items and never changes the behavior of existing
//! code.
//!
//! | feature | addition |
//! |---|---|
//! | `serde` | every value of the model, and connections, as data |
//! | `tokio` | `AsyncHandle`: [the same operations on tokio](#on-tokio) |
//! | `desired` | floor 5: [a desired state, plans, and their execution](#from-a-desired-state) |
//! | `yaml` | desired states from YAML and JSON files, with every mistake at its line and column |
//! | `schema` | the JSON schema of those files |
//! | `params-url` | only for the tool `ipvsctl`, which fetches parameters from web servers |
//! | `testing` | [a kernel in memory](#play-the-kernel-in-a-test), a recorder of conversations |
//!
//! # Cookbook
//!
//! ## List everything
//!
//! ```no_run
//! use ipvs_rs::Handle;
//!
//! let table = Handle::new()?.snapshot()?;
//! println!("{} services, {} destinations", table.len(), table.destination_count());
//! // What `ipvsadm -S -n` prints.
//! print!("{}", table.rules());
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! While other programs write, a long list can lack entries that were there all the time. Before you act on an absence,
//! use the form that returns a reliable list, or an error when it cannot; see [lists](Handle#lists):
//!
//! ```no_run
//! use ipvs_rs::Handle;
//! use ipvs_rs::handle::Consistency;
//!
//! let table = Handle::new()?.snapshot_with(Consistency::Stable { attempts: 10 })?;
//! println!("{} services, and no others", table.len());
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## Make it so, whatever was there
//!
//! ```no_run
//! use ipvs_rs::handle::Outcome;
//! use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service};
//!
//! let handle = Handle::new()?;
//! let service = Service::new("udp://192.0.2.10:53".parse()?, Scheduler::Rr);
//! let server = Destination::new("10.0.0.2:53".parse()?, ForwardMethod::Masquerade);
//!
//! // Makes what is missing, changes what differs, leaves alone what is right.
//! handle.ensure_service(&service)?;
//! if handle.ensure_destination(&service.id, &server)? == Outcome::Created {
//!     println!("{} is new", server.id);
//! }
//! // Success as well when it was not there.
//! handle.remove_service(&"udp://192.0.2.11:53".parse()?)?;
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## Change one thing and keep the rest
//!
//! The kernel replaces all settings of an object at once. This reads, changes and writes back:
//!
//! ```no_run
//! use ipvs_rs::Handle;
//! use ipvs_rs::model::Weight;
//!
//! let (web, server) = ("tcp://192.0.2.10:80".parse()?, "10.0.0.2:8080".parse()?);
//! Handle::new()?.modify_destination(&web, &server, |destination| destination.weight = Weight::from(50))?;
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## Drain a server
//!
//! Weight 0 prevents new connections and keeps the old ones. When the last is gone, the server can be removed:
//!
//! ```no_run
//! use std::{thread, time::Duration};
//!
//! use ipvs_rs::Handle;
//! use ipvs_rs::model::Weight;
//!
//! let handle = Handle::new()?;
//! let (web, server) = ("tcp://192.0.2.10:80".parse()?, "10.0.0.2:8080".parse()?);
//! handle.modify_destination(&web, &server, |destination| destination.weight = Weight::ZERO)?;
//! while handle.get_destination(&web, &server)?.is_some_and(|entry| !entry.is_idle()) {
//!     thread::sleep(Duration::from_secs(1));
//! }
//! handle.remove_destination(&web, &server)?;
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## Many commands at once
//!
//! A batch sends many commands in few datagrams. One that fails does not stop those after it:
//!
//! ```no_run
//! use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service};
//!
//! let handle = Handle::new()?;
//! let web = Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc);
//!
//! let mut batch = handle.batch().new_service(&web);
//! for host in 1..=100 {
//!     let server = format!("10.0.0.{host}:8080").parse()?;
//!     batch = batch.new_destination(&web.id, &Destination::new(server, ForwardMethod::Masquerade));
//! }
//! for (place, error) in batch.send()?.failures() {
//!     if !error.is_already_exists() {
//!         eprintln!("command {place}: {error}");
//!     }
//! }
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## From a desired state
//!
//! With the feature `desired`: describe the table, look at the plan, apply it. A plan that fails on the way is undone;
//! services that the state does not name stay, unless `prune` is set:
//!
//! ```no_run
//! # #[cfg(feature = "desired")] {
//! use ipvs_rs::desired::apply::{ApplyOptions, apply};
//! use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service};
//! use ipvs_rs::desired::plan::{PlanOptions, plan};
//! use ipvs_rs::desired::{DesiredService, DesiredState, Observed};
//!
//! let web = DesiredService::new(Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc))
//!     .destination(Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade))
//!     .destination(Destination::new("10.0.0.3:8080".parse()?, ForwardMethod::Masquerade));
//! let desired = DesiredState::new().service(web);
//!
//! let handle = Handle::new()?;
//! let plan = plan(&Observed::read(&handle, &desired)?, &desired, &PlanOptions::new());
//! print!("{plan}");
//! apply(&handle, &plan, &ApplyOptions::new(), &mut ())?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## On tokio
//!
//! With the feature `tokio` the same operations wait without blocking a thread:
//!
//! ```no_run
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), ipvs_rs::Error> {
//! use ipvs_rs::AsyncHandle;
//!
//! let handle = AsyncHandle::new().await?;
//! for entry in handle.get_services().await? {
//!     println!("{}: {} connections so far", entry.id(), entry.stats.connections);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! ## Another network namespace
//!
//! The calling thread stays in its namespace, also when something fails:
//!
//! ```no_run
//! use ipvs_rs::Handle;
//! use ipvs_rs::transport::Netns;
//!
//! // One that `ip netns add` made; there are `path`, `pid` and `fd` as well.
//! let blue = Handle::builder().netns(Netns::named("blue")?).open()?;
//! let here = Handle::new()?;
//! println!("{} services there, {} here", blue.get_services()?.len(), here.get_services()?.len());
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## List connections
//!
//! The connection table is a file of the kernel. It is read row by row, in the same memory for any length:
//!
//! ```no_run
//! # #[cfg(target_os = "linux")] {
//! use ipvs_rs::procfs::Procfs;
//!
//! for connection in Procfs::current().connections()? {
//!     let connection = connection?;
//!     println!("{} is served by {} ({})", connection.client, connection.destination, connection.state);
//! }
//! # }
//! # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
//! ```
//!
//! ## Change a sysctl of a namespace
//!
//! A value that the kernel did not take is an error at once:
//!
//! ```no_run
//! # #[cfg(target_os = "linux")] {
//! use ipvs_rs::procfs::{Procfs, Sysctl};
//! use ipvs_rs::transport::Netns;
//!
//! let blue = Procfs::of(Netns::named("blue")?);
//! // Cuts the connections of servers that are deleted, instead of letting them hang.
//! blue.set_sysctl(Sysctl::ExpireNodestConn, true)?;
//! for (sysctl, value) in blue.get_sysctls()? {
//!     println!("{sysctl} = {value}");
//! }
//! # }
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## Play the kernel in a test
//!
//! With the feature `testing` there is a simulated kernel in memory, which needs no root and no module:
//!
//! ```
//! # #[cfg(feature = "testing")] {
//! use ipvs_rs::testing::{FakeKernel, Traffic};
//! use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};
//!
//! let kernel = FakeKernel::new();
//! let handle = kernel.handle()?;
//! let (web, server) = ("TCP 192.0.2.10:80".parse()?, "10.0.0.2:8080".parse()?);
//! handle.new_service(&Service::new(web, Scheduler::Wlc))?;
//! handle.new_destination(&web, &Destination::new(server, ForwardMethod::Masquerade))?;
//! kernel.carry(&web, &server, Traffic::new().opened(3))?;
//! assert_eq!(handle.get_destinations(&web)?[0].active_connections, 3);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Transport`](transport::Transport) carries datagrams, so that anything can take the place of the kernel. This one
//! answers the look-up of the family and refuses everything else:
//!
//! ```
//! use std::collections::VecDeque;
//! use std::io;
//! use std::time::Duration;
//!
//! use ipvs_rs::codec::Frames;
//! use ipvs_rs::transport::{Received, Transport};
//! use ipvs_rs::{Handle, Scheduler, Service};
//!
//! const PORT: u32 = 1;
//! const CONTROLLER: u16 = 16;
//! const NLMSG_ERROR: u16 = 2;
//!
//! #[derive(Debug)]
//! struct Refusal {
//!     errno: i32,
//!     answers: VecDeque<Vec<u8>>,
//! }
//!
//! impl Transport for Refusal {
//!     fn port(&self) -> u32 {
//!         PORT
//!     }
//!
//!     fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
//!         for frame in Frames::new(datagram) {
//!             let frame = frame.map_err(io::Error::other)?;
//!             self.answers.push_back(match frame.kind {
//!                 // CTRL_CMD_NEWFAMILY with one attribute, CTRL_ATTR_FAMILY_ID: the family has number 31.
//!                 CONTROLLER => {
//!                     let family_id = [6u16, 1, 31, 0].map(u16::to_ne_bytes).concat();
//!                     message(CONTROLLER, frame.sequence, &[&[1, 2, 0, 0], &family_id[..]].concat())
//!                 }
//!                 _ => message(NLMSG_ERROR, frame.sequence, &(-self.errno).to_ne_bytes()),
//!             });
//!         }
//!         Ok(())
//!     }
//!
//!     fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
//!         let Some(answer) = self.answers.pop_front() else { return Ok(None) };
//!         buffer[..answer.len()].copy_from_slice(&answer);
//!         Ok(Some(Received { len: answer.len(), sender: 0 }))
//!     }
//!
//!     fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
//!         Ok(!self.answers.is_empty())
//!     }
//! }
//!
//! fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
//!     let mut message = (16 + payload.len() as u32).to_ne_bytes().to_vec();
//!     message.extend(kind.to_ne_bytes());
//!     message.extend([0, 0]);
//!     message.extend(sequence.to_ne_bytes());
//!     message.extend(PORT.to_ne_bytes());
//!     message.extend(payload);
//!     message
//! }
//!
//! let handle = Handle::builder().open_over(Refusal { errno: 17, answers: VecDeque::new() })?;
//! let error = handle.new_service(&Service::new("TCP 192.0.2.10:80".parse()?, Scheduler::Rr)).unwrap_err();
//! assert!(error.is_already_exists());
//! assert_eq!(error.to_string(), "new service TCP 192.0.2.10:80: already exists (EEXIST)");
//! # Ok::<(), ipvs_rs::Error>(())
//! ```
//!
//! ## Through a connection of rust-netlink
//!
//! [`codec::Message`] implements the traits of that family of crates, so that its connections, such as those of
//! `genetlink` 0.3, can carry our messages:
//!
//! ```
//! use ipvs_rs::codec::{Message, Reply, Request};
//! use ipvs_rs::{Scheduler, Service, ServiceEntry};
//! use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
//! use netlink_packet_generic::GenlMessage;
//!
//! // Out: a connection fills in the number of the family and sends.
//! let mut question = NetlinkMessage::from(GenlMessage::from_payload(Message::from(Request::GetServices)));
//! question.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
//! question.finalize();
//!
//! // In: what the kernel sends is a reply.
//! # let entry = ServiceEntry::new(Service::new("TCP 192.0.2.10:80".parse()?, Scheduler::Wlc));
//! # let mut answer = GenlMessage::from_payload(Message::from(Reply::Service(entry)));
//! # answer.set_resolved_family_id(31);
//! # let mut answer = NetlinkMessage::from(answer);
//! # answer.finalize();
//! # let mut received = vec![0; answer.buffer_len()];
//! # answer.serialize(&mut received);
//! let answer: NetlinkMessage<GenlMessage<Message>> = NetlinkMessage::deserialize(&received)?;
//! let NetlinkPayload::InnerMessage(answer) = answer.payload else { panic!("not data") };
//! let Message::Reply(Reply::Service(entry)) = answer.payload else { panic!("not a service") };
//! assert_eq!(entry.id().to_string(), "TCP 192.0.2.10:80");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Crate features
//!
//! None is needed: without any there is the whole client. A feature adds items and never changes the behavior of
//! existing code.
//!
//! * **serde** implements `Serialize` and `Deserialize` for every value of [`model`] and for the connections of
//!   [`procfs`]. Values with a notation are strings, numbers are numbers, the rest are maps with the names of the
//!   fields. An option that is left out has the value that the constructor gives it. Deserializing makes the same
//!   checks as the constructors, and an unknown field is an error.
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use ipvs_rs::Service;
//!
//! let text = r#"{ "id": "TCP 192.0.2.10:80", "scheduler": "wlc", "persistence": { "timeout_secs": 300 } }"#;
//! let service: Service = serde_json::from_str(text)?;
//! assert_eq!(service.rule().to_string(), "-A -t 192.0.2.10:80 -s wlc -p 300");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * **testing** adds the module `testing`: a kernel in memory that answers as Linux 6.1, 6.12 and 7 do, to the byte
//!   and to the error number, with simulated time and traffic, and that misbehaves on request; and a recorder that
//!   writes any conversation as text and replays it. It is for tests, and belongs in the `dev-dependencies`.
//!
//! # Platforms and versions
//!
//! The parts that use the kernel, [`Handle::new`], [`HandleBuilder::open`](handle::HandleBuilder::open) and the socket
//! and namespaces of [`transport`], and `Procfs` in [`procfs`], exist on Linux only. Everything else exists on any
//! system, a handle over a transport of your own included. The oldest compiler is Rust 1.88; only a new minor version
//! can require a newer one.
//!
//! # Stability
//!
//! Before 1.0 a minor version may break code; the changelog then gives the reason and the migration. Floors 0 to 4 are
//! the first tier and become stable together. The floors above them become stable later, are behind features of their
//! own, and do not change the floors below.
//!
//! Other crates are visible in three places: the traits of rust-netlink on [`codec::Message`], the items that
//! `bitflags` generates for the flag types, and the traits of `serde`, if enabled. A new major version of one of these
//! crates is a breaking change here.
//!
//! # What it does not do
//!
//! * **Plan or watch.** A handle executes each call once. A desired state of the table is part of the feature
//!   `desired`; there are no health checks yet.
//! * **Anything around IPVS.** Addresses, routes, firewall marks, and sysctls that are not those of IPVS are left to
//!   other programs.
//! * **Load modules, run programs, print or log.** The kernel loads `ip_vs` and schedulers by itself when it can; an
//!   error names the part that is missing.
//! * **Transactions and notifications.** The kernel has neither.
//! * **Look up names.** Addresses and ports are numbers.
//! * **Rootless containers.** The kernel refuses them on this interface; the old setsockopt interface, which accepts
//!   them, is not used because it [loses settings](_documentation::design).

#![forbid(unsafe_code)]
#![cfg_attr(ipvs_rs_docs, feature(doc_cfg))]

pub mod codec;
#[cfg(feature = "desired")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "desired")))]
pub mod desired;
pub mod engine;
pub mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
pub mod handle;
pub mod model;
pub mod procfs;
#[cfg(feature = "testing")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "testing")))]
pub mod testing;
pub mod transport;

pub use error::client::Error;
#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
pub use handle::asynchronous::AsyncHandle;
pub use handle::blocking::Handle;
pub use model::destination::{Destination, DestinationEntry, DestinationId};
pub use model::forward::ForwardMethod;
pub use model::scheduler::Scheduler;
pub use model::service::{Service, ServiceEntry};
pub use model::service_id::ServiceId;
pub use model::table::Table;

/// The longer documents of the project. They are pages of the documentation only, and their examples are compiled.
#[cfg(any(doc, doctest))]
pub mod _documentation {
    /// [design]: crate::_documentation::design
    /// [changelog]: crate::_documentation::changelog
    /// [files]: crate::_documentation::design#which-file-do-i-change
    #[cfg_attr(feature = "desired", doc = "[guide]: crate::_documentation::guide")]
    #[cfg_attr(feature = "desired", doc = "[keys]: crate::_documentation::keys")]
    #[cfg_attr(feature = "desired", doc = "[coming]: crate::_documentation::coming")]
    #[doc = include_str!("../README.md")]
    pub mod readme {}

    #[doc = include_str!("../DESIGN.md")]
    pub mod design {}

    #[doc = include_str!("../CHANGELOG.md")]
    pub mod changelog {}

    /// [keys]: crate::_documentation::keys
    /// [coming]: crate::_documentation::coming
    #[cfg(feature = "desired")]
    #[doc = include_str!("../docs/guide.md")]
    pub mod guide {}

    /// [guide]: crate::_documentation::guide
    #[cfg(feature = "desired")]
    #[doc = include_str!("../docs/keys.md")]
    pub mod keys {}

    #[cfg(feature = "desired")]
    #[doc = include_str!("../docs/coming.md")]
    pub mod coming {}
}
