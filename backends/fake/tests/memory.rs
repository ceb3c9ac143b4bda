//! The device's bytes: what moves, what kernels do to them, and which were never written.

mod harness;

use std::sync::Arc;

use harness::*;
use warpweft_fake::{Fake, Link, Reader, Spec, UndefinedRead};
use warpweft_hal::{Argument, Command, Device, Error, Grid, Path, Region};

#[test]
fn data_goes_up_is_computed_on_and_comes_down() {
    for native in [false, true] {
        for n in [1, 15, 16, 17, 1000] {
            let fake = Fake::new(Spec::default());
            let native: Option<Arc<dyn warpweft_hal::Native>> =
                if native { Some(Arc::new(saxpy)) } else { None };
            let loaded = fake.load(&program(SAXPY, native.clone())).unwrap();
            assert_eq!(loaded.path, if native.is_some() { Path::Native } else { Path::Interpreter });
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let bytes = 4 * n;
            let (x, y, out) = (block(&x), block(&vec![1.0f32; n as usize]), block(&vec![0.0f32; n as usize]));
            let (dx, dy) = (fake.allocate(bytes).unwrap(), fake.allocate(bytes).unwrap());
            let commands = vec![
                upload(&x, dx),
                upload(&y, dy),
                Command::Dispatch(dispatch(loaded.kernel, dx, dy, bytes)),
                download(dy, &out),
            ];
            assert_eq!(run(&fake, commands).unwrap().dispatches.len(), 1);
            assert_eq!(read::<f32>(&out), (0..n).map(|i| 2.0 * i as f32 + 1.0).collect::<Vec<_>>());
            assert_eq!(fake.reads_of_undefined(), []);
            let counters = fake.counters();
            assert_eq!((counters.uploads, counters.uploaded_bytes), (2, 2 * bytes));
            assert_eq!((counters.downloads, counters.downloaded_bytes), (1, bytes));
            assert_eq!((counters.dispatches, counters.workgroups), (1, n.div_ceil(16)));
            assert_eq!((counters.submissions, counters.compilations), (1, 1));
        }
    }
}

#[test]
fn slices_run_their_workgroups_alone() {
    let fake = Fake::new(Spec::default());
    let kernel = load(&fake);
    let (x, y) = (fake.allocate(256).unwrap(), fake.allocate(256).unwrap());
    let mut slice = dispatch(kernel, x, y, 256);
    slice.range = 1..3;
    let one = 1.0f32.to_bits();
    let out = block(&[0.0f32; 64]);
    let commands =
        vec![fill(x, 0..256, one), fill(y, 0..256, one), Command::Dispatch(slice), download(y, &out)];
    run(&fake, commands).unwrap();
    let expected = (0..64).map(|i| if (16..48).contains(&i) { 3.0 } else { 1.0 });
    assert_eq!(read::<f32>(&out), expected.collect::<Vec<f32>>());
}

#[test]
fn kernels_that_are_not_executed_leave_memory_alone() {
    let fake = Fake::new(Spec { execute: false, ..Spec::default() });
    let kernel = fake.load(&program(SAXPY, None)).unwrap().kernel;
    let (x, y) = (fake.allocate(64).unwrap(), fake.allocate(64).unwrap());
    let out = block(&[0u32; 16]);
    let commands = vec![
        fill(x, 0..64, 1),
        fill(y, 0..64, 2),
        Command::Dispatch(dispatch(kernel, x, y, 64)),
        download(y, &out),
    ];
    run(&fake, commands).unwrap();
    assert_eq!(read::<u32>(&out), [2; 16]);
}

#[test]
fn copies_and_fills_are_counted() {
    let fake = Fake::new(Spec::default());
    let (a, b) = (fake.allocate(40).unwrap(), fake.allocate(40).unwrap());
    let copy = Command::Copy { from: Region::device(a, 0..16), to: Region::device(b, 24..40) };
    let out = block(&[0u32; 10]);
    run(&fake, vec![fill(a, 0..40, 7), fill(b, 0..24, 8), copy, download(b, &out)]).unwrap();
    assert_eq!(read::<u32>(&out), [8, 8, 8, 8, 8, 8, 7, 7, 7, 7]);
    let counters = fake.counters();
    assert_eq!((counters.fills, counters.filled_bytes), (2, 64));
    assert_eq!((counters.copies, counters.copied_bytes), (1, 16));
}

