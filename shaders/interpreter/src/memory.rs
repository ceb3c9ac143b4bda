//! What a binding sees: words that any number of threads may touch at once.
//!
//! Plain accesses are relaxed atomics on 32-bit words, so a racy kernel is a wrong kernel and not undefined
//! behaviour. Addresses are bytes; those outside read as zero and swallow writes. Knows no types beyond sizes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The memory of one binding.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    words: &'a [AtomicU32],
    bytes: u64,
}

impl<'a> Memory<'a> {
    /// The first `bytes` bytes of these words (little-endian); more than there are count as all of them.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// use warpweft_interpreter::Memory;
    /// let words = [AtomicU32::new(1), AtomicU32::new(2)];
    /// assert_eq!(Memory::new(&words, 6).bytes(), 6);
    /// ```
    pub fn new(words: &'a [AtomicU32], bytes: u64) -> Memory<'a> {
        Memory { words, bytes: bytes.min(words.len() as u64 * 4) }
    }

    /// How many bytes count.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The words from that byte on, where at least `bytes` bytes follow.
    pub(crate) fn words_at(&self, byte: u64, bytes: u64) -> Option<&'a [AtomicU32]> {
        if byte.checked_add(bytes)? > self.bytes {
            return None;
        }
        self.words.get((byte / 4) as usize..)
    }

    /// The value of `size` (2, 4 or 8) bytes at that address.
    #[inline(always)]
    pub(crate) fn load(&self, byte: u64, size: u32) -> u64 {
        let Some(words) = self.words_at(byte, u64::from(size)) else {
            return 0;
        };
        let low = words[0].load(Ordering::Relaxed);
        match size {
            2 => u64::from(low >> (8 * (byte & 2)) & 0xffff),
            8 => {
                u64::from(low) | words.get(1).map_or(0, |high| u64::from(high.load(Ordering::Relaxed))) << 32
            }
            _ => u64::from(low),
        }
    }

    /// Writes the low `size` (2, 4 or 8) bytes of `value`.
    #[inline(always)]
    pub(crate) fn store(&self, byte: u64, size: u32, value: u64) {
        let Some(words) = self.words_at(byte, u64::from(size)) else {
            return;
        };
        match size {
            2 => {
                let shift = 8 * (byte & 2);
                let (clear, set) = (!(0xffff << shift), (value as u32 & 0xffff) << shift);
                // The other half may be another invocation's.
                update(&words[0], |old| old & clear | set);
            }
            8 => {
                words[0].store(value as u32, Ordering::Relaxed);
                if let Some(high) = words.get(1) {
                    high.store((value >> 32) as u32, Ordering::Relaxed);
                }
            }
            _ => words[0].store(value as u32, Ordering::Relaxed),
        }
    }

    /// Reads a row of values of `size` bytes, `step` bytes apart, into entries of one or two words; false where some of
    /// it lies outside, or where this is not quicker than one by one.
    pub(crate) fn load_row(&self, byte: u64, step: u32, size: u32, out: &mut [u32]) -> bool {
        let count = if size == 8 { out.len() / 2 } else { out.len() };
        let Some(words) = self.row(byte, step, size, count) else {
            return false;
        };
        let load = |word: &AtomicU32| word.load(Ordering::Relaxed);
        match (size, step) {
            (4, 4) | (8, 8) => out.iter_mut().zip(words).for_each(|(out, word)| *out = load(word)),
            (4, _) => {
                let words = words.iter().step_by(step as usize / 4);
                out.iter_mut().zip(words).for_each(|(out, word)| *out = load(word));
            }
            (8, _) => {
                let pairs = words.windows(2).step_by(step as usize / 4);
                for (out, pair) in out.chunks_exact_mut(2).zip(pairs) {
                    out.copy_from_slice(&[load(&pair[0]), load(&pair[1])]);
                }
            }
            _ => return false,
        }
        true
    }

    /// Writes a row, as [`load_row`](Self::load_row) reads it.
    pub(crate) fn store_row(&self, byte: u64, step: u32, size: u32, row: &[u32]) -> bool {
        let count = if size == 8 { row.len() / 2 } else { row.len() };
        let Some(words) = self.row(byte, step, size, count) else {
            return false;
        };
        let store = |word: &AtomicU32, value: u32| word.store(value, Ordering::Relaxed);
        match (size, step) {
            (4, 4) | (8, 8) => words.iter().zip(row).for_each(|(word, &value)| store(word, value)),
            (4, _) => {
                let words = words.iter().step_by(step as usize / 4);
                words.zip(row).for_each(|(word, &value)| store(word, value));
            }
            (8, _) => {
                let pairs = words.windows(2).step_by(step as usize / 4);
                for (pair, row) in pairs.zip(row.chunks_exact(2)) {
                    store(&pair[0], row[0]);
                    store(&pair[1], row[1]);
                }
            }
            // Whole words: no half of them is another invocation's.
            (2, 2) if byte.is_multiple_of(4) && count.is_multiple_of(2) => {
                for (word, pair) in words.iter().zip(row.chunks_exact(2)) {
                    store(word, pair[0] & 0xffff | pair[1] << 16);
                }
            }
            _ => return false,
        }
        true
    }

