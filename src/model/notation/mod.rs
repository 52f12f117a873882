//! The ipvsadm way to write all of this: every value prints in it and is read back from it.

mod flags;
mod forward;
mod identity;
mod piece;
mod settings;
mod sync_daemon;
