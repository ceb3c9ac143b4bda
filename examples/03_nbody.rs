//! Several kernels in one time loop: a star cluster under its own gravity, integrated by leapfrog.
//!
//! Leapfrog is symplectic: the energy must stay, up to small oscillations. That is checked.
//!
//! `cargo run --release --example 03_nbody -- [bodies] [steps] [--on cpu|gpu|software|auto]`

use anyhow::ensure;
use warpweft::prelude::*;
use warpweft_examples::Arguments;
use warpweft_shaders::NBODY;

/// The softening length, in units of the cluster's radius.
const EPS: f32 = 0.1;
/// The time step, in units where the constant of gravity and the mass of the cluster are 1.
const DT: f32 = 0.01;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read("[bodies] [steps]")?;
    let n: usize = arguments.value(0, 1024)?;
    let steps: u64 = arguments.value(1, 50)?;
    ensure!(n >= 2, "a cluster has at least 2 bodies, not {n}");

    let rt = Runtime::new()?;
    let gravity = rt.kernel(NBODY.source)?;
    let advance = rt.kernel(include_str!("shaders/leapfrog.wgsl"))?;

    let start = cluster(n);
    let pos = rt.buffer(start.clone())?;
    let vel = rt.zeros::<[f32; 4]>([n])?;
    let acc = rt.zeros::<[f32; 4]>([n])?;

    // Kick for half a step, drift for a whole one, kick for the other half. Each launch is checked once.
    let forces = gravity.launch().bind("pos", &pos).bind("acc", &acc).set("eps", EPS);
    let forces = forces.on(arguments.on).prepare()?;
    let kick = advance.launch().bind("rate", &acc).bind("state", &vel).set("dt", 0.5 * DT);
    let kick = kick.on(arguments.on).prepare()?;
    let drift = advance.launch().bind("rate", &vel).bind("state", &pos).set("dt", DT);
    let drift = drift.on(arguments.on).prepare()?;

    forces.run()?;
    let report = rt.steps(steps).then(&kick).then(&drift).then(&forces).then(&kick).run()?;
    if let Some(forces) = report.launches.get(2) {
        println!("{forces}");
    }
    let interactions = steps as f64 * (n * n) as f64;
    println!(
        "{steps} steps in {:.2} s: {:.1} million interactions per second",
        report.elapsed_seconds,
        interactions / report.elapsed_seconds / 1e6
    );

    let before = energy(&start, &vec![[0.0; 4]; n]);
    let after = energy(&pos.read()?, &vel.read()?);
    let drift = (after - before) / before.abs();
    println!("energy: {before:.6} before, {after:.6} after: a drift of {drift:.1e}");
    ensure!(drift.abs() < 1e-3, "the energy did not stay: it drifted by {drift:.1e}, 1e-3 is allowed");
    Ok(())
}

/// Bodies of equal mass, at rest, evenly in a ball of radius 1: x, y, z and mass.
fn cluster(n: usize) -> Vec<[f32; 4]> {
    // A linear congruential generator (Knuth, MMIX): the same cluster every time.
    let mut state = 1u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let in_ball = |p: &[f32; 3]| p.iter().map(|x| x * x).sum::<f32>() < 1.0;
    let points = std::iter::repeat_with(|| [uniform(), uniform(), uniform()]).filter(in_ball);
    points.take(n).map(|[x, y, z]| [x, y, z, 1.0 / n as f32]).collect()
}

/// Kinetic and potential energy, in f64.
fn energy(pos: &[[f32; 4]], vel: &[[f32; 4]]) -> f64 {
    let wide = |v: &[f32; 4]| v.map(f64::from);
    let squares = |v: [f64; 4]| v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
    let kinetic: f64 = pos.iter().zip(vel).map(|(p, v)| 0.5 * f64::from(p[3]) * squares(wide(v))).sum();
    let mut potential = 0.0;
    for (i, a) in pos.iter().map(wide).enumerate() {
        for b in pos[..i].iter().map(wide) {
            let distance = squares(std::array::from_fn(|axis| a[axis] - b[axis])) + f64::from(EPS).powi(2);
            potential -= a[3] * b[3] / distance.sqrt();
        }
    }
    kinetic + potential
}
