//! How values of the vector IR lie in Cranelift's: a scalar is one value, a vector a list of 128-bit parts.
//!
//! The last part of a narrow vector may have lanes that nobody owns: their contents are arbitrary, and must not reach
//! memory, integer division, or anything that looks at a whole mask. A mask has 32 bits a lane; where 64-bit lanes are
//! compared, selected or combined, a wide form of it (64 bits a lane) lies beside it, and whichever of the two is not
//! used disappears. Knows no operation but the conversions between those forms.

use cranelift_codegen::cursor::FuncCursor;
use cranelift_codegen::ir::{
    self as clif, Endianness, InstBuilder, MemFlagsData, StackSlot, Type, Value, types,
};
use warpweft_vector::ir::{self, Kind, Mark};
use warpweft_vector::{Refusal, ir::Function};

use crate::call::Callee;
use crate::target::{Architecture, Target};

pub(crate) type Result<T> = std::result::Result<T, Refusal>;

/// What is known of a value beside its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact<'a> {
    Nothing,
    /// The same bits in every lane.
    Constant(u64),
    /// The bits of each lane.
    Lanes(&'a [u64]),
    /// A scalar in every lane.
    Splat(ir::Value),
    /// The opposite of a scalar `Bool`.
    Not(ir::Value),
}

const UNDEFINED: u32 = u32::MAX;

/// A function on its way into Cranelift.
pub(crate) struct Translation<'a> {
    pub(crate) source: &'a Function,
    pub(crate) at: FuncCursor<'a>,
    target: Target,
    /// Where each value's parts start in `parts`.
    first: Vec<u32>,
    /// Where each mask's wide parts start, if it has them.
    first_wide: Vec<u32>,
    parts: Vec<Value>,
    pub(crate) facts: Vec<Fact<'a>>,
    /// How the memory of each space may be used, by space.
    pub(crate) flags: Vec<MemFlagsData>,
    /// Zeros, for loads of lanes that do not take part.
    pub(crate) zeros: Option<StackSlot>,
    /// Room for stores of lanes that do not take part.
    pub(crate) waste: Option<StackSlot>,
    /// Room for vectors whose lanes are looked up by number.
    pub(crate) lookup: Option<StackSlot>,
    pub(crate) callees: Vec<Callee>,
    pub(crate) entry: clif::Block,
    /// Code that is generated now is rarely run.
    pub(crate) cold: bool,
    pub(crate) mark: Mark,
}

/// The kind's scalar type.
pub(crate) fn scalar_type(kind: Kind) -> Type {
    match kind {
        Kind::Bool => types::I8,
        Kind::I32 => types::I32,
        Kind::I64 => types::I64,
        Kind::F32 => types::F32,
        Kind::F64 => types::F64,
    }
}

/// The type of a part.
pub(crate) fn part_type(kind: Kind) -> Type {
    match kind {
        Kind::Bool | Kind::I32 => types::I32X4,
        Kind::I64 => types::I64X2,
        Kind::F32 => types::F32X4,
        Kind::F64 => types::F64X2,
    }
}

/// The lanes of a part.
pub(crate) const fn lanes_per_part(kind: Kind) -> usize {
    if kind.size() == 8 { 2 } else { 4 }
}

/// The type of each of a value's parts.
pub(crate) fn value_type(ty: ir::Type) -> Type {
    if ty.is_scalar() { scalar_type(ty.kind) } else { part_type(ty.kind) }
}

/// How many parts a value has.
pub(crate) fn part_count(ty: ir::Type) -> usize {
    if ty.is_scalar() { 1 } else { usize::from(ty.lanes).div_ceil(lanes_per_part(ty.kind)) }
}

/// Bits of 32-bit lanes are 32 bits, even where a constant carries more.
pub(crate) fn truncated(kind: Kind, bits: u64) -> u64 {
    match kind {
        Kind::Bool => bits & 1,
        Kind::I32 | Kind::F32 => bits & 0xffff_ffff,
        Kind::I64 | Kind::F64 => bits,
    }
}

