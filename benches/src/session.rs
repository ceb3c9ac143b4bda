//! One problem, many rivals, turn by turn.
//!
//! Everyone is checked before and after; rounds go through the rivals in changing order, so that a machine that slows
//! down slows them all. Short runs get untimed ones just before the timed ones, so that everyone finds the caches as a
//! loop of its own would leave them, not as the rival before did.

use std::time::{Duration, Instant};

use warpweft_problems::{Limit, Problem};

use crate::findings::{Entry, Missing, Row, Times};
use crate::rival::Rival;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Runs that are timed, at least.
    pub fewest: usize,
    /// The same of rivals that take longer than a second a run.
    pub fewest_slow: usize,
    /// Runs that are timed, at most.
    pub most: usize,
    /// The time that a rival's runs should take together.
    pub enough: Duration,
}

/// Runs shorter than this, in seconds, are preceded by others that warm up.
const SHORT: f64 = 0.05;

/// How long warming up takes. What the rival before has written and the caches still hold is on its way to memory for
/// several milliseconds: on a machine with 32 MiB of cache, a sum that takes 1.46 ms in a loop of its own took 1.97, 1.65,
/// 1.55, 1.50 and 1.50 ms after others.
const WARMING: Duration = Duration::from_millis(15);

/// Timed runs of a turn, at most: few, so that everyone has many turns.
const RUNS: usize = 4;

/// Someone who takes part, or why not.
pub struct Contestant<'p> {
    /// The name in tables.
    pub name: String,
    /// The one who runs the problem.
    pub rival: Result<Box<dyn Rival + 'p>, String>,
}

/// A contestant who was right so far.
struct Turn<'p> {
    name: String,
    rival: Box<dyn Rival + 'p>,
    seconds: Vec<f64>,
    /// The median of each turn.
    turns: Vec<f64>,
    /// The last run.
    last: f64,
    failure: Option<String>,
}

impl Turn<'_> {
    /// Runs once.
    fn run(&mut self) -> f64 {
        let start = Instant::now();
        let result = self.rival.run();
        self.last = start.elapsed().as_secs_f64();
        self.failure = result.err();
        self.last
    }

    /// Runs from the initial contents, and compares.
    fn check(&mut self, problem: &Problem) {
        let result = self.rival.reset().and_then(|()| {
            self.run();
            match self.failure.take() {
                Some(failure) => Err(failure),
                None => self.judge(problem),
            }
        });
        self.failure = result.err();
    }

    /// Compares what the last run left.
    fn judge(&mut self, problem: &Problem) -> Result<(), String> {
        problem.judge(&self.rival.results()?).map_err(|wrong| format!("a wrong result: {wrong}"))
    }

    /// Its turn: short runs come several at a time, as a loop of its own would have them.
    fn take(&mut self, pace: Pace) {
        let is_short = self.last < SHORT;
        if is_short {
            let start = Instant::now();
            while self.failure.is_none() && start.elapsed() < WARMING {
                self.run();
            }
        }
        let before = self.seconds.len();
        for _ in 0..if is_short { RUNS } else { 1 } {
            if self.wants(pace) {
                let seconds = self.run();
                self.seconds.push(seconds);
            }
        }
        self.turns.extend(Times::new(self.seconds[before..].to_vec()).map(|times| times.median));
    }

    fn wants(&self, pace: Pace) -> bool {
        let spent: f64 = self.seconds.iter().sum();
        let fewest = if self.last > 1.0 { pace.fewest_slow } else { pace.fewest };
        let runs = self.seconds.len();
        self.failure.is_none() && (runs < fewest || (runs < pace.most && spent < pace.enough.as_secs_f64()))
    }
}

/// Measures everyone on a problem.
pub fn contest(problem: &Problem, contestants: Vec<Contestant<'_>>, pace: Pace) -> Row {
    let mut missing = Vec::new();
    let mut turns = Vec::new();
    for Contestant { name, rival } in contestants {
        match rival {
            Ok(rival) => {
                turns.push(Turn { name, rival, seconds: vec![], turns: vec![], last: 0.0, failure: None })
            }
            Err(reason) => missing.push(Missing { rival: name, reason, failed: false }),
        }
    }
    turns.iter_mut().for_each(|turn| turn.check(problem));
    let mut round = 0;
    while turns.iter().any(|turn| turn.wants(pace)) {
        let n = turns.len();
        for at in 0..n {
            // Another one begins each round, and every other round goes backwards.
            let at = if round % 2 == 0 { (at + round) % n } else { (n - 1 - at + round) % n };
            let turn = &mut turns[at];
            if turn.wants(pace) {
                turn.take(pace);
            }
        }
        round += 1;
    }
    let mut times = Vec::new();
    for mut turn in turns {
        if turn.failure.is_none() && !problem.accumulates {
            turn.failure = turn.judge(problem).err().map(|wrong| format!("after repeated runs, {wrong}"));
        }
        if turn.failure.is_none() {
            turn.check(problem);
        }
        match (turn.failure, Times::new(turn.seconds)) {
            (None, Some(found)) => {
                times.push(Entry { rival: turn.name, times: found, turns: turn.turns });
            }
            (failure, _) => {
                let reason = failure.unwrap_or_else(|| "no run was timed".into());
                missing.push(Missing { rival: turn.name, reason, failed: true });
            }
        }
    }
    Row {
        kernel: problem.name,
        size: problem.size.clone(),
        flops: problem.flops,
        bytes: problem.bytes,
        counts_flops: problem.limit == Limit::Flops,
        mix: problem.mix,
        other_algorithm: crate::idiomatic::differs(problem.name),
        times,
        missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rival::Host;
    use warpweft_problems::{Case, Scale, Words};

    const PACE: Pace = Pace { fewest: 3, fewest_slow: 1, most: 5, enough: Duration::ZERO };

    fn nothing(_: &Problem, _: &mut [Words]) {}

    fn wrong_from_the_second_run_on(problem: &Problem, outputs: &mut [Words]) {
        let again = outputs[0] != problem.arrays[0].1;
        crate::idiomatic::function("triad").expect("it is there")(problem, outputs);
        if again {
            outputs[0].f32_mut()[1] += 1.0;
        }
    }

    #[test]
    fn the_right_are_timed_and_the_wrong_are_named() {
        let problem = Case::named("triad").unwrap().problem(Scale::Tiny, 1);
        let right = crate::idiomatic::function("triad").unwrap();
        let host = |name: &str, function| Contestant {
            name: name.into(),
            rival: Ok(Box::new(Host::new(&problem, function)) as Box<dyn Rival>),
        };
        let absent = Contestant { name: "absent".into(), rival: Err("not here".into()) };
        let late = host("late", wrong_from_the_second_run_on);
        let row = contest(&problem, vec![host("right", right), host("idle", nothing), absent, late], PACE);
        let timed: Vec<_> = row.times.iter().map(|entry| (&*entry.rival, entry.times.samples)).collect();
        assert_eq!(timed, [("right", 3)]);
        let missing: Vec<_> = row.missing.iter().map(|m| (&*m.rival, m.failed)).collect();
        assert_eq!(missing, [("absent", false), ("idle", true), ("late", true)]);
        assert!(row.missing[1].reason.contains("a wrong result: `a`"), "{:?}", row.missing);
        assert!(row.missing[2].reason.contains("after repeated runs"), "{:?}", row.missing);
        assert!(row.median("right").unwrap() > 0.0 && row.median("idle").is_none());
    }
}
