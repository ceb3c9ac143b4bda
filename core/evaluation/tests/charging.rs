//! Everything that a policy does is charged to it, at its typical time, and the same luck meets everyone.

use warpweft_evaluation::machine::Kind;
use warpweft_evaluation::suite::SUITE;
use warpweft_evaluation::truth::Truth;
use warpweft_evaluation::world::{Charge, Step, Traffic};
use warpweft_evaluation::{
    Contestant, Decision, Fleet, Machine, Measurement, Policy, Prescribed, Reality, Refused, Request, Score,
    Setting, World,
};

/// Runs equal slices of every launch on the devices in turn, for ever.
struct Curious {
    slices: u64,
    turn: usize,
}

impl Policy for Curious {
    fn decide(&mut self, request: &Request<'_>) -> Decision {
        self.turn += 1;
        let device = self.turn % request.candidates.len();
        let items = request.items.div_ceil(self.slices);
        match request.sliceable && items < request.remaining {
            true => Decision::Slice { device, items },
            false => Decision::Run { device },
        }
    }

    fn measured(&mut self, _: &Request<'_>, _: &Measurement) {}
}

/// One answer to everything.
struct Stubborn(Decision);

impl Policy for Stubborn {
    fn decide(&mut self, _: &Request<'_>) -> Decision {
        self.0
    }

    fn measured(&mut self, _: &Request<'_>, _: &Measurement) {}
}

/// Notes what it is told.
struct Listener {
    device: usize,
    told: Vec<Measurement>,
    deliveries: Vec<f64>,
}

impl Policy for Listener {
    fn decide(&mut self, _: &Request<'_>) -> Decision {
        Decision::Run { device: self.device }
    }

    fn measured(&mut self, _: &Request<'_>, measurement: &Measurement) {
        self.told.push(*measurement);
    }

