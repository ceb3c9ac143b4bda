//! The SSA form does what the interpreter does: on the interpreter's own tests, the library, the conformance cases and
//! random kernels.
//!
//! The evaluator runs functions as they stand; expectations are the interpreter's tests' or its results.

mod calls;
mod conformance;
mod evaluator;
mod library;
mod random;
mod refusals;
mod text;

// What WGSL means is said once; here it is said of another way to run it.
#[path = "../../../interpreter/tests/semantics/atomics.rs"]
mod atomics;
#[path = "../../../interpreter/tests/semantics/barriers.rs"]
mod barriers;
#[path = "../../../interpreter/tests/semantics/bounds.rs"]
mod bounds;
#[path = "../../../interpreter/tests/semantics/control.rs"]
mod control;
#[path = "../../../interpreter/tests/semantics/functions.rs"]
mod functions;
#[path = "../../../interpreter/tests/semantics/programs.rs"]
mod programs;
#[path = "../../../interpreter/tests/semantics/subgroups.rs"]
mod subgroups;
#[path = "../../../interpreter/tests/semantics/types.rs"]
mod types;

use bytemuck::{AnyBitPattern, NoUninit};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};
use warpweft_interpreter::{Fault, Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Kernel, Module, Source};
use warpweft_ssa::ir::Function;
use warpweft_ssa::{Limits, verify};

/// The function of a kernel, which keeps the rules.
#[track_caller]
fn function(kernel: &Kernel) -> Function {
    let function = Function::new(kernel).unwrap_or_else(|error| panic!("{error}"));
    if let Err(error) = verify(&function) {
        panic!("{error}\n{function}");
    }
    function
}

/// The function of a kernel in which everything is called that can be, if it has functions.
#[track_caller]
fn function_with_calls(kernel: &Kernel) -> Function {
    let limits = Limits { inlined: 0, ..Limits::default() };
    let function = Function::within(kernel, &limits).unwrap_or_else(|error| panic!("{error}"));
    if let Err(error) = verify(&function) {
        panic!("{error}\n{function}");
    }
    function
}

