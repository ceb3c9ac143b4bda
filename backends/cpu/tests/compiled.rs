//! Kernels as machine code: by every generator, on one thread and on many.

mod harness;

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::*;
use rayon::prelude::*;
use warpweft_cpu::{Cpu, CpuPath, Generator, Settings};
use warpweft_hal::{Argument, Command, Device, Error, Grid, Path, Region};

/// A device whose kernels are compiled, and round as the interpreter does.
fn compiling(generator: Generator, threads: usize) -> Cpu {
    let path = CpuPath::Compiled(generator);
    Cpu::new(Settings { threads: Some(threads), path, strict: true, ..Settings::default() }).unwrap()
}

fn generators() -> Vec<Generator> {
    let generators = Generator::available();
    assert!(!generators.is_empty(), "no code generator works here");
    generators
}

/// Sizes around a workgroup, and around where work begins to be shared.
const SIZES: [usize; 8] = [1, 2, 63, 64, 65, 1000, 4097, 200_003];

/// `y += a x` over `n` elements; the result.
fn saxpy_on(cpu: &Cpu, n: usize) -> Vec<f32> {
    let loaded = load(cpu, SAXPY, None);
    assert!(matches!(loaded.path, Path::Compiled { lanes: 1.., .. }), "{:?}: {:?}", loaded.path, loaded.note);
    let x: Vec<f32> = (0..n).map(|i| (i as f32).sqrt()).collect();
    let (x, y) = (block(&x), block(&vec![0.1f32; n]));
    let arguments = vec![value(1.7f32), Argument::Region(whole(&x)), Argument::Region(whole(&y))];
    run(cpu, dispatch(loaded.kernel, n.div_ceil(64) as u32, arguments)).unwrap();
    cpu.unload(loaded.kernel);
    assert_eq!(Arc::strong_count(&y), 1, "nothing holds the memory when the work is done");
    read(&y)
}

fn saxpy_expected(n: usize) -> Vec<f32> {
    (0..n).map(|i| 0.1 + 1.7 * (i as f32).sqrt()).collect()
}

#[test]
fn results_are_the_same_for_any_number_of_threads_and_lanes() {
    for generator in generators() {
        for n in SIZES {
            for threads in [1, 2, 5] {
                let found = saxpy_on(&compiling(generator, threads), n);
                assert_eq!(found, saxpy_expected(n), "{n} elements by {generator} on {threads} threads");
            }
        }
        for lanes in [1, 2, 4, 8, 16, 32, 64] {
            let path = CpuPath::Compiled(generator);
            let settings = Settings { path, strict: true, lanes: Some(lanes), ..Settings::default() };
            let cpu = Cpu::new(settings).unwrap();
            let loaded = load(&cpu, SAXPY, None);
            assert_eq!(loaded.path, Path::Compiled { generator: generator.name(), lanes });
            assert_eq!(saxpy_on(&cpu, 1000), saxpy_expected(1000), "{lanes} lanes by {generator}");
        }
    }
}

const STENCIL: &str = "
    @group(0) @binding(0) var<storage, read> x: array<u32>;
    @group(0) @binding(1) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(64)
    fn stencil(@builtin(global_invocation_id) id: vec3u) {
        if id.x > 0 && id.x + 1 < arrayLength(&y) { y[id.x] = x[id.x - 1] + 3 * x[id.x] + x[id.x + 1]; }
    }";

