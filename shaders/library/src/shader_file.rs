//! What is known about a kernel file besides its text: how much work it does, by a stated convention.
//!
//! Does not read the WGSL: the tests compare the two.

/// A kernel of the library.
///
/// The convention for work: an addition, subtraction, multiplication, division, square root or transcendental function
/// of one scalar is one flop; comparisons, conversions, negations and index arithmetic are none. Bytes are compulsory
/// traffic: every element that the kernel needs read once and every element that it writes written once, whatever
/// caches do. Uniforms count nothing.
///
/// ```
/// use warpweft_shaders::SAXPY;
///
/// assert_eq!(SAXPY.flops(1000), Some(2000.0));
/// assert_eq!(SAXPY.bytes(1000), 12000.0);
/// assert_eq!(SAXPY.workgroups([1000, 1, 1]), [4, 1, 1]);
/// assert!(SAXPY.source.contains("fn saxpy"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ShaderFile {
    /// The name of the kernel: of its entry point, its file and its Rust module.
    pub name: &'static str,
    /// The WGSL.
    pub source: &'static str,
    /// What an element is, in the singular: `element`, `pixel`, `body`.
    pub element: &'static str,
    /// Elements along x, y and z that one workgroup covers.
    pub block: [u32; 3],
    pub(crate) flops: fn(f64) -> Option<f64>,
    pub(crate) bytes: fn(f64) -> f64,
}

impl ShaderFile {
    /// Flops for `n` elements; `None` where the data decides.
    pub fn flops(&self, n: u64) -> Option<f64> {
        (self.flops)(n as f64)
    }

    /// Bytes read and written for `n` elements.
    pub fn bytes(&self, n: u64) -> f64 {
        (self.bytes)(n as f64)
    }

    /// The workgroups along x, y and z that cover a domain of `size` elements.
    pub fn workgroups(&self, size: [u32; 3]) -> [u32; 3] {
        std::array::from_fn(|axis| size[axis].div_ceil(self.block[axis]))
    }
}
