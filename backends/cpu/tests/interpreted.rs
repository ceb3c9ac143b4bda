//! Kernels through the interpreter, on one thread and on many.

mod harness;

use std::sync::Arc;
use std::time::Duration;

use harness::*;
use rayon::prelude::*;
use warpweft_cpu::{Cpu, Settings};
use warpweft_hal::{Argument, Command, Device, Error, Grid, Path};

/// `y += a x` over `n` elements; the result.
fn saxpy_on(cpu: &Cpu, n: usize) -> Vec<f32> {
    let loaded = load(cpu, SAXPY, None);
    assert_eq!(loaded.path, Path::Interpreter);
    let x: Vec<f32> = (0..n).map(|i| (i as f32).sqrt()).collect();
    let (x, y) = (block(&x), block(&vec![0.1f32; n]));
    let arguments = vec![value(1.7f32), Argument::Region(whole(&x)), Argument::Region(whole(&y))];
    run(cpu, dispatch(loaded.kernel, n.div_ceil(64) as u32, arguments)).unwrap();
    cpu.unload(loaded.kernel);
    assert_eq!(Arc::strong_count(&y), 1, "nothing holds the memory when the work is done");
    read(&y)
}

/// Sizes around a workgroup, and around where work begins to be shared.
const SIZES: [usize; 8] = [1, 2, 63, 64, 65, 1000, 4097, 100_003];

fn saxpy_expected(n: usize) -> Vec<f32> {
    (0..n).map(|i| 0.1 + 1.7 * (i as f32).sqrt()).collect()
}

#[test]
fn results_are_the_same_for_any_number_of_threads_and_for_native_code() {
    for n in SIZES {
        for threads in [1, 2, 5] {
            let cpu = cpu(threads);
            assert_eq!(saxpy_on(&cpu, n), saxpy_expected(n), "{n} elements on {threads} threads");
        }
        let cpu = cpu(2);
        let x: Vec<f32> = (0..n).map(|i| (i as f32).sqrt()).collect();
        let (x, y) = (block(&x), block(&vec![0.1f32; n]));
        let arguments = vec![value(1.7f32), Argument::Region(whole(&x)), Argument::Region(whole(&y))];
        let kernel = load(&cpu, SAXPY, Some(Arc::new(saxpy))).kernel;
        run(&cpu, dispatch(kernel, n.div_ceil(64) as u32, arguments)).unwrap();
        assert_eq!(read::<f32>(&y), saxpy_expected(n), "{n} elements in native code");
    }
}

const IDS: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<vec4u>;
    @compute @workgroup_size(4, 2, 1)
    fn ids(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) w: vec3u,
           @builtin(num_workgroups) n: vec3u) {
        let width = 4 * n.x;
        let height = 2 * n.y;
        out[id.x + width * (id.y + height * id.z)] = vec4u(id, 1 + w.x + n.x * (w.y + n.y * w.z));
    }";

/// What `IDS` writes when workgroups of the grid run, given as start and end of each range.
fn ids(threads: usize, grid: Grid, ranges: &[(u64, u64)]) -> Vec<[u32; 4]> {
    let cpu = cpu(threads);
    let kernel = load(&cpu, IDS, None).kernel;
    let out = block(&vec![[0u32; 4]; 8 * grid.len() as usize]);
    let commands = ranges.iter().map(|range| {
        let mut dispatch = dispatch(kernel, 1, vec![Argument::Region(whole(&out))]);
        (dispatch.grid, dispatch.range) = (grid, range.0..range.1);
        Command::Dispatch(dispatch)
    });
    submit(&cpu, commands.collect()).unwrap();
    read(&out)
}

#[test]
fn slices_of_a_grid_equal_the_whole() {
    let grid = Grid { workgroups: [30, 20, 10], over: None };
    let whole = ids(3, grid, &[(0, 6000)]);
    for (i, &[x, y, z, w]) in whole.iter().enumerate() {
        let i = i as u32;
        assert_eq!([x, y, z], [i % 120, i / 120 % 40, i / 4800]);
        assert_eq!(w, 1 + x / 4 + 30 * (y / 2 + 20 * z));
    }
    assert_eq!(ids(3, grid, &[(0, 1), (1, 77), (77, 5999), (5999, 6000)]), whole);
    assert_eq!(ids(1, grid, &[(3000, 6000), (0, 3000)]), whole);
    let part = ids(2, grid, &[(100, 5000)]);
    let expected = whole.iter().map(|id| if (101..=5000).contains(&id[3]) { *id } else { [0; 4] });
    assert_eq!(part, expected.collect::<Vec<_>>());
}

