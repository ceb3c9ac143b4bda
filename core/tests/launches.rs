//! Launches: names, types, grids, order, failures; every mistake is told with the culprit's name.

mod common;

use std::time::Duration;

use common::{MIX, Machine, SAXPY, machine};
use half::f16;
use warpweft::hal::Error as DeviceError;
use warpweft::{Error, Exclusion, Launcher, Placement, Plan, Runtime, Source, Verdict};

fn host() -> Machine {
    machine(0, |_| {})
}

/// The message of the error that a launch ends with.
fn error_of(launch: Launcher) -> String {
    launch.run().expect_err("the launch must be refused").to_string()
}

fn check_mistake(parts: &[&str], build: impl Fn(&Runtime) -> Launcher) {
    let machine = host();
    let message = error_of(build(&machine.rt));
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    assert_eq!(machine.rt.stats().launches, 0);
}

#[test]
fn saxpy_is_right_and_reported() {
    let Machine { rt, .. } = host();
    let saxpy = rt.kernel(SAXPY).unwrap();
    let x = rt.buffer((0..1000).map(|i| i as f32).collect::<Vec<_>>()).unwrap();
    let y = rt.buffer(vec![1.0f32; 1000]).unwrap();
    let report = saxpy.launch().bind("x", &x).bind("y", &y).set("a", 2.0f32).run().unwrap();
    assert!(y.read().unwrap().iter().enumerate().all(|(i, &v)| v == 2.0 * i as f32 + 1.0));
    assert_eq!((report.uploaded_bytes, report.downloaded_bytes), (0, 0));
    let text = report.to_string();
    assert!(text.contains("`saxpy` ran on host (cpu, "), "{text}");
    assert!(text.contains("is the only device that may take it"), "{text}");
}

#[test]
fn a_device_scalar_serves_as_a_uniform() {
    let machine = machine(1, |_| {});
    let saxpy = machine.rt.kernel(SAXPY).unwrap();
    let (x, y) = (machine.rt.buffer(vec![1.0f32; 10]).unwrap(), machine.rt.buffer(vec![1.0f32; 10]).unwrap());
    let a = machine.rt.buffer(vec![5.0f32]).unwrap();
    saxpy.launch().bind("x", &x).bind("y", &y).set("a", &a).on(Placement::Gpu).run().unwrap();
    assert_eq!(y.read().unwrap()[9], 6.0);
}