impl<'a> Translation<'a> {
    pub(crate) fn new(source: &'a Function, target: Target, function: &'a mut clif::Function) -> Self {
        let flags = source.spaces.iter().enumerate().map(|(number, space)| {
            // Spaces do not overlap: Cranelift may keep what it loaded from one while another is written.
            let region = clif::AliasRegionData { user_id: number as u32, description: "".into() };
            let region = function.dfg.alias_regions.insert(region);
            let flags = MemFlagsData::new().with_notrap().with_alias_region(Some(region));
            if space.constant { flags.with_readonly() } else { flags }
        });
        let flags = flags.collect();
        let entry = function.dfg.make_block();
        let values = source.values.len();
        Self {
            source,
            at: FuncCursor::new(function),
            target,
            first: vec![UNDEFINED; values],
            first_wide: vec![UNDEFINED; values],
            parts: Vec::with_capacity(values * 2),
            facts: vec![Fact::Nothing; values],
            flags,
            zeros: None,
            waste: None,
            lookup: None,
            callees: vec![],
            entry,
            cold: false,
            mark: Mark::default(),
        }
    }

    pub(crate) fn x64(&self) -> bool {
        self.target.architecture == Architecture::X64
    }

    /// Says no to what is being translated.
    pub(crate) fn refuse<T>(&self, what: &str) -> Result<T> {
        Err(Refusal { what: what.into(), mark: self.mark })
    }

    /// The type of a value.
    pub(crate) fn ty(&self, value: ir::Value) -> ir::Type {
        self.source.ty(value)
    }

    // --- definitions and uses --------------------------------------------------------------------------------------

    /// The parts that are added from now on are that value's.
    pub(crate) fn begin(&mut self, value: ir::Value) {
        self.first[value.0 as usize] = self.parts.len() as u32;
    }

    /// The wide parts that are added from now on are that mask's.
    pub(crate) fn begin_wide(&mut self, value: ir::Value) {
        self.first_wide[value.0 as usize] = self.parts.len() as u32;
    }

    /// Adds a part.
    pub(crate) fn push(&mut self, part: Value) {
        self.parts.push(part);
    }

    /// One part of a value.
    pub(crate) fn part(&self, value: ir::Value, index: usize) -> Value {
        self.parts[self.first[value.0 as usize] as usize + index]
    }

    /// A scalar.
    pub(crate) fn scalar(&self, value: ir::Value) -> Value {
        self.part(value, 0)
    }

    /// Two values have the same parts.
    pub(crate) fn alias(&mut self, result: ir::Value, other: ir::Value) {
        self.first[result.0 as usize] = self.first[other.0 as usize];
        self.first_wide[result.0 as usize] = self.first_wide[other.0 as usize];
        self.facts[result.0 as usize] = self.facts[other.0 as usize];
    }

