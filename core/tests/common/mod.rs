//! What several tests of the runtime need: fake machines, a few kernels, a seeded generator.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;

use warpweft::hal::Device;
use warpweft::{DeviceKind, Kernel, Runtime};
use warpweft_fake::{Fake, Link, Spec};

pub(crate) const SAXPY: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> a: f32;
@compute @workgroup_size(64) fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = a * x[id.x] + y[id.x];
}";

/// `y = 3 y + x` over unsigned integers: order matters, and it is exact everywhere.
pub(crate) const MIX: &str = "
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(32) fn mix_in(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = y[id.x] * 3u + x[id.x];
}";

/// A machine with a host-memory device and so many devices behind links.
pub(crate) struct Machine {
    pub(crate) rt: Runtime,
    pub(crate) host: Arc<Fake>,
    pub(crate) far: Vec<Arc<Fake>>,
}

pub(crate) fn machine(far: usize, adjust: impl Fn(&mut Spec)) -> Machine {
    let cpu = Spec {
        name: "host".into(),
        kind: DeviceKind::Cpu,
        link: Link::Shared,
        features: warpweft_module::Features::F16,
        ..Spec::default()
    };
    let host = Arc::new(Fake::new(cpu));
    let far: Vec<Arc<Fake>> = (0..far)
        .map(|i| {
            let mut spec = Spec { name: format!("far {i}"), ..Spec::default() };
            adjust(&mut spec);
            Arc::new(Fake::new(spec))
        })
        .collect();
    let mut builder = Runtime::builder().cpu(false).gpu(false).device(host.clone());
    for device in &far {
        builder = builder.device(device.clone() as Arc<dyn Device>);
    }
    Machine { rt: builder.build().unwrap(), host, far }
}

pub(crate) fn mix(rt: &Runtime) -> Kernel {
    rt.kernel(MIX).unwrap()
}

/// A small deterministic generator (splitmix64, Steele et al. 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let (a, b) = (self.below(len), self.below(len));
        a.min(b)..a.max(b) + 1
    }
}
