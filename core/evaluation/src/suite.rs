//! The kernels of the standard suite as data: how much they compute and move, over which arrays, and whether a launch
//! may be run in slices.
//!
//! Does not know devices. A size counts elements of what a kernel writes or walks; one invocation belongs to each.

/// How a quantity grows with the size `n`: `factor · n^exponent · log2(n)^logarithms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// The factor.
    pub factor: f64,
    /// The exponent of `n`.
    pub exponent: f64,
    /// The exponent of `log2(n)`.
    pub logarithms: i32,
}

impl Law {
    /// The quantity at a size.
    pub fn at(&self, n: u64) -> f64 {
        let n = n.max(1) as f64;
        self.factor * n.powf(self.exponent) * n.log2().powi(self.logarithms)
    }
}

/// What a kernel does with an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads it.
    Read,
    /// Overwrites all of it.
    Write,
    /// Reads and writes it.
    ReadWrite,
}

/// Which part of an array a slice of the launch touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// As large a share of it as the slice has of the launch (halos are neglected).
    Aligned,
    /// All of it.
    Gathered,
}

/// An array that a kernel is bound to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array {
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Law,
    /// What is done with it.
    pub access: Access,
    /// What a slice touches of it.
    pub reach: Reach,
}

/// Whether a launch may be run in slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slicing {
    /// No workgroup touches what another may write.
    Sliceable,
    /// It must run whole, and why.
    Whole(&'static str),
}

/// A kernel of the suite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    /// Its name.
    pub name: &'static str,
    /// Operations of a launch.
    pub operations: Law,
    /// Bytes that a launch moves to and from memory.
    pub traffic: Law,
    /// What it is bound to.
    pub arrays: &'static [Array],
    /// Whether it may be run in slices.
    pub slicing: Slicing,
    /// Iterated, arrays 0 and 1 change places after every launch.
    pub swaps: bool,
    /// How unlike one range of the work is to another: the standard deviation of the logarithm of a slice's measured rate.
    pub irregularity: f64,
    /// Typical sizes: small, middle, large.
    pub sizes: [u64; 3],
}

impl Kernel {
    /// May be run in slices.
    pub fn sliceable(&self) -> bool {
        self.slicing == Slicing::Sliceable
    }

    /// Bytes of all its arrays.
    pub fn footprint(&self, n: u64) -> f64 {
        self.arrays.iter().map(|array| array.bytes.at(n)).sum()
    }
}

const fn linear(factor: f64) -> Law {
    Law { factor, exponent: 1.0, logarithms: 0 }
}

const fn power(factor: f64, exponent: f64) -> Law {
    Law { factor, exponent, logarithms: 0 }
}

/// `bytes` per element of an array that slices touch in step.
const fn array(name: &'static str, bytes: f64, access: Access) -> Array {
    Array { name, bytes: linear(bytes), access, reach: Reach::Aligned }
}

/// `bytes` per element of an array that every slice reads all of.
const fn gathered(name: &'static str, bytes: f64) -> Array {
    Array { name, bytes: linear(bytes), access: Access::Read, reach: Reach::Gathered }
}

use Access::{Read, ReadWrite, Write};

/// A kernel that is regular, sliceable and keeps its arrays in place.
const PLAIN: Kernel = Kernel {
    name: "",
    operations: linear(0.0),
    traffic: linear(0.0),
    arrays: &[],
    slicing: Slicing::Sliceable,
    swaps: false,
    irregularity: 0.0,
    sizes: [1 << 14, 1 << 19, 1 << 24],
};

