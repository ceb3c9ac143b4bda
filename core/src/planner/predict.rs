//! Predicts when each device would be done, and chooses.

use smallvec::SmallVec;
use warpweft_hal::{DeviceInfo, DeviceKind, Path};

use super::calibration::{Calibration, Rates};
use super::history::History;
use super::plan::{Candidate, Exclusion, Plan, Prediction, Source, Verdict};
use crate::kernel::KernelInner;
use crate::launch::Work;
use crate::{Error, Placement, Result};

/// What a launch asks of one device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Demand {
    /// Bytes to be uploaded, and in how many pieces.
    pub(crate) upload: (u64, u64),
    /// Bytes to be downloaded (from other devices), and in how many pieces.
    pub(crate) download: (u64, u64),
}

/// Predicts and chooses.
pub(crate) struct Planner {
    rates: Vec<(Rates, bool)>,
    kinds: Vec<(DeviceKind, usize)>,
    /// `Auto` may choose software devices.
    software: bool,
    pub(crate) history: History,
}

impl Planner {
    pub(crate) fn new(devices: &[&DeviceInfo], calibration: Calibration, software: bool) -> Self {
        let kinds = devices.iter().enumerate().map(|(i, info)| {
            let among = devices[..i].iter().filter(|other| other.kind == info.kind).count();
            (info.kind, among)
        });
        Self {
            rates: devices.iter().map(|info| calibration.rates(info)).collect(),
            kinds: kinds.collect(),
            software,
            history: History::new(devices),
        }
    }

    /// Chooses a device for a launch of so many invocations.
    ///
    /// `demand` says what a device would need moved; it is asked only for devices that can take the launch. `work` says how
    /// much there is to do, where nothing was measured.
    pub(crate) fn plan(
        &self,
        kernel: &KernelInner,
        placement: Placement,
        invocations: u64,
        mut demand: impl FnMut(usize) -> Result<Demand, String>,
        work: impl Fn() -> Work,
    ) -> Result<Plan> {
        let mut candidates = SmallVec::new();
        for (device, slot) in kernel.runtime.devices.iter().enumerate() {
            let path = kernel.path(device);
            let verdict = match self.excluded(kernel, placement, device) {
                Some(reason) => Verdict::Excluded(reason),
                None => match demand(device) {
                    Ok(demand) => {
                        Verdict::Predicted(self.predict(kernel, device, path, invocations, demand, &work))
                    }
                    Err(reason) => Verdict::Excluded(Exclusion::Unable(reason.into())),
                },
            };
            let info = slot.info();
            candidates.push(Candidate {
                device,
                name: slot.name.clone(),
                kind: info.kind,
                path,
                verdict,
                cautions: kernel.cautions[device].clone(),
                note: kernel.note(device),
            });
        }
        let best = candidates
            .iter()
            .enumerate()
            .filter_map(|(position, c): (usize, &Candidate)| Some((c.prediction()?.total(), position)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((_, chosen)) => Ok(Plan { kernel: kernel.name.clone(), placement, candidates, chosen }),
            None => Err(nowhere(kernel, placement, &candidates)),
        }
    }

    /// A placement leaves the device a chance.
    pub(crate) fn may(&self, placement: Placement, device: usize) -> bool {
        let (kind, among) = self.kinds[device];
        placement.allows(device, kind, among)
    }

    /// Why a device cannot or may not take the launch.
    fn excluded(&self, kernel: &KernelInner, placement: Placement, device: usize) -> Option<Exclusion> {
        let (kind, _) = self.kinds[device];
        if !self.may(placement, device) {
            return Some(Exclusion::NotAskedFor(placement));
        }
        let auto = placement == Placement::Auto;
        let others = || self.kinds.iter().any(|(kind, _)| *kind != DeviceKind::Software);
        if auto && kind == DeviceKind::Software && !self.software && others() {
            return Some(Exclusion::SoftwareNotAutomatic);
        }
        if let Some(error) = kernel.runtime.devices[device].device.lost() {
            return Some(Exclusion::Unable(error.to_string().into()));
        }
        let obstacles = &kernel.obstacles[device];
        (!obstacles.is_empty()).then(|| {
            Exclusion::Unable(obstacles.iter().map(|o| o.to_string()).collect::<Vec<_>>().join("; ").into())
        })
    }

    fn predict(
        &self,
        kernel: &KernelInner,
        device: usize,
        path: Path,
        invocations: u64,
        demand: Demand,
        work: impl Fn() -> Work,
    ) -> Prediction {
        let (rates, calibrated) = &self.rates[device];
        let transfer = rates.upload.seconds(demand.upload) + rates.download.seconds(demand.download);
        let (execution, source) = match self.history.predict(kernel, device, path, invocations) {
            Some(known) => (known.seconds, Source::learnt(&known)),
            None => {
                let work = work();
                let operations = match path {
                    // Neither is slowed by interpretation.
                    Path::Native | Path::Compiled { .. } => rates.native_operations,
                    _ => rates.operations,
                };
                let compute = work.operations / operations;
                let memory = work.bytes / rates.bandwidth;
                (compute.max(memory), if *calibrated { Source::Calibrated } else { Source::Coarse })
            }
        };
        let bytes = demand.upload.0 + demand.download.0;
        Prediction { transfer, launch: rates.launch, execution, bytes, source }
    }
}

/// The error of a launch that no device can take.
fn nowhere(kernel: &KernelInner, placement: Placement, candidates: &[Candidate]) -> Error {
    let reasons: Vec<String> = candidates
        .iter()
        .filter_map(|c| match &c.verdict {
            Verdict::Excluded(reason) => Some(format!("{} ({}): {reason}", c.name, c.kind)),
            Verdict::Predicted(_) => None,
        })
        .collect();
    let of_kind = |kind| candidates.iter().filter(|c| c.kind == kind).count();
    let number = |n: usize, kind: DeviceKind, name: &str| match of_kind(kind) {
        0 => Some(format!("there is no {name} here")),
        count if n >= count => {
            Some(format!("there is no {name} number {n}: they count from 0, and there are {count}"))
        }
        _ => None,
    };
    let missing = match placement {
        Placement::Gpu => number(0, DeviceKind::Gpu, "GPU"),
        Placement::GpuNumber(n) => number(n, DeviceKind::Gpu, "GPU"),
        Placement::Software => number(0, DeviceKind::Software, "software device"),
        Placement::SoftwareNumber(n) => number(n, DeviceKind::Software, "software device"),
        Placement::Cpu => number(0, DeviceKind::Cpu, "CPU device"),
        Placement::Device(n) if n >= candidates.len() => Some(format!(
            "there is no device number {n}: they count from 0, and there are {}",
            candidates.len()
        )),
        _ => None,
    };
    if let Some(missing) = missing {
        let devices: Vec<String> = candidates.iter().map(|c| format!("{} ({})", c.name, c.kind)).collect();
        return Error::Placement(format!("{missing}. Devices: {}", devices.join("; ")));
    }
    let what = format!("no device can take it with placement `{placement}`");
    Error::Placement(format!("kernel `{}`: {what}. Devices: {}", kernel.name, reasons.join("; ")))
}
