//! The same bytes on the interpreter and on a GPU API, where nothing guards the kernel.

mod common;

use warpweft::{DeviceKind, Placement, Runtime, TimingSource};

/// The CPU and the first GPU-API device.
fn both() -> (Runtime, [Placement; 2]) {
    let rt = Runtime::new().unwrap();
    let far = rt.devices().iter().position(|d| d.kind != DeviceKind::Cpu);
    let far = far.expect("these tests need a GPU API: scripts/test installs a software device");
    (rt, [Placement::Cpu, Placement::Device(far)])
}

#[test]
fn an_unguarded_kernel_over_a_thousand_touches_a_thousand() {
    let (rt, places) = both();
    // Without a guard, and with a view's neighbours to betray a stray write.
    let kernel = rt
        .kernel(
            "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
             @group(0) @binding(1) var<storage, read_write> hits: array<atomic<u32>>;
             @compute @workgroup_size(64) fn unguarded(@builtin(global_invocation_id) id: vec3<u32>) {
                 y[id.x] = id.x * 7u;
                 atomicAdd(&hits[0], 1u);
             }",
        )
        .unwrap();
    for on in places {
        let whole = rt.buffer(vec![5u32; 1100]).unwrap();
        let hits = rt.zeros::<u32>([1]).unwrap();
        let y = whole.view(50..1050).unwrap();
        kernel.launch().bind("y", &y).bind("hits", &hits).over([1000, 1, 1]).on(on).run().unwrap();
        let found = whole.read().unwrap();
        assert_eq!(hits.read().unwrap()[0], 1000, "{on}");
        assert!(found[50..1050].iter().enumerate().all(|(i, &v)| v == i as u32 * 7), "{on}");
        assert!(found[..50].iter().chain(&found[1050..]).all(|&v| v == 5), "{on}");
    }
}

#[test]
fn reads_far_outside_give_zero_and_writes_are_dropped() {
    let (rt, places) = both();
    let kernel = rt
        .kernel(
            "@group(0) @binding(0) var<storage, read> x: array<u32>;
             @group(0) @binding(1) var<storage, read_write> y: array<u32>;
             @group(0) @binding(2) var<storage, read_write> z: array<vec4<u32>>;
             @compute @workgroup_size(64) fn far(@builtin(global_invocation_id) id: vec3<u32>) {
                 // Indices inside, a little outside, and so far that their byte offsets wrap around 2^32.
                 var offsets = array<u32, 5>(0u, 1000u, 0x3fffffffu, 0x40000000u, 0xffffff00u);
                 var sum = 0u;
                 for (var i = 0u; i < 5u; i++) {
                     let at = offsets[i] + id.x * 3u;
                     sum = sum * 31u + x[at];
                     if (i > 0u) {
                         y[at] = 77u;
                         z[at] = vec4<u32>(at);
                     }
                 }
                 y[id.x] = sum + offsets[id.x];
                 z[id.x][id.x] = sum;
             }",
        )
        .unwrap();
    let results = places.map(|on| {
        let x = rt.buffer((0..100u32).map(|i| i * i + 1).collect::<Vec<_>>()).unwrap();
        let (y, z) = (rt.buffer(vec![1u32; 100]).unwrap(), rt.buffer(vec![[2u32; 4]; 20]).unwrap());
        kernel.launch().bind("x", &x).bind("y", &y).bind("z", &z).over([100, 1, 1]).on(on).run().unwrap();
        (y.read().unwrap().to_vec(), z.read().unwrap().to_vec())
    });
    assert_eq!(results[0], results[1]);
    // Invocation 40 looks at x[120]: outside, so zero; its own element of `offsets` is outside, too.
    assert_eq!(results[0].0[40], 0);
    assert_ne!(results[0].0[4], 1);
    assert_eq!(results[0].1[10], [2; 4]);
}

#[test]
fn a_buffer_follows_its_launches_across_real_devices() {
    let (rt, [near, far]) = both();
    let kernel = rt.kernel(common::MIX).unwrap();
    let (x, y) = (rt.buffer(vec![1u32; 10_000]).unwrap(), rt.buffer(vec![0u32; 10_000]).unwrap());
    let mut expected = 0u32;
    for i in 0..30 {
        let on = if i % 3 == 0 { near } else { far };
        drop(kernel.launch().bind("x", &x).bind("y", &y).on(on).submit().unwrap());
        expected = expected.wrapping_mul(3).wrapping_add(1);
    }
    assert!(y.read().unwrap().iter().all(|&v| v == expected));
}

#[test]
fn calibration_measures_every_device_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (rt, _) = both();
    let calibration = rt.calibrate_into(&folder.path().join("calibration.json")).unwrap();
    for info in rt.devices() {
        let (rates, measured) = calibration.rates(&info);
        assert!(measured, "{}", info.name);
        assert!(rates.operations > 1e6 && rates.bandwidth > 1e6 && rates.launch > 0.0, "{rates:?}");
    }
    let read = warpweft::Calibration::load(&folder.path().join("calibration.json")).unwrap();
    assert_eq!(read.rates(&rt.devices()[0]), calibration.rates(&rt.devices()[0]));
    std::fs::write(folder.path().join("calibration.json"), "{\"version\": 1").unwrap();
    let error = warpweft::Calibration::load(&folder.path().join("calibration.json")).unwrap_err().to_string();
    assert!(error.contains("not a calibration") && error.contains("warpweft calibrate"), "{error}");
}

