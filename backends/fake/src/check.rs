//! The contract of `warpweft-hal`, as checks: what a runtime may not submit.
//!
//! Each answer names the breach. Nothing is executed here, and nothing is known of time.

use std::sync::Arc;

use warpweft_hal::{Argument, Command, Dispatch, HostBlock, Memory, Region};
use warpweft_module::{Interface, Space};

use crate::Spec;
use crate::kernels::Kernels;
use crate::memory::Memories;

/// The device that commands are checked against.
pub(crate) struct Contract<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) memories: &'a Memories,
    pub(crate) kernels: &'a Kernels,
    /// Host regions that downloads in flight will write.
    pub(crate) awaited: Vec<&'a Region>,
}

/// Whose memory a region has to be.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Host,
    Device,
}

type Checked = Result<(), String>;

impl Contract<'_> {
    /// Checks one command.
    pub(crate) fn command(&self, command: &Command) -> Checked {
        match command {
            Command::Upload { from, to } => {
                self.transfer("an upload", (from, Side::Host), (to, Side::Device))
            }
            Command::Download { from, to } => {
                self.transfer("a download", (from, Side::Device), (to, Side::Host))
            }
            Command::Copy { from, to } => self.transfer("a copy", (from, Side::Device), (to, Side::Device)),
            Command::Fill { to, .. } => self.region("the target of a fill", to, Side::Device),
            Command::Dispatch(dispatch) => self.dispatch(dispatch),
        }
    }

    fn transfer(
        &self,
        what: &str,
        (from, source): (&Region, Side),
        (to, target): (&Region, Side),
    ) -> Checked {
        self.region(&format!("the source of {what}"), from, source)?;
        self.region(&format!("the target of {what}"), to, target)?;
        ensure(from.size == to.size, || format!("{what} of {} bytes to {}", from.size, to.size))?;
        ensure(!overlap(from, to), || {
            format!(
                "{what} from bytes {:?} to the overlapping {:?} of the same memory",
                from.bytes(),
                to.bytes()
            )
        })
    }

    fn region(&self, what: &str, region: &Region, side: Side) -> Checked {
        // All memory of a device that shares the host's is host memory.
        let side = if self.spec.host_memory() { Side::Host } else { side };
        let len = match (&region.memory, side) {
            (Memory::Host(block), Side::Host) => block.len(),
            (Memory::Device(id), Side::Device) => {
                self.memories.size(*id).map_err(|why| format!("{what}: {why}"))?
            }
            (Memory::Host(_), Side::Device) => return Err(format!("{what} is host memory")),
            (Memory::Device(_), Side::Host) => return Err(format!("{what} is device memory")),
        };
        let (offset, size) = (region.offset, region.size);
        ensure(offset.is_multiple_of(4) && size.is_multiple_of(4), || {
            format!("{what}: offset {offset} and size {size} are not multiples of 4")
        })?;
        ensure(offset.checked_add(size).is_some_and(|end| end <= len), || {
            format!("{what}: {size} bytes at offset {offset} leave a memory of {len} bytes")
        })?;
        ensure(!self.awaited.iter().any(|awaited| overlap(awaited, region)), || {
            format!(
                "{what}: the host bytes {:?} are still to be written by a download in flight",
                region.bytes()
            )
        })
    }

    fn dispatch(&self, dispatch: &Dispatch) -> Checked {
        let Some(prepared) = self.kernels.get(dispatch.kernel) else {
            return Err(format!("kernel {} is not loaded", dispatch.kernel.0));
        };
        let interface = prepared.kernel.interface();
        let check = || {
            grid(dispatch, interface)?;
            self.arguments(dispatch, interface)
        };
        check().map_err(|why| format!("`{}`: {why}", interface.entry))
    }

    fn arguments(&self, dispatch: &Dispatch, interface: &Interface) -> Checked {
        let (given, bindings) = (&dispatch.arguments, &interface.bindings);
        ensure(given.len() == bindings.len(), || {
            format!("{} arguments for {} bindings", given.len(), bindings.len())
        })?;
        for (argument, binding) in given.iter().zip(bindings) {
            let name = format!("`{}`", binding.name);
            let size = match argument {
                Argument::Region(region) => {
                    self.region(&name, region, Side::Device)?;
                    region.size
                }
                Argument::Value(bytes) => {
                    ensure(binding.space == Space::Uniform, || {
                        format!("{name} is no uniform, but got a value")
                    })?;
                    ensure(bytes.len().is_multiple_of(4), || {
                        format!("{name}: a value of {} bytes is not whole words", bytes.len())
                    })?;
                    bytes.len() as u64
                }
            };
            let limit = match binding.space {
                Space::Storage => self.spec.limits.storage_binding,
                Space::Uniform => self.spec.limits.uniform_binding,
            };
            ensure(size >= binding.min_size, || {
                format!("{name} got {size} bytes and needs {}", binding.min_size)
            })?;
            ensure(size <= limit, || format!("{name} got {size} bytes, the device allows {limit}"))?;
        }
        for (i, (a, first)) in given.iter().zip(bindings).enumerate() {
            for (b, second) in given.iter().zip(bindings).skip(i + 1) {
                if let (Argument::Region(a), Argument::Region(b)) = (a, b) {
                    ensure(!overlap(a, b) || !(first.access.writable || second.access.writable), || {
                        format!("`{}` and `{}` overlap and one is writable", first.name, second.name)
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn grid(dispatch: &Dispatch, interface: &Interface) -> Checked {
    let Dispatch { grid, range, .. } = dispatch;
    ensure(grid.len() <= u32::MAX.into(), || format!("a grid of {} workgroups", grid.len()))?;
    ensure(range.start <= range.end && range.end <= grid.len(), || {
        format!("the workgroups {range:?} leave a grid of {}", grid.len())
    })?;
    let Some(over) = grid.over else { return Ok(()) };
    for axis in 0..3 {
        let all = u64::from(grid.workgroups[axis]) * u64::from(interface.workgroup_size[axis]);
        let over = u64::from(over[axis]);
        ensure(over <= all, || format!("over {over} invocations along axis {axis}, but the grid has {all}"))?;
        ensure(over == all || !interface.barriers, || {
            format!("over {over} of {all} invocations along axis {axis}, but the kernel has barriers")
        })?;
    }
    Ok(())
}

/// The regions share bytes.
pub(crate) fn overlap(a: &Region, b: &Region) -> bool {
    let same = match (&a.memory, &b.memory) {
        (Memory::Host(a), Memory::Host(b)) => Arc::<HostBlock>::ptr_eq(a, b),
        (Memory::Device(a), Memory::Device(b)) => a == b,
        _ => false,
    };
    let some = a.size > 0 && b.size > 0;
    same && some && a.offset < b.offset.saturating_add(b.size) && b.offset < a.offset.saturating_add(a.size)
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(otherwise()) }
}
