//! Faults on demand.

mod harness;

use std::sync::Arc;
use std::time::Duration;

use harness::*;
use warpweft_fake::{Fake, Spec};
use warpweft_hal::{Command, Device, Error, MemoryId, NativeArguments};

fn failure() -> Error {
    Error::Internal { device: "fake".into(), reason: "as asked".into() }
}

/// Every call but `free` and `unload` fails with this loss.
fn check_lost(fake: &Fake, expected: &str) {
    let kernel = program(SAXPY, None);
    let fence = warpweft_hal::Fence(0);
    let errors = [
        fake.load(&kernel).unwrap_err(),
        fake.allocate(4).unwrap_err(),
        fake.submit(submission(vec![])).unwrap_err(),
        fake.poll(fence).unwrap_err(),
        fake.wait(fence).unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_loss(), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    fake.free(MemoryId(1));
    fake.unload(warpweft_hal::KernelId(1));
    fake.trim();
}

#[test]
fn the_nth_allocation_fails() {
    let fake = Fake::new(Spec::default());
    fake.allocate(4).unwrap();
    fake.fail_allocation(1);
    fake.allocate(4).unwrap();
    assert!(matches!(fake.allocate(4), Err(Error::OutOfMemory { requested: 4, .. })));
    fake.allocate(4).unwrap();
}

#[test]
fn the_nth_submission_is_refused_and_not_executed() {
    let fake = Fake::new(Spec::default());
    let memory = fake.allocate(4).unwrap();
    fake.fail_submission(1, failure());
    run(&fake, vec![fill(memory, 0..4, 1)]).unwrap();
    assert_eq!(run(&fake, vec![fill(memory, 0..4, 2)]), Err(failure()));
    let out = block(&[0u32]);
    run(&fake, vec![download(memory, &out)]).unwrap();
    assert_eq!(read::<u32>(&out), [1]);
    assert_eq!(fake.counters().fills, 1);
}

#[test]
fn the_end_of_the_nth_submission_is_an_error() {
    let fake = Fake::new(Spec { asynchronous: true, ..Spec::default() });
    let memory = fake.allocate(4).unwrap();
    let out = block(&[0u32]);
    fake.fail_wait(0, failure());
    let fences = [(); 2].map(|()| begin(&fake, vec![fill(memory, 0..4, 1)]));
    assert_eq!(fake.wait(fences[0]), Err(failure()));
    fake.wait(fences[1]).unwrap();

    fake.fail_wait(0, failure());
    let fence = begin(&fake, vec![download(memory, &out)]);
    assert_eq!(fake.poll(fence), Err(failure()));
    assert_eq!(read::<u32>(&out), [0], "nothing lands");

    let synchronous = Fake::new(Spec::default());
    synchronous.fail_wait(0, failure());
    assert_eq!(run(&synchronous, vec![]), Err(failure()));
}

#[test]
fn an_injected_loss_lasts() {
    let loss = Error::Lost { device: "fake".into(), reason: "the driver fell".into() };
    let fake = Fake::new(Spec::default());
    fake.fail_submission(0, loss.clone());
    assert_eq!(run(&fake, vec![]), Err(loss.clone()));
    check_lost(&fake, "the driver fell");

    let fake = Fake::new(Spec { asynchronous: true, ..Spec::default() });
    fake.fail_wait(0, loss.clone());
    let fence = begin(&fake, vec![]);
    fake.allocate(4).unwrap();
    assert_eq!(fake.wait(fence), Err(loss));
    check_lost(&fake, "the driver fell");
}

#[test]
fn a_lost_device_loses_what_is_in_flight() {
    let fake = Fake::new(Spec { asynchronous: true, ..Spec::default() });
    let memory = fake.allocate(4).unwrap();
    let out = block(&[0u32]);
    begin(&fake, vec![fill(memory, 0..4, 1), download(memory, &out)]);
    fake.lose();
    check_lost(&fake, "on demand");
    assert_eq!(read::<u32>(&out), [0]);
}

#[test]
fn a_device_is_lost_at_the_nth_submission() {
    let fake = Fake::new(Spec::default());
    fake.lose_at(1);
    run(&fake, vec![]).unwrap();
    assert!(run(&fake, vec![]).unwrap_err().is_loss());
    check_lost(&fake, "on demand");
}

#[test]
fn a_hang_is_a_timeout_and_then_a_loss() {
    let fake = Fake::new(Spec { asynchronous: true, time_limit: Duration::from_secs(5), ..Spec::default() });
    let memory = fake.allocate(4).unwrap();
    fake.hang(1);
    let fences = [(); 3].map(|()| begin(&fake, vec![fill(memory, 0..4, 1)]));
    fake.wait(fences[0]).unwrap();
    let before = fake.clock().now();
    for _ in 0..100 {
        assert_eq!(fake.poll(fences[1]), Ok(None), "it never ends");
        assert_eq!(fake.poll(fences[2]), Ok(None), "nor does what comes after it");
    }
    assert_eq!(fake.counters().fills, 1);
    let limit = Duration::from_secs(5);
    assert_eq!(fake.wait(fences[2]), Err(Error::Timeout { device: "fake".into(), limit }));
    close(fake.clock().now(), before + 5.0);
    check_lost(&fake, "did not end within 5s");
}

#[test]
fn a_kernel_that_fails_fails_its_submission_alone() {
    for asynchronous in [false, true] {
        let fake = Fake::new(Spec { asynchronous, ..Spec::default() });
        let bad = |_: &NativeArguments<'_>| panic!("no way");
        let kernel = fake.load(&program(SAXPY, Some(Arc::new(bad)))).unwrap().kernel;
        let (x, y) = (fake.allocate(64).unwrap(), fake.allocate(64).unwrap());
        let out = block(&[0u32; 16]);
        let commands =
            vec![fill(y, 0..64, 1), Command::Dispatch(dispatch(kernel, x, y, 64)), download(y, &out)];
        let result = if asynchronous { fake.wait(begin(&fake, commands)) } else { run(&fake, commands) };
        let reason = "it panicked: no way".into();
        let error = Error::Execution { device: "fake".into(), kernel: "saxpy".into(), reason };
        assert_eq!(result, Err(error));
        assert_eq!(read::<u32>(&out), [0; 16]);
        assert_eq!(fake.counters().downloads, 0, "nothing after it is executed");
        fake.allocate(4).unwrap();
    }
}

const DIVERGENT: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(4)
    fn diverge(@builtin(local_invocation_index) i: u32) {
        out[i] = i;
        if i < 3 { workgroupBarrier(); }
    }";

#[test]
fn an_interpreted_kernel_that_fails_says_where() {
    let fake = Fake::new(Spec::default());
    let kernel = fake.load(&program(DIVERGENT, None)).unwrap().kernel;
    let out = fake.allocate(16).unwrap();
    let mut dispatch = dispatch(kernel, out, out, 16);
    dispatch.arguments = vec![argument(out, 0..16)];
    let error = run(&fake, vec![Command::Dispatch(dispatch)]).unwrap_err();
    assert!(matches!(&error, Error::Execution { kernel, .. } if kernel == "diverge"), "{error}");
    assert!(error.to_string().contains("test.wgsl:6"), "{error}");
}
