//! Calls, and the functions that are called: one gang runs them, those of its lanes that came.
//!
//! Arguments, results and variables are in the gang's private memory, at the same places for all functions of a kernel,
//! so that a call passes only where that is and which lanes run. What is called ends early where the launch is to stop; its
//! caller then sees that too. Knows nothing of rows and regions.

use super::flow::Flow;
use super::frame::{About, identifier};
use super::ids::{Ids, Position};
use super::memory::Memory;
use super::state::{End, Exec};
use super::{Gang, mask_bits};
use crate::options::{NotCompiled, Options};
use warpweft_ssa::ir as ssa;
use warpweft_ssa::ranges::Ranges;
use warpweft_ssa::uniformity::{Ganging, Shape, Uniformity};
use warpweft_vector::Builder;
use warpweft_vector::ir::{self, Effect, Inst, Kind, Op, Type};

impl Gang<'_> {
    /// The active lanes run a function.
    pub(super) fn call(&mut self, function: u32) {
        let condition = match self.state.exec {
            Exec::None => return,
            Exec::Some { mask, nonempty: false } => Some(self.any(mask)),
            Exec::All | Exec::Some { .. } => None,
        };
        self.when(condition, |gang| {
            let lanes = match gang.state.exec {
                Exec::Some { mask, .. } if gang.b.lanes() > 1 => {
                    gang.b.define(Type::scalar(Kind::I64), Op::Bits(mask))
                }
                // A single lane that is not active is not here.
                _ => gang.b.i64(mask_bits(gang.b.lanes())),
            };
            let arguments = [gang.memory.arguments(), gang.memory.private, lanes];
            gang.b.act(Effect::Call(function, Box::new(arguments)));
            gang.poll();
        });
    }
}

/// Lowers a function that a kernel calls.
///
/// # Errors
/// What it does that is not compiled.
pub(super) fn callee(
    function: &ssa::Function,
    ganging: Ganging,
    lanes: u16,
    options: &Options,
) -> Result<ir::Function, NotCompiled> {
    let shapes = Uniformity::new(function, ganging);
    let divergent = |value| lanes > 1 && matches!(shapes.shape(value), Shape::Varying | Shape::Affine(_));
    let flow = Flow::new(&function.body, function.labels, &divergent)?;
    let ranges = Ranges::new(function);
    let mut b = Builder::new(&identifier(&function.name), lanes);
    let [arguments, private, active] = [0; 3].map(|_| b.param(Kind::I64));
    let mut memory = Memory::new(&mut b, function, &shapes, arguments, options);
    memory.private = private;
    let zero = b.i32(0);
    // Nothing that is called asks who runs it.
    let nobody = Position::Row { global: [zero; 3], local: None };
    let ids = Ids { workgroups: [zero; 3], workgroup: None, lanes: nobody, size: function.workgroup_size };
    let about = About { ssa: function, shapes: &shapes, flow: &flow, ranges: &ranges };
    let mut gang = Gang::new(about, b, memory, ids, options.estimate());
    let end = gang.b.label();
    gang.end = Some(end);
    gang.b.open();
    gang.b.open();
    if lanes > 1 {
        let ty = gang.mask_type();
        let mask = gang.b.define(ty, Op::Mask(active));
        gang.state.exec = Exec::Some { mask, nonempty: true };
    }
    if gang.list(&function.body) != End::Gone {
        gang.b.yields(&[]);
    }
    let list = gang.b.close();
    gang.b.push(Inst::Block { label: end, body: list, results: vec![] });
    gang.conclude()?;
    Ok(gang.b.finish())
}
