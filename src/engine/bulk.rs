use super::exchange::{ExchangeProgress, Expect, unexpected};
use super::failure::{ExchangeFailure, KernelError};
use crate::codec::{Frames, Payload};

/// Many commands in one datagram, of which only the last asks for an answer.
///
/// The kernel executes them in order, even after a failure, before the send returns. The kernel reports a command that
/// fails under its own sequence number; a command without a report before the answer to the last has succeeded.
///
/// Pass every datagram that arrives to [`feed`](Self::feed) until it returns [`ExchangeProgress::Done`].
///
/// ```
/// use ipvs_rs::engine::{Bulk, Expect, ExchangeProgress};
///
/// # fn answer(sequence: u32, code: i32) -> Vec<u8> {
/// #     let mut bytes = 20u32.to_ne_bytes().to_vec();
/// #     bytes.extend([2u16, 0].map(u16::to_ne_bytes).concat());
/// #     bytes.extend([sequence, 9].map(u32::to_ne_bytes).concat());
/// #     bytes.extend(code.to_ne_bytes());
/// #     bytes
/// # }
/// // Three commands under the numbers 1 to 3: the second fails with EEXIST, the third was asked to answer.
/// let bulk = Bulk::new(Expect::Acknowledgement, 9, 1, 3);
/// let mut failed = Vec::new();
/// let mut note = |place, result: Result<(), _>| failed.extend(result.is_err().then_some(place));
///
/// assert_eq!(bulk.feed(&answer(2, -17), &mut note)?, ExchangeProgress::Pending);
/// assert_eq!(bulk.feed(&answer(3, 0), &mut note)?, ExchangeProgress::Done);
/// assert_eq!(failed, [1]);
/// # Ok::<(), ipvs_rs::engine::ExchangeFailure>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bulk {
    closing: Expect,
    port: u32,
    first: u32,
    count: u32,
}

impl Bulk {
    /// Commands under consecutive sequence numbers, of which the last expects this.
    pub const fn new(closing: Expect, port: u32, first: u32, count: u32) -> Self {
        Self { closing, port, first, count }
    }

    /// Processes one datagram and calls a function for each command that was answered, with its index and the kernel's
    /// answer.
    ///
    /// # Errors
    ///
    /// When the kernel's messages cannot be read or do not answer the request, and when messages were lost: then the
    /// outcome of commands for which the function was not called is unknown.
    pub fn feed(
        &self,
        datagram: &[u8],
        mut answered: impl FnMut(u32, Result<(), KernelError>),
    ) -> Result<ExchangeProgress, ExchangeFailure> {
        for frame in Frames::new(datagram) {
            let frame = frame?;
            let place = frame.sequence.wrapping_sub(self.first);
            if place >= self.count || frame.port != self.port {
                continue;
            }
            let is_last = place.saturating_add(1) == self.count;
            match frame.payload {
                Payload::Noop => continue,
                Payload::Overrun => return Err(ExchangeFailure::Overrun),
                Payload::Error(acknowledgement) => {
                    let result = KernelError::of(&acknowledgement).map_or(Ok(()), Err);
                    if is_last && result.is_ok() && self.closing != Expect::Acknowledgement {
                        return Err(unexpected("nlmsgerr", &frame));
                    }
                    answered(place, result);
                }
                Payload::Data { .. } if is_last && self.closing == Expect::Reply => answered(place, Ok(())),
                Payload::Data { .. } | Payload::Done(_) => return Err(unexpected("nlmsghdr", &frame)),
            }
            if is_last {
                return Ok(ExchangeProgress::Done);
            }
        }
        Ok(ExchangeProgress::Pending)
    }
}
