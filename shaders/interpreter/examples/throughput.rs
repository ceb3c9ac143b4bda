//! How many nanoseconds the interpreter takes per invocation, on one thread: `cargo run --release --example throughput`.

use std::error::Error;
use std::sync::atomic::AtomicU32;
use std::time::Instant;
use warpweft_interpreter::{Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Module, Source};

const SAXPY: &str = "
    @group(0) @binding(0) var<uniform> a: f32;
    @group(0) @binding(1) var<storage> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(SIZE)
    fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
        let i = id.x;
        if i >= arrayLength(&y) { return; }
        y[i] = a * x[i] + y[i];
    }";

const MANDELBROT: &str = "
    @group(0) @binding(0) var<storage, read_write> iterations: array<u32>;
    @compute @workgroup_size(SIZE)
    fn mandelbrot(@builtin(global_invocation_id) id: vec3<u32>) {
        let c = vec2<f32>(f32(id.x % 256) / 256 * 3 - 2.25, f32(id.x / 256) / 256 * 2.5 - 1.25);
        var z = vec2<f32>();
        var n = 0u;
        while n < 256 && dot(z, z) < 4 {
            z = vec2(z.x * z.x - z.y * z.y, 2 * z.x * z.y) + c;
            n++;
        }
        iterations[id.x] = n;
    }";

const NBODY: &str = "
    @group(0) @binding(0) var<storage> bodies: array<vec4<f32>>;
    @group(0) @binding(1) var<storage, read_write> accelerations: array<vec4<f32>>;
    @compute @workgroup_size(SIZE)
    fn nbody(@builtin(global_invocation_id) id: vec3<u32>) {
        let me = bodies[id.x];
        var sum = vec3<f32>();
        for (var j = 0u; j < arrayLength(&bodies); j++) {
            let other = bodies[j];
            let d = other.xyz - me.xyz;
            let r2 = dot(d, d) + 0.01;
            let inverse = inverseSqrt(r2);
            sum += d * (other.w * inverse * inverse * inverse);
        }
        accelerations[id.x] = vec4(sum, 0);
    }";

/// Prints the best of several passes over `invocations`, per invocation and per `unit` of work.
fn measure(
    name: &str,
    wgsl: &str,
    workgroup_size: u32,
    invocations: u32,
    bindings: &[Vec<AtomicU32>],
    (units, unit): (f64, &str),
) -> Result<(), Box<dyn Error>> {
    let wgsl = wgsl.replace("SIZE", &workgroup_size.to_string());
    let kernel = Module::new(&[Source::new(name, wgsl)], &[])?.kernel(None, &[])?;
    let program = Program::new(&kernel)?;
    let memories: Vec<Memory<'_>> =
        bindings.iter().map(|words| Memory::new(words, words.len() as u64 * 4)).collect();
    let workgroups = invocations.div_ceil(workgroup_size);
    let launch = Launch {
        bindings: &memories,
        grid: Grid { workgroups: [workgroups, 1, 1], over: None },
        subgroup_size: 8,
        cancelled: &|| false,
    };
    let mut scratch = Scratch::default();
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        for workgroup in 0..u64::from(workgroups) {
            program.run_workgroup(&launch, workgroup, &mut scratch)?;
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let each = best * 1e9 / f64::from(invocations);
    println!(
        "{name:<10} size {workgroup_size:<4} {each:>10.2} ns per invocation {:>8.3} ns per {unit}",
        each / units
    );
    Ok(())
}

fn floats(count: usize, value: impl Fn(usize) -> f32) -> Vec<AtomicU32> {
    (0..count).map(|n| AtomicU32::new(value(n).to_bits())).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    for size in [16, 64, 256] {
        let n = 1 << 20;
        let saxpy = [floats(1, |_| 0.5), floats(n, |i| i as f32), floats(n, |i| 1.0 / (i + 1) as f32)];
        measure("saxpy", SAXPY, size, n as u32, &saxpy, (2.0, "flop"))?;

        let n = 1 << 16;
        let image = [floats(n, |_| 0.0)];
        let mean = {
            measure("mandelbrot", MANDELBROT, size, n as u32, &image, (1.0, "invocation"))?;
            let total: f64 =
                image[0].iter().map(|n| f64::from(n.load(std::sync::atomic::Ordering::Relaxed))).sum();
            total / n as f64
        };
        println!("           {mean:.1} iterations in the mean");

        let n = 1024;
        let bodies = [floats(4 * n, |i| (i * 7919 % 1000) as f32 / 1000.0), floats(4 * n, |_| 0.0)];
        measure("nbody", NBODY, size, n as u32, &bodies, (1024.0, "interaction"))?;
    }
    Ok(())
}
