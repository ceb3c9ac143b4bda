//! Runs a kernel by the interpreter and by compiled code on the same inputs, and says where they part.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses a part of it")]

mod fenced;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use warpweft_compiler::{Arguments, Bound, Compiled, Outcome};
use warpweft_interpreter::{Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Kernel, Module, Source};

pub use fenced::{Fenced, Side};

/// A launch: what is bound, in the order of the kernel's interface, and the grid.
#[derive(Clone, Debug)]
pub struct Job {
    pub inputs: Vec<Vec<u32>>,
    pub workgroups: [u32; 3],
    pub over: Option<[u32; 3]>,
}

/// The first place where two answers differ.
#[derive(Clone, Debug)]
pub struct Difference {
    pub binding: String,
    pub word: usize,
    pub expected: u32,
    pub found: u32,
    /// Words that differ, in all bindings.
    pub count: usize,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { binding, word, expected, found, count } = self;
        let (a, b) = (f32::from_bits(*found), f32::from_bits(*expected));
        write!(f, "`{binding}` word {word}: {found:#010x} ({found}, {a:e}) instead of {expected:#010x} ")?;
        write!(f, "({expected}, {b:e}); {count} words differ")
    }
}

/// The kernel of WGSL's only entry point.
pub fn kernel(wgsl: &str) -> Result<Kernel, String> {
    let module = Module::new(&[Source::new("kernel.wgsl", wgsl)], &[]).map_err(|error| error.to_string())?;
    module.kernel(None, &[]).map_err(|error| error.to_string())
}

impl Job {
    /// Inputs by the number of their `@binding`, put into the order of the interface.
    pub fn new(kernel: &Kernel, inputs: &[Vec<u32>], workgroups: [u32; 3], over: Option<[u32; 3]>) -> Self {
        let bindings = &kernel.interface().bindings;
        let inputs = bindings.iter().map(|b| inputs[b.binding as usize].clone()).collect();
        Self { inputs, workgroups, over }
    }

    fn count(&self) -> u64 {
        self.workgroups.iter().map(|&n| u64::from(n)).product()
    }

    /// What the interpreter makes of it.
    pub fn interpret(
        &self,
        program: &Program,
        subgroup_size: u32,
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<u32>>, String> {
        let atomics = |input: &Vec<u32>| input.iter().copied().map(AtomicU32::new).collect();
        let words: Vec<Vec<AtomicU32>> = self.inputs.iter().map(atomics).collect();
        let bindings: Vec<Memory<'_>> =
            words.iter().map(|words| Memory::new(words, words.len() as u64 * 4)).collect();
        let grid = Grid { workgroups: self.workgroups, over: self.over };
        let launch = Launch { bindings: &bindings, grid, subgroup_size, cancelled: &|| false };
        for linear in 0..self.count() {
            program.run_workgroup(&launch, linear, scratch).map_err(|fault| fault.to_string())?;
        }
        Ok(words.into_iter().map(|words| words.into_iter().map(AtomicU32::into_inner).collect()).collect())
    }

    /// What compiled code makes of it, on so many threads; `cancel` stops it. Each binding ends where memory does, and so
    /// does each thread's own.
    pub fn run(
        &self,
        kernel: &Kernel,
        code: &Compiled,
        threads: usize,
        cancel: &AtomicU32,
    ) -> Result<Vec<Vec<u32>>, String> {
        self.run_beside(Side::End, kernel, code, threads, cancel)
    }

    /// The same with the end of memory on either side.
    pub fn run_beside(
        &self,
        side: Side,
        kernel: &Kernel,
        code: &Compiled,
        threads: usize,
        cancel: &AtomicU32,
    ) -> Result<Vec<Vec<u32>>, String> {
        let mut memory: Vec<Fenced> = self.inputs.iter().map(|input| Fenced::new(input, side)).collect();
        let bindings = memory.iter_mut().zip(&self.inputs);
        let bindings: Vec<Bound> = bindings
            .map(|(words, input)| Bound { address: words.start(), bytes: input.len() as u64 * 4 })
            .collect();
        let size = kernel.interface().workgroup_size;
        let all = std::array::from_fn(|axis| size[axis] * self.workgroups[axis]);
        let shared = Shared {
            code,
            bindings: &bindings,
            workgroups: self.workgroups,
            over: self.over.unwrap_or(all),
            cancel,
            next: AtomicU64::new(0),
            count: self.count(),
            side,
        };
        match threads {
            1 => shared.run(shared.count.max(1)),
            _ => std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(|| shared.run(1))))),
        }
        if cancel.load(Ordering::Relaxed) != 0 {
            return Err("it did not end in time".into());
        }
        for (words, binding) in memory.iter().zip(&kernel.interface().bindings) {
            if let Some(side) = words.strays() {
                return Err(format!("memory {side} `{}` was written", binding.name));
            }
        }
        Ok(memory.iter().map(|words| words.words().to_vec()).collect())
    }
}

struct Shared<'a> {
    code: &'a Compiled,
    bindings: &'a [Bound],
    workgroups: [u32; 3],
    over: [u32; 3],
    cancel: &'a AtomicU32,
    next: AtomicU64,
    count: u64,
    side: Side,
}

// SAFETY: the bindings point to memory that lives as long as this, and kernels of these tests have no data race.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    /// Takes parts of so many workgroups until there are none.
    fn run(&self, part: u64) {
        loop {
            let start = self.next.fetch_add(part, Ordering::Relaxed);
            if start >= self.count {
                return;
            }
            // Whatever an earlier workgroup left there must not matter.
            let mut workgroup = own(self.code.workgroup_bytes(), self.side);
            let mut private = own(self.code.private_bytes(), self.side);
            let arguments = Arguments {
                cancel: self.cancel,
                workgroup: workgroup.start(),
                private: private.start(),
                workgroups: self.workgroups,
                over: self.over,
                bindings: self.bindings.as_ptr(),
                borrowed: PhantomData,
            };
            let range: Range<u64> = start..self.count.min(start + part);
            // SAFETY: the bindings are the interface's, large enough, and alive; the memory is this thread's.
            if unsafe { self.code.run(&arguments, range) } == Outcome::Cancelled {
                return;
            }
        }
    }
}

/// A thread's own memory: aligned to 64, with anything in it.
fn own(bytes: usize, side: Side) -> Fenced {
    Fenced::new(&vec![0xeeee_eeee; bytes.next_multiple_of(64) / 4], side)
}

/// Where the second differs from the first.
pub fn compare(kernel: &Kernel, expected: &[Vec<u32>], found: &[Vec<u32>]) -> Option<Difference> {
    let (mut first, mut count) = (None, 0);
    for ((expected, found), binding) in expected.iter().zip(found).zip(&kernel.interface().bindings) {
        for (word, (&expected, &found)) in expected.iter().zip(found).enumerate() {
            if expected != found {
                count += 1;
                first.get_or_insert((binding.name.clone(), word, expected, found));
            }
        }
    }
    first.map(|(binding, word, expected, found)| Difference { binding, word, expected, found, count })
}
