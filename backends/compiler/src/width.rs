//! How many lanes a gang has.
//!
//! Chosen by what it costs ([`price`](crate::price)) and what the workgroup's shape lets lie side by side.

use warpweft_ssa::ir::{Function, Root};
use warpweft_ssa::uniformity::{Ganging, Shape, Uniformity};

use crate::lower::{asks_for_subgroups, ganging, meets, places};
use crate::options::{Generator, Options};
use crate::price::{Machine, Price};

/// The widest gang there is.
pub(crate) const MOST_LANES: u16 = 64;

/// How values vary in gangs of some kind.
pub(crate) type Shapes = (Ganging, Uniformity);

/// The lanes of a kernel's gangs, and what choosing them has found out of values' shapes.
pub(crate) fn lanes(function: &Function, options: &Options) -> (u16, Option<Shapes>) {
    let mut shapes = None;
    let lanes = choose(function, options, &mut shapes);
    (lanes, shapes)
}

fn choose(function: &Function, options: &Options, shapes: &mut Option<Shapes>) -> u16 {
    let subgroups = asks_for_subgroups(function);
    // WGSL's smallest subgroup has four invocations.
    let least = if subgroups { 4 } else { 1 };
    if let Some(lanes) = options.lanes {
        return lanes.max(least).next_power_of_two().min(MOST_LANES);
    }
    let mut chosen = cheapest(function, options.generator, least, shapes);
    if chosen == least || !meets(function) {
        return chosen;
    }
    let [x, y, z] = function.workgroup_size;
    if y == 1 && z == 1 {
        if options.streaming && !subgroups {
            // What memory feeds gains nothing by two vectors, and asks for less at a time with one.
            chosen = chosen.min(machine(options.generator).native);
        }
        return chosen.min(x.next_power_of_two().min(MOST_LANES.into()) as u16).max(least);
    }
    // Rows of a workgroup that a gang covers whole lie side by side in memory.
    let mut lanes = chosen;
    while lanes > 4 && x % u32::from(lanes) != 0 {
        lanes /= 2;
    }
    if x % u32::from(lanes) == 0 { lanes.max(least) } else { chosen.max(least) }
}

/// What a generator works with.
fn machine(generator: Generator) -> Machine {
    match generator {
        // Two registers of 128 bits: less leaves the processor waiting.
        Generator::Cranelift => Machine { native: 8, registers: 8.0, gather: 2.5 },
        Generator::Avx2 => Machine { native: 8, registers: 16.0, gather: 2.2 },
        Generator::Avx512 => Machine { native: 16, registers: 32.0, gather: 2.2 },
    }
}

/// The width that takes the fewest cycles for each lane: one lane, a native vector, two, or four where rounds read rows.
fn cheapest(function: &Function, generator: Generator, least: u16, shapes: &mut Option<Shapes>) -> u16 {
    let machine = machine(generator);
    let native = machine.native;
    if function.values.len() > MOST_PRICED || !function.functions.is_empty() {
        return native;
    }
    let ganging = ganging(function, native);
    let (_, shapes) = shapes.insert((ganging, Uniformity::new(function, ganging)));
    let price = Price::new(function, shapes, machine);
    let mut best = (native, price.per_lane(native));
    let wider = if function.values.len() > LONG { WIDER_LONG } else { WIDER };
    for (lanes, worth) in [(1, ALONE), (2 * native, wider)] {
        let cycles = price.per_lane(lanes);
        if cycles < worth * best.1 {
            best = (lanes, cycles);
        }
    }
    let widest = (4 * native).min(MOST_LANES);
    if function.values.len() <= LONG && reads_rows(function, shapes) {
        // Caches and memory give long runs sooner than many short ones.
        let cycles = price.per_lane(widest);
        if cycles < WIDEST * best.1 {
            best = (widest, cycles);
        }
    }
    best.0.max(least)
}

/// Whether loops go through rows of bindings, lanes side by side, and no lanes go apart anywhere.
fn reads_rows(function: &Function, shapes: &Uniformity) -> bool {
    let (mut rows, mut apart) = (false, false);
    places(function, &function.body, false, &mut |place, inside| {
        let Root::Binding(_) = place.root else { return };
        let steps = place.indices.iter().map(|index| match shapes.shape(index.value) {
            Shape::Varying => None,
            Shape::Affine(step) => Some(step * i64::from(index.stride)),
            _ => Some(0),
        });
        match steps.sum::<Option<i64>>() {
            Some(0) => {}
            Some(bytes) if bytes == i64::from(place.ty.size()) => rows |= inside,
            _ => apart = true,
        }
    });
    rows && !apart
}

/// Kernels with more values than this are not priced, nor are those that call functions: their gangs are one vector wide.
const MOST_PRICED: usize = 4000;

/// The part of a native vector's cycles that other widths may take at most, to be chosen: what they bring else, more
/// gangs that are not whole or more code, the model does not know.
const ALONE: f64 = 0.9;
const WIDER: f64 = 1.01;
const WIDEST: f64 = 0.75;

/// The same for kernels of more than so many values, which take twice as long to compile for gangs of two vectors: that
/// has to bring something.
const LONG: usize = 1000;
const WIDER_LONG: f64 = 0.9;