#[test]
fn mistakes_in_bindings_name_the_culprit() {
    let x = |rt: &Runtime| rt.buffer(vec![1.0f32; 8]).unwrap();
    check_mistake(&["`saxpy`", "no binding `xx`", "`x`, `y`, `a`", "Did you mean `x`?"], |rt| {
        rt.kernel(SAXPY).unwrap().launch().bind("xx", &x(rt))
    });
    check_mistake(
        &["binding `y` (of `array<f32>`) has no buffer", "uniform `a` (of `f32`) has no value"],
        |rt| rt.kernel(SAXPY).unwrap().launch().bind("x", &x(rt)),
    );
    check_mistake(&["bound to `x` holds u32", "`array<f32>`"], |rt| {
        let wrong = rt.buffer(vec![1u32; 8]).unwrap();
        rt.kernel(SAXPY).unwrap().launch().bind("x", &wrong).bind("y", &x(rt)).set("a", 1.0f32)
    });
    check_mistake(&["`a` was set to a value of f64", "`f32`"], |rt| {
        rt.kernel(SAXPY).unwrap().launch().set("a", 1.0)
    });
    check_mistake(&["`x` is in storage", "bind a buffer"], |rt| {
        rt.kernel(SAXPY).unwrap().launch().set("x", 1.0f32)
    });
    check_mistake(&["`y` and `x`", "overlapping parts of one buffer", "`y` is read_write"], |rt| {
        let x = x(rt);
        let swapped = rt.kernel(SAXPY).unwrap().launch().set("a", 1.0f32);
        swapped.bind("y", &x.view(0..5).unwrap()).bind("x", &x.view(4..8).unwrap())
    });
    check_mistake(&["`x` is given twice"], |rt| {
        rt.kernel(SAXPY).unwrap().launch().bind("x", &x(rt)).bind("x", &x(rt))
    });
    check_mistake(&["`a` is given twice"], |rt| {
        let a = rt.buffer(vec![1.0f32]).unwrap();
        rt.kernel(SAXPY).unwrap().launch().set("a", &a).set("a", 1.0f32)
    });
    check_mistake(&["no GPU here", "host (cpu)"], |rt| {
        let launch = rt.kernel(SAXPY).unwrap().launch().bind("x", &x(rt)).bind("y", &x(rt)).set("a", 1.0f32);
        launch.on(Placement::GpuNumber(7))
    });
    check_mistake(&["no device number 5", "there are 1"], |rt| {
        let launch = rt.kernel(SAXPY).unwrap().launch().bind("x", &x(rt)).bind("y", &x(rt)).set("a", 1.0f32);
        launch.on(Placement::Device(5))
    });
    check_mistake(&["bound to `a` has 4 bytes", "needs at least 16"], |rt| {
        let text =
            SAXPY.replace("var<uniform> a: f32", "var<uniform> a: vec4<f32>").replace("a * x", "a.w * x");
        let a = rt.buffer(vec![1.0f32]).unwrap();
        rt.kernel(&text).unwrap().launch().bind("x", &x(rt)).bind("y", &x(rt)).bind("a", &a)
    });
}

#[test]
fn buffers_of_another_runtime_are_refused() {
    let (here, there) = (host(), host());
    let y = there.rt.buffer(vec![0u32; 4]).unwrap();
    let x = here.rt.buffer(vec![0u32; 4]).unwrap();
    let message = error_of(here.rt.kernel(MIX).unwrap().launch().bind("x", &x).bind("y", &y));
    assert!(message.contains("another runtime"), "{message}");
}

const ROWS: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<uniform> width: u32;
@compute @workgroup_size(8, 4) fn rows(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.y * width + id.x] = id.y * 100u + id.x;
}";

#[test]
fn the_grid_is_the_shape_of_what_is_written_and_exact() {
    let Machine { rt, .. } = host();
    let y = rt.zeros::<u32>([5, 13]).unwrap();
    let launch = rt.kernel(ROWS).unwrap().launch().bind("y", &y).set("width", 13u32).prepare().unwrap();
    assert_eq!((launch.grid().workgroups, launch.grid().over), ([2, 2, 1], Some([13, 5, 1])));
    launch.run().unwrap();
    let expected: Vec<u32> = (0..5).flat_map(|r| (0..13).map(move |c| r * 100 + c)).collect();
    assert_eq!(*y.read().unwrap(), expected);
}

#[test]
fn a_kernel_that_looks_along_x_covers_every_element_of_any_shape() {
    let Machine { rt, .. } = host();
    let (x, y) = (rt.array([7, 9], vec![1u32; 63]).unwrap(), rt.array([7, 9], vec![2u32; 63]).unwrap());
    rt.kernel(MIX).unwrap().launch().bind("x", &x).bind("y", &y).run().unwrap();
    assert!(y.read().unwrap().iter().all(|&v| v == 7));
}

#[test]
fn vectors_take_trailing_axes() {
    let Machine { rt, .. } = host();
    let kernel = rt
        .kernel(
            "@group(0) @binding(0) var<storage, read_write> p: array<vec4<f32>>;
             @compute @workgroup_size(16) fn lift(@builtin(global_invocation_id) id: vec3<u32>) { p[id.x].w += 1.0; }",
        )
        .unwrap();
    let p = rt.array([10, 4], vec![0.0f32; 40]).unwrap();
    let launch = kernel.launch().bind("p", &p).prepare().unwrap();
    assert_eq!(launch.grid().over, Some([10, 1, 1]));
    launch.run().unwrap();
    assert_eq!(p.read().unwrap().iter().sum::<f32>(), 10.0);
}

