//! A picture: the Mandelbrot set, as a PNG. Its uniform is a structure, whose members are set by name.
//!
//! For much of the set there are formulas; the pixels that they decide are checked.
//!
//! `cargo run --release --example 04_mandelbrot -- [width] [iterations] [file] [--on cpu|gpu|software|auto]`

use std::path::PathBuf;

use anyhow::ensure;
use warpweft::prelude::*;
use warpweft_examples::{Arguments, glow, write_png};
use warpweft_shaders::MANDELBROT;

/// The corner of the picture: real and imaginary part; it is 3 wide and 2.5 high.
const ORIGIN: [f32; 2] = [-2.25, -1.25];

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read("[width] [iterations] [file]")?;
    let width: usize = arguments.value(0, 960)?;
    let most: u32 = arguments.value(1, 200)?;
    let file: PathBuf = arguments.value(2, "out/mandelbrot.png".into())?;
    ensure!(width >= 6, "a picture {width} wide shows nothing: at least 6");
    let height = width * 5 / 6;
    let step = 3.0 / width as f32;

    let rt = Runtime::new()?;
    let kernel = rt.kernel(MANDELBROT.source)?;
    // Zeros take no memory until they are used, and are never uploaded.
    let iterations = rt.zeros::<u32>([height, width])?;
    let report = kernel
        .launch()
        .bind("iterations", &iterations)
        .set("params.size", [width as u32, height as u32])
        .set("params.origin", ORIGIN)
        .set("params.step", step)
        .set("params.max_iterations", most)
        .on(arguments.on)
        .run()?;
    println!("{report}");

    let iterations = iterations.read()?;
    let shade = |n: u32| {
        if n == most { 0.0 } else { (n as f32 / most as f32).powf(0.6) }
    };
    let pixels: Vec<[u8; 3]> = iterations.iter().map(|&n| glow(shade(n))).collect();
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_png(&file, width, height, &pixels)?;
    println!("wrote {}", file.display());

    let mut decided = 0;
    for (i, &n) in iterations.iter().enumerate() {
        let at = |origin: f32, i: usize| f64::from(origin + step * i as f32);
        let known = known_iterations(at(ORIGIN[0], i % width), at(ORIGIN[1], i / width), most);
        if let Some(known) = known {
            ensure!(n == known, "pixel ({}, {}) took {n} iterations, not {known}", i % width, i / width);
            decided += 1;
        }
    }
    ensure!(decided > 0, "the formulas decide no pixel");
    let inside = iterations.iter().filter(|&&n| n == most).count();
    println!("{decided} of {} pixels are decided by formulas, all right", iterations.len());
    println!("area of the set: {:.3}", inside as f64 * f64::from(step).powi(2));
    Ok(())
}

/// The iterations for c = x + iy where a formula gives them, but for a little space around its limits.
fn known_iterations(x: f64, y: f64, most: u32) -> Option<u32> {
    const CLOSE: f64 = 1e-5;
    let squares = x * x + y * y;
    // In the main cardioid and in the disc of period 2 beside it the iteration stays bounded for ever.
    let q = (x - 0.25) * (x - 0.25) + y * y;
    let cardioid = q * (q + x - 0.25) < 0.25 * y * y - CLOSE;
    let disc = (x + 1.0) * (x + 1.0) + y * y < 1.0 / 16.0 - CLOSE;
    // From |c| > 2 it leaves at once: z is 0, then c.
    let outside = squares > 4.0 + CLOSE;
    match (cardioid || disc, outside) {
        (true, _) => Some(most),
        (_, true) => Some(most.min(1)),
        _ => None,
    }
}
