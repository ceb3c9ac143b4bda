//! Conformance cases for WGSL expressions: small kernels, their inputs, and what their outputs may be.
//!
//! The cases lie in a folder of `AREA.json.gz` files beside the checkout, or where `WARPWEFT_CONFORMANCE` says. This
//! crate reads them, lays out the inputs and judges outputs; who runs the kernels is up to the caller. Tests only.

mod expectation;
mod file;
mod layout;

pub use expectation::Wrong;
pub use file::{Error, load};

use expectation::Expectation;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Inputs and expectations that several kernels share.
#[derive(Debug)]
pub(crate) struct Set {
    /// Input scalars: `inputs[parameter][case * components + component]`.
    inputs: Vec<Vec<u32>>,
    /// Scalars of each parameter.
    input_components: Vec<usize>,
    /// Scalars of the result.
    output_components: usize,
    /// Cases.
    count: usize,
    expectation: Expectation,
}

/// One kernel to run: binding 0 is the output (read-write), binding 1 the input; one invocation per row.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file it comes from, such as `builtin`.
    pub area: String,
    /// What it tests, as one line.
    pub name: String,
    /// The kernel; workgroup size 64.
    pub wgsl: String,
    /// Bytes of binding 1.
    pub input: Vec<u8>,
    /// Bytes of binding 0.
    pub output_bytes: usize,
    /// Workgroups along x.
    pub workgroups: u32,
    out_stride: usize,
    /// Byte offsets of the output's scalars in a row.
    out_offsets: Vec<usize>,
    out_scalar: layout::Scalar,
    /// Cases in a row.
    vectorize: usize,
    set: Arc<Set>,
}

/// How an output was judged.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Cases that are right.
    pub right: usize,
    /// Cases that are wrong.
    pub wrong: Vec<Wrong>,
}

impl Case {
    /// Judges every case of the kernel by the bytes of binding 0.
    ///
    /// # Panics
    ///
    /// When `output` is shorter than [`output_bytes`](Self::output_bytes).
    pub fn judge(&self, output: &[u8]) -> Verdict {
        assert!(output.len() >= self.output_bytes, "an output of {} bytes", output.len());
        let mut verdict = Verdict::default();
        let components = self.set.output_components;
        for case in 0..self.set.count {
            let (row, place) = (case / self.vectorize, case % self.vectorize);
            let scalars: Vec<u32> = (0..components)
                .map(|c| {
                    let offset = row * self.out_stride + self.out_offsets[place * components + c];
                    self.out_scalar.read(&output[offset..])
                })
                .collect();
            match self.set.expectation.wrong(case, &scalars, self.out_scalar) {
                None => verdict.right += 1,
                Some(expected) => {
                    let inputs = (0..self.set.inputs.len()).map(|p| {
                        let n = self.set.input_components[p];
                        self.set.inputs[p][case * n..(case + 1) * n].to_vec()
                    });
                    verdict.wrong.push(Wrong { case, inputs: inputs.collect(), output: scalars, expected });
                }
            }
        }
        verdict
    }

    /// How many cases it judges.
    pub fn count(&self) -> usize {
        self.set.count
    }

    /// The kernel casts bits from or to 16-bit floats, or splits them by `frexp`: naga 30 reads both wrongly, so it has
    /// to end in an error.
    pub fn must_be_refused(&self) -> bool {
        self.wgsl.contains("enable f16") && (self.wgsl.contains("bitcast") || self.wgsl.contains("frexp"))
    }
}

/// Every case, for a test of the package with this manifest folder. Without the cases: `None`, after saying so on
/// standard error.
///
/// # Panics
///
/// When the cases are there but cannot be read, and when `WARPWEFT_REQUIRE_CONFORMANCE` is set and they are not there.
pub fn cases(manifest_dir: &str) -> Option<Vec<Case>> {
    match folder(manifest_dir) {
        Ok(folder) => Some(load(&folder).unwrap_or_else(|error| panic!("{error}"))),
        Err(why) if std::env::var_os("WARPWEFT_REQUIRE_CONFORMANCE").is_some() => panic!("{why}"),
        Err(why) => {
            // Not `eprintln`: the test harness would keep that to itself.
            let _ = writeln!(std::io::stderr(), "NOT RUN: {why}");
            None
        }
    }
}

/// Where the cases are: `WARPWEFT_CONFORMANCE`, or `shared/conformance` beside the checkout that the package with this
/// manifest folder (two levels below the root) belongs to. `Err` says why there are none.
pub fn folder(manifest_dir: &str) -> Result<PathBuf, String> {
    let folder = match std::env::var_os("WARPWEFT_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(manifest_dir).join("../../../shared/conformance"),
    };
    if folder.join("README.md").is_file() {
        return Ok(folder);
    }
    Err(format!(
        "no conformance cases in {} (set WARPWEFT_CONFORMANCE to their folder; \
         WARPWEFT_REQUIRE_CONFORMANCE makes this a failure)",
        folder.display()
    ))
}
