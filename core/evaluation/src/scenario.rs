//! The settings that policies are scored in: cold, on another's data, iterated, a new size, warm, and after a device slows
//! down; over machines and draws of their hidden reality.
//!
//! Does not know policies' insides. In every setting the kernels' launches are interleaved in random order.

use std::ops::Range;

use crate::baseline::{Contestant, Foresight};
use crate::machine::Machine;
use crate::oracle::optimum;
use crate::random::Draws;
use crate::score::{Judgement, Unit, contested};
use crate::suite::SUITE;
use crate::truth::{Drift, Reality, Truth};
use crate::world::{Refused, Step, Traffic, World};

/// Machines to evaluate on.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The machines.
    pub machines: Vec<Machine>,
    /// How many realities are drawn for each.
    pub draws: u64,
    /// What all randomness comes from.
    pub seed: u64,
    /// How unlike the static model they are.
    pub reality: Reality,
}

impl Fleet {
    /// The named machines.
    pub fn named(draws: u64, seed: u64) -> Self {
        Self { machines: Machine::named(), draws, seed, reality: Reality::default() }
    }

    /// Random machines.
    pub fn random(machines: u64, draws: u64, seed: u64) -> Self {
        let draw = |number| Machine::random(seed.wrapping_mul(1_000_003).wrapping_add(number));
        Self { machines: (0..machines).map(draw).collect(), ..Self::named(draws, seed) }
    }
}

/// What is asked of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The first ten launches of each kernel; data come from the host and go back to it.
    Cold,
    /// The same, but the data come from the last device's memory and go back there.
    ColdOnDevice,
    /// The first fifty launches of each kernel, each working on what the one before left.
    Iterated,
    /// The first five launches at a third size, after ten at each of two others.
    NewSize,
    /// Launches 11 to 30.
    Warm,
    /// The first five launches after a device has slowed down three times, after fifteen before.
    DriftFirst,
    /// The fifteen launches after those.
    DriftAfter,
}

/// Launches of one kernel that are scored: the first is the chain's `chain.start`-th.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The kernel's number.
    pub kernel: usize,
    /// Which of the kernel's launches.
    pub chain: Range<usize>,
}

/// A part of a sequence: every kernel is launched so often on one of its data sets.
struct Phase {
    data: usize,
    launches: usize,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Cold,
        Self::ColdOnDevice,
        Self::Iterated,
        Self::NewSize,
        Self::Warm,
        Self::DriftFirst,
        Self::DriftAfter,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold, data on host",
            Self::ColdOnDevice => "cold, data on device",
            Self::Iterated => "iterated, first 50",
            Self::NewSize => "new size",
            Self::Warm => "warm",
            Self::DriftFirst => "drift, first 5",
            Self::DriftAfter => "drift, next 15",
        }
    }

    /// The sequences of the setting on all machines, and what is scored of each.
    pub fn worlds(self, fleet: &Fleet) -> Vec<(World, Vec<Window>)> {
        let mut worlds = Vec::new();
        for (number, machine) in fleet.machines.iter().enumerate() {
            for draw in 0..fleet.draws {
                let seed = Draws::new(fleet.seed).of(number as u64).of(draw);
                for variant in 0..self.variants(machine) {
                    worlds.push(self.world(machine, fleet.reality, seed, variant));
                }
            }
        }
        worlds
    }

    /// Sizes, and for drift also the devices that slow down.
    fn variants(self, machine: &Machine) -> usize {
        match self {
            Self::DriftFirst | Self::DriftAfter => 3 * machine.devices.len(),
            _ => 3,
        }
    }

    fn world(self, machine: &Machine, reality: Reality, seed: Draws, variant: usize) -> (World, Vec<Window>) {
        let size = variant % 3;
        let phase = |data, launches| Phase { data, launches };
        let last = machine.location(machine.devices.len() - 1);
        let (sizes, traffic, phases, scored) = match self {
            Self::Cold => (vec![size], Traffic::At(0), vec![phase(0, 10)], 0..10),
            Self::ColdOnDevice => (vec![size], Traffic::At(last), vec![phase(0, 10)], 0..10),
            Self::Iterated => (vec![size], Traffic::Undisturbed, vec![phase(0, 50)], 0..50),
            Self::NewSize => {
                let sizes = vec![(size + 1) % 3, (size + 2) % 3, size];
                (sizes, Traffic::At(0), vec![phase(0, 10), phase(1, 10), phase(2, 5)], 20..25)
            }
            Self::Warm => (vec![size], Traffic::At(0), vec![phase(0, 30)], 10..30),
            Self::DriftFirst => (vec![size], Traffic::At(0), vec![phase(0, 15), phase(0, 5)], 15..20),
            Self::DriftAfter => (vec![size], Traffic::At(0), vec![phase(0, 15), phase(0, 20)], 20..35),
        };
        let drift = matches!(self, Self::DriftFirst | Self::DriftAfter).then(|| Drift {
            device: variant / 3,
            factor: 3.0,
            from: phases[0].launches * SUITE.len(),
        });
        let home = if self == Self::ColdOnDevice { last } else { 0 };
        let mut steps = Vec::new();
        for (number, phase) in phases.iter().enumerate() {
            let first = steps.len();
            let step = |at: usize| Step { kernel: at % SUITE.len(), data: phase.data };
            steps.extend((0..phase.launches * SUITE.len()).map(step));
            seed.of(1).of(variant as u64).of(number as u64).shuffle(&mut steps[first..]);
        }
        // The same machine keeps its reality in all settings and variants.
        let truth = Truth::new(machine.clone(), seed.of(0).number(), reality, drift);
        let world = World { truth, sizes, home, traffic, steps };
        (world, (0..SUITE.len()).map(|kernel| Window { kernel, chain: scored.clone() }).collect())
    }

    /// Runs a contestant through the setting.
    ///
    /// # Errors
    /// When its policy asks for something that cannot be done.
    pub fn evaluate(self, fleet: &Fleet, contestant: &Contestant) -> Result<Vec<Unit>, Refused> {
        let mut units = Vec::new();
        for (world, windows) in self.worlds(fleet) {
            let mut policy = (contestant.make)(&world);
            units.extend(score(&world, &windows, policy.as_mut())?);
        }
        Ok(units)
    }
}

