//! The clairvoyant optimum: the least that a chain of launches of one kernel can take, over all placements.
//!
//! Knows the hidden reality, the whole sequence, and where data and compiled kernels are; does not slice, since on one
//! clock slices of a launch never take less than the best whole one.
//!
//! It is exact: dynamic programming over the states that placements can lead to. Launches of different kernels share no
//! data and no compiled code, so that every kernel is a chain of its own. For a chain of one launch this is the best device
//! for (kernel, size, data location); for longer ones it knows when a migration or a compilation will pay.

use std::collections::BTreeMap;

use crate::world::{State, World};

/// The best that can be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimum {
    /// The least seconds for the first 1, 2, … launches.
    pub prefixes: Vec<f64>,
    /// The device of every launch on the best way through all of them.
    pub devices: Vec<usize>,
}

impl Optimum {
    /// The least seconds for all launches; 0 where there are none.
    pub fn total(&self) -> f64 {
        self.prefixes.last().copied().unwrap_or(0.0)
    }
}

/// The optimum of some launches of one kernel (places in the sequence), from a state on.
pub fn optimum(world: &World, chain: &[usize], start: &State) -> Optimum {
    let devices = world.truth.machine().devices.len();
    // Per launch and reachable state: the state before it (its place in the layer), the device, the least seconds.
    let mut layers: Vec<Vec<(usize, usize, f64)>> = Vec::with_capacity(chain.len());
    let mut reached = vec![(start.clone(), 0.0)];
    for at in chain {
        let mut next: BTreeMap<State, (usize, usize, f64)> = BTreeMap::new();
        for (from, (state, seconds)) in reached.iter().enumerate() {
            for device in 0..devices {
                let mut after = state.clone();
                let total = seconds + world.whole(*at, &mut after, device).total();
                let entry = next.entry(after).or_insert((from, device, total));
                if total < entry.2 {
                    *entry = (from, device, total);
                }
            }
        }
        layers.push(next.values().copied().collect());
        reached = next.into_iter().map(|(state, (_, _, seconds))| (state, seconds)).collect();
    }
    let least = |layer: &Vec<(usize, usize, f64)>| {
        let best = (0..layer.len()).min_by(|a, b| layer[*a].2.total_cmp(&layer[*b].2));
        best.unwrap_or(0)
    };
    let prefixes = layers.iter().map(|layer| layer[least(layer)].2).collect();
    let mut place = layers.last().map_or(0, least);
    let mut chosen = Vec::with_capacity(chain.len());
    for layer in layers.iter().rev() {
        let (from, device, _) = layer[place];
        chosen.push(device);
        place = from;
    }
    chosen.reverse();
    Optimum { prefixes, devices: chosen }
}
