//! Names for machine code in profiles: Linux `perf` reads them from `/tmp/perf-PID.map`.
//!
//! Only where `WARPWEFT_PERF_MAP` is set to something else than 0. Knows nothing of what the code does.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Whether profiles are wanted.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os("WARPWEFT_PERF_MAP").is_some_and(|value| value != "0")
}

/// Tells `perf` where a kernel's code lies. That it cannot be told is no error: the kernel runs all the same.
pub(crate) fn announce(code: &[u8], name: &str) {
    let path = format!("/tmp/perf-{}.map", std::process::id());
    if let Err(error) = append(Path::new(&path), &line(code, name)) {
        eprintln!("warpweft: {path} cannot be written: {error}");
    }
}

fn line(code: &[u8], name: &str) -> String {
    format!("{:x} {:x} warpweft::{name}\n", code.as_ptr().addr(), code.len())
}

/// One write, so that lines of several threads do not mix.
fn append(path: &Path, line: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_how_long_and_what() {
        let code = [0u8; 26];
        let expected = format!("{:x} 1a warpweft::saxpy_avx2x8\n", code.as_ptr().addr());
        assert_eq!(line(&code, "saxpy_avx2x8"), expected);
    }
}
