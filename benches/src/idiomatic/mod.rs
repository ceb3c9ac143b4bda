//! The problems as a good Rust programmer writes them: iterators and chunks over rayon, no intrinsics.
//!
//! To be built with `-C target-cpu=native`. Sums are not reordered by hand: a lane of partial sums per accumulator is
//! what intrinsics are for. The matrix products and the histogram are other algorithms than the WGSL's, since nobody
//! would write those in Rust.

mod bodies;
mod counting;
mod dense;
mod options;
mod pixels;
mod sparse;
mod streaming;

use crate::rival::Function;

/// The implementation of a problem.
pub fn function(problem: &str) -> Option<Function> {
    Some(match problem {
        "triad" => streaming::triad,
        "saxpy" => streaming::saxpy,
        "jacobi2d" => streaming::jacobi2d,
        "reduce_sum" => streaming::reduce_sum,
        "transpose" => streaming::transpose,
        "prefix_scan" => counting::prefix_scan,
        "histogram" => counting::histogram,
        "spmv_poisson" | "spmv_random" => sparse::spmv_csr,
        "nbody" => bodies::nbody,
        "nbody_tiled" => bodies::nbody_tiled,
        "mandelbrot" => pixels::mandelbrot,
        "black_scholes" => options::black_scholes,
        "matmul" => dense::matmul,
        "matmul_tiled" => dense::matmul_tiled,
        _ => return None,
    })
}

/// Another algorithm than the WGSL's: not part of the ratios.
pub fn differs(problem: &str) -> bool {
    ["matmul", "matmul_tiled", "histogram"].contains(&problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rival::{Host, Rival};
    use warpweft_problems::{ALL, Scale};

    #[test]
    fn every_problem_is_implemented_and_right() {
        for case in ALL {
            for scale in [Scale::Tiny, Scale::Quick] {
                let problem = case.problem(scale, 3);
                let function = function(case.name).unwrap_or_else(|| panic!("{} is missing", case.name));
                let mut host = Host::new(&problem, function);
                for _ in 0..2 {
                    host.reset().unwrap();
                    host.run().unwrap();
                    let results = host.results().unwrap();
                    problem.judge(&results).unwrap_or_else(|wrong| panic!("{}: {wrong}", case.name));
                }
            }
        }
    }
}
