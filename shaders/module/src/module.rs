//! A [`Module`]: WGSL that was read and accepted, from which kernels are made.
//!
//! Knows naga's parser and validator; what happens to one entry point is [`crate::kernel`]'s business.

use crate::error::{ModuleError, similar};
use crate::explain;
use crate::extent;
use crate::half;
use crate::interface::Override;
use crate::kernel::{self, Kernel};
use crate::reflect;
use crate::shelter::sheltered;
use crate::source::{Joined, Source};
use crate::types::Scalar;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use std::fmt;
use std::sync::Arc;

/// WGSL that was read and accepted; cheap to clone.
///
/// ```
/// use warpweft_module::{Module, Source};
///
/// let wgsl = "
///     @group(0) @binding(0) var<storage, read_write> x: array<f32>;
///     override FACTOR: f32 = 2.0;
///     @compute @workgroup_size(64) fn scale(@builtin(global_invocation_id) id: vec3<u32>) {
///         if id.x < arrayLength(&x) { x[id.x] *= FACTOR; }
///     }";
/// let module = Module::new(&[Source::new("scale.wgsl", wgsl)], &[])?;
/// let kernel = module.kernel(None, &[("FACTOR".to_string(), 3.0)])?;
/// assert_eq!(kernel.interface().bindings[0].name, "x");
/// # Ok::<(), warpweft_module::ModuleError>(())
/// ```
#[derive(Clone)]
pub struct Module {
    inner: Arc<Accepted>,
}

/// What a module and its kernels share.
pub(crate) struct Accepted {
    pub(crate) joined: Joined,
    pub(crate) naga: naga::Module,
    pub(crate) info: ModuleInfo,
    pub(crate) overrides: Vec<Override>,
    /// BLAKE3 of sources and aliases.
    pub(crate) digest: [u8; 32],
}

impl Module {
    /// Reads `sources` as one module, in which each of `aliases` is declared.
    ///
    /// # Errors
    /// Whatever is wrong with the WGSL, with file, line and column.
    pub fn new(sources: &[Source], aliases: &[(String, Scalar)]) -> Result<Module, ModuleError> {
        let joined = Joined::new(sources, aliases)?;
        let (naga, info) = sheltered(joined.recursion(), || read(&joined))??;
        let overrides = reflect::overrides(&naga);
        let digest = kernel::digest(sources, aliases);
        Ok(Module { inner: Arc::new(Accepted { joined, naga, info, overrides, digest }) })
    }

    /// The names of the kernels (compute entry points) in source order.
    pub fn entries(&self) -> Vec<&str> {
        let points = self.inner.naga.entry_points.iter();
        points.filter(|p| p.stage == naga::ShaderStage::Compute).map(|p| p.name.as_str()).collect()
    }

    /// The overrides in source order.
    pub fn overrides(&self) -> &[Override] {
        &self.inner.overrides
    }

    /// The kernel named `entry` (`None`: the only one) with overrides fixed by `constants`: pairs of a name, or an
    /// `@id` in decimal, and a value (0 or 1 for `bool`).
    ///
    /// # Errors
    /// No such kernel or override, a value that does not fit or is missing, two bindings in one place, or something
    /// that no compute device offers, such as textures.
    pub fn kernel(&self, entry: Option<&str>, constants: &[(String, f64)]) -> Result<Kernel, ModuleError> {
        let entry = self.entry(entry)?;
        sheltered(self.inner.joined.recursion(), || kernel::specialise(&self.inner, entry, constants))?
    }

    fn entry(&self, wanted: Option<&str>) -> Result<&str, ModuleError> {
        let entries = self.entries();
        let known = || entries.iter().map(|e| e.to_string()).collect::<Vec<_>>();
        match wanted {
            _ if entries.is_empty() => Err(self.no_kernel()),
            None if entries.len() == 1 => Ok(entries[0]),
            None => Err(ModuleError::SeveralKernels { known: known() }),
            Some(name) => entries.iter().find(|e| **e == name).copied().ok_or_else(|| {
                let similar = similar(name, entries.iter().copied());
                ModuleError::UnknownKernel { name: name.to_string(), known: known(), similar }
            }),
        }
    }

    fn no_kernel(&self) -> ModuleError {
        let joined = &self.inner.joined;
        let sources = joined.sources[..joined.given].iter().map(|s| s.name.as_str()).collect::<Vec<_>>();
        ModuleError::NoKernel {
            sources: if sources.is_empty() { "no source at all".to_string() } else { sources.join(", ") },
            others: self.inner.naga.entry_points.iter().map(|p| p.name.clone()).collect(),
        }
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("entries", &self.entries()).finish_non_exhaustive()
    }
}

fn read(joined: &Joined) -> Result<(naga::Module, ModuleInfo), ModuleError> {
    let parsed = naga::front::wgsl::parse_str(&joined.text);
    // Before what naga says, which took the cast for another type.
    half::refuse_casts(joined)?;
    let module = parsed.map_err(|e| explain::syntax(joined, &e))?;
    extent::check(joined, &module)?;
    // Everything is allowed here, textures too: entry points that are no kernels do no harm. What a kernel needs is
    // looked at when it is made.
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    let info = validator.validate(&module).map_err(|e| explain::invalid(joined, &module, &e))?;
    Ok((module, info))
}
