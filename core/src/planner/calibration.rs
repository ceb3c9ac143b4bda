//! What devices can do, as measured rates; kept on disk per machine.
//!
//! Knows how to read, write and look up rates, not how they are measured: that is [`crate::calibrate`].

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use warpweft_hal::{DeviceInfo, DeviceKind};

use crate::{Error, Result};

/// Raised when the meaning of the rates changes: older files are measured anew.
const VERSION: u32 = 1;

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkRates {
    /// Seconds per transfer, whatever its size.
    pub latency: f64,
    /// Bytes per second.
    pub bandwidth: f64,
}

impl LinkRates {
    /// Seconds to move so many bytes in so many pieces.
    pub(crate) fn seconds(&self, (bytes, pieces): (u64, u64)) -> f64 {
        if bytes == 0 { 0.0 } else { self.latency * pieces as f64 + bytes as f64 / self.bandwidth }
    }
}

/// The rates of a device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Operations of WGSL per second, as the kernel's static cost counts them.
    pub operations: f64,
    /// The same for hand-written native implementations.
    pub native_operations: f64,
    /// Bytes per second to and from the device's memory.
    pub bandwidth: f64,
    /// Seconds from submission to the first invocation and back.
    pub launch: f64,
    /// Host to device.
    pub upload: LinkRates,
    /// Device to host.
    pub download: LinkRates,
}

impl Rates {
    /// Coarse rates for a device that was not measured.
    pub fn coarse(info: &DeviceInfo) -> Self {
        let threads = info.threads.unwrap_or(4) as f64;
        let link = |latency, bandwidth| LinkRates { latency, bandwidth };
        match info.kind {
            DeviceKind::Cpu => Self {
                operations: 5e8 * threads,
                native_operations: 4e9 * threads,
                bandwidth: 1e10,
                launch: 5e-6,
                // Nothing is moved to where the host's memory is.
                upload: link(0.0, 1e15),
                download: link(0.0, 1e15),
            },
            DeviceKind::Gpu => Self {
                operations: 1e12,
                native_operations: 1e12,
                bandwidth: 2e11,
                launch: 5e-5,
                upload: link(2e-5, 8e9),
                download: link(5e-5, 6e9),
            },
            DeviceKind::Software => Self {
                operations: 2e9 * threads,
                native_operations: 2e9 * threads,
                bandwidth: 1e10,
                launch: 1e-4,
                upload: link(2e-5, 8e9),
                download: link(5e-5, 8e9),
            },
        }
    }
}

/// The measured rates of this machine's devices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    version: u32,
    devices: BTreeMap<String, Rates>,
}

impl Calibration {
    /// No rates: every device gets coarse ones.
    pub fn empty() -> Self {
        Self { version: VERSION, devices: BTreeMap::new() }
    }

    /// The file that calibrations are kept in: `calibration.json` in `WARPWEFT_CACHE_DIR`, or in the system's folder
    /// for caches. `None` where the system has no such folder.
    pub fn file() -> Option<PathBuf> {
        let folder = match std::env::var_os("WARPWEFT_CACHE_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => directories::ProjectDirs::from("", "", "warpweft")?.cache_dir().to_path_buf(),
        };
        Some(folder.join("calibration.json"))
    }

    /// The rates that were kept on this machine; empty when there are none or they cannot be read.
    pub fn cached() -> Self {
        let Some(file) = Self::file() else {
            return Self::empty();
        };
        match Self::load(&file) {
            Ok(calibration) => calibration,
            Err(error) => {
                tracing::warn!(%error, "the cached calibration is not used");
                Self::empty()
            }
        }
    }

    /// Reads a file; one that does not exist, or of another version, is empty.
    ///
    /// # Errors
    /// When it cannot be read, or is not a calibration.
    pub fn load(file: &Path) -> Result<Self> {
        let failed = |reason: String| Error::File { path: file.display().to_string(), reason };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::empty()),
            Err(error) => return Err(failed(error.to_string())),
        };
        let broken = |error: serde_json::Error| {
            failed(format!("not a calibration ({error}); `warpweft calibrate` makes a new one"))
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(broken)?;
        if value.get("version").and_then(|v| v.as_u64()) != Some(VERSION.into()) {
            return Ok(Self::empty());
        }
        let read: Self = serde_json::from_value(value).map_err(broken)?;
        let sane = read.devices.values().all(|r| {
            [r.operations, r.native_operations, r.bandwidth, r.upload.bandwidth, r.download.bandwidth]
                .iter()
                .all(|rate| *rate > 0.0)
                && [r.launch, r.upload.latency, r.download.latency].iter().all(|s| s.is_finite() && *s >= 0.0)
        });
        match sane {
            true => Ok(read),
            false => Err(failed("it holds impossible rates; `warpweft calibrate` makes a new one".into())),
        }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn save(&self, file: &Path) -> Result<()> {
        let failed = |error: std::io::Error| Error::File {
            path: file.display().to_string(),
            reason: format!("{error} (WARPWEFT_CACHE_DIR names another folder)"),
        };
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // Readable by all who share the folder, unlike other temporary files.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o644));
        }
        let mut temporary = builder.tempfile_in(folder).map_err(failed)?;
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        temporary.write_all(text.as_bytes()).map_err(failed)?;
        temporary.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Sets the rates of a device.
    pub fn set(&mut self, info: &DeviceInfo, rates: Rates) {
        self.devices.insert(fingerprint(info), rates);
    }

    /// The rates of a device, and whether they were measured.
    pub fn rates(&self, info: &DeviceInfo) -> (Rates, bool) {
        match self.devices.get(&fingerprint(info)) {
            Some(rates) => (*rates, true),
            None => (Rates::coarse(info), false),
        }
    }
}

/// What a measurement stays valid for: the device, the way to it, its driver, its threads.
pub(super) fn fingerprint(info: &DeviceInfo) -> String {
    let threads = info.threads.map(|n| format!(" × {n}")).unwrap_or_default();
    format!("{} | {} | {} | {}{threads}", info.kind, info.name, info.backend, info.driver)
}
