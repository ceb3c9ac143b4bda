//! How well a policy did, relative to the oracle.
//!
//! Does not run anything. Speed relative to the oracle is the oracle's seconds over the policy's, for the same launches
//! from the same state; one figure per *unit*: the launches of one kernel at one size on one machine that a setting scores.

/// Up to this ratio of the second best single device's seconds to the best's, a unit counts as contested: a model that is
/// wrong by three times either way cannot tell.
pub const CONTESTED: f64 = 3.0;

/// How one launch was placed, for accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// The best whole placement's seconds over those of the device that was chosen.
    pub chosen: f64,
    /// The best whole placement's seconds over those of the second best.
    pub second: f64,
}

impl Judgement {
    /// Compares the devices' seconds with the choice.
    ///
    /// # Panics
    /// When the chosen device is not among them.
    pub fn of(seconds: &[f64], chosen: usize) -> Self {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let second = sorted.get(1).map_or(0.0, |second| sorted[0] / second);
        Self { chosen: sorted[0] / seconds[chosen], second }
    }
}

/// Whether the second least of some seconds is at most [`CONTESTED`] times the least.
pub(crate) fn contested(seconds: &[f64]) -> bool {
    Judgement::of(seconds, 0).second * CONTESTED >= 1.0
}

/// Some launches of one kernel at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Machine, kernel, size.
    pub name: String,
    /// May be run in slices.
    pub sliceable: bool,
    /// The second best single device takes at most [`CONTESTED`] times as long as the best: the choice is not obvious.
    pub contested: bool,
    /// Seconds charged for the first 1, 2, … launches.
    pub policy: Vec<f64>,
    /// The least seconds that those take.
    pub oracle: Vec<f64>,
    /// How each was placed.
    pub judgements: Vec<Judgement>,
}

impl Unit {
    /// How many launches it rests on.
    pub fn launches(&self) -> usize {
        self.policy.len()
    }

    /// Speed relative to the oracle over its first `launches`; `None` where it has fewer, or none.
    pub fn speed(&self, launches: usize) -> Option<f64> {
        let last = launches.checked_sub(1)?;
        Some(self.oracle.get(last)? / self.policy.get(last)?)
    }
}

/// The figures of one policy over many units.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// How many units it rests on.
    pub units: usize,
    /// How many launches those have.
    pub launches: usize,
    /// Geometric mean of the units' speeds.
    pub geometric_mean: f64,
    /// The same over contested units only, and how many there are; `None` where there is none.
    ///
    /// Where one device is far better for most units, a policy that always takes it has a fine mean over all of them.
    pub contested: Option<(f64, usize)>,
    /// The oracle's seconds over the policy's, all units added up.
    pub ratio_of_sums: f64,
    /// The speed that one unit in twenty does not exceed (nearest rank).
    pub fifth_percentile: f64,
    /// The slowest unit.
    pub worst: f64,
    /// The slowest unit whose kernel may be run in slices, and how many such units there are; `None` where there is none.
    pub worst_sliceable: Option<(f64, usize)>,
    /// The share of launches that ran on the best device, and how many were judged; `None` where all were near ties.
    pub accuracy: Option<(f64, usize)>,
}

impl Score {
    /// The figures; `None` where there are no launches.
    ///
    /// Launches whose two best devices are within `near_tie` of each other (0.05: five per cent) are left out of the accuracy, and
    /// of nothing else.
    ///
    /// ```
    /// use warpweft_evaluation::{Judgement, Score, Unit};
    /// let unit = |policy, oracle, seconds: [f64; 2]| Unit {
    ///     name: "saxpy".into(),
    ///     sliceable: true,
    ///     contested: seconds[1] > 0.5,
    ///     policy: vec![policy],
    ///     oracle: vec![oracle],
    ///     judgements: vec![Judgement::of(&seconds, 0)],
    /// };
    /// let score = Score::of(&[unit(4.0, 1.0, [4.0, 1.0]), unit(1.0, 1.0, [1.0, 1.01])], 0.05).unwrap();
    /// assert_eq!(score.geometric_mean, 0.5);
    /// assert_eq!(score.contested, Some((0.5, 2)));
    /// assert_eq!(score.ratio_of_sums, 0.4);
    /// assert_eq!(score.worst, 0.25);
    /// assert_eq!(score.accuracy, Some((0.0, 1))); // the near tie does not count
    /// ```
    pub fn of(units: &[Unit], near_tie: f64) -> Option<Self> {
        let speeds = |units: &mut dyn Iterator<Item = &Unit>| -> Vec<f64> {
            let mut speeds: Vec<f64> = units.filter_map(|unit| unit.speed(unit.launches())).collect();
            speeds.sort_by(f64::total_cmp);
            speeds
        };
        let all = speeds(&mut units.iter());
        let sliceable = speeds(&mut units.iter().filter(|unit| unit.sliceable));
        let contested = speeds(&mut units.iter().filter(|unit| unit.contested));
        let worst = *all.first()?;
        let last = |of: fn(&Unit) -> &Vec<f64>| units.iter().filter_map(|u| of(u).last()).sum::<f64>();
        let judged: Vec<&Judgement> =
            units.iter().flat_map(|u| &u.judgements).filter(|j| j.second <= 1.0 - near_tie).collect();
        let right = judged.iter().filter(|j| j.chosen >= 1.0).count();
        Some(Self {
            units: all.len(),
            launches: units.iter().map(Unit::launches).sum(),
            geometric_mean: geometric_mean(&all),
            contested: (!contested.is_empty()).then(|| (geometric_mean(&contested), contested.len())),
            ratio_of_sums: last(|u| &u.oracle) / last(|u| &u.policy),
            fifth_percentile: all[(all.len().div_ceil(20)).saturating_sub(1)],
            worst,
            worst_sliceable: sliceable.first().map(|worst| (*worst, sliceable.len())),
            accuracy: (!judged.is_empty()).then(|| (right as f64 / judged.len() as f64, judged.len())),
        })
    }
}

/// A point of the regret curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regret {
    /// After so many launches of each unit.
    pub launches: usize,
    /// Units that have as many.
    pub units: usize,
    /// Geometric mean of their speeds until then, exploration charged.
    pub speed: f64,
    /// Seconds lost until then over the oracle's seconds, all units added up.
    pub lost: f64,
}

/// The regret after given numbers of launches; numbers that no unit reaches are left out.
pub fn regret(units: &[Unit], launches: &[usize]) -> Vec<Regret> {
    let point = |launches: usize| {
        let reached: Vec<&Unit> = units.iter().filter(|unit| unit.speed(launches).is_some()).collect();
        let speeds: Vec<f64> = reached.iter().filter_map(|unit| unit.speed(launches)).collect();
        let at = launches.checked_sub(1)?;
        let oracle: f64 = reached.iter().map(|unit| unit.oracle[at]).sum();
        let policy: f64 = reached.iter().map(|unit| unit.policy[at]).sum();
        let speed = geometric_mean(&speeds);
        (!speeds.is_empty()).then(|| Regret {
            launches,
            units: speeds.len(),
            speed,
            lost: policy / oracle - 1.0,
        })
    };
    launches.iter().filter_map(|n| point(*n)).collect()
}

fn geometric_mean(speeds: &[f64]) -> f64 {
    (speeds.iter().map(|speed| speed.ln()).sum::<f64>() / speeds.len() as f64).exp()
}
