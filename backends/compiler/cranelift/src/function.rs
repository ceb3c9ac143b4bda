//! Structure to blocks: an `If` becomes a branch, the end of a `Block` a block with parameters, a `Loop` a block that is
//! its own successor; results and loop parameters become block parameters, one for each part.
//!
//! Lists are worked off from a stack of our own, for they nest as deep as the program does. Of operations it knows
//! only who translates which.

use cranelift_codegen::cursor::Cursor;
use cranelift_codegen::ir::{self as clif, AbiParam, BlockArg, InstBuilder, Value, types};
use cranelift_codegen::isa::CallConv;
use warpweft_vector::ir::{self, Function, Hint, Inst, Kind, Label, Op};

use crate::parts::{Fact, Result, Translation, part_count, value_type};
use crate::target::Target;

/// The rest of a list.
struct Task<'a> {
    rest: &'a [Inst],
    /// The block that it starts in; none where it goes on in the block before.
    entry: Option<clif::Block>,
    /// Where `Yield` leads to; none is out of the function.
    exit: Option<clif::Block>,
    cold: bool,
}

/// Puts a function of the vector IR into Cranelift's.
pub(crate) fn translate(source: &Function, target: Target, function: &mut clif::Function) -> Result<()> {
    function.signature.call_conv = CallConv::SystemV;
    for &param in &source.params {
        if source.ty(param) != ir::Type::scalar(Kind::I64) {
            return Err(crate::target::refusal("a parameter that is not a 64-bit integer".into()));
        }
        function.signature.params.push(AbiParam::new(types::I64));
    }
    let mut translation = Translation::new(source, target, function);
    let entry = translation.entry;
    translation.at.insert_block(entry);
    for &param in &source.params {
        let value = translation.at.func.dfg.append_block_param(entry, types::I64);
        translation.begin(param);
        translation.push(value);
    }
    let mut labels = vec![None; source.labels as usize];
    let mut tasks = vec![Task { rest: &source.body, entry: None, exit: None, cold: false }];
    while let Some(task) = tasks.pop() {
        translation.list(task, &mut tasks, &mut labels)?;
    }
    Ok(())
}

type Labels = [Option<clif::Block>];

impl<'a> Translation<'a> {
    /// Translates a list up to its next nested one, and leaves that and the rest behind as tasks.
    fn list(&mut self, task: Task<'a>, tasks: &mut Vec<Task<'a>>, labels: &mut Labels) -> Result<()> {
        self.cold = task.cold;
        if let Some(block) = task.entry {
            self.at.insert_block(block);
        }
        for (index, inst) in task.rest.iter().enumerate() {
            let rest = &task.rest[index + 1..];
            match inst {
                Inst::Let { result, op, mark } => {
                    self.set_mark(*mark);
                    self.operation(*result, op)?;
                }
                Inst::Do { effect, mark } => {
                    self.set_mark(*mark);
                    self.effect(effect)?;
                }
                Inst::If { condition, then, otherwise, results, hint } => {
                    let ends = [then, otherwise].map(|arm| matches!(arm.last(), Some(Inst::Yield { .. })));
                    let join = (ends[0] || ends[1]).then(|| self.target(results));
                    if let Some(entry) = join {
                        tasks.push(Task { rest, entry: Some(entry), ..task });
                    }
                    self.branch(*condition, [then, otherwise], join, *hint, task.cold, tasks, labels)?;
                    return Ok(());
                }
                Inst::Block { label, body, results } => {
                    let end = self.target(results);
                    labels[label.0 as usize] = Some(end);
                    tasks.push(Task { rest, entry: Some(end), ..task });
                    tasks.push(Task { rest: body, entry: None, exit: Some(end), cold: task.cold });
                    return Ok(());
                }
                Inst::Loop { label, params, body } => {
                    let values: Vec<ir::Value> = params.iter().map(|&(param, _)| param).collect();
                    let starts: Vec<ir::Value> = params.iter().map(|&(_, start)| start).collect();
                    let head = self.target(&values);
                    labels[label.0 as usize] = Some(head);
                    let arguments = self.arguments(&starts);
                    self.at.ins().jump(head, &arguments);
                    tasks.push(Task { rest: body, entry: Some(head), exit: None, cold: task.cold });
                    return Ok(());
                }
                Inst::Branch { label, arguments } => {
                    let block = self.labelled(*label, labels)?;
                    let arguments = self.arguments(arguments);
                    self.at.ins().jump(block, &arguments);
                    return Ok(());
                }
                Inst::Yield { arguments } => {
                    let arguments = self.arguments(arguments);
                    match task.exit {
                        Some(exit) => self.at.ins().jump(exit, &arguments),
                        None => self.at.ins().return_(&[]),
                    };
                    return Ok(());
                }
            }
        }
        self.refuse("a list without an end")
    }

    fn set_mark(&mut self, mark: ir::Mark) {
        if mark != self.mark {
            self.mark = mark;
            self.at.set_srcloc(crate::source(mark));
        }
    }

    /// A block whose parameters are those values.
    fn target(&mut self, values: &[ir::Value]) -> clif::Block {
        let block = self.block(false);
        for &value in values {
            let ty = self.ty(value);
            self.begin(value);
            for _ in 0..part_count(ty) {
                let part = self.at.func.dfg.append_block_param(block, value_type(ty));
                self.push(part);
            }
        }
        block
    }