#[test]
fn memory_is_accounted_for_and_runs_out() {
    let mut spec = spec();
    (spec.limits.memory, spec.limits.allocation) = (Some(1000), 600);
    let fake = Fake::new(spec);
    let a = fake.allocate(600).unwrap();
    let error = fake.allocate(404).unwrap_err();
    assert_eq!(error, Error::OutOfMemory { device: "fake".into(), requested: 404, free: Some(400) });
    let error = fake.allocate(604).unwrap_err();
    assert!(matches!(error, Error::Limit { value: 604, limit: 600, .. }), "{error}");
    fake.free(a);
    fake.free(a);
    fake.allocate(404).unwrap();
    let counters = fake.counters();
    assert_eq!((counters.allocations, counters.allocated_bytes, counters.peak_bytes), (2, 404, 600));
}

#[test]
fn reads_of_words_never_written_are_recorded() {
    let fake = Fake::new(Spec::default());
    let kernel = load(&fake);
    let (x, y) = (fake.allocate(64).unwrap(), fake.allocate(64).unwrap());
    let out = block(&[0u32; 16]);
    run(&fake, vec![fill(x, 0..64, 0), fill(y, 8..40, 0)]).unwrap();
    assert_eq!(fake.reads_of_undefined(), []);
    // The copy itself is no reader, but carries on what was never written.
    let copy = Command::Copy { from: Region::device(y, 0..16), to: Region::device(x, 16..32) };
    run(&fake, vec![copy, download(x, &out)]).unwrap();
    run(&fake, vec![Command::Dispatch(dispatch(kernel, x, y, 64))]).unwrap();
    let kernel = |binding: &str| Reader::Kernel { entry: "saxpy".into(), binding: binding.into() };
    let read = |submission, reader, memory, bytes| UndefinedRead { submission, reader, memory, bytes };
    assert_eq!(
        fake.reads_of_undefined(),
        [
            read(1, Reader::Download, x, 16..24),
            read(2, kernel("x"), x, 16..24),
            read(2, kernel("y"), y, 0..64),
        ]
    );
}

/// Writes `0, 1, 2, …` to the first half.
const HALF: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1)
    fn half(@builtin(global_invocation_id) id: vec3u) {
        if id.x < arrayLength(&out) / 2 { out[id.x] = id.x; }
    }";

#[test]
fn what_an_executed_kernel_leaves_alone_stays_undefined() {
    for (execute, expected) in [(true, Some(40..80)), (false, None)] {
        let fake = Fake::new(Spec { execute, ..Spec::default() });
        let kernel = fake.load(&program(HALF, None)).unwrap().kernel;
        let out = fake.allocate(80).unwrap();
        let dispatch = warpweft_hal::Dispatch {
            kernel,
            grid: Grid { workgroups: [20, 1, 1], over: None },
            range: 0..20,
            arguments: vec![argument(out, 0..80)],
        };
        run(&fake, vec![Command::Dispatch(dispatch), download(out, &block(&[0u32; 20]))]).unwrap();
        let reads = fake.reads_of_undefined().into_iter().map(|read| read.bytes);
        assert_eq!(reads.collect::<Vec<_>>(), Vec::from_iter(expected), "execute: {execute}");
    }
}

#[test]
fn fresh_memory_holds_garbage_that_depends_on_the_seed_alone() {
    let sum = |seed| {
        let fake = Fake::new(Spec { seed, ..Spec::default() });
        let kernel = load(&fake);
        let (x, y) = (fake.allocate(64).unwrap(), fake.allocate(64).unwrap());
        let out = block(&[0u32; 16]);
        let zero = fill(y, 0..64, 0);
        run(&fake, vec![zero, Command::Dispatch(dispatch(kernel, x, y, 64)), download(y, &out)]).unwrap();
        read::<u32>(&out)
    };
    assert_eq!(sum(1), sum(1));
    assert_ne!(sum(1), sum(2));
    assert_ne!(sum(1), [0; 16]);
}

#[test]
fn with_shared_memory_everything_is_host_memory() {
    let fake = Fake::new(Spec { link: Link::Shared, ..Spec::default() });
    assert!(fake.info().host_memory);
    assert!(matches!(fake.allocate(4), Err(Error::Internal { .. })));
    let kernel = load(&fake);
    let (x, y) = (block(&[1.0f32; 5]), block(&[2.0f32; 5]));
    let whole = |block| Argument::Region(Region::host(block, 0..20));
    let mut dispatch = dispatch(kernel, warpweft_hal::MemoryId(0), warpweft_hal::MemoryId(0), 20);
    dispatch.arguments[1..].clone_from_slice(&[whole(&x), whole(&y)]);
    let copy = Command::Copy { from: Region::host(&y, 0..4), to: Region::host(&x, 16..20) };
    run(&fake, vec![Command::Dispatch(dispatch), copy]).unwrap();
    assert_eq!(read::<f32>(&y), [4.0; 5]);
    assert_eq!(read::<f32>(&x), [1.0, 1.0, 1.0, 1.0, 4.0]);
}
