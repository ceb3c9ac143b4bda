//! What the tests of the examples share: a device behind a GPU API, and programs that cargo has built.
//!
//! Knows nothing of what the programs do.

use std::path::{Path, PathBuf};
use std::process::Command;

use warpweft::{DeviceKind, Placement, Runtime};

/// A placement on a device behind a GPU API: a software device where there is one, else a GPU.
///
/// # Panics
/// When there is neither.
pub(crate) fn gpu_api() -> Placement {
    let devices = Runtime::new().expect("the CPU is a device").devices();
    let has = |kind| devices.iter().any(|device| device.kind == kind);
    match (has(DeviceKind::Software), has(DeviceKind::Gpu)) {
        (true, _) => Placement::Software,
        (_, true) => Placement::Gpu,
        _ => {
            panic!("this test needs a device behind a GPU API, and none was found: scripts/test installs one")
        }
    }
}

/// A program beside this test's, by its path below the profile's folder; built now where that has not been done since
/// its sources changed.
///
/// # Panics
/// When it cannot be built.
pub(crate) fn program(path: &str, target: &[&str]) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    // target/PROFILE/deps/TEST
    let profile = test.ancestors().nth(2).expect("a test lies in a folder of a profile's folder");
    let program = profile.join(path).with_extension(std::env::consts::EXE_EXTENSION);
    if !is_current(&program) {
        let name = match profile.file_name().and_then(|name| name.to_str()) {
            Some("debug") => "dev",
            Some(name) => name,
            None => panic!("{} is no profile's folder", profile.display()),
        };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--profile", name, "--target-dir"])
            .args(profile.parent())
            .args(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(built.success() && program.exists(), "cargo build {} gives {path}", target.join(" "));
    }
    program
}

/// Whether a program is there and newer than its sources, which cargo lists in a file beside it.
fn is_current(program: &Path) -> bool {
    let written = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let (Some(built), Ok(list)) = (written(program), std::fs::read_to_string(program.with_extension("d")))
    else {
        return false;
    };
    // PROGRAM: SOURCE SOURCE…, with spaces in names escaped.
    let list = list.replace("\\ ", "\0");
    let mut sources = list.split_whitespace().skip(1).map(|source| source.replace('\0', " "));
    sources.all(|source| written(Path::new(&source)).is_some_and(|changed| changed <= built))
}

/// Runs a program and gives what it printed.
///
/// # Panics
/// When it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}
