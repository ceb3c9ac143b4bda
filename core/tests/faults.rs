//! Faults on demand: whatever fails, what is read later is right or an error, never silently wrong.

mod common;

use std::sync::Mutex;
use std::sync::mpsc::channel;

use common::{MIX, Machine, Random, machine};
use warpweft::hal::Error as DeviceError;
use warpweft::{Buffer, Error, Placement};

fn broken() -> DeviceError {
    DeviceError::Internal { device: "far 0".into(), reason: "the wire broke".into() }
}

fn ones(machine: &Machine) -> Buffer<u32> {
    machine.rt.buffer(vec![1u32; 64]).unwrap()
}

#[test]
fn what_a_failed_launch_should_have_uploaded_is_uploaded_again() {
    for asynchronous in [false, true] {
        let machine = machine(1, |spec| spec.asynchronous = asynchronous);
        let kernel = machine.rt.kernel(MIX).unwrap();
        let (x, y, z) = (ones(&machine), ones(&machine), ones(&machine));
        machine.far[0].fail_submission(0, broken());
        let on = Placement::Gpu;
        kernel.launch().bind("x", &x).bind("y", &y).on(on).run().unwrap_err();
        kernel.launch().bind("x", &x).bind("y", &z).on(on).run().unwrap();
        assert_eq!(z.read().unwrap()[63], 4);
        assert!(matches!(y.read().unwrap_err(), Error::Poisoned { .. }));
        assert!(machine.far[0].reads_of_undefined().is_empty());
    }
}

#[test]
fn a_launch_that_never_runs_uploads_nothing() {
    let machine = machine(1, |_| {});
    let kernel = machine.rt.kernel(MIX).unwrap();
    let (x, y, z) = (ones(&machine), ones(&machine), ones(&machine));
    let (go, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let failing = kernel.with_native(move |_| {
        gate.lock().unwrap().recv().unwrap();
        Err("the tape broke".into())
    });
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| failing.launch().bind("x", &x).bind("y", &y).on(Placement::Cpu).run());
        while machine.rt.stats().launches == 0 {
            std::thread::yield_now();
        }
        // Waits for the CPU's `y` in the courier, with the upload of `x` in its list.
        let waiting = kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Gpu).submit().unwrap();
        go.send(()).unwrap();
        assert!(slow.join().unwrap().is_err());
        assert!(waiting.wait().unwrap_err().to_string().contains("the tape broke"));
    });
    kernel.launch().bind("x", &x).bind("y", &z).on(Placement::Gpu).run().unwrap();
    assert_eq!(z.read().unwrap()[0], 4);
}

#[test]
fn a_failure_that_shows_at_the_end_reaches_what_was_made_from_it() {
    let machine = machine(1, |spec| spec.asynchronous = true);
    let kernel = machine.rt.kernel(MIX).unwrap();
    let (x, y, z) = (ones(&machine), ones(&machine), ones(&machine));
    machine.far[0].fail_wait(0, broken());
    drop(kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Gpu).submit().unwrap());
    drop(kernel.launch().bind("x", &y).bind("y", &z).on(Placement::Gpu).submit().unwrap());
    for buffer in [&y, &z] {
        let error = buffer.read().unwrap_err().to_string();
        assert!(error.contains("the wire broke") && error.contains("write_discard"), "{error}");
    }
    assert_eq!(x.read().unwrap()[0], 1);
}

#[test]
fn a_failed_download_can_be_tried_again() {
    let machine = machine(1, |_| {});
    let kernel = machine.rt.kernel(MIX).unwrap();
    let (x, y) = (ones(&machine), ones(&machine));
    kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Gpu).run().unwrap();
    machine.far[0].fail_submission(0, broken());
    let error = y.read().unwrap_err().to_string();
    assert!(error.contains("the wire broke") && !error.contains("launch"), "{error}");
    assert_eq!(y.read().unwrap()[0], 4);
}

#[test]
fn data_on_a_lost_device_is_missed_and_the_device_avoided() {
    let machine = machine(1, |spec| spec.asynchronous = true);
    let kernel = machine.rt.kernel(MIX).unwrap();
    let (x, y) = (ones(&machine), ones(&machine));
    let launch = kernel.launch().bind("x", &x).bind("y", &y).on(Placement::Gpu).submit().unwrap();
    machine.far[0].lose();
    assert!(launch.wait().unwrap_err().to_string().contains("lost"));
    for _ in 0..2 {
        assert!(y.read().unwrap_err().to_string().contains("lost"));
    }
    // What the host still has is used, on the device that is left.
    let z = ones(&machine);
    let report = kernel.launch().bind("x", &x).bind("y", &z).run().unwrap();
    assert_eq!((report.device.as_str(), z.read().unwrap()[0]), ("host", 4));
    let plan = kernel.launch().bind("x", &x).bind("y", &z).explain().unwrap();
    assert!(plan.to_string().contains("the device was lost"), "{plan}");
    assert!(kernel.launch().bind("x", &x).bind("y", &y).run().is_err());
}

