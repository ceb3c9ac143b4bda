//! Loaded kernels, each prepared once however often it is loaded.
//!
//! Knows nothing of dispatches.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;
use warpweft_compiler::Compiled;
use warpweft_hal::{Dispatch, KernelId, Native, Path, Program};
use warpweft_module::{Hash, Kernel};

use crate::code::{self, Found, Wanted};
use crate::native::panic_message;
use crate::streaming;

/// A kernel that is ready to run.
pub(crate) struct Prepared {
    pub(crate) kernel: Kernel,
    pub(crate) code: Code,
    /// Why it is not run in the way that was wanted.
    pub(crate) note: Option<Arc<str>>,
    /// The code of launches that write past the caches, compiled when the first one comes, and the width wanted of it.
    streaming: OnceLock<Arc<Compiled>>,
    lanes: Option<u16>,
}

/// How it is run.
pub(crate) enum Code {
    Interpreted(Box<warpweft_interpreter::Program>),
    Compiled(Arc<Compiled>),
    Native(Arc<dyn Native>),
}

impl Prepared {
    fn new(program: &Program, wanted: &Wanted) -> Result<Self, String> {
        let kernel = program.kernel.clone();
        let (code, note) = match &program.native {
            Some(native) => (Code::Native(native.clone()), None),
            None => match wanted.compile(&kernel) {
                Ok(Found { code, note }) => (Code::Compiled(code), note),
                Err(note) => (Code::Interpreted(Box::new(interpreted(&kernel)?)), note),
            },
        };
        if let Some(note) = &note {
            tracing::info!(kernel = kernel.interface().entry, note, "a kernel is not run as was wanted");
        }
        Ok(Self { kernel, code, note: note.map(Arc::from), streaming: OnceLock::new(), lanes: wanted.lanes })
    }

    /// Compiled code that writes past the caches, where that pays for a dispatch.
    pub(crate) fn streaming(&self, dispatch: &Dispatch, cache: u64) -> Option<Arc<Compiled>> {
        let Code::Compiled(usual) = &self.code else { return None };
        streaming::pays(self.kernel.interface(), dispatch, cache)
            .then(|| self.streaming.get_or_init(|| code::streaming(&self.kernel, usual, self.lanes)).clone())
    }

    pub(crate) fn path(&self) -> Path {
        match &self.code {
            Code::Interpreted(_) => Path::Interpreter,
            Code::Compiled(code) => Path::Compiled {
                generator: code.options().generator.name(),
                lanes: code.lanes().try_into().unwrap_or(u16::MAX),
            },
            Code::Native(_) => Path::Native,
        }
    }
}

/// The kernel for the interpreter.
fn interpreted(kernel: &Kernel) -> Result<warpweft_interpreter::Program, String> {
    let prepare = AssertUnwindSafe(|| warpweft_interpreter::Program::new(kernel));
    let program = catch_unwind(prepare).map_err(panic_message)?;
    program.map_err(|unsupported| unsupported.to_string())
}

/// What makes two programs the same: the kernel's hash, and the address of the native implementation, which stays
/// taken as long as the entry holds it.
type Key = (Hash, Option<usize>);

fn key(program: &Program) -> Key {
    (program.kernel.hash(), program.native.as_ref().map(|native| Arc::as_ptr(native).cast::<()>() as usize))
}

struct Entry {
    prepared: Arc<Prepared>,
    key: Key,
    /// Loads that were not yet taken back.
    loads: usize,
}

#[derive(Default)]
struct Tables {
    entries: HashMap<KernelId, Entry>,
    ids: HashMap<Key, KernelId>,
    last: u64,
}

/// The kernels of one device.
#[derive(Default)]
pub(crate) struct Kernels {
    tables: RwLock<Tables>,
}

impl Kernels {
    /// The id of a program, prepared now if it is new.
    ///
    /// # Errors
    /// What the kernel does that cannot be run.
    pub(crate) fn load(
        &self,
        program: &Program,
        wanted: &Wanted,
    ) -> Result<(KernelId, Arc<Prepared>), String> {
        let key = key(program);
        if let Some(found) = self.tables.write().reload(&key) {
            return Ok(found);
        }
        // Prepared without the lock: other threads launch meanwhile.
        let prepared = Arc::new(Prepared::new(program, wanted)?);
        let mut tables = self.tables.write();
        if let Some(found) = tables.reload(&key) {
            return Ok(found);
        }
        tables.last += 1;
        let id = KernelId(tables.last);
        tables.entries.insert(id, Entry { prepared: prepared.clone(), key, loads: 1 });
        tables.ids.insert(key, id);
        Ok((id, prepared))
    }

    /// Takes one load back.
    pub(crate) fn unload(&self, id: KernelId) {
        let mut tables = self.tables.write();
        let Some(entry) = tables.entries.get_mut(&id) else {
            return;
        };
        entry.loads -= 1;
        if entry.loads == 0 {
            let key = entry.key;
            tables.entries.remove(&id);
            tables.ids.remove(&key);
        }
    }

    pub(crate) fn get(&self, id: KernelId) -> Option<Arc<Prepared>> {
        self.tables.read().entries.get(&id).map(|entry| entry.prepared.clone())
    }
}

impl Tables {
    /// Loads what is there already once more.
    fn reload(&mut self, key: &Key) -> Option<(KernelId, Arc<Prepared>)> {
        let id = *self.ids.get(key)?;
        let entry = self.entries.get_mut(&id)?;
        entry.loads += 1;
        Some((id, entry.prepared.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::CpuPath;
    use warpweft_hal::{Argument, Grid, HostBlock, Region};
    use warpweft_module::{Module, Source};

    #[test]
    fn large_launches_run_other_code() {
        let wgsl = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
            @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = id.x; }";
        let kernel = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap().kernel(None, &[]).unwrap();
        let wanted =
            Wanted { generators: CpuPath::Auto.generators(None).unwrap(), strict: false, lanes: None };
        let prepared = Prepared::new(&Program { kernel, native: None }, &wanted).unwrap();
        let block = Arc::new(HostBlock::zeroed(4 * 4096).unwrap());
        let dispatch = |workgroups: u32| Dispatch {
            kernel: KernelId(0),
            grid: Grid { workgroups: [workgroups, 1, 1], over: None },
            range: 0..workgroups.into(),
            arguments: vec![Argument::Region(Region::host(&block, 0..block.len()))],
        };
        assert!(prepared.streaming(&dispatch(16), 1 << 14).is_none());
        let code = prepared.streaming(&dispatch(64), 1 << 14).expect("it writes as much as the cache holds");
        let ours = code.options().generator != warpweft_compiler::Generator::Cranelift;
        assert_eq!(code.options().streaming, ours);
        assert!(Arc::ptr_eq(&code, &prepared.streaming(&dispatch(64), 1 << 14).unwrap()));
    }
}
