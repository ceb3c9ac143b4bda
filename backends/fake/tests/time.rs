//! The virtual clock, the timeline, and submissions that stay pending.

mod harness;

use std::time::Duration;

use harness::*;
use warpweft_fake::{Clock, Entry, Event, Fake, Link, Place, Spec, Work};
use warpweft_hal::{Command, Device, Error, Grid, Region, Submitted, Timing, TimingSource};

#[test]
fn every_command_takes_its_time_and_is_logged() {
    let fake = Fake::new(spec());
    let kernel = load(&fake);
    close(fake.clock().now(), 3.0);
    let (x, y) = (fake.allocate(100).unwrap(), fake.allocate(100).unwrap());
    let host = block(&[0u8; 100]);
    let copy = Command::Copy { from: Region::device(x, 0..100), to: Region::device(y, 0..100) };
    let commands = vec![
        upload(&host, x),
        copy,
        fill(y, 0..100, 5),
        Command::Dispatch(dispatch(kernel, x, y, 100)),
        download(y, &host),
    ];
    let done = run(&fake, commands).unwrap();
    // Two workgroups: 20 operations at 10 per second, 800 bytes at 100 per second.
    assert_eq!(done.dispatches, [Timing { seconds: 8.0, source: TimingSource::Virtual }]);

    let place = |memory, bytes| Place { memory: Some(memory), bytes };
    let whole = Event::Dispatch {
        kernel,
        entry: "saxpy".into(),
        grid: Grid { workgroups: [2, 1, 1], over: None },
        range: 0..2,
        work: Work { operations: 20.0, bytes: 800.0 },
    };
    let entry = |event, start, end| Entry { submission: 0, event, start, end };
    assert_eq!(
        fake.log(),
        [
            entry(Event::Upload { to: place(x, 0..100) }, 3.0, 14.0),
            entry(Event::Copy { from: place(x, 0..100), to: place(y, 0..100) }, 14.0, 16.0),
            entry(Event::Fill { to: place(y, 0..100), word: 5 }, 16.0, 17.0),
            entry(whole, 17.0, 26.0),
            entry(Event::Download { from: place(y, 0..100) }, 26.0, 47.0),
        ]
    );
    close(fake.clock().now(), 47.0);
}

/// The time of one dispatch of four workgroups.
fn dispatch_time(fake: &Fake) -> f64 {
    let kernel = load(fake);
    let (x, y) = (fake.allocate(256).unwrap(), fake.allocate(256).unwrap());
    let done = run(fake, vec![Command::Dispatch(dispatch(kernel, x, y, 256))]).unwrap();
    done.dispatches[0].seconds
}

#[test]
fn a_dispatch_takes_the_larger_of_compute_and_memory_time() {
    close(dispatch_time(&Fake::new(spec())), 16.0);
    close(dispatch_time(&Fake::new(Spec { bandwidth: 1e9, ..spec() })), 4.0);
}

#[test]
fn without_a_cost_model_the_interface_says_what_a_dispatch_costs() {
    let spec = Spec { cost: None, compute: 1e30, ..spec() };
    let cost = program(SAXPY, None).kernel.interface().cost;
    assert!(cost.bytes_read > 0.0 && cost.bytes_written > 0.0, "{cost:?}");
    close(dispatch_time(&Fake::new(spec)), 64.0 * (cost.bytes_read + cost.bytes_written) / 100.0);
    let spec = Spec { cost: None, bandwidth: 1e30, ..harness::spec() };
    close(dispatch_time(&Fake::new(spec)), 64.0 * cost.operations / 10.0);
}

#[test]
fn a_device_can_become_slow_and_recover() {
    let fake = Fake::new(spec());
    close(dispatch_time(&fake), 16.0);
    fake.slow_down(2.5);
    close(dispatch_time(&fake), 40.0);
    fake.slow_down(1.0);
    close(dispatch_time(&fake), 16.0);
}

#[test]
fn noise_is_seeded() {
    let times = |seed| -> Vec<f64> {
        let fake = Fake::new(Spec { noise: 0.1, seed, ..spec() });
        (0..100).map(|_| dispatch_time(&fake)).collect()
    };
    let a = times(1);
    assert_eq!(times(1), a);
    assert_ne!(times(2), a);
    let mean = a.iter().sum::<f64>() / 100.0;
    assert!((mean / 16.0 - 1.0).abs() < 0.05, "{mean}");
    assert!(a.iter().any(|t| (t / 16.0 - 1.0).abs() > 0.1), "{a:?}");
}

#[test]
fn a_kernel_is_compiled_once() {
    let fake = Fake::new(spec());
    let program = program(SAXPY, Some(std::sync::Arc::new(saxpy)));
    let first = fake.load(&program).unwrap();
    let second = fake.load(&program).unwrap();
    assert_eq!((first.kernel, first.seconds, second.seconds), (second.kernel, 3.0, 0.0));
    assert_ne!(load(&fake), first.kernel);
    assert_eq!(fake.counters().compilations, 2);
    close(fake.clock().now(), 6.0);
}

