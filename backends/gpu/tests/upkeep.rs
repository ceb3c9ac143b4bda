//! Long runs: what a launch leaves behind is dropped, whoever waits for it or does not.

mod common;

use std::sync::Arc;

use common::{Launch, download, execute, gpu, gpu_with, load, upload};
use warpweft_gpu::{Gpu, Settings};
use warpweft_hal::{
    Argument, Command, Device, Dispatch, Fence, Grid, HostBlock, MemoryId, Region, Submission, Submitted,
};

const ONE: Grid = Grid { workgroups: [1, 1, 1], over: None };

fn send(gpu: &Gpu, commands: Vec<Command>) -> Fence {
    // SAFETY: the tests read blocks only when a later list is done.
    match gpu.submit(unsafe { Submission::new(commands) }).unwrap() {
        Submitted::Pending(fence) => fence,
        Submitted::Done(_) => panic!("there was something to do"),
    }
}

fn fetch(memory: MemoryId, block: &Arc<HostBlock>) -> Command {
    Command::Download {
        from: Region::device(memory, 0..block.len()),
        to: Region::host(block, 0..block.len()),
    }
}

#[test]
fn fences_that_nobody_waits_for_are_dropped_when_something_later_is_done() {
    let gpu = gpu();
    let memory = upload(&gpu, &[7u32; 64]);
    let blocks: Vec<_> = (0..3000).map(|_| Arc::new(HostBlock::zeroed(256).unwrap())).collect();
    let fences: Vec<_> = blocks.iter().map(|block| send(&gpu, vec![fetch(memory, block)])).collect();
    let last = Arc::new(HostBlock::zeroed(256).unwrap());
    let fence = send(&gpu, vec![fetch(memory, &last)]);
    gpu.wait(fence).unwrap();
    assert_eq!(blocks.iter().map(Arc::strong_count).max(), Some(1), "a block is still held");
    for (block, fence) in blocks.iter().zip(fences) {
        gpu.wait(fence).unwrap();
        // SAFETY: its list is done.
        assert!(unsafe { block.bytes(0..256) } == bytemuck::bytes_of(&[7u32; 64]));
    }
}

#[test]
fn fences_are_dropped_though_nobody_ever_waits() {
    let gpu = gpu();
    let memory = upload(&gpu, &[7u32; 64]);
    let blocks: Vec<_> = (0..5000).map(|_| Arc::new(HostBlock::zeroed(256).unwrap())).collect();
    for block in &blocks {
        send(&gpu, vec![fetch(memory, block)]);
    }
    let held = blocks.iter().filter(|block| Arc::strong_count(block) > 1).count();
    assert!(held < 2500, "{held} blocks are still held");
}

#[test]
fn times_are_told_though_a_later_list_was_waited_for_first() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(64) fn f(@builtin(local_invocation_index) i: u32) { x[i] += 1u; }";
    let launch = Launch::new(&gpu, wgsl).bind("x", &[0u32; 64]);
    let fences: Vec<_> = (0..5).map(|_| send(&gpu, vec![launch.dispatch(ONE, 0..1)])).collect();
    for fence in fences.into_iter().rev() {
        let completion = gpu.wait(fence).unwrap();
        assert_eq!(completion.dispatches.len(), 1, "{fence:?}");
        assert!(completion.dispatches[0].seconds > 0.0);
        assert_eq!(gpu.wait(fence).unwrap().dispatches.len(), 0, "handed out once");
    }
    assert_eq!(launch.read::<u32>("x"), [5; 64]);
}

/// Resident memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    4096 * text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_launches_leave_nothing_behind() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<uniform> n: u32;
        @compute @workgroup_size(1) fn f() { x[0] += n; }";
    let kernel = load(&gpu, wgsl);
    let run = |rounds: u32| {
        for round in 0..rounds {
            let memory = upload(&gpu, &[round; 256]);
            let arguments = vec![
                Argument::Region(Region::device(memory, 0..1024)),
                Argument::Value(bytemuck::bytes_of(&round).into()),
            ];
            let block = Arc::new(HostBlock::zeroed(1024).unwrap());
            let list = vec![
                Command::Dispatch(Dispatch { kernel, grid: ONE, range: 0..1, arguments }),
                fetch(memory, &block),
            ];
            execute(&gpu, list).unwrap();
            assert_eq!(block.words()[0].load(std::sync::atomic::Ordering::Relaxed), 2 * round);
            gpu.free(memory);
        }
    };
    run(2000);
    let before = resident();
    run(10_000);
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more after 10,000 launches");
}

