//! What drivers do wrong in silence: asked of the device itself when it is opened.
//!
//! Mesa's llvmpipe (lavapipe) gives each invocation 65535 rounds of all its loops together; then it leaves whatever
//! loop it is in, without a word (`LP_MAX_TGSI_LOOP_ITERATIONS` in its gallivm; seen with Mesa 22.3.6). Results are
//! then wrong and nothing can be done about it from outside, so it is at least said.

use std::sync::Arc;
use std::time::Duration;

use warpweft_hal::{
    Argument, Command, Device, Dispatch, Error, Grid, HostBlock, Program, Region, Submission, Submitted,
};
use warpweft_module::{Module, Source};

use crate::Gpu;

const SOURCE: &str = "
@group(0) @binding(0) var<storage, read_write> rounds: array<u32>;
@compute @workgroup_size(1) fn count() { for (var i = 0u; i < rounds[1]; i++) { rounds[0] += 1u; } }";

/// More than any driver known to stop does.
const ROUNDS: u32 = 100_000;

/// It takes milliseconds. A software driver that hangs on another device's work never gets to it.
const LIMIT: Duration = Duration::from_secs(10);

/// After how many rounds the driver leaves a loop; `None` when it does not.
pub(crate) fn loop_limit(gpu: &Gpu) -> Result<Option<u32>, Error> {
    let internal = |reason: String| Error::Internal { device: gpu.info().name.clone(), reason };
    let kernel = Module::new(&[Source::new("probe.wgsl", SOURCE)], &[])
        .and_then(|module| module.kernel(None, &[]))
        .map_err(|e| internal(e.to_string()))?;
    let kernel = gpu.load(&Program { kernel, native: None })?.kernel;
    let memory = gpu.allocate(8)?;
    let short = || internal("no host memory for eight bytes".into());
    let block = Arc::new(HostBlock::from_vec(vec![0, ROUNDS]).ok_or_else(short)?);
    let [host, device] = [Region::host(&block, 0..8), Region::device(memory, 0..8)];
    let grid = Grid { workgroups: [1, 1, 1], over: None };
    let dispatch = Dispatch { kernel, grid, range: 0..1, arguments: vec![Argument::Region(device.clone())] };
    // SAFETY: nobody else has the block.
    let mut list = unsafe {
        Submission::new(vec![
            Command::Upload { from: host.clone(), to: device.clone() },
            Command::Dispatch(dispatch),
            Command::Download { from: device, to: host },
        ])
    };
    list.time_limit = Some(LIMIT);
    if let Submitted::Pending(fence) = gpu.submit(list)? {
        gpu.wait(fence)?;
    }
    gpu.free(memory);
    gpu.unload(kernel);
    let seen = block.words()[0].load(std::sync::atomic::Ordering::Relaxed);
    Ok((seen != ROUNDS).then_some(seen))
}
