//! Real data: a photograph of the moon is smoothed by anisotropic diffusion, which leaves its edges alone.
//!
//! Takes any .npy of two axes of f32, such as the elevation model beside the photograph. Writes pictures before and
//! after, and the result as .npy. Diffusion keeps the mean and the range: that is checked. (Perona, Malik, "Scale-Space
//! and Edge Detection Using Anisotropic Diffusion", IEEE PAMI 12(7), 1990.)
//!
//! `cargo run --release --example 05_denoise -- [image.npy] [kappa] [steps] [folder] [--on cpu|gpu|software|auto]`

use std::path::PathBuf;

use anyhow::{Context, ensure};
use warpweft::prelude::*;
use warpweft_examples::{Arguments, Field, gray, read_npy, write_npy, write_png};
use warpweft_shaders::PERONA_MALIK;

/// The photograph: 512 by 512 shades of gray from 0 to 255.
const MOON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/moon.npy");
/// The length of a step; the scheme is stable up to 0.25.
const LAMBDA: f32 = 0.2;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read("[image.npy] [kappa] [steps] [folder]")?;
    let image: PathBuf = arguments.value(0, MOON.into())?;
    let kappa: f32 = arguments.value(1, 15.0)?;
    let steps: u64 = arguments.value(2, 100)?;
    let folder: PathBuf = arguments.value(3, "out/denoise".into())?;
    let Field { height, width, values } = read_npy(&image)?;
    std::fs::create_dir_all(&folder)?;

    let rt = Runtime::new()?;
    let kernel = rt.kernel(PERONA_MALIK.source)?;
    let src = rt.array([height, width], values.clone())?;
    let dst = rt.zeros::<f32>([height, width])?;
    let step = kernel
        .launch()
        .bind("src", &src)
        .bind("dst", &dst)
        .set("params.size", [width as u32, height as u32])
        .set("params.kappa", kappa)
        .set("params.lambda", LAMBDA)
        .on(arguments.on)
        .prepare()?;
    // After each swap `src` is the current image.
    let report = rt.steps(steps).then(&step).swap(&src, &dst).run()?;
    if let Some(last) = report.launches.last() {
        println!("{last}");
    }
    println!("{} steps in {:.2} s", report.steps, report.elapsed_seconds);

    let result = src.read()?.to_vec();
    let before = Summary::of(&values).context("the image has no pixels")?;
    let after = Summary::of(&result).context("the image has no pixels")?;
    println!("before: {before:?}\nafter:  {after:?}");
    // Rounding moves each pixel by at most half a last place in each step.
    let size = before.low.abs().max(before.high.abs());
    let rounding = steps as f32 * size * f32::EPSILON;
    ensure!((after.mean - before.mean).abs() <= f64::from(rounding), "the mean moved");
    ensure!(after.low >= before.low - rounding && after.high <= before.high + rounding, "the range grew");

    for (name, values) in [("before", &values), ("after", &result)] {
        let pixels = gray(values, before.low, before.high);
        write_png(folder.join(format!("{name}.png")), width, height, &pixels)?;
    }
    write_npy(folder.join("after.npy"), &Field { height, width, values: result })?;
    println!("wrote before.png, after.png and after.npy to {}", folder.display());
    Ok(())
}

/// What diffusion keeps.
#[derive(Debug)]
struct Summary {
    mean: f64,
    low: f32,
    high: f32,
}

impl Summary {
    fn of(values: &[f32]) -> Option<Self> {
        Some(Self {
            mean: values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64,
            low: values.iter().copied().reduce(f32::min)?,
            high: values.iter().copied().reduce(f32::max)?,
        })
    }
}