#[test]
fn what_goes_past_the_caches_arrives() {
    for generator in generators() {
        for threads in [1, 3] {
            let path = CpuPath::Compiled(generator);
            let settings =
                Settings { path, threads: Some(threads), cache: Some(1 << 12), ..Settings::default() };
            let cpu = Cpu::new(settings).unwrap();
            let kernel = load(&cpu, STENCIL, None).kernel;
            for (n, start) in [(1024, 0), (1025, 1), (5000, 2), (5000, 4), (70_003, 15), (70_003, 16)] {
                let x: Vec<u32> = (0..n).map(|i: u32| i.wrapping_mul(2_654_435_761)).collect();
                let (from, to) = (block(&x), block(&vec![7u32; (n + start + 3) as usize]));
                let part = Region::host(&to, 4 * u64::from(start)..4 * u64::from(start + n));
                let arguments = vec![Argument::Region(whole(&from)), Argument::Region(part)];
                run(&cpu, dispatch(kernel, n.div_ceil(64), arguments)).unwrap();
                let mut expected = vec![7u32; (n + start + 3) as usize];
                for (at, three) in x.windows(3).enumerate() {
                    let sum = three[0].wrapping_add(three[1].wrapping_mul(3)).wrapping_add(three[2]);
                    expected[start as usize + at + 1] = sum;
                }
                assert!(read::<u32>(&to) == expected, "{n} elements from word {start} on, by {generator}");
            }
        }
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
fn ids(cpu: &Cpu, grid: Grid, ranges: &[(u64, u64)]) -> Vec<[u32; 4]> {
    let kernel = load(cpu, IDS, None).kernel;
    let out = block(&vec![[0u32; 4]; 8 * grid.len() as usize]);
    let commands = ranges.iter().map(|range| {
        let mut dispatch = dispatch(kernel, 1, vec![Argument::Region(whole(&out))]);
        (dispatch.grid, dispatch.range) = (grid, range.0..range.1);
        Command::Dispatch(dispatch)
    });
    submit(cpu, commands.collect()).unwrap();
    read(&out)
}

#[test]
fn slices_of_a_grid_and_exact_grids_are_as_interpreted() {
    for over in [None, Some([117, 39, 9])] {
        let grid = Grid { workgroups: [30, 20, 10], over };
        let expected = ids(&cpu(2), grid, &[(0, 6000)]);
        for generator in generators() {
            let cpu = compiling(generator, 3);
            assert_eq!(ids(&cpu, grid, &[(0, 6000)]), expected, "{generator}, {over:?}");
            assert_eq!(ids(&cpu, grid, &[(0, 1), (1, 77), (77, 5999), (5999, 6000)]), expected);
            let part = ids(&cpu, grid, &[(100, 5000)]);
            let expected = expected.iter().map(|id| if (101..=5000).contains(&id[3]) { *id } else { [0; 4] });
            assert_eq!(part, expected.collect::<Vec<_>>(), "{generator}, {over:?}");
        }
    }
}

/// The first workgroup waits for the last.
const BACKWARD: &str = "
    @group(0) @binding(0) var<storage, read_write> done: atomic<u32>;
    @compute @workgroup_size(64)
    fn backward(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u) {
        if w.x == 0 {
            while atomicLoad(&done) == 0 {}
        }
        if w.x == n.x - 1 { atomicStore(&done, 1u); }
    }";

#[test]
fn a_large_launch_is_shared_with_other_threads() {
    for generator in generators() {
        let settings = Settings {
            threads: Some(2),
            time_limit: Some(Duration::from_secs(60)),
            path: CpuPath::Compiled(generator),
            ..Settings::default()
        };
        let cpu = Cpu::new(settings).unwrap();
        let kernel = load(&cpu, BACKWARD, None).kernel;
        let done = block(&[0u32]);
        run(&cpu, dispatch(kernel, 100_000, vec![Argument::Region(whole(&done))])).unwrap();
        assert_eq!(read::<u32>(&done), [1]);
    }
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
    let n = 2000;
    let expected: Vec<u32> = (0..n).map(|i| (u64::from(i) * u64::from(i + 1) / 2) as u32).collect();
    for generator in generators() {
        for threads in [1, 2, 4] {
            let settings = Settings {
                threads: Some(threads),
                time_limit: Some(Duration::from_secs(120)),
                path: CpuPath::Compiled(generator),
                ..Settings::default()
            };
            let cpu = Cpu::new(settings).unwrap();
            let kernel = load(&cpu, CHAINED, None).kernel;
            let (flags, sums) = (block(&vec![0u32; n as usize]), block(&vec![0u32; n as usize]));
            let arguments = vec![Argument::Region(whole(&flags)), Argument::Region(whole(&sums))];
            run(&cpu, dispatch(kernel, n, arguments)).unwrap();
            assert_eq!(read::<u32>(&sums), expected, "{generator}, {threads} threads");
        }
    }
}

const ENDLESS: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1)
    fn endless(@builtin(workgroup_id) w: vec3u) {
        var i = 0u;
        while out[0] == 0 { i += 1; }
        out[1] = i;
    }";

/// Ends some day: nobody will see it.
const HUGE: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(64)
    fn huge(@builtin(global_invocation_id) id: vec3u) {
        var x = id.x;
        for (var i = 0u; i < 4000000000u; i++) {
            for (var j = 0u; j < 4000000000u; j++) { x = x * 1664525u + (i ^ j); }
        }
        out[id.x] = x;
    }";

#[test]
fn an_endless_loop_ends_by_the_time_limit() {
    let limit = Duration::from_millis(50);
    for generator in generators() {
        for (wgsl, threads) in [(ENDLESS, 1), (ENDLESS, 3), (HUGE, 1), (HUGE, 2)] {
            let settings = Settings {
                threads: Some(threads),
                time_limit: Some(limit),
                path: CpuPath::Compiled(generator),
                strict: true,
                ..Settings::default()
            };
            let cpu = Cpu::new(settings).unwrap();
            let kernel = load(&cpu, wgsl, None).kernel;
            let out = block(&[0u32; 2]);
            for workgroups in [1, 10_000] {
                let start = Instant::now();
                let command = dispatch(kernel, workgroups, vec![Argument::Region(whole(&out))]);
                let error = run(&cpu, command).unwrap_err();
                assert!(matches!(error, Error::Timeout { limit: l, .. } if l == limit), "{error}");
                assert!(start.elapsed() < Duration::from_secs(30), "{generator} stopped late");
            }
            assert_eq!(saxpy_on(&cpu, 1000), saxpy_expected(1000), "the device goes on");
        }
    }
}

#[test]
fn it_may_be_called_from_inside_any_rayon_pool() {
    let n = 200_000;
    for threads in [1, 3] {
        let cpu = compiling(generators()[0], 3);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| saxpy_on(&cpu, n)), saxpy_expected(n));
        let all: Vec<_> = pool.install(|| (0..8).into_par_iter().map(|_| saxpy_on(&cpu, n)).collect());
        assert!(all.iter().all(|y| *y == saxpy_expected(n)));
    }
}

