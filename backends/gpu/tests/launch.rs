//! Launches: grids, slices, exact `over`, values, timing, threads.

mod common;

use common::{Launch, download, execute, gpu, gpu_with, load, upload};
use warpweft_gpu::{Settings, Timestamps};
use warpweft_hal::{Command, Device, Grid, Region, Submission, Submitted, TimingSource};

const SAXPY: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> a: f32;
@compute @workgroup_size(64) fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] += a * x[id.x]; }";

/// Every invocation says where it believes to be.
const WHERE: &str = "
struct Inputs { @builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32> }
@group(0) @binding(0) var<storage, read_write> out: array<array<u32, 4>>;
@group(0) @binding(1) var<uniform> size: vec3<u32>;
@compute @workgroup_size(4, 2, 2)
fn main(in: Inputs, @builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
    let i = (id.z * size.y + id.y) * size.x + id.x;
    out[i][0] += 1u;
    out[i][1] = in.w.x + 1000u * in.w.y + 1000000u * in.w.z;
    out[i][2] = in.n.x + 1000u * in.n.y + 1000000u * in.n.z;
    out[i][3] = l.x + 10u * l.y + 100u * l.z;
}";

fn expected(size: [u32; 3], grid: [u32; 3], over: [u32; 3]) -> Vec<[u32; 4]> {
    let [n, w] = [grid, size].map(|_| grid[0] + 1000 * grid[1] + 1_000_000 * grid[2]);
    assert_eq!(n, w);
    let mut all = Vec::new();
    for z in 0..size[2] {
        for y in 0..size[1] {
            for x in 0..size[0] {
                let inside = x < over[0] && y < over[1] && z < over[2];
                let (wx, wy, wz) = (x / 4, y / 2, z / 2);
                all.push(if inside {
                    [1, wx + 1000 * wy + 1_000_000 * wz, n, x % 4 + 10 * (y % 2) + 100 * (z % 2)]
                } else {
                    [0; 4]
                });
            }
        }
    }
    all
}

#[test]
fn saxpy() {
    let gpu = gpu();
    let n = 100_001u32;
    let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let y: Vec<f32> = (0..n).map(|i| 0.5 * i as f32).collect();
    let launch = Launch::new(&gpu, SAXPY).bind("x", &x).bind("y", &y).value("a", 2.0f32);
    launch.over([n, 1, 1]);
    let expected: Vec<f32> = (0..n).map(|i| 2.5 * i as f32).collect();
    assert_eq!(launch.read::<f32>("y"), expected);
}

#[test]
fn slices_of_a_grid_make_the_whole() {
    let gpu = gpu();
    let grid = Grid { workgroups: [5, 3, 2], over: None };
    let size = [20, 6, 4];
    for cuts in [vec![0, 30], vec![0, 1, 30], vec![0, 7, 8, 19, 30], (0..=30).collect()] {
        let launch = Launch::new(&gpu, WHERE)
            .bind("out", &vec![[0u32; 4]; 480])
            .value("size", [size[0], size[1], size[2], 0]);
        let slices = cuts.windows(2).map(|w| launch.dispatch(grid, w[0]..w[1])).collect();
        execute(&gpu, slices).unwrap();
        assert_eq!(launch.read::<[u32; 4]>("out"), expected(size, grid.workgroups, size), "{cuts:?}");
    }
}

#[test]
fn over_is_exact_in_every_dimension() {
    let gpu = gpu();
    for over in [[1, 1, 1], [17, 1, 1], [4, 2, 2], [13, 5, 1], [13, 5, 3], [3, 1, 7]] {
        let grid = common::grid_over(over, [4, 2, 2]);
        let size = [grid.workgroups[0] * 4, grid.workgroups[1] * 2, grid.workgroups[2] * 2];
        let cells = size.iter().product::<u32>() as usize;
        for cut in [grid.len(), grid.len() / 2] {
            let launch = Launch::new(&gpu, WHERE)
                .bind("out", &vec![[0u32; 4]; cells])
                .value("size", [size[0], size[1], size[2], 0]);
            execute(&gpu, vec![launch.dispatch(grid, 0..cut), launch.dispatch(grid, cut..grid.len())])
                .unwrap();
            assert_eq!(
                launch.read::<[u32; 4]>("out"),
                expected(size, grid.workgroups, over),
                "{over:?} cut at {cut}"
            );
        }
    }
}