#[test]
fn invocations_beyond_an_exact_grid_take_no_effect() {
    let free = ids(2, Grid { workgroups: [30, 20, 10], over: None }, &[(0, 6000)]);
    let over = [117, 39, 9];
    let exact = ids(2, Grid { workgroups: [30, 20, 10], over: Some(over) }, &[(0, 6000)]);
    let inside = |id: &[u32; 4]| (0..3).all(|axis| id[axis] < over[axis]);
    assert_eq!(exact, free.iter().map(|id| if inside(id) { *id } else { [0; 4] }).collect::<Vec<_>>());
}

/// Workgroup 37 fails late, workgroup 137 at once.
const DIVERGENT: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(64)
    fn diverge(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) w: vec3u) {
        var n = select(0u, 20000u, w.x == 37);
        while n > 0 { n -= 1; }
        if w.x % 100 == 37 && i < 3 {
            workgroupBarrier();
        }
        out[w.x] = n;
    }";

#[test]
fn a_divergent_barrier_is_reported_where_it_stands_and_for_the_first_workgroup() {
    let report = |threads: usize, first: u64| {
        let cpu = cpu(threads);
        let kernel = load(&cpu, DIVERGENT, None).kernel;
        let mut dispatch = dispatch(kernel, 20_000, vec![Argument::Region(whole(&block(&[0u32])))]);
        dispatch.range.start = first;
        match run(&cpu, dispatch).unwrap_err() {
            Error::Execution { kernel, reason, .. } => {
                assert_eq!(kernel, "diverge");
                assert!(reason.contains("test.wgsl:8:"), "{reason}");
                reason
            }
            other => panic!("{other}"),
        }
    };
    let first = report(1, 0);
    for _ in 0..5 {
        assert_eq!(report(4, 0), first);
    }
    assert_ne!(report(4, 38), first, "the report names the workgroup");
}

/// The first workgroup waits for the last.
const BACKWARD: &str = "
    @group(0) @binding(0) var<storage, read_write> done: atomic<u32>;
    @compute @workgroup_size(1)
    fn backward(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u) {
        if w.x == 0 {
            while atomicLoad(&done) == 0 {}
        }
        if w.x == n.x - 1 { atomicStore(&done, 1u); }
    }";

#[test]
fn a_large_launch_is_shared_with_other_threads() {
    let settings = Settings { threads: Some(2), time_limit: Some(Duration::from_secs(60)), ..interpreting() };
    let cpu = Cpu::new(settings).unwrap();
    let kernel = load(&cpu, BACKWARD, None).kernel;
    let done = block(&[0u32]);
    run(&cpu, dispatch(kernel, 10_000, vec![Argument::Region(whole(&done))])).unwrap();
    assert_eq!(read::<u32>(&done), [1]);
}

/// Workgroup 5 fails after a while, and those after it never end.
const DOOMED: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(2)
    fn doomed(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) w: vec3u) {
        while w.x > 5 && out[0] == 0 {}
        var n = select(0u, 1000000u, w.x == 5);
        while n > 0 { n -= 1; }
        if w.x == 5 && i == 0 { workgroupBarrier(); }
    }";

#[test]
fn a_failure_stops_the_workgroups_after_it() {
    let (report, reported) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let cpu = cpu(4);
        let kernel = load(&cpu, DOOMED, None).kernel;
        let out = block(&[0u32]);
        report.send(run(&cpu, dispatch(kernel, 10_000, vec![Argument::Region(whole(&out))]))).unwrap();
    });
    let error = reported.recv_timeout(Duration::from_secs(60)).expect("it ends").unwrap_err();
    assert!(matches!(&error, Error::Execution { reason, .. } if reason.contains("test.wgsl:8:")), "{error}");
}

const ENDLESS: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1)
    fn endless(@builtin(workgroup_id) w: vec3u) {
        var i = 0u;
        while out[0] == 0 { i += 1; }
        out[1] = i;
    }";

#[test]
fn an_endless_loop_ends_by_the_time_limit() {
    let limit = Duration::from_millis(50);
    for threads in [1, 3] {
        let settings = Settings { threads: Some(threads), time_limit: Some(limit), ..interpreting() };
        let cpu = Cpu::new(settings).unwrap();
        let kernel = load(&cpu, ENDLESS, None).kernel;
        let out = block(&[0u32; 2]);
        for workgroups in [1, 10_000] {
            let command =
                || vec![Command::Dispatch(dispatch(kernel, workgroups, vec![Argument::Region(whole(&out))]))];
            let error = cpu.submit(submission(command())).unwrap_err();
            assert!(matches!(error, Error::Timeout { limit: l, .. } if l == limit), "{error}");
            // A limit of its own comes before the device's.
            let mut short = submission(command());
            short.time_limit = Some(Duration::from_millis(5));
            let error = cpu.submit(short).unwrap_err();
            assert!(matches!(error, Error::Timeout { limit, .. } if limit.as_millis() == 5), "{error}");
        }
        assert_eq!(saxpy_on(&cpu, 1000), saxpy_expected(1000), "the device goes on");
    }
}

