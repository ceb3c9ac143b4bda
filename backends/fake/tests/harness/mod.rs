//! What the tests of this folder share: a device, a kernel and its data in one line each.

#![allow(dead_code, reason = "each test file uses its part")]

use std::ops::Range;
use std::sync::Arc;

use bytemuck::Pod;
use warpweft_fake::{Fake, Spec, Work};
use warpweft_hal::{
    Argument, Command, Completion, Device, Dispatch, Error, Fence, Grid, HostBlock, KernelId, MemoryId,
    Native, NativeArguments, Program, Region, Submission, Submitted,
};
use warpweft_module::{Module, Source};

/// `y[i] += a x[i]`, 16 invocations per workgroup.
pub(crate) const SAXPY: &str = "
    @group(0) @binding(0) var<uniform> a: f32;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(16)
    fn saxpy(@builtin(global_invocation_id) id: vec3u) {
        y[id.x] += a * x[id.x];
    }";

pub(crate) fn saxpy(arguments: &NativeArguments<'_>) -> Result<(), String> {
    let (a, x, y) =
        (arguments.value::<f32>("a")?, arguments.slice::<f32>("x")?, arguments.slice_mut::<f32>("y")?);
    let range = arguments.range();
    for i in 16 * range.start as usize..y.len().min(16 * range.end as usize) {
        y[i] += a * x[i];
    }
    Ok(())
}

/// A device whose times are round numbers: 1 s to launch and per transfer, 10 B/s up, 5 B/s down, 100 B/s and 10
/// operations per second within; a dispatch costs 10 operations and 400 bytes per workgroup.
pub(crate) fn spec() -> Spec {
    Spec {
        compute: 10.0,
        bandwidth: 100.0,
        launch: 1.0,
        compile: 3.0,
        link: warpweft_fake::Link::Separate { latency: 1.0, up: 10.0, down: 5.0 },
        cost: Some(Arc::new(|dispatch, _| {
            let workgroups = (dispatch.range.end - dispatch.range.start) as f64;
            Work { operations: 10.0 * workgroups, bytes: 400.0 * workgroups }
        })),
        time_limit: std::time::Duration::from_secs(1000),
        ..Spec::default()
    }
}

pub(crate) fn program(wgsl: &str, native: Option<Arc<dyn Native>>) -> Program {
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap();
    Program { kernel: module.kernel(None, &[]).unwrap(), native }
}

/// Native saxpy.
pub(crate) fn load(fake: &Fake) -> KernelId {
    fake.load(&program(SAXPY, Some(Arc::new(saxpy)))).unwrap().kernel
}

pub(crate) fn block<T: Pod>(data: &[T]) -> Arc<HostBlock> {
    Arc::new(HostBlock::from_vec(data.to_vec()).unwrap())
}

pub(crate) fn read<T: Pod>(block: &HostBlock) -> Vec<T> {
    // SAFETY: the tests read when no submission is running.
    bytemuck::cast_slice(unsafe { block.bytes(0..block.len()) }).to_vec()
}

pub(crate) fn upload(from: &Arc<HostBlock>, to: MemoryId) -> Command {
    Command::Upload { from: Region::host(from, 0..from.len()), to: Region::device(to, 0..from.len()) }
}

pub(crate) fn download(from: MemoryId, to: &Arc<HostBlock>) -> Command {
    Command::Download { from: Region::device(from, 0..to.len()), to: Region::host(to, 0..to.len()) }
}

pub(crate) fn fill(to: MemoryId, bytes: Range<u64>, word: u32) -> Command {
    Command::Fill { to: Region::device(to, bytes), word }
}

pub(crate) fn argument(memory: MemoryId, bytes: Range<u64>) -> Argument {
    Argument::Region(Region::device(memory, bytes))
}

/// `y += 2 x` over that many bytes of each.
pub(crate) fn dispatch(kernel: KernelId, x: MemoryId, y: MemoryId, bytes: u64) -> Dispatch {
    let workgroups = bytes.div_ceil(64);
    Dispatch {
        kernel,
        grid: Grid { workgroups: [workgroups as u32, 1, 1], over: None },
        range: 0..workgroups,
        arguments: vec![
            Argument::Value(Arc::from(2.0f32.to_ne_bytes())),
            argument(x, 0..bytes),
            argument(y, 0..bytes),
        ],
    }
}

pub(crate) fn submission(commands: Vec<Command>) -> Submission {
    // SAFETY: the tests keep conflicting commands apart.
    unsafe { Submission::new(commands) }
}

/// Submits to a synchronous device.
pub(crate) fn run(fake: &Fake, commands: Vec<Command>) -> Result<Completion, Error> {
    match fake.submit(submission(commands))? {
        Submitted::Done(completion) => Ok(completion),
        Submitted::Pending(fence) => panic!("{fence:?} is pending"),
    }
}

/// Submits to an asynchronous device.
pub(crate) fn begin(fake: &Fake, commands: Vec<Command>) -> Fence {
    match fake.submit(submission(commands)).unwrap() {
        Submitted::Pending(fence) => fence,
        Submitted::Done(completion) => panic!("done at once: {completion:?}"),
    }
}

pub(crate) fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} is not {b}");
}
