//! The same kernel, the same bytes: device and interpreter, also where a kernel leaves its bindings.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};

use common::{Launch, gpu};
use warpweft_hal::Device;
use warpweft_interpreter::{Grid, Memory, Program, Scratch};

/// Runs a kernel on both over exactly `n` invocations of x (whole workgroups when `exact` is not set), bindings
/// filled with the same words, and compares every byte.
fn agree(name: &str, wgsl: &str, n: u32, exact: bool, sizes: &[usize]) {
    let gpu = gpu();
    let kernel = common::kernel(wgsl);
    let interface = kernel.interface();
    let words: Vec<Vec<u32>> = sizes
        .iter()
        .enumerate()
        .map(|(which, size)| {
            (0..*size as u32)
                .map(|i| (i + 1).wrapping_mul(2_654_435_761).rotate_left(7 * which as u32))
                .collect()
        })
        .collect();

    let mut launch = Launch::new(&gpu, wgsl);
    for (binding, words) in interface.bindings.iter().zip(&words) {
        launch = launch.bind(&binding.name, words);
    }
    let workgroups = [n.div_ceil(interface.workgroup_size[0]), 1, 1];
    if exact {
        launch.over([n, 1, 1])
    } else {
        launch.workgroups(workgroups)
    };

    let memories: Vec<Vec<AtomicU32>> =
        words.iter().map(|words| words.iter().map(|w| AtomicU32::new(*w)).collect()).collect();
    let bindings: Vec<_> = memories.iter().map(|m| Memory::new(m, 4 * m.len() as u64)).collect();
    let program = Program::new(&kernel).unwrap();
    let grid = Grid { workgroups, over: exact.then_some([n, 1, 1]) };
    let subgroup_size = gpu.info().subgroup_sizes[0];
    let run = warpweft_interpreter::Launch { bindings: &bindings, grid, subgroup_size, cancelled: &|| false };
    let mut scratch = Scratch::default();
    for workgroup in 0..u64::from(workgroups[0]) {
        program.run_workgroup(&run, workgroup, &mut scratch).unwrap();
    }
    for (binding, memory) in interface.bindings.iter().zip(&memories) {
        let device = launch.read::<u32>(&binding.name);
        let interpreter: Vec<u32> = memory.iter().map(|w| w.load(Ordering::Relaxed)).collect();
        let differs = device.iter().zip(&interpreter).position(|(a, b)| a != b);
        if let Some(at) = differs {
            panic!(
                "{name}: word {at} of `{}`: {:#x} on the device, {:#x} interpreted",
                binding.name, device[at], interpreter[at]
            );
        }
    }
}

#[test]
fn an_unguarded_kernel_over_what_is_no_multiple_of_its_workgroup() {
    let wgsl = "@group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(64) fn f(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = x[id.x] + id.x; }";
    agree("exact", wgsl, 1000, true, &[1024, 1024]);
    agree("whole workgroups", wgsl, 1000, false, &[1000, 1000]);
    agree("short bindings", wgsl, 1000, false, &[10, 900]);
}

#[test]
fn a_kernel_that_reads_and_writes_far_outside() {
    let wgsl = "struct Item { a: vec3<u32>, b: array<u32, 5>, c: mat2x4<f32> }
        struct Data { head: array<vec2<u32>, 3>, items: array<Item> }
        @group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> data: Data;
        @group(0) @binding(2) var<storage, read_write> out: array<u32>;
        var<private> p: array<i32, 7>;
        var<workgroup> tile: array<array<u32, 9>, 3>;
        @compute @workgroup_size(1) fn f() {
          // One invocation, or the near writes would race.
          for (var t = 0u; t < 200u; t++) {
            let i = x[t]; let s = bitcast<i32>(x[t * 3u]) % 17 - 5; let near = u32(s);
            p[s] = s; p[near % 9u] += 3;
            tile[near][i % 12u] = i; tile[i % 5u][near] ^= near;
            var item = data.items[near];
            item.b[s] += 1u; item.a[i % 4u] = near; item.c[near] = vec4<f32>(1.0, 2.0, 3.0, 4.0);
            data.items[i] = item; data.items[near + 1u].b = item.b;
            data.head[i] = vec2(1u, 2u); data.head[near][i & 3u] = 7u;
            data.items[near].c[i % 3u][s] = 5.0;
            var hash = 0u;
            for (var k = -2; k < 12; k++) {
                hash = hash * 31u + u32(p[k]) + tile[u32(k) % 4u][k] + item.b[k] + data.items[u32(k)].a[k & 3];
            }
            out[t] = hash; out[i] = 1u; out[t * 1048576u + 4096u] = 2u;
          }
        }";
    agree("far", wgsl, 1, true, &[512, 200, 256]);
}

#[test]
fn barriers_atomics_and_subgroups() {
    let wgsl = "@group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        @group(0) @binding(2) var<storage, read_write> bins: array<atomic<u32>>;
        var<workgroup> tile: array<u32, 64>;
        var<workgroup> total: atomic<u32>;
        @compute @workgroup_size(64) fn f(@builtin(global_invocation_id) id: vec3<u32>,
            @builtin(local_invocation_index) l: u32, @builtin(num_workgroups) n: vec3<u32>) {
            tile[l] = x[id.x];
            atomicAdd(&bins[x[id.x] % 40u], 1u);
            workgroupBarrier();
            atomicMax(&total, tile[63u - l] >> 3u);
            let lanes = subgroupAdd(l) ^ subgroupMax(tile[l]);
            workgroupBarrier();
            y[id.x] = atomicLoad(&total) + tile[(l + 13u) % 64u] * lanes + n.x;
        }";
    agree("cooperation", wgsl, 640, false, &[640, 640, 32]);
}

#[test]
fn arithmetic_at_its_edges() {
    let wgsl = "@group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(64) fn f(@builtin(global_invocation_id) id: vec3<u32>) {
            let a = x[id.x]; let b = x[id.x + 1u] % 5u; let s = bitcast<i32>(a); let t = i32(b) - 2;
            let v = f32(s) * 0.125 + f32(b);
            var h = a / b + a % b + u32(s / t) + u32(s % t) + (a << b) + (a >> b) + u32(s >> b);
            h = h * 31u + bitcast<u32>(v) + u32(v) + u32(i32(v * 16.0)) + countOneBits(a) + reverseBits(a);
            h = h * 31u + firstLeadingBit(a) + u32(firstTrailingBit(s)) + extractBits(a, b, 7u) + insertBits(a, b, 3u, 9u);
            h = h * 31u + bitcast<u32>(floor(v)) + bitcast<u32>(abs(v)) + bitcast<u32>(max(v, -3.0)) + u32(v < 100.0);
            y[id.x] = h;
        }";
    agree("arithmetic", wgsl, 4096, true, &[4096, 4096]);
}