#[test]
fn eight_threads_may_submit_at_once() {
    for threads in [1, 2] {
        let cpu = compiling(generators()[0], threads);
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

const SUBGROUP: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1)
    fn size(@builtin(subgroup_size) size: u32) { out[0] = size; }";

#[test]
fn subgroups_are_as_large_as_gangs() {
    for generator in generators() {
        let cpu = compiling(generator, 1);
        let loaded = load(&cpu, SUBGROUP, None);
        let Path::Compiled { lanes, .. } = loaded.path else { panic!("{:?}", loaded.note) };
        let out = block(&[0u32]);
        run(&cpu, dispatch(loaded.kernel, 1, vec![Argument::Region(whole(&out))])).unwrap();
        assert_eq!(read::<u32>(&out), [u32::from(lanes)]);
        let [least, most] = cpu.info().subgroup_sizes;
        assert!((least..=most).contains(&lanes.into()));
    }
}

/// A barrier that only some invocations reach: there is no machine code for that.
const DIVERGENT: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(64)
    fn diverge(@builtin(local_invocation_index) i: u32) {
        if i < 3 {
            workgroupBarrier();
        }
        out[i] = 1;
    }";

#[test]
fn what_is_not_compiled_is_interpreted_and_says_why() {
    for generator in generators() {
        let loaded = load(&compiling(generator, 1), DIVERGENT, None);
        assert_eq!(loaded.path, Path::Interpreter);
        let note = loaded.note.expect("a reason");
        assert!(note.contains(generator.name()) && note.contains("test.wgsl:5"), "{note}");
    }
    // Where it was asked for, there is nothing to say.
    assert_eq!(load(&cpu(1), DIVERGENT, None).note, None);
}
