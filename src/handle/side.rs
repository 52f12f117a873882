//! The two sides of the house: a handle that blocks its thread, and one that gives way to other tasks.
//!
//! Everything that a handle does is written once, as async functions over a [`Side`], and all that differs is in the
//! few lines of that trait and of [`Link`]. On the blocking side nothing ever gives way: waiting blocks inside, so that
//! a function is through when it was polled once. What the compiler makes of it is a call like any other.

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

/// A transport, and how to wait for it.
pub(super) trait Link: Debug {
    fn transport(&mut self) -> &mut dyn Transport;

    /// Waits until something has arrived, as [`Transport::wait`] does.
    fn arrival(&mut self, timeout: Duration) -> impl Future<Output = io::Result<bool>>;

    /// Gives others their turn.
    fn pause(&mut self) -> impl Future<Output = ()>;
}

/// A conversation, and how to have it alone.
pub(super) trait Side {
    type Link: Link;
    type Guard<'a>: DerefMut<Target = Inner<Self::Link>>
    where
        Self: 'a;

    fn lock(&self) -> impl Future<Output = Self::Guard<'_>>;
}

/// The side that blocks.
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

impl Side for Blocking {
    type Link = Box<dyn Transport>;
    type Guard<'a> = MutexGuard<'a, Inner<Self::Link>>;

    /// A panic of another thread cannot have left anything half done that the next exchange would trip over: answers
    /// that were not taken are skipped by their number.
    fn lock(&self) -> impl Future<Output = Self::Guard<'_>> {
        future::ready(Mutex::lock(self).unwrap_or_else(PoisonError::into_inner))
    }
}

/// Does what an async function of the blocking side says.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        // The first look is the last.
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
}
