//! A time loop that stays on the device: hot squares cool down, a picture is taken every so many steps.
//!
//! The sine mode sin(πx) sin(πy) of any temperature, whatever else is in it, decays as exp(-2π²t): that is checked.
//!
//! `cargo run --release --example 02_heat -- [size] [steps] [every] [folder] [--on cpu|gpu|software|auto]`

use std::f64::consts::PI;
use std::path::PathBuf;

use anyhow::ensure;
use warpweft::{Error, prelude::*};
use warpweft_examples::{Arguments, glow, write_png};

/// dt / h²: the largest that is stable.
const R: f32 = 0.25;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read("[size] [steps] [every] [folder]")?;
    let n: usize = arguments.value(0, 255)?;
    let steps: u64 = arguments.value(1, 2000)?;
    let every: u64 = arguments.value(2, 200)?;
    let folder: PathBuf = arguments.value(3, "out/heat".into())?;
    ensure!(n >= 8, "a grid of {n} by {n} points is too coarse: at least 8 by 8");
    ensure!((1..=steps).contains(&every), "a picture every {every} of {steps} steps is none");
    std::fs::create_dir_all(&folder)?;

    let rt = Runtime::new()?;
    let heat = rt.kernel(include_str!("shaders/heat.wgsl"))?;
    let start = hot_squares(n);
    let u = rt.array([n, n], start.clone())?;
    let next = rt.zeros::<f32>([n, n])?;
    // Everything is checked here, once. The grid has the shape of `next`, which the kernel writes.
    let step = heat.launch().bind("src", &u).bind("dst", &next).set("size", n as u32).set("r", R);
    let step = step.on(arguments.on).prepare()?;

    // After each swap `u` is the current temperature. The pictures are taken while the loop goes on.
    let h = 1.0 / (n + 1) as f64;
    let amplitude = sine_mode(&start, n);
    let mut errors = Vec::new();
    let report = rt
        .steps(steps)
        .then(&step)
        .swap(&u, &next)
        .every(every, &u, |i, u: &[f32]| {
            let pixels: Vec<[u8; 3]> = u.iter().map(|&u| glow(u)).collect();
            let picture = folder.join(format!("heat_{i:06}.png"));
            write_png(picture, n, n, &pixels).map_err(|error| Error::callback(format!("{error:#}")))?;
            let time = i as f64 * f64::from(R) * h * h;
            let decay = sine_mode(u, n) / amplitude;
            println!("t = {time:.5}: the sine mode has decayed to {decay:.6}");
            errors.push((decay - (-2.0 * PI * PI * time).exp()).abs());
            Ok(Flow::Continue)
        })
        .run()?;
    if let Some(last) = report.launches.last() {
        println!("{last}");
    }
    println!("{} steps in {:.2} s; pictures in {}", report.steps, report.elapsed_seconds, folder.display());

    // One step multiplies the mode by 1 - 4 r (1 - cos(πh)) instead of exp(-2 r (πh)²): in Taylor's series the first
    // terms that differ do so by (2 r² - r/6) (πh)⁴. And every step rounds, by some 1e-7.
    let r = f64::from(R);
    let allowed = steps as f64 * ((2.0 * r * r - r / 6.0) * (PI * h).powi(4) * 1.1 + 2e-7);
    let worst = errors.iter().copied().fold(0.0, f64::max);
    println!("error of the decay: {worst:.0e}, allowed: {allowed:.0e}");
    ensure!(errors.iter().all(|&error| error <= allowed), "the sine mode did not decay as it should");
    Ok(())
}

/// Squares of temperature 1 on cold ground, at places without symmetry.
fn hot_squares(n: usize) -> Vec<f32> {
    let squares = [(0.2, 0.25, 0.12), (0.65, 0.2, 0.08), (0.6, 0.6, 0.2), (0.25, 0.75, 0.06)];
    let at = |i: usize| (i + 1) as f64 / (n + 1) as f64;
    let hot =
        |x: f64, y: f64| squares.iter().any(|&(cx, cy, half)| (x - cx).abs().max((y - cy).abs()) < half);
    (0..n * n).map(|i| if hot(at(i % n), at(i / n)) { 1.0 } else { 0.0 }).collect()
}

/// How much of sin(πx) sin(πy) is in a temperature.
fn sine_mode(u: &[f32], n: usize) -> f64 {
    let sine: Vec<f64> = (1..=n).map(|i| (PI * i as f64 / (n + 1) as f64).sin()).collect();
    let rows = u.chunks(n).zip(&sine);
    rows.map(|(row, y)| y * row.iter().zip(&sine).map(|(&u, x)| f64::from(u) * x).sum::<f64>()).sum()
}
