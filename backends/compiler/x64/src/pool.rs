//! Constants that lie behind the code: each stored once, wide ones first so that all are aligned.
//!
//! Knows bytes and sizes, not what they mean.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A constant of a [`Pool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Constant(u32);

/// Constants to lie behind the code.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// Size and first byte of each.
    entries: Vec<(u8, u32)>,
    bytes: Vec<u8>,
    known: HashMap<(u8, u64), Vec<Constant>, BuildHasherDefault<Mix>>,
}

/// Multiplies and folds: keys are made here, so nobody can choose them to collide for long.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Pool {
    /// A constant of 4, 8, 16, 32 or 64 bytes.
    pub(crate) fn constant(&mut self, bytes: &[u8]) -> Constant {
        let mut hash = Mix::default();
        hash.write(bytes);
        let same = self.known.entry((bytes.len() as u8, hash.finish())).or_default();
        for &constant in same.iter() {
            let first = self.entries[constant.0 as usize].1 as usize;
            if self.bytes[first..first + bytes.len()] == *bytes {
                return constant;
            }
        }
        let constant = Constant(self.entries.len() as u32);
        self.entries.push((bytes.len() as u8, self.bytes.len() as u32));
        self.bytes.extend_from_slice(bytes);
        same.push(constant);
        constant
    }

    /// Where each constant will lie from the pool's start on, which must be a multiple of 64; and all of them.
    pub(crate) fn place(&self) -> (Vec<u32>, Vec<u8>) {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|&entry| std::cmp::Reverse(self.entries[entry].0));
        let mut offsets = vec![0; order.len()];
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for entry in order {
            let (size, first) = self.entries[entry];
            offsets[entry] = bytes.len() as u32;
            bytes.extend_from_slice(&self.bytes[first as usize..first as usize + size as usize]);
        }
        (offsets, bytes)
    }
}

impl Constant {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_constants_are_one_and_all_are_aligned() {
        let mut pool = Pool::default();
        let small = pool.constant(&[1, 0, 0, 0]);
        let wide = pool.constant(&[7; 32]);
        let double = pool.constant(&[1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(pool.constant(&[1, 0, 0, 0]), small);
        assert_ne!(small, double);
        let (offsets, bytes) = pool.place();
        assert_eq!(offsets[wide.index()], 0);
        assert_eq!(offsets[double.index()], 32);
        assert_eq!(offsets[small.index()], 40);
        assert_eq!(bytes.len(), 44);
        assert_eq!(bytes[40], 1);
    }
}
