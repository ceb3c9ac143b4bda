//! Memory for machine code: written first, executable afterwards, never both at once.
//!
//! Knows nothing of what the code does: calling it is the caller's risk.

use std::io;

use memmap2::{Mmap, MmapOptions};

/// Machine code that may be called.
#[derive(Debug)]
pub struct Executable {
    pages: Mmap,
}

impl Executable {
    /// Machine code at a fresh, page-aligned address. It must not depend on where it lies.
    ///
    /// # Errors
    /// When there is no code, or the system refuses memory, or refuses to make it executable.
    pub fn new(code: &[u8]) -> io::Result<Self> {
        // Whether none can be mapped is not the same on all systems.
        if code.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no code"));
        }
        // Taken all at once: page by page, as they are written, takes longer.
        let mut pages = MmapOptions::new().len(code.len()).populate().map_anon()?;
        pages[..code.len()].copy_from_slice(code);
        let pages = pages.make_exec()?;
        #[cfg(target_arch = "aarch64")]
        synchronise(&pages);
        Ok(Self { pages })
    }

    /// Where the code starts.
    pub fn address(&self) -> *const u8 {
        self.pages.as_ptr()
    }

    /// The code.
    pub fn bytes(&self) -> &[u8] {
        &self.pages
    }
}

/// Makes freshly written code visible to instruction fetch.
#[cfg(target_arch = "aarch64")]
fn synchronise(code: &[u8]) {
    use std::arch::asm;
    // The smallest lines there are; smaller steps than needed do no harm.
    for line in code.as_ptr_range().start.addr()..code.as_ptr_range().end.addr() {
        if line % 16 == 0 || line == code.as_ptr().addr() {
            // SAFETY: cache maintenance by address, within memory that is ours.
            unsafe { asm!("dc cvau, {0}", "dsb ish", "ic ivau, {0}", in(reg) line) };
        }
    }
    // SAFETY: barriers only.
    unsafe { asm!("dsb ish", "isb") };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn code_runs() {
        // lea eax, [rdi + 1]; ret
        let code = Executable::new(&[0x8d, 0x47, 0x01, 0xc3]).unwrap();
        // SAFETY: the bytes above are that function.
        let function: extern "sysv64" fn(u32) -> u32 = unsafe { std::mem::transmute(code.address()) };
        assert_eq!(function(41), 42);
    }

    #[test]
    fn no_code_is_an_error() {
        assert!(Executable::new(&[]).is_err());
    }
}
