//! Prints the SSA form of the kernels in a file: `cargo run -p warpweft-ssa --example print -- FILE.wgsl [KERNEL]`.

use warpweft_module::{Module, Source};
use warpweft_ssa::ir::Function;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let text = std::fs::read_to_string(&path)?;
    let kernel = Module::new(&[Source::new(path, text)], &[])?.kernel(arguments.next().as_deref(), &[])?;
    print!("{}", Function::new(&kernel)?);
    Ok(())
}
