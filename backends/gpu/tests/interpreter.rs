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

#[test]
fn guards_look_at_an_index_where_it_was_read() {
    let wgsl = "struct Pair { count: atomic<u32>, cells: array<atomic<i32>, 3> }
        struct Ids { @builtin(global_invocation_id) global: vec3<u32>, @builtin(local_invocation_index) local: u32,
            @builtin(num_workgroups) groups: vec3<u32>, @builtin(workgroup_id) group: vec3<u32> }
        struct Box { rows: array<array<vec3<u32>, 3>, 2>, flags: array<bool, 4>, m: mat3x2<f32> }
        @group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> out: array<u32>;
        @group(0) @binding(2) var<storage, read_write> pairs: array<Pair>;
        var<private> calls: u32;
        var<private> grid: array<array<u32, 3>, 3>;
        fn next() -> u32 { calls += 1u; return x[calls] % 6u; }
        fn leaf(cell: ptr<function, u32>, by: u32) -> u32 { *cell += by; return *cell; }
        fn inner(row: ptr<function, array<u32, 3>>, i: u32) -> u32 { return leaf(&(*row)[i], i) + (*row)[i]; }
        fn outer(rows: ptr<function, array<array<u32, 3>, 2>>, i: u32, j: u32) -> u32 { return inner(&(*rows)[i], j); }
        fn mine(row: ptr<private, array<u32, 3>>) -> u32 { (*row)[calls % 5u] = calls; return (*row)[calls % 4u]; }
        fn column(c: ptr<function, vec2<f32>>) { *c += vec2(1.0, 2.0); (*c)[calls % 3u] *= 2.0; }
        fn row(i: u32) -> array<u32, 4> { return array<u32, 4>(i, i + 1u, i + 2u, i + 3u); }
        fn where_am_i(ids: Ids) -> u32 { return ids.global.x + 10u * ids.local + 100u * ids.groups.x + ids.group.x; }
        @compute @workgroup_size(1) fn f(ids: Ids) {
          var h = where_am_i(ids);
          for (var t = 0u; t < 40u; t++) {
            var b: Box; var rows = array<array<u32, 3>, 2>();
            // A pointer keeps the element that it was made for.
            var i = next(); let p = &rows[i % 3u]; let q = &b.rows[i][i % 4u]; i = next();
            (*p)[i] = i + 1u; (*q)[i] = 5u; (*q) += vec3(i); h = h * 31u + (*p)[i] + (*q).y + b.rows[1][2].z;
            let before = rows[i]; rows[i][0] += 9u; h = h * 31u + before[0] + rows[i][0] + before[i];
            h = h * 31u + outer(&rows, next() % 4u, next()) + mine(&grid[next()]) + rows[1][1] + grid[2][1];
            // Right sides come before the store, once.
            rows[next() % 3u][next() % 4u] += next(); grid[next()][next()] -= next(); h = h * 31u + calls + rows[0][2];
            b.flags[next()] = !b.flags[next()]; b.flags[i] = b.flags[i] || (b.flags[next()] && x[next() * 400u] == 0u);
            h += select(0u, 7u, b.flags[3]) + select(0u, 1u, any(vec2(b.flags[i], b.flags[0])));
            column(&b.m[next()]); b.m[next()][next() % 3u] += 3.0;
            h = h * 31u + bitcast<u32>(b.m[0][1] + b.m[1].x * 8.0 + b.m[2][next() % 3u] + (b.m * vec3(1.0, 2.0, 4.0)).y);
            h = h * 31u + row(i)[next()] + vec4(i, h, t, 1u)[next()] + u32(mat2x2<f32>(1.0, 2.0, 3.0, 4.0)[next() % 3u][next() % 3u]);
            // Atomics, some nowhere.
            let r = atomicCompareExchangeWeak(&pairs[next()].count, x[2], t); h = h * 31u + r.old_value + u32(r.exchanged);
            h += u32(atomicAdd(&pairs[next()].cells[next()], i32(t))) + atomicExchange(&pairs[next()].count, next());
            atomicMin(&pairs[next()].cells[next() % 4u], -5); atomicStore(&pairs[next()].cells[1], 3);
            h = h * 31u + u32(atomicLoad(&pairs[next()].cells[next()])) + atomicLoad(&pairs[i].count);
            // Loops whose end depends on what is not there.
            var k = 0u;
            loop { if x[k * 97u] % 11u == 3u { break; } h += rows[0][k]; if k == 3u { continue; } h ^= k;
              continuing { h = h * 3u + grid[k % 5u][k]; k += 1u; break if x[k * 171u] == 0u || k > 8u; } }
            while (x[k] & 1u) == 0u { k += 1u; if k > 900u { break; } }
            switch x[k * 60u] % 4u { case 0u: { h += grid[i][2]; } case 1u, 2u: { h += x[h]; out[h % 300u] = h; } default: { if grid[k][0] == 0u { continue; } h += 1u; } }
            out[t] = h + k; 
          }
          out[50] = h; out[51] = calls;
        }";
    agree("time and place", wgsl, 1, true, &[1200, 200, 20]);
}