    /// The words from a row's first one on, where all of it lies inside.
    fn row(&self, byte: u64, step: u32, size: u32, count: usize) -> Option<&'a [AtomicU32]> {
        let bytes = u64::from(step) * (count as u64).checked_sub(1)? + u64::from(size);
        self.words_at(byte, bytes)
    }

    /// An atomic load.
    pub(crate) fn atomic_load(&self, byte: u64, size: u32) -> u64 {
        match self.words_at(byte, u64::from(size)) {
            Some(words) if size == 4 => u64::from(words[0].load(Ordering::SeqCst)),
            Some(words) => {
                let _locked = lock(&words[0]);
                self.load(byte, size)
            }
            None => 0,
        }
    }

    /// An atomic store.
    pub(crate) fn atomic_store(&self, byte: u64, size: u32, value: u64) {
        match self.words_at(byte, u64::from(size)) {
            Some(words) if size == 4 => words[0].store(value as u32, Ordering::SeqCst),
            Some(words) => {
                let _locked = lock(&words[0]);
                self.store(byte, size, value);
            }
            None => {}
        }
    }

    /// Replaces the value by `f` of it, atomically; gives the old one. Outside: zero, and nothing happens.
    #[inline(always)]
    pub(crate) fn atomic_update(&self, byte: u64, size: u32, f: impl Fn(u64) -> u64) -> u64 {
        match self.words_at(byte, u64::from(size)) {
            Some(words) if size == 4 => u64::from(update(&words[0], |old| f(u64::from(old)) as u32)),
            Some(words) => {
                let _locked = lock(&words[0]);
                let old = self.load(byte, size);
                self.store(byte, size, f(old));
                old
            }
            None => 0,
        }
    }
}

fn update(word: &AtomicU32, f: impl Fn(u32) -> u32) -> u32 {
    let mut old = word.load(Ordering::SeqCst);
    loop {
        match word.compare_exchange_weak(old, f(old), Ordering::SeqCst, Ordering::SeqCst) {
            Ok(old) => return old,
            Err(now) => old = now,
        }
    }
}

/// The lock for the 64-bit atomic that starts at this word. Atomics can be reached in no other way, so whoever holds
/// it is alone.
fn lock(word: &AtomicU32) -> MutexGuard<'static, ()> {
    static LOCKS: [Mutex<()>; 64] = [const { Mutex::new(()) }; 64];
    let n = std::ptr::from_ref(word).addr() / 8 % LOCKS.len();
    LOCKS[n].lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let words: [AtomicU32; 8] = std::array::from_fn(|n| AtomicU32::new(n as u32));
        let memory = Memory::new(&words, 30);
        let row = |byte, step, size, count: usize| {
            let mut out = vec![99; count];
            memory.load_row(byte, step, size, &mut out).then_some(out)
        };
        assert_eq!(row(4, 4, 4, 3), Some(vec![1, 2, 3]));
        assert_eq!(row(4, 12, 4, 2), Some(vec![1, 4]));
        assert_eq!(row(0, 8, 8, 6), Some(vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(row(4, 16, 8, 4), Some(vec![1, 2, 5, 6]));
        assert_eq!(row(4, 4, 4, 7), None);
        assert_eq!(row(0, 8, 8, 8), None);
        assert!(memory.store_row(4, 16, 8, &[10, 11, 12, 13]));
        assert!(memory.store_row(12, 4, 4, &[14]));
        assert!(memory.store_row(16, 2, 2, &[1, 2]));
        assert!(!memory.store_row(18, 2, 2, &[1, 2]));
        assert!(!memory.store_row(24, 4, 4, &[1, 2]));
        assert_eq!(words.map(|w| w.into_inner()), [0, 10, 11, 14, 0x2_0001, 12, 13, 7]);
    }

    #[test]
    fn outside_reads_zero_and_swallows_writes() {
        let words = [AtomicU32::new(0x4433_2211), AtomicU32::new(0x8877_6655)];
        let memory = Memory::new(&words, 6);
        assert_eq!(memory.load(0, 4), 0x4433_2211);
        assert_eq!(memory.load(4, 2), 0x6655);
        assert_eq!((memory.load(6, 2), memory.load(4, 4), memory.load(0, 8)), (0, 0, 0));
        memory.store(2, 2, 0xabcd);
        memory.store(6, 2, 0xffff);
        memory.store(4, 4, 0);
        assert_eq!(memory.atomic_update(u64::MAX, 4, |old| old + 1), 0);
        assert_eq!(words.map(|w| w.into_inner()), [0xabcd_2211, 0x8877_6655]);
    }
}
