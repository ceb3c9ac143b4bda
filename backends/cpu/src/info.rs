//! What this processor is.
//!
//! Knows nothing of the work that it will be given.

use warpweft_hal::{DeviceInfo, DeviceKind, Limits};
use warpweft_interpreter::MOST_BINDING_BYTES;
use warpweft_module::Features;

/// Workgroup memory of a kernel: what the largest GPUs offer, and a second-level cache holds.
const WORKGROUP_MEMORY: u32 = 256 << 10;

/// Invocations of a workgroup: the largest number that any GPU API promises.
const WORKGROUP_INVOCATIONS: u32 = 1024;

/// The processor that this program runs on, with `threads` threads at work.
pub(crate) fn processor(threads: usize, subgroup_sizes: [u32; 2]) -> DeviceInfo {
    use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};
    let wanted = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(wanted);
    let brand = system.cpus().first().map(|cpu| cpu.brand().trim()).filter(|brand| !brand.is_empty());
    // A container's share, where there is one.
    let memory = system.cgroup_limits().map_or(system.total_memory(), |limits| limits.total_memory);
    DeviceInfo {
        name: brand.unwrap_or(std::env::consts::ARCH).to_owned(),
        kind: DeviceKind::Cpu,
        backend: "rayon".into(),
        driver: instruction_set().into(),
        host_memory: true,
        synchronous: true,
        features: Features::all(),
        limits: Limits {
            memory: (memory > 0).then_some(memory),
            allocation: isize::MAX as u64,
            // What every path can address; native implementations could take more.
            storage_binding: MOST_BINDING_BYTES,
            uniform_binding: MOST_BINDING_BYTES,
            storage_alignment: 4,
            uniform_alignment: 4,
            storage_bindings: u32::MAX,
            uniform_bindings: u32::MAX,
            groups: u32::MAX,
            workgroup_invocations: WORKGROUP_INVOCATIONS,
            workgroup_size: [WORKGROUP_INVOCATIONS; 3],
            workgroup_memory: WORKGROUP_MEMORY,
            // What the interpreter holds for a whole workgroup is checked when a kernel is loaded.
            private_memory: u32::MAX,
        },
        subgroup_sizes,
        timestamps: false,
        threads: Some(threads),
        loop_limit: None,
        idle_lanes: None,
    }
}

/// The widest SIMD instruction set that the processor has.
fn instruction_set() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            "avx512f"
        } else if std::arch::is_x86_feature_detected!("avx2") {
            "avx2"
        } else if std::arch::is_x86_feature_detected!("avx") {
            "avx"
        } else {
            "sse2"
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        if std::arch::is_aarch64_feature_detected!("sve") { "sve" } else { "neon" }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        std::env::consts::ARCH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_a_name_and_memory() {
        let info = processor(3, [32, 32]);
        assert!(!info.name.is_empty());
        assert!(!info.driver.is_empty());
        assert!(info.limits.memory.is_some_and(|bytes| bytes > 1 << 20), "{:?}", info.limits.memory);
        assert_eq!((info.threads, info.subgroup_sizes), (Some(3), [32, 32]));
    }
}
