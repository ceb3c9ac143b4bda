//! Every kernel of the library against its scalar reference, on the CPU and on a GPU API.
//!
//! Bit for bit on a strict runtime where every operation is exactly rounded. Else within a bound stated beside the case:
//! compilers may contract `a * b + c`, and `exp` and `sqrt` have the accuracy that WGSL asks for.

mod common;

use common::Random;
use warpweft::{DeviceKind, Placement, Runtime};
use warpweft_shaders as library;

/// Runs the check on the CPU and on the first GPU-API device, and on the CPU as a strict runtime has it; the check is told
/// whether that is so.
fn everywhere(check: impl Fn(&Runtime, Placement, bool)) {
    let rt = Runtime::new().unwrap();
    let far = rt.devices().iter().position(|d| d.kind != DeviceKind::Cpu);
    let far = far.expect("these tests need a GPU API: scripts/test installs a software device");
    for on in [Placement::Cpu, Placement::Device(far)] {
        check(&rt, on, false);
    }
    check(&Runtime::builder().strict(true).build().unwrap(), Placement::Cpu, true);
}

fn floats(seed: u64, n: usize) -> Vec<f32> {
    let mut random = Random(seed);
    (0..n).map(|_| (random.next() >> 40) as f32 / (1u64 << 24) as f32).collect()
}

/// Values agree within an absolute bound.
fn close(found: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= bound, "element {i}: {found} instead of {expected}");
    }
}

#[test]
fn saxpy() {
    everywhere(|rt, on, strict| {
        let (x, mut y) = (floats(1, 5000), floats(2, 5000));
        let (bx, by) = (rt.buffer(x.clone()).unwrap(), rt.buffer(y.clone()).unwrap());
        let kernel = rt.kernel(library::SAXPY.source).unwrap();
        kernel.launch().bind("x", &bx).bind("y", &by).set("a", 1.5f32).on(on).run().unwrap();
        library::saxpy::reference(1.5, &x, &mut y);
        close(&by.read().unwrap(), &y, if strict { 0.0 } else { 3e-7 });
    });
}

#[test]
fn triad() {
    everywhere(|rt, on, strict| {
        let (b, c) = (floats(1, 5000), floats(2, 5000));
        let mut a = vec![0.0; 5000];
        let (ba, bb, bc) =
            (rt.zeros::<f32>([5000]).unwrap(), rt.buffer(b.clone()).unwrap(), rt.buffer(c.clone()).unwrap());
        let launch = rt.kernel(library::TRIAD.source).unwrap().launch();
        launch.bind("a", &ba).bind("b", &bb).bind("c", &bc).set("s", 0.75f32).on(on).run().unwrap();
        library::triad::reference(&mut a, &b, &c, 0.75);
        close(&ba.read().unwrap(), &a, if strict { 0.0 } else { 2e-7 });
    });
}

#[test]
fn reduce_sum() {
    everywhere(|rt, on, _| {
        let n = 3 * 2048 + 77;
        let x = floats(3, n);
        let expected = library::reduce_sum::reference(&x);
        let (bx, sums) = (rt.buffer(x).unwrap(), rt.zeros::<f32>([expected.len()]).unwrap());
        let groups = library::REDUCE_SUM.workgroups([n as u32, 1, 1]).map(u64::from);
        let launch = rt.kernel(library::REDUCE_SUM.source).unwrap().launch();
        launch.bind("x", &bx).bind("sums", &sums).workgroups(groups).on(on).run().unwrap();
        // The reference adds in the kernel's own order: additions alone are exactly rounded.
        assert_eq!(*sums.read().unwrap(), expected);
    });
}