    fn labelled(&self, label: Label, labels: &Labels) -> Result<clif::Block> {
        match labels.get(label.0 as usize) {
            Some(Some(block)) => Ok(*block),
            _ => self.refuse("a branch to nowhere"),
        }
    }

    /// The parts of all those values.
    fn arguments(&self, values: &[ir::Value]) -> Vec<BlockArg> {
        let mut arguments = Vec::with_capacity(values.len() * 2);
        for &value in values {
            for index in 0..part_count(self.ty(value)) {
                arguments.push(BlockArg::Value(self.part(value, index)));
            }
        }
        arguments
    }

    /// Ends the block with a branch to one of two arms. An arm that only leaves needs no block of its own.
    #[allow(clippy::too_many_arguments, reason = "the parts of one instruction")]
    fn branch(
        &mut self,
        condition: ir::Value,
        arms: [&'a Vec<Inst>; 2],
        join: Option<clif::Block>,
        hint: Hint,
        cold: bool,
        tasks: &mut Vec<Task<'a>>,
        labels: &Labels,
    ) -> Result<()> {
        let cold_arms = [cold || hint == Hint::Unlikely, cold || hint == Hint::Likely];
        let mut ways = Vec::with_capacity(2);
        let mut nested = Vec::with_capacity(2);
        for (arm, cold) in arms.into_iter().zip(cold_arms) {
            let (block, arguments) = match Self::only_leaves(arm) {
                Some((Some(label), arguments)) => (self.labelled(label, labels)?, self.arguments(arguments)),
                Some((None, arguments)) => match join {
                    Some(join) => (join, self.arguments(arguments)),
                    None => return self.refuse("an arm that yields to nowhere"),
                },
                None => {
                    let block = self.block(cold);
                    nested.push(Task { rest: arm, entry: Some(block), exit: join, cold });
                    (block, vec![])
                }
            };
            ways.push((block, arguments));
        }
        // The arm that comes first in the code is worked off first.
        tasks.extend(nested.into_iter().rev());
        let (condition, opposite) = self.condition(condition);
        if opposite {
            ways.swap(0, 1);
        }
        let [(then, then_arguments), (otherwise, otherwise_arguments)] = &ways[..] else {
            return self.refuse("a branch without two ways");
        };
        self.at.ins().brif(condition, *then, then_arguments, *otherwise, otherwise_arguments);
        Ok(())
    }

    /// A condition, or the one of which it is the opposite.
    fn condition(&self, mut value: ir::Value) -> (Value, bool) {
        let mut opposite = false;
        while let Fact::Not(other) = self.fact(value) {
            value = other;
            opposite = !opposite;
        }
        (self.scalar(value), opposite)
    }

    /// A list that only branches or yields: what is passed, and to which label if it branches.
    fn only_leaves(list: &[Inst]) -> Option<(Option<Label>, &[ir::Value])> {
        match list {
            [Inst::Branch { label, arguments }] => Some((Some(*label), arguments)),
            [Inst::Yield { arguments }] => Some((None, arguments)),
            _ => None,
        }
    }

    /// Translates an operation.
    fn operation(&mut self, result: ir::Value, op: &'a Op) -> Result<()> {
        match op {
            Op::Const(bits) => self.constant(result, *bits),
            Op::Lanes(lanes) => self.lane_constants(result, lanes),
            Op::Splat(a) => self.splat(result, *a),
            Op::Extract(a, lane) => self.extract(result, *a, *lane),
            Op::ExtractAt(a, number) => self.extract_at(result, *a, *number),
            Op::Unary(op, a) => self.unary(result, *op, *a)?,
            Op::Binary(op, a, b) => self.binary(result, *op, *a, *b)?,
            Op::Fma(a, b, c) => self.fma(result, *a, *b, *c),
            Op::Compare(op, a, b) => self.compare(result, *op, *a, *b)?,
            Op::Select(c, a, b) => self.select(result, *c, *a, *b),
            Op::Convert(op, a) => self.convert(result, *op, *a)?,
            Op::Any(a) => self.any(result, *a),
            Op::All(a) => self.all(result, *a),
            Op::Bits(a) => self.bits(result, *a),
            Op::Mask(a) => self.mask(result, *a),
            Op::Permute(a, b) => self.permute(result, *a, *b),
            Op::Shuffle(a, b, from) => self.shuffle_lanes(result, *a, *b, from),
            Op::Reduce(op, a) => self.reduce(result, *op, *a)?,
            Op::Load(access) => self.load(result, access)?,
            Op::LoadMasked(access, mask) => self.load_masked(result, access, *mask)?,
            Op::LoadStrided(..) => return self.refuse("a strided load that was not legalised"),
            Op::Gather(scattered, mask) => self.gather(result, scattered, *mask)?,
            Op::Atomic(op, access, a) => self.atomic(result, *op, access, *a)?,
            Op::CompareExchange(access, a, b) => self.compare_exchange(result, access, *a, *b)?,
            Op::AtomicLoad(access) => self.atomic_load(result, access)?,
        }
        Ok(())
    }
}
