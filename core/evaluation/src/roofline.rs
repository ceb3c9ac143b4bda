//! What a static model says of a launch: the larger of compute and memory time, on a device that small launches cannot fill.
//!
//! Knows nothing measured: a planner may ask for all of it, and reality ([`crate::truth`]) is a hidden factor away.

use crate::machine::Device;
use crate::suite::Kernel;

/// Seconds that a whole launch executes on a device, launch latency excluded.
pub fn execution(device: &Device, kernel: &Kernel, size: u64) -> f64 {
    part(full_rate(device, kernel, size), device.fill, size, size)
}

/// Seconds of a launch on a device with every unit busy.
///
/// Data that fit into the last cache are taken to be in it.
pub(crate) fn full_rate(device: &Device, kernel: &Kernel, size: u64) -> f64 {
    let cached = kernel.footprint(size) <= device.cache;
    let bandwidth = if cached { device.cache_bandwidth } else { device.bandwidth };
    (kernel.operations.at(size) / device.operations).max(kernel.traffic.at(size) / bandwidth)
}

/// Seconds of `items` of a launch's `of` items, which would take `busy` seconds if every unit were busy.
///
/// Each invocation takes its time however few there are: fewer than `fill` cost what `fill` would. So a small slice on a
/// wide device costs more than its share, and the parts of a launch never less than the whole.
pub fn part(busy: f64, fill: u64, items: u64, of: u64) -> f64 {
    busy * items.max(fill) as f64 / of.max(1) as f64
}
