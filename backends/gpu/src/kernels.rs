//! Loaded kernels: pipelines and layouts, each program compiled once.
//!
//! Loading translates and validates; the driver makes the machine code when it pleases, on lavapipe at the first
//! dispatch. Knows nothing of commands.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use warpweft_hal::{Error, Grid, KernelId, Loaded, Path};
use warpweft_module::{Hash, Kernel, Space};

use crate::fault::{Fault, Scoped, caught, words};
use crate::rewrite::{Launch, rewrite};

/// A binding of a kernel, as far as launches need to know.
pub(crate) struct Slot {
    pub(crate) group: u32,
    pub(crate) binding: u32,
    pub(crate) writable: bool,
    pub(crate) space: Space,
    pub(crate) min_size: u64,
    pub(crate) name: String,
}

/// A kernel that is ready to run.
pub(crate) struct Compiled {
    pub(crate) id: KernelId,
    pub(crate) entry: String,
    /// For grids of whole workgroups, compiled by loading.
    whole: wgpu::ComputePipeline,
    /// For grids that end within a workgroup, compiled when there is the first one.
    exact: OnceLock<wgpu::ComputePipeline>,
    kernel: Kernel,
    layout: wgpu::PipelineLayout,
    /// By `@group`; `None` where the kernel uses none of that number.
    pub(crate) layouts: Vec<Option<wgpu::BindGroupLayout>>,
    /// In the order of the interface.
    pub(crate) slots: Vec<Slot>,
    /// Dispatches so far: what sampling goes by.
    pub(crate) runs: AtomicU32,
}

/// A program's place: empty until its first load is done.
#[derive(Default)]
struct Entry {
    users: u32,
    compiled: Option<Arc<Compiled>>,
}

/// The kernels of a device.
#[derive(Default)]
pub(crate) struct Kernels {
    /// One lock per program: loading one does not wait for another, and none is compiled twice.
    by_hash: Mutex<HashMap<Hash, Arc<Mutex<Entry>>>>,
    by_id: Mutex<HashMap<KernelId, (Hash, Arc<Compiled>)>>,
    last: AtomicU64,
}

impl Kernels {
    /// Loads a kernel, or counts one more user of it.
    pub(crate) fn load(
        &self,
        device: &wgpu::Device,
        fault: &Fault,
        kernel: &Kernel,
    ) -> Result<Loaded, Error> {
        let start = Instant::now();
        let hash = kernel.hash();
        let place = self.by_hash.lock().entry(hash).or_default().clone();
        let loaded = self.load_in(&mut place.lock(), device, fault, kernel);
        drop(place);
        self.forget_empty(hash);
        let seconds = start.elapsed().as_secs_f64();
        loaded.map(|kernel| Loaded { kernel, path: Path::Wgpu, seconds, note: None })
    }

    fn load_in(
        &self,
        entry: &mut Entry,
        device: &wgpu::Device,
        fault: &Fault,
        kernel: &Kernel,
    ) -> Result<KernelId, Error> {
        let compiled = match &entry.compiled {
            Some(compiled) => compiled.clone(),
            None => {
                let id = KernelId(1 + self.last.fetch_add(1, Ordering::Relaxed));
                let compiled = Arc::new(Compiled::new(device, fault, kernel, id)?);
                entry.compiled = Some(compiled.clone());
                compiled
            }
        };
        entry.users += 1;
        // Under the entry's lock, so that an `unload` on another thread comes before or after, not in between.
        self.by_id.lock().insert(compiled.id, (kernel.hash(), compiled.clone()));
        Ok(compiled.id)
    }

    /// Forgets a program that is not loaded and that nobody is about to load.
    fn forget_empty(&self, hash: Hash) {
        let mut by_hash = self.by_hash.lock();
        // With the map locked nobody else comes by it.
        let unused =
            |place: &Arc<Mutex<Entry>>| Arc::strong_count(place) == 1 && place.lock().compiled.is_none();
        if by_hash.get(&hash).is_some_and(unused) {
            by_hash.remove(&hash);
        }
    }

    /// One user less; `true` when it was the last.
    pub(crate) fn unload(&self, id: KernelId) -> bool {
        let Some(hash) = self.by_id.lock().get(&id).map(|(hash, _)| *hash) else {
            return false;
        };
        let Some(place) = self.by_hash.lock().get(&hash).cloned() else {
            return false;
        };
        let mut entry = place.lock();
        if entry.compiled.as_ref().is_none_or(|compiled| compiled.id != id) {
            return false;
        }
        entry.users = entry.users.saturating_sub(1);
        let last = entry.users == 0;
        if last {
            entry.compiled = None;
            self.by_id.lock().remove(&id);
        }
        drop(entry);
        drop(place);
        self.forget_empty(hash);
        last
    }

    pub(crate) fn get(&self, id: KernelId) -> Option<Arc<Compiled>> {
        self.by_id.lock().get(&id).map(|(_, compiled)| compiled.clone())
    }
}