/// The suite, in the order of the benchmarks.
pub static SUITE: [Kernel; 15] = [
    Kernel {
        name: "triad",
        operations: linear(2.0),
        traffic: linear(12.0),
        arrays: &[array("a", 4.0, Write), array("b", 4.0, Read), array("c", 4.0, Read)],
        ..PLAIN
    },
    Kernel {
        name: "dot",
        operations: linear(2.0),
        traffic: linear(8.0),
        arrays: &[array("x", 4.0, Read), array("y", 4.0, Read), array("sums", 4.0 / 256.0, Write)],
        slicing: Slicing::Whole("every workgroup adds to the same sum"),
        ..PLAIN
    },
    Kernel {
        name: "transpose",
        operations: linear(4.0),
        traffic: linear(8.0),
        arrays: &[array("out", 4.0, Write), gathered("in", 4.0)],
        ..PLAIN
    },
    Kernel {
        name: "scan",
        operations: linear(4.0),
        traffic: linear(8.0),
        arrays: &[array("in", 4.0, Read), array("out", 4.0, Write)],
        slicing: Slicing::Whole("a workgroup waits for the sums of those before it"),
        ..PLAIN
    },
    Kernel {
        name: "histogram",
        operations: linear(6.0),
        traffic: linear(4.0),
        arrays: &[
            array("values", 4.0, Read),
            Array { bytes: power(1024.0, 0.0), ..array("bins", 0.0, ReadWrite) },
        ],
        slicing: Slicing::Whole("atomics on storage"),
        ..PLAIN
    },
    Kernel {
        // Sixteen entries per row.
        name: "spmv",
        operations: linear(32.0),
        traffic: linear(200.0),
        arrays: &[
            array("values", 64.0, Read),
            array("columns", 64.0, Read),
            array("rows", 4.0, Read),
            gathered("x", 4.0),
            array("y", 4.0, Write),
        ],
        irregularity: 0.15,
        sizes: [1 << 12, 1 << 16, 1 << 20],
        ..PLAIN
    },
    Kernel {
        name: "jacobi 2-D",
        operations: linear(6.0),
        traffic: linear(8.0),
        arrays: &[array("src", 4.0, Read), array("dst", 4.0, Write)],
        swaps: true,
        ..PLAIN
    },
    Kernel {
        name: "7-point 3-D",
        operations: linear(9.0),
        traffic: linear(10.0),
        arrays: &[array("src", 4.0, Read), array("dst", 4.0, Write)],
        swaps: true,
        ..PLAIN
    },
    Kernel {
        // D2Q9: nine populations per cell.
        name: "LBM",
        operations: linear(130.0),
        traffic: linear(72.0),
        arrays: &[array("src", 36.0, Read), array("dst", 36.0, Write)],
        swaps: true,
        sizes: [1 << 12, 1 << 17, 1 << 22],
        ..PLAIN
    },
    Kernel {
        name: "Black-Scholes",
        operations: linear(200.0),
        traffic: linear(20.0),
        arrays: &[
            array("spot", 4.0, Read),
            array("strike", 4.0, Read),
            array("time", 4.0, Read),
            array("call", 4.0, Write),
            array("put", 4.0, Write),
        ],
        ..PLAIN
    },
    Kernel {
        name: "convolution 5x5",
        operations: linear(50.0),
        traffic: linear(8.0),
        arrays: &[
            array("in", 4.0, Read),
            array("out", 4.0, Write),
            Array { bytes: power(100.0, 0.0), ..gathered("weights", 0.0) },
        ],
        ..PLAIN
    },
    Kernel {
        // Complex, in place; a pass over memory per three stages.
        name: "FFT",
        operations: Law { factor: 5.0, exponent: 1.0, logarithms: 1 },
        traffic: Law { factor: 16.0 / 3.0, exponent: 1.0, logarithms: 1 },
        arrays: &[array("data", 8.0, ReadWrite)],
        slicing: Slicing::Whole("each pass reads what every workgroup wrote in the one before"),
        sizes: [1 << 12, 1 << 17, 1 << 22],
        ..PLAIN
    },
    Kernel {
        // Square; n counts elements of the product; tiles of 16 by 16.
        name: "matrix product",
        operations: power(2.0, 1.5),
        traffic: power(0.5, 1.5),
        arrays: &[array("a", 4.0, Read), gathered("b", 4.0), array("c", 4.0, Write)],
        sizes: [1 << 14, 1 << 18, 1 << 22],
        ..PLAIN
    },
    Kernel {
        // All pairs; tiles in workgroup memory leave one pass in 64 over the positions.
        name: "n-body",
        operations: power(20.0, 2.0),
        traffic: power(0.25, 2.0),
        arrays: &[
            gathered("position", 16.0),
            array("moved", 16.0, Write),
            array("velocity", 16.0, ReadWrite),
        ],
        swaps: true,
        sizes: [1 << 10, 1 << 13, 1 << 16],
        ..PLAIN
    },
    Kernel {
        // A hundred iterations on average, but few in some rows and a thousand in others.
        name: "Mandelbrot",
        operations: linear(1000.0),
        traffic: linear(4.0),
        arrays: &[array("image", 4.0, Write)],
        irregularity: 0.3,
        sizes: [1 << 12, 1 << 17, 1 << 22],
        ..PLAIN
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_say_what_textbooks_say() {
        let kernel = |name| SUITE.iter().find(|k| k.name == name).unwrap();
        // 1024 × 1024 matrices: 2 · 1024³.
        assert_eq!(kernel("matrix product").operations.at(1 << 20), 2f64.powi(31));
        assert_eq!(kernel("FFT").operations.at(1024), 5.0 * 1024.0 * 10.0);
        assert_eq!(kernel("histogram").footprint(1 << 20), 4.0 * 2f64.powi(20) + 1024.0);
    }

    #[test]
    fn every_kernel_can_be_evaluated() {
        for kernel in &SUITE {
            assert!(kernel.sizes.is_sorted_by(|a, b| a < b), "{}", kernel.name);
            assert!(kernel.arrays.iter().any(|a| a.access != Read), "{} writes nothing", kernel.name);
            let written_gathered = |a: &Array| a.access != Read && a.reach == Reach::Gathered;
            assert!(!kernel.arrays.iter().any(written_gathered), "{}: slices would overlap", kernel.name);
            if kernel.swaps {
                let [a, b] = [&kernel.arrays[0], &kernel.arrays[1]];
                assert_eq!((a.bytes, a.access, b.access), (b.bytes, Read, Write), "{}", kernel.name);
            }
        }
    }
}
