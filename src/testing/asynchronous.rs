//! The asynchronous form of the transports for which waiting takes no time.

use std::future;
use std::time::Duration;

use super::{FakeSocket, Replay};
use crate::transport::{Arrival, AsyncTransport, Transport};

#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
impl AsyncTransport for FakeSocket {
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        Box::pin(future::ready(self.wait(timeout)))
    }
}

#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
impl AsyncTransport for Replay {
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        Box::pin(future::ready(self.wait(timeout)))
    }
}
