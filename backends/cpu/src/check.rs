//! Refuses commands that break the contract, before anything is touched.
//!
//! What a kernel may do is not looked at: that the ranges exist and have the right size is enough for memory safety.

use std::sync::Arc;

use warpweft_hal::{Argument, Dispatch, HostBlock, Memory, Region};
use warpweft_module::{Interface, Space};

/// The host block of a region, whose range lies within it and is whole words.
pub(crate) fn region<'a>(what: &str, region: &'a Region) -> Result<&'a Arc<HostBlock>, String> {
    let Memory::Host(block) = &region.memory else {
        return Err(format!("{what} is device memory, and this device's memory is host memory"));
    };
    if !region.offset.is_multiple_of(4) || !region.size.is_multiple_of(4) {
        return Err(format!("{what}: offset {} and size {} are not whole words", region.offset, region.size));
    }
    match region.offset.checked_add(region.size) {
        Some(end) if end <= block.len() => Ok(block),
        _ => Err(format!(
            "{what}: {} bytes at offset {} leave a block of {} bytes",
            region.size,
            region.offset,
            block.len()
        )),
    }
}

/// Two regions that one may be copied to the other.
pub(crate) fn copy(from: &Region, to: &Region) -> Result<(), String> {
    let (source, target) = (region("the source", from)?, region("the target", to)?);
    if from.size != to.size {
        return Err(format!("{} bytes cannot be copied to {}", from.size, to.size));
    }
    let (a, b) = (from.bytes(), to.bytes());
    if Arc::ptr_eq(source, target) && a.start < b.end && b.start < a.end {
        return Err(format!("the bytes {a:?} cannot be copied to the overlapping {b:?} of the same block"));
    }
    Ok(())
}

/// A dispatch of a kernel with that interface.
pub(crate) fn dispatch(dispatch: &Dispatch, interface: &Interface) -> Result<(), String> {
    let Dispatch { grid, range, arguments, .. } = dispatch;
    if range.start > range.end || range.end > grid.len() {
        return Err(format!("the workgroups {range:?} leave a grid of {}", grid.len()));
    }
    if arguments.len() != interface.bindings.len() {
        return Err(format!("{} arguments for {} bindings", arguments.len(), interface.bindings.len()));
    }
    for (argument, binding) in arguments.iter().zip(&interface.bindings) {
        let size = match argument {
            Argument::Region(of) => {
                region(&binding.name, of)?;
                of.size
            }
            Argument::Value(_) if binding.space != Space::Uniform => {
                return Err(format!("`{}` is no uniform, but got a value", binding.name));
            }
            Argument::Value(bytes) if !bytes.len().is_multiple_of(4) => {
                return Err(format!(
                    "`{}`: a value of {} bytes is not whole words",
                    binding.name,
                    bytes.len()
                ));
            }
            Argument::Value(bytes) => bytes.len() as u64,
        };
        if size < binding.min_size {
            return Err(format!("`{}` got {size} bytes and needs {}", binding.name, binding.min_size));
        }
    }
    Ok(())
}
