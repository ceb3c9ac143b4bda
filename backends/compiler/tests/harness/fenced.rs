//! Memory between pages that nobody may touch: a stray read ends the process, a stray write is found.
//!
//! One end of the words lies against such a page; what is left of the page at the other end holds a pattern. Where there
//! are no such pages, the pattern stands on both sides. Knows nothing of what the words are for.

/// What a word is that nobody may write.
pub const UNTOUCHED: u32 = 0x5afe_5afe;

/// Bytes of a page, or a multiple of them, on every machine that tests run on.
const PAGE: usize = if cfg!(target_arch = "x86_64") { 1 << 12 } else { 1 << 16 };

/// The end of the words that lies against a forbidden page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Start,
    End,
}

/// So many words of memory.
pub struct Fenced {
    pages: Pages,
    first: usize,
    len: usize,
}

impl Fenced {
    /// Words that begin as `content`. With the fence at the start they are aligned to a page, else to their own size.
    pub fn new(content: &[u32], side: Side) -> Self {
        let mut pages = Pages::new((4 * content.len()).div_ceil(PAGE).max(1) * PAGE);
        let all = pages.words_mut();
        let first = match side {
            Side::Start => 0,
            Side::End => all.len() - content.len(),
        };
        all.fill(UNTOUCHED);
        all[first..first + content.len()].copy_from_slice(content);
        Self { pages, first, len: content.len() }
    }

    pub fn start(&mut self) -> *mut u8 {
        self.pages.words_mut()[self.first..].as_mut_ptr().cast()
    }

    pub fn words(&self) -> &[u32] {
        &self.pages.words()[self.first..self.first + self.len]
    }

    /// Where words around these were written: before them or behind.
    pub fn strays(&self) -> Option<&'static str> {
        let all = self.pages.words();
        let written = |words: &[u32]| words.iter().any(|&word| word != UNTOUCHED);
        if written(&all[..self.first]) {
            return Some("before");
        }
        written(&all[self.first + self.len..]).then_some("behind")
    }
}

/// Pages with a forbidden one on each side.
#[cfg(unix)]
struct Pages {
    whole: *mut u8,
    bytes: usize,
}

#[cfg(unix)]
impl Pages {
    fn new(bytes: usize) -> Self {
        let all = bytes + 2 * PAGE;
        // SAFETY: fresh pages of our own, of which some in the middle are opened.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let whole = libc::mmap(std::ptr::null_mut(), all, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(whole, libc::MAP_FAILED);
            let open = libc::mprotect(whole.add(PAGE), bytes, libc::PROT_READ | libc::PROT_WRITE);
            assert_eq!(open, 0);
            Self { whole: whole.cast(), bytes }
        }
    }

    fn words(&self) -> &[u32] {
        // SAFETY: `new` mapped and opened them; they start as zeros.
        unsafe { std::slice::from_raw_parts(self.whole.add(PAGE).cast(), self.bytes / 4) }
    }

    fn words_mut(&mut self) -> &mut [u32] {
        // SAFETY: as above, and borrowed for writing.
        unsafe { std::slice::from_raw_parts_mut(self.whole.add(PAGE).cast(), self.bytes / 4) }
    }
}

#[cfg(unix)]
impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, with this length.
        unsafe { libc::munmap(self.whole.cast(), self.bytes + 2 * PAGE) };
    }
}

/// Pages between others with the pattern.
#[cfg(not(unix))]
struct Pages(Vec<u32>);

#[cfg(not(unix))]
impl Pages {
    fn new(bytes: usize) -> Self {
        Self(vec![UNTOUCHED; (bytes + 2 * PAGE) / 4])
    }

    fn words(&self) -> &[u32] {
        &self.0[PAGE / 4..self.0.len() - PAGE / 4]
    }

    fn words_mut(&mut self) -> &mut [u32] {
        let end = self.0.len() - PAGE / 4;
        &mut self.0[PAGE / 4..end]
    }
}