const TILE: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
var<workgroup> tile: array<u32, 64>;
@compute @workgroup_size(64) fn tiled(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    tile[l] = y[id.x];
    workgroupBarrier();
    y[id.x] = tile[63u - l];
}";

#[test]
fn barriers_need_whole_workgroups() {
    let Machine { rt, .. } = host();
    let tiled = rt.kernel(TILE).unwrap();
    let short = rt.zeros::<u32>([100]).unwrap();
    let message = error_of(tiled.launch().bind("y", &short));
    assert!(
        message.contains("multiple of the workgroup size [64, 1, 1]: say .workgroups([2, 1, 1])"),
        "{message}"
    );
    let y = rt.buffer((0..128).collect::<Vec<u32>>()).unwrap();
    tiled.launch().bind("y", &y).run().unwrap();
    assert_eq!((y.read().unwrap()[0], y.read().unwrap()[64]), (63, 127));
}

#[test]
fn grids_that_cannot_be_are_refused() {
    let nothing = "@group(0) @binding(0) var<storage, read_write> s: u32;
        @compute @workgroup_size(1) fn lonely() { s = 1u; }";
    check_mistake(&["`lonely`", "say which grid with .over"], |rt| {
        let s = rt.buffer(vec![0u32]).unwrap();
        rt.kernel(nothing).unwrap().launch().bind("s", &s)
    });
    check_mistake(&["larger than 4294967295"], |rt| {
        let s = rt.buffer(vec![0u32]).unwrap();
        rt.kernel(nothing).unwrap().launch().bind("s", &s).workgroups([1 << 20, 1 << 20, 1])
    });
}

#[test]
fn an_empty_grid_is_no_work_and_no_mistake() {
    let Machine { rt, .. } = host();
    let (x, y) = (rt.buffer(Vec::<u32>::new()).unwrap(), rt.buffer(Vec::<u32>::new()).unwrap());
    let report = rt.kernel(MIX).unwrap().launch().bind("x", &x).bind("y", &y).run().unwrap();
    assert_eq!(report.timing, None);
    assert!(y.read().unwrap().is_empty());
    assert_eq!(rt.stats().launches, 0);
}

#[test]
fn launches_are_ordered_by_their_data_across_devices() {
    for asynchronous in [false, true] {
        let machine = machine(2, |spec| spec.asynchronous = asynchronous);
        let rt = &machine.rt;
        let kernel = rt.kernel(MIX).unwrap();
        let (x, y) = (rt.buffer(vec![1u32; 100]).unwrap(), rt.buffer(vec![0u32; 100]).unwrap());
        let mut expected = 0u32;
        for i in 0..60 {
            let on = Placement::Device([1, 2, 0, 1, 1, 0, 2][i % 7]);
            drop(kernel.launch().bind("x", &x).bind("y", &y).on(on).submit().unwrap());
            expected = expected.wrapping_mul(3).wrapping_add(1);
        }
        assert!(y.read().unwrap().iter().all(|&v| v == expected));
    }
}

#[test]
fn a_snapshot_is_not_changed_by_later_launches_and_does_not_hold_them_up() {
    let machine = machine(1, |_| {});
    let rt = &machine.rt;
    let kernel = rt.kernel(MIX).unwrap();
    for on in [Placement::Cpu, Placement::Gpu] {
        let (x, y) = (rt.buffer(vec![1u32; 100]).unwrap(), rt.buffer(vec![5u32; 100]).unwrap());
        let before = y.read().unwrap();
        kernel.launch().bind("x", &x).bind("y", &y).on(on).run().unwrap();
        let after = y.read().unwrap();
        y.write(&[0; 100]).unwrap();
        y.view(3..4).unwrap().write(&[9]).unwrap();
        assert_eq!((before[3], after[3], y.read().unwrap()[3]), (5, 16, 9));
    }
}

