//! Many threads over shared buffers: right, and without deadlock.

mod common;

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use common::{MIX, Random, machine};
use warpweft::{NativeArguments, Placement, Runtime};

/// Ends the test with a message where the body hangs.
fn within_a_minute(body: impl FnOnce() + Send + 'static) {
    let (done, wait) = channel();
    let thread = std::thread::spawn(move || {
        body();
        let _ = done.send(());
    });
    match wait.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => thread.join().unwrap(),
        Err(_) if thread.is_finished() => std::panic::resume_unwind(thread.join().unwrap_err()),
        Err(_) => panic!("deadlock: the threads did not end within a minute"),
    }
}

#[test]
fn eight_threads_share_buffers() {
    within_a_minute(|| {
        for asynchronous in [false, true] {
            let machine = machine(2, |spec| spec.asynchronous = asynchronous);
            let rt = machine.rt.clone();
            let kernel = rt.kernel(MIX).unwrap();
            // Everybody adds ones from `x` to `total` (as 3·0 + …: y is made zero by the factor only once), reads and
            // writes buffers of its own, and swaps two of its own.
            let shared = rt.buffer(vec![7u32; 256]).unwrap();
            std::thread::scope(|scope| {
                for t in 0..8u64 {
                    let (rt, kernel, shared) = (rt.clone(), kernel.clone(), shared.clone());
                    scope.spawn(move || {
                        let mut random = Random(t);
                        let mut own = vec![t as u32; 256];
                        let y = rt.buffer(own.clone()).unwrap();
                        for i in 0..60 {
                            let on = Placement::Device(random.below(3));
                            let launch = kernel.launch().bind("x", &shared).bind("y", &y).on(on);
                            match i % 2 {
                                0 => drop(launch.run().unwrap()),
                                _ => drop(launch.submit().unwrap()),
                            }
                            own.iter_mut().for_each(|v| *v = v.wrapping_mul(3).wrapping_add(7));
                            if i % 5 == 0 {
                                assert_eq!(*y.read().unwrap(), own);
                            }
                            if i % 7 == 0 {
                                // Everybody writes the same: whoever comes first, the content is the same.
                                shared.write(&[7; 256]).unwrap();
                            }
                        }
                        assert_eq!(*y.read().unwrap(), own);
                    });
                }
            });
            assert!(shared.read().unwrap().iter().all(|&v| v == 7));
        }
    });
}

const COUNT: &str = "
@group(0) @binding(0) var<storage, read_write> n: array<u32>;
@compute @workgroup_size(64) fn count(@builtin(global_invocation_id) id: vec3<u32>) { n[id.x] += 1u; }";

#[test]
fn increments_of_one_buffer_from_eight_threads_are_all_there() {
    within_a_minute(|| {
        let machine = machine(2, |spec| spec.asynchronous = true);
        let rt = machine.rt.clone();
        let n = rt.zeros::<u32>([100]).unwrap();
        let kernel = rt.kernel(COUNT).unwrap();
        std::thread::scope(|scope| {
            for t in 0..8 {
                let (n, kernel) = (n.clone(), kernel.clone());
                scope.spawn(move || {
                    for i in 0..40 {
                        let launch = kernel.launch().bind("n", &n).on(Placement::Device((t + i) % 3));
                        match (t + i) % 2 {
                            0 => drop(launch.run().unwrap()),
                            _ => drop(launch.submit().unwrap()),
                        }
                    }
                });
            }
        });
        assert!(n.read().unwrap().iter().all(|&v| v == 320));
    });
}

/// A native implementation that reads `x` only once it is told to.
#[test]
fn a_writer_waits_for_earlier_readers_and_a_snapshot_for_earlier_writers() {
    within_a_minute(|| {
        let rt = Runtime::builder().gpu(false).build().unwrap();
        let kernel = rt.kernel(MIX).unwrap();
        let (go, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let slow = kernel.with_native(move |arguments: &NativeArguments| {
            gate.lock().unwrap().recv().unwrap();
            let x = arguments.slice::<u32>("x")?;
            arguments.slice_mut::<u32>("y")?.iter_mut().zip(x).for_each(|(y, x)| *y = *y * 3 + x);
            Ok(())
        });
        let n = 1 << 16; // enough for `submit` to leave it to another thread
        let buffers: Vec<_> = (0..3u32).map(|i| rt.buffer(vec![i + 1; n]).unwrap()).collect();
        let [x, y, z] = [&buffers[0], &buffers[1], &buffers[2]];
        let reader = slow.launch().bind("x", x).bind("y", y).submit().unwrap();
        std::thread::scope(|scope| {
            let overwriter = scope.spawn(|| kernel.launch().bind("x", z).bind("y", x).run().unwrap());
            let looker = scope.spawn(|| y.read().unwrap()[n - 1]);
            let writer = scope.spawn(|| y.view(0..1).unwrap().write(&[100]).unwrap());
            // Time for all three to go wrong, if they do not wait.
            std::thread::sleep(Duration::from_millis(50));
            assert!(!reader.is_done() && !overwriter.is_finished() && !looker.is_finished());
            go.send(()).unwrap();
            assert_eq!(looker.join().unwrap(), 2 * 3 + 1);
            writer.join().unwrap();
            overwriter.join().unwrap();
        });
        assert_eq!((x.read().unwrap()[0], y.read().unwrap()[0], y.read().unwrap()[1]), (3 + 3, 100, 7));
    });
}
