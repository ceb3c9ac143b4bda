//! The rest of a row, where it is a function of its own: rows of every length around the widths of gangs, that start
//! inside and outside of what is plain, along one axis and three, give the interpreter's answer to the last bit.

mod harness;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::{Job, compare, kernel};
use warpweft_compiler::{Compiled, Generator, Options, stage_vector};
use warpweft_interpreter::{Program, Scratch};
use warpweft_module::Kernel;

/// Enough operations on `a` for the rest to go apart.
fn long() -> String {
    let mut text = String::new();
    for k in 1..48u32 {
        let factor = k.wrapping_mul(0x9e37_79b9) | 1;
        let _ = writeln!(text, "a = (a ^ (a >> {}u)) * {factor}u + {k}u;", 5 + k % 7);
    }
    text
}

/// A kernel whose body has `i` (its number), `id`, `l` (the local index) and `u` (a uniform `vec4<u32>`); `long` stands for
/// many operations on `a`.
fn wgsl(size: [u32; 3], body: &str) -> String {
    let [x, y, z] = size;
    format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>;
         @compute @workgroup_size({x}, {y}, {z})
         fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) w: vec3<u32>,
                 @builtin(local_invocation_index) l: u32) {{
             let i = id.x + id.y * u.x + id.z * u.y;
             {}
         }}",
        body.replace("long", &long())
    )
}

/// Gangs of several vectors, for each generator of this machine.
fn ways() -> Vec<(Generator, u16)> {
    let widths = |generator: Generator| match generator {
        Generator::Cranelift => [8, 16],
        Generator::Avx2 => [16, 32],
        Generator::Avx512 => [32, 64],
    };
    Generator::available().into_iter().flat_map(|g| widths(g).map(|lanes| (g, lanes))).collect()
}

/// A kernel, interpreted and compiled in all ways.
struct Kernels {
    wgsl: String,
    kernel: Kernel,
    program: Program,
    codes: Vec<Compiled>,
}

impl Kernels {
    fn new(wgsl: &str) -> Self {
        let kernel = kernel(wgsl).unwrap();
        let program = Program::new(&kernel).unwrap();
        let codes = ways().into_iter().flat_map(|(generator, lanes)| {
            let streaming =
                [false, true].into_iter().filter(move |&s| !s || generator != Generator::Cranelift);
            streaming.map(move |streaming| Options { generator, strict: true, lanes: Some(lanes), streaming })
        });
        let codes = codes.map(|options| Compiled::new(&kernel, &options).unwrap()).collect();
        Self { wgsl: wgsl.into(), kernel, program, codes }
    }

    /// Runs it for so many invocations along each axis, within workgroups of which perhaps not all invocations count.
    #[track_caller]
    fn same(&self, extents: [u32; 3], uniform: [u32; 2], whole: bool) {
        let size = self.kernel.interface().workgroup_size;
        let workgroups = std::array::from_fn(|axis| extents[axis].div_ceil(size[axis]));
        let [x, y, z] = extents;
        let words = x * y * z;
        let data = (0..words + 3).map(|n| n.wrapping_mul(0x9e37_79b9) >> 7).collect();
        let inputs = [vec![7; words as usize], data, vec![x, x * y, uniform[0], uniform[1]], vec![0; 4]];
        let job = Job::new(&self.kernel, &inputs, workgroups, (!whole).then_some(extents));
        let expected = job.interpret(&self.program, 8, &mut Scratch::default()).unwrap();
        for code in &self.codes {
            let found = job.run(&self.kernel, code, 1, &AtomicU32::new(0)).unwrap();
            if let Some(difference) = compare(&self.kernel, &expected, &found) {
                panic!("{:?}, {extents:?}, {uniform:?}: {difference}\n{}", code.options(), self.wgsl);
            }
        }
    }
}

#[track_caller]
fn goes_apart(wgsl: &str) {
    let kernel = kernel(wgsl).unwrap();
    for (generator, lanes) in ways() {
        let options = Options { generator, strict: true, lanes: Some(lanes), streaming: false };
        let vector = stage_vector(&kernel, &options).unwrap();
        let native = match generator {
            Generator::Cranelift => 4,
            Generator::Avx2 => 8,
            Generator::Avx512 => 16,
        };
        let head =
            format!("\nfunction main_rest(%0: i64, %1: i64, %2: i64, %3: i64, %4: i64) lanes {native} ");
        assert!(vector.contains(&head) && vector.contains("call 0 ("), "{options:?}\n{vector}");
    }
}

#[test]
fn rows_of_any_length_that_arrays_end() {
    let wgsl = wgsl(
        [64, 1, 1],
        "if i >= arrayLength(&out) { return; }
         var a = data[i];
         long
         out[i] = a;",
    );
    goes_apart(&wgsl);
    let kernels = Kernels::new(&wgsl);
    for length in (1..=70).chain([95, 96, 97, 127, 128, 129, 192, 200]) {
        kernels.same([length, 1, 1], [0, 0], true);
        kernels.same([length, 1, 1], [0, 0], false);
    }
}

