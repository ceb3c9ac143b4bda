//! Guards, indices and counters at the edges of what is proven of them: each as a small kernel that every generator, at
//! several widths, must run as the interpreter does, between memory that ends where the bindings do.
//!
//! A stray access ends the process; `--nocapture --test-threads 1` then shows in which test. Here is what all of them
//! share; what lies at which edge is each file's own. Knows nothing of how proofs are made.

mod guards;
#[path = "../harness/mod.rs"]
mod harness;
mod loops;
mod made_up;
mod neighbours;
mod orders;
mod shared;
mod trees;

use std::sync::atomic::AtomicU32;

use harness::{Job, Side, compare, kernel};
use warpweft_compiler::{Compiled, Generator, Options};
use warpweft_interpreter::{Program, Scratch};

/// Of the best generator, and of the others: what is proven does not hang on them.
const WIDTHS: [&[u16]; 2] = [&[1, 4, 8, 16, 32], &[8, 32]];

/// Numbers at which arithmetic of 32 bits changes its mind.
const NUMBERS: [u32; 13] =
    [0, 1, 2, 5, 32, 63, 64, 100, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff];

/// What is bound, by number, and the grid.
struct Case {
    inputs: Vec<Vec<u32>>,
    workgroups: [u32; 3],
    over: Option<[u32; 3]>,
}

fn case(inputs: Vec<Vec<u32>>, workgroups: u32) -> Case {
    Case { inputs, workgroups: [workgroups, 1, 1], over: None }
}

/// Small numbers that follow from nothing.
fn noise(len: usize, seed: u32) -> Vec<u32> {
    let mut state = 0x9e37_79b9u32.wrapping_mul(seed | 1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state >> 20
    };
    (0..len).map(|_| next()).collect()
}

fn same_everywhere(wgsl: &str, cases: &[Case]) {
    let kernel = kernel(wgsl).unwrap_or_else(|error| panic!("{error}\n{wgsl}"));
    let program = Program::new(&kernel).unwrap();
    let mut scratch = Scratch::default();
    let jobs: Vec<Job> =
        cases.iter().map(|case| Job::new(&kernel, &case.inputs, case.workgroups, case.over)).collect();
    let expected: Vec<_> = jobs.iter().map(|job| job.interpret(&program, 8, &mut scratch).unwrap()).collect();
    for (rank, generator) in Generator::available().into_iter().enumerate() {
        for &lanes in WIDTHS[rank.min(1)] {
            let options = Options { generator, strict: true, lanes: Some(lanes), streaming: false };
            let code = Compiled::new(&kernel, &options)
                .unwrap_or_else(|error| panic!("{options:?}: {error}\n{wgsl}"));
            for (n, (job, expected)) in jobs.iter().zip(&expected).enumerate() {
                // Each end of memory in its turn.
                let side = if (n + usize::from(lanes)) % 3 == 0 { Side::Start } else { Side::End };
                let found = job.run_beside(side, &kernel, &code, 1, &AtomicU32::new(0));
                let inputs =
                    || job.inputs.iter().map(|words| (words.len(), words.get(..4))).collect::<Vec<_>>();
                let found =
                    found.unwrap_or_else(|error| panic!("{options:?}: {error}\n{:?}\n{wgsl}", inputs()));
                if let Some(difference) = compare(&kernel, expected, &found) {
                    panic!("{options:?}, case {n}: {difference}\n{:?}\n{wgsl}", inputs());
                }
            }
        }
    }
}

/// A kernel's text: bindings `out` and `data` of words, `u` of four, and a body with `i` (along x), `l` (of the workgroup)
/// and `g` (no other invocation's).
fn text(size: &str, more: &str, body: &str) -> String {
    let count: u32 = size.split(',').map(|n| n.trim().parse::<u32>().unwrap()).product();
    format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>;
         {more}
         @compute @workgroup_size({size})
         fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>,
                 @builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3<u32>) {{
             let i = id.x;
             let g = l + wg.x * {count}u;
             {body}
         }}"
    )
}

/// Lengths of both arrays with uniforms from `NUMBERS`, not all with all.
fn cases(workgroups: u32) -> Vec<Case> {
    let lengths = [0, 1, 7, 32, 64, 97, 130];
    let mut cases = vec![];
    for (n, &x) in NUMBERS.iter().enumerate() {
        for m in 0..2 {
            let y = NUMBERS[(n * 5 + m * 4 + 1) % NUMBERS.len()];
            let z = NUMBERS[(n + m * 3) % 8];
            let w = NUMBERS[(n * 3 + m * 7) % NUMBERS.len()];
            let out = lengths[(n + m) % lengths.len()];
            let data = lengths[(n * 3 + m * 2) % lengths.len()];
            let inputs = vec![noise(out, 3), noise(data, 5), vec![x, y, z, w]];
            cases.push(case(inputs, workgroups));
        }
    }
    // What is asked for is exactly what is there, or one more.
    for (n, len) in [1, 7, 32, 64, 97].into_iter().enumerate() {
        let near = [1, 8, 32, 63, 98][n];
        cases.push(case(vec![noise(len, 3), noise(len, 7), vec![len as u32, near, 5, near]], workgroups));
    }
    cases
}

fn bodies(size: &str, more: &str, bodies: &[&str]) {
    for body in bodies {
        same_everywhere(&text(size, more, body), &cases(3));
    }
}
