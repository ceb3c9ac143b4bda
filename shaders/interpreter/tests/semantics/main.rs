//! What WGSL means, kernel by kernel: small kernels, their inputs, and the one right output.

mod atomics;
mod barriers;
mod bounds;
mod control;
mod functions;
mod launches;
mod programs;
mod subgroups;
mod types;

use bytemuck::{AnyBitPattern, NoUninit};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};
use warpweft_interpreter::{Fault, Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Kernel, Module, Source};

/// A kernel to be run over one workgroup of subgroups of four, unless said otherwise.
struct Test {
    kernel: Kernel,
    program: Program,
    grid: Grid,
    subgroup_size: u32,
    bindings: Vec<Option<(Vec<AtomicU32>, u64)>>,
}

impl Test {
    fn new(wgsl: &str) -> Test {
        Test::with(wgsl, &[])
    }

    fn with(wgsl: &str, constants: &[(String, f64)]) -> Test {
        let module =
            Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|error| panic!("{error}"));
        let kernel = module.kernel(None, constants).unwrap_or_else(|error| panic!("{error}"));
        let program = Program::new(&kernel).unwrap_or_else(|error| panic!("{error}"));
        let bindings = kernel.interface().bindings.iter().map(|_| None).collect();
        let grid = Grid { workgroups: [1; 3], over: None };
        Test { kernel, program, grid, subgroup_size: 4, bindings }
    }

    fn bind<T: NoUninit>(mut self, name: &str, data: &[T]) -> Test {
        let bytes: &[u8] = bytemuck::cast_slice(data);
        let word = |chunk: &[u8]| std::array::from_fn(|n| chunk.get(n).copied().unwrap_or(0xee));
        let words = bytes.chunks(4).map(|chunk| AtomicU32::new(u32::from_le_bytes(word(chunk)))).collect();
        let position = self.kernel.interface().position(name).unwrap_or_else(|| panic!("no binding {name}"));
        self.bindings[position] = Some((words, bytes.len() as u64));
        self
    }

    fn workgroups(mut self, x: u32, y: u32, z: u32) -> Test {
        self.grid.workgroups = [x, y, z];
        self
    }

    fn over(mut self, x: u32, y: u32, z: u32) -> Test {
        self.grid.over = Some([x, y, z]);
        self
    }

    fn subgroups_of(mut self, size: u32) -> Test {
        self.subgroup_size = size;
        self
    }

    /// Calls `f` with the launch.
    fn launch<R>(&self, cancelled: &(dyn Fn() -> bool + Sync), f: impl FnOnce(&Launch<'_>) -> R) -> R {
        let memories: Vec<Memory<'_>> = self
            .bindings
            .iter()
            .map(|binding| binding.as_ref().expect("every binding is bound"))
            .map(|(words, bytes)| Memory::new(words, *bytes))
            .collect();
        f(&Launch { bindings: &memories, grid: self.grid, subgroup_size: self.subgroup_size, cancelled })
    }

    /// Runs every workgroup, in order.
    fn run(&self) -> Result<(), Fault> {
        self.launch(&|| false, |launch| {
            let mut scratch = Scratch::default();
            let count = self.grid.workgroups.iter().map(|&n| u64::from(n)).product();
            (0..count).try_for_each(|linear| self.program.run_workgroup(launch, linear, &mut scratch))
        })
    }

    fn read<T: AnyBitPattern>(&self, name: &str) -> Vec<T> {
        let position = self.kernel.interface().position(name).unwrap_or_else(|| panic!("no binding {name}"));
        let (words, bytes) = self.bindings[position].as_ref().expect("bound");
        let all: Vec<u8> = words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        all[..*bytes as usize].chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
    }

    /// Runs, and compares one binding afterwards.
    #[track_caller]
    fn expect<T: AnyBitPattern + PartialEq + Debug>(self, name: &str, expected: &[T]) -> Test {
        if let Err(fault) = self.run() {
            panic!("{fault}");
        }
        self.and(name, expected)
    }

    /// Compares another binding.
    #[track_caller]
    fn and<T: AnyBitPattern + PartialEq + Debug>(self, name: &str, expected: &[T]) -> Test {
        assert_eq!(self.read::<T>(name), expected, "{name}");
        self
    }

    /// Runs into a fault.
    #[track_caller]
    fn fault(&self) -> Fault {
        self.run().expect_err("a fault")
    }
}

/// Runs a kernel's body for 8 invocations; `i` is the invocation and `x` the storage array that it works on.
#[track_caller]
fn check<T: NoUninit + AnyBitPattern + PartialEq + Debug>(ty: &str, body: &str, input: &[T], expected: &[T]) {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> x: array<{ty}>;
         @compute @workgroup_size(8)
         fn main(@builtin(local_invocation_index) i: u32) {{ {body} }}"
    );
    Test::new(&wgsl).bind("x", input).expect("x", expected);
}
