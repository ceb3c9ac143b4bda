//! Loaded kernels, and how they run for real.
//!
//! Workgroups run one after the other on the calling thread: the same bytes every time. Knows nothing of time.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use warpweft_hal::{Argument, Dispatch, KernelId, Memory, Native, NativeArguments, Path, Program};
use warpweft_interpreter as interpreter;
use warpweft_module::Kernel;

use crate::spec::SUBGROUP_SIZE;

/// A loaded kernel.
pub(crate) struct Prepared {
    pub(crate) kernel: Kernel,
    code: Code,
    /// Loads that were not yet taken back.
    loads: usize,
}

enum Code {
    Interpreted(Box<interpreter::Program>),
    Native(Arc<dyn Native>),
    /// Nothing is executed.
    Pretence,
}

/// The kernels of one device.
#[derive(Default)]
pub(crate) struct Kernels {
    loaded: BTreeMap<KernelId, Prepared>,
    last: u64,
}

impl Kernels {
    /// The id of a program, and whether it is new; what is never executed needs no preparation.
    ///
    /// # Errors
    /// What the kernel does that cannot be run.
    pub(crate) fn load(
        &mut self,
        program: &Program,
        execute: bool,
    ) -> Result<(KernelId, Path, bool), String> {
        let path = if program.native.is_some() { Path::Native } else { Path::Interpreter };
        if let Some((id, known)) = self.loaded.iter_mut().find(|(_, known)| known.is(program)) {
            known.loads += 1;
            return Ok((*id, path, false));
        }
        let code = match &program.native {
            Some(native) => Code::Native(native.clone()),
            None if execute => Code::Interpreted(Box::new(
                interpreter::Program::new(&program.kernel).map_err(|e| e.to_string())?,
            )),
            None => Code::Pretence,
        };
        self.last += 1;
        let id = KernelId(self.last);
        self.loaded.insert(id, Prepared { kernel: program.kernel.clone(), code, loads: 1 });
        Ok((id, path, true))
    }

    /// Takes one load back.
    pub(crate) fn unload(&mut self, id: KernelId) {
        if let Some(known) = self.loaded.get_mut(&id) {
            known.loads -= 1;
            if known.loads == 0 {
                self.loaded.remove(&id);
            }
        }
    }

    pub(crate) fn get(&self, id: KernelId) -> Option<&Prepared> {
        self.loaded.get(&id)
    }
}

impl Prepared {
    /// It is the same program: the same kernel, with the same native implementation or none.
    fn is(&self, program: &Program) -> bool {
        self.kernel.hash() == program.kernel.hash()
            && match (&self.code, &program.native) {
                (Code::Native(mine), Some(other)) => Arc::ptr_eq(mine, other),
                (Code::Native(_), None) | (_, Some(_)) => false,
                (_, None) => true,
            }
    }

    /// Runs the workgroups of a dispatch whose regions are all host regions.
    ///
    /// # Safety
    /// Nothing else may touch what the arguments name until it returns, and no two may overlap where one is writable.
    ///
    /// # Errors
    /// What the kernel did wrong.
    pub(crate) unsafe fn run(&self, dispatch: &Dispatch) -> Result<(), String> {
        match &self.code {
            Code::Pretence => Ok(()),
            Code::Native(native) => {
                // SAFETY: by the contract of this function.
                let arguments = unsafe { NativeArguments::new(self.kernel.interface(), dispatch) };
                catch_unwind(AssertUnwindSafe(|| native.run(&arguments)))
                    .unwrap_or_else(|panic| Err(message(&*panic)))
            }
            Code::Interpreted(program) => interpret(program, dispatch),
        }
    }
}

fn interpret(program: &interpreter::Program, dispatch: &Dispatch) -> Result<(), String> {
    let values: Vec<Vec<AtomicU32>> = dispatch.arguments.iter().map(value).collect();
    let mut bindings = Vec::new();
    for (argument, value) in dispatch.arguments.iter().zip(&values) {
        bindings.push(match argument {
            Argument::Value(bytes) => interpreter::Memory::new(value, bytes.len() as u64),
            Argument::Region(region) => {
                let Memory::Host(block) = &region.memory else {
                    return Err("device memory was left".into());
                };
                let bytes = region.bytes();
                let words = &block.words()[(bytes.start / 4) as usize..(bytes.end / 4) as usize];
                interpreter::Memory::new(words, region.size)
            }
        });
    }
    let launch = interpreter::Launch {
        bindings: &bindings,
        grid: interpreter::Grid { workgroups: dispatch.grid.workgroups, over: dispatch.grid.over },
        subgroup_size: SUBGROUP_SIZE,
        cancelled: &|| false,
    };
    let mut scratch = interpreter::Scratch::default();
    for linear in dispatch.range.clone() {
        program.run_workgroup(&launch, linear, &mut scratch).map_err(|fault| fault.to_string())?;
    }
    Ok(())
}

/// The words of a uniform that came by value.
fn value(argument: &Argument) -> Vec<AtomicU32> {
    match argument {
        Argument::Region(_) => Vec::new(),
        Argument::Value(bytes) => {
            let words = bytes.chunks_exact(4).map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
            words.map(AtomicU32::new).collect()
        }
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(|s| &**s));
    text.map_or("it panicked".into(), |text| format!("it panicked: {text}"))
}