/// wgpu 30 panics when a wait of no time runs out while another thread's poll empties the queue: with threads that
/// read and submit at once, every few runs lost the device.
#[test]
fn eight_threads_share_real_devices() {
    let (rt, places) = both();
    let kernel = rt.kernel(common::MIX).unwrap();
    let shared = rt.buffer(vec![7u32; 4096]).unwrap();
    let rows = rt.buffer(vec![1u32; 8 * 512]).unwrap();
    std::thread::scope(|scope| {
        for t in 0..8 {
            let (kernel, shared, rows) = (&kernel, &shared, &rows);
            scope.spawn(move || {
                let x = shared.view(t * 512..(t + 1) * 512).unwrap();
                let y = rows.view(t * 512..(t + 1) * 512).unwrap();
                let mut expected = 1u32;
                for i in 0..60 {
                    let launch =
                        kernel.launch().bind("x", &x).bind("y", &y).on(places[usize::from((t + i) % 3 > 0)]);
                    match i % 4 {
                        0 => drop(launch.run().unwrap()),
                        _ => drop(launch.submit().unwrap()),
                    }
                    expected = expected.wrapping_mul(3).wrapping_add(7);
                    if i % 5 == t % 5 {
                        assert!(y.read().unwrap().iter().all(|&v| v == expected), "thread {t}, launch {i}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_launch_that_is_waited_for_is_timed_by_the_devices_own_clock() {
    let (rt, places) = both();
    let kernel = rt.kernel(common::MIX).unwrap();
    for (on, info) in places.into_iter().zip(rt.devices()) {
        let (x, y) = (rt.buffer(vec![1u32; 100]).unwrap(), rt.buffer(vec![0u32; 100]).unwrap());
        let launch = kernel.launch().bind("x", &x).bind("y", &y).on(on).prepare().unwrap();
        // More often than a device times by itself.
        for _ in 0..12 {
            let expected = match (info.host_memory, info.timestamps) {
                (true, _) => TimingSource::Host,
                (false, true) => TimingSource::Timestamp,
                (false, false) => TimingSource::RoundTrip,
            };
            assert_eq!(launch.run().unwrap().timing.unwrap().source, expected, "{}", info.name);
        }
        rt.trim();
        assert_eq!(y.read().unwrap()[99], (0..12).fold(0u32, |y, _| y.wrapping_mul(3).wrapping_add(1)));
    }
}

const ROUNDS: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn rounds(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var i = 0u; i < 70000u; i++) { y[id.x] += 1u; }
}";

#[test]
fn what_a_driver_does_wrong_in_loops_is_told_with_every_kernel_that_has_one() {
    let (rt, places) = both();
    let (rounds, mix) = (rt.kernel(ROUNDS).unwrap(), rt.kernel(common::MIX).unwrap());
    for (on, info) in places.into_iter().zip(rt.devices()) {
        let y = rt.zeros::<u32>([1]).unwrap();
        let report = rounds.launch().bind("y", &y).on(on).run().unwrap();
        let right = y.read().unwrap()[0] == 70000;
        // Either the loop is right, or the device is known not to be trusted with it.
        assert!(right || info.loop_limit.is_some(), "{report}");
        let told = |what| report.to_string().split("Caution").skip(1).any(|caution| caution.contains(what));
        assert_eq!(told("leaves loops"), info.loop_limit.is_some(), "{report}");
        // One invocation fills no vector.
        assert_eq!(told("idle lanes"), info.idle_lanes.is_some(), "{report}");
        let x = rt.zeros::<u32>([1]).unwrap();
        let report = mix.launch().bind("x", &x).bind("y", &y).on(on).run().unwrap();
        assert!(!report.to_string().contains("Caution"), "{report}");
    }
}

#[test]
fn variables_that_a_software_device_cannot_compile_in_time_rule_it_out() {
    let (rt, _) = both();
    let kernel = rt
        .kernel(
            "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
             @compute @workgroup_size(1) fn big(@builtin(global_invocation_id) id: vec3<u32>) {
                 var w: array<u32, 8192>;
                 for (var i = 0u; i < 8192u; i++) { w[(i * 7u) % 8192u] = i; }
                 y[id.x] = w[y[id.x]];
             }",
        )
        .unwrap();
    let y = rt.buffer(vec![7u32]).unwrap();
    kernel.launch().bind("y", &y).on(Placement::Cpu).run().unwrap();
    assert_eq!(y.read().unwrap()[0], 1);
    if rt.devices().iter().any(|d| d.kind == DeviceKind::Software) {
        let error = kernel.launch().bind("y", &y).on(Placement::Software).run().unwrap_err().to_string();
        assert!(
            error.contains(
                "the size of the variables of one invocation in bytes is 32772, the device allows 4096"
            ),
            "{error}"
        );
    }
}
