//! `warpweft calibrate`: measures the devices and keeps the rates.

use serde::Serialize;
use warpweft::{Calibration, Runtime};

use crate::args::CalibrateArgs;
use crate::devices::{DeviceRecord, rates_table};
use crate::failure::Outcome;
use crate::progress::Progress;
use crate::say;

#[derive(Serialize)]
struct CalibrationRecord {
    /// The file that the rates are kept in.
    file: Option<String>,
    devices: Vec<DeviceRecord>,
}

/// Measures and tells.
///
/// # Errors
/// When a device fails, or the file cannot be written.
pub(crate) fn calibrate(args: &CalibrateArgs) -> Outcome {
    let runtime = Runtime::new()?;
    let calibration = {
        let _progress = Progress::new("measuring the devices", 1, false, false);
        runtime.calibrate()?
    };
    let devices = DeviceRecord::all(&runtime, &calibration);
    let file = Calibration::file().map(|file| file.display().to_string());
    if args.json {
        return say::json(&CalibrationRecord { file, devices });
    }
    let kept = match &file {
        Some(file) => format!("Kept in {file}; plans rest on these rates from now on."),
        None => "The system has no folder for caches: set WARPWEFT_CACHE_DIR to keep the rates.".to_string(),
    };
    say::out(&format!("{}\n{kept}", rates_table(&devices)))
}
