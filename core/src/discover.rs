//! Finds the GPUs of this machine.

use std::sync::Arc;

use warpweft_gpu::Settings;
use warpweft_hal::Device;

/// Every GPU that can be used, software ones included; what cannot be used is told through `tracing`.
pub(crate) fn gpus() -> Vec<Arc<dyn Device>> {
    let mut devices: Vec<Arc<dyn Device>> = Vec::new();
    for found in warpweft_gpu::devices() {
        let name = &found.info().name;
        if let Some(obstacle) = found.obstacle() {
            tracing::info!(device = name, obstacle, "the adapter is not used");
            continue;
        }
        match found.open(Settings::default()) {
            Ok(gpu) => devices.push(Arc::new(gpu)),
            Err(error) => tracing::warn!(device = name, %error, "the adapter cannot be opened"),
        }
    }
    devices
}
