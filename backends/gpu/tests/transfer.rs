//! Bytes: round trips, order within a list, fills and copies, views that wgpu forbids, reuse.

mod common;

use std::sync::Arc;

use common::{Launch, download, execute, gpu, upload};
use warpweft_hal::{Command, Device, Error, Grid, HostBlock, Region};

const ADD: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) { y[id.x] += x[id.x]; }
}";

fn words(n: u32) -> Vec<u32> {
    (0..n).map(|i| i.wrapping_mul(2_654_435_761)).collect()
}

#[test]
fn bytes_come_back_as_they_went() {
    let gpu = gpu();
    for n in [1, 2, 63, 1000, 100_000, 5_000_001] {
        let data = words(n);
        let memory = upload(&gpu, &data);
        assert!(download::<u32>(&gpu, memory, 0..4 * u64::from(n)) == data, "{n} words");
        let last = 4 * u64::from(n) - 4;
        assert_eq!(download::<u32>(&gpu, memory, last..last + 4), data[n as usize - 1..]);
        gpu.free(memory);
    }
}

#[test]
fn a_list_executes_in_its_order() {
    let gpu = gpu();
    let memory = upload(&gpu, &[1u32; 256]);
    let ones = upload(&gpu, &[1u32; 256]);
    let launch = Launch::new(&gpu, ADD).view("y", memory, 0..1024).view("x", ones, 0..1024);
    let grid = Grid { workgroups: [4, 1, 1], over: None };
    let fives = Arc::new(HostBlock::from_vec(vec![5u32; 256]).unwrap());
    let seen: Vec<_> = (0..6).map(|_| Arc::new(HostBlock::zeroed(1024).unwrap())).collect();
    let whole = || Region::device(memory, 0..1024);
    let look = |i: usize| Command::Download { from: whole(), to: Region::host(&seen[i], 0..1024) };
    let commands = vec![
        look(0),
        launch.dispatch(grid, 0..4),
        look(1),
        Command::Upload { from: Region::host(&fives, 0..1024), to: whole() },
        look(2),
        launch.dispatch(grid, 0..4),
        launch.dispatch(grid, 0..4),
        look(3),
        Command::Fill { to: whole(), word: 40 },
        launch.dispatch(grid, 0..4),
        look(4),
        Command::Fill { to: whole(), word: 0 },
        launch.dispatch(grid, 0..4),
        look(5),
    ];
    execute(&gpu, commands).unwrap();
    let seen: Vec<Vec<u32>> = seen
        .iter()
        // SAFETY: the list is done.
        .map(|block| bytemuck::pod_collect_to_vec(unsafe { block.bytes(0..1024) }))
        .collect();
    for (seen, expected) in seen.iter().zip([1u32, 2, 5, 7, 41, 1]) {
        assert_eq!(*seen, vec![expected; 256]);
    }
}

#[test]
fn fills_touch_their_range_only() {
    let gpu = gpu();
    for (start, end, word) in [(0, 4, 7), (4, 8, 7), (1020, 1024, 0), (12, 1000, 0xdead_beef), (0, 4000, 3)] {
        let memory = upload(&gpu, &vec![1u32; 1000]);
        execute(&gpu, vec![Command::Fill { to: Region::device(memory, start..end), word }]).unwrap();
        let seen = download::<u32>(&gpu, memory, 0..4000);
        for (i, seen) in seen.iter().enumerate() {
            let inside = (start..end).contains(&(4 * i as u64));
            assert_eq!(*seen, if inside { word } else { 1 }, "word {i} of {start}..{end}");
        }
    }
    // Beyond one row and one window of the filling kernel.
    let bytes = 136 << 20;
    let memory = gpu.allocate(bytes).unwrap();
    execute(&gpu, vec![Command::Fill { to: Region::device(memory, 4..bytes), word: 9 }]).unwrap();
    assert!(download::<u32>(&gpu, memory, 4..bytes).iter().all(|w| *w == 9));
    gpu.free(memory);
}

#[test]
fn copies_between_and_within_memories() {
    let gpu = gpu();
    let data = words(1000);
    let (a, b) = (upload(&gpu, &data), upload(&gpu, &[0u32; 1000]));
    execute(
        &gpu,
        vec![
            Command::Copy { from: Region::device(a, 4..2004), to: Region::device(b, 8..2008) },
            Command::Copy { from: Region::device(a, 0..400), to: Region::device(a, 3600..4000) },
        ],
    )
    .unwrap();
    let seen_b = download::<u32>(&gpu, b, 0..4000);
    assert_eq!(seen_b[2..502], data[1..501]);
    assert!(seen_b[..2].iter().chain(&seen_b[502..]).all(|w| *w == 0));
    let seen_a = download::<u32>(&gpu, a, 0..4000);
    assert_eq!(seen_a[..900], data[..900]);
    assert_eq!(seen_a[900..], data[..100]);
    assert_eq!((gpu.copies(), gpu.copied_bytes()), (1, 400));
}

#[test]
fn views_at_any_word_of_any_memory() {
    let gpu = gpu();
    let data = words(3000);
    let (x, y) = (upload(&gpu, &data), upload(&gpu, &data));
    let before = gpu.copied_bytes();
    // Unaligned on both sides: one copy in for each, one back for what is written.
    let launch = Launch::new(&gpu, ADD).view("y", y, 4..2004).view("x", x, 3996..5996);
    launch.over([500, 1, 1]);
    assert_eq!(gpu.copied_bytes() - before, 3 * 2000);
    let seen = download::<u32>(&gpu, y, 0..12000);
    for (i, seen) in seen.iter().enumerate() {
        let added = if (1..501).contains(&i) { data[i - 1 + 999] } else { 0 };
        assert_eq!(*seen, data[i].wrapping_add(added), "word {i}");
    }
    // Aligned: none.
    let before = gpu.copies();
    let launch = Launch::new(&gpu, ADD).view("y", y, 1024..2048).view("x", x, 256..1280);
    launch.over([256, 1, 1]);
    assert_eq!(gpu.copies(), before);
}