#[test]
fn a_grid_may_be_wider_than_the_device() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>,
                                            @builtin(num_workgroups) n: vec3<u32>) { out[id.x] += id.x ^ n.x; }";
    for n in [65_535u32, 65_536, 200_003, 3_000_000] {
        let launch = Launch::new(&gpu, wgsl).bind("out", &vec![0u32; n as usize]);
        launch.over([n, 1, 1]);
        assert_eq!(launch.read::<u32>("out"), (0..n).map(|i| i ^ n).collect::<Vec<_>>());
    }
}

#[test]
fn an_empty_range_runs_nothing_and_is_done() {
    let gpu = gpu();
    let launch =
        Launch::new(&gpu, SAXPY).bind("x", &[1.0f32; 64]).bind("y", &[0.0f32; 64]).value("a", 1.0f32);
    let grid = Grid { workgroups: [1, 1, 1], over: None };
    // SAFETY: no host memory is named.
    let submission = unsafe { Submission::new(vec![launch.dispatch(grid, 1..1)]) };
    let Submitted::Done(completion) = gpu.submit(submission).unwrap() else { panic!("it should be done") };
    assert_eq!(completion.dispatches.len(), 1);
    assert_eq!(launch.read::<f32>("y"), vec![0.0; 64]);
}

#[test]
fn barriers_and_workgroup_memory_work_under_slices() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> sums: array<u32>;
        var<workgroup> tile: array<u32, 64>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>,
            @builtin(local_invocation_index) l: u32, @builtin(workgroup_id) w: vec3<u32>) {
            tile[l] = x[id.x];
            for (var half = 32u; half > 0u; half /= 2u) {
                workgroupBarrier();
                if (l < half) { tile[l] += tile[l + half]; }
            }
            if (l == 0u) { sums[w.x] = tile[0]; }
        }";
    let x: Vec<u32> = (0..64 * 37).map(|i: u32| i.wrapping_mul(2_654_435_761) >> 8).collect();
    let launch = Launch::new(&gpu, wgsl).bind("x", &x).bind("sums", &[0u32; 37]);
    let grid = Grid { workgroups: [37, 1, 1], over: None };
    execute(&gpu, vec![launch.dispatch(grid, 20..37), launch.dispatch(grid, 0..20)]).unwrap();
    let expected: Vec<u32> = x.chunks(64).map(|c| c.iter().sum()).collect();
    assert_eq!(launch.read::<u32>("sums"), expected);
}

#[test]
fn each_dispatch_of_a_list_sees_its_own_value() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @group(1) @binding(3) var<uniform> step: vec2<u32>;
        @compute @workgroup_size(1) fn main() { out[step.x] = out[step.x] * 10u + step.y; }";
    let out = upload(&gpu, &[0u32; 400]);
    let grid = Grid { workgroups: [1, 1, 1], over: None };
    // More values than the device keeps, some of them twice, in several lists in flight at once.
    let fences: Vec<_> = (0..3u32)
        .map(|round| {
            let commands = (0..400u32)
                .map(|i| {
                    let launch =
                        Launch::new(&gpu, wgsl).view("out", out, 0..1600).value("step", [i, round + 1]);
                    launch.dispatch(grid, 0..1)
                })
                .collect();
            // SAFETY: no host memory is named.
            let Submitted::Pending(fence) = gpu.submit(unsafe { Submission::new(commands) }).unwrap() else {
                panic!("a list of dispatches is never done at once")
            };
            fence
        })
        .collect();
    for fence in fences {
        gpu.wait(fence).unwrap();
    }
    assert_eq!(download::<u32>(&gpu, out, 0..1600), vec![123; 400]);
}

