//! Devices that change their speed are followed within five launches; noise and spikes are not mistaken for it.

mod common;

use common::Device;
use warpweft_planner::Source;

const SEEDS: u64 = 200;

/// How many launches after the device slowed down by `factor` the prediction is within a quarter of the truth.
fn recovery(seed: u64, noise: f64, known: usize, factor: f64, sizes: &[f64]) -> usize {
    let time = |size: f64| 1e-9 * size + 1e-5;
    let mut device = Device::new(seed, noise);
    for launch in 0..known * sizes.len() + 1 {
        let size = sizes[launch % sizes.len()];
        device.launch(size, time(size));
    }
    for launch in 0.. {
        let size = sizes[launch % sizes.len()];
        // Before the launch, as a planner asks.
        let error = device.error(size, factor * time(size)).ln().abs();
        if error < 0.25f64.max(2.0 * noise) {
            return launch;
        }
        device.launch(size, factor * time(size));
    }
    unreachable!()
}

#[test]
fn predictions_recover_within_five_launches() {
    let one = [1e6];
    let several = [1e5, 1e6, 3e6, 1e7];
    for factor in [3.0, 1.0 / 3.0, 2.5, 10.0] {
        // Changes that are not much larger than the noise take longer.
        let noises = if factor == 2.5 { &[0.05, 0.1][..] } else { &[0.05, 0.1, 0.2] };
        for &noise in noises {
            for known in [1, 2, 3, 7, 30] {
                for sizes in [&one[..], &several] {
                    let runs: Vec<_> =
                        (0..SEEDS).map(|seed| recovery(seed, noise, known, factor, sizes)).collect();
                    let slow = runs.iter().filter(|&&r| r > 5).count();
                    let mean = runs.iter().sum::<usize>() as f64 / runs.len() as f64;
                    let worst = runs.iter().max().unwrap();
                    println!(
                        "x{factor:.2}, noise {noise}, {known} known at {} sizes: mean {mean:.2}, worst {worst}",
                        sizes.len()
                    );
                    // Noise can hide a change for a while, above all where little was known before.
                    let allowed = match (noise > 0.1, known > 2) {
                        (true, true) => runs.len() / 20,
                        (true, false) => runs.len() / 4,
                        (false, true) => 0,
                        (false, false) => runs.len() / 40,
                    };
                    assert!(slow <= allowed, "{slow} of {} took more than five launches", runs.len());
                }
            }
        }
    }
}

#[test]
fn a_change_seen_at_one_size_is_believed_at_the_others_with_doubt() {
    let mut device = Device::new(3, 0.03);
    for _ in 0..8 {
        for size in [1e4, 1e5, 1e6] {
            device.launch(size, 1e-9 * size);
        }
    }
    let before = device.series.predict(1e4).unwrap();
    let shift = (0..3).find_map(|_| device.launch(1e6, 3e-3)).unwrap();
    assert!((shift / 3.0 - 1.0).abs() < 0.1, "{shift}");
    let after = device.series.predict(1e4).unwrap();
    assert_eq!((after.source, after.samples), (Source::Rescaled, 1));
    assert!((after.seconds / before.seconds / 3.0 - 1.0).abs() < 0.15, "{after:?}");
    assert!(after.high / after.low > 1.2 * before.high / before.low, "{after:?}");
    let new = device.error(3e5, 9e-4);
    assert!((0.8..1.25).contains(&new), "{new}");
    // Measured anew, it is sure again.
    for _ in 0..3 {
        device.launch(1e4, 3e-5);
    }
    let measured = device.series.predict(1e4).unwrap();
    assert_eq!((measured.source, measured.samples), (Source::Measured, 3));
}

#[test]
fn ever_new_sizes_reveal_a_change_as_well() {
    let mut late = 0;
    for seed in 0..SEEDS {
        let mut device = Device::new(seed, 0.05);
        let launch = |device: &mut Device, factor: f64| {
            let size = 1e4 * device.random.uniform().mul_add(4.0, 0.0).exp();
            (size, device.launch(size, factor * 1e-9 * size))
        };
        for _ in 0..40 {
            let (size, shift) = launch(&mut device, 1.0);
            assert_eq!(shift, None, "seed {seed}, size {size}");
        }
        if (0..5).any(|_| launch(&mut device, 3.0).1.is_some()) {
            let error = device.error(1e5, 3e-4);
            assert!((0.7..1.4).contains(&error), "seed {seed}: {error}");
        } else {
            late += 1;
        }
    }
    println!("{late} of {SEEDS} took more than five launches");
    assert!(late <= SEEDS / 50);
}

#[test]
fn a_kernel_that_is_slower_at_large_sizes_is_no_change() {
    let time = |size: f64| 1e-9 * size * if size >= 65536.0 { 4.0 } else { 1.0 };
    for seed in 0..SEEDS {
        let mut device = Device::new(seed, 0.05);
        // Upwards past the end of a cache, again and again.
        for launch in 0..60 {
            let size = 2f64.powi(10 + launch % 11);
            assert_eq!(device.launch(size, time(size)), None, "seed {seed}, launch {launch}");
        }
    }
}

#[test]
fn noise_and_single_spikes_are_no_change() {
    let mut launches = 0;
    let mut shifts = 0;
    for noise in [0.05, 0.1, 0.2] {
        for seed in 0..SEEDS {
            let mut device = Device::new(seed, noise);
            for launch in 0..400 {
                let size = [1e4, 1e5, 1e6][device.random.below(3)];
                let spike = if launch % 10 == 9 { 10.0 } else { 1.0 };
                launches += 1;
                if let Some(factor) = device.launch(size, 1e-9 * size * spike) {
                    println!("noise {noise}, seed {seed}: a change by {factor:.2} at launch {launch}");
                    shifts += 1;
                    assert!(
                        noise > 0.1,
                        "noise {noise}, seed {seed}: a change by {factor} at launch {launch}"
                    );
                }
            }
        }
    }
    // At 20 %, three launches in a row may by chance look like a change.
    assert!(shifts <= launches / 50_000, "{shifts} changes were seen in {launches} launches without any");
}

#[test]
fn what_returns_is_followed_again() {
    let mut device = Device::new(9, 0.05);
    let mut factors = Vec::new();
    for launch in 0..100 {
        let speed = if launch / 20 % 2 == 0 { 1.0 } else { 3.0 };
        factors.extend(device.launch(10.0, speed));
    }
    assert_eq!(factors.len(), 4, "{factors:?}");
    for (i, factor) in factors.iter().enumerate() {
        let expected = if i % 2 == 0 { 3.0 } else { 1.0 / 3.0 };
        assert!((factor / expected - 1.0).abs() < 0.15, "{factors:?}");
    }
}
