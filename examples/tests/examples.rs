//! Every example runs, on the CPU and behind a GPU API, and its own check holds.
//!
//! Does not look at what they compute: they do that themselves and exit with an error.

mod common;

use std::path::Path;
use std::process::Command;

use warpweft::Placement;

/// Runs an example in an empty folder with small sizes: it must say where it ran, and write those files.
fn check(name: &str, arguments: &[&str], files: &[&str]) {
    let program =
        common::program(&format!("examples/{name}"), &["-p", "warpweft-examples", "--example", name]);
    for on in [Placement::Cpu, common::gpu_api()] {
        let folder = tempfile::tempdir().unwrap();
        let run = |on: &str| {
            common::run(Command::new(&program).args(arguments).args(["--on", on]).current_dir(&folder))
        };
        let printed = run(&on.to_string());
        assert!(printed.contains(&format!("({on}, ")), "{name} --on {on} says where it ran:\n{printed}");
        for file in files {
            let bytes = std::fs::read(folder.path().join(file)).expect(file);
            let magic: &[u8] = if file.ends_with(".png") { b"\x89PNG" } else { b"\x93NUMPY" };
            assert!(bytes.starts_with(magic), "{file}");
        }
    }
}

#[test]
fn saxpy() {
    check("01_saxpy", &["1000"], &[]);
}

#[test]
fn heat() {
    check("02_heat", &["31", "60", "20", "."], &["heat_000020.png", "heat_000040.png", "heat_000060.png"]);
}

#[test]
fn nbody() {
    check("03_nbody", &["100", "10"], &[]);
}

#[test]
fn mandelbrot() {
    check("04_mandelbrot", &["60", "50", "set.png"], &["set.png"]);
}

#[test]
fn denoise() {
    let dem = concat!(env!("CARGO_MANIFEST_DIR"), "/data/jacksboro_fault_dem.npy");
    check("05_denoise", &[dem, "60", "3", "."], &["before.png", "after.png", "after.npy"]);
}

#[test]
fn a_failed_check_or_a_mistake_is_an_error() {
    let program =
        common::program("examples/05_denoise", &["-p", "warpweft-examples", "--example", "05_denoise"]);
    let folder = tempfile::tempdir().unwrap();
    let moon = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/moon.npy");
    let moon = moon.to_str().unwrap();
    // A kappa of zero divides differences by it: the result has no mean.
    for (arguments, said) in [
        (&[moon, "0", "1"][..], "the mean moved"),
        (&["nowhere.npy"], "nowhere.npy"),
        (&[moon, "steep"], "`steep` is no f32"),
        (&["--fast"], "there is no flag `--fast`"),
        (&["--on", "moon"], "`moon` is no placement"),
    ] {
        let output = Command::new(&program).args(arguments).current_dir(&folder).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}
