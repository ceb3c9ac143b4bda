//! Hand-written implementations of a kernel, and what they are given.

use std::cell::RefCell;
use std::ops::Range;

use bytemuck::Pod;
use warpweft_module::Interface;

use crate::{Argument, Dispatch, Grid, HostBlock, Memory};

/// A hand-written implementation of a kernel for the CPU.
///
/// It may use rayon freely: it is called on the launching thread when the launch is small or the thread belongs to a
/// rayon pool of the user's, which rayon then goes on using, else within the CPU device's pool. It may write what the
/// WGSL writes, and nothing else. It must compute what the WGSL computes, for the workgroups in [`NativeArguments::range`] at least.
pub trait Native: Send + Sync {
    /// Runs the kernel; an error or a panic fails this launch only.
    fn run(&self, arguments: &NativeArguments<'_>) -> Result<(), String>;
}

impl<F> Native for F
where
    F: Fn(&NativeArguments<'_>) -> Result<(), String> + Send + Sync,
{
    fn run(&self, arguments: &NativeArguments<'_>) -> Result<(), String> {
        self(arguments)
    }
}

/// How a binding was handed out.
#[derive(Clone, Copy, PartialEq)]
enum Loan {
    None,
    Shared,
    Exclusive,
}

/// The bindings of a launch, by name, as slices.
pub struct NativeArguments<'a> {
    interface: &'a Interface,
    dispatch: &'a Dispatch,
    loans: RefCell<Vec<Loan>>,
}

impl<'a> NativeArguments<'a> {
    /// The arguments of a dispatch.
    ///
    /// # Safety
    /// While the value and its slices live, nothing else may write what the arguments name, nor touch what the kernel's
    /// interface says that it writes, and no two arguments may overlap where one of them is written.
    pub unsafe fn new(interface: &'a Interface, dispatch: &'a Dispatch) -> Self {
        let loans = RefCell::new(vec![Loan::None; interface.bindings.len()]);
        Self { interface, dispatch, loans }
    }

    /// The logical grid.
    pub fn grid(&self) -> Grid {
        self.dispatch.grid
    }

    /// The workgroups to run, in linear order, x fastest.
    pub fn range(&self) -> Range<u64> {
        self.dispatch.range.clone()
    }

    /// A binding to read.
    ///
    /// # Errors
    /// When there is no such binding, it is not a whole number of aligned `T`, or it was lent to be written.
    pub fn slice<T: Pod>(&self, name: &str) -> Result<&[T], String> {
        let bytes = self.bytes(self.lend(name, Loan::Shared)?)?;
        bytemuck::try_cast_slice(bytes).map_err(|e| format!("`{name}` is not a slice of that type: {e}"))
    }

    /// A binding to write.
    ///
    /// # Errors
    /// When there is no such writable binding, it is not a whole number of aligned `T`, or it was lent already.
    #[allow(clippy::mut_from_ref, reason = "each binding is lent once, see `lend`")]
    pub fn slice_mut<T: Pod>(&self, name: &str) -> Result<&mut [T], String> {
        let position = self.lend(name, Loan::Exclusive)?;
        let (block, range) = self.host(position)?;
        // SAFETY: by the contract of `new` nobody else touches it, and `lend` hands it out once.
        let bytes = unsafe { block.bytes_mut(range) };
        bytemuck::try_cast_slice_mut(bytes).map_err(|e| format!("`{name}` is not a slice of that type: {e}"))
    }

    /// The value of a uniform, or the first element of a binding.
    ///
    /// # Errors
    /// When there is no such binding, or it holds less than one `T`.
    pub fn value<T: Pod>(&self, name: &str) -> Result<T, String> {
        let bytes = self.bytes(self.lend(name, Loan::Shared)?)?;
        let bytes =
            bytes.get(..size_of::<T>()).ok_or_else(|| format!("`{name}` holds less than one value"))?;
        Ok(bytemuck::pod_read_unaligned(bytes))
    }

