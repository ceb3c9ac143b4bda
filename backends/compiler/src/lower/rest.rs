//! The rest of a row as a function of its own: what is not inside, for gangs of one native vector.
//!
//! Where gangs have several vectors, the general code beside the inside would take most of the time of compiling, and run
//! for a gang or two of each row. As a function it is as wide as one vector. It walks part of a row from end to end; only
//! its last gang may lack lanes. Knows no inside, and shares nothing with its caller but the launch's arguments: it works
//! in the same private memory, where nothing outlives a gang.

use std::mem::offset_of;

use super::Gang;
use super::flow::Flow;
use super::frame::{About, ganging, identifier};
use super::ids::{Ids, Position};
use super::inside::Inside;
use super::memory::Memory;
use super::rows::Row;
use crate::arguments::Arguments;
use crate::options::{NotCompiled, Options};
use warpweft_ssa::ir::{self as ssa, Statement};
use warpweft_ssa::ranges::Ranges;
use warpweft_ssa::uniformity::{Ganging, Shape, Uniformity};
use warpweft_vector::Builder;
use warpweft_vector::ir::{self, Convert, Effect, Kind, Value};

/// A gang's code with fewer values than this is so short that a second function takes longer to compile than it once more.
const LEAST_APART: usize = 128;

/// What the arms may cost that the inside leaves out, for the rest of a row to count as rare.
const CHEAP: u32 = 16;

/// The lanes of the rest's gangs, for a kernel whose own have so many; `None` where there is no such function.
pub(super) fn lanes(function: &ssa::Function, lanes: u16, options: &Options) -> Option<u16> {
    let native = options.generator.native_lanes();
    // What is called is as wide as the gang that calls it.
    (lanes > native && function.functions.is_empty()).then_some(native)
}

impl Gang<'_> {
    /// The lanes of the rest's gangs, where the rest of a row is a function of its own if a gang's code is long.
    pub(super) fn goes_apart(&self, inside: &Inside) -> Option<u16> {
        // Where the gangs themselves decide, or an arm is for many of them, the general code may be what mostly runs.
        let rare = inside.conditions.is_empty() && self.leaves_little(&self.ssa.body, inside);
        self.rest.filter(|_| rare)
    }

    /// What the inside leaves out ends an invocation, or is cheap and at some places of the row.
    fn leaves_little(&self, body: &[Statement], inside: &Inside) -> bool {
        body.iter().all(|statement| {
            let Statement::If { condition, then, otherwise, .. } = statement else { return true };
            let Some(&(_, wanted)) = inside.decided.iter().find(|(known, _)| known == condition) else {
                return true;
            };
            let (taken, left) = if wanted { (then, otherwise) } else { (otherwise, then) };
            let returns = matches!(left.last(), Some(Statement::Return));
            let some = self.slopes.of(*condition) != Some(0) && self.price(left) <= CHEAP;
            (returns || some) && self.leaves_little(taken, inside)
        })
    }

    /// What was built since there were so many values is long.
    pub(super) fn is_long_since(&self, values: usize) -> bool {
        self.b.function().values.len() - values >= LEAST_APART
    }

    /// Where the rest of a row ends that starts at `x`: in front of the inside, where that is still to come (not `begun`).
    pub(super) fn until(&mut self, x: Value, x1: Value, low: Value, begun: Value, unit: u16) -> Value {
        let (most, mask) = (self.b.i64(u64::from(unit) - 1), self.b.i64(!(u64::from(unit) - 1)));
        let distance = self.b.sub(low, x);
        let distance = self.b.add(distance, most);
        let distance = self.b.and(distance, mask);
        let stop = self.b.add(x, distance);
        let stop = self.b.min_u(stop, x1);
        self.b.select(begun, x1, stop)
    }

    /// Runs the rest of a row, from `x` to `stop`.
    pub(super) fn call_rest(&mut self, row: Row, x: Value, stop: Value) {
        let [y, z] = [row.y, row.z].map(|at| self.b.convert(Convert::ZeroExtend, at, Kind::I64));
        let arguments = [self.memory.arguments(), x, stop, y, z];
        self.b.act(Effect::Call(0, Box::new(arguments)));
        if self.loops.contains(&true) {
            // It may have come back early.
            self.poll();
        }
        self.calls_rest = true;
    }
}

/// The rest of a row as a function, and the bytes of private memory that it needs. It takes the address of
/// [`Arguments`], the first x and the one behind the last, y and z; there is at least one invocation.
///
/// # Errors
/// What the kernel does that is not compiled.
pub(super) fn function(
    function: &ssa::Function,
    ranges: &Ranges,
    lanes: u16,
    options: &Options,
) -> Result<(ir::Function, u64), NotCompiled> {
    let ganging = ganging(function, lanes);
    let aligned = matches!(ganging, Ganging::Rows { aligned: true, .. });
    let shapes = Uniformity::new(function, ganging);
    let divergent = |value| lanes > 1 && matches!(shapes.shape(value), Shape::Varying | Shape::Affine(_));
    let flow = Flow::new(&function.body, function.labels, &divergent)?;
    let mut b = Builder::new(&format!("{}_rest", identifier(&function.name)), lanes);
    let [arguments, x, stop, y, z] = [0; 5].map(|_| b.param(Kind::I64));
    // A few vectors of each row need not go past the caches.
    let options = Options { streaming: false, ..*options };
    let memory = Memory::new(&mut b, function, &shapes, arguments, &options);
    let private = memory.layout.private;
    let workgroups =
        [0, 1, 2].map(|axis| memory.argument(&mut b, offset_of!(Arguments<'_>, workgroups) + 4 * axis));
    let [y, z] = [y, z].map(|at| b.convert(Convert::Truncate, at, Kind::I32));
    let nowhere = Position::Row { global: [y; 3], local: None };
    let ids = Ids { workgroups, workgroup: None, lanes: nowhere, size: function.workgroup_size };
    let about = About { ssa: function, shapes: &shapes, flow: &flow, ranges };
    let mut gang = Gang::new(about, b, memory, ids, options.estimate());
    gang.b.open();
    let [_, sy, sz] = function.workgroup_size;
    let workgroup = [(y, sy), (z, sz)].map(|(at, size)| gang.divided(at, size));
    gang.rarely(|gang| {
        let row = Row { y, z, workgroup, aligned };
        gang.repeated(x, |gang, x| {
            gang.general(row, x, stop);
            let width = gang.b.i64(lanes.into());
            let next = gang.b.add(x, width);
            (next, gang.b.lt_u(next, stop))
        });
    });
    gang.conclude()?;
    Ok((gang.b.finish(), private))
}
