//! Loops that stay on the device: swaps, frames beside the computation, early stops.

mod common;

use common::{MIX, machine};
use warpweft::{Error, Flow, Placement};

/// One step of `y = 3 y + x`, then a swap, done by hand.
fn expected(steps: usize) -> (u32, u32) {
    let (mut x, mut y) = (1u32, 2u32);
    for _ in 0..steps {
        y = y.wrapping_mul(3).wrapping_add(x);
        std::mem::swap(&mut x, &mut y);
    }
    (x, y)
}

#[test]
fn steps_swap_and_stay_where_they_are() {
    for (on, asynchronous) in [(Placement::Cpu, false), (Placement::Gpu, false), (Placement::Gpu, true)] {
        let machine = machine(1, |spec| spec.asynchronous = asynchronous);
        let rt = &machine.rt;
        let (a, b) = (rt.buffer(vec![1u32; 64]).unwrap(), rt.buffer(vec![2u32; 64]).unwrap());
        let step = rt.kernel(MIX).unwrap().launch().bind("x", &a).bind("y", &b).on(on).prepare().unwrap();
        let mut frames = Vec::new();
        let report = rt
            .steps(1000)
            .then(&step)
            .swap(&a, &b)
            .every(100, &a, |i, a: &[u32]| {
                frames.push((i, a[63]));
                Ok(Flow::Continue)
            })
            .run()
            .unwrap();
        assert_eq!(report.steps, 1000);
        assert_eq!(frames, (1..=10).map(|i| (100 * i, expected(100 * i as usize).0)).collect::<Vec<_>>());
        assert_eq!((a.read().unwrap()[0], b.read().unwrap()[0]), expected(1000));
        // Both fields went up once; ten frames and the two reads above came down.
        let stats = rt.stats();
        if on == Placement::Gpu {
            assert_eq!(stats.uploaded_bytes(), 2 * 256);
            assert_eq!(stats.downloaded_bytes(), 11 * 256);
        }
        assert_eq!(stats.launches, 1000);
    }
}

#[test]
fn a_callback_stops_the_loop_or_fails_it() {
    let machine = machine(1, |_| {});
    let rt = &machine.rt;
    let (a, b) = (rt.buffer(vec![1u32; 64]).unwrap(), rt.buffer(vec![2u32; 64]).unwrap());
    let step = rt.kernel(MIX).unwrap().launch().bind("x", &a).bind("y", &b).prepare().unwrap();
    let mut calls = 0;
    let stopped = rt.steps(1_000_000).then(&step).every(10, &b, |_, _: &[u32]| {
        calls += 1;
        Ok(if calls == 3 { Flow::Stop } else { Flow::Continue })
    });
    let report = stopped.run().unwrap();
    assert!(report.steps >= 30 && report.steps < 1000, "{}", report.steps);
    assert_eq!(calls, 3);
    let failing =
        rt.steps(100).then(&step).every(10, &b, |_, _: &[u32]| Err(Error::callback("the disk is full")));
    assert!(failing.run().unwrap_err().to_string().contains("the disk is full"));
}

#[test]
fn what_cannot_be_swapped_or_read_is_refused() {
    let machine = machine(0, |_| {});
    let rt = &machine.rt;
    let (a, b) = (rt.zeros::<u32>([8]).unwrap(), rt.zeros::<u32>([9]).unwrap());
    let error = rt.steps(1).swap(&a, &b).run().unwrap_err().to_string();
    assert!(error.contains("swapped: 32 bytes of u32 and 36 bytes of u32"), "{error}");
    let error = rt.steps(1).every(0, &a, |_, _: &[u32]| Ok(Flow::Continue)).run().unwrap_err().to_string();
    assert!(error.contains("every 0 steps"), "{error}");
    let c = rt.zeros::<f32>([8]).unwrap();
    let error = rt.steps(1).swap(&a, &c).run().unwrap_err().to_string();
    assert!(error.contains("32 bytes of u32 and 32 bytes of f32"), "{error}");
    let elsewhere = common::machine(0, |_| {}).rt.zeros::<u32>([8]).unwrap();
    let error = rt.steps(1).swap(&a, &elsewhere).run().unwrap_err().to_string();
    assert!(error.contains("another runtime"), "{error}");
    // What is to be swapped stays alive until the steps have run.
    let (d, e) = (rt.buffer(vec![1u32; 8]).unwrap(), rt.buffer(vec![2u32; 8]).unwrap());
    let kept = e.clone();
    let steps = rt.steps(1).swap(&d, &e);
    drop((d, e));
    let strangers: Vec<_> = (0..4).map(|_| rt.buffer(vec![7u32; 1]).unwrap()).collect();
    steps.run().unwrap();
    assert_eq!((kept.read().unwrap()[0], strangers[0].read().unwrap()[0]), (1, 7));
}
