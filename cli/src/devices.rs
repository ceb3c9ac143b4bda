//! `warpweft devices`: what is here, what it can do, and at which rates.
//!
//! Knows how devices are shown, as tables and as JSON.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use warpweft::hal::Limits;
use warpweft::{Calibration, DeviceInfo, DeviceKind, Runtime};

use crate::args::DevicesArgs;
use crate::failure::Outcome;
use crate::record::{RatesRecord, bytes, rate, seconds};
use crate::say;

/// Columns of a table where there is no terminal to ask.
const WIDTH: u16 = 120;

/// A device in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct DeviceRecord {
    /// Its number, as in `--on device:N`.
    number: usize,
    /// What `--on` calls it: `cpu`, `gpu:0`, `software:0`.
    placement: String,
    name: String,
    kind: &'static str,
    backend: String,
    driver: String,
    /// Its memory is the host's: nothing is moved.
    host_memory: bool,
    /// Kernel times come from the device's own clock.
    timestamps: bool,
    threads: Option<usize>,
    subgroup_sizes: [u32; 2],
    features: Vec<String>,
    /// Rounds after which its driver leaves loops without an error.
    loop_limit: Option<u32>,
    /// Lanes of its vectors, where its driver lets those without an invocation go on in loops.
    idle_lanes: Option<u32>,
    limits: LimitsRecord,
    rates: RatesRecord,
}

/// Limits in JSON; bytes unless said otherwise.
#[derive(Debug, Serialize)]
struct LimitsRecord {
    memory: Option<u64>,
    allocation: u64,
    storage_binding: u64,
    uniform_binding: u64,
    storage_bindings: u32,
    uniform_bindings: u32,
    bind_groups: u32,
    workgroup_memory: u32,
    private_memory: u32,
    workgroup_invocations: u32,
    workgroup_size: [u32; 3],
}

#[derive(Serialize)]
struct DevicesRecord {
    devices: Vec<DeviceRecord>,
    /// The file of the calibration.
    calibration: Option<String>,
}

impl DeviceRecord {
    /// The devices of a runtime, with the rates of a calibration.
    pub(crate) fn all(runtime: &Runtime, calibration: &Calibration) -> Vec<Self> {
        let devices = runtime.devices();
        let names = placements(&devices);
        let records = devices.iter().zip(names).enumerate();
        records.map(|(number, (info, placement))| Self::new(number, placement, info, calibration)).collect()
    }

    fn new(number: usize, placement: String, info: &DeviceInfo, calibration: &Calibration) -> Self {
        let (rates, calibrated) = calibration.rates(info);
        Self {
            number,
            placement,
            name: info.name.clone(),
            kind: info.kind.name(),
            backend: info.backend.clone(),
            driver: info.driver.clone(),
            host_memory: info.host_memory,
            timestamps: info.timestamps,
            threads: info.threads,
            subgroup_sizes: info.subgroup_sizes,
            features: info.features.iter_names().map(|(name, _)| name.to_lowercase()).collect(),
            loop_limit: info.loop_limit,
            idle_lanes: info.idle_lanes,
            limits: limits(&info.limits),
            rates: RatesRecord { calibrated, rates },
        }
    }
}

fn limits(limits: &Limits) -> LimitsRecord {
    LimitsRecord {
        memory: limits.memory,
        allocation: limits.allocation,
        storage_binding: limits.storage_binding,
        uniform_binding: limits.uniform_binding,
        storage_bindings: limits.storage_bindings,
        uniform_bindings: limits.uniform_bindings,
        bind_groups: limits.groups,
        workgroup_memory: limits.workgroup_memory,
        private_memory: limits.private_memory,
        workgroup_invocations: limits.workgroup_invocations,
        workgroup_size: limits.workgroup_size,
    }
}

/// What `--on` calls each device.
pub(crate) fn placements(devices: &[DeviceInfo]) -> Vec<String> {
    let mut counts = [0usize; 2];
    let mut next = |kind: usize| {
        counts[kind] += 1;
        counts[kind] - 1
    };
    devices
        .iter()
        .map(|info| match info.kind {
            DeviceKind::Cpu => "cpu".to_string(),
            DeviceKind::Gpu => format!("gpu:{}", next(0)),
            DeviceKind::Software => format!("software:{}", next(1)),
        })
        .collect()
}

