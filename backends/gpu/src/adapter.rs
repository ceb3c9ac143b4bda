//! Finding devices: every adapter once, with what it can do, and why it cannot be used where that is so.
//!
//! Knows wgpu's instance, adapters, features and limits; nothing of work.

use std::sync::LazyLock;

use warpweft_hal::{DeviceInfo, DeviceKind, Error, Limits};
use warpweft_module::Features;

use crate::rewrite::Launch;
use crate::{Gpu, Settings};

/// One for the process: drivers are loaded once. `WGPU_BACKEND` chooses among the backends.
static INSTANCE: LazyLock<wgpu::Instance> = LazyLock::new(|| {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // Never the API's own validation layers: they are for those who write backends, and slow.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let mut descriptor = descriptor.with_env();
    // Fail an allocation rather than let the system swap graphics memory.
    descriptor.memory_budget_thresholds.for_resource_creation = Some(95);
    wgpu::Instance::new(descriptor)
});

/// A device that was found.
pub struct Found {
    info: DeviceInfo,
    adapter: wgpu::Adapter,
    obstacle: Option<String>,
}

impl Found {
    /// What it is.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Why it cannot be used; `None` when it can.
    pub fn obstacle(&self) -> Option<&str> {
        self.obstacle.as_deref()
    }

    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be used, or the driver refuses.
    pub fn open(&self, settings: Settings) -> Result<Gpu, Error> {
        let internal = |reason: String| Error::Internal { device: self.info.name.clone(), reason };
        if let Some(obstacle) = &self.obstacle {
            return Err(internal(obstacle.clone()));
        }
        let (device, queue) = pollster::block_on(self.adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("warpweft"),
            required_features: self.adapter.features() & wanted(),
            required_limits: self.adapter.limits(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        }))
        .map_err(|e| internal(format!("the driver does not open the device: {e}")))?;
        Gpu::new(device, queue, &self.adapter.get_info(), settings)
    }
}

/// Every adapter of this machine, each once: where two backends offer the same one, the better backend's.
///
/// An empty list means that no graphics driver was found. Adapters that cannot be used are listed with the reason.
pub fn devices() -> Vec<Found> {
    // Enumeration runs driver code; whatever panics in there, there are then no devices.
    let adapters =
        std::panic::catch_unwind(|| pollster::block_on(INSTANCE.enumerate_adapters(wgpu::Backends::all())))
            .unwrap_or_default();
    let infos: Vec<_> = adapters.iter().map(|adapter| adapter.get_info()).collect();
    let mut found: Vec<_> = adapters
        .into_iter()
        .zip(&infos)
        .filter(|(_, info)| !infos.iter().any(|other| same(info, other) && rank(other) < rank(info)))
        .map(|(adapter, info)| {
            let (features, limits) = (adapter.features(), adapter.limits());
            Found { info: describe(info, features, &limits), obstacle: obstacle(features, &limits), adapter }
        })
        .collect();
    found.sort_by_key(|f| (f.obstacle.is_some(), f.info.kind == DeviceKind::Software));
    found
}

/// Two backends offer one adapter: names differ between drivers, ids do not.
fn same(a: &wgpu::AdapterInfo, b: &wgpu::AdapterInfo) -> bool {
    a.backend != b.backend && (a.vendor, a.device) == (b.vendor, b.device)
}

fn rank(info: &wgpu::AdapterInfo) -> u32 {
    match info.backend {
        wgpu::Backend::Vulkan | wgpu::Backend::Metal => 0,
        wgpu::Backend::Dx12 => 1,
        _ => 2,
    }
}

/// What is used where it is there.
fn wanted() -> wgpu::Features {
    let always = wgpu::Features::IMMEDIATES | wgpu::Features::TIMESTAMP_QUERY;
    ABILITIES.iter().fold(always, |all, (_, ability)| all | *ability)
}

/// What kernels may need, in both languages.
const ABILITIES: [(Features, wgpu::Features); 9] = [
    (Features::F16, wgpu::Features::SHADER_F16),
    (Features::F64, wgpu::Features::SHADER_F64),
    (Features::I64, wgpu::Features::SHADER_INT64),
    (Features::I16, wgpu::Features::SHADER_I16),
    (Features::SUBGROUPS, wgpu::Features::SUBGROUP),
    (Features::SUBGROUP_BARRIER, wgpu::Features::SUBGROUP_BARRIER),
    (Features::ATOMIC_I64, wgpu::Features::SHADER_INT64_ATOMIC_ALL_OPS),
    (Features::ATOMIC_I64_MIN_MAX, wgpu::Features::SHADER_INT64_ATOMIC_MIN_MAX),
    (Features::ATOMIC_F32, wgpu::Features::SHADER_FLOAT32_ATOMIC),
];

/// Why a device with these features and limits cannot be used.
pub(crate) fn obstacle(features: wgpu::Features, limits: &wgpu::Limits) -> Option<String> {
    let needed = size_of::<Launch>() as u32;
    if !features.contains(wgpu::Features::IMMEDIATES) {
        return Some("it lacks immediates (push constants), which every launch needs".into());
    }
    if limits.max_immediate_size < needed {
        return Some(format!(
            "it offers {} bytes of immediates, every launch needs {needed}",
            limits.max_immediate_size
        ));
    }
    if limits.max_storage_buffers_per_shader_stage == 0 {
        return Some("it offers no storage buffers to compute shaders".into());
    }
    None
}

/// Bytes of variables per invocation that a software device takes. Mesa's llvmpipe unrolls them into registers: an array
/// of 256 words compiles in 0.6 s, of 512 in 3 s, of 1024 in 11 s, of 2048 in minutes, and nothing can stop it.
const SOFTWARE_PRIVATE_MEMORY: u32 = 4096;

/// An adapter in the contract's terms.
pub(crate) fn describe(
    info: &wgpu::AdapterInfo,
    features: wgpu::Features,
    limits: &wgpu::Limits,
) -> DeviceInfo {
    let driver = format!("{} {}", info.driver, info.driver_info);
    let kind = match info.device_type {
        wgpu::DeviceType::Cpu => DeviceKind::Software,
        _ => DeviceKind::Gpu,
    };
    DeviceInfo {
        name: info.name.clone(),
        kind,
        backend: format!("{:?}", info.backend),
        driver: driver.trim().to_owned(),
        host_memory: false,
        synchronous: false,
        features: ABILITIES.iter().filter(|(_, f)| features.contains(*f)).map(|(ours, _)| *ours).collect(),
        limits: Limits {
            memory: None,
            allocation: limits.max_buffer_size & !3,
            storage_binding: limits.max_storage_buffer_binding_size & !3,
            uniform_binding: limits.max_uniform_buffer_binding_size,
            storage_alignment: limits.min_storage_buffer_offset_alignment.into(),
            uniform_alignment: limits.min_uniform_buffer_offset_alignment.into(),
            storage_bindings: limits.max_storage_buffers_per_shader_stage,
            uniform_bindings: limits.max_uniform_buffers_per_shader_stage,
            groups: limits.max_bind_groups,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            workgroup_size: [
                limits.max_compute_workgroup_size_x,
                limits.max_compute_workgroup_size_y,
                limits.max_compute_workgroup_size_z,
            ],
            workgroup_memory: limits.max_compute_workgroup_storage_size,
            private_memory: match kind {
                DeviceKind::Software => SOFTWARE_PRIVATE_MEMORY,
                _ => u32::MAX,
            },
        },
        subgroup_sizes: [info.subgroup_min_size, info.subgroup_max_size],
        timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
        threads: None,
        loop_limit: None,
        idle_lanes: None,
    }
}
