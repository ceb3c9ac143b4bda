//! The published figures and the project's own come out of the measured runs, to the digits in which they were given.

use warpweft_evaluation::replay::{Malformed, Replay, Row, measured_runs, parse};
use warpweft_evaluation::{Contestant, Score, regret};

const A: usize = 0;
const B: usize = 1;

fn contestant(name: &str) -> Contestant {
    Contestant::baselines().into_iter().find(|contestant| contestant.name == name).unwrap()
}

fn score(rows: &[Row], name: &str, gpu: usize, launches: usize, sliceable: bool) -> Score {
    let units = Replay { gpu, launches, sliceable }.evaluate(rows, &contestant(name)).unwrap();
    // The published accuracies leave no near ties out.
    Score::of(&units, 0.0).unwrap()
}

/// Per cent, as many digits as were given.
#[track_caller]
fn rounds_to(part: f64, digits: usize, given: &str) {
    assert_eq!(format!("{:.digits$}", 100.0 * part), given);
}

#[test]
fn there_are_680_rows_in_seven_suites() {
    let rows = measured_runs().unwrap();
    let suites: std::collections::BTreeSet<&str> = rows.iter().map(Row::suite).collect();
    let npb = rows.iter().filter(|row| row.suite() == "npb").count();
    assert_eq!((rows.len(), suites.len(), npb), (680, 7, 527));
    let pairs: std::collections::BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (row.benchmark.as_str(), row.data_set.as_str())).collect();
    assert_eq!(pairs.len(), 680, "every row is a kernel and data set of its own");
}

#[test]
fn single_devices_do_as_published() {
    let rows = measured_runs().unwrap();
    let published = [
        ("always CPU", A, "59", "60", 1, "0.6"),
        ("always CPU", B, "43", "48", 1, "0.7"),
        ("always first GPU", A, "41", "42", 1, "0.7"),
        ("always first GPU", B, "57", "75", 0, "13"),
    ];
    for (name, gpu, accuracy, mean, digits, worst) in published {
        let score = score(&rows, name, gpu, 1, false);
        let (right, judged) = score.accuracy.unwrap();
        assert_eq!((judged, score.launches), (680, 680));
        rounds_to(right, 0, accuracy);
        rounds_to(score.geometric_mean, 0, mean);
        // Published as 0.7 % for both machines together: 0.65 % and 0.67 %.
        rounds_to(score.worst, digits, worst);
    }
}

#[test]
fn accuracy_misleads_as_published() {
    let rows = measured_runs().unwrap();
    rounds_to(1.0 - score(&rows, "always CPU", A, 1, false).ratio_of_sums, 0, "82");
    rounds_to(1.0 - score(&rows, "always first GPU", A, 1, false).ratio_of_sums, 0, "6");
}

#[test]
fn exploration_costs_what_was_simulated() {
    let rows = measured_runs().unwrap();
    let simulated = [
        (
            "ten samples per device",
            false,
            [(2, "37", "49"), (10, "37", "49"), (100, "68", "78"), (1000, "93", "96")],
        ),
        (
            "one run per device",
            false,
            [(2, "37", "49"), (10, "68", "78"), (100, "93", "96"), (1000, "99", "99.5")],
        ),
        (
            "a 5 % slice per device",
            true,
            [(2, "86", "92"), (10, "96", "98"), (100, "99.6", "99.8"), (1000, "100", "100")],
        ),
    ];
    for (name, sliceable, points) in simulated {
        for gpu in [A, B] {
            let replay = Replay { gpu, launches: 1000, sliceable };
            let curve =
                regret(&replay.evaluate(&rows, &contestant(name)).unwrap(), &points.map(|point| point.0));
            for (point, (launches, on_a, on_b)) in curve.iter().zip(points) {
                let given = [on_a, on_b][gpu];
                let digits = given.split_once('.').map_or(0, |(_, digits)| digits.len());
                assert_eq!((point.launches, point.units), (launches, 680));
                rounds_to(point.speed, digits, given);
            }
            assert_eq!(curve.len(), points.len());
        }
    }
}

#[test]
fn the_oracle_is_the_better_device_of_every_pair() {
    let rows = measured_runs().unwrap();
    for gpu in [A, B] {
        for contestant in Contestant::baselines() {
            let replay = Replay { gpu, launches: 7, sliceable: true };
            let units = replay.evaluate(&rows, &contestant).unwrap();
            let best = units.iter().map(|unit| unit.speed(7).unwrap()).fold(0.0, f64::max);
            assert!(best <= 1.0 + 1e-12, "{}: {best}", contestant.name);
            if contestant.name == "oracle" {
                assert!(Score::of(&units, 0.0).unwrap().worst > 1.0 - 1e-12);
            }
        }
    }
}

#[test]
fn broken_figures_name_their_line() {
    let header = "benchmark,dataset,compute_ops,memory_ops,transfer_bytes,cpu_ms,gpu_a_ms,gpu_b_ms";
    let with = |line: &str| parse(&format!("{header}\na-b,c,1,2,3,4,5,6\n{line}"));
    assert_eq!(with("a-b,c,1,2,3,4,5,6").map(|rows| rows[1].gpus), Ok([0.005, 0.006]));
    let malformed = |reason: &str| Err(Malformed { line: 3, reason: reason.into() });
    assert_eq!(with("a-b,c,1,2,3,0,5,6"), malformed("`cpu_ms` is 0"));
    assert_eq!(with("a-b,c,1,2,3,4,NaN,6"), malformed("`gpu_a_ms` is `NaN`"));
    assert_eq!(with("a-b,c,1"), malformed("no `memory_ops`"));
}
