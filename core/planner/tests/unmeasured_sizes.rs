//! Sizes that were not measured: errors between and beyond measured ones, for kernels of many shapes.

mod common;

use common::{Device, Random};
use warpweft_planner::Source;

const SEEDS: u64 = 200;

/// Exponent and the offset as a part of the time at the smallest measured size.
const KERNELS: [(f64, f64); 12] = [
    (0.5, 0.0),
    (1.0, 0.0),
    (1.5, 0.0),
    (2.0, 0.0),
    (0.5, 0.5),
    (1.0, 0.5),
    (1.5, 0.5),
    (2.0, 0.5),
    (0.5, 0.9),
    (1.0, 0.9),
    (1.5, 0.9),
    (2.0, 0.9),
];

struct Errors {
    /// Mean absolute error, as a part of the truth.
    mean: f64,
    worst: f64,
    /// The part of the intervals that hold the truth.
    held: f64,
}

/// Measures sizes 2^10 to 2^17 three times each, then asks for another.
fn errors(exponent: f64, offset: f64, noise: f64, asked: f64) -> Errors {
    let (mut sum, mut worst, mut held) = (0.0, 0.0f64, 0.0);
    for seed in 0..SEEDS {
        let scale = 1e-6 * Random::new(seed ^ 77).noise(2.0);
        let time = |size: f64| scale * ((1.0 - offset) * (size / 1024.0).powf(exponent) + offset);
        let mut device = Device::new(seed, noise);
        for _ in 0..3 {
            for k in 10..18 {
                device.launch(2f64.powi(k), time(2f64.powi(k)));
            }
        }
        let prediction = device.series.predict(asked).unwrap();
        assert!(matches!(prediction.source, Source::Fitted { .. }), "{prediction:?}");
        let error = (prediction.seconds / time(asked) - 1.0).abs();
        sum += error;
        worst = worst.max(error);
        held += f64::from((prediction.low..prediction.high).contains(&time(asked)));
    }
    let runs = SEEDS as f64;
    Errors { mean: sum / runs, worst, held: held / runs }
}

fn check(noise: f64, asked: f64, mean: f64, worst: f64) {
    let mut failures = 0;
    for (exponent, offset) in KERNELS {
        let e = errors(exponent, offset, noise, asked);
        println!(
            "n^{exponent} + {offset}, noise {noise}, at 2^{:.1}: mean {:.1} %, worst {:.0} %, interval holds {:.0} %",
            asked.log2(),
            100.0 * e.mean,
            100.0 * e.worst,
            100.0 * e.held
        );
        let failed = !(e.mean <= mean && e.worst <= worst && e.held >= 0.7);
        failures += usize::from(failed);
    }
    assert_eq!(failures, 0);
}

#[test]
fn between_measured_sizes() {
    check(0.05, 3000.0, 0.04, 0.2);
    check(0.2, 3000.0, 0.16, 0.8);
}

#[test]
fn four_times_beyond() {
    check(0.05, 2f64.powi(19), 0.12, 0.5);
}

#[test]
fn sixteen_times_beyond() {
    check(0.05, 2f64.powi(21), 0.25, 1.0);
}

#[test]
fn four_times_below() {
    check(0.05, 2f64.powi(8), 0.15, 1.5);
}

#[test]
fn one_size_is_scaled_and_two_are_fitted() {
    let mut device = Device::new(1, 0.0);
    device.launch(100.0, 1.0);
    device.launch(100.0, 1.0);
    let scaled = device.series.predict(200.0).unwrap();
    assert_eq!((scaled.source, scaled.samples), (Source::Scaled, 1));
    assert!((scaled.seconds - 2.0).abs() < 1e-6 && scaled.low < 1.7 && scaled.high > 2.3, "{scaled:?}");
    let far = device.series.predict(1e6).unwrap();
    assert!(far.high / far.low > 5.0, "{far:?}");
    device.launch(10_000.0, 10_000.0);
    let fitted = device.series.predict(1000.0).unwrap();
    assert!(
        matches!(fitted.source, Source::Fitted { exponent, sizes: 2 } if (exponent - 2.0).abs() < 0.1),
        "{fitted:?}"
    );
    assert!((fitted.seconds / 100.0 - 1.0).abs() < 0.1, "{fitted:?}");
}

#[test]
fn doubt_grows_with_the_distance() {
    let mut device = Device::new(4, 0.05);
    for _ in 0..3 {
        for k in 10..18 {
            device.launch(2f64.powi(k), 1e-9 * 2f64.powi(k));
        }
    }
    let width = |k: f64| {
        let prediction = device.series.predict(2f64.powf(k)).unwrap();
        prediction.high / prediction.low
    };
    assert!(width(14.5) < width(19.0) && width(19.0) < width(24.0) && width(24.0) < width(34.0));
    assert!(width(9.0) < width(4.0));
}

#[test]
fn beyond_a_cache_the_nearest_sizes_count() {
    // Four times slower per element from 2^16 on.
    let time = |size: f64| 1e-9 * size * if size >= 65536.0 { 4.0 } else { 1.0 };
    for seed in 0..SEEDS {
        let mut device = Device::new(seed, 0.05);
        for _ in 0..3 {
            for k in 10..21 {
                device.launch(2f64.powi(k), time(2f64.powi(k)));
            }
        }
        for (asked, most) in [(2f64.powf(12.5), 1.25), (2f64.powf(18.5), 1.25), (2f64.powi(22), 1.7)] {
            let error = device.error(asked, time(asked));
            assert!((1.0 / most..most).contains(&error), "seed {seed}, at {asked}: {error}");
        }
    }
}

#[test]
fn one_wild_size_does_not_spoil_its_neighbours() {
    for seed in 0..SEEDS {
        let mut device = Device::new(seed, 0.05);
        for k in 10..18 {
            device.launch(2f64.powi(k), 1e-9 * 2f64.powi(k));
        }
        for _ in 0..2 {
            for k in 10..18 {
                device.launch(2f64.powi(k), 1e-9 * 2f64.powi(k));
            }
        }
        // Once, and ten times too slow.
        device.launch(12_000.0, 1.2e-4);
        let error = device.error(11_000.0, 1.1e-5);
        assert!((0.8..1.3).contains(&error), "seed {seed}: {error}");
        let far = device.error(1e6, 1e-3);
        assert!((0.7..1.4).contains(&far), "seed {seed}: {far}");
    }
}