#[test]
fn a_list_uses_its_temporaries_again() {
    // Room for the memory and few copies of it.
    let gpu = gpu_with(Settings { memory: Some(8 << 20), ..Settings::default() });
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(1) fn f() { x[0] += 1u; }";
    let words = 1 << 18;
    let memory = gpu.allocate(4 * words).unwrap();
    let clear = Command::Fill { to: Region::device(memory, 0..4 * words), word: 0 };
    let launch = Launch::new(&gpu, wgsl).view("x", memory, 4..4 * words);
    let list = std::iter::once(clear).chain((0..100).map(|_| launch.dispatch(ONE, 0..1))).collect();
    execute(&gpu, list).unwrap();
    assert_eq!(download::<u32>(&gpu, memory, 0..12), [0, 100, 0]);
    assert_eq!(gpu.copies(), 200);
}

#[test]
fn values_stay_as_they_were_submitted_whoever_else_submits() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<uniform> n: u32;
        @compute @workgroup_size(1) fn f() {
            for (var i = 0u; i < 2000u; i++) { if x[0] == 0xffffffffu { return; } }
            x[0] = n;
        }";
    let kernel = load(&gpu, wgsl);
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let gpu = &gpu;
            scope.spawn(move || {
                let memories: Vec<_> = (0..400).map(|_| upload(gpu, &[0u32; 64])).collect();
                let fences: Vec<_> = (0u32..)
                    .zip(&memories)
                    .map(|(i, &memory)| {
                        let value = thread * 1000 + i;
                        let arguments = vec![
                            Argument::Region(Region::device(memory, 0..256)),
                            Argument::Value(bytemuck::bytes_of(&value).into()),
                        ];
                        send(
                            gpu,
                            vec![Command::Dispatch(Dispatch { kernel, grid: ONE, range: 0..1, arguments })],
                        )
                    })
                    .collect();
                for (i, (memory, fence)) in (0u32..).zip(memories.into_iter().zip(fences)) {
                    gpu.wait(fence).unwrap();
                    assert_eq!(download::<u32>(gpu, memory, 0..4), [thread * 1000 + i]);
                    gpu.free(memory);
                }
            });
        }
    });
}

#[test]
fn a_list_of_many_values_takes_linear_time() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<uniform> n: u32;
        @compute @workgroup_size(1) fn f() { x[0] += n; }";
    let (kernel, memory) = (load(&gpu, wgsl), upload(&gpu, &[0u32; 4]));
    let region = Region::device(memory, 0..16);
    let add = |n: u32| {
        let arguments =
            vec![Argument::Region(region.clone()), Argument::Value(bytemuck::bytes_of(&n).into())];
        Command::Dispatch(Dispatch { kernel, grid: ONE, range: 0..1, arguments })
    };
    for (first, count) in [(0, 20_000), (30_000, 1000), (0, 1000)] {
        // Two lists in flight, of different values in the same places.
        let start = std::time::Instant::now();
        send(&gpu, (first..first + count).map(add).collect());
        execute(&gpu, (100_000..100_000 + count).map(add).collect()).unwrap();
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
        gpu.trim();
    }
    let sum = |first: u32, count: u32| (first..first + count).fold(0u32, u32::wrapping_add);
    let expected = [(0, 20_000), (30_000, 1000), (0, 1000)].into_iter().fold(0u32, |all, (first, count)| {
        all.wrapping_add(sum(first, count)).wrapping_add(sum(100_000, count))
    });
    assert_eq!(download::<u32>(&gpu, memory, 0..4), [expected]);
}
