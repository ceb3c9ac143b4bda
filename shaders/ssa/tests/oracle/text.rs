//! The text of a few functions: `tests/text/NAME.wgsl` and beside it what is expected, `NAME.ssa`.
//!
//! Names that begin with `calls` are for functions that stay functions. With `WARPWEFT_BLESS` set, what is found is written there.

use crate::{function, function_with_calls};
use std::path::Path;
use warpweft_module::{Module, Source};

#[test]
fn texts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text");
    let bless = std::env::var_os("WARPWEFT_BLESS").is_some();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a plain name"))
        .filter_map(|name| name.strip_suffix(".wgsl").map(str::to_string))
        .collect();
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let source = std::fs::read_to_string(folder.join(format!("{name}.wgsl"))).expect("a source");
        let source = Source::new(format!("{name}.wgsl"), source);
        let kernel = Module::new(&[source], &[]).and_then(|module| module.kernel(None, &[]));
        let kernel = kernel.unwrap_or_else(|error| panic!("{error}"));
        let calls = name.starts_with("calls");
        let found = if calls { function_with_calls(&kernel) } else { function(&kernel) }.to_string();
        let file = folder.join(format!("{name}.ssa"));
        if bless {
            std::fs::write(&file, &found).expect("a folder to write to");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(expected == found, "{name}.ssa differs (WARPWEFT_BLESS=1 accepts this):\n{found}");
    }
}
