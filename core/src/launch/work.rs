//! How much a launch does, as far as that can be told before it runs.
//!
//! What `warpweft-ssa` counts with the launch's own uniforms and sizes, as two numbers that rates divide; where a kernel
//! cannot be analysed, the static cost of its interface.

use warpweft_hal::Grid;
use warpweft_ssa::cost::Estimate;

use super::bind::ResolvedArgument;
use super::knowledge::with_facts;
use crate::kernel::KernelInner;

/// Operations that a transcendental function counts for, as the static cost counts it.
const ELEMENTARY: f64 = 8.0;

/// The work of a whole launch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Work {
    pub(crate) operations: f64,
    /// Bytes that go through memory: what all invocations read alike does not.
    pub(crate) bytes: f64,
}

impl KernelInner {
    /// The work of a launch.
    pub(super) fn work(&self, arguments: &[ResolvedArgument], grid: Grid, invocations: u64) -> Work {
        match self.analysed() {
            Some(analysed) if !grid.is_empty() => {
                with_facts(arguments, grid, |facts| of(&analysed.cost.evaluate(facts)))
            }
            _ => {
                let (n, cost) = (invocations as f64, self.interface().cost);
                Work { operations: n * cost.operations, bytes: n * (cost.bytes_read + cost.bytes_written) }
            }
        }
    }
}

fn of(estimate: &Estimate) -> Work {
    let operations = &estimate.operations;
    let memory = estimate.read.total() - estimate.read.uniform + estimate.written.total();
    Work {
        operations: estimate.invocations * (operations.total() + (ELEMENTARY - 1.0) * operations.elementary),
        bytes: estimate.invocations * memory,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Placement, Runtime};

    const WGSL: &str = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @group(0) @binding(2) var<uniform> rounds: u32;
        @compute @workgroup_size(64) fn sums(@builtin(global_invocation_id) id: vec3u) {
            if id.x >= arrayLength(&y) { return; }
            var sum = y[id.x];
            for (var i = 0u; i < rounds; i++) { sum += x[i]; }
            y[id.x] = exp(sum);
        }";

    #[test]
    fn work_follows_uniforms_and_counts_shared_reads_once_for_none() {
        let runtime = Runtime::builder().gpu(false).build().unwrap();
        let kernel = runtime.kernel(WGSL).unwrap();
        let (x, y) = (runtime.zeros::<f32>([1000]).unwrap(), runtime.zeros::<f32>([1000]).unwrap());
        let work = |rounds: u32| {
            let launch = kernel.launch().bind("x", &x).bind("y", &y).set("rounds", rounds);
            launch.on(Placement::Cpu).over([1000, 1, 1]).prepare().unwrap().checked.work()
        };
        let (few, many) = (work(10), work(210));
        // Each y is read and written; what all invocations read alike stays in caches.
        assert_eq!([few.bytes, many.bytes], [8000.0; 2]);
        // A round is a sum of floats, a sum of integers, and perhaps the test that ends it.
        let round = (many.operations - few.operations) / (200.0 * 1000.0);
        assert!((2.0..=3.0).contains(&round), "{round} operations");
        assert!(work(0).operations >= 8.0 * 1000.0, "an exponential counts for 8 operations");
    }
}
