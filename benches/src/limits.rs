//! What the machine can do at most: bandwidths of streams, and fused multiply-adds per second.
//!
//! Measured over rayon's threads, in the same run as everything else.

use std::hint::black_box;
use std::time::Instant;

/// Elements of each stream: beyond every cache.
const STREAM: usize = 1 << 25;

/// A limit that can be measured again and again.
pub struct Limit {
    /// What it is a limit of.
    pub name: &'static str,
    /// What its rate is stated in: `GB/s` or `GFLOP/s`.
    pub unit: &'static str,
    /// Bytes or flops of one measurement.
    amount: f64,
    run: fn(&mut Streams),
}

/// The arrays that bandwidths are measured on.
pub struct Streams {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Streams {
    /// Arrays of `2^25` elements, or of so many fewer as `shrink` divides.
    pub fn new(shrink: usize) -> Self {
        let n = STREAM / shrink.max(1);
        let ramp = |k: usize| (0..n).map(|i| ((i * k) & 255) as f32).collect();
        Self { a: vec![0.0; n], b: ramp(3), c: ramp(5) }
    }
}

impl Limit {
    /// Measures once: units (billions of bytes or flops) per second.
    pub fn measure(&self, streams: &mut Streams) -> f64 {
        let amount = match self.unit {
            "GB/s" => self.amount * streams.a.len() as f64,
            _ => self.amount * rayon::current_num_threads() as f64,
        };
        let start = Instant::now();
        (self.run)(streams);
        amount / start.elapsed().as_secs_f64() / 1e9
    }
}

/// The limits of this machine.
pub fn limits() -> Vec<Limit> {
    #[allow(unused_mut, reason = "other processors have none yet")]
    let mut limits = Vec::new();
    #[cfg(target_arch = "x86_64")]
    x86::add(&mut limits);
    limits
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;
    use crate::by_hand::{copy_into, has_avx2, has_avx512, saxpy_into, sum, triad_into};

    pub(super) fn add(limits: &mut Vec<Limit>) {
        let mut stream = |name, bytes: usize, run| {
            limits.push(Limit { name, unit: "GB/s", amount: bytes as f64, run });
        };
        if has_avx512() {
            streams::<true>(&mut stream);
        } else if has_avx2() {
            streams::<false>(&mut stream);
        }
        let mut flops = |name, lanes: usize, run| {
            let amount = (2 * ROUNDS * CHAINS * lanes) as f64;
            limits.push(Limit { name, unit: "GFLOP/s", amount, run });
        };
        if has_avx2() {
            // SAFETY: the instructions are there.
            flops("fused multiply-add, 128 bits", 4, |_| everywhere(|| unsafe { peak_128() }));
            // SAFETY: as above.
            flops("fused multiply-add, 256 bits", 8, |_| everywhere(|| unsafe { peak_256() }));
        }
        if has_avx512() {
            // SAFETY: as above.
            flops("fused multiply-add, 512 bits", 16, |_| everywhere(|| unsafe { peak_512() }));
        }
    }

    fn streams<const WIDE: bool>(add: &mut impl FnMut(&'static str, usize, fn(&mut Streams))) {
        add("read", 4, |s| {
            black_box(sum::<WIDE>(&s.b));
        });
        add("copy", 8, |s| copy_into::<WIDE, false>(&mut s.a, &s.b));
        add("copy, streaming stores", 8, |s| copy_into::<WIDE, true>(&mut s.a, &s.b));
        add("triad", 12, |s| triad_into::<WIDE, false>(&mut s.a, &s.b, &s.c, 3.0));
        add("triad, streaming stores", 12, |s| triad_into::<WIDE, true>(&mut s.a, &s.b, &s.c, 3.0));
        add("axpy in place", 12, |s| saxpy_into::<WIDE>(&mut s.a, &s.b, 0.0));
    }

    /// Operations in flight at once: more than two per cycle of a latency of four or five.
    const CHAINS: usize = 12;
    /// Some milliseconds.
    const ROUNDS: usize = 1 << 20;

    fn everywhere(work: impl Fn() + Sync) {
        rayon::broadcast(|_| work());
    }

    macro_rules! peak {
        ($name:ident, $features:literal, $set:ident, $fma:ident) => {
            #[target_feature(enable = $features)]
            fn $name() {
                let (x, y) = (black_box($set(0.5)), black_box($set(1.0)));
                let mut sums = [$set(1.0); CHAINS];
                for _ in 0..ROUNDS {
                    for sum in &mut sums {
                        *sum = $fma(*sum, x, y);
                    }
                }
                black_box(sums);
            }
        };
    }
    peak!(peak_128, "fma", _mm_set1_ps, _mm_fmadd_ps);
    peak!(peak_256, "avx,fma", _mm256_set1_ps, _mm256_fmadd_ps);
    peak!(peak_512, "avx512f", _mm512_set1_ps, _mm512_fmadd_ps);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rates() {
        let mut streams = Streams::new(1 << 10);
        for limit in limits() {
            let rate = limit.measure(&mut streams);
            assert!(rate > 0.0 && rate.is_finite(), "{}: {rate} {}", limit.name, limit.unit);
        }
    }
}
