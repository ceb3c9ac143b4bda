//! Sizes that were measured: medians, spikes, first launches, honest intervals, refused numbers.

mod common;

use common::{Device, Random};
use warpweft_planner::{Moment, Refused, Series, Source};

const SEEDS: u64 = 300;

#[test]
fn nothing_is_predicted_of_nothing() {
    let series = Series::new();
    assert_eq!(series.predict(10.0), None);
    assert_eq!(series.law(), None);
}

#[test]
fn one_spike_among_samples_moves_the_prediction_by_a_few_percent() {
    for seed in 0..SEEDS {
        for steady in 2..12 {
            for spike_at in 1..=steady {
                let mut device = Device::new(seed, 0.02);
                device.launch(100.0, 5e-3);
                for launch in 0..=steady {
                    device.launch(100.0, if launch == spike_at { 1e-2 * 5.0 } else { 5e-3 });
                }
                let error = device.error(100.0, 5e-3);
                assert!(
                    (0.93..1.07).contains(&error),
                    "seed {seed}, spike at {spike_at} of {steady}: {error}"
                );
            }
        }
    }
}

#[test]
fn a_slow_first_launch_is_superseded_by_the_second() {
    let mut device = Device::new(1, 0.0);
    device.launch(100.0, 0.5);
    let alone = device.series.predict(100.0).unwrap();
    assert!((alone.seconds - 0.5).abs() < 1e-6 && alone.low < 0.2, "{alone:?}");
    device.launch(100.0, 1e-3);
    let known = device.series.predict(100.0).unwrap();
    assert!((known.seconds - 1e-3).abs() < 1e-9, "{known:?}");
    assert_eq!((known.samples, known.source), (1, Source::Measured));
}

#[test]
fn a_slow_first_launch_at_another_size_is_not_believed_against_the_others() {
    let mut device = Device::new(1, 0.0);
    device.launch(1000.0, 0.5);
    device.launch(2000.0, 2e-3);
    device.launch(4000.0, 4e-3);
    let error = device.error(1000.0, 1e-3);
    assert!((0.7..1.4).contains(&error), "{error}");
    let prediction = device.series.predict(1000.0).unwrap();
    assert!(prediction.high >= 0.4, "the launch was seen to take that long: {prediction:?}");
}

#[test]
fn intervals_hold_the_typical_time_and_the_next_launch_four_times_of_five() {
    for noise in [0.05, 0.1, 0.2] {
        for samples in [1, 2, 3, 5, 7] {
            let (mut typical, mut next, mut width) = (0.0, 0.0, 0.0);
            let trials = 2000;
            for seed in 0..trials {
                let mut device = Device::new(seed, noise);
                for _ in 0..=samples {
                    device.launch(100.0, 1.0);
                }
                let prediction = device.series.predict(100.0).unwrap();
                let launch = device.random.noise(noise);
                typical += f64::from((prediction.low..prediction.high).contains(&1.0));
                let (low, high) = prediction.next_launch();
                next += f64::from((low..high).contains(&launch));
                width += (prediction.high / prediction.low).sqrt();
            }
            let trials = trials as f64;
            let (typical, next, width) = (typical / trials, next / trials, width / trials);
            println!(
                "noise {noise}, {samples} samples: typical {typical:.3}, next {next:.3}, ± {:.3}",
                width - 1.0
            );
            assert!(typical > 0.65 && next > 0.65, "noise {noise}, {samples} samples: {typical}, {next}");
            // Certain in the end, but never surer than the noise allows.
            assert!(
                width - 1.0 < 2.5 * noise / (samples as f64).sqrt() + 0.25 / samples as f64,
                "noise {noise}, {samples}: {width}"
            );
        }
    }
}

#[test]
fn only_the_latest_samples_count_and_memory_is_bounded() {
    let mut device = Device::new(5, 0.05);
    for launch in 0..5000 {
        let size = 2f64.powi(launch % 50);
        device.launch(size, 1e-9 * size);
        assert!(device.series.sizes().len() <= 12);
        assert!(device.series.sizes().all(|s| s.samples <= 7));
    }
    // Speeds that creep are followed without any shift.
    let mut creeping = Device::new(6, 0.02);
    for launch in 0..100 {
        assert_eq!(creeping.launch(10.0, 1.01f64.powi(launch)), None);
    }
    let error = creeping.error(10.0, 1.01f64.powi(99));
    assert!((0.9..1.05).contains(&error), "{error}");
}

#[test]
fn sizes_in_use_are_kept_before_those_seen_once() {
    let mut device = Device::new(7, 0.05);
    for launch in 0..400 {
        // Three in use, and many that come once.
        let size =
            if launch % 4 < 3 { 1000.0 * f64::from(1 + launch % 4) } else { 5000.0 + f64::from(launch) };
        device.launch(size, 1e-6 * size);
    }
    for size in [1000.0, 2000.0, 3000.0] {
        let prediction = device.series.predict(size).unwrap();
        assert_eq!((prediction.source, prediction.samples), (Source::Measured, 7), "{size}");
    }
}

#[test]
fn impossible_numbers_are_refused_and_change_nothing() {
    let mut series = Series::new();
    let at = Moment::from_micros(1);
    series.observe(10.0, 1.0, at).unwrap();
    series.observe(10.0, 1.0, at).unwrap();
    let before = series.predict(10.0);
    for seconds in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-12, 1e9] {
        assert!(matches!(series.observe(10.0, seconds, at), Err(Refused::Seconds(_))), "{seconds}");
    }
    for size in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e31] {
        assert!(matches!(series.observe(size, 1.0, at), Err(Refused::Size(_))), "{size}");
        assert_eq!(series.predict(size), None);
    }
    assert_eq!(series.predict(10.0), before);
    for size in [1e-30, 1e-9, 1e30] {
        let prediction = series.predict(size).unwrap();
        let sane = |x: f64| x.is_finite() && x > 0.0;
        assert!(sane(prediction.seconds) && sane(prediction.low) && sane(prediction.high), "{prediction:?}");
        let (low, high) = prediction.next_launch();
        assert!(sane(low) && sane(high));
    }
}

#[test]
fn time_may_stand_still_or_go_backwards() {
    let mut series = Series::new();
    for (micros, seconds) in [(9, 9.0), (9, 1.0), (9, 1.0), (3, 1.0), (0, 1.0)] {
        series.observe(10.0, seconds, Moment::from_micros(micros)).unwrap();
    }
    let known: Vec<_> = series.sizes().collect();
    assert_eq!((known[0].samples, known[0].seconds), (4, 1.0));
}

#[test]
fn whatever_is_observed_predictions_are_numbers_in_order() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let mut series = Series::new();
        let wild = |random: &mut Random, range: f64| 10f64.powf(range * (2.0 * random.uniform() - 1.0));
        for launch in 0..100 {
            let few = [1.0, 1e-30, 1e30, 3.0, 7.0];
            let size = if launch % 2 == 0 { few[random.below(5)] } else { wild(&mut random, 29.9) };
            let seconds = wild(&mut random, 6.9).max(1e-10);
            series.observe(size, seconds, Moment::from_micros(random.bits() >> random.below(64))).unwrap();
            for asked in [size, 1e-30, 1.0, 2.0, 1e30, wild(&mut random, 29.9)] {
                let p = series.predict(asked).unwrap();
                let (low, high) = p.next_launch();
                let all = [low, p.low, p.seconds, p.high, high];
                assert!(all.iter().all(|x| x.is_finite() && *x > 0.0), "seed {seed}, {asked}: {p:?}");
                assert!(all.is_sorted(), "seed {seed}, {asked}: {all:?}");
            }
        }
    }
}
