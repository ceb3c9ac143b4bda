//! Kernels with a hand-written implementation.

mod harness;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::*;
use rayon::prelude::*;
use warpweft_hal::{Argument, Device, Error, Native, NativeArguments, Path, TimingSource};

/// `y += a x` over `n` elements by a native implementation; the result.
fn launch(threads: usize, n: usize, native: impl Native + 'static) -> Result<Vec<f32>, Error> {
    let cpu = cpu(threads);
    let loaded = load(&cpu, SAXPY, Some(Arc::new(native)));
    assert_eq!(loaded.path, Path::Native);
    let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let (x, y) = (block(&x), block(&vec![1.0f32; n]));
    let arguments = vec![value(2.0f32), Argument::Region(whole(&x)), Argument::Region(whole(&y))];
    let done = run(&cpu, dispatch(loaded.kernel, n.div_ceil(64) as u32, arguments))?;
    assert_eq!(done.dispatches.len(), 1);
    assert_eq!(done.dispatches[0].source, TimingSource::Host);
    assert!(done.dispatches[0].seconds > 0.0);
    Ok(read(&y))
}

fn expected(n: usize) -> Vec<f32> {
    (0..n).map(|i| 2.0 * i as f32 + 1.0).collect()
}

#[test]
fn it_computes_on_slices_of_its_bindings() {
    for n in [1, 63, 64, 1000, 100_000] {
        assert_eq!(launch(2, n, saxpy).unwrap(), expected(n), "{n} elements");
    }
}

#[test]
fn a_large_launch_runs_rayon_code_on_the_devices_own_threads() {
    let parallel = |arguments: &NativeArguments<'_>| {
        assert_eq!(rayon::current_num_threads(), 3);
        let (a, x) = (arguments.value::<f32>("a")?, arguments.slice::<f32>("x")?);
        arguments.slice_mut::<f32>("y")?.par_iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
        Ok(())
    };
    assert_eq!(launch(3, 1 << 20, parallel).unwrap(), expected(1 << 20));
}

#[test]
fn a_tiny_launch_stays_on_the_calling_thread() {
    let caller = std::thread::current().id();
    let native = move |arguments: &NativeArguments<'_>| {
        assert_eq!(std::thread::current().id(), caller);
        saxpy(arguments)
    };
    assert_eq!(launch(2, 640, native).unwrap(), expected(640));
}

#[test]
fn within_a_rayon_pool_it_uses_that_pool() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let native = |arguments: &NativeArguments<'_>| {
        assert_eq!(rayon::current_num_threads(), 1);
        saxpy(arguments)
    };
    assert_eq!(pool.install(|| launch(2, 1 << 20, native)).unwrap(), expected(1 << 20));
}

/// The failure of a launch is an execution error of the kernel, whose reason is this.
fn check_failure(n: usize, native: impl Native + 'static, expected: &str) {
    match launch(2, n, native).unwrap_err() {
        Error::Execution { kernel, reason, .. } => assert_eq!((&*kernel, &*reason), ("saxpy", expected)),
        other => panic!("{other}"),
    }
}

#[test]
fn errors_and_panics_fail_the_launch_with_their_message() {
    for n in [1, 1 << 20] {
        check_failure(n, |_: &NativeArguments<'_>| Err("a is not a number".into()), "a is not a number");
        check_failure(
            n,
            |_: &NativeArguments<'_>| panic!("index {n} is odd", n = 3),
            "it panicked: index 3 is odd",
        );
        check_failure(n, |_: &NativeArguments<'_>| panic!("no"), "it panicked: no");
        check_failure(n, |_: &NativeArguments<'_>| std::panic::panic_any(7), "it panicked");
        let parallel = |_: &NativeArguments<'_>| {
            (0..1000).into_par_iter().for_each(|i| assert!(i != 500, "five hundred"));
            Ok(())
        };
        check_failure(n, parallel, "it panicked: five hundred");
    }
}

#[test]
fn misuse_of_a_binding_is_an_error_that_names_it() {
    let twice = |arguments: &NativeArguments<'_>| {
        let y = arguments.slice_mut::<f32>("y")?;
        y[0] = arguments.slice::<f32>("y")?[0];
        Ok(())
    };
    check_failure(4, twice, "`y` is lent already: take each slice once, before it is used");
    let unknown = |arguments: &NativeArguments<'_>| arguments.slice::<f32>("z").map(drop);
    check_failure(4, unknown, "the kernel has no binding `z`; it has `a`, `x`, `y`");
    let readonly = |arguments: &NativeArguments<'_>| arguments.slice_mut::<f32>("x").map(drop);
    check_failure(4, readonly, "the kernel's WGSL never writes `x`: it can only be read");
}

#[test]
fn a_device_survives_failed_launches() {
    let cpu = cpu(2);
    let calls = AtomicUsize::new(0);
    let native = move |_: &NativeArguments<'_>| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => panic!("the first time"),
        _ => Ok(()),
    };
    let kernel = load(&cpu, SAXPY, Some(Arc::new(native))).kernel;
    let y = block(&[0.0f32; 4]);
    let arguments = || vec![value(1.0f32), Argument::Region(whole(&y)), Argument::Region(whole(&y))];
    assert!(run(&cpu, dispatch(kernel, 1, arguments())).is_err());
    assert!(run(&cpu, dispatch(kernel, 1, arguments())).is_ok());
}

#[test]
fn programs_are_told_apart_by_kernel_and_implementation() {
    let cpu = cpu(1);
    let native: Arc<dyn Native> = Arc::new(saxpy);
    let other: Arc<dyn Native> = Arc::new(|_: &NativeArguments<'_>| Ok(()));
    let first = load(&cpu, SAXPY, Some(native.clone())).kernel;
    assert_eq!(load(&cpu, SAXPY, Some(native.clone())).kernel, first);
    let others = [load(&cpu, SAXPY, Some(other)).kernel, load(&cpu, SAXPY, None).kernel];
    assert!(others[0] != first && others[1] != first && others[0] != others[1]);

    // Each load is taken back by one unload; unknown ids are ignored.
    let y = block(&[0.0f32; 4]);
    let x = block(&[0.0f32; 4]);
    let arguments = || vec![value(1.0f32), Argument::Region(whole(&x)), Argument::Region(whole(&y))];
    cpu.unload(first);
    assert!(run(&cpu, dispatch(first, 1, arguments())).is_ok());
    cpu.unload(first);
    cpu.unload(first);
    let error = run(&cpu, dispatch(first, 1, arguments())).unwrap_err();
    assert!(error.to_string().contains(&format!("kernel {} is not loaded", first.0)), "{error}");
    assert_ne!(load(&cpu, SAXPY, Some(native)).kernel, first);
}
