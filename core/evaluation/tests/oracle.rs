//! The oracle is the best there is: nothing beats it, in any setting, on any machine, from any state that a policy got into.

use warpweft_evaluation::oracle::optimum;
use warpweft_evaluation::random::Draws;
use warpweft_evaluation::scenario::score;
use warpweft_evaluation::suite::SUITE;
use warpweft_evaluation::{
    Contestant, Decision, Fleet, Machine, Measurement, Policy, Request, Score, Setting, Slices, World,
};

/// Does anything that is allowed: slices of any size anywhere, devices at random.
struct Whim {
    draws: Draws,
    asked: u64,
}

impl Policy for Whim {
    fn decide(&mut self, request: &Request<'_>) -> Decision {
        self.asked += 1;
        let draw = self.draws.of(self.asked);
        let device = draw.of(0).below(request.candidates.len());
        match draw.of(1).below(3) {
            1 if request.sliceable && request.remaining > 1 => {
                let items = draw.of(2).log_uniform(1.0, request.remaining as f64) as u64;
                Decision::Slice { device, items: items.clamp(1, request.remaining - 1) }
            }
            _ => Decision::Run { device },
        }
    }

    fn measured(&mut self, _: &Request<'_>, _: &Measurement) {}
}

fn fleets() -> [Fleet; 2] {
    let machines = vec![Machine::laptop(), Machine::two_gpus()];
    [Fleet { machines, ..Fleet::named(1, 11) }, Fleet::random(2, 1, 12)]
}

#[test]
fn the_oracle_scores_all_of_it_everywhere() {
    for setting in Setting::ALL {
        for fleet in fleets() {
            let oracle = Contestant::baselines().into_iter().find(|c| c.name == "oracle").unwrap();
            let score = Score::of(&setting.evaluate(&fleet, &oracle).unwrap(), 0.05).unwrap();
            // The optimum of what remains of a best way is the rest of it.
            assert!((score.worst - 1.0).abs() < 1e-9, "{}: {}", setting.name(), score.worst);
            assert!((score.ratio_of_sums - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn nobody_scores_more() {
    for setting in Setting::ALL {
        for fleet in fleets() {
            let mut contestants = Contestant::baselines();
            contestants.push(Contestant::new("slices", || Slices::new(3.0)));
            for seed in 0..2 {
                contestants.push(Contestant::new("whim", move || Whim { draws: Draws::new(seed), asked: 0 }));
            }
            for contestant in contestants {
                for unit in setting.evaluate(&fleet, &contestant).unwrap() {
                    for launches in 1..=unit.launches() {
                        let speed = unit.speed(launches).unwrap();
                        let name = &contestant.name;
                        assert!(speed <= 1.0 + 1e-9, "{name}, {}: {} {speed}", setting.name(), unit.name);
                    }
                }
            }
        }
    }
}

/// The least over all ways to place so few launches.
fn by_force(world: &World, chain: &[usize], state: &warpweft_evaluation::world::State) -> f64 {
    let Some((at, rest)) = chain.split_first() else {
        return 0.0;
    };
    let ways = (0..world.truth.machine().devices.len()).map(|device| {
        let mut after = state.clone();
        let seconds = world.whole(*at, &mut after, device).total();
        seconds + by_force(world, rest, &after)
    });
    ways.fold(f64::INFINITY, f64::min)
}

#[test]
fn the_optimum_is_what_trying_everything_finds() {
    let mut migrations = 0;
    for setting in Setting::ALL {
        for (world, _) in setting.worlds(&Fleet::random(4, 1, 13)) {
            for kernel in 0..SUITE.len() {
                let chain = world.chain(kernel);
                // Drift and the new size begin among these.
                let window = &chain[chain.len() - 7..chain.len() - 2];
                let start = world.initial(kernel);
                let found = optimum(&world, window, &start);
                let least = by_force(&world, window, &start);
                assert!((found.total() / least - 1.0).abs() < 1e-12, "{}: {kernel}", setting.name());
                let mut state = start.clone();
                let along = window
                    .iter()
                    .zip(&found.devices)
                    .map(|(at, device)| world.whole(*at, &mut state, *device).total());
                assert!((along.sum::<f64>() / least - 1.0).abs() < 1e-12);
                migrations += usize::from(found.devices.windows(2).any(|w| w[0] != w[1]));
            }
        }
    }
    assert!(migrations > 0, "no best way ever changes device: the test is too easy");
}

#[test]
fn the_oracle_migrates_for_the_future_where_looking_one_launch_ahead_would_not() {
    let fleet = Fleet { machines: vec![Machine::server()], ..Fleet::named(1, 5) };
    let mut far_sighted = 0;
    for (world, _) in Setting::Iterated.worlds(&fleet) {
        for kernel in 0..SUITE.len() {
            let chain = world.chain(kernel);
            let whole = optimum(&world, &chain, &world.initial(kernel));
            let first = optimum(&world, &chain[..1], &world.initial(kernel));
            far_sighted += usize::from(whole.devices[0] != first.devices[0]);
        }
    }
    assert!(far_sighted > 0);
}

#[test]
fn a_window_starts_where_the_policy_stood() {
    // Whoever has all data on the wrong device is compared with the best from there on.
    let fleet = Fleet { machines: vec![Machine::server()], ..Fleet::named(1, 5) };
    let (world, mut windows) = Setting::Iterated.worlds(&fleet).remove(2);
    windows.iter_mut().for_each(|window| window.chain = 49..50);
    let always = &mut warpweft_evaluation::Prescribed::always(1);
    for unit in score(&world, &windows, always).unwrap() {
        // All is on the GPU and compiled there.
        assert_eq!(unit.launches(), 1);
        assert!(unit.oracle[0] <= unit.policy[0]);
    }
}
