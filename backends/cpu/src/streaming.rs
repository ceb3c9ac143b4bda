//! Whether what a launch writes should go past the caches.
//!
//! An ordinary store reads the line that it is about to overwrite, and pushes something else out of the caches. Where a
//! launch writes more than they hold, both is for nothing: the next reader finds memory anyway. Knows sizes, not code.

use warpweft_hal::{Argument, Dispatch};
use warpweft_module::{Binding, Interface};

/// Stores per word that is bound, at most: what is written again and again is better kept in a cache.
const ONCE: f64 = 1.5;

/// Bytes of the last level of caches where the system does not tell: a desktop's.
const USUAL: u64 = 32 << 20;

/// Bytes that the last level of caches holds, in all of its parts.
pub(crate) fn last_level_cache() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        let cpuid = raw_cpuid::CpuId::new();
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let largest = cpuid.get_cache_parameters().and_then(|caches| {
            let unified = caches.filter(|cache| cache.cache_type() != raw_cpuid::CacheType::Instruction);
            unified.max_by_key(raw_cpuid::CacheParameter::level)
        });
        if let Some(cache) = largest {
            let sets = cache.sets() as u64 * cache.associativity() as u64;
            let bytes = sets * cache.coherency_line_size() as u64 * cache.physical_line_partitions() as u64;
            let sharing = (cache.max_cores_for_cache() as u64).max(1);
            return bytes * threads.div_ceil(sharing);
        }
    }
    USUAL
}

/// Whether a launch writes so much that is not read in it, and every word about once, that a cache of `cache` bytes is no
/// place for it.
pub(crate) fn pays(interface: &Interface, dispatch: &Dispatch, cache: u64) -> bool {
    // Every launch comes by here, and few go on.
    let workgroups = dispatch.range.end - dispatch.range.start;
    let stores = interface.cost.bytes_written * interface.workgroup_invocations() as f64 * workgroups as f64;
    if stores < cache as f64 {
        return false;
    }
    let bytes = |which: fn(&Binding) -> bool| -> u64 {
        let arguments = dispatch.arguments.iter().zip(&interface.bindings);
        let wanted = arguments.filter(|(_, binding)| binding.access.writes && which(binding));
        wanted
            .map(|(argument, _)| match argument {
                Argument::Region(region) => region.size,
                Argument::Value(_) => 0,
            })
            .sum()
    };
    bytes(|binding| !binding.access.reads) >= cache && stores <= bytes(|_| true) as f64 * ONCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use warpweft_hal::{Grid, HostBlock, KernelId, Region};
    use warpweft_module::{Module, Source};

    fn pays_for(body: &str, words: u64, workgroups: u64, cache: u64) -> bool {
        let wgsl = format!(
            "@group(0) @binding(0) var<storage, read> x: array<u32>;
             @group(0) @binding(1) var<storage, read_write> y: array<u32>;
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {{ {body} }}"
        );
        let kernel = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap().kernel(None, &[]).unwrap();
        let block = || Arc::new(HostBlock::zeroed(4 * words).unwrap());
        let arguments =
            [block(), block()].map(|block| Argument::Region(Region::host(&block, 0..block.len())));
        let grid = Grid { workgroups: [workgroups as u32, 1, 1], over: None };
        let dispatch =
            Dispatch { kernel: KernelId(0), grid, range: 0..workgroups, arguments: arguments.into() };
        pays(kernel.interface(), &dispatch, cache)
    }

    #[test]
    fn what_is_written_once_and_does_not_fit_goes_past_the_caches() {
        let copy = "y[id.x] = x[id.x];";
        assert!(pays_for(copy, 4096, 64, 16384));
        assert!(pays_for(
            "if id.x > 0 && id.x + 1 < arrayLength(&y) { y[id.x] = x[id.x - 1] + x[id.x + 1]; }",
            4096,
            64,
            16384
        ));
        assert!(!pays_for(copy, 4096, 64, 16385), "it fits");
        assert!(!pays_for(copy, 4096, 16, 16384), "a part of it fits");
        assert!(!pays_for(copy, 4096, 128, 16384), "it is written twice");
        assert!(!pays_for("y[id.x] = y[id.x] + x[id.x];", 4096, 64, 16384), "it is read");
        assert!(!pays_for("y[id.x % 8] = x[id.x];", 8, 64, 32), "it is written again and again");
    }

    #[test]
    fn there_is_a_cache() {
        let cache = last_level_cache();
        assert!((1 << 18..1 << 40).contains(&cache), "{cache} bytes");
    }
}
