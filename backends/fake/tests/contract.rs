//! What a runtime may not do, and how it is told.

mod harness;

use std::sync::Arc;

use harness::*;
use warpweft_fake::{Fake, Link, Spec};
use warpweft_hal::{Argument, Command, Device, Dispatch, Error, Memory, MemoryId, Region};

/// A breach of contract is an internal error that contains this, and nothing was executed.
fn check(fake: &Fake, commands: Vec<Command>, expected: &str) {
    let before = fake.log();
    match fake.submit(submission(commands)).unwrap_err() {
        Error::Internal { reason, .. } => assert!(reason.contains(expected), "{reason}"),
        other => panic!("{other}"),
    }
    assert_eq!(fake.log(), before);
}

#[test]
fn regions_exist_and_are_whole_words() {
    let fake = Fake::new(Spec::default());
    let memory = fake.allocate(16).unwrap();
    let region = |offset, size| Region { memory: Memory::Device(memory), offset, size };
    let fill = |to| vec![Command::Fill { to, word: 0 }];
    check(
        &fake,
        fill(region(8, 12)),
        "command 0: the target of a fill: 12 bytes at offset 8 leave a memory of 16",
    );
    check(&fake, fill(region(u64::MAX - 3, 8)), "leave a memory of 16 bytes");
    check(&fake, fill(region(2, 4)), "offset 2 and size 4 are not multiples of 4");
    check(&fake, fill(region(4, 2)), "offset 4 and size 2 are not multiples of 4");
    check(&fake, fill(Region::device(MemoryId(9), 0..4)), "memory 9 was never allocated");
    check(&fake, fill(Region::host(&block(&[0u32]), 0..4)), "the target of a fill is host memory");
    fake.free(memory);
    check(&fake, fill(region(0, 4)), "memory 1 was freed");
    // What comes after a breach, or before it, is not executed either.
    let memory = fake.allocate(16).unwrap();
    let good = || harness::fill(memory, 0..4, 0);
    check(&fake, vec![good(), harness::fill(memory, 0..20, 0), good()], "command 1");
}

#[test]
fn transfers_join_the_right_sides() {
    let fake = Fake::new(Spec::default());
    let memory = fake.allocate(16).unwrap();
    let (host, device) = (Region::host(&block(&[0u32; 4]), 0..16), Region::device(memory, 0..16));
    let up = |from: &Region, to: &Region| vec![Command::Upload { from: from.clone(), to: to.clone() }];
    let down = |from: &Region, to: &Region| vec![Command::Download { from: from.clone(), to: to.clone() }];
    let copy = |from: &Region, to: &Region| vec![Command::Copy { from: from.clone(), to: to.clone() }];
    check(&fake, up(&device, &device), "the source of an upload is device memory");
    check(&fake, up(&host, &host), "the target of an upload is host memory");
    check(&fake, down(&host, &host), "the source of a download is host memory");
    check(&fake, copy(&host, &device), "the source of a copy is host memory");
    check(&fake, up(&host, &Region::device(memory, 0..8)), "an upload of 16 bytes to 8");
    check(&fake, copy(&Region::device(memory, 0..8), &Region::device(memory, 4..12)), "overlapping");
}

#[test]
fn neighbouring_ranges_do_not_overlap() {
    let fake = Fake::new(Spec::default());
    let memory = fake.allocate(24).unwrap();
    for (from, to) in [(0..8, 8..16), (8..16, 0..8), (0..8, 16..24), (16..24, 0..8)] {
        let (from, to) = (Region::device(memory, from), Region::device(memory, to));
        run(&fake, vec![Command::Copy { from, to }]).unwrap();
    }
    for (from, to) in [(0..8, 4..12), (4..12, 0..8), (0..24, 8..32)] {
        let (from, to) = (Region::device(memory, from), Region::device(memory, to));
        fake.submit(submission(vec![Command::Copy { from, to }])).unwrap_err();
    }
}

#[test]
fn a_list_does_not_read_what_its_own_download_brings() {
    let fake = Fake::new(Spec::default());
    let memory = fake.allocate(16).unwrap();
    let host = block(&[0u32; 4]);
    check(&fake, vec![download(memory, &host), upload(&host, memory)], "still to be written by a download");
}

#[test]
fn with_shared_memory_there_is_no_device_memory() {
    let fake = Fake::new(Spec { link: Link::Shared, ..Spec::default() });
    let fill = Command::Fill { to: Region::device(MemoryId(1), 0..4), word: 0 };
    check(&fake, vec![fill], "the target of a fill is device memory");
}

