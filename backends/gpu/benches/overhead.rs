//! What a launch costs beyond bare wgpu: an empty kernel, submitted, and submitted and waited for.
//!
//! `bare` does what a careful user of wgpu would do by hand: an encoder, a pass, a dispatch, a submission, with
//! pipeline and bind group made beforehand. `warpweft` submits the same as a list of one dispatch. Neither waits
//! within the timed part of `submit`; queues are drained in between.
//!
//! Interleaved on Mesa 22.3.6 and two shared cores, medians in µs: submit 44.0 against 41.3, submit and wait 43.4
//! against 42.2; with every list timed by the device's clock 95 and 90, which is why only some are.

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use warpweft_gpu::{Gpu, Settings, Timestamps, devices};
use warpweft_hal::{Argument, Command, Device, Dispatch, Grid, Program, Region, Submission, Submitted};
use warpweft_module::{Module, Source};

const EMPTY: &str = "
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(64) fn empty(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x == 0xffffffffu) { data[0] = 1u; }
}";

/// Submissions between two drains.
const BATCH: u64 = 64;

struct Bare {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
}

impl Bare {
    fn new(name: &str) -> Self {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            flags: wgpu::InstanceFlags::empty(),
            ..wgpu::InstanceDescriptor::new_without_display_handle_from_env()
        });
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
        let adapter = adapters.into_iter().find(|a| a.get_info().name == name).expect("the same adapter");
        let (device, queue) =
            pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(EMPTY.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 256,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        });
        Self { device, queue, pipeline, group }
    }

    fn submit(&self) -> wgpu::SubmissionIndex {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            pass.dispatch_workgroups(1, 1, 1);
        }
        self.queue.submit([encoder.finish()])
    }

    fn wait(&self, index: wgpu::SubmissionIndex) {
        self.device.poll(wgpu::PollType::Wait { submission_index: Some(index), timeout: None }).unwrap();
    }
}

struct Ours {
    gpu: Gpu,
    dispatch: Dispatch,
}

impl Ours {
    fn new(timestamps: Timestamps) -> Self {
        let found = devices();
        let found =
            found.iter().find(|f| f.obstacle().is_none()).expect("a graphics device: run scripts/test");
        let gpu = found.open(Settings { timestamps, ..Settings::default() }).unwrap();
        let module = Module::new(&[Source::new("empty.wgsl", EMPTY)], &[]).unwrap();
        let kernel = module.kernel(None, &[]).unwrap();
        let kernel = gpu.load(&Program { kernel, native: None }).unwrap().kernel;
        let memory = gpu.allocate(256).unwrap();
        let arguments = vec![Argument::Region(Region::device(memory, 0..256))];
        let grid = Grid { workgroups: [1, 1, 1], over: None };
        Self { gpu, dispatch: Dispatch { kernel, grid, range: 0..1, arguments } }
    }

    fn submit(&self) -> warpweft_hal::Fence {
        let commands = vec![Command::Dispatch(self.dispatch.clone())];
        // SAFETY: no host memory is named.
        match self.gpu.submit(unsafe { Submission::new(commands) }).unwrap() {
            Submitted::Pending(fence) => fence,
            Submitted::Done(_) => unreachable!("a dispatch is in flight"),
        }
    }
}

/// Times `submit` alone, and drains with `wait` in between.
fn submissions<T>(n: u64, submit: impl Fn() -> T, wait: impl Fn(T)) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = n;
    while left > 0 {
        let batch = left.min(BATCH);
        let start = Instant::now();
        let submitted: Vec<T> = (0..batch).map(|_| submit()).collect();
        total += start.elapsed();
        submitted.into_iter().for_each(&wait);
        left -= batch;
    }
    total
}

fn overhead(c: &mut Criterion) {
    let sampled = Ours::new(Settings::default().timestamps);
    let timed = Ours::new(Timestamps::Always);
    let untimed = Ours::new(Timestamps::Never);
    let bare = Bare::new(&sampled.gpu.info().name);

    let mut group = c.benchmark_group("submit");
    group.bench_function("bare", |b| b.iter_custom(|n| submissions(n, || bare.submit(), |i| bare.wait(i))));
    for (name, ours) in
        [("warpweft", &sampled), ("warpweft untimed", &untimed), ("warpweft all timed", &timed)]
    {
        let wait = |fence| drop(ours.gpu.wait(fence).unwrap());
        group.bench_function(name, |b| b.iter_custom(|n| submissions(n, || ours.submit(), wait)));
    }
    group.finish();

    let mut group = c.benchmark_group("submit and wait");
    group.bench_function("bare", |b| b.iter(|| bare.wait(bare.submit())));
    for (name, ours) in
        [("warpweft", &sampled), ("warpweft untimed", &untimed), ("warpweft all timed", &timed)]
    {
        group.bench_function(name, |b| b.iter(|| ours.gpu.wait(ours.submit()).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, overhead);
criterion_main!(benches);
