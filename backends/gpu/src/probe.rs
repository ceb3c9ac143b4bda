//! What drivers do wrong in silence: asked of the device itself when it is opened.
//!
//! Mesa's llvmpipe (lavapipe) gives each invocation 65535 rounds of all its loops together; then it leaves whatever
//! loop it is in, without a word (`LP_MAX_TGSI_LOOP_ITERATIONS` in its gallivm; seen with Mesa 22.3.6).
//!
//! Its vectors lie along x. Where the workgroup size along x is no multiple of their length, the last vector of each row
//! has lanes without an invocation. Their loads give zero, their stores do nothing, but whether a loop goes on is asked of
//! them, too (`lp_exec_endloop`, which leaves out the mask of the lanes that exist; seen with Mesa 22.3.6, mended by
//! 25.0.7). Their vector then meets more barriers than the others do, and when those are done it is dropped, with all
//! that it had still to do; or they wait for a value that is never zero until all rounds are used up.
//!
//! Results are then wrong and nothing can be done about it from outside, so it is at least said.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use warpweft_hal::{
    Argument, Command, Device, Dispatch, Error, Grid, HostBlock, Program, Region, Submission, Submitted,
};
use warpweft_module::{Module, Source};

use crate::Gpu;

/// One kernel for both questions, since a software driver's compiler costs more than what it runs. The
/// rounds come first, since all loops share them. The last of 17 invocations is alone in a vector that is not the only
/// one, for vectors of 4, 8 or 16 lanes. The second loop has rounds only where a load gives zero; after it that
/// invocation says that it is still there.
const SOURCE: &str = "
struct Probe { rounds: u32, wanted: u32, two: u32, there: u32 }
@group(0) @binding(0) var<storage, read_write> probe: Probe;
@compute @workgroup_size(17) fn ask(@builtin(local_invocation_index) lane: u32) {
    if lane == 0u { for (var i = 0u; i < probe.wanted; i++) { probe.rounds += 1u; } }
    for (var i = 0u; i + probe.two < 2u; i++) { workgroupBarrier(); }
    if lane == 16u { probe.there = 1u; }
}";

/// More than any driver known to stop does.
const ROUNDS: u32 = 100_000;

/// It takes milliseconds. A software driver that hangs on another device's work never gets to it.
const LIMIT: Duration = Duration::from_secs(10);

/// What a driver does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// After how many rounds it leaves a loop; `None` when it does not.
    pub(crate) loop_limit: Option<u32>,
    /// Lanes without an invocation go on in loops.
    pub(crate) idle_lanes: bool,
}

/// Asks the device.
///
/// # Errors
/// When it does not run the kernel that asks.
pub(crate) fn probe(gpu: &Gpu) -> Result<Found, Error> {
    let internal = |reason: String| Error::Internal { device: gpu.info().name.clone(), reason };
    let kernel = Module::new(&[Source::new("probe.wgsl", SOURCE)], &[])
        .and_then(|module| module.kernel(None, &[]))
        .map_err(|e| internal(e.to_string()))?;
    let kernel = gpu.load(&Program { kernel, native: None })?.kernel;
    let memory = gpu.allocate(16)?;
    let short = || internal("no host memory for sixteen bytes".into());
    let block = Arc::new(HostBlock::from_vec(vec![0, ROUNDS, 2, 0]).ok_or_else(short)?);
    let [host, device] = [Region::host(&block, 0..16), Region::device(memory, 0..16)];
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
    let [rounds, there] = [0, 3].map(|at| block.words()[at].load(Ordering::Relaxed));
    Ok(Found { loop_limit: (rounds != ROUNDS).then_some(rounds), idle_lanes: there == 0 })
}
