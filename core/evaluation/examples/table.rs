//! Prints how every baseline and the reference policy do: in all settings on the fake machines, and on the measured runs.
//!
//! `cargo run --release -p warpweft-evaluation --example table -- [RANDOM_MACHINES] [DRAWS] [SEED] [--markdown]`

use warpweft_evaluation::replay::{Replay, measured_runs};
use warpweft_evaluation::{Contestant, Fleet, Score, Setting, Slices, Table, regret};

/// The launches that regret is shown after.
const AFTER: [usize; 6] = [1, 2, 5, 10, 20, 50];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, numbers): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| *flag != "--markdown") {
        return Err(format!("unknown argument `{unknown}`; there is only --markdown").into());
    }
    let print = |table: &Table| {
        println!("{}", if flags.is_empty() { table.text() } else { table.markdown() });
    };
    let number = |at: usize, default: u64| numbers.get(at).map_or(Ok(default), |text| text.parse());
    let (random, draws, seed) = (number(0, 5)?, number(1, 2)?, number(2, 1)?);
    let contestants = || {
        let mut contestants = Contestant::baselines();
        let before = contestants.len().saturating_sub(2);
        contestants.insert(before, Contestant::new("slices (reference)", Slices::new));
        contestants
    };
    let named = Fleet::named(draws, seed);
    let drawn = Fleet::random(random, draws, seed);
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
    for (gpu, machine) in ["A", "B"].into_iter().enumerate() {
        println!("680 measured runs, machine {machine}: all may be sliced; ten launches each");
        let mut table = Table::of_scores();
        for contestant in contestants() {
            let units = Replay { gpu, launches: 10, sliceable: true }.evaluate(&rows, &contestant)?;
            if let Some(score) = Score::of(&units, 0.05) {
                table.score(&contestant.name, &score);
            }
        }
        print(&table);
    }
    Ok(())
}
