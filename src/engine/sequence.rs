/// Allocates sequence numbers, so that a late answer is never taken for another.
///
/// 0 is left out, because messages without a sequence number have 0. A block never wraps around, so that the index of a
/// command in a bulk is its number minus the first.
///
/// ```
/// use ipvs_rs::engine::Sequence;
///
/// let mut sequence = Sequence::starting_at(u32::MAX);
/// assert_eq!(sequence.take(1), u32::MAX);
/// assert_eq!(sequence.take(1), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Sequence {
    next: u32,
}

impl Sequence {
    /// Starts with this number; 0 counts as 1.
    pub const fn starting_at(first: u32) -> Self {
        Self { next: if first == 0 { 1 } else { first } }
    }

    /// Takes a block of numbers and returns the first.
    pub fn take(&mut self, count: u32) -> u32 {
        let last = self.next.checked_add(count.saturating_sub(1));
        let (first, last) = match last {
            Some(last) => (self.next, last),
            None => (1, count),
        };
        self.next = last.checked_add(1).unwrap_or(1);
        first
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self::starting_at(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Sequence;

    #[test]
    fn numbers_wrap_to_one() {
        let mut sequence = Sequence::starting_at(u32::MAX - 1);
        assert_eq!([sequence.take(1), sequence.take(1), sequence.take(1)], [u32::MAX - 1, u32::MAX, 1]);
    }

    #[test]
    fn block_that_would_wrap_starts_over() {
        let mut sequence = Sequence::starting_at(u32::MAX - 1);
        assert_eq!(sequence.take(3), 1);
        assert_eq!(sequence.take(1), 4);
    }

    #[test]
    fn block_may_end_at_the_last_number() {
        let mut sequence = Sequence::starting_at(u32::MAX - 1);
        assert_eq!(sequence.take(2), u32::MAX - 1);
        assert_eq!(sequence.take(1), 1);
    }
}
