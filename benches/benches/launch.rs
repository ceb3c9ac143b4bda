//! What a launch costs beside the kernel itself, rung by rung.
//!
//! * `submit`, `submit and wait`: an empty kernel on the first GPU-API device, by bare wgpu (encoder, pass, dispatch,
//!   submission; pipeline and bind group made beforehand), by the device (`warpweft-gpu`: a list of one dispatch, timed
//!   by timestamps now and then, or always) and by the runtime (a prepared launch: planning, residency, ordering). The
//!   rivals take turns within each measurement. Queues are drained outside the timed part of
//!   `submit`.
//! * `tiny on the CPU`: a prepared launch of saxpy over 64 elements, run inline on the calling thread: hand-written, and
//!   from the WGSL in the way that the CPU takes by itself (`WARPWEFT_CPU` forces another).
//!
//! Without a GPU-API device the first two groups are left out, and that is said.

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use warpweft::Prepared;
use warpweft::prelude::*;
use warpweft_gpu::{Gpu, Settings, Timestamps, devices};
use warpweft_hal::{
    Argument, Command, Device, Dispatch, Fence, Grid, Program, Region, Submission, Submitted,
};
use warpweft_module::{Module, Source};

const EMPTY: &str = "
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(64) fn empty(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x == 0xffffffffu) { data[0] = 1u; }
}";

/// Submissions between two drains.
const BATCH: u64 = 32;

/// What a careful user of wgpu would do by hand.
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
            pollster::block_on(adapter.request_device(&Default::default())).expect("a device");
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
        let poll = self.device.poll(wgpu::PollType::Wait { submission_index: Some(index), timeout: None });
        poll.expect("the submission ends");
    }
}

/// The device alone, without the runtime.
struct Direct {
    gpu: Gpu,
    dispatch: Dispatch,
}

impl Direct {
    fn new(gpu: Gpu) -> Self {
        let module = Module::new(&[Source::new("empty.wgsl", EMPTY)], &[]).expect("valid WGSL");
        let kernel = module.kernel(None, &[]).expect("one entry point");
        let kernel = gpu.load(&Program { kernel, native: None }).expect("it can run").kernel;
        let memory = gpu.allocate(256).expect("256 bytes");
        let arguments = vec![Argument::Region(Region::device(memory, 0..256))];
        let grid = Grid { workgroups: [1, 1, 1], over: None };
        Self { gpu, dispatch: Dispatch { kernel, grid, range: 0..1, arguments } }
    }

    fn submit(&self) -> Fence {
        let commands = vec![Command::Dispatch(self.dispatch.clone())];
        // SAFETY: no host memory is named, and the dispatch has one argument.
        match self.gpu.submit(unsafe { Submission::new(commands) }).expect("it is taken") {
            Submitted::Pending(fence) => fence,
            Submitted::Done(_) => panic!("a dispatch must be in flight"),
        }
    }
}

/// One way of submitting the empty kernel.
trait Rival {
    /// Submits it once; what comes back waits for it.
    fn submit(&self) -> Box<dyn FnOnce() + '_>;
}

impl Rival for Bare {
    fn submit(&self) -> Box<dyn FnOnce() + '_> {
        let index = Bare::submit(self);
        Box::new(move || self.wait(index))
    }
}

impl Rival for Direct {
    fn submit(&self) -> Box<dyn FnOnce() + '_> {
        let fence = Direct::submit(self);
        Box::new(move || drop(self.gpu.wait(fence).expect("it ends")))
    }
}

impl Rival for Prepared {
    fn submit(&self) -> Box<dyn FnOnce() + '_> {
        let launch = Prepared::submit(self).expect("it is taken");
        Box::new(move || drop(launch.wait().expect("it ends")))
    }
}

/// Times one rival while all take turns, batch by batch, so that a machine that slows down slows them all.
///
/// `waits`: the waiting counts too, after each submission; otherwise the queues are drained outside the timed part.
fn turns(n: u64, timed: usize, rivals: &[(&str, &dyn Rival)], waits: bool) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = n;
    while left > 0 {
        let batch = left.min(BATCH);
        for (i, (_, rival)) in rivals.iter().enumerate() {
            let mut flying = Vec::with_capacity(batch as usize);
            let start = Instant::now();
            for _ in 0..batch {
                let wait = rival.submit();
                if waits { wait() } else { flying.push(wait) }
            }
            if i == timed {
                total += start.elapsed();
            }
            flying.into_iter().for_each(|wait| wait());
        }
        left -= batch;
    }
    total
}

fn gpu_launch(c: &mut Criterion) {
    let found = devices();
    let Some(found) = found.iter().find(|f| f.obstacle().is_none()) else {
        eprintln!("submit: left out, there is no GPU-API device (scripts/test installs a software one)");
        return;
    };
    let name = found.info().name.clone();
    println!("the launches run on {name}");
    let open = |timestamps| found.open(Settings { timestamps, ..Settings::default() }).expect("it opens");
    let bare = Bare::new(&name);
    let device = Direct::new(open(Settings::default().timestamps));
    let timed = Direct::new(open(Timestamps::Always));
    let rt = Runtime::builder().cpu(false).build().expect("a runtime");
    let data = rt.zeros::<u32>([64]).expect("64 words");
    let kernel = rt.kernel(EMPTY).expect("valid WGSL");
    let runtime = kernel.launch().bind("data", &data).on(Placement::Device(0)).prepare().expect("it fits");

    let rivals: [(&str, &dyn Rival); 4] =
        [("wgpu", &bare), ("device", &device), ("runtime", &runtime), ("device, always timed", &timed)];
    for (group, waits) in [("submit", false), ("submit and wait", true)] {
        let mut group = c.benchmark_group(group);
        group
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(3))
            .sample_size(50);
        for (i, (name, _)) in rivals.iter().enumerate() {
            group.bench_function(*name, |b| b.iter_custom(|n| turns(n, i, &rivals, waits)));
        }
        group.finish();
    }
}

const SAXPY: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> a: f32;
@compute @workgroup_size(64) fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = a * x[id.x] + y[id.x];
}";

fn tiny_cpu_launch(c: &mut Criterion) {
    let rt = Runtime::builder().gpu(false).build().expect("a runtime");
    let (x, y) = (rt.buffer(vec![1.0f32; 64]).expect("x"), rt.buffer(vec![0.0f32; 64]).expect("y"));
    let wgsl = rt.kernel(SAXPY).expect("valid WGSL");
    let native = wgsl.with_native(|arguments: &NativeArguments| {
        let (a, x) = (arguments.value::<f32>("a")?, arguments.slice::<f32>("x")?);
        arguments.slice_mut::<f32>("y")?.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
        Ok(())
    });
    let mut group = c.benchmark_group("tiny on the CPU");
    for kernel in [native, wgsl] {
        let launch = kernel.launch().bind("x", &x).bind("y", &y).set("a", 1.0f32).prepare().expect("it fits");
        y.write(&[0.0; 64]).expect("64 words");
        // `native`, `compiled` or `interpreter`.
        let name = launch.run().expect("it runs").path.name();
        assert_eq!(y.read().expect("y")[63], 1.0);
        group.bench_function(name, |b| b.iter(|| launch.run().expect("it runs")));
    }
    group.finish();
}

criterion_group!(launch, gpu_launch, tiny_cpu_launch);
criterion_main!(launch);