/// Runs a policy through a world and compares what is scored with the optimum from where the policy stood.
///
/// # Errors
/// When the policy asks for something that cannot be done.
pub fn score(
    world: &World,
    windows: &[Window],
    policy: &mut dyn crate::policy::Policy,
) -> Result<Vec<Unit>, Refused> {
    let records = world.run(policy)?;
    let machine = world.truth.machine();
    let mut units = Vec::new();
    for window in windows {
        let chain = world.chain(window.kernel);
        let Some(scored) = chain.get(window.chain.clone()).filter(|scored| !scored.is_empty()) else {
            continue;
        };
        let first = scored[0];
        let mut sum = 0.0;
        let prefix = |at: &usize| {
            sum += records[*at].charge.total();
            sum
        };
        let judge = |at: &usize| {
            let seconds = |device| world.whole(*at, &mut records[*at].before.clone(), device).total();
            let seconds: Vec<f64> = (0..machine.devices.len()).map(seconds).collect();
            Judgement::of(&seconds, records[*at].device)
        };
        let (kernel, size) = (world.kernel(world.steps[first]), world.size(world.steps[first]));
        units.push(Unit {
            name: format!("{} | {} | {size}", machine.name, kernel.name),
            sliceable: kernel.sliceable(),
            contested: contested(&world.fixed(window.kernel, &chain[..window.chain.end.min(chain.len())])),
            policy: scored.iter().map(prefix).collect(),
            oracle: optimum(world, scored, &records[first].before).prefixes,
            judgements: scored.iter().map(judge).collect(),
        });
    }
    Ok(units)
}

impl World {
    /// Seconds of the first launches of a kernel, all on one device; for each device.
    fn fixed(&self, kernel: usize, chain: &[usize]) -> Vec<f64> {
        let total = |device| {
            let mut state = self.initial(kernel);
            chain.iter().map(|at| self.whole(*at, &mut state, device).total()).sum()
        };
        (0..self.truth.machine().devices.len()).map(total).collect()
    }
}

impl Foresight for World {
    fn optimum(&self) -> Vec<usize> {
        let mut devices = vec![0; self.steps.len()];
        for kernel in 0..SUITE.len() {
            let chain = self.chain(kernel);
            let best = optimum(self, &chain, &self.initial(kernel));
            chain.iter().zip(best.devices).for_each(|(at, device)| devices[*at] = device);
        }
        devices
    }

    fn best_static(&self) -> Vec<usize> {
        let mut devices = vec![0; self.steps.len()];
        for kernel in 0..SUITE.len() {
            let chain = self.chain(kernel);
            let totals = self.fixed(kernel, &chain);
            let best = (0..totals.len()).min_by(|a, b| totals[*a].total_cmp(&totals[*b])).unwrap_or(0);
            chain.iter().for_each(|at| devices[*at] = best);
        }
        devices
    }
}
