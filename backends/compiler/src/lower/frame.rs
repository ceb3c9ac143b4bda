//! The function around the gangs: arguments, what is loaded once, and the way out.

use std::mem::offset_of;

use super::flow::Flow;
use super::ids::{Ids, Position};
use super::memory::Memory;
use super::slopes::{Along, Slopes};
use super::state::{Exec, State};
use super::{Gang, call, region, rest};
use crate::arguments::Arguments;
use crate::options::{NotCompiled, Options};
use crate::width::Shapes;
use warpweft_ssa::ir::{Builtin, Definition, Function, Op, Statement};
use warpweft_ssa::orders::Orders;
use warpweft_ssa::ranges::Ranges;
use warpweft_ssa::uniformity::{Ganging, Shape, Uniformity};
use warpweft_vector::Builder;
use warpweft_vector::ir::{self, Inst, Kind};

/// A kernel as a vector program.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// Takes the address of [`Arguments`], the first workgroup, and the one behind the last.
    pub(crate) function: ir::Function,
    /// What it calls: its own functions, each of which takes the address of [`Arguments`], that of the gang's private memory,
    /// and the bits of the lanes that run it; or else the rest of a row ([`rest`]).
    pub(crate) callees: Vec<ir::Function>,
    /// What it calls rarely runs, and runs through: it is to be compiled soon rather than well.
    pub(crate) rare: bool,
    /// Bytes of workgroup memory that a thread needs.
    pub(crate) workgroup_bytes: u64,
    /// Bytes of private memory that a thread needs.
    pub(crate) private_bytes: u64,
}

/// Invocations meet: at barriers, in workgroup memory, as subgroups, or where one waits for another.
pub(crate) fn meets(function: &Function) -> bool {
    function.variables.iter().any(|variable| variable.workgroup)
        || function.body.iter().any(region::has_barrier)
        || function.body.iter().any(|statement| waits(&function.values, statement, false))
        // It may be called in a loop.
        || function.functions.iter().any(|callee| callee.body.iter().any(|s| waits(&callee.values, s, true)))
        || asks_for_subgroups(function)
}

/// Whether a kernel can tell how many lanes its gangs have.
pub(crate) fn asks_for_subgroups(function: &Function) -> bool {
    function.values.iter().any(|definition| match definition.op {
        Op::Ballot(..) | Op::Collective(..) | Op::Gather(..) => true,
        Op::Builtin(builtin) => matches!(
            builtin,
            Builtin::SubgroupId
                | Builtin::SubgroupInvocationId
                | Builtin::NumSubgroups
                | Builtin::SubgroupSize
        ),
        _ => false,
    })
}

/// How a kernel's invocations are packed.
pub(crate) fn ganging(function: &Function, lanes: u16) -> Ganging {
    let aligned = function.workgroup_size[0].is_multiple_of(lanes.into());
    match meets(function) {
        true => Ganging::Workgroup { lanes: lanes.into() },
        false => Ganging::Rows { lanes: lanes.into(), aligned },
    }
}

/// Some loop takes atomic steps: it may wait for an earlier workgroup, which must not be in the same gang.
fn waits(values: &[Definition], statement: &Statement, in_loop: bool) -> bool {
    let all = |list: &[Statement], in_loop| list.iter().any(|statement| waits(values, statement, in_loop));
    match statement {
        Statement::Let(value) if in_loop => match values[value.0 as usize].op {
            Op::Load { atomic, .. } => atomic,
            Op::Atomic(..) | Op::CompareExchange(..) => true,
            _ => false,
        },
        Statement::If { then, otherwise, .. } => all(then, in_loop) || all(otherwise, in_loop),
        Statement::Block { body, .. } => all(body, in_loop),
        Statement::Loop { body, .. } => all(body, true),
        _ => false,
    }
}