#[test]
fn rows_that_start_outside_and_end_inside() {
    let wgsl = wgsl(
        [64, 1, 1],
        "if id.x < u.z || id.x >= u.w { return; }
         var a = data[i + 3u] + data[i] + (l << 16u) + w.x;
         long
         out[i] = a;",
    );
    goes_apart(&wgsl);
    let kernels = Kernels::new(&wgsl);
    for low in [0, 1, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 300] {
        for high in [0, 1, 64, 97, 128, 131, 160, 999] {
            kernels.same([160, 1, 1], [low, high], true);
        }
    }
}

/// Whoever came from behind the end of the grid would write what is there.
#[test]
fn grids_that_end_in_a_gang() {
    let wgsl = wgsl([64, 1, 1], "var a = data[i / 3u]; long out[i - u.z] = a;");
    goes_apart(&wgsl);
    let kernels = Kernels::new(&wgsl);
    for length in [65, 70, 81, 97, 100, 127, 129, 150] {
        kernels.same([length, 1, 1], [64, 0], false);
    }
}

/// Gangs of one workgroup each, which ask for an index that starts again with each: behind the end of the grid, somebody
/// would be counted.
#[test]
fn grids_that_end_in_a_gang_that_asks_for_itself() {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>;
         @group(0) @binding(3) var<storage, read_write> sums: array<atomic<u32>, 4>;
         @compute @workgroup_size(64)
         fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) l: u32) {{
             var a = data[l];
             {}
             atomicAdd(&sums[u.z % 4u], a | 1u);
             out[id.x] = a;
         }}",
        long()
    );
    goes_apart(&wgsl);
    let kernels = Kernels::new(&wgsl);
    for length in [1, 63, 65, 70, 81, 97, 100, 127, 129, 150] {
        kernels.same([length, 1, 1], [5, 0], false);
    }
}

#[test]
fn rows_of_planes_of_boxes() {
    for size in [[4, 4, 4], [8, 4, 1], [12, 1, 2], [16, 2, 2], [24, 3, 1], [32, 2, 1], [64, 1, 1]] {
        let wgsl = wgsl(
            size,
            "if id.x == 0u || id.x + 1u == u.x { out[i] = l + w.z; return; }
             if id.y == u.z { return; }
             var a = data[i] + l + (w.x << 8u) + (w.y << 12u) + (id.z << 16u) + (id.y << 20u);
             long
             out[i] = a;",
        );
        goes_apart(&wgsl);
        let kernels = Kernels::new(&wgsl);
        for length in [2u32, 9, 31, 34, 48, 63, 97] {
            for whole in [false, true] {
                let extents = if whole {
                    [length.div_ceil(size[0]) * size[0], size[1], 2 * size[2]]
                } else {
                    [length, 5, 3]
                };
                kernels.same(extents, [1, 0], whole);
            }
        }
    }
}

#[test]
fn variables_atomics_and_loops_in_the_rest() {
    let wgsl = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>;
         @group(0) @binding(3) var<storage, read_write> sums: array<atomic<u32>, 4>;
         var<private> own: array<u32, 9>;
         @compute @workgroup_size(64)
         fn main(@builtin(global_invocation_id) id: vec3<u32>) {
             let i = id.x;
             if i >= arrayLength(&out) { return; }
             var a = data[i];
             long
             for (var k = 0u; k < a % 11u; k++) {
                 own[(a + k) % 9u] += a ^ k;
                 if own[k % 9u] == 5u { return; }
             }
             atomicAdd(&sums[a & 3u], own[a % 9u]);
             atomicMax(&sums[3], i);
             out[i] = own[(a >> 3u) % 9u] + a;
         }"
    .replace("long", &long());
    goes_apart(&wgsl);
    let kernels = Kernels::new(&wgsl);
    for length in [1, 4, 7, 16, 21, 33, 48, 65, 79, 100] {
        kernels.same([length, 1, 1], [0, 0], true);
    }
}

/// The first gangs end; only an invocation of the last, incomplete one never does.
#[test]
fn a_launch_ends_in_the_rest() {
    let wgsl = wgsl(
        [64, 1, 1],
        "if i >= arrayLength(&out) { return; }
         var a = data[i];
         long
         while i == u.z { a = (a ^ data[a % 64u]) | 2u; if a == 1u { break; } }
         out[i] = a;",
    );
    goes_apart(&wgsl);
    let kernel = kernel(&wgsl).unwrap();
    let length = 130;
    let inputs = [vec![0; length], vec![3; length], vec![length as u32, 0, length as u32 - 1, 0]];
    let job = Job::new(&kernel, &inputs, [200, 1, 1], None);
    for (generator, lanes) in ways() {
        let options = Options { generator, strict: true, lanes: Some(lanes), streaming: false };
        let code = Compiled::new(&kernel, &options).unwrap();
        let cancel = AtomicU32::new(0);
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                cancel.store(1, Ordering::Relaxed);
            });
            job.run(&kernel, &code, 1, &cancel)
        });
        assert_eq!(outcome.unwrap_err(), "it did not end in time", "{options:?}");
    }
}