#[test]
fn a_vector_is_taken_without_a_copy_and_read_without_one() {
    let Machine { rt, .. } = host();
    let data = vec![1.5f32; 1 << 16];
    let start = data.as_ptr();
    let x = rt.buffer(data).unwrap();
    assert_eq!(x.read().unwrap().as_ptr(), start);
}

#[test]
fn zeros_are_never_uploaded_and_scratch_never_moves() {
    let machine = machine(1, |_| {});
    let rt = &machine.rt;
    let kernel = rt.kernel(MIX).unwrap();
    let (x, y) = (rt.zeros::<u32>([50]).unwrap(), rt.scratch::<u32>([50]).unwrap());
    let report = kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Gpu).run().unwrap();
    kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Cpu).run().unwrap();
    assert_eq!(report.uploaded_bytes, 0);
    assert_eq!(rt.stats().uploaded_bytes() + rt.stats().downloaded_bytes(), 0);
    assert_eq!(rt.stats().links[1].filled_bytes, 200);
    assert!(y.read().unwrap_err().to_string().contains("scratch buffer cannot be read"));
}

#[test]
fn a_failed_launch_poisons_what_it_should_have_written_until_that_is_written_anew() {
    let machine = machine(1, |_| {});
    let rt = &machine.rt;
    let kernel = rt.kernel(MIX).unwrap();
    let (x, y, z) = (
        rt.buffer(vec![1u32; 10]).unwrap(),
        rt.buffer(vec![1u32; 10]).unwrap(),
        rt.buffer(vec![1u32; 10]).unwrap(),
    );
    let broken = kernel.with_native(|_| Err("the tape broke".into()));
    let launch = broken.launch().bind("x", &x).bind("y", &y).on(Placement::Cpu).submit();
    assert!(launch.unwrap().wait().unwrap_err().to_string().contains("the tape broke"));
    let error = y.read().unwrap_err();
    assert!(matches!(error, Error::Poisoned { .. }));
    assert!(
        error.to_string().contains("`mix_in`") && error.to_string().contains("the tape broke"),
        "{error}"
    );
    // What reads the poison is refused with the same story, wherever it would run; the rest is untouched.
    for on in [Placement::Cpu, Placement::Gpu] {
        let error = kernel.launch().bind("x", &y).bind("y", &z).on(on).run().unwrap_err();
        assert!(error.to_string().contains("the tape broke"), "{error}");
    }
    assert_eq!((x.read().unwrap()[0], z.read().unwrap()[0]), (1, 1));
    y.write(&[2; 10]).unwrap();
    kernel.launch().bind("x", &y).bind("y", &z).run().unwrap();
    assert_eq!(z.read().unwrap()[0], 5);
}

#[test]
fn an_endless_kernel_ends_at_its_time_limit() {
    let rt = Runtime::builder().gpu(false).time_limit(Duration::from_millis(200)).build().unwrap();
    let kernel = rt
        .kernel(
            "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
             @compute @workgroup_size(1) fn spin() { loop { y[0] += 1u; if (y[0] == 0u && y[1] == 1u) { break; } } }",
        )
        .unwrap();
    let y = rt.zeros::<u32>([2]).unwrap();
    let error = kernel.launch().bind("y", &y).workgroups([1, 1, 1]).run().unwrap_err();
    assert!(matches!(error, Error::Device(DeviceError::Timeout { .. })), "{error}");
}