#[test]
fn dispatches_are_timed_one_by_one() {
    for (timestamps, source) in
        [(Timestamps::Always, TimingSource::Timestamp), (Timestamps::Never, TimingSource::RoundTrip)]
    {
        let gpu = gpu_with(Settings { timestamps, ..Settings::default() });
        if !gpu.info().timestamps {
            assert_ne!(gpu.info().name, "llvmpipe", "lavapipe has timestamps");
        }
        let n = 1 << 20;
        let x = upload(&gpu, &vec![1.0f32; n]);
        let y = upload(&gpu, &vec![1.0f32; n]);
        let bytes = 4 * n as u64;
        let launch =
            Launch::new(&gpu, SAXPY).view("x", x, 0..bytes).view("y", y, 0..bytes).value("a", 1.0f32);
        let grid = Grid { workgroups: [n as u32 / 64, 1, 1], over: None };
        let fill = Command::Fill { to: Region::device(x, 0..bytes), word: 0 };
        let commands = vec![
            launch.dispatch(grid, 0..grid.len()),
            fill,
            launch.dispatch(grid, 0..0),
            launch.dispatch(grid, 0..1),
        ];
        let completion = execute(&gpu, commands).unwrap();
        let timings = completion.dispatches;
        assert_eq!(timings.len(), 3);
        let source = if gpu.info().timestamps { source } else { TimingSource::RoundTrip };
        assert_eq!([timings[0].source, timings[2].source], [source; 2]);
        assert!(timings[0].seconds > 0.0 && timings[0].seconds < 60.0, "{timings:?}");
        assert_eq!(timings[1].seconds, 0.0);
    }
}

#[test]
fn a_list_may_ask_to_be_timed() {
    let gpu = gpu_with(Settings { timestamps: Timestamps::Never, ..Settings::default() });
    let launch =
        Launch::new(&gpu, SAXPY).bind("x", &[1.0f32; 64]).bind("y", &[0.0f32; 64]).value("a", 1.0f32);
    let grid = Grid { workgroups: [1, 1, 1], over: None };
    for timed in [true, false] {
        // SAFETY: no host memory is named.
        let mut list = unsafe { Submission::new(vec![launch.dispatch(grid, 0..1)]) };
        list.timed = timed;
        let Submitted::Pending(fence) = gpu.submit(list).unwrap() else {
            panic!("a dispatch takes a moment")
        };
        let source = gpu.wait(fence).unwrap().dispatches[0].source;
        let stamped = timed && gpu.info().timestamps;
        assert_eq!(source == TimingSource::Timestamp, stamped);
    }
}

#[test]
fn a_completion_is_handed_out_once() {
    let gpu = gpu();
    let memory = upload(&gpu, &[1u32; 64]);
    // SAFETY: no host memory is named.
    let list =
        unsafe { Submission::new(vec![Command::Fill { to: Region::device(memory, 0..256), word: 7 }]) };
    let Submitted::Pending(fence) = gpu.submit(list).unwrap() else { panic!("filling takes a moment") };
    gpu.wait(fence).unwrap();
    assert_eq!(gpu.poll(fence).unwrap().unwrap().dispatches, []);
    assert!(gpu.wait(warpweft_hal::Fence(u64::MAX)).is_err());
}

#[test]
fn threads_submit_at_once() {
    let gpu = gpu();
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let gpu = &gpu;
            scope.spawn(move || {
                for round in 0..20u32 {
                    let n = 1000 + 77 * thread + round;
                    let x = vec![thread as f32; n as usize];
                    let launch = Launch::new(gpu, SAXPY).bind("x", &x).bind("y", &x).value("a", round as f32);
                    launch.over([n, 1, 1]);
                    assert_eq!(launch.read::<f32>("y"), vec![(thread * (round + 1)) as f32; n as usize]);
                }
            });
        }
    });
}

#[test]
fn the_same_program_is_compiled_once() {
    let gpu = gpu();
    let ids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| load(&gpu, SAXPY))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    for _ in 0..3 {
        gpu.unload(ids[0]);
    }
    assert_eq!(load(&gpu, SAXPY), ids[0], "a user is left");
    gpu.unload(ids[0]);
    gpu.unload(ids[0]);
    gpu.unload(ids[0]);
    assert_ne!(load(&gpu, SAXPY), ids[0]);
}