impl Compiled {
    fn new(device: &wgpu::Device, fault: &Fault, kernel: &Kernel, id: KernelId) -> Result<Self, Error> {
        let interface = kernel.interface();
        let made = fault.scoped(device, || {
            let layouts = layouts(device, kernel);
            let references: Vec<_> = layouts.iter().map(Option::as_ref).collect();
            let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &references,
                immediate_size: size_of::<Launch>() as u32,
            });
            (layouts, layout)
        });
        let (layouts, layout) = made.map_err(|e| typed(fault, kernel, e))?;
        let slots = interface
            .bindings
            .iter()
            .map(|b| Slot {
                group: b.group,
                binding: b.binding,
                writable: b.access.writable,
                space: b.space,
                min_size: b.min_size,
                name: b.name.clone(),
            })
            .collect();
        Ok(Self {
            id,
            entry: interface.entry.clone(),
            whole: pipeline(device, fault, kernel, &layout, false)?,
            exact: OnceLock::new(),
            kernel: kernel.clone(),
            layout,
            layouts,
            slots,
            runs: AtomicU32::new(0),
        })
    }

    /// The pipeline that a grid needs, and whether it is the exact one.
    pub(crate) fn pipeline(
        &self,
        device: &wgpu::Device,
        fault: &Fault,
        grid: Grid,
    ) -> Result<(&wgpu::ComputePipeline, bool), Error> {
        let interface = self.kernel.interface();
        let size = interface.workgroup_size;
        let ends_within = |over: [u32; 3]| {
            (0..3)
                .any(|axis| u64::from(over[axis]) < u64::from(grid.workgroups[axis]) * u64::from(size[axis]))
        };
        // Where barriers forbid that invocations leave, the runtime gives whole workgroups only.
        if interface.barriers || !grid.over.is_some_and(ends_within) {
            return Ok((&self.whole, false));
        }
        if self.exact.get().is_none() {
            // Two threads at once both compile; one result is kept.
            let made = pipeline(device, fault, &self.kernel, &self.layout, true)?;
            let _ = self.exact.set(made);
        }
        let exact = self.exact.get().ok_or_else(|| fault.internal("a pipeline vanished"))?;
        Ok((exact, true))
    }
}

/// Why something that belongs to a kernel was not made.
fn typed(fault: &Fault, kernel: &Kernel, error: Scoped) -> Error {
    match error {
        Scoped::Lost(lost) => lost,
        Scoped::Refused(error @ wgpu::Error::OutOfMemory { .. }) => fault.translate(&error, 0),
        Scoped::Refused(error) => refused(fault, kernel, words(&error)),
        Scoped::Panicked(said) => {
            refused(fault, kernel, format!("naga cannot translate it for this device ({said})"))
        }
    }
}

fn refused(fault: &Fault, kernel: &Kernel, reason: String) -> Error {
    Error::Compile { device: fault.device().to_owned(), kernel: kernel.interface().entry.clone(), reason }
}

fn pipeline(
    device: &wgpu::Device,
    fault: &Fault,
    kernel: &Kernel,
    layout: &wgpu::PipelineLayout,
    exact: bool,
) -> Result<wgpu::ComputePipeline, Error> {
    let entry = kernel.interface().entry.as_str();
    let (module, info) = kernel.naga();
    let module = caught(|| rewrite(module, info, exact))
        .unwrap_or_else(|said| Err(format!("its rewrite failed: {said}")))
        .map_err(|reason| refused(fault, kernel, reason))?;
    let made = fault.scoped(device, || {
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(entry),
            source: wgpu::ShaderSource::Naga(std::borrow::Cow::Owned(module)),
        };
        // SAFETY: the rewrite guards every index that may leave its range, so the bounds checks that are turned off
        // would never fire; integer division and loop bounds stay checked.
        let shader = unsafe { device.create_shader_module_trusted(descriptor, runtime_checks()) };
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout: Some(layout),
            module: &shader,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        })
    });
    made.map_err(|e| typed(fault, kernel, e))
}

/// naga's own checks that stay on: all but those of bounds.
///
/// PERF: naga's bounds checks on top of ours cost 1.2× on a tiled matrix product (141 against 117 ms for 256³ on Mesa
/// 22.3.6, LLVM 15, 256 bits). Loop bounding stays, at 1.0 to 1.1×: without it a compiler may take an endless loop as
/// impossible, and with it whatever guards lead there.
fn runtime_checks() -> wgpu::ShaderRuntimeChecks {
    wgpu::ShaderRuntimeChecks { bounds_checks: false, ..wgpu::ShaderRuntimeChecks::checked() }
}

/// Bind group layouts from the interface; groups may have gaps.
fn layouts(device: &wgpu::Device, kernel: &Kernel) -> Vec<Option<wgpu::BindGroupLayout>> {
    let bindings = &kernel.interface().bindings;
    let groups = bindings.iter().map(|b| b.group + 1).max().unwrap_or(0);
    (0..groups)
        .map(|group| {
            let entries: Vec<_> = bindings
                .iter()
                .filter(|b| b.group == group)
                .map(|b| wgpu::BindGroupLayoutEntry {
                    binding: b.binding,
                    visibility: wgpu::ShaderStages::COMPUTE,
                    ty: wgpu::BindingType::Buffer {
                        ty: match b.space {
                            Space::Uniform => wgpu::BufferBindingType::Uniform,
                            Space::Storage => {
                                wgpu::BufferBindingType::Storage { read_only: !b.access.writable }
                            }
                        },
                        has_dynamic_offset: false,
                        min_binding_size: NonZeroU64::new(b.min_size),
                    },
                    count: None,
                })
                .collect();
            (!entries.is_empty()).then(|| {
                device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                    label: None,
                    entries: &entries,
                })
            })
        })
        .collect()
}
