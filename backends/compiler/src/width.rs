//! How many lanes a gang has.
//!
//! Chosen by what the generator's registers hold and what the workgroup's shape lets lie side by side.

use warpweft_ssa::ir::{Function, Label, Op, Root, Statement, Unary};
use warpweft_ssa::uniformity::{Ganging, Shape, Uniformity};

use crate::lower::meets;
use crate::options::{Generator, Options};

/// The widest gang there is.
pub(crate) const MOST_LANES: u16 = 64;

/// The lanes of a kernel's gangs.
pub(crate) fn lanes(function: &Function, options: &Options) -> u16 {
    let subgroups =
        function.values.iter().any(|d| matches!(d.op, Op::Ballot(..) | Op::Collective(..) | Op::Gather(..)));
    // WGSL's smallest subgroup has four invocations.
    let least = if subgroups { 4 } else { 1 };
    if let Some(lanes) = options.lanes {
        return lanes.max(least).next_power_of_two().min(MOST_LANES);
    }
    let native = match options.generator {
        // Two registers of 128 bits: less leaves the processor waiting, more spills.
        Generator::Cranelift => 8,
        Generator::Avx2 => 8,
        Generator::Avx512 => 16,
    };
    let native = match appetite(function, native) {
        Appetite::One => least,
        Appetite::Usual => native,
        Appetite::Double if options.generator == Generator::Cranelift => native,
        Appetite::Double => 2 * native,
    };
    if native == least || !meets(function) {
        return native;
    }
    let [x, y, z] = function.workgroup_size;
    if y == 1 && z == 1 {
        return native.min(x.next_power_of_two().min(MOST_LANES.into()) as u16).max(least);
    }
    // Rows of a workgroup that a gang covers whole lie side by side in memory.
    let mut lanes = native;
    while lanes > 4 && x % u32::from(lanes) != 0 {
        lanes /= 2;
    }
    if x % u32::from(lanes) == 0 { lanes.max(least) } else { native.max(least) }
}

/// What a kernel's loops want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Appetite {
    /// Lanes that go their own ways through memory gain nothing from each other.
    One,
    Usual,
    /// Chains of operations that wait for each other: two gangs' worth keeps the processor busy.
    Double,
}

/// Looks at the loops that lanes leave at different rounds.
fn appetite(function: &Function, lanes: u16) -> Appetite {
    let ganging = if meets(function) {
        Ganging::Workgroup { lanes: lanes.into() }
    } else {
        Ganging::Rows {
            lanes: lanes.into(),
            aligned: function.workgroup_size[0].is_multiple_of(lanes.into()),
        }
    };
    let shapes = Uniformity::new(function, ganging);
    let mut any = false;
    loops(&function.body, &mut |_, _, _| any = true);
    if !any && !meets(function) {
        let mut mix = Mix::default();
        mix.add(function, &shapes, &function.body);
        // What is done once per gang is done for twice as many lanes.
        if function.values.len() <= SMALL || (mix.chains > 0 && function.values.len() <= MIDDLING) {
            return Appetite::Double;
        }
    }
    let (mut found, mut waits) = (Appetite::Usual, false);
    loops(&function.body, &mut |label, params, body| {
        let mut mix = Mix::default();
        mix.add(function, &shapes, body);
        if !shapes.divergent_label(label) {
            waits |= mix.chains > 0 && mix.gathers == 0 && params <= FEW;
            return;
        }
        if mix.gathers > 0 && mix.operations < GATHER * mix.gathers {
            found = Appetite::One;
        } else if mix.gathers + mix.others == 0 && params <= FEW && found == Appetite::Usual {
            found = Appetite::Double;
        }
    });
    if found == Appetite::Usual && waits && lanes >= ROOMY { Appetite::Double } else { found }
}

/// Lanes of machines whose registers hold what two gangs' worth of a loop needs.
const ROOMY: u16 = 16;

/// A gather takes as long as so many operations on all lanes.
const GATHER: u32 = 12;

/// Values that a loop may carry if two gangs' worth is to stay in registers.
const FEW: usize = 8;

/// Values of a kernel without loops that is small: two gangs' worth stay in registers.
const SMALL: usize = 80;

/// Values of one with elementary functions: while it waits for one gang's worth it does the other's.
const MIDDLING: usize = 250;

/// What is in a loop.
#[derive(Default)]
struct Mix {
    /// Loads at places that lanes choose.
    gathers: u32,
    /// Other accesses.
    others: u32,
    operations: u32,
    /// Elementary functions, and roots: many operations one after the other.
    chains: u32,
}

impl Mix {
    fn add(&mut self, function: &Function, shapes: &Uniformity, list: &[Statement]) {
        for statement in list {
            match statement {
                Statement::Let(value) => match &function.definition(*value).op {
                    Op::Load { place, .. } => {
                        if place.indices.iter().any(|index| shapes.shape(index.value) == Shape::Varying) {
                            self.gathers += 1;
                        } else if matches!(place.root, Root::Variable(_)) || !place.indices.is_empty() {
                            self.others += 1;
                        }
                    }
                    Op::Atomic(..) | Op::CompareExchange(..) => self.others += 1,
                    Op::Math(..) | Op::Pow(..) | Op::Atan2(..) => {
                        self.operations += 20;
                        self.chains += 1;
                    }
                    Op::Unary(Unary::Sqrt, _) => {
                        self.operations += 1;
                        self.chains += 1;
                    }
                    _ => self.operations += 1,
                },
                Statement::Store { .. } | Statement::Barrier { .. } => self.others += 1,
                Statement::If { then, otherwise, .. } => {
                    self.add(function, shapes, then);
                    self.add(function, shapes, otherwise);
                }
                Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                    self.add(function, shapes, body)
                }
                Statement::Branch { .. } | Statement::Yield { .. } | Statement::Return => {}
            }
        }
    }
}

/// Calls `f` with every loop: its name, how many parameters it has, and its body.
fn loops(list: &[Statement], f: &mut dyn FnMut(Label, usize, &[Statement])) {
    for statement in list {
        match statement {
            Statement::Loop { label, params, body, .. } => {
                f(*label, params.len(), body);
                loops(body, f);
            }
            Statement::Block { body, .. } => loops(body, f),
            Statement::If { then, otherwise, .. } => {
                loops(then, f);
                loops(otherwise, f);
            }
            _ => {}
        }
    }
}
