//! Prints how every baseline and the reference policy do: in all settings on the fake machines, and on the measured runs.
//!
//! `cargo run --release -p warpweft-evaluation --example table -- [RANDOM_MACHINES] [DRAWS] [SEED] [--markdown] [--spikes]`
//!
//! With `--spikes` one measurement in twenty comes out ten times too long.

use std::collections::BTreeSet;

use warpweft_evaluation::replay::{Replay, Row, measured_runs};
use warpweft_evaluation::{Contestant, Fleet, Reality, Score, Setting, Slices, Table, Unit, regret};

/// The launches that regret is shown after.
const AFTER: [usize; 6] = [1, 2, 5, 10, 20, 50];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, numbers): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| !["--markdown", "--spikes"].contains(&flag.as_str())) {
        return Err(format!("unknown argument `{unknown}`; there are --markdown and --spikes").into());
    }
    let given = |flag: &str| flags.iter().any(|given| given == flag);
    let print = |table: &Table| {
        println!("{}", if given("--markdown") { table.markdown() } else { table.text() });
    };
    let number = |at: usize, default: u64| numbers.get(at).map_or(Ok(default), |text| text.parse());
    let (random, draws, seed) = (number(0, 5)?, number(1, 2)?, number(2, 1)?);
    let contestants = || {
        let mut contestants = Contestant::baselines();
        let before = contestants.len().saturating_sub(2);
        contestants.insert(before, Contestant::new("slices (reference)", || Slices::new(3.0)));
        contestants
    };
    let reality = if given("--spikes") { Reality::spiky() } else { Reality::default() };
    let named = Fleet { reality, ..Fleet::named(draws, seed) };
    let drawn = Fleet { reality, ..Fleet::random(random, draws, seed) };
    println!("Per cent of the oracle's speed; {draws} realities per machine, seed {seed}.\n");
    for setting in Setting::ALL {
        println!("{} (5 named machines, {random} random ones)", setting.name());
        let mut table = Table::of_scores();
        let mut curves = Table::new(&["regret after", "1", "2", "5", "10", "20", "50"]);
        for contestant in contestants() {
            let mut units = setting.evaluate(&named, &contestant)?;
            units.extend(setting.evaluate(&drawn, &contestant)?);
            if let Some(score) = Score::of(&units, 0.05) {
                table.score(&contestant.name, &score);
            }
            let points = regret(&units, &AFTER);
            let cells = points.iter().map(|p| format!("{:.1} ({:+.1} %)", 100.0 * p.speed, 100.0 * p.lost));
            curves.row(std::iter::once(contestant.name.clone()).chain(cells).collect());
        }
        print(&table);
        if matches!(setting, Setting::Cold | Setting::Iterated) {
            println!("geometric mean of speeds until then (seconds lost over the oracle's)");
            print(&curves);
        }
    }
    let rows = measured_runs()?;
    let suites: BTreeSet<&str> = rows.iter().map(Row::suite).collect();
    for (gpu, machine) in ["A", "B"].into_iter().enumerate() {
        println!("680 measured runs, machine {machine}: all may be sliced; ten launches each");
        let mut table = Table::of_scores();
        let header: Vec<&str> = std::iter::once("mean by suite").chain(suites.iter().copied()).collect();
        let mut by_suite = Table::new(&header);
        // The static estimates of these runs are worth nothing: a policy that believes them is told so.
        let unbelieving = Contestant::new("slices, model 1000 times off", || Slices::new(1000.0));
        for contestant in contestants().into_iter().chain([unbelieving]) {
            let units = Replay { gpu, launches: 10, sliceable: true }.evaluate(&rows, &contestant)?;
            if let Some(score) = Score::of(&units, 0.05) {
                table.score(&contestant.name, &score);
            }
            let of_suite = |suite: &&str| {
                let here = rows.iter().zip(&units).filter(|(row, _)| row.suite() == *suite);
                let units: Vec<Unit> = here.map(|(_, unit)| unit.clone()).collect();
                Score::of(&units, 0.05)
                    .map_or("-".into(), |s| format!("{:.1} ({})", 100.0 * s.geometric_mean, s.units))
            };
            let name = contestant.name.clone();
            by_suite.row(std::iter::once(name).chain(suites.iter().map(of_suite)).collect());
        }
        print(&table);
        print(&by_suite);
    }
    Ok(())
}