    fn delivered(&mut self, _: usize, _: u64, _: usize, seconds: f64) {
        self.deliveries.push(seconds);
    }
}

fn listener(device: usize) -> Listener {
    Listener { device, told: Vec::new(), deliveries: Vec::new() }
}

/// One launch of one kernel at its large size, data on the host.
fn single(machine: Machine, kernel: &str, traffic: Traffic, reality: Reality) -> World {
    let kernel = SUITE.iter().position(|k| k.name == kernel).unwrap();
    let steps = vec![Step { kernel, data: 0 }; 3];
    World { truth: Truth::new(machine, 9, reality, None), sizes: vec![2], home: 0, traffic, steps }
}

#[test]
fn a_launch_costs_what_arithmetic_says() {
    let world = single(Machine::workstation(), "triad", Traffic::At(0), Reality::exact());
    let records = world.run(&mut Prescribed::always(1)).unwrap();
    let n = (1u64 << 24) as f64;
    let expected = Charge {
        // Two arrays up at 20 GB/s, with 10 µs each.
        transfer: 2.0 * (10e-6 + 4.0 * n / 20e9),
        compile: 20e-3,
        launch: 30e-6,
        // Memory bound: three arrays at 310 GB/s.
        execution: 12.0 * n / 310e9,
        // One array down at 18 GB/s.
        delivery: 20e-6 + 4.0 * n / 18e9,
    };
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b;
    for (charge, compile) in [(records[0].charge, 20e-3), (records[1].charge, 0.0)] {
        assert!(near(charge.transfer, expected.transfer), "{charge:?} against {expected:?}");
        assert!(near(charge.execution, expected.execution), "{charge:?} against {expected:?}");
        assert!(near(charge.delivery, expected.delivery), "{charge:?} against {expected:?}");
        assert_eq!((charge.launch, charge.compile), (expected.launch, compile));
    }
    let iterated = single(Machine::workstation(), "triad", Traffic::Undisturbed, Reality::exact());
    let records = iterated.run(&mut Prescribed::always(1)).unwrap();
    assert!(near(records[0].charge.transfer, expected.transfer));
    assert_eq!((records[1].charge.transfer, records[1].charge.delivery), (0.0, 0.0));
}

#[test]
fn slices_add_up_to_the_launch_and_a_latency_each() {
    let world = single(Machine::workstation(), "Black-Scholes", Traffic::At(0), Reality::exact());
    let whole = world.run(&mut Prescribed::always(1)).unwrap().remove(1).charge;
    struct Halves;
    impl Policy for Halves {
        fn decide(&mut self, request: &Request<'_>) -> Decision {
            match request.remaining > request.items / 4 {
                true => Decision::Slice { device: 1, items: request.remaining / 2 },
                false => Decision::Run { device: 1 },
            }
        }
        fn measured(&mut self, _: &Request<'_>, _: &Measurement) {}
    }
    let sliced = world.run(&mut Halves).unwrap().remove(1);
    assert_eq!(sliced.slices, 2);
    assert!((sliced.charge.execution / whole.execution - 1.0).abs() < 1e-12);
    assert_eq!(sliced.charge.launch, 3.0 * whole.launch);
    // Three arrays up, in three parts each: six latencies more, and not a byte.
    assert!((sliced.charge.transfer - whole.transfer - 6.0 * 10e-6).abs() < 1e-12);
    assert_eq!(sliced.charge.delivery, whole.delivery);
}

#[test]
fn small_slices_on_a_wide_device_cost_more_than_their_share() {
    let world = single(Machine::server(), "Mandelbrot", Traffic::At(0), Reality::exact());
    let whole = world.run(&mut Prescribed::always(1)).unwrap().remove(1).charge.execution;
    let sliced = world.run(&mut Curious { slices: 4096, turn: 0 }).unwrap().remove(1).charge.execution;
    assert!(sliced > 10.0 * whole, "{sliced} against {whole}");
}

#[test]
fn who_explores_without_end_gets_what_that_deserves() {
    let fleet = Fleet::named(1, 21);
    let speed = |slices| {
        let curious = Contestant::new("curious", move || Curious { slices, turn: 0 });
        let units = Setting::Iterated.evaluate(&fleet, &curious).unwrap();
        Score::of(&units, 0.05).unwrap().geometric_mean
    };
    let (few, many) = (speed(2), speed(32));
    assert!(few < 0.3, "{few}");
    assert!(many < 0.75 * few, "{many} against {few}");
}

#[test]
fn noise_is_told_and_not_charged_and_meets_everyone_alike() {
    let noisy = single(Machine::server(), "LBM", Traffic::At(0), Reality::spiky());
    let clear = World {
        truth: Truth::new(Machine::server(), 9, Reality { noise: 0.0, ..Reality::default() }, None),
        ..noisy.clone()
    };
    let (mut in_noise, mut in_calm) = (listener(1), listener(1));
    let charged = noisy.run(&mut in_noise).unwrap();
    assert_eq!(charged, clear.run(&mut in_calm).unwrap());
    assert_ne!(in_noise.told, in_calm.told);
    for (record, told) in charged.iter().zip(&in_calm.told) {
        assert_eq!(told.execution, record.charge.execution);
        assert_eq!(told.transfer, record.charge.transfer);
    }
    assert_eq!(in_calm.deliveries.len(), 3);
    let mut again = listener(1);
    noisy.run(&mut again).unwrap();
    assert_eq!(again.told, in_noise.told);
}

#[test]
fn seeds_repeat_bit_for_bit_and_others_differ() {
    let evaluate = |seed| {
        let contestants = Contestant::baselines();
        let units =
            contestants.iter().flat_map(|c| Setting::Cold.evaluate(&Fleet::named(1, seed), c).unwrap());
        units.flat_map(|unit| unit.policy).map(f64::to_bits).collect::<Vec<u64>>()
    };
    assert_eq!(evaluate(31), evaluate(31));
    assert_ne!(evaluate(31), evaluate(32));
}

#[test]
fn reality_stays_within_the_models_error_and_uses_all_of_it() {
    use warpweft_evaluation::roofline;
    let (mut least, mut most) = (f64::INFINITY, 0.0f64);
    for seed in 0..40 {
        let truth = Truth::new(Machine::random(seed), seed, Reality::default(), None);
        for (number, kernel) in SUITE.iter().enumerate() {
            for (device, described) in truth.machine().devices.iter().enumerate() {
                for size in kernel.sizes {
                    let real = truth.execution(number, kernel, size, device, size, 0);
                    let ratio = real / roofline::execution(described, kernel, size);
                    (least, most) = (least.min(ratio), most.max(ratio));
                }
            }
        }
    }
    assert!((1.0 / 3.0 - 1e-9..0.35).contains(&least), "{least}");
    assert!((2.85..3.0 + 1e-9).contains(&most), "{most}");
}

#[test]
fn a_device_that_slows_down_takes_three_times_as_long_from_then_on() {
    for (world, windows) in
        Setting::DriftFirst.worlds(&Fleet { machines: vec![Machine::laptop()], ..Fleet::named(1, 3) })
    {
        let mut slowed = 0;
        for device in 0..2 {
            let records = world.run(&mut Prescribed::always(device)).unwrap();
            for window in &windows {
                let chain = world.chain(window.kernel);
                let at = |nth: usize| records[chain[nth]].charge.execution;
                let ratio = at(window.chain.start) / at(window.chain.start - 1);
                assert!((ratio - 1.0).abs() < 1e-12 || (ratio - 3.0).abs() < 1e-12, "{ratio}");
                slowed += usize::from(ratio > 2.0);
            }
        }
        assert_eq!(slowed, SUITE.len(), "one device, every kernel");
    }
}

#[test]
fn impossible_answers_are_refused() {
    let sliced = single(Machine::laptop(), "triad", Traffic::At(0), Reality::exact());
    let whole = single(Machine::laptop(), "scan", Traffic::At(0), Reality::exact());
    let answer = |world: &World, decision| world.run(&mut Stubborn(decision)).map(|_| ()).unwrap_err();
    let n = 1 << 24;
    let slice = |device, items| Decision::Slice { device, items };
    assert_eq!(answer(&sliced, Decision::Run { device: 2 }), Refused::NoSuchDevice { device: 2, devices: 2 });
    assert_eq!(answer(&sliced, slice(2, 1)), Refused::NoSuchDevice { device: 2, devices: 2 });
    assert_eq!(answer(&sliced, slice(0, 0)), Refused::SliceSize { items: 0, remaining: n });
    assert_eq!(answer(&sliced, slice(0, n)), Refused::SliceSize { items: n, remaining: n });
    assert!(matches!(answer(&whole, slice(0, 1)), Refused::NotSliceable { kernel: "scan", .. }));
}

#[test]
fn every_machine_makes_sense() {
    let random = (0..200).map(Machine::random);
    for machine in Machine::named().into_iter().chain(random) {
        assert!((2..=4).contains(&machine.devices.len()), "{}", machine.name);
        for (number, device) in machine.devices.iter().enumerate() {
            assert_eq!(device.kind == Kind::Cpu, number == 0, "{}", machine.name);
            assert_eq!(device.kind == Kind::Gpu, device.link.is_some(), "{}", machine.name);
            assert_eq!(machine.location(number), if device.link.is_some() { number } else { 0 });
            let rates =
                [device.operations, device.bandwidth, device.cache_bandwidth - device.bandwidth + 1.0];
            assert!(rates.iter().all(|rate| *rate > 0.0), "{}: {rates:?}", machine.name);
        }
    }
}