/// Lowers a kernel for gangs of that many lanes, whatever `options` say of lanes; `known` are shapes of values, in case
/// they are those of such gangs.
///
/// # Errors
/// What the kernel does that is not compiled.
pub(crate) fn lower(
    function: &Function,
    lanes: u16,
    known: Option<Shapes>,
    options: &Options,
) -> Result<Lowered, NotCompiled> {
    let size = function.workgroup_size;
    let meets = meets(function);
    let ganging = ganging(function, lanes);
    let known = known.filter(|(of, _)| *of == ganging).map(|(_, shapes)| shapes);
    let shapes = known.unwrap_or_else(|| Uniformity::new(function, ganging));
    let divergent = |value| lanes > 1 && matches!(shapes.shape(value), Shape::Varying | Shape::Affine(_));
    let (ranges, orders) = match meets {
        true => Ranges::with_orders(function, &shapes),
        false => (Ranges::new(function), Orders::default()),
    };
    let flow = Flow::new(&function.body, function.labels, &divergent)?;
    let barriers = function.body.iter().any(region::has_barrier);
    let invocations: u32 = size.iter().product();
    let steps = if meets {
        let partial = !invocations.is_multiple_of(u32::from(lanes));
        let living = flow.returns || barriers && partial;
        Some(region::split(function, &shapes, &orders, lanes, living)?)
    } else {
        None
    };

    let mut b = Builder::with_room(&identifier(&function.name), lanes, function.values.len());
    let [arguments, begin, end] = [0; 3].map(|_| b.param(Kind::I64));
    let memory = Memory::new(&mut b, function, &shapes, arguments, options);
    let workgroups =
        [0, 1, 2].map(|axis| memory.argument(&mut b, offset_of!(Arguments<'_>, workgroups) + 4 * axis));
    let zero = b.i32(0);
    let (steps, regions) = match steps {
        Some((steps, regions)) => (Some(steps), Some(regions)),
        None => (None, None),
    };
    let ids =
        Ids { workgroups, workgroup: None, lanes: Position::Row { global: [zero; 3], local: None }, size };
    let along = match &regions {
        Some(regions) => Along::Gangs { lanes: lanes.into(), home: &regions.home },
        None => Along::X,
    };
    let slopes = Slopes::new(function, along);
    let about = About { ssa: function, shapes: &shapes, flow: &flow, ranges: &ranges };
    let mut gang = Gang::new(about, b, memory, ids, options.estimate());
    (gang.slopes, gang.regions) = (slopes, regions);
    gang.b.open();
    let mut private_bytes = match &steps {
        Some(steps) => gang.workgroups(begin, end, steps, barriers),
        None => {
            gang.rest = rest::lanes(function, lanes, options);
            gang.rows(begin, end, matches!(ganging, Ganging::Rows { aligned: true, .. }));
            gang.memory.layout.private
        }
    };
    gang.conclude()?;
    let workgroup_bytes = gang.memory.layout.workgroup;
    let apart = gang.rest.filter(|_| gang.calls_rest);
    let gang_loops = gang.loops.contains(&true);
    let kernel = gang.b.finish();
    let mut callees = (0..function.functions.len() as u32)
        .map(|number| call::callee(&function.callee(number), ganging, lanes, options))
        .collect::<Result<Vec<_>, _>>()?;
    let rare = apart.is_some() && !gang_loops;
    if let Some(lanes) = apart {
        let (rest, bytes) = rest::function(function, &ranges, lanes, options)?;
        callees.push(rest);
        private_bytes = private_bytes.max(bytes);
    }
    Ok(Lowered { function: kernel, callees, rare, workgroup_bytes, private_bytes })
}

/// What is known of a function before it is lowered.
pub(super) struct About<'a> {
    pub(super) ssa: &'a Function,
    pub(super) shapes: &'a Uniformity,
    pub(super) flow: &'a Flow,
    pub(super) ranges: &'a Ranges,
}

impl<'a> Gang<'a> {
    /// A gang of which nothing is lowered, with no regions and no row.
    pub(super) fn new(
        about: About<'a>,
        mut b: Builder,
        memory: Memory,
        ids: Ids,
        estimate: Option<u32>,
    ) -> Self {
        let About { ssa, shapes, flow, ranges } = about;
        let (quit, private) = (b.label(), memory.private);
        Gang {
            ssa,
            shapes,
            flow,
            b,
            values: vec![None; ssa.values.len()],
            state: State { exec: Exec::All, registers: vec![] },
            targets: vec![],
            memory,
            ids,
            quit,
            end: None,
            known: Default::default(),
            slopes: Default::default(),
            ranges,
            used: used(ssa),
            estimate,
            regions: None,
            region: (0, vec![]),
            outgoing: vec![],
            exports: private,
            frame: private,
            loops: loops(ssa),
            masked_depth: 0,
            rest: None,
            calls_rest: false,
            failure: None,
        }
    }

    /// Ends the function, where those arrive too that are to stop.
    ///
    /// # Errors
    /// What was found on the way that is not compiled.
    pub(super) fn conclude(&mut self) -> Result<(), NotCompiled> {
        self.b.yields(&[]);
        let list = self.b.close();
        self.b.push(Inst::Block { label: self.quit, body: list, results: vec![] });
        self.b.yields(&[]);
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// A name that the vector IR takes.
pub(super) fn identifier(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_digit()) || plain.is_empty() {
        format!("k{plain}")
    } else {
        plain
    }
}

/// Which values something uses.
fn used(function: &Function) -> Vec<bool> {
    let mut used = vec![false; function.values.len()];
    for definition in &function.values {
        definition.op.operands(|operand| used[operand.0 as usize] = true);
    }
    mark(&function.body, &mut used);
    used
}

fn mark(list: &[Statement], used: &mut [bool]) {
    for statement in list {
        match statement {
            Statement::Store { value, .. } => used[value.0 as usize] = true,
            Statement::If { condition, then, otherwise, .. } => {
                used[condition.0 as usize] = true;
                mark(then, used);
                mark(otherwise, used);
            }
            Statement::Block { body, .. } => mark(body, used),
            Statement::Loop { params, body, .. } => {
                params.iter().for_each(|(_, init)| used[init.0 as usize] = true);
                mark(body, used);
            }
            Statement::Branch { arguments, .. } | Statement::Yield { arguments } => {
                arguments.iter().for_each(|argument| used[argument.0 as usize] = true);
            }
            Statement::Let(_) | Statement::Barrier { .. } | Statement::Call { .. } | Statement::Return => {}
        }
    }
}

/// Which labels are loops.
fn loops(function: &Function) -> Vec<bool> {
    fn find(list: &[Statement], loops: &mut [bool]) {
        for statement in list {
            match statement {
                Statement::Loop { label, body, .. } => {
                    loops[label.0 as usize] = true;
                    find(body, loops);
                }
                Statement::Block { body, .. } => find(body, loops),
                Statement::If { then, otherwise, .. } => {
                    find(then, loops);
                    find(otherwise, loops);
                }
                _ => {}
            }
        }
    }
    let mut loops = vec![false; function.labels as usize];
    find(&function.body, &mut loops);
    loops
}
