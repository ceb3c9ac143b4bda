//! The smallest whole program: `y = a * x + y`, wherever that finishes first.
//!
//! `cargo run --release --example 01_saxpy -- [elements] [--on cpu|gpu|software|auto]`

use anyhow::ensure;
use warpweft::prelude::*;
use warpweft_examples::Arguments;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read("[elements]")?;
    let n = arguments.value(0, 1 << 22)?;

    // Finds every device of this machine.
    let rt = Runtime::new()?;

    // Parses, validates and reflects the WGSL once; mistakes are shown with file, line and caret.
    let saxpy = rt.kernel(include_str!("shaders/saxpy.wgsl"))?;

    // A buffer takes the vector's memory. Nothing is moved to a device before a launch there needs it.
    let x = rt.buffer(vec![1.0f32; n])?;
    let y = rt.buffer(vec![2.0f32; n])?;

    // Arguments go by their names in the WGSL. The grid is the shape of what the kernel writes: here n invocations.
    let launch = saxpy.launch().bind("x", &x).bind("y", &y).set("a", 3.0f32);
    let report = launch.on(arguments.on).run()?;

    // Where it ran, why, and the predicted and the measured time.
    println!("{report}");

    // Brings back what the host lacks; on the CPU that is nothing, and nothing is copied.
    let y = y.read()?;
    ensure!(y.iter().all(|&y| y == 5.0), "y should be 5 everywhere");
    println!("y is 5 in all {n} elements");
    Ok(())
}
