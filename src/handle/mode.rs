//! The two modes of a handle: one that blocks its thread, and one that yields to other tasks.
//!
//! Everything that a handle does is written once, as async functions over a [`Mode`], and all that differs is in the
//! few lines of that trait and of [`Link`]. In blocking mode no function ever yields: waiting blocks inside, so that a
//! function has finished when it was polled once. The compiler turns it into an ordinary call.

use std::fmt::Debug;
use std::future;
use std::io;
use std::ops::DerefMut;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Inner;
use crate::transport::Transport;

/// A transport, and the way to wait for it.
pub(super) trait Link: Debug {
    fn transport(&mut self) -> &mut dyn Transport;

    /// Waits until something has arrived, as [`Transport::wait`] does.
    fn arrival(&mut self, timeout: Duration) -> impl Future<Output = io::Result<bool>>;

    /// Gives other tasks their turn.
    fn pause(&mut self) -> impl Future<Output = ()>;
}

/// A conversation behind a lock, which gives exclusive access to it.
pub(super) trait Mode {
    type Link: Link;
    type Guard<'a>: DerefMut<Target = Inner<Self::Link>>
    where
        Self: 'a;

    fn lock(&self) -> impl Future<Output = Self::Guard<'_>>;
}

/// The mode that blocks.
pub(super) type Blocking = Mutex<Inner<Box<dyn Transport>>>;

impl Link for Box<dyn Transport> {
    fn transport(&mut self) -> &mut dyn Transport {
        &mut **self
    }

    fn arrival(&mut self, timeout: Duration) -> impl Future<Output = io::Result<bool>> {
        future::ready(self.wait(timeout))
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        future::ready(())
    }
}

impl Mode for Blocking {
    type Link = Box<dyn Transport>;
    type Guard<'a> = MutexGuard<'a, Inner<Self::Link>>;

    /// Ignores poisoning: a panic of another thread cannot have left a state that would harm the next exchange, because
    /// answers that were not taken are skipped by their sequence number.
    fn lock(&self) -> impl Future<Output = Self::Guard<'_>> {
        future::ready(Mutex::lock(self).unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs an async function of the blocking mode to its end.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        // The first poll is always ready, because nothing yields in blocking mode.
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
}