#[test]
fn devices_on_one_clock_work_side_by_side() {
    let clock = Clock::default();
    let device = |name: &str| {
        Fake::new(Spec {
            name: name.into(),
            clock: clock.clone(),
            asynchronous: true,
            compile: 0.0,
            ..spec()
        })
    };
    let (a, b) = (device("a"), device("b"));
    let start = |fake: &Fake, bytes| {
        let kernel = load(fake);
        let (x, y) = (fake.allocate(bytes).unwrap(), fake.allocate(bytes).unwrap());
        begin(fake, vec![Command::Dispatch(dispatch(kernel, x, y, bytes))])
    };
    // 17 s on `a`, then 5 s more behind it; 9 s on `b` beside both.
    let fences = [start(&a, 256), start(&a, 64)];
    let other = start(&b, 128);
    assert_eq!(clock.now(), 0.0);
    b.wait(other).unwrap();
    close(clock.now(), 9.0);
    a.wait(fences[1]).unwrap();
    close(clock.now(), 22.0);
    a.wait(fences[0]).unwrap();
    close(clock.now(), 22.0);
    let starts: Vec<f64> = a.log().iter().map(|entry| entry.start).collect();
    assert_eq!(starts, [0.0, 17.0]);
    // An idle device begins when it is asked, not when it was last busy.
    clock.advance(10.0);
    let last = start(&b, 64);
    b.wait(last).unwrap();
    close(clock.now(), 37.0);
}

#[test]
fn a_download_lands_when_its_fence_is_done_and_not_before() {
    let fake = Fake::new(Spec { asynchronous: true, polls: 2, ..spec() });
    let memory = fake.allocate(8).unwrap();
    let out = block(&[0u32; 2]);
    let fence = begin(&fake, vec![fill(memory, 0..8, 9), download(memory, &out)]);
    assert_eq!(fake.poll(fence), Ok(None));
    assert_eq!(read::<u32>(&out), [0, 0]);
    // What is in flight may not be touched, by the host's end of another transfer either.
    let early = fake.submit(submission(vec![upload(&out, memory)])).unwrap_err();
    assert!(early.to_string().contains("still to be written by a download"), "{early}");
    assert_eq!(fake.poll(fence), Ok(None));
    assert_eq!(fake.poll(fence).unwrap().unwrap().dispatches, []);
    assert_eq!(read::<u32>(&out), [9, 9]);
    // Handed out once.
    for error in [fake.poll(fence).unwrap_err(), fake.wait(fence).unwrap_err()] {
        assert!(error.to_string().contains("handed out already"), "{error}");
    }
    let later = begin(&fake, vec![upload(&out, memory)]);
    fake.wait(later).unwrap();
}

#[test]
fn uploads_read_the_host_at_once() {
    let fake = Fake::new(Spec { asynchronous: true, ..spec() });
    let memory = fake.allocate(4).unwrap();
    let (host, out) = (block(&[1u32]), block(&[0u32]));
    let fence = begin(&fake, vec![upload(&host, memory)]);
    host.words()[0].store(2, std::sync::atomic::Ordering::Relaxed);
    let second = begin(&fake, vec![download(memory, &out)]);
    fake.wait(second).unwrap();
    fake.wait(fence).unwrap();
    assert_eq!(read::<u32>(&out), [1]);
}

#[test]
fn work_beyond_its_time_limit_is_a_timeout() {
    let limited = |fake: &Fake, limit| {
        let kernel = load(fake);
        let (x, y) = (fake.allocate(256).unwrap(), fake.allocate(256).unwrap());
        let mut work = submission(vec![Command::Dispatch(dispatch(kernel, x, y, 256))]);
        work.time_limit = Some(Duration::from_secs(limit));
        fake.submit(work)
    };
    let fake = Fake::new(spec());
    assert!(matches!(limited(&fake, 17), Ok(Submitted::Done(_))));
    let error = limited(&fake, 16).unwrap_err();
    assert_eq!(error, Error::Timeout { device: "fake".into(), limit: Duration::from_secs(16) });
    assert!(fake.allocate(4).unwrap_err().is_loss(), "its work cannot be stopped");
}

#[test]
fn a_device_with_host_memory_survives_a_timeout() {
    let fake = Fake::new(Spec { link: Link::Shared, ..spec() });
    let (host, limit) = (block(&[1u32; 100]), Duration::from_secs(2));
    let fill = || Command::Fill { to: Region::host(&host, 0..400), word: 7 };
    let mut late = submission(vec![fill()]);
    late.time_limit = Some(limit);
    assert_eq!(fake.submit(late), Err(Error::Timeout { device: "fake".into(), limit }));
    assert_eq!(read::<u32>(&host), [1; 100]);
    close(fake.clock().now(), 2.0);
    run(&fake, vec![fill()]).unwrap();
    assert_eq!(read::<u32>(&host), [7; 100]);
    close(fake.clock().now(), 6.0);
}
