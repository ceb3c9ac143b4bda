//! Fake machines: what their devices can do, five that a reader can check, and random ones.
//!
//! Does not know kernels; what a static model makes of these figures is [`crate::roofline`].

use crate::random::Draws;

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The processor: its memory is the host's.
    Cpu,
    /// A GPU that shares the host's memory.
    IntegratedGpu,
    /// A GPU with memory of its own.
    Gpu,
}

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Direction {
    /// Seconds per transfer, whatever its size.
    pub latency: f64,
    /// Bytes per second.
    pub bandwidth: f64,
}

impl Direction {
    /// Seconds that one transfer of so many bytes takes; nothing where there is nothing to move.
    pub fn seconds(self, bytes: f64) -> f64 {
        if bytes > 0.0 { self.latency + bytes / self.bandwidth } else { 0.0 }
    }
}

/// The link between the host's memory and a device's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Host to device.
    pub up: Direction,
    /// Device to host.
    pub down: Direction,
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// What it is modelled on.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Peak operations per second.
    pub operations: f64,
    /// Sustained bytes per second to and from its memory.
    pub bandwidth: f64,
    /// Bytes of its last cache.
    pub cache: f64,
    /// Bytes per second to and from that cache.
    pub cache_bandwidth: f64,
    /// Invocations that it takes to keep every unit of it busy.
    pub fill: u64,
    /// Seconds per launch, however small.
    pub launch: f64,
    /// Seconds that the first launch of a kernel takes longer.
    pub compile: f64,
    /// The way to its memory; `None` where that is the host's.
    pub link: Option<Link>,
}

/// A machine: device 0 is its CPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// What it stands for.
    pub name: String,
    /// Its devices, the CPU first.
    pub devices: Vec<Device>,
}

impl Machine {
    /// Where a device's data are: 0 is the host's memory, other locations are numbered as their devices.
    ///
    /// # Panics
    /// When there is no such device.
    pub fn location(&self, device: usize) -> usize {
        if self.devices[device].link.is_some() { device } else { 0 }
    }

    /// A laptop: AMD Ryzen 7 7840U (8 cores, AVX-512, two channels of LPDDR5X-6400) with its Radeon 780M
    /// (768 lanes at 2.7 GHz), which shares the memory and its bandwidth.
    pub fn laptop() -> Self {
        Self {
            name: "laptop, integrated GPU".into(),
            devices: vec![
                cpu("Ryzen 7 7840U", 0.97e12, 70e9, 16e6),
                Device {
                    name: "Radeon 780M".into(),
                    kind: Kind::IntegratedGpu,
                    operations: 4.1e12,
                    bandwidth: 75e9,
                    cache: 2e6,
                    cache_bandwidth: 400e9,
                    fill: 12 * 2048,
                    launch: 25e-6,
                    compile: 15e-3,
                    link: None,
                },
            ],
        }
    }

    /// A workstation: AMD Ryzen 9 7950X (16 cores, two channels of DDR5-5200) and a GeForce RTX 3060 (12.7 Tflop/s,
    /// 360 GB/s) on sixteen lanes of PCIe 4.
    pub fn workstation() -> Self {
        Self {
            name: "workstation, mid-range GPU".into(),
            devices: vec![
                cpu("Ryzen 9 7950X", 2.3e12, 65e9, 64e6),
                gpu("GeForce RTX 3060", [12.7e12, 310e9, 3e6, 1.2e12], 28 * 1536, 30e-6, 20e-3, 20e9),
            ],
        }
    }

    /// A server: AMD EPYC 9354 (32 cores, twelve channels of DDR5-4800) and an H100 PCIe (51 Tflop/s, 2 TB/s) on sixteen
    /// lanes of PCIe 5.
    pub fn server() -> Self {
        Self {
            name: "server, data-centre GPU".into(),
            devices: vec![
                cpu("EPYC 9354", 3.3e12, 350e9, 256e6),
                gpu("H100 PCIe", [51e12, 1.7e12, 50e6, 5.5e12], 114 * 2048, 15e-6, 25e-3, 45e9),
            ],
        }
    }

    /// Many cores beside a weak GPU: AMD EPYC 9654 (96 cores, twelve channels of DDR5-4800) and a GeForce GT 1030
    /// (1.1 Tflop/s, 48 GB/s) on four lanes of PCIe 3.
    pub fn many_cores() -> Self {
        Self {
            name: "many cores, weak GPU".into(),
            devices: vec![
                cpu("EPYC 9654", 9.2e12, 370e9, 384e6),
                gpu("GeForce GT 1030", [1.1e12, 41e9, 0.5e6, 130e9], 3 * 2048, 40e-6, 30e-3, 2.8e9),
            ],
        }
    }