    /// The bytes of a binding that was lent to be read.
    fn bytes(&self, position: usize) -> Result<&[u8], String> {
        if let Argument::Value(bytes) = &self.dispatch.arguments[position] {
            return Ok(bytes);
        }
        let (block, range) = self.host(position)?;
        // SAFETY: by the contract of `new` nobody else writes, and `lend` excludes a mutable slice of ours.
        Ok(unsafe { block.bytes(range) })
    }

    fn host(&self, position: usize) -> Result<(&HostBlock, Range<u64>), String> {
        match &self.dispatch.arguments[position] {
            Argument::Region(region) => match &region.memory {
                Memory::Host(block) => Ok((block, region.bytes())),
                Memory::Device(_) => Err("a native kernel was given device memory".into()),
            },
            Argument::Value(_) => Err(format!("`{}` is a uniform", self.interface.bindings[position].name)),
        }
    }

    /// Records that a binding is handed out, and refuses what would alias.
    fn lend(&self, name: &str, loan: Loan) -> Result<usize, String> {
        let position = self.interface.position(name).ok_or_else(|| {
            let names: Vec<_> = self.interface.bindings.iter().map(|b| format!("`{}`", b.name)).collect();
            format!("the kernel has no binding `{name}`; it has {}", names.join(", "))
        })?;
        // What the WGSL never writes is shared with other launches and with snapshots, however it is declared.
        if loan == Loan::Exclusive && !self.interface.bindings[position].access.writes {
            return Err(format!("the kernel's WGSL never writes `{name}`: it can only be read"));
        }
        let held = &mut self.loans.borrow_mut()[position];
        if *held == Loan::Exclusive || (*held == Loan::Shared && loan == Loan::Exclusive) {
            return Err(format!("`{name}` is lent already: take each slice once, before it is used"));
        }
        *held = loan;
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use warpweft_module::{Module, Source};

    use super::*;
    use crate::{KernelId, Region};

    const SAXPY: &str = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @group(0) @binding(2) var<uniform> a: f32;
        @compute @workgroup_size(64) fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
            y[id.x] = a * x[id.x] + y[id.x];
        }";

    fn check(body: impl Fn(&NativeArguments<'_>)) {
        let kernel =
            Module::new(&[Source::new("saxpy.wgsl", SAXPY)], &[]).unwrap().kernel(None, &[]).unwrap();
        let block = |data: Vec<f32>| Arc::new(HostBlock::from_vec(data).unwrap());
        let (x, y) = (block(vec![1.0, 2.0, 3.0]), block(vec![10.0, 20.0, 30.0]));
        let dispatch = Dispatch {
            kernel: KernelId(0),
            grid: Grid { workgroups: [1, 1, 1], over: Some([3, 1, 1]) },
            range: 0..1,
            arguments: vec![
                Argument::Region(Region::host(&x, 0..12)),
                Argument::Region(Region::host(&y, 0..12)),
                Argument::Value(bytemuck::bytes_of(&2.0f32).into()),
            ],
        };
        // SAFETY: nobody else knows the blocks, and they are distinct.
        body(&unsafe { NativeArguments::new(kernel.interface(), &dispatch) });
    }

    #[test]
    fn bindings_come_by_name() {
        check(|arguments| {
            let a: f32 = arguments.value("a").unwrap();
            let y = arguments.slice_mut::<f32>("y").unwrap();
            for (y, x) in y.iter_mut().zip(arguments.slice::<f32>("x").unwrap()) {
                *y += a * x;
            }
            assert_eq!(y, &[12.0, 24.0, 36.0]);
        });
    }

    #[test]
    fn no_slice_aliases_a_mutable_one() {
        check(|arguments| {
            let _y = arguments.slice_mut::<f32>("y").unwrap();
            assert!(arguments.slice::<f32>("y").unwrap_err().contains("lent already"));
            assert!(arguments.slice_mut::<f32>("y").unwrap_err().contains("lent already"));
            assert!(arguments.slice_mut::<f32>("x").unwrap_err().contains("never writes `x`"));
            assert!(arguments.slice::<f32>("z").unwrap_err().contains("`x`, `y`, `a`"));
            assert!(arguments.slice::<f64>("x").unwrap_err().contains("not a slice of that type"));
        });
    }
}