#[test]
fn jacobi2d() {
    everywhere(|rt, on, strict| {
        let (h, w) = (45, 70);
        let src = floats(4, h * w);
        let mut expected = vec![0.0; h * w];
        library::jacobi2d::reference(w, &src, &mut expected);
        let (bs, bd) = (rt.array([h, w], src).unwrap(), rt.zeros::<f32>([h, w]).unwrap());
        let launch = rt.kernel(library::JACOBI2D.source).unwrap().launch();
        launch.bind("src", &bs).bind("dst", &bd).set("size", [w as u32, h as u32]).on(on).run().unwrap();
        close(&bd.read().unwrap(), &expected, if strict { 0.0 } else { 2e-7 });
    });
}

#[test]
fn transpose() {
    everywhere(|rt, on, _| {
        let (h, w) = (37, 100);
        let src = floats(5, h * w);
        let expected = library::transpose::reference(w, &src);
        let (bs, bd) = (rt.array([h, w], src).unwrap(), rt.zeros::<f32>([w, h]).unwrap());
        let groups = library::TRANSPOSE.workgroups([w as u32, h as u32, 1]).map(u64::from);
        let launch = rt.kernel(library::TRANSPOSE.source).unwrap().launch();
        let launch = launch.bind("src", &bs).bind("dst", &bd).set("size", [w as u32, h as u32]);
        launch.workgroups(groups).on(on).run().unwrap();
        assert_eq!(*bd.read().unwrap(), expected);
    });
}

#[test]
fn nbody() {
    everywhere(|rt, on, _| {
        let pos: Vec<[f32; 4]> = floats(6, 4 * 300).chunks(4).map(|c| [c[0], c[1], c[2], c[3]]).collect();
        let expected = library::nbody::reference(&pos, 0.05);
        let (bp, ba) = (rt.buffer(pos).unwrap(), rt.zeros::<[f32; 4]>([300]).unwrap());
        let launch = rt.kernel(library::NBODY.source).unwrap().launch();
        launch.bind("pos", &bp).bind("acc", &ba).set("eps", 0.05f32).on(on).run().unwrap();
        // 300 terms of up to about 1e3 each, every one within a few ULP.
        close(ba.read().unwrap().as_flattened(), expected.as_flattened(), 2e-2);
    });
}

#[test]
fn mandelbrot() {
    everywhere(|rt, on, strict| {
        let params = library::mandelbrot::Params {
            size: [90, 61],
            origin: [-2.0, -1.2],
            step: 0.04,
            max_iterations: 100,
        };
        let expected = library::mandelbrot::reference(&params);
        let counts = rt.zeros::<u32>([61, 90]).unwrap();
        let launch = rt.kernel(library::MANDELBROT.source).unwrap().launch().bind("iterations", &counts);
        let launch = launch.set("params.size", params.size).set("params.origin", params.origin);
        let launch =
            launch.set("params.step", params.step).set("params.max_iterations", params.max_iterations);
        launch.on(on).run().unwrap();
        let found = counts.read().unwrap();
        // Contraction moves an orbit at the edge of the set.
        let different = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
        let allowed = if strict { 0 } else { found.len() / 100 };
        assert!(different <= allowed, "{different} of {} pixels differ", found.len());
        assert!(expected.contains(&100) && expected.iter().any(|&n| n < 5));
    });
}

#[test]
fn perona_malik() {
    everywhere(|rt, on, _| {
        let (h, w) = (50, 33);
        let src = floats(7, h * w);
        let params = library::perona_malik::Params { size: [w as u32, h as u32], kappa: 0.2, lambda: 0.2 };
        let expected = library::perona_malik::reference(&params, &src);
        let (bs, bd) = (rt.array([h, w], src).unwrap(), rt.zeros::<f32>([h, w]).unwrap());
        let launch =
            rt.kernel(library::PERONA_MALIK.source).unwrap().launch().bind("src", &bs).bind("dst", &bd);
        let launch = launch.set("params.size", params.size).set("params.kappa", params.kappa);
        launch.set("params.lambda", params.lambda).on(on).run().unwrap();
        // WGSL allows `exp` 3 + 2 |x| ULP, here of values up to 1 with |x| up to 25.
        close(&bd.read().unwrap(), &expected, 1e-6);
    });
}
