//! What a device is and can do, as data.

use warpweft_module::{Features, Interface, Space};

/// The kinds of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// The processor that this program runs on.
    Cpu,
    /// Real graphics hardware.
    Gpu,
    /// A GPU API executed on the CPU: good for tests, never called a GPU.
    Software,
}

impl DeviceKind {
    /// The word that command line and reports use.
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::Cpu => "cpu",
            DeviceKind::Gpu => "gpu",
            DeviceKind::Software => "software",
        }
    }
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Sizes that a device accepts. Bytes unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Memory in all, where it is known.
    pub memory: Option<u64>,
    /// The largest single allocation.
    pub allocation: u64,
    /// The largest storage binding.
    pub storage_binding: u64,
    /// The largest uniform binding.
    pub uniform_binding: u64,
    /// Alignment of the offset of a storage binding.
    pub storage_alignment: u64,
    /// Alignment of the offset of a uniform binding.
    pub uniform_alignment: u64,
    /// Storage bindings of one kernel.
    pub storage_bindings: u32,
    /// Uniform bindings of one kernel.
    pub uniform_bindings: u32,
    /// Bind groups: `@group` is below this.
    pub groups: u32,
    /// Invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Invocations of a workgroup along x, y, z.
    pub workgroup_size: [u32; 3],
    /// Workgroup memory of a kernel.
    pub workgroup_memory: u32,
    /// Variables of one invocation, those of all functions together.
    pub private_memory: u32,
}

/// What a device is.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceInfo {
    /// The name that the system gives it.
    pub name: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// The way it is reached: `rayon`, `Vulkan`, `Metal`, `Dx12`, ….
    pub backend: String,
    /// Driver and version, or the instruction set.
    pub driver: String,
    /// Its memory *is* host memory: bindings name [`HostBlock`](crate::HostBlock)s and nothing is moved.
    pub host_memory: bool,
    /// `submit` executes on the calling thread and returns when the work is done.
    pub synchronous: bool,
    /// Abilities beyond core WebGPU.
    pub features: Features,
    /// Sizes.
    pub limits: Limits,
    /// Smallest and largest subgroup size.
    pub subgroup_sizes: [u32; 2],
    /// Kernel times come from the device's own clock.
    pub timestamps: bool,
    /// Threads that execute invocations, where it is a matter of threads.
    pub threads: Option<usize>,
    /// Rounds after which the driver leaves the loops of an invocation, all loops together, without an error: results
    /// are wrong from there on. `None` where loops run to their end.
    pub loop_limit: Option<u32>,
    /// Invocations along x that the driver runs as the lanes of one vector, where it lets lanes without an invocation go
    /// on in loops: they read zeros, and the others wait for them, lose what follows, or run into [`Self::loop_limit`].
    /// `None` where such lanes stay idle.
    pub idle_lanes: Option<u32>,
}

impl DeviceInfo {
    /// Whether lanes without an invocation go on in the loops of this kernel, whose results may then be wrong.
    pub fn runs_idle_lanes(&self, interface: &Interface) -> bool {
        interface.loops
            && self.idle_lanes.is_some_and(|lanes| !interface.workgroup_size[0].is_multiple_of(lanes))
    }
}

/// One reason why a kernel cannot run on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle(pub String);

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything in the kernel's interface that the device does not offer; empty when it can run there.
pub fn obstacles(info: &DeviceInfo, interface: &Interface) -> Vec<Obstacle> {
    let mut found = Vec::new();
    for (name, _) in interface.features.difference(info.features).iter_names() {
        found.push(Obstacle(format!("the kernel needs {name}, which the device lacks")));
    }
    let mut limit = |what: &str, value: u64, limit: u64| {
        if value > limit {
            found.push(Obstacle(format!("{what} is {value}, the device allows {limit}")));
        }
    };
    let limits = &info.limits;
    limit(
        "the workgroup's number of invocations",
        interface.workgroup_invocations(),
        limits.workgroup_invocations.into(),
    );
    for (axis, (size, max)) in
        ["x", "y", "z"].into_iter().zip(interface.workgroup_size.iter().zip(limits.workgroup_size))
    {
        limit(&format!("the workgroup size along {axis}"), (*size).into(), max.into());
    }
    limit("the workgroup memory in bytes", interface.workgroup_memory.into(), limits.workgroup_memory.into());
    limit(
        "the size of the variables of one invocation in bytes",
        interface.private_memory.into(),
        limits.private_memory.into(),
    );
    let count = |space| interface.bindings.iter().filter(|b| b.space == space).count() as u64;
    limit("the number of storage bindings", count(Space::Storage), limits.storage_bindings.into());
    limit("the number of uniform bindings", count(Space::Uniform), limits.uniform_bindings.into());
    let groups = interface.bindings.iter().map(|b| u64::from(b.group) + 1).max().unwrap_or(0);
    limit("the number of bind groups (the highest @group plus one)", groups, limits.groups.into());
    found
}

/// What a user should know before trusting the device with this kernel, though it can run it.
pub fn cautions(info: &DeviceInfo, interface: &Interface) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(rounds), true) = (info.loop_limit, interface.loops) {
        found.push(format!(
            "{} leaves loops after {rounds} rounds per invocation without an error: results of longer loops are wrong",
            info.name
        ));
    }
    if let (Some(lanes), true) = (info.idle_lanes, info.runs_idle_lanes(interface)) {
        found.push(format!(
            "{} lets idle lanes go on in loops unless the workgroup size along x, here {}, is a multiple of {lanes}: what \
             follows a loop or a barrier may be lost without an error",
            info.name, interface.workgroup_size[0]
        ));
    }
    found
}
