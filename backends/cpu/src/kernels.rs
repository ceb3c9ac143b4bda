//! Loaded kernels, each prepared once however often it is loaded.
//!
//! Knows nothing of dispatches.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::RwLock;
use warpweft_hal::{KernelId, Native, Path, Program};
use warpweft_module::{Hash, Kernel};

use crate::native::panic_message;

/// A kernel that is ready to run.
pub(crate) struct Prepared {
    pub(crate) kernel: Kernel,
    pub(crate) code: Code,
}

/// How it is run.
pub(crate) enum Code {
    Interpreted(Box<warpweft_interpreter::Program>),
    Native(Arc<dyn Native>),
}

impl Prepared {
    fn new(program: &Program) -> Result<Self, String> {
        let kernel = program.kernel.clone();
        let code = match &program.native {
            Some(native) => Code::Native(native.clone()),
            None => {
                let prepare = AssertUnwindSafe(|| warpweft_interpreter::Program::new(&kernel));
                let program = catch_unwind(prepare).map_err(panic_message)?;
                Code::Interpreted(Box::new(program.map_err(|unsupported| unsupported.to_string())?))
            }
        };
        Ok(Self { kernel, code })
    }

    pub(crate) fn path(&self) -> Path {
        match self.code {
            Code::Interpreted(_) => Path::Interpreter,
            Code::Native(_) => Path::Native,
        }
    }
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
    pub(crate) fn load(&self, program: &Program) -> Result<(KernelId, Path), String> {
        let key = key(program);
        if let Some(found) = self.tables.write().reload(&key) {
            return Ok(found);
        }
        // Prepared without the lock: other threads launch meanwhile.
        let prepared = Arc::new(Prepared::new(program)?);
        let mut tables = self.tables.write();
        if let Some(found) = tables.reload(&key) {
            return Ok(found);
        }
        tables.last += 1;
        let (id, path) = (KernelId(tables.last), prepared.path());
        tables.entries.insert(id, Entry { prepared, key, loads: 1 });
        tables.ids.insert(key, id);
        Ok((id, path))
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
    fn reload(&mut self, key: &Key) -> Option<(KernelId, Path)> {
        let id = *self.ids.get(key)?;
        let entry = self.entries.get_mut(&id)?;
        entry.loads += 1;
        Some((id, entry.prepared.path()))
    }
}