    /// What is known of a value.
    pub(crate) fn fact(&self, value: ir::Value) -> Fact<'a> {
        self.facts[value.0 as usize]
    }

    /// Every lane is zero (all its bits), or false.
    pub(crate) fn is_zero(&self, value: ir::Value) -> bool {
        self.fact(value) == Fact::Constant(0)
    }

    /// A mask of which every lane holds.
    pub(crate) fn is_true(&self, mask: ir::Value) -> bool {
        self.fact(mask) == Fact::Constant(1)
    }

    // --- forms -----------------------------------------------------------------------------------------------------

    /// The same bits as another vector type.
    pub(crate) fn cast(&mut self, ty: Type, x: Value) -> Value {
        if self.at.func.dfg.value_type(x) == ty {
            return x;
        }
        // The order of lanes in memory, which both architectures have in registers too.
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.at.ins().bitcast(ty, flags, x)
    }

    /// A part from memory.
    pub(crate) fn load_part(&mut self, ty: Type, flags: MemFlagsData, base: Value, offset: i32) -> Value {
        if self.target.unaligned_operands {
            return self.at.ins().load(ty, flags, base, offset);
        }
        // Cranelift makes some loads an operand of the instruction behind, though that wants it aligned: not if there is
        // another one between them.
        let bytes = self.at.ins().load(types::I8X16, flags, base, offset);
        self.cast(ty, bytes)
    }

    /// A constant part.
    pub(crate) fn vector_constant(&mut self, ty: Type, bytes: [u8; 16]) -> Value {
        let constant = self.at.func.dfg.constants.insert(clif::ConstantData::from(&bytes[..]));
        self.at.ins().vconst(ty, constant)
    }

    /// A constant part with the same bits in each lane.
    pub(crate) fn repeated(&mut self, ty: Type, bits: u64) -> Value {
        let size = ty.lane_type().bytes() as usize;
        let mut bytes = [0; 16];
        for lane in bytes.chunks_exact_mut(size) {
            lane.copy_from_slice(&bits.to_le_bytes()[..size]);
        }
        self.vector_constant(ty, bytes)
    }

    /// The bytes of two parts in another order: below 16 is the first's, else the second's.
    pub(crate) fn shuffle(&mut self, a: Value, b: Value, order: [u8; 16]) -> Value {
        let ty = self.at.func.dfg.value_type(a);
        let (a, b) = (self.cast(types::I8X16, a), self.cast(types::I8X16, b));
        let order = self.at.func.dfg.immediates.push(clif::ConstantData::from(&order[..]));
        let mixed = self.at.ins().shuffle(a, b, order);
        self.cast(ty, mixed)
    }

    /// As [`shuffle`](Self::shuffle), with 32-bit lanes: below 4 is the first's.
    pub(crate) fn shuffle32(&mut self, a: Value, b: Value, order: [u8; 4]) -> Value {
        let bytes = std::array::from_fn(|byte| order[byte / 4] * 4 + (byte % 4) as u8);
        self.shuffle(a, b, bytes)
    }

    /// The even 32-bit lanes of two parts: each 64-bit lane's lower half.
    pub(crate) fn even_lanes(&mut self, a: Value, b: Value) -> Value {
        self.shuffle32(a, b, [0, 2, 4, 6])
    }

    /// The upper half of a part where its lower half was.
    pub(crate) fn upper_half(&mut self, a: Value) -> Value {
        self.shuffle32(a, a, [2, 3, 2, 3])
    }

    /// A mask's wide form: one part for two lanes.
    pub(crate) fn wide_mask(&mut self, mask: ir::Value, index: usize) -> Value {
        let first = self.first_wide[mask.0 as usize];
        if first != UNDEFINED {
            return self.parts[first as usize + index];
        }
        let narrow = self.part(mask, index / 2);
        let order = if index.is_multiple_of(2) { [0, 0, 1, 1] } else { [2, 2, 3, 3] };
        let doubled = self.shuffle32(narrow, narrow, order);
        self.cast(types::I64X2, doubled)
    }

    /// Whether a mask has its wide form.
    pub(crate) fn has_wide(&self, mask: ir::Value) -> bool {
        self.first_wide[mask.0 as usize] != UNDEFINED
    }

    /// Defines a mask by its wide parts, and so by its narrow ones.
    pub(crate) fn define_wide(&mut self, mask: ir::Value, wide: &[Value]) {
        self.begin_wide(mask);
        self.parts.extend_from_slice(wide);
        let mut narrow = vec![];
        for pair in wide.chunks(2) {
            let (low, high) = (pair[0], pair[pair.len() - 1]);
            let (low, high) = (self.cast(types::I32X4, low), self.cast(types::I32X4, high));
            narrow.push(self.even_lanes(low, high));
        }
        self.begin(mask);
        self.parts.append(&mut narrow);
    }

    /// One lane of a part, as a scalar.
    pub(crate) fn lane(&mut self, part: Value, lane: usize) -> Value {
        self.at.ins().extractlane(part, lane as u8)
    }

    /// A part from its lanes; those missing are zero.
    pub(crate) fn collected(&mut self, ty: Type, lanes: &[Value]) -> Value {
        let mut part = self.at.ins().scalar_to_vector(ty, lanes[0]);
        for (index, &lane) in lanes.iter().enumerate().skip(1) {
            part = self.at.ins().insertlane(part, lane, index as u8);
        }
        part
    }

    /// An integer constant.
    pub(crate) fn int(&mut self, ty: Type, number: i64) -> Value {
        self.at.ins().iconst(ty, number)
    }
}
