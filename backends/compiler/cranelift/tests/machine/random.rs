//! Random functions leave in memory what the evaluator leaves there.
//!
//! Their memories lie where the evaluator has them, for they may store addresses. `WARPWEFT_SEEDS` says how many of them
//! (300 otherwise); a failure prints the seed.
#![cfg(target_os = "linux")]

use warpweft_vector::legalise::legalise;
use warpweft_vector::random::{difference, evaluation, function};

use crate::agreement::Ready;

/// The spaces of random functions, and the widths that they are tried at.
const SPACES: usize = 5;
const WIDTHS: [u16; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Pages at an address.
struct Pages {
    start: *mut u8,
    length: usize,
}

impl Pages {
    fn at(address: u64, length: usize) -> Self {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: fresh memory, and only where there is none.
        let start = unsafe { libc::mmap(address as *mut _, length, access, flags, -1, 0) };
        assert_eq!(start as u64, address, "{}", std::io::Error::last_os_error());
        Self { start: start.cast(), length }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: that many bytes were mapped there, and are ours.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: mapped above, and nobody has it any more.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

#[test]
fn random_functions() {
    let seeds = std::env::var("WARPWEFT_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let target = warpweft_cranelift::Target::host().unwrap();
    let mut writing = 0;
    let (before, arguments) = evaluation(0);
    let length = before.memory(0).len();
    let mut pages: Vec<Pages> = arguments[..SPACES].iter().map(|&base| Pages::at(base, length)).collect();
    let short = (0..seeds).map(|seed| (seed, [15, 40, 100][seed as usize % 3]));
    // Long ones get their registers in another way.
    for (seed, size) in short.chain([(2, 7000)]) {
        let lanes = WIDTHS[seed as usize % 7];
        let original = function(seed, lanes, size);
        assert_eq!(original.is_long(), size > 4000);
        let (mut evaluated, arguments) = evaluation(seed);
        let before = evaluated.clone();
        if let Err(error) = evaluated.run(&original, &arguments) {
            panic!("seed {seed}: {error}\n{original}");
        }
        let mut legal = original.clone();
        legalise(&mut legal, &target);
        let ready = Ready::new(&legal);
        let mut found = before.clone();
        for variant in 0..ready.variants() {
            for (space, pages) in pages.iter_mut().enumerate() {
                pages.bytes()[..before.memory(space).len()].copy_from_slice(before.memory(space));
            }
            ready.call(variant, &arguments);
            for (space, pages) in pages.iter_mut().enumerate() {
                let length = found.memory(space).len();
                found.memory_mut(space).copy_from_slice(&pages.bytes()[..length]);
            }
            if let Some((space, byte)) = difference(&evaluated, &found) {
                panic!("seed {seed}, variant {variant}: `{space}` differs at byte {byte}\n{original}");
            }
        }
        writing += u64::from(difference(&before, &found).is_some());
    }
    assert!(writing > seeds / 2, "only {writing} of {seeds} functions write");
}
