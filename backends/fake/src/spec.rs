//! What a fake device pretends to be.
//!
//! Plain data; knows nothing of how it is acted out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use warpweft_hal::{DeviceInfo, DeviceKind, Dispatch, Limits};
use warpweft_module::{Features, Interface};

use crate::Clock;

/// How the device's memory is reached from the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// Memory of its own at the end of a link: seconds per transfer, bytes per second.
    Separate {
        /// Seconds before the first byte.
        latency: f64,
        /// Bytes per second to the device.
        up: f64,
        /// Bytes per second from the device.
        down: f64,
    },
    /// Its memory is host memory, as a CPU's is: every region is a host region and nothing is moved.
    Shared,
}

/// What a dispatch costs.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Work {
    /// Arithmetic operations.
    pub operations: f64,
    /// Bytes read from and written to the device's memory.
    pub bytes: f64,
}

/// What dispatches cost, where the static cost of the interface is not what a test wants.
pub type CostModel = Arc<dyn Fn(&Dispatch, &Interface) -> Work + Send + Sync>;

/// A device, as data.
#[derive(Clone)]
pub struct Spec {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// Abilities beyond core WebGPU.
    pub features: Features,
    /// Sizes; `memory` is enforced over all allocations, `allocation` on each.
    pub limits: Limits,
    /// Operations per second.
    pub compute: f64,
    /// Bytes per second of its memory.
    pub bandwidth: f64,
    /// Seconds before each dispatch begins.
    pub launch: f64,
    /// Seconds to load a kernel that was not loaded yet.
    pub compile: f64,
    /// How its memory is reached.
    pub link: Link,
    /// Kernels really run, natively where they can, else interpreted; otherwise they leave memory alone.
    pub execute: bool,
    /// What a dispatch costs; `None`: the interface's static cost for every invocation.
    pub cost: Option<CostModel>,
    /// Submissions stay pending until they are waited for or polled.
    pub asynchronous: bool,
    /// How often `poll` says that a pending submission is not done before it says that it is.
    pub polls: u32,
    /// Virtual time that a submission without a limit of its own may take.
    pub time_limit: Duration,
    /// Standard deviation of the logarithm of all times.
    pub noise: f64,
    /// Seed of the noise and of the garbage in fresh memory.
    pub seed: u64,
    /// The clock, perhaps shared with other devices.
    pub clock: Clock,
}

impl Default for Spec {
    /// A modest discrete GPU with core WebGPU's limits and 1 GiB of memory, synchronous and without noise.
    fn default() -> Self {
        Self {
            name: "fake".into(),
            kind: DeviceKind::Gpu,
            features: Features::empty(),
            limits: Limits {
                memory: Some(1 << 30),
                allocation: 1 << 28,
                storage_binding: 1 << 27,
                uniform_binding: 1 << 16,
                storage_alignment: 256,
                uniform_alignment: 256,
                storage_bindings: 8,
                uniform_bindings: 12,
                groups: 4,
                workgroup_invocations: 256,
                workgroup_size: [256, 256, 64],
                workgroup_memory: 16 << 10,
                private_memory: 8 << 10,
            },
            compute: 1e12,
            bandwidth: 1e11,
            launch: 1e-5,
            compile: 1e-2,
            link: Link::Separate { latency: 1e-5, up: 1e10, down: 1e10 },
            execute: true,
            cost: None,
            asynchronous: false,
            polls: 0,
            time_limit: Duration::from_secs(60),
            noise: 0.0,
            seed: 0,
            clock: Clock::default(),
        }
    }
}

/// Invocations of a subgroup.
pub(crate) const SUBGROUP_SIZE: u32 = 32;

impl Spec {
    /// Its memory is host memory.
    pub(crate) fn host_memory(&self) -> bool {
        self.link == Link::Shared
    }

    /// What the device says of itself.
    pub(crate) fn info(&self) -> DeviceInfo {
        DeviceInfo {
            name: self.name.clone(),
            kind: self.kind,
            backend: "fake".into(),
            driver: "virtual clock".into(),
            host_memory: self.host_memory(),
            synchronous: !self.asynchronous,
            features: self.features,
            limits: self.limits.clone(),
            subgroup_sizes: [SUBGROUP_SIZE; 2],
            timestamps: true,
            threads: None,
            loop_limit: None,
            idle_lanes: None,
        }
    }

    /// What a dispatch costs.
    pub(crate) fn work(&self, dispatch: &Dispatch, interface: &Interface) -> Work {
        if let Some(cost) = &self.cost {
            return cost(dispatch, interface);
        }
        let workgroups = dispatch.range.end - dispatch.range.start;
        let invocations = interface.workgroup_invocations() as f64 * workgroups as f64;
        let cost = interface.cost;
        Work {
            operations: invocations * cost.operations,
            bytes: invocations * (cost.bytes_read + cost.bytes_written),
        }
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Spec({}, {}, {} op/s, {} B/s, {:?})",
            self.name, self.kind, self.compute, self.bandwidth, self.link
        )
    }
}
