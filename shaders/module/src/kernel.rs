//! A [`Kernel`]: one compute entry point with every override fixed and everything else left out.
//!
//! Knows the order of the steps; how a step works is said where it lives.

use crate::constants;
use crate::dump;
use crate::error::ModuleError;
use crate::explain;
use crate::half;
use crate::interface::Interface;
use crate::module::Accepted;
use crate::prune::{forget_results, is_whole, prune};
use crate::reflect;
use crate::refuse;
use crate::source::{Location, Source};
use crate::types::Scalar;
use naga::back::pipeline_constants::process_overrides;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One compute entry point, specialised and reflected; cheap to clone.
#[derive(Clone)]
pub struct Kernel {
    inner: Arc<Inner>,
}

struct Inner {
    accepted: Arc<Accepted>,
    /// What is left of the accepted module; `None` where that is all of it.
    own: Option<(naga::Module, ModuleInfo)>,
    interface: Interface,
    hash: Hash,
}

impl Kernel {
    /// What the kernel shows to the outside.
    pub fn interface(&self) -> &Interface {
        &self.inner.interface
    }

    /// The kernel's identity: a hash of sources, aliases, entry point and constants.
    pub fn hash(&self) -> Hash {
        self.inner.hash
    }

    /// naga's module, overrides resolved and compacted: exactly one entry point, index 0.
    pub fn naga(&self) -> (&naga::Module, &ModuleInfo) {
        match &self.inner.own {
            Some((module, info)) => (module, info),
            None => (&self.inner.accepted.naga, &self.inner.accepted.info),
        }
    }

    /// Where in the sources a span of [`naga`](Self::naga)'s module starts.
    pub fn locate(&self, span: naga::Span) -> Option<Location> {
        self.inner.accepted.joined.locate(span)
    }

    /// Where in the sources a byte of the text that spans count is, and the bytes of the same line: who asks for many
    /// places asks once a line. After the first call, takes no longer for long sources.
    pub fn line(&self, at: usize) -> Option<(Location, Range<usize>)> {
        self.inner.accepted.joined.line(at)
    }

    /// The kernel as naga sees it, as text for the eye.
    pub fn dump(&self) -> String {
        dump::dump(self.naga().0)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("interface", self.interface()).field("hash", &self.hash()).finish()
    }
}

/// Fixes `constants` in `entry` and looks at what is left.
pub(crate) fn specialise(
    accepted: &Arc<Accepted>,
    entry: &str,
    given: &[(String, f64)],
) -> Result<Kernel, ModuleError> {
    let values = constants::check(&accepted.overrides, given)?;
    let mut module = accepted.naga.clone();
    let wanted = |p: &naga::EntryPoint| p.stage == naga::ShaderStage::Compute && p.name == entry;
    let point = module.entry_points.iter().position(wanted).unwrap_or_default();
    module.entry_points.retain(wanted);
    forget_results(&mut module, &accepted.info, point);
    prune(&mut module);
    refuse::unsupported(&accepted.joined, &module, entry)?;
    constants::require(&accepted.joined, &module, entry, &values)?;
    if !module.overrides.is_empty() {
        let used = constants::used(&module, &values);
        let (fixed, _) = process_overrides(&module, &accepted.info, None, &used)
            .map_err(|error| constants::explain(&accepted.joined, entry, given, error))?;
        module = fixed.into_owned();
        constants::fix_array_lengths(&mut module);
        prune(&mut module);
    }
    // Where nothing was dropped, and no override can make anything invalid, all has been validated.
    let own = if accepted.naga.overrides.is_empty() && is_whole(&module, &accepted.naga) {
        None
    } else {
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
        let info = validator
            .validate_resolved_overrides(&module)
            .map_err(|e| explain::invalid(&accepted.joined, &module, &e))?;
        Some((module, info))
    };
    let (module, info) =
        own.as_ref().map_or((&accepted.naga, &accepted.info), |(module, info)| (module, info));
    let interface = reflect::interface(accepted, module, info)?;
    half::refuse_unasked_integers(&accepted.joined, interface.features)?;
    let hash = Hash::new(&accepted.digest, entry, &values);
    Ok(Kernel { inner: Arc::new(Inner { accepted: accepted.clone(), own, interface, hash }) })
}

/// The BLAKE3 hash that identifies a [`Kernel`]; `Display` is hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn new(digest: &[u8; 32], entry: &str, values: &constants::Values) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"warpweft kernel 1").update(digest);
        field(&mut hasher, entry.as_bytes());
        for (key, value) in values {
            field(&mut hasher, key.as_bytes());
            hasher.update(&value.to_bits().to_le_bytes());
        }
        Hash(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// BLAKE3 of the sources' texts, in order, and the aliases, in whatever order.
pub(crate) fn digest(sources: &[Source], aliases: &[(String, Scalar)]) -> [u8; 32] {
    let mut aliases = aliases.to_vec();
    aliases.sort_by(|a, b| a.0.cmp(&b.0));
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(sources.len() as u64).to_le_bytes());
    for source in sources {
        field(&mut hasher, source.text.as_bytes());
    }
    for (name, scalar) in &aliases {
        field(&mut hasher, name.as_bytes());
        field(&mut hasher, scalar.name().as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Adds bytes with their length before them, so that no two sequences of fields look the same.
fn field(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}
