//! Real data, diffused in a hundred steps: right by an independent result, and the same from Rust and the command line.
//!
//! The expected rows are MedPy's (`data/README.md`). How far two right results may be apart is not chosen but computed,
//! pixel by pixel: see `scheme`.

mod common;
mod scheme;

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use scheme::Exact;
use warpweft::{Placement, Runtime};
use warpweft_examples::{Field, read_npy};
use warpweft_shaders::PERONA_MALIK;

const STEPS: u64 = 100;
const LAMBDA: f32 = 0.2;
/// Every so many rows of MedPy's results are kept.
const EVERY: usize = 7;

/// An input, its parameter, and what is known of its result.
struct Case {
    name: &'static str,
    kappa: f32,
    input: Field,
    exact: Exact,
    medpy: Field,
}

impl Case {
    fn new(name: &'static str, kappa: f32) -> Self {
        let input = read_npy(data(&format!("{name}.npy"))).unwrap();
        let exact = Exact::new(&input, kappa, LAMBDA, STEPS);
        let medpy = read_npy(data(&format!("expected/{name}.npy"))).unwrap();
        assert_eq!((medpy.width, (medpy.height - 1) * EVERY), (input.width, input.height - 1));
        Self { name, kappa, input, exact, medpy }
    }

    /// The rows, and their bounds, of which MedPy's result is kept.
    fn kept<'a>(&self, rows: &'a [f32]) -> impl Iterator<Item = &'a f32> {
        rows.chunks(self.input.width).step_by(EVERY).flatten()
    }
}

static MOON: LazyLock<Case> = LazyLock::new(|| Case::new("moon", 15.0));
static DEM: LazyLock<Case> = LazyLock::new(|| Case::new("jacksboro_fault_dem", 60.0));

fn data(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "data", path].iter().collect()
}

/// The result through the Rust API.
fn denoise(case: &Case, on: Placement) -> Vec<f32> {
    let Field { height, width, values } = &case.input;
    let rt = Runtime::new().unwrap();
    let src = rt.array([*height, *width], values.clone()).unwrap();
    let dst = rt.zeros::<f32>([*height, *width]).unwrap();
    let kernel = rt.kernel(PERONA_MALIK.source).unwrap();
    let step = kernel
        .launch()
        .bind("src", &src)
        .bind("dst", &dst)
        .set("params.size", [*width as u32, *height as u32])
        .set("params.kappa", case.kappa)
        .set("params.lambda", LAMBDA)
        .on(on)
        .prepare()
        .unwrap();
    let report = rt.steps(STEPS).then(&step).swap(&src, &dst).run().unwrap();
    assert_eq!(report.steps, STEPS);
    src.read().unwrap().to_vec()
}

/// Compares the whole result with the exact one, and the kept rows with MedPy's.
fn check(case: &Case, on: Placement) {
    let result = denoise(case, on);
    let exact = case.exact.values.iter().zip(&case.exact.bounds);
    let worst = excess(result.iter().zip(exact).map(|(&r, (&e, &bound))| (f64::from(r) - e, bound)));
    assert!(
        worst <= 1.0,
        "{} on {on} is {worst} times as far from the exact result as rounding can take it",
        case.name
    );
    // Both have the error of f32.
    let bounds: Vec<f32> = case.exact.bounds.iter().map(|&b| 2.0 * b as f32).collect();
    let ours = case.kept(&result).zip(case.kept(&bounds));
    let worst =
        excess(ours.zip(&case.medpy.values).map(|((r, &bound), m)| (f64::from(r - m), f64::from(bound))));
    assert!(
        worst <= 1.0,
        "{} on {on} is {worst} times as far from MedPy's result as rounding can take them",
        case.name
    );
}

/// The largest ratio of a difference to its bound; infinite where one is no number.
fn excess(differences: impl Iterator<Item = (f64, f64)>) -> f64 {
    let ratios = differences.map(|(difference, bound)| difference.abs() / bound);
    ratios.fold(0.0, |worst, ratio| if ratio.is_nan() { f64::INFINITY } else { ratio.max(worst) })
}

#[test]
fn moon_on_the_cpu() {
    check(&MOON, Placement::Cpu);
}

#[test]
fn moon_behind_a_gpu_api() {
    check(&MOON, common::gpu_api());
}

#[test]
fn elevations_on_the_cpu() {
    check(&DEM, Placement::Cpu);
}

#[test]
fn elevations_behind_a_gpu_api() {
    check(&DEM, common::gpu_api());
}

/// The bounds are of use: they are far below what diffusion changes, and a parameter off by 1 % breaks many.
#[test]
fn the_bounds_tell_a_wrong_result() {
    for case in [&*MOON, &*DEM] {
        let Exact { values, bounds } = &case.exact;
        let changes =
            case.input.values.iter().zip(values).map(|(&before, after)| (f64::from(before) - after).abs());
        let (change, bound) = (changes.sum::<f64>(), bounds.iter().sum::<f64>());
        assert!(bound < 0.01 * change, "{}: bounds of {bound} for changes of {change}", case.name);
        let wrong = Exact::new(&case.input, 1.01 * case.kappa, LAMBDA, STEPS);
        let broken =
            wrong.values.iter().zip(values).zip(bounds).filter(|((w, v), b)| (*w - *v).abs() > **b).count();
        assert!(10 * broken > values.len(), "{}: {broken} pixels of {}", case.name, values.len());
    }
}

#[test]
fn the_command_line_gives_the_same_bits() {
    let warpweft = common::program("warpweft", &["-p", "warpweft-cli"]);
    let kernel = [env!("CARGO_MANIFEST_DIR"), "..", "shaders", "library", "src", "perona_malik.wgsl"];
    let kernel: PathBuf = kernel.iter().collect();
    let folder = tempfile::tempdir().unwrap();
    for case in [&*MOON, &*DEM] {
        for on in [Placement::Cpu, common::gpu_api()] {
            let Field { height, width, .. } = case.input;
            let out = folder.path().join("out.npy");
            let mut command = Command::new(&warpweft);
            command.arg("run").arg(&kernel).args(["--on", &on.to_string(), "--swap", "src,dst"]);
            command.args(["--steps", &STEPS.to_string()]);
            command.args(["--bind", &format!("src={}", data(&format!("{}.npy", case.name)).display())]);
            command.args(["--bind", &format!("dst=zeros:f32:{height}x{width}")]);
            command.args(["--set", &format!("params.size={width},{height}")]);
            command.args(["--set", &format!("params.kappa={}", case.kappa)]);
            command.args(["--set", &format!("params.lambda={LAMBDA}")]);
            command.args(["--out", &format!("src={}", out.display())]);
            common::run(&mut command);
            let theirs = read_npy(&out).unwrap();
            assert_eq!((theirs.height, theirs.width), (height, width));
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert!(bits(&theirs.values) == bits(&denoise(case, on)), "{} on {on}", case.name);
        }
    }
}