#[test]
fn one_memory_may_be_read_and_written_in_one_dispatch() {
    let gpu = gpu();
    let data = words(1024);
    let memory = upload(&gpu, &data);
    let launch = Launch::new(&gpu, ADD).view("y", memory, 0..1024).view("x", memory, 2048..3072);
    for round in 1..=3u32 {
        launch.over([256, 1, 1]);
        let seen = download::<u32>(&gpu, memory, 0..4096);
        for (i, seen) in seen.iter().enumerate() {
            let added = if i < 256 { data[i + 512].wrapping_mul(round) } else { 0 };
            assert_eq!(*seen, data[i].wrapping_add(added), "word {i} in round {round}");
        }
    }
    assert_eq!((gpu.copies(), gpu.copied_bytes()), (3, 3 * 1024));
}

#[test]
fn freed_memory_is_used_again_and_old_launches_keep_theirs() {
    let gpu = gpu();
    for round in 0..50u32 {
        let memory = upload(&gpu, &[round; 4096]);
        let launch = Launch::new(&gpu, ADD).view("y", memory, 0..16384).bind("x", &[1u32; 4096]);
        let grid = Grid { workgroups: [64, 1, 1], over: None };
        let block = Arc::new(HostBlock::zeroed(16384).unwrap());
        let commands = vec![
            launch.dispatch(grid, 0..64),
            Command::Download { from: Region::device(memory, 0..16384), to: Region::host(&block, 0..16384) },
        ];
        // SAFETY: the block is not looked at before the list is done.
        let submitted = gpu.submit(unsafe { warpweft_hal::Submission::new(commands) }).unwrap();
        gpu.free(memory);
        // The next owner may get the same buffer, and must not disturb the list in flight.
        let next = upload(&gpu, &[99u32; 4096]);
        gpu.free(next);
        let warpweft_hal::Submitted::Pending(fence) = submitted else { panic!("in flight") };
        gpu.wait(fence).unwrap();
        // SAFETY: the list is done.
        let seen: Vec<u32> = bytemuck::pod_collect_to_vec(unsafe { block.bytes(0..16384) });
        assert_eq!(seen, vec![round + 1; 4096]);
    }
    gpu.trim();
    assert_eq!(download::<u32>(&gpu, upload(&gpu, &[1u32, 2, 3]), 0..12), [1, 2, 3]);
}

#[test]
fn what_the_runtime_must_not_do_is_an_error_and_no_panic() {
    let gpu = gpu();
    let memory = upload(&gpu, &[0u32; 4]);
    let block = Arc::new(HostBlock::zeroed(16).unwrap());
    let bad = [
        Command::Fill { to: Region::device(memory, 0..32), word: 1 },
        Command::Fill { to: Region::device(memory, 2..6), word: 1 },
        Command::Fill { to: Region::device(warpweft_hal::MemoryId(999), 0..4), word: 1 },
        Command::Fill { to: Region::host(&block, 0..4), word: 1 },
        Command::Download { from: Region::device(memory, 0..16), to: Region::host(&block, 8..24) },
        Command::Upload { from: Region::host(&block, 8..24), to: Region::device(memory, 0..16) },
    ];
    for command in bad {
        let text = format!("{command:?}");
        assert!(execute(&gpu, vec![command]).is_err(), "{text}");
    }
    let launch = Launch::new(&gpu, ADD);
    let grid = Grid { workgroups: [1, 1, 1], over: None };
    for size in [0, 32] {
        let bound = Launch::new(&gpu, ADD).view("y", memory, 0..size).view("x", memory, 0..16);
        assert!(execute(&gpu, vec![bound.dispatch(grid, 0..1)]).is_err(), "{size} bytes of 16 bound");
    }
    let endless = Grid { workgroups: [u32::MAX, 2, 1], over: None };
    let bound = launch.view("y", memory, 0..16).view("x", memory, 0..16);
    match execute(&gpu, vec![bound.dispatch(endless, 0..1)]) {
        Err(Error::Limit { value, .. }) => assert_eq!(value, endless.len()),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        download::<u32>(&gpu, memory, 0..16),
        [0; 4],
        "the device still works, and nothing was written"
    );
}

#[test]
fn later_uploads_win_whatever_their_size() {
    let gpu = gpu();
    let bytes = 400_000u64;
    for sizes in [[16, 32, 16], [16, bytes, 16], [bytes, 16, bytes], [bytes, bytes, 32], [16, 16, bytes]] {
        let memory = upload(&gpu, &vec![0u32; bytes as usize / 4]);
        let blocks: Vec<_> =
            (1..=3u32).map(|n| Arc::new(HostBlock::from_vec(vec![n; bytes as usize / 4]).unwrap())).collect();
        let commands = blocks.iter().zip(sizes).map(|(block, size)| Command::Upload {
            from: Region::host(block, 0..size),
            to: Region::device(memory, 0..size),
        });
        execute(&gpu, commands.collect()).unwrap();
        let seen = download::<u32>(&gpu, memory, 0..bytes);
        for (i, seen) in seen.iter().enumerate() {
            let last = (0..3).rfind(|&n| 4 * (i as u64) < sizes[n]);
            assert_eq!(*seen, last.map_or(0, |n| n as u32 + 1), "word {i} of {sizes:?}");
        }
        gpu.free(memory);
    }
}
