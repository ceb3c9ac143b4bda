//! What the tests of this folder share: a kernel, its data and its grid in one line each.

#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use bytemuck::Pod;
use warpweft_cpu::{Cpu, CpuPath, Settings};
use warpweft_hal::{
    Argument, Command, Completion, Device, Dispatch, Error, Grid, HostBlock, KernelId, Loaded, Native,
    NativeArguments, Program, Region, Submission, Submitted,
};
use warpweft_module::{Module, Source};

pub(crate) const SAXPY: &str = "
    @group(0) @binding(0) var<uniform> a: f32;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn saxpy(@builtin(global_invocation_id) id: vec3u) {
        y[id.x] += a * x[id.x];
    }";

pub(crate) fn saxpy(arguments: &NativeArguments<'_>) -> Result<(), String> {
    let (a, x, y) =
        (arguments.value::<f32>("a")?, arguments.slice::<f32>("x")?, arguments.slice_mut::<f32>("y")?);
    let range = arguments.range();
    let end = y.len().min(64 * range.end as usize);
    for i in 64 * range.start as usize..end {
        y[i] += a * x[i];
    }
    Ok(())
}

/// Kernels are interpreted.
pub(crate) fn interpreting() -> Settings {
    Settings { path: CpuPath::Interpreter, ..Settings::default() }
}

pub(crate) fn cpu(threads: usize) -> Cpu {
    Cpu::new(Settings { threads: Some(threads), ..interpreting() }).unwrap()
}

pub(crate) fn program(wgsl: &str, native: Option<Arc<dyn Native>>) -> Program {
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap();
    Program { kernel: module.kernel(None, &[]).unwrap(), native }
}

pub(crate) fn load(cpu: &Cpu, wgsl: &str, native: Option<Arc<dyn Native>>) -> Loaded {
    cpu.load(&program(wgsl, native)).unwrap()
}

pub(crate) fn block<T: Pod>(data: &[T]) -> Arc<HostBlock> {
    Arc::new(HostBlock::from_vec(data.to_vec()).unwrap())
}

pub(crate) fn read<T: Pod>(block: &HostBlock) -> Vec<T> {
    // SAFETY: the tests read when no submission is running.
    bytemuck::cast_slice(unsafe { block.bytes(0..block.len()) }).to_vec()
}

pub(crate) fn whole(block: &Arc<HostBlock>) -> Region {
    Region::host(block, 0..block.len())
}

pub(crate) fn value<T: Pod>(value: T) -> Argument {
    Argument::Value(Arc::from(bytemuck::bytes_of(&value)))
}

/// A one-dimensional dispatch of whole workgroups.
pub(crate) fn dispatch(kernel: KernelId, workgroups: u32, arguments: Vec<Argument>) -> Dispatch {
    let grid = Grid { workgroups: [workgroups, 1, 1], over: None };
    Dispatch { kernel, grid, range: 0..workgroups.into(), arguments }
}

pub(crate) fn submission(commands: Vec<Command>) -> Submission {
    // SAFETY: the tests keep conflicting commands apart.
    unsafe { Submission::new(commands) }
}

pub(crate) fn submit(cpu: &Cpu, commands: Vec<Command>) -> Result<Completion, Error> {
    match cpu.submit(submission(commands))? {
        Submitted::Done(completion) => Ok(completion),
        Submitted::Pending(fence) => panic!("the CPU is synchronous, yet left {fence:?}"),
    }
}

pub(crate) fn run(cpu: &Cpu, dispatch: Dispatch) -> Result<Completion, Error> {
    submit(cpu, vec![Command::Dispatch(dispatch)])
}
