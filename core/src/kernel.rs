//! Modules and kernels as users hold them: compiled once per device, launched any number of times.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use warpweft_hal::{
    DeviceKind, Loaded, Native, NativeArguments, Obstacle, Path, Program, cautions, obstacles,
};
use warpweft_module::{Interface, Scalar, Source};
use warpweft_ssa::barriers;
use warpweft_ssa::ir::Function;

use crate::launch::{Knowledge, Launcher};
use crate::runtime::Inner;
use crate::{Error, Result};

/// Collects the files and aliases of a [`Module`].
///
/// WGSL needs no order: files may use what others declare, and errors name the right file and line.
#[derive(Clone)]
pub struct ModuleBuilder {
    runtime: Arc<Inner>,
    files: Vec<Source>,
    aliases: Vec<(String, Scalar)>,
}

impl ModuleBuilder {
    pub(crate) fn new(runtime: Arc<Inner>) -> Self {
        Self { runtime, files: Vec::new(), aliases: Vec::new() }
    }

    /// Adds a source; the name is for error messages.
    pub fn file(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push(Source::new(name, text));
        self
    }

    /// Supplies `alias name = scalar;`, for kernels that are generic over their element type.
    pub fn alias(mut self, name: impl Into<String>, scalar: Scalar) -> Self {
        self.aliases.push((name.into(), scalar));
        self
    }

    /// Reads and validates the sources.
    ///
    /// # Errors
    /// When they are not valid WGSL, or declare an alias that is supplied too.
    pub fn build(self) -> Result<Module> {
        let module = warpweft_module::Module::new(&self.files, &self.aliases)?;
        Ok(Module { runtime: self.runtime, module, constants: Vec::new() })
    }
}

/// WGSL that was accepted. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    runtime: Arc<Inner>,
    module: warpweft_module::Module,
    constants: Vec<(String, f64)>,
}

impl Module {
    /// Sets an override, by its name or by its `@id` in decimal, for the kernels taken from the result.
    pub fn constant(mut self, name: impl Into<String>, value: impl Into<f64>) -> Self {
        self.constants.push((name.into(), value.into()));
        self
    }

    /// The names of the compute entry points, in source order.
    pub fn entries(&self) -> Vec<&str> {
        self.module.entries()
    }

    /// What was read, for those who need more than launching.
    pub fn source(&self) -> &warpweft_module::Module {
        &self.module
    }

    /// A kernel by the name of its entry point.
    ///
    /// # Errors
    /// When there is none of that name, or a constant is missing, unknown or does not fit.
    pub fn kernel(&self, entry: &str) -> Result<Kernel> {
        self.specialise(Some(entry))
    }

    /// The kernel of the only entry point.
    ///
    /// # Errors
    /// When there is none or several, or a constant is missing, unknown or does not fit.
    pub fn only_kernel(&self) -> Result<Kernel> {
        self.specialise(None)
    }

    fn specialise(&self, entry: Option<&str>) -> Result<Kernel> {
        let kernel = self.module.kernel(entry, &self.constants)?;
        let mut knowledge = Knowledge::default();
        if kernel.interface().barriers
            && let Ok(function) = Function::new(&kernel)
        {
            if let Some(found) = barriers::check(&function).into_iter().find(|found| found.certain) {
                return Err(Error::Barrier { kernel: function.name, reason: found.why });
            }
            knowledge = Knowledge::of(&function);
        }
        Ok(Kernel::new(self.runtime.clone(), Program { kernel, native: None }, knowledge))
    }
}

/// A compute entry point with all its overrides fixed. Cheap to clone.
#[derive(Clone)]
pub struct Kernel {
    pub(crate) inner: Arc<KernelInner>,
}

pub(crate) struct KernelInner {
    pub(crate) runtime: Arc<Inner>,
    pub(crate) program: Program,
    pub(crate) name: Arc<str>,
    /// Per device: what a user should know before trusting it with this kernel.
    pub(crate) cautions: Vec<Arc<[String]>>,
    /// Per device: why it cannot run there.
    pub(crate) obstacles: Vec<Vec<Obstacle>>,
    /// Per device.
    loads: Vec<Load>,
    pub(crate) knowledge: Knowledge,
}

/// Why no GPU takes the launches of a strict runtime.
const STRICT: &str = "the runtime is strict, and GPU drivers may contract products and sums or flush denormals: only the CPU will do";

/// A kernel on one device.
#[derive(Default)]
struct Load {
    done: OnceLock<Loaded>,
    /// A launch has told how long that took.
    told: AtomicBool,
    /// Held while the device compiles, so that it does so once; nobody else waits for it.
    under_way: Mutex<()>,
}

impl Kernel {
    fn new(runtime: Arc<Inner>, program: Program, knowledge: Knowledge) -> Self {
        let interface = program.kernel.interface();
        let strict = runtime.strict;
        let obstacles = runtime.devices.iter().map(|slot| {
            let unstrict = (strict && slot.info().kind != DeviceKind::Cpu).then(|| Obstacle(STRICT.into()));
            obstacles(slot.info(), interface).into_iter().chain(unstrict).collect()
        });
        let obstacles = obstacles.collect();
        let cautions = runtime.devices.iter().map(|slot| cautions(slot.info(), interface).into()).collect();
        let loads = runtime.devices.iter().map(|_| Load::default()).collect();
        let name = interface.entry.as_str().into();
        Self {
            inner: Arc::new(KernelInner { runtime, program, name, cautions, obstacles, loads, knowledge }),
        }
    }

