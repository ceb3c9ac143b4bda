//! A kernel with everything that its launches take, as plain data.
//!
//! Knows neither how it is run nor what its arrays mean.

use crate::Expected;

/// The content of an array: 4-byte words of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Words {
    /// Floats.
    F32(Vec<f32>),
    /// Unsigned integers.
    U32(Vec<u32>),
}

/// What bounds a kernel on an ideal machine, and so what its rate is stated in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Memory: bytes per second.
    Bandwidth,
    /// Arithmetic: flops per second.
    Flops,
}

/// One launch of a problem.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The entry point.
    pub entry: &'static str,
    /// Invocations of a workgroup along x, y and z, as the WGSL says it.
    pub workgroup_size: [u32; 3],
    /// Workgroups along x, y and z.
    pub workgroups: [u32; 3],
    /// The name of each storage binding, and the position of the array that it gets.
    pub bindings: Vec<(&'static str, usize)>,
    /// The uniforms that the entry point uses, by name.
    pub values: Vec<&'static str>,
}

/// An array that is written, and what must be in it afterwards.
#[derive(Clone, Debug)]
pub struct Output {
    /// The position of the array.
    pub array: usize,
    /// What must be in it after one run from the initial contents.
    pub expected: Expected,
}

/// A kernel at a size.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The name of its case.
    pub name: &'static str,
    /// Its size, for people: `4096²`.
    pub size: String,
    /// The WGSL.
    pub source: &'static str,
    /// Name and initial content of each array.
    pub arrays: Vec<(&'static str, Words)>,
    /// Name and bytes, in WGSL's layout, of each uniform.
    pub values: Vec<(&'static str, Vec<u8>)>,
    /// The launches of one run, in order.
    pub passes: Vec<Pass>,
    /// What one run writes.
    pub outputs: Vec<Output>,
    /// Flops of one run, by the convention of the kernel library.
    pub flops: f64,
    /// Compulsory bytes of one run, by the same.
    pub bytes: f64,
    /// What bounds it.
    pub limit: Limit,
    /// The part of the rate of fused multiply-adds that its mix of operations allows: flops, as they are counted,
    /// divided by twice the vector instructions that they need at least, at one a lane.
    pub mix: f64,
    /// A run adds to what the one before it left: only the first one after a reset gives what is expected.
    pub accumulates: bool,
}

impl Words {
    /// How many.
    pub fn len(&self) -> usize {
        self.bytes().len() / 4
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// As they lie in memory.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Words::F32(words) => bytemuck::cast_slice(words),
            Words::U32(words) => bytemuck::cast_slice(words),
        }
    }

    /// As floats.
    ///
    /// # Panics
    /// If they are integers.
    pub fn f32(&self) -> &[f32] {
        match self {
            Words::F32(words) => words,
            Words::U32(_) => panic!("the words are integers"),
        }
    }

    /// As integers.
    ///
    /// # Panics
    /// If they are floats.
    pub fn u32(&self) -> &[u32] {
        match self {
            Words::U32(words) => words,
            Words::F32(_) => panic!("the words are floats"),
        }
    }

    /// As floats, to be written.
    ///
    /// # Panics
    /// If they are integers.
    pub fn f32_mut(&mut self) -> &mut [f32] {
        match self {
            Words::F32(words) => words,
            Words::U32(_) => panic!("the words are integers"),
        }
    }

    /// As integers, to be written.
    ///
    /// # Panics
    /// If they are floats.
    pub fn u32_mut(&mut self) -> &mut [u32] {
        match self {
            Words::U32(words) => words,
            Words::F32(_) => panic!("the words are floats"),
        }
    }
}

impl Problem {
    /// The initial content of the array of that name.
    ///
    /// # Panics
    /// If there is none.
    pub fn array(&self, name: &str) -> &Words {
        let found = self.arrays.iter().find(|(n, _)| *n == name);
        &found.unwrap_or_else(|| panic!("{} has no array `{name}`", self.name)).1
    }

    /// The uniform of that name: `T` has WGSL's layout.
    ///
    /// # Panics
    /// If there is none, or it has another size.
    pub fn value<T: bytemuck::Pod>(&self, name: &str) -> T {
        let found = self.values.iter().find(|(n, _)| *n == name);
        bytemuck::pod_read_unaligned(&found.unwrap_or_else(|| panic!("{} has no `{name}`", self.name)).1)
    }

    /// Whether results are right: one of each output, in order.
    ///
    /// # Errors
    /// What is wrong first.
    pub fn judge(&self, results: &[Words]) -> Result<(), String> {
        if results.len() != self.outputs.len() {
            return Err(format!("{} results of {}", results.len(), self.outputs.len()));
        }
        for (output, result) in self.outputs.iter().zip(results) {
            let name = self.arrays[output.array].0;
            output.expected.judge(result).map_err(|wrong| format!("`{name}`: {wrong}"))?;
        }
        Ok(())
    }
}
