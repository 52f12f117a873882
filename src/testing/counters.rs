//! Counters and rates as the kernel keeps them (`ip_vs_est.c`).

use super::answer::Writer;
use crate::codec::consts::{
    IPVS_STATS_ATTR_CONNS, IPVS_STATS_ATTR_CPS, IPVS_STATS_ATTR_INBPS, IPVS_STATS_ATTR_INBYTES, IPVS_STATS_ATTR_INPKTS,
    IPVS_STATS_ATTR_INPPS, IPVS_STATS_ATTR_OUTBPS, IPVS_STATS_ATTR_OUTBYTES, IPVS_STATS_ATTR_OUTPKTS,
    IPVS_STATS_ATTR_OUTPPS,
};

/// The attributes of totals and rates, in the order of these.
const KINDS: [u16; 10] = [
    IPVS_STATS_ATTR_CONNS,
    IPVS_STATS_ATTR_INPKTS,
    IPVS_STATS_ATTR_OUTPKTS,
    IPVS_STATS_ATTR_INBYTES,
    IPVS_STATS_ATTR_OUTBYTES,
    IPVS_STATS_ATTR_CPS,
    IPVS_STATS_ATTR_INPPS,
    IPVS_STATS_ATTR_OUTPPS,
    IPVS_STATS_ATTR_INBPS,
    IPVS_STATS_ATTR_OUTBPS,
];

/// Connections, packets and bytes; in the order of their attributes.
pub(super) type Totals = [u64; 5];

/// The index of the first byte counter in [`Totals`]; the rates of bytes are kept with fewer bits.
const FIRST_BYTES: usize = 3;

/// The traffic of an object.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    /// The present counts.
    live: Totals,
    /// The counts at the estimator's last round, which are those that can be read.
    seen: Totals,
    /// The readable counts at the time when the counters were zeroed.
    zero: Totals,
    /// Averages, in 1/1024 of connections and packets and 1/32 of bytes.
    rates: [u64; 5],
}

impl Counters {
    pub(super) fn add(&mut self, amounts: &Totals) {
        for (total, amount) in self.live.iter_mut().zip(amounts) {
            *total = total.wrapping_add(*amount);
        }
    }

    /// A round of the estimator, every two seconds (`estimation_timer`).
    pub(super) fn estimate(&mut self) {
        for (place, rate) in self.rates.iter_mut().enumerate() {
            let (Some(live), Some(seen)) = (self.live.get(place), self.seen.get_mut(place)) else { return };
            let shift = if place < FIRST_BYTES { 9 } else { 4 };
            let current = live.wrapping_sub(*seen) << shift;
            // Moves by a quarter of the difference, rounded toward negative infinity.
            *rate = rate.wrapping_add_signed(current.wrapping_sub(*rate).cast_signed() >> 2);
            *seen = *live;
        }
    }

    /// Whether another round would change nothing.
    pub(super) fn is_settled(&self) -> bool {
        self.live == self.seen && self.rates.iter().all(|rate| *rate == 0)
    }

    /// `ip_vs_zero_stats`: traffic that the estimator has not seen yet still appears later.
    pub(super) fn zero(&mut self) {
        self.zero = self.seen;
        self.rates = [0; 5];
    }

    fn read(&self) -> (Totals, [u64; 5]) {
        let (mut totals, mut rates) = ([0; 5], [0; 5]);
        for ((total, seen), zero) in totals.iter_mut().zip(&self.seen).zip(&self.zero) {
            *total = seen.wrapping_sub(*zero);
        }
        for (place, (rate, kept)) in rates.iter_mut().zip(&self.rates).enumerate() {
            *rate = if place < FIRST_BYTES { kept.wrapping_add(0x1ff) >> 10 } else { kept.wrapping_add(0xf) >> 5 };
        }
        (totals, rates)
    }

    /// Appends both blocks; the narrow one has the low halves of all counts and rates but those of bytes.
    pub(super) fn put(&self, out: &mut Writer, narrow: u16, wide: u16) {
        let (totals, rates) = self.read();
        let numbers = || KINDS.into_iter().zip(totals.into_iter().chain(rates));
        out.nest(narrow, |out| {
            for (kind, number) in numbers() {
                if matches!(kind, IPVS_STATS_ATTR_INBYTES | IPVS_STATS_ATTR_OUTBYTES) {
                    out.u64(kind, number);
                } else {
                    out.u32(kind, u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX));
                }
            }
        });
        out.nest(wide, |out| {
            for (kind, number) in numbers() {
                out.u64(kind, number);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn rates_are_those_that_a_kernel_showed_two_rounds_after_five_datagrams() {
        let mut counters = Counters::default();
        counters.add(&[5, 5, 5, 555, 695]);
        assert_eq!(counters.read(), ([0; 5], [0; 5]), "not before the estimator came by");
        counters.estimate();
        assert_eq!(counters.read(), ([5, 5, 5, 555, 695], [1, 1, 1, 69, 87]));
        counters.estimate();
        assert_eq!(counters.read(), ([5, 5, 5, 555, 695], [0, 0, 0, 52, 65]));
    }

    #[test]
    fn rates_die_away() {
        let mut counters = Counters::default();
        counters.add(&[1_000, 0, 0, 0, 1 << 40]);
        let rounds = (0..1_000).take_while(|_| {
            counters.estimate();
            !counters.is_settled()
        });
        assert_eq!(rounds.count(), 99);
        assert_eq!(counters.read(), ([1_000, 0, 0, 0, 1 << 40], [0; 5]));
    }
}
