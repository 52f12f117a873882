//! The scripted conversations of the blocking handle, with the async one.

#[path = "../conversation/batch.rs"]
mod batch;
#[path = "../conversation/endless.rs"]
mod endless;
#[path = "../conversation/error.rs"]
mod error;
#[path = "../conversation/family.rs"]
mod family;
#[path = "../conversation/idempotent.rs"]
mod idempotent;
#[path = "../conversation/list.rs"]
mod list;
#[path = "../conversation/single.rs"]
mod single;
#[path = "../conversation/sync.rs"]
mod sync;
#[path = "../conversation/thread.rs"]
mod thread;
