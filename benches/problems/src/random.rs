//! Numbers that repeat for a seed (SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
//! OOPSLA 2014).

/// A sequence of numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `[from, to)`, evenly, in steps of a 2^24th.
    pub(crate) fn float(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * ((self.bits() >> 40) as f32 / (1u32 << 24) as f32)
    }

    pub(crate) fn floats(&mut self, n: usize, from: f32, to: f32) -> Vec<f32> {
        (0..n).map(|_| self.float(from, to)).collect()
    }

    pub(crate) fn integers(&mut self, n: usize) -> Vec<u32> {
        (0..n).map(|_| (self.bits() >> 32) as u32).collect()
    }

    /// Below `end`, which is not zero, nearly evenly.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(end)) >> 32) as u32
    }
}