#[test]
fn a_full_device_lets_the_least_recently_used_buffer_go() {
    let machine = machine(1, |spec| spec.limits.memory = Some(3 * 4096));
    let rt = &machine.rt;
    let kernel = rt.kernel(MIX).unwrap();
    let buffers: Vec<_> = (0..5u32).map(|i| rt.buffer(vec![i; 1024]).unwrap()).collect();
    for i in 0..5 {
        let (x, y) = (&buffers[i], &buffers[(i + 1) % 5]);
        kernel.launch().bind("x", x).bind("y", y).on(Placement::Gpu).run().unwrap();
    }
    let mut expected = [0u32, 1, 2, 3, 4];
    (0..5).for_each(|i| expected[(i + 1) % 5] = expected[(i + 1) % 5] * 3 + expected[i]);
    for (buffer, expected) in buffers.iter().zip(expected) {
        assert!(buffer.read().unwrap().iter().all(|&v| v == expected));
    }
    assert!(rt.stats().evictions >= 3);
    let huge = rt.zeros::<u32>([8192]).unwrap();
    let error =
        kernel.launch().bind("x", &buffers[0].view(0..1).unwrap()).bind("y", &huge).on(Placement::Gpu).run();
    assert!(error.unwrap_err().to_string().contains("out of memory"));
}

#[test]
fn a_lost_device_is_not_used_again() {
    let machine = machine(1, |_| {});
    let rt = &machine.rt;
    let kernel = rt.kernel(MIX).unwrap();
    let (x, y) = (rt.buffer(vec![1u32; 10]).unwrap(), rt.buffer(vec![1u32; 10]).unwrap());
    machine.far[0].lose();
    let launch = || kernel.launch().bind("x", &x).bind("y", &y);
    assert!(launch().on(Placement::Gpu).run().unwrap_err().to_string().contains("lost"));
    let error = launch().on(Placement::Gpu).run().unwrap_err().to_string();
    assert!(error.contains("no device can take it") && error.contains("lost"), "{error}");
}

#[test]
fn what_a_device_lacks_rules_it_out_with_the_reason() {
    let machine = machine(1, |_| {});
    let rt = &machine.rt;
    let module = rt.module_builder().file("half.wgsl", MIX.replace("u32>;", "real>;").replace("3u", "3"));
    let kernel = module.alias("real", warpweft::Scalar::F64).build().unwrap().only_kernel().unwrap();
    let (x, y) = (rt.buffer(vec![1.0f64; 10]).unwrap(), rt.buffer(vec![1.0f64; 10]).unwrap());
    let error =
        kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Gpu).explain().unwrap_err().to_string();
    assert!(error.contains("the kernel needs F64, which the device lacks"), "{error}");
}

#[test]
fn no_gpu_is_told_with_what_there_is() {
    let Machine { rt, .. } = host();
    let y = rt.zeros::<u32>([4]).unwrap();
    let message = error_of(rt.kernel(MIX).unwrap().launch().bind("x", &y).bind("y", &y.view(0..4).unwrap()));
    assert!(message.contains("overlapping"), "{message}");
    let x = rt.zeros::<u32>([4]).unwrap();
    let message = error_of(rt.kernel(MIX).unwrap().launch().bind("x", &x).bind("y", &y).on(Placement::Gpu));
    assert!(message.contains("there is no GPU here") && message.contains("host (cpu)"), "{message}");
}