#[test]
fn no_command_starts_after_the_limit() {
    let cpu = cpu(1);
    let kernel = load(&cpu, ENDLESS, None).kernel;
    let out = block(&[0u32; 2]);
    let mut late = submission(vec![
        Command::Dispatch(dispatch(kernel, 1, vec![Argument::Region(whole(&out))])),
        Command::Fill { to: whole(&out), word: 1 },
    ]);
    late.time_limit = Some(Duration::from_millis(1));
    assert!(matches!(cpu.submit(late), Err(Error::Timeout { .. })));
    assert_eq!(read::<u32>(&out), [0, 0]);
}

/// Each workgroup waits for the one before, as the single-pass scans do.
const CHAINED: &str = "
    @group(0) @binding(0) var<storage, read_write> flags: array<atomic<u32>>;
    @group(0) @binding(1) var<storage, read_write> sums: array<u32>;
    @compute @workgroup_size(1)
    fn chained(@builtin(workgroup_id) w: vec3u) {
        var before = 0u;
        if w.x > 0 {
            while atomicLoad(&flags[w.x - 1]) == 0 {}
            before = atomicLoad(&flags[w.x - 1]) - 1;
        }
        sums[w.x] = before + w.x;
        atomicStore(&flags[w.x], before + w.x + 1);
    }";

#[test]
fn workgroups_that_wait_for_earlier_ones_make_progress() {
    let n = 5000;
    let expected: Vec<u32> = (0..n)
        .scan(0, |sum, i| {
            *sum += i;
            Some(*sum)
        })
        .collect();
    for threads in [1, 2, 8] {
        let settings =
            Settings { threads: Some(threads), time_limit: Some(Duration::from_secs(120)), ..interpreting() };
        let cpu = Cpu::new(settings).unwrap();
        let kernel = load(&cpu, CHAINED, None).kernel;
        let (flags, sums) = (block(&vec![0u32; n as usize]), block(&vec![0u32; n as usize]));
        let arguments = vec![Argument::Region(whole(&flags)), Argument::Region(whole(&sums))];
        run(&cpu, dispatch(kernel, n, arguments)).unwrap();
        assert_eq!(read::<u32>(&sums), expected, "{threads} threads");
    }
}

#[test]
fn it_may_be_called_from_inside_any_rayon_pool() {
    let n = 50_000;
    for threads in [1, 3] {
        let cpu = cpu(3);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| saxpy_on(&cpu, n)), saxpy_expected(n));
        let all: Vec<_> = pool.install(|| (0..8).into_par_iter().map(|_| saxpy_on(&cpu, n)).collect());
        assert!(all.iter().all(|y| *y == saxpy_expected(n)));
    }
}

#[test]
fn eight_threads_may_submit_at_once() {
    for threads in [1, 2] {
        let cpu = cpu(threads);
        std::thread::scope(|scope| {
            for i in 0..8 {
                let cpu = &cpu;
                scope.spawn(move || {
                    for n in SIZES {
                        assert_eq!(saxpy_on(cpu, n + i), saxpy_expected(n + i));
                    }
                });
            }
        });
    }
}

#[test]
fn a_kernel_is_loaded_once_and_stays_until_its_last_unload() {
    let cpu = cpu(1);
    let first = load(&cpu, IDS, None).kernel;
    assert_eq!(load(&cpu, IDS, None).kernel, first);
    let run_once = || {
        let out = block(&[[0u32; 4]; 8]);
        run(&cpu, dispatch(first, 1, vec![Argument::Region(whole(&out))]))
    };
    cpu.unload(first);
    assert!(run_once().is_ok());
    cpu.unload(first);
    assert!(matches!(run_once(), Err(Error::Internal { .. })));
}

const SUBGROUP: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1)
    fn size(@builtin(subgroup_size) size: u32) { out[0] = size; }";

#[test]
fn subgroups_have_the_size_that_the_settings_say() {
    for subgroup_size in [4, 32, 128] {
        let cpu = Cpu::new(Settings { subgroup_size, ..interpreting() }).unwrap();
        let out = block(&[0u32]);
        let kernel = load(&cpu, SUBGROUP, None).kernel;
        run(&cpu, dispatch(kernel, 1, vec![Argument::Region(whole(&out))])).unwrap();
        assert_eq!(read::<u32>(&out), [subgroup_size]);
        assert_eq!(cpu.info().subgroup_sizes, [subgroup_size; 2]);
    }
}