#[test]
fn allocations_are_whole_words() {
    let fake = Fake::new(Spec::default());
    for bytes in [0, 3, 6] {
        let error = fake.allocate(bytes).unwrap_err();
        assert!(error.to_string().contains("not a multiple of 4 above zero"), "{error}");
    }
}

#[test]
fn dispatches_fit_their_kernel() {
    let mut spec = Spec::default();
    spec.limits.storage_binding = 512;
    let fake = Fake::new(spec);
    let kernel = load(&fake);
    let (x, y) = (fake.allocate(256).unwrap(), fake.allocate(256).unwrap());
    let big = fake.allocate(1024).unwrap();
    let refused = |change: &dyn Fn(&mut Dispatch), expected: &str| {
        let mut dispatch = dispatch(kernel, x, y, 64);
        change(&mut dispatch);
        check(&fake, vec![Command::Dispatch(dispatch)], expected);
    };
    let value = |bytes: &[u8]| Argument::Value(Arc::from(bytes));
    refused(&|d| d.kernel.0 = 99, "kernel 99 is not loaded");
    refused(&|d| d.range = 0..2, "`saxpy`: the workgroups 0..2 leave a grid of 1");
    refused(&|d| d.grid.workgroups = [1 << 16, 1 << 16, 1], "a grid of 4294967296 workgroups");
    refused(&|d| d.grid.over = Some([17, 1, 1]), "over 17 invocations along axis 0, but the grid has 16");
    refused(&|d| d.arguments.truncate(2), "2 arguments for 3 bindings");
    refused(&|d| d.arguments[1] = value(&[0; 4]), "`x` is no uniform, but got a value");
    refused(&|d| d.arguments[0] = value(&[0; 6]), "`a`: a value of 6 bytes is not whole words");
    refused(&|d| d.arguments[0] = value(&[]), "`a` got 0 bytes and needs 4");
    refused(&|d| d.arguments[1] = argument(x, 0..0), "`x` got 0 bytes and needs 4");
    refused(&|d| d.arguments[1] = argument(x, 0..260), "`x`: 260 bytes at offset 0 leave a memory of 256");
    refused(&|d| d.arguments[1] = argument(big, 0..1024), "`x` got 1024 bytes, the device allows 512");
    refused(&|d| d.arguments[1] = argument(y, 60..124), "`x` and `y` overlap and one is writable");
}

const BARRIER: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(4)
    fn wait(@builtin(global_invocation_id) id: vec3u) {
        workgroupBarrier();
        out[id.x] = id.x;
    }";

#[test]
fn a_kernel_with_barriers_runs_over_whole_workgroups() {
    let fake = Fake::new(Spec::default());
    let kernel = fake.load(&program(BARRIER, None)).unwrap().kernel;
    let out = fake.allocate(32).unwrap();
    let mut dispatch = dispatch(kernel, out, out, 32);
    dispatch.arguments = vec![argument(out, 0..32)];
    dispatch.grid.workgroups = [2, 1, 1];
    dispatch.grid.over = Some([7, 1, 1]);
    check(&fake, vec![Command::Dispatch(dispatch.clone())], "but the kernel has barriers");
    dispatch.grid.over = Some([8, 1, 1]);
    run(&fake, vec![Command::Dispatch(dispatch)]).unwrap();
}

const DOUBLE: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<f64>;
    @compute @workgroup_size(4)
    fn double(@builtin(global_invocation_id) id: vec3u) { out[id.x] *= 2.0lf; }";

#[test]
fn a_kernel_is_loaded_only_where_nothing_stands_in_its_way() {
    let error = Fake::new(Spec::default()).load(&program(DOUBLE, None)).unwrap_err();
    assert!(matches!(error, Error::Internal { .. }), "{error}");
    assert!(error.to_string().contains("needs F64"), "{error}");
}

#[test]
fn unknown_fences_and_unloaded_kernels_are_refused() {
    let fake = Fake::new(Spec::default());
    let error = fake.wait(warpweft_hal::Fence(3)).unwrap_err();
    assert!(error.to_string().contains("fence 3 is unknown"), "{error}");
    let kernel = load(&fake);
    fake.unload(kernel);
    fake.unload(kernel);
    let memory = [fake.allocate(64).unwrap(), fake.allocate(64).unwrap()];
    let dispatch = dispatch(kernel, memory[0], memory[1], 64);
    check(&fake, vec![Command::Dispatch(dispatch)], "kernel 1 is not loaded");
}
