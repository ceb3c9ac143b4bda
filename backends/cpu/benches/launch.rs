//! What a launch on the CPU costs beside the kernel itself: `cargo bench -p warpweft-cpu`.
//!
//! * `native/…`: `submit` of a saxpy with a hand-written implementation, the command list built anew each time;
//! * `compiled/…`: the same as machine code, as the device compiles it by itself;
//! * `interpreted/…`: the same through the interpreter;
//! * `handover`: an empty native implementation of a large launch, run within the pool;
//! * `threads/…`: the same interpreted work on one thread and on all of them, around the size at which the device
//!   begins to share it.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use warpweft_cpu::{Cpu, CpuPath, Settings};
use warpweft_hal::{
    Argument, Command, Device, Dispatch, Grid, HostBlock, KernelId, Native, NativeArguments, Program, Region,
    Submission,
};
use warpweft_module::{Module, Source};

const SAXPY: &str = "
    @group(0) @binding(0) var<uniform> a: f32;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
        if id.x < arrayLength(&y) { y[id.x] += a * x[id.x]; }
    }";

fn saxpy(arguments: &NativeArguments<'_>) -> Result<(), String> {
    let (a, x, y) =
        (arguments.value::<f32>("a")?, arguments.slice::<f32>("x")?, arguments.slice_mut::<f32>("y")?);
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
    Ok(())
}

fn load(cpu: &Cpu, native: Option<Arc<dyn Native>>) -> KernelId {
    let module = Module::new(&[Source::new("saxpy.wgsl", SAXPY)], &[]).expect("valid WGSL");
    let kernel = module.kernel(None, &[]).expect("one entry point");
    cpu.load(&Program { kernel, native }).expect("it can run").kernel
}

/// Launches over `n` elements, once per call.
fn launcher(cpu: &Cpu, kernel: KernelId, n: u64) -> impl FnMut() + '_ {
    let block = || Arc::new(HostBlock::zeroed(4 * n).expect("memory"));
    let dispatch = Dispatch {
        kernel,
        grid: Grid { workgroups: [n.div_ceil(64) as u32, 1, 1], over: None },
        range: 0..n.div_ceil(64),
        arguments: vec![
            Argument::Value(Arc::from(2.0f32.to_ne_bytes())),
            Argument::Region(Region::host(&block(), 0..4 * n)),
            Argument::Region(Region::host(&block(), 0..4 * n)),
        ],
    };
    move || {
        // SAFETY: the blocks are this launcher's own and do not overlap.
        let submission = unsafe { Submission::new(vec![Command::Dispatch(dispatch.clone())]) };
        black_box(cpu.submit(submission)).expect("the launch succeeds");
    }
}

fn launches(c: &mut Criterion) {
    let native: Arc<dyn Native> = Arc::new(saxpy);
    for (name, native, path) in [
        ("native", Some(native), CpuPath::Auto),
        ("compiled", None, CpuPath::Auto),
        ("interpreted", None, CpuPath::Interpreter),
    ] {
        let cpu = Cpu::new(Settings { path, ..Settings::default() }).expect("a CPU");
        let kernel = load(&cpu, native);
        let mut group = c.benchmark_group(name);
        for n in [1, 64, 1024, 1 << 16, 1 << 20] {
            group.throughput(Throughput::Elements(n));
            group.bench_function(BenchmarkId::from_parameter(n), |b| b.iter(launcher(&cpu, kernel, n)));
        }
    }
}

fn handover(c: &mut Criterion) {
    let cpu = Cpu::new(Settings::default()).expect("a CPU");
    let empty: Arc<dyn Native> = Arc::new(|_: &NativeArguments<'_>| Ok(()));
    let kernel = load(&cpu, Some(empty));
    c.bench_function("handover", |b| b.iter(launcher(&cpu, kernel, 1 << 20)));
}

fn threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("threads");
    for (name, threads) in [("one", Some(1)), ("all", None)] {
        let path = CpuPath::Interpreter;
        let cpu = Cpu::new(Settings { threads, path, ..Settings::default() }).expect("a CPU");
        let kernel = load(&cpu, None);
        for n in [1 << 10, 1 << 12, 1 << 14, 1 << 16] {
            group.bench_function(BenchmarkId::new(name, n), |b| b.iter(launcher(&cpu, kernel, n)));
        }
    }
}

criterion_group!(benches, launches, handover, threads);
criterion_main!(benches);