    /// The entry point's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What the kernel shows to the outside: bindings, workgroup size, needs.
    pub fn interface(&self) -> &Interface {
        self.inner.program.kernel.interface()
    }

    /// The same kernel with a hand-written implementation for the CPU, which takes the place of compiled code
    /// there. The WGSL stays the truth: the implementation must compute the same.
    ///
    /// ```
    /// # use warpweft::prelude::*;
    /// # fn main() -> warpweft::Result<()> {
    /// # let rt = Runtime::new()?;
    /// let kernel = rt.kernel(
    ///     "@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    ///      @compute @workgroup_size(64) fn square(@builtin(global_invocation_id) id: vec3<u32>) {
    ///          x[id.x] = x[id.x] * x[id.x];
    ///      }",
    /// )?;
    /// let kernel = kernel.with_native(|arguments: &NativeArguments| {
    ///     arguments.slice_mut::<f32>("x")?.iter_mut().for_each(|x| *x *= *x);
    ///     Ok(())
    /// });
    /// let x = rt.buffer(vec![3.0f32; 100])?;
    /// let report = kernel.launch().bind("x", &x).on(Placement::Cpu).run()?;
    /// assert_eq!(report.path, warpweft::Path::Native);
    /// assert_eq!(x.read()?[99], 9.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_native<F>(&self, native: F) -> Kernel
    where
        F: Fn(&NativeArguments<'_>) -> Result<(), String> + Send + Sync + 'static,
    {
        let native: Arc<dyn Native> = Arc::new(native);
        let program = Program { kernel: self.inner.program.kernel.clone(), native: Some(native) };
        Kernel::new(self.inner.runtime.clone(), program, Knowledge::default())
    }

    /// Starts a launch.
    pub fn launch(&self) -> Launcher {
        Launcher::new(self.inner.clone())
    }
}

impl Drop for KernelInner {
    fn drop(&mut self) {
        for (slot, load) in self.runtime.devices.iter().zip(&self.loads) {
            if let Some(loaded) = load.done.get() {
                slot.device.unload(loaded.kernel);
            }
        }
    }
}

impl KernelInner {
    pub(crate) fn interface(&self) -> &Interface {
        self.program.kernel.interface()
    }

    /// How a device executes the kernel, or would.
    pub(crate) fn path(&self, device: usize) -> Path {
        if let Some(loaded) = self.loads[device].done.get() {
            return loaded.path;
        }
        match (self.runtime.devices[device].host_memory(), &self.program.native) {
            (true, Some(_)) => Path::Native,
            (true, None) => Path::Interpreter,
            (false, _) => Path::Wgpu,
        }
    }

    /// Why a device does not execute the kernel in the way that was wanted, as far as is known.
    pub(crate) fn note(&self, device: usize) -> Option<Arc<str>> {
        self.loads[device].done.get()?.note.clone()
    }

    /// Makes the kernel ready on a device; the second return is the seconds that this took, told once.
    pub(crate) fn load(&self, device: usize) -> Result<(&Loaded, f64)> {
        let loaded = self.ready(device)?;
        let told = &self.loads[device].told;
        // The swap only where it is needed: launches on many threads share this.
        let fresh = !told.load(Ordering::Relaxed) && !told.swap(true, Ordering::Relaxed);
        Ok((loaded, if fresh { loaded.seconds } else { 0.0 }))
    }

    /// Makes the kernel ready where that takes a moment only and a plan rests on how it turns out: on the CPU, which may
    /// compile it or not.
    pub(crate) fn foresee(&self, takes_part: impl Fn(usize) -> bool) {
        for (device, slot) in self.runtime.devices.iter().enumerate() {
            let open = self.loads[device].done.get().is_none() && self.obstacles[device].is_empty();
            if open && slot.info().kind == DeviceKind::Cpu && takes_part(device) {
                // What goes wrong is said when the device is chosen.
                let _ = self.ready(device);
            }
        }
    }

    fn ready(&self, device: usize) -> Result<&Loaded> {
        let load = &self.loads[device];
        if let Some(loaded) = load.done.get() {
            return Ok(loaded);
        }
        let _one_at_a_time = load.under_way.lock();
        if let Some(loaded) = load.done.get() {
            return Ok(loaded);
        }
        let _span = tracing::debug_span!("compile", kernel = &*self.name).entered();
        let fresh = self.runtime.devices[device].device.load(&self.program)?;
        Ok(load.done.get_or_init(|| fresh))
    }

    pub(crate) fn binding_error(&self, reason: impl Into<String>) -> Error {
        Error::Binding { kernel: self.name.to_string(), reason: reason.into() }
    }

    pub(crate) fn grid_error(&self, reason: impl Into<String>) -> Error {
        Error::Grid { kernel: self.name.to_string(), reason: reason.into() }
    }
}