#[test]
fn the_planner_follows_data_and_measurements() {
    let machine = machine(1, |_| {});
    let rt = &machine.rt;
    let kernel = rt.kernel(MIX).unwrap();
    let n = 1 << 20;
    let (x, y) = (rt.buffer(vec![1u32; n]).unwrap(), rt.buffer(vec![1u32; n]).unwrap());
    let prepared = kernel.launch().bind("x", &x).bind("y", &y).prepare().unwrap();
    let on_gpu = kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Gpu).prepare().unwrap();
    let prediction = |plan: &Plan, at: usize| *plan.candidates[at].prediction().unwrap();

    // The data is on the host: the device would have to wait for it.
    let plan = prepared.explain().unwrap();
    assert!(prediction(&plan, 0).transfer == 0.0 && prediction(&plan, 1).transfer > 0.0);
    assert_eq!(prediction(&plan, 1).source, Source::Coarse);
    // Now it is on the device. The first run there compiled; the second says how long the kernel takes.
    on_gpu.run().unwrap();
    on_gpu.run().unwrap();
    let plan = prepared.explain().unwrap();
    assert!(prediction(&plan, 0).transfer > 0.0 && prediction(&plan, 1).transfer == 0.0, "{plan}");
    assert_eq!(prediction(&plan, 1).source, Source::Measured(1));
    assert_eq!((plan.choice().device, &*prepared.run().unwrap().device), (1, "far 0"), "{plan}");
    let text = plan.to_string();
    assert!(text.contains("→ far 0") && text.contains("measured in 1 earlier launches"), "{text}");
    // The device slows down: after it was measured so, the host is the better place, its transfer included.
    machine.far[0].slow_down(1e4);
    for _ in 0..9 {
        on_gpu.run().unwrap();
    }
    let plan = prepared.explain().unwrap();
    assert_eq!(plan.choice().device, 0, "{plan}");
    assert!(plan.reason().starts_with("host is predicted to finish in"), "{}", plan.reason());

    let forced = kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Cpu).explain().unwrap();
    assert!(matches!(
        forced.candidates[1].verdict,
        Verdict::Excluded(Exclusion::NotAskedFor(Placement::Cpu))
    ));
}

#[test]
fn a_shape_that_does_not_fit_the_kernels_axes_is_no_guess() {
    check_mistake(&["looks along 2 axes", "`y` has the shape [65]", ".over("], |rt| {
        let y = rt.zeros::<u32>([65]).unwrap();
        rt.kernel(ROWS).unwrap().launch().bind("y", &y).set("width", 13u32)
    });
    check_mistake(&["looks along 2 axes", "[2, 5, 13]"], |rt| {
        let y = rt.zeros::<u32>([2, 5, 13]).unwrap();
        rt.kernel(ROWS).unwrap().launch().bind("y", &y).set("width", 13u32)
    });
    // A view of everything keeps the shape.
    let Machine { rt, .. } = host();
    let y = rt.zeros::<u32>([5, 13]).unwrap();
    let view = y.view(..).unwrap();
    rt.kernel(ROWS).unwrap().launch().bind("y", &view).set("width", 13u32).run().unwrap();
    assert_eq!(y.read().unwrap()[64], 412);
}

#[test]
fn shapes_without_elements_are_no_work_however_long_their_axes() {
    let Machine { rt, .. } = host();
    let y = rt.zeros::<u32>([0, usize::MAX]).unwrap();
    let report =
        rt.kernel(ROWS).unwrap().launch().bind("y", &y).set("width", 0u32).over_shape(&y).run().unwrap();
    assert_eq!(report.timing, None);
    assert!(rt.buffer(Vec::<f64>::new()).unwrap().read().unwrap().is_empty());
}

#[test]
fn two_byte_elements_of_odd_number_come_back_as_they_went() {
    let machine = machine(1, |spec| spec.features = warpweft_module::Features::F16);
    let rt = &machine.rt;
    let kernel = rt
        .kernel(
            "enable f16;
             @group(0) @binding(0) var<storage, read_write> y: array<f16>;
             @compute @workgroup_size(64) fn halve(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] *= 0.5h; }",
        )
        .unwrap();
    for on in [Placement::Cpu, Placement::Gpu] {
        let y = rt.buffer((0..77).map(|i| f16::from_f32(i as f32)).collect::<Vec<_>>()).unwrap();
        kernel.launch().bind("y", &y).on(on).run().unwrap();
        let found = y.read().unwrap();
        assert!(found.len() == 77 && found.iter().enumerate().all(|(i, v)| v.to_f32() == i as f32 / 2.0));
        let error = y.view(1..3).unwrap_err().to_string();
        assert!(error.contains("multiples of 2 elements"), "{error}");
    }
}
