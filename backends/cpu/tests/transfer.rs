//! Copies, fills, and lists of commands that break the contract.

mod harness;

use harness::*;
use warpweft_hal::{
    Argument, Command, Device, DeviceKind, Dispatch, Error, Fence, Grid, Memory, MemoryId, Region,
};

/// Large enough to be shared among threads, and odd.
const LARGE: usize = (5 << 18) + 3;

#[test]
fn copies_move_exactly_their_range() {
    let cpu = cpu(3);
    for n in [1, 2, 1000, LARGE] {
        let data: Vec<u32> = (0..n as u32).collect();
        let (from, to) = (block(&data), block(&vec![7u32; n + 2]));
        let region = Region::host(&to, 4..4 + 4 * n as u64);
        submit(&cpu, vec![Command::Copy { from: whole(&from), to: region }]).unwrap();
        assert_eq!(read::<u32>(&to), [vec![7], data, vec![7]].concat(), "{n} words");
    }
}

#[test]
fn upload_and_download_between_host_regions_are_copies() {
    let cpu = cpu(1);
    let (a, b, c) = (block(&[1u32, 2, 3]), block(&[0u32; 3]), block(&[0u32; 3]));
    let commands = vec![
        Command::Upload { from: whole(&a), to: whole(&b) },
        Command::Download { from: whole(&b), to: whole(&c) },
    ];
    assert!(submit(&cpu, commands).unwrap().dispatches.is_empty());
    assert_eq!(read::<u32>(&c), [1, 2, 3]);
}

#[test]
fn a_copy_within_one_block_is_fine_where_the_ranges_are_apart() {
    let cpu = cpu(1);
    let a = block(&[1u32, 2, 3, 4]);
    let copy = |from, to| Command::Copy { from: Region::host(&a, from), to: Region::host(&a, to) };
    submit(&cpu, vec![copy(0..8, 8..16)]).unwrap();
    assert_eq!(read::<u32>(&a), [1, 2, 1, 2]);
    let error = submit(&cpu, vec![copy(0..8, 4..12)]).unwrap_err();
    assert!(error.to_string().contains("overlapping"), "{error}");
}

#[test]
fn fills_set_exactly_their_range() {
    let cpu = cpu(2);
    for n in [0, 1, 1000, LARGE] {
        let to = block(&vec![7u32; n + 2]);
        let region = Region::host(&to, 4..4 + 4 * n as u64);
        submit(&cpu, vec![Command::Fill { to: region, word: 0x0102_0304 }]).unwrap();
        assert_eq!(read::<u32>(&to), [vec![7], vec![0x0102_0304; n], vec![7]].concat(), "{n} words");
    }
}

#[test]
fn a_list_executes_in_order() {
    let cpu = cpu(2);
    let kernel = load(&cpu, SAXPY, Some(std::sync::Arc::new(saxpy))).kernel;
    let (x, y) = (block(&[0.0f32; 5]), block(&[0.0f32; 5]));
    let arguments = vec![value(2.0f32), Argument::Region(whole(&x)), Argument::Region(whole(&y))];
    let commands = vec![
        Command::Fill { to: whole(&x), word: 3.0f32.to_bits() },
        Command::Dispatch(dispatch(kernel, 1, arguments.clone())),
        Command::Copy { from: whole(&y), to: whole(&x) },
        Command::Dispatch(dispatch(kernel, 1, arguments)),
    ];
    assert_eq!(submit(&cpu, commands).unwrap().dispatches.len(), 2);
    assert_eq!(read::<f32>(&y), [18.0; 5]);
}

/// The command is refused as a breach of contract, in these words.
fn check_refused(command: Command, expected: &str) {
    match submit(&cpu(1), vec![command]).unwrap_err() {
        Error::Internal { reason, .. } => assert!(reason.contains(expected), "{reason}"),
        other => panic!("{other}"),
    }
}