#[test]
fn where_the_planner_is_free_a_full_device_gives_way_to_the_next() {
    let machine = machine(1, |spec| {
        spec.limits.memory = Some(256);
        spec.launch = 0.0;
    });
    let kernel = machine.rt.kernel(MIX).unwrap();
    let (x, y) =
        (machine.rt.buffer(vec![1u32; 1 << 20]).unwrap(), machine.rt.zeros::<u32>([1 << 20]).unwrap());
    let launch = || kernel.launch().bind("x", &x).bind("y", &y);
    assert!(launch().on(Placement::Gpu).run().unwrap_err().to_string().contains("out of memory"));
    let report = launch().run().unwrap();
    assert_eq!((report.device.as_str(), y.read().unwrap()[5]), ("host", 1));
}

#[test]
fn a_failed_reader_is_no_obstacle_to_a_writer() {
    let machine = machine(1, |_| {});
    let kernel = machine.rt.kernel(MIX).unwrap();
    let (x, y, z) = (ones(&machine), ones(&machine), ones(&machine));
    let failing = kernel.with_native(|_| Err("the tape broke".into()));
    failing.launch().bind("x", &x).bind("y", &y).on(Placement::Cpu).run().unwrap_err();
    for on in [Placement::Cpu, Placement::Gpu] {
        kernel.launch().bind("x", &z).bind("y", &x).on(on).run().unwrap();
    }
    assert_eq!(x.read().unwrap()[0], 13);
}

#[test]
fn what_was_given_up_carries_no_failure() {
    let machine = machine(1, |_| {});
    let kernel = machine.rt.kernel(MIX).unwrap();
    let (x, y) = (ones(&machine), ones(&machine));
    let failing = kernel.with_native(|_| Err("the tape broke".into()));
    failing.launch().bind("x", &x).bind("y", &y).on(Placement::Cpu).run().unwrap_err();
    y.write_discard();
    kernel.launch().bind("x", &x).bind("y", &y).run().unwrap();
    y.read().unwrap();
    // Scratch has nothing to lose.
    let scratch = machine.rt.scratch::<u32>([64]).unwrap();
    failing.launch().bind("x", &x).bind("y", &scratch).on(Placement::Cpu).run().unwrap_err();
    kernel.launch().bind("x", &x).bind("y", &scratch).run().unwrap();
    assert!(scratch.write(&[0; 64]).unwrap_err().to_string().contains("scratch"));
}

#[test]
fn a_native_cannot_write_what_the_kernel_only_reads() {
    let machine = machine(0, |_| {});
    let text = MIX.replace("var<storage, read> x", "var<storage, read_write> x");
    let kernel = machine.rt.kernel(&text).unwrap().with_native(|arguments| {
        arguments.slice_mut::<u32>("x")?.fill(9);
        Ok(())
    });
    let (x, y) = (ones(&machine), ones(&machine));
    let before = x.read().unwrap();
    let error = kernel.launch().bind("x", &x).bind("y", &y).run().unwrap_err().to_string();
    assert!(error.contains("never writes `x`"), "{error}");
    assert_eq!(before[0], 1);
}

/// Launches on random devices whose submissions and fences fail now and then.
#[test]
fn after_random_faults_every_read_is_right_or_an_error() {
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..40 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let machine = machine(2, |spec| spec.asynchronous = seed % 2 == 0);
        let kernel = machine.rt.kernel(MIX).unwrap();
        let buffers: Vec<_> = (0..4).map(|_| ones(&machine)).collect();
        let mut values = [1u32; 4];
        for _ in 0..150 {
            let (a, b) = (random.below(4), random.below(4));
            match random.below(8) {
                0 => machine.far[random.below(2)].fail_submission(random.below(3) as u64, broken()),
                1 => machine.far[random.below(2)].fail_wait(random.below(3) as u64, broken()),
                2 | 3 => match buffers[a].read() {
                    Ok(found) => {
                        assert!(
                            found.iter().all(|&v| v == values[a]),
                            "{} instead of {}",
                            found[0],
                            values[a]
                        );
                        right += 1;
                    }
                    Err(_) => {
                        values[a] = random.next() as u32;
                        buffers[a].write(&[values[a]; 64]).unwrap();
                        wrong += 1;
                    }
                },
                _ if a == b => {}
                _ => {
                    let launch = kernel.launch().bind("x", &buffers[a]).bind("y", &buffers[b]);
                    // A launch that is refused changes nothing; one that fails later poisons what it writes.
                    if launch.on(Placement::Device(random.below(3))).submit().is_ok() {
                        values[b] = values[b].wrapping_mul(3).wrapping_add(values[a]);
                    }
                }
            }
        }
        for device in &machine.far {
            assert!(device.reads_of_undefined().is_empty(), "{:?}", device.reads_of_undefined());
        }
    }
    assert!(right > 500 && wrong > 100, "{right} right reads, {wrong} errors");
}