    /// Two different GPUs: Intel Core i7-12700 (two channels of DDR5-4800), a GeForce RTX 4090 (82.6 Tflop/s, 1 TB/s, sixteen
    /// lanes of PCIe 4) and an Arc A380 (4.2 Tflop/s, 186 GB/s, eight lanes of PCIe 4).
    pub fn two_gpus() -> Self {
        Self {
            name: "two different GPUs".into(),
            devices: vec![
                cpu("Core i7-12700", 0.9e12, 60e9, 25e6),
                gpu("GeForce RTX 4090", [82.6e12, 0.9e12, 72e6, 4.5e12], 128 * 1536, 20e-6, 20e-3, 22e9),
                gpu("Arc A380", [4.2e12, 160e9, 4e6, 1e12], 8 * 2048, 50e-6, 40e-3, 11e9),
            ],
        }
    }

    /// The five named machines.
    ///
    /// Peaks are the vendors' (single precision, fused operations counted twice), memory bandwidths four fifths to nine
    /// tenths of theirs, as copies reach; link bandwidths are those of pinned memory; latencies and compile times are of
    /// the size that Vulkan drivers show.
    ///
    /// ```
    /// let names: Vec<String> = warpweft_evaluation::Machine::named().into_iter().map(|m| m.name).collect();
    /// assert_eq!(names[2], "server, data-centre GPU");
    /// ```
    pub fn named() -> Vec<Self> {
        vec![Self::laptop(), Self::workstation(), Self::server(), Self::many_cores(), Self::two_gpus()]
    }

    /// A random machine: a CPU and one to three GPUs, every figure log-uniform over what is sold.
    pub fn random(seed: u64) -> Self {
        let draws = Draws::new(seed);
        let main = draws.of(0);
        let memory = main.of(1).log_uniform(2e10, 5e11);
        let cache = main.of(2).log_uniform(4e6, 4e8);
        let mut devices = vec![cpu("CPU", main.of(0).log_uniform(1e11, 1e13), memory, cache)];
        for number in 1..=1 + draws.of(1).below(3) {
            let own = draws.of(2).of(number as u64);
            let draw = |purpose: u64, low, high| own.of(purpose).log_uniform(low, high);
            let bandwidth = draw(1, 3e10, 3e12);
            let rates = [draw(0, 5e11, 9e13), bandwidth, draw(2, 5e5, 1e8), bandwidth * draw(3, 2.0, 6.0)];
            let fill = draw(4, 4e3, 3e5) as u64;
            let mut device =
                gpu("GPU", rates, fill, draw(5, 5e-6, 1e-4), draw(6, 2e-3, 1e-1), draw(7, 2e9, 5e10));
            device.name = format!("GPU {number}");
            if own.of(8).below(4) == 0 {
                device.kind = Kind::IntegratedGpu;
                device.link = None;
                device.bandwidth = memory;
                device.cache_bandwidth = device.cache_bandwidth.max(memory);
            }
            devices.push(device);
        }
        Self { name: format!("random {seed}"), devices }
    }
}

/// A CPU: its caches are about five times as fast as its memory; its compiler is Warpweft's own.
fn cpu(name: &str, operations: f64, bandwidth: f64, cache: f64) -> Device {
    Device {
        name: name.into(),
        kind: Kind::Cpu,
        operations,
        bandwidth,
        cache,
        cache_bandwidth: 5.0 * bandwidth,
        fill: 256,
        launch: 5e-6,
        compile: 5e-4,
        link: None,
    }
}

/// A GPU on a link that is as fast both ways, by its rates: operations, memory, cache size, cache.
fn gpu(name: &str, rates: [f64; 4], fill: u64, launch: f64, compile: f64, link: f64) -> Device {
    let [operations, bandwidth, cache, cache_bandwidth] = rates;
    Device {
        name: name.into(),
        kind: Kind::Gpu,
        operations,
        bandwidth,
        cache,
        cache_bandwidth,
        fill,
        launch,
        compile,
        link: Some(Link {
            up: Direction { latency: 10e-6, bandwidth: link },
            // Reading back waits for the device first.
            down: Direction { latency: 20e-6, bandwidth: 0.9 * link },
        }),
    }
}