#[test]
fn ranges_that_do_not_exist_are_refused() {
    let a = block(&[0u32; 4]);
    let b = block(&[0u32; 4]);
    let region = |offset, size| Region { memory: Memory::Host(a.clone()), offset, size };
    let device = Region::device(MemoryId(1), 0..16);
    let fill = |to| Command::Fill { to, word: 0 };
    check_refused(fill(region(8, 12)), "the target: 12 bytes at offset 8 leave a block of 16 bytes");
    check_refused(fill(region(u64::MAX - 3, 8)), "leave a block of 16 bytes");
    check_refused(fill(region(2, 4)), "offset 2 and size 4 are not whole words");
    check_refused(fill(region(0, 6)), "offset 0 and size 6 are not whole words");
    check_refused(fill(device.clone()), "the target is device memory");
    check_refused(Command::Copy { from: device, to: whole(&b) }, "the source is device memory");
    check_refused(Command::Copy { from: region(0, 8), to: whole(&b) }, "8 bytes cannot be copied to 16");
}

#[test]
fn dispatches_that_do_not_fit_their_kernel_are_refused() {
    let cpu = cpu(1);
    let kernel = load(&cpu, SAXPY, None).kernel;
    let (x, y) = (block(&[0u32; 4]), block(&[0u32; 4]));
    let [x, y] = [&x, &y].map(|block| Argument::Region(whole(block)));
    let check = |change: &dyn Fn(&mut Dispatch), expected: &str| {
        let mut dispatch = dispatch(kernel, 2, vec![value(1.0f32), x.clone(), y.clone()]);
        change(&mut dispatch);
        let error = run(&cpu, dispatch).unwrap_err();
        assert!(matches!(error, Error::Internal { .. }) && error.to_string().contains(expected), "{error}");
    };
    check(&|d| d.kernel.0 = 99, "kernel 99 is not loaded");
    check(&|d| d.range = 1..3, "the workgroups 1..3 leave a grid of 2");
    check(&|d| d.arguments.truncate(2), "`saxpy`: 2 arguments for 3 bindings");
    check(&|d| d.arguments[1] = value(1.0f32), "`x` is no uniform, but got a value");
    check(&|d| d.arguments[0] = value([0u8; 3]), "`a`: a value of 3 bytes is not whole words");
    check(&|d| d.arguments[0] = Argument::Value([].into()), "`a` got 0 bytes and needs 4");
}

#[test]
fn what_host_memory_has_not_is_refused() {
    let cpu = cpu(2);
    assert!(matches!(cpu.allocate(16), Err(Error::Internal { .. })));
    assert!(matches!(cpu.poll(Fence(1)), Err(Error::Internal { .. })));
    assert!(matches!(cpu.wait(Fence(1)), Err(Error::Internal { .. })));
    cpu.free(MemoryId(1));
    cpu.trim();
    let info = cpu.info();
    assert_eq!((info.kind, info.threads), (DeviceKind::Cpu, Some(2)));
    assert!(info.host_memory && info.synchronous);
}

#[test]
fn an_empty_range_does_nothing() {
    let cpu = cpu(1);
    let kernel = load(&cpu, SAXPY, Some(std::sync::Arc::new(saxpy))).kernel;
    let (x, y) = (block(&[1.0f32; 4]), block(&[1.0f32; 4]));
    let mut dispatch =
        dispatch(kernel, 1, vec![value(1.0f32), Argument::Region(whole(&x)), Argument::Region(whole(&y))]);
    dispatch.range = 1..1;
    assert_eq!(run(&cpu, dispatch.clone()).unwrap().dispatches.len(), 1);
    dispatch.grid = Grid { workgroups: [0, 5, 1], over: None };
    dispatch.range = 0..0;
    assert_eq!(run(&cpu, dispatch).unwrap().dispatches.len(), 1);
    assert_eq!(read::<f32>(&y), [1.0; 4]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    use warpweft_cpu::{Cpu, Settings};
    for subgroup_size in [0, 2, 24, 256] {
        let error = Cpu::new(Settings { subgroup_size, ..Settings::default() }).err().unwrap();
        assert!(error.to_string().contains("subgroup size"), "{error}");
    }
    let error = Cpu::new(Settings { threads: Some(0), ..Settings::default() }).err().unwrap();
    assert!(error.to_string().contains("number of threads"), "{error}");
}
