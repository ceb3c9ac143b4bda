//! What goes wrong: memory that does not fit, work that does not end, a device that is gone.

mod common;

use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use common::{Launch, execute, gpu, gpu_with, kernel, upload};
use warpweft_gpu::Settings;
use warpweft_hal::{Device, Error, Grid, Program, Submission, Submitted};

#[test]
fn memory_beyond_the_budget_is_an_error() {
    let gpu = gpu_with(Settings { memory: Some(64 << 20), ..Settings::default() });
    assert_eq!(gpu.info().limits.memory, Some(64 << 20));
    let first = gpu.allocate(40 << 20).unwrap();
    match gpu.allocate(40 << 20) {
        Err(Error::OutOfMemory { requested, free, .. }) => {
            assert_eq!((requested, free), (40 << 20, Some(24 << 20)));
        }
        other => panic!("{other:?}"),
    }
    // What is pooled makes room.
    gpu.free(first);
    let second = gpu.allocate(50 << 20).unwrap();
    gpu.free(second);
    gpu.allocate(64 << 20).unwrap();
}

#[test]
fn an_allocation_beyond_the_limit_is_an_error() {
    let gpu = gpu();
    let most = gpu.info().limits.allocation;
    match gpu.allocate(most + 4) {
        Err(Error::Limit { value, limit, .. }) => assert_eq!((value, limit), (most + 4, most)),
        other => panic!("{other:?}"),
    }
    assert!(gpu.allocate(1 << 60).is_err());
    let memory = gpu.allocate(most).expect("untouched memory costs nothing yet");
    gpu.free(memory);
    gpu.trim();
}

/// Set for the child process of the test below.
const CHILD: &str = "WARPWEFT_TEST_HANG";

/// Work that does not end is a timeout, and every later call fails as lost. In a child process: the driver's threads
/// cannot be stopped, and would keep this one from ending.
#[test]
fn work_that_does_not_end_is_a_timeout() {
    if std::env::var_os(CHILD).is_some() {
        hang();
        println!("as expected");
        // The driver never ends by itself.
        std::process::abort();
    }
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["work_that_does_not_end_is_a_timeout", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("the child did not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("as expected"), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn hang() {
    let gpu = gpu();
    // Years of work rather than an endless loop: Mesa's JIT leaves any loop after 65535 rounds.
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<atomic<u32>>;
        @compute @workgroup_size(64) fn endless() {
            for (var i = 0u; i < 60000u; i++) { if (atomicAdd(&x[i & 3u], 1u) == 0xffffffffu) { break; } }
        }";
    let memory = upload(&gpu, &[0u32; 4]);
    let launch = Launch::new(&gpu, wgsl).view("x", memory, 0..16);
    let grid = Grid { workgroups: [60_000, 60_000, 1], over: None };
    // SAFETY: no host memory is named.
    let mut list = unsafe { Submission::new(vec![launch.dispatch(grid, 0..grid.len())]) };
    list.time_limit = Some(Duration::from_secs(1));
    let Submitted::Pending(fence) = gpu.submit(list).unwrap() else { panic!("endless work is not done") };
    assert_eq!(gpu.poll(fence), Ok(None));
    let start = Instant::now();
    match gpu.wait(fence) {
        Err(Error::Timeout { limit, .. }) => assert_eq!(limit, Duration::from_secs(1)),
        other => panic!("{other:?}"),
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let lost = gpu.wait(fence).unwrap_err();
    assert!(lost.is_loss(), "{lost}");
    let again = Program { kernel: kernel("@compute @workgroup_size(1) fn f() { }"), native: None };
    assert_eq!(gpu.load(&again).unwrap_err(), lost);
    assert_eq!(gpu.allocate(4).unwrap_err(), lost);
    assert_eq!(gpu.poll(fence).unwrap_err(), lost);
    assert_eq!(execute(&gpu, vec![]).unwrap_err(), lost);
    gpu.free(memory);
    drop(gpu);
    // Lavapipe's devices share their threads, so another one may be just as stuck; opening it says so, in time.
    let start = Instant::now();
    let opened = warpweft_gpu::devices()[0].open(Settings::default());
    assert!(start.elapsed() < Duration::from_secs(60), "{opened:?}");
    if let Err(error) = opened {
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
    }
}
