//! The contract is enough for a policy that learns: with what it is told, the reference explores within its means.

use warpweft_evaluation::replay::{Replay, measured_runs};
use warpweft_evaluation::{Contestant, Fleet, Reality, Score, Setting, Slices};

fn reference() -> Contestant {
    Contestant::new("slices", || Slices::new(3.0))
}

fn baseline(name: &str) -> Contestant {
    Contestant::baselines().into_iter().find(|contestant| contestant.name == name).unwrap()
}

fn score(setting: Setting, fleet: &Fleet, contestant: &Contestant) -> Score {
    Score::of(&setting.evaluate(fleet, contestant).unwrap(), 0.05).unwrap()
}

#[test]
fn cold_it_is_ahead_of_all_that_do_not_see_the_future() {
    let fleet = Fleet::named(2, 41);
    for setting in [Setting::Cold, Setting::ColdOnDevice, Setting::Iterated, Setting::NewSize] {
        let own = score(setting, &fleet, &reference());
        for contestant in Contestant::baselines() {
            if !["oracle", "best static per kernel"].contains(&contestant.name.as_str()) {
                let other = score(setting, &fleet, &contestant);
                let what = format!("{} against {}: {own:?}, {other:?}", setting.name(), contestant.name);
                assert!(own.geometric_mean > other.geometric_mean, "{what}");
                assert!(own.worst > other.worst, "{what}");
            }
        }
    }
}

#[test]
fn outliers_do_not_lead_it_astray() {
    let calm = Fleet::named(1, 43);
    let spiky = Fleet { reality: Reality::spiky(), ..calm.clone() };
    let of = |fleet| score(Setting::Warm, fleet, &reference()).geometric_mean;
    let (with, without) = (of(&spiky), of(&calm));
    assert!(with > without - 0.03, "{with} against {without}");
}

#[test]
fn a_useless_model_is_made_up_for_by_slices() {
    let rows = measured_runs().unwrap();
    let unbelieving = Contestant::new("slices", || Slices::new(1000.0));
    for gpu in [0, 1] {
        let replay = Replay { gpu, launches: 10, sliceable: true };
        let of = |contestant| Score::of(&replay.evaluate(&rows, contestant).unwrap(), 0.05).unwrap();
        let (own, once) = (of(&unbelieving), of(&baseline("one run per device")));
        assert!(own.geometric_mean > once.geometric_mean, "{own:?}, {once:?}");
        assert!(own.worst > once.worst, "{own:?}, {once:?}");
    }
}
