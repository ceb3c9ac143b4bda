//! Seeded random numbers: the same on every machine, for ever.
//!
//! xoshiro256++ seeded by splitmix64 (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", ACM
//! TOMS 47, 2021; prng.di.unimi.it). Knows nothing of files or kernels.

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut at = seed;
        let state = std::array::from_fn(|_| {
            at = at.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = at;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self { state }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A float in [0, 1), of so many random bits (at most 53): a multiple of 2⁻ᵇⁱᵗˢ, so that it is exact in its type.
    pub(crate) fn unit(&mut self, bits: u32) -> f64 {
        (self.next() >> (64 - bits)) as f64 / (1u64 << bits) as f64
    }

    /// An integer below `n`, or 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// Puts a slice into random order.
    pub(crate) fn shuffle<T>(&mut self, slice: &mut [T]) {
        for last in (1..slice.len()).rev() {
            slice.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first output of xoshiro256++ from the state 1, 2, 3, 4, worked out by hand:
        // rotl(1 + 4, 23) + 1 = 41943041.
        let mut random = Random { state: [1, 2, 3, 4] };
        assert_eq!(random.next(), 41_943_041);
        // The state after one step, also by hand from the paper's listing.
        assert_eq!(random.state, [7, 0, 262_146, 6 << 45]);
    }

    #[test]
    fn ranges_are_kept_and_seeds_differ() {
        let mut random = Random::new(1);
        assert!((0..10_000).all(|_| (0.0..1.0).contains(&random.unit(24)) && random.below(7) < 7));
        assert_ne!(Random::new(1).next(), Random::new(2).next());
        let mut order: Vec<u32> = (0..100).collect();
        random.shuffle(&mut order);
        assert!(order.windows(2).any(|w| w[0] > w[1]));
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..100));
    }
}