/// The only kernel of a source.
#[track_caller]
fn kernel(wgsl: &str) -> Kernel {
    let module =
        Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|error| panic!("{error}"));
    module.kernel(None, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// A kernel to be run over one workgroup of subgroups of four, unless said otherwise: the face of the interpreter's own
/// tests.
struct Test {
    kernel: Kernel,
    program: Program,
    grid: Grid,
    subgroup_size: u32,
    bindings: Vec<Option<(Vec<AtomicU32>, u64)>>,
}

impl Test {
    #[track_caller]
    fn new(wgsl: &str) -> Test {
        Test::with(wgsl, &[])
    }

    #[track_caller]
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
        let position = self.kernel.interface().position(name).unwrap_or_else(|| panic!("no binding {name}"));
        self.bindings[position] = Some((words(bytes), bytes.len() as u64));
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

    fn bound(&self) -> impl Iterator<Item = &(Vec<AtomicU32>, u64)> {
        self.bindings.iter().map(|binding| binding.as_ref().expect("every binding is bound"))
    }

    /// Calls `f` with the interpreter's launch.
    fn launch<R>(&self, cancelled: &(dyn Fn() -> bool + Sync), f: impl FnOnce(&Launch<'_>) -> R) -> R {
        let memories: Vec<Memory<'_>> =
            self.bound().map(|(words, bytes)| Memory::new(words, *bytes)).collect();
        f(&Launch { bindings: &memories, grid: self.grid, subgroup_size: self.subgroup_size, cancelled })
    }

    /// Evaluates every workgroup, in order.
    fn run(&self) -> Result<(), Fault> {
        let mut memories: Vec<Vec<u8>> =
            self.bound().map(|(words, bytes)| bytes_of(words, *bytes as usize)).collect();
        let mut others = memories.clone();
        evaluate(&function(&self.kernel), self.grid, self.subgroup_size, &mut memories);
        let calling = function_with_calls(&self.kernel);
        evaluate(&calling, self.grid, self.subgroup_size, &mut others);
        assert!(memories == others, "with calls it does something else\n{calling}");
        for ((old, _), new) in self.bound().zip(&memories) {
            for (old, new) in old.iter().zip(words(new)) {
                old.store(new.into_inner(), Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn read<T: AnyBitPattern>(&self, name: &str) -> Vec<T> {
        let position = self.kernel.interface().position(name).unwrap_or_else(|| panic!("no binding {name}"));
        let (words, bytes) = self.bindings[position].as_ref().expect("bound");
        let all = bytes_of(words, *bytes as usize);
        all.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
    }

    /// Evaluates, and compares one binding afterwards.
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
        assert_eq!(self.read::<T>(name), expected, "{name}\n{}", function(&self.kernel));
        self
    }

    /// Runs into a fault: only the interpreter looks for them.
    #[track_caller]
    fn fault(&self) -> Fault {
        function(&self.kernel);
        self.launch(&|| false, |launch| {
            let mut scratch = Scratch::default();
            let count = self.grid.workgroups.iter().map(|&n| u64::from(n)).product();
            (0..count).try_for_each(|linear| self.program.run_workgroup(launch, linear, &mut scratch))
        })
        .expect_err("a fault")
    }
}

fn words(bytes: &[u8]) -> Vec<AtomicU32> {
    let word = |chunk: &[u8]| std::array::from_fn(|n| chunk.get(n).copied().unwrap_or(0xee));
    bytes.chunks(4).map(|chunk| AtomicU32::new(u32::from_le_bytes(word(chunk)))).collect()
}

fn bytes_of(words: &[AtomicU32], bytes: usize) -> Vec<u8> {
    let mut all: Vec<u8> = words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
    all.truncate(bytes);
    all
}

/// Runs a function over a grid.
fn evaluate(function: &Function, grid: Grid, subgroup_size: u32, memories: &mut [Vec<u8>]) {
    let launch = evaluator::Launch { workgroups: grid.workgroups, over: grid.over, subgroup_size };
    let count: u64 = grid.workgroups.iter().map(|&n| u64::from(n)).product();
    for linear in 0..count {
        evaluator::run_workgroup(function, &launch, linear, memories);
    }
}

/// Runs a kernel over a grid by the interpreter.
fn interpret(kernel: &Kernel, grid: Grid, subgroup_size: u32, memories: &mut [Vec<u8>]) -> Result<(), Fault> {
    let program = Program::new(kernel).unwrap_or_else(|error| panic!("{error}"));
    let all: Vec<Vec<AtomicU32>> = memories.iter().map(|bytes| words(bytes)).collect();
    let bindings: Vec<Memory<'_>> = all
        .iter()
        .zip(memories.iter())
        .map(|(words, bytes)| Memory::new(words, bytes.len() as u64))
        .collect();
    let launch = Launch { bindings: &bindings, grid, subgroup_size, cancelled: &|| false };
    let mut scratch = Scratch::default();
    let count: u64 = grid.workgroups.iter().map(|&n| u64::from(n)).product();
    (0..count).try_for_each(|linear| program.run_workgroup(&launch, linear, &mut scratch))?;
    for (bytes, words) in memories.iter_mut().zip(&all) {
        *bytes = bytes_of(words, bytes.len());
    }
    Ok(())
}

/// Runs a kernel both ways and compares every byte.
#[track_caller]
fn agree(kernel: &Kernel, grid: Grid, subgroup_size: u32, memories: &[Vec<u8>]) {
    let mut expected = memories.to_vec();
    if let Err(fault) = interpret(kernel, grid, subgroup_size, &mut expected) {
        panic!("{fault}");
    }
    for function in [&function(kernel), &function_with_calls(kernel)] {
        let mut found = memories.to_vec();
        evaluate(function, grid, subgroup_size, &mut found);
        differ(kernel, function, &expected, &found);
    }
}

/// Panics where memories differ.
#[track_caller]
fn differ(kernel: &Kernel, function: &Function, expected: &[Vec<u8>], found: &[Vec<u8>]) {
    for (n, (expected, found)) in expected.iter().zip(found).enumerate() {
        if let Some(at) = (0..expected.len()).find(|&at| expected[at] != found[at]) {
            let word = |bytes: &[u8]| bytes[at / 4 * 4..].iter().take(4).copied().collect::<Vec<u8>>();
            let name = &kernel.interface().bindings[n].name;
            panic!("{name}, byte {at}: {:x?} instead of {:x?}\n{function}", word(found), word(expected));
        }
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