/// Lists the devices.
///
/// # Errors
/// When they cannot be found.
pub(crate) fn devices(args: &DevicesArgs) -> Outcome {
    let runtime = Runtime::new()?;
    let devices = DeviceRecord::all(&runtime, &Calibration::cached());
    let file = Calibration::file().map(|file| file.display().to_string());
    if args.json {
        return say::json(&DevicesRecord { devices, calibration: file });
    }
    let mut text = table(&devices).to_string();
    text += &format!("\n\n{}\n", rates_table(&devices));
    if !devices.iter().any(|device| device.rates.calibrated) {
        text += "The rates are coarse guesses: `warpweft calibrate` measures them.\n";
    }
    text += advice(&devices);
    say::out(&text)
}

/// What is missing, and how it comes.
fn advice(devices: &[DeviceRecord]) -> &'static str {
    let has = |kind: DeviceKind| devices.iter().any(|device| device.kind == kind.name());
    match (has(DeviceKind::Gpu), has(DeviceKind::Software)) {
        (true, _) => "",
        (false, true) => {
            "No GPU was found. A software device executes a GPU API on the CPU: good for tests, never chosen by `auto`."
        }
        (false, false) => {
            "No GPU was found: its driver may be missing. A software device, good for tests, comes with a software Vulkan \
             driver, which `scripts/test` installs (Debian: mesa-vulkan-drivers)."
        }
    }
}

/// An empty table in the tool's style.
pub(crate) fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    // Markdown: to be pasted where people talk.
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    table.set_header(header.iter().copied());
    table
}

fn table(devices: &[DeviceRecord]) -> Table {
    let mut table = plain(&["--on", "device", "backend, driver", "memory", "limits", "features"]);
    for device in devices {
        let threads = device.threads.map(|n| format!(" ({n} threads)")).unwrap_or_default();
        let limits = &device.limits;
        let [x, y, z] = limits.workgroup_size;
        let loops = device.loop_limit.map(|n| format!(", LEAVES LOOPS after {n} rounds")).unwrap_or_default();
        let idle = device
            .idle_lanes
            .map(|n| format!(", LOSES WHAT FOLLOWS LOOPS unless x of the workgroup is a multiple of {n}"))
            .unwrap_or_default();
        let unbounded = |n: u64| if n > 1 << 60 { "any".into() } else { bytes(n) };
        table.add_row([
            device.placement.clone(),
            format!("{}{threads}", device.name),
            format!("{}, {}", device.backend, device.driver),
            limits.memory.map_or("unknown".into(), bytes),
            format!(
                "binding {}, workgroup {} invocations ({x} × {y} × {z}) and {}, subgroups {}..{}{loops}{idle}",
                unbounded(limits.storage_binding),
                limits.workgroup_invocations,
                bytes(limits.workgroup_memory.into()),
                device.subgroup_sizes[0],
                device.subgroup_sizes[1]
            ),
            device.features.join(" "),
        ]);
    }
    table
}

/// The rates as a table.
pub(crate) fn rates_table(devices: &[DeviceRecord]) -> Table {
    let mut table = plain(&["--on", "rates", "operations", "memory", "launch", "upload", "download"]);
    for device in devices {
        let rates = &device.rates.rates;
        let link = |link: warpweft::LinkRates| match device.host_memory {
            true => "not needed".to_string(),
            false => format!("{}B/s after {}", rate(link.bandwidth), seconds(link.latency)),
        };
        table.add_row([
            device.placement.clone(),
            if device.rates.calibrated { "measured" } else { "coarse" }.to_string(),
            format!("{}op/s", rate(rates.operations)),
            format!("{}B/s", rate(rates.bandwidth)),
            seconds(rates.launch),
            link(rates.upload),
            link(rates.download),
        ]);
    }
    table
}
