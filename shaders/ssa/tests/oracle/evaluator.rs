//! Runs a function as it stands: one workgroup in lockstep, statement by statement, lane by lane.
//!
//! Slow and plain. Divergence is masks, as in the interpreter; what a list's end means is what the module `ir` says.

use warpweft_module::Scalar;
use warpweft_ssa::arithmetic as a;
use warpweft_ssa::ir::{
    Atomic, Binary, Builtin, Collective, Compare, Function, Label, Lane, Limit, Op, Place, Root, Scan,
    Statement, Value,
};

/// Everything around a workgroup.
pub(crate) struct Launch {
    pub(crate) workgroups: [u32; 3],
    pub(crate) over: Option<[u32; 3]>,
    pub(crate) subgroup_size: u32,
}

type Mask = Vec<bool>;

struct Run<'r> {
    function: &'r Function,
    /// What it calls.
    functions: &'r [Function],
    launch: &'r Launch,
    workgroup: [u32; 3],
    lanes: usize,
    bindings: &'r mut [Vec<u8>],
    /// Of workgroup variables one, of private ones one per lane.
    variables: Vec<Vec<Vec<u8>>>,
    /// `values[value * lanes + lane]`.
    values: Vec<u64>,
    /// By label: who has branched there, and what for.
    arrived: Vec<Mask>,
    targets: Vec<Vec<Value>>,
}

/// Runs workgroup number `linear`.
pub(crate) fn run_workgroup(function: &Function, launch: &Launch, linear: u64, bindings: &mut [Vec<u8>]) {
    let [x, y, _] = launch.workgroups.map(u64::from);
    let workgroup = [linear % x, linear / x % y, linear / x / y].map(|n| n as u32);
    let lanes = function.workgroup_size.iter().product::<u32>() as usize;
    let variables = (function.variables.iter())
        // What is not zero may be anything.
        .map(|v| {
            vec![
                vec![if v.workgroup { 0 } else { 0xcd }; v.size as usize];
                if v.workgroup { 1 } else { lanes }
            ]
        })
        .collect();
    let functions: Vec<Function> = (0..function.functions.len() as u32).map(|n| function.callee(n)).collect();
    let mut run = Run::new(function, &functions, launch, workgroup, bindings, variables);
    let mask = (0..lanes)
        .map(|lane| {
            let global = run.global_id(lane);
            launch.over.is_none_or(|over| (0..3).all(|axis| global[axis] < over[axis]))
        })
        .collect();
    run.list(&function.body, mask, &[]);
}

fn any(mask: &Mask) -> bool {
    mask.iter().any(|&lane| lane)
}

impl<'r> Run<'r> {
    fn new(
        function: &'r Function,
        functions: &'r [Function],
        launch: &'r Launch,
        workgroup: [u32; 3],
        bindings: &'r mut [Vec<u8>],
        variables: Vec<Vec<Vec<u8>>>,
    ) -> Run<'r> {
        let lanes = function.workgroup_size.iter().product::<u32>() as usize;
        Run {
            function,
            functions,
            launch,
            workgroup,
            lanes,
            bindings,
            variables,
            values: vec![0; function.values.len() * lanes],
            arrived: vec![vec![false; lanes]; function.labels as usize],
            targets: vec![Vec::new(); function.labels as usize],
        }
    }

    /// Runs a function for some; all of them come back.
    fn call(&mut self, number: u32, mask: Mask) {
        let function = &self.functions[number as usize];
        let variables = std::mem::take(&mut self.variables);
        let (functions, launch) = (self.functions, self.launch);
        let mut run = Run::new(function, functions, launch, self.workgroup, self.bindings, variables);
        run.list(&function.body, mask, &[]);
        self.variables = run.variables;
    }

    fn local_id(&self, lane: usize) -> [u32; 3] {
        let [x, y, _] = self.function.workgroup_size;
        let lane = lane as u32;
        [lane % x, lane / x % y, lane / x / y]
    }

    fn global_id(&self, lane: usize) -> [u32; 3] {
        let local = self.local_id(lane);
        std::array::from_fn(|axis| {
            self.workgroup[axis].wrapping_mul(self.function.workgroup_size[axis]).wrapping_add(local[axis])
        })
    }

    fn get(&self, value: Value, lane: usize) -> u64 {
        self.values[value.0 as usize * self.lanes + lane]
    }

    fn set(&mut self, value: Value, lane: usize, bits: u64) {
        self.values[value.0 as usize * self.lanes + lane] = bits;
    }

    /// Gives values to parameters, all at once.
    fn pass(&mut self, params: &[Value], arguments: &[Value], mask: &Mask) {
        for lane in (0..self.lanes).filter(|&lane| mask[lane]) {
            let bits: Vec<u64> = arguments.iter().map(|&argument| self.get(argument, lane)).collect();
            params.iter().zip(bits).for_each(|(&param, bits)| self.set(param, lane, bits));
        }
    }

    /// Runs a list whose `Yield` gives `results`; who yielded.
    fn list(&mut self, list: &[Statement], mut mask: Mask, results: &[Value]) -> Mask {
        let nobody = vec![false; self.lanes];
        for statement in list {
            if !any(&mask) {
                return nobody;
            }
            match statement {
                &Statement::Let(value) => self.compute(value, &mask),
                Statement::Store { place, value, .. } => {
                    for lane in (0..self.lanes).filter(|&lane| mask[lane]) {
                        let bits = self.get(*value, lane);
                        self.write(place, lane, bits);
                    }
                }
                Statement::Barrier { .. } => {}
                Statement::Call { function, .. } => self.call(*function, mask.clone()),
                Statement::If { condition, then, otherwise, results, .. } => {
                    let holds = |this: &Self, lane| this.get(*condition, lane) != 0;
                    let accept = (0..self.lanes).map(|lane| mask[lane] && holds(self, lane)).collect();
                    let reject = (0..self.lanes).map(|lane| mask[lane] && !holds(self, lane)).collect();
                    let accepted = self.list(then, accept, results);
                    let rejected = self.list(otherwise, reject, results);
                    mask = (0..self.lanes).map(|lane| accepted[lane] || rejected[lane]).collect();
                }
                Statement::Block { label, body, results } => {
                    self.open(*label, results.clone());
                    let yielded = self.list(body, mask, results);
                    let arrived = &self.arrived[label.0 as usize];
                    mask = (0..self.lanes).map(|lane| yielded[lane] || arrived[lane]).collect();
                }
                Statement::Loop { label, params, body, .. } => {
                    let names: Vec<Value> = params.iter().map(|&(param, _)| param).collect();
                    let starts: Vec<Value> = params.iter().map(|&(_, start)| start).collect();
                    self.pass(&names, &starts, &mask);
                    let mut round = mask;
                    while any(&round) {
                        self.open(*label, names.clone());
                        let yielded = self.list(body, round, &[]);
                        assert!(!any(&yielded), "a loop that yields");
                        round = self.arrived[label.0 as usize].clone();
                    }
                    return nobody;
                }
                Statement::Branch { label, arguments } => {
                    let params = self.targets[label.0 as usize].clone();
                    assert_eq!(params.len(), arguments.len());
                    self.pass(&params, arguments, &mask);
                    let arrived = &mut self.arrived[label.0 as usize];
                    (0..mask.len()).for_each(|lane| arrived[lane] |= mask[lane]);
                    return nobody;
                }
                Statement::Yield { arguments } => {
                    assert_eq!(results.len(), arguments.len());
                    self.pass(results, arguments, &mask);
                    return mask;
                }
                Statement::Return => return nobody,
            }
        }
        assert!(!any(&mask), "a list without an end");
        nobody
    }

    fn open(&mut self, label: Label, params: Vec<Value>) {
        self.arrived[label.0 as usize] = vec![false; self.lanes];
        self.targets[label.0 as usize] = params;
    }

    /// Which memory, and the byte in it.
    fn address(&self, place: &Place, lane: usize) -> Option<u64> {
        let bytes = match place.root {
            Root::Binding(n) => self.bindings[n as usize].len() as u64,
            Root::Variable(n) => u64::from(self.function.variables[n as usize].size),
        };
        let mut at = u64::from(place.offset);
        for index in &place.indices {
            let limit = match index.limit {
                Limit::Fixed(count) => u64::from(count),
                Limit::Runtime { offset } => bytes.saturating_sub(offset.into()) / u64::from(index.stride),
            };
            let value = self.get(index.value, lane);
            if value >= limit {
                return None;
            }
            at += value * u64::from(index.stride);
        }
        (at + u64::from(place.ty.size()) <= bytes).then_some(at)
    }

    fn memory(&mut self, root: Root, lane: usize) -> &mut [u8] {
        match root {
            Root::Binding(n) => &mut self.bindings[n as usize],
            Root::Variable(n) => {
                let copies = &mut self.variables[n as usize];
                let which = if copies.len() == 1 { 0 } else { lane };
                &mut copies[which]
            }
        }
    }

    fn read(&mut self, place: &Place, lane: usize) -> u64 {
        let Some(at) = self.address(place, lane) else { return 0 };
        let mut bytes = [0; 8];
        let size = place.ty.size() as usize;
        bytes[..size].copy_from_slice(&self.memory(place.root, lane)[at as usize..][..size]);
        u64::from_le_bytes(bytes)
    }

    fn write(&mut self, place: &Place, lane: usize, bits: u64) {
        let Some(at) = self.address(place, lane) else { return };
        let size = place.ty.size() as usize;
        self.memory(place.root, lane)[at as usize..][..size].copy_from_slice(&bits.to_le_bytes()[..size]);
    }

    fn compute(&mut self, value: Value, mask: &Mask) {
        let function = self.function;
        let definition = function.definition(value);
        let ty = definition.ty;
        match definition.op {
            Op::Ballot(..) | Op::Collective(..) | Op::Gather(..) => {
                self.subgroup(value, &definition.op, ty, mask)
            }
            ref op => {
                for lane in (0..self.lanes).filter(|&lane| mask[lane]) {
                    let bits = self.scalar(op, ty, lane);
                    self.set(value, lane, bits);
                }
            }
        }
    }

    fn scalar(&mut self, op: &Op, ty: Scalar, lane: usize) -> u64 {
        let function = self.function;
        let of = |this: &Self, value: Value| this.get(value, lane);
        match *op {
            Op::Constant(bits) => bits,
            Op::Parameter => unreachable!("a parameter in a `Let`"),
            Op::Builtin(builtin) => u64::from(self.builtin(builtin, lane)),
            Op::Unary(op, x) => a::unary(op, ty, of(self, x)).expect("an operation of that type"),
            Op::Binary(op, x, y) => {
                a::binary(op, ty, of(self, x), of(self, y)).expect("an operation of that type")
            }
            Op::Fma(x, y, z) => a::fma(ty, of(self, x), of(self, y), of(self, z)),
            Op::Compare(op, x, y) => a::compare(op, function.ty(x), of(self, x), of(self, y)).into(),
            Op::Select(c, x, y) => of(self, if of(self, c) != 0 { x } else { y }),
            Op::Convert(x) => a::convert(function.ty(x), ty, of(self, x)),
            Op::Bitcast(x) => of(self, x),
            Op::Quantize(x) => a::quantize(of(self, x)),
            Op::PackHalf(x, y) => a::pack_half(of(self, x), of(self, y)),
            Op::UnpackHalf(x, upper) => a::unpack_half(of(self, x), upper),
            Op::Math(op, x) => a::math(op, ty, of(self, x)),
            Op::Atan2(y, x) => a::atan2(ty, of(self, y), of(self, x)),
            Op::Pow(x, y) => a::pow(ty, of(self, x), of(self, y)),
            Op::Length { binding, offset, stride } => {
                let bytes = self.bindings[binding as usize].len() as u64;
                bytes.saturating_sub(offset.into()) / u64::from(stride)
            }
            Op::Load { ref place, .. } => self.read(place, lane),
            Op::Atomic(op, ref place, x) => {
                let (old, x) = (self.read(place, lane), of(self, x));
                let binary = |op| a::binary(op, ty, old, x).expect("an operation of that type");
                let new = match op {
                    Atomic::Add => binary(Binary::Add),
                    Atomic::Subtract => binary(Binary::Subtract),
                    Atomic::And => binary(Binary::And),
                    Atomic::Or => binary(Binary::Or),
                    Atomic::Xor => binary(Binary::Xor),
                    Atomic::Min => binary(Binary::Min),
                    Atomic::Max => binary(Binary::Max),
                    Atomic::Exchange => x,
                };
                self.write(place, lane, new);
                old
            }
            Op::CompareExchange(ref place, expected, new) => {
                let old = self.read(place, lane);
                if old == of(self, expected) {
                    let new = of(self, new);
                    self.write(place, lane, new);
                }
                old
            }
            Op::Ballot(..) | Op::Collective(..) | Op::Gather(..) => unreachable!("an operation of lanes"),
        }
    }

    fn builtin(&self, builtin: Builtin, lane: usize) -> u32 {
        let size = self.launch.subgroup_size;
        match builtin {
            Builtin::GlobalId(axis) => self.global_id(lane)[usize::from(axis)],
            Builtin::LocalId(axis) => self.local_id(lane)[usize::from(axis)],
            Builtin::WorkgroupId(axis) => self.workgroup[usize::from(axis)],
            Builtin::NumWorkgroups(axis) => self.launch.workgroups[usize::from(axis)],
            Builtin::LocalIndex => lane as u32,
            Builtin::SubgroupSize => size,
            Builtin::NumSubgroups => (self.lanes as u32).div_ceil(size),
            Builtin::SubgroupId => lane as u32 / size,
            Builtin::SubgroupInvocationId => lane as u32 % size,
        }
    }

    /// Operations that look at the active lanes of a subgroup.
    fn subgroup(&mut self, value: Value, op: &Op, ty: Scalar, mask: &Mask) {
        let size = self.launch.subgroup_size as usize;
        for start in (0..self.lanes).step_by(size) {
            let end = self.lanes.min(start + size);
            let active: Vec<usize> = (start..end).filter(|&lane| mask[lane]).collect();
            for &lane in &active {
                let bits = match *op {
                    Op::Ballot(x, word) => active
                        .iter()
                        .filter(|&&other| {
                            self.get(x, other) != 0 && (other - start) / 32 == usize::from(word)
                        })
                        .fold(0, |bits, &other| bits | 1u64 << ((other - start) % 32)),
                    Op::Collective(op, scan, x) => {
                        let part = active.iter().copied().filter(|&other| match scan {
                            Scan::Reduce => true,
                            Scan::Inclusive => other <= lane,
                            Scan::Exclusive => other < lane,
                        });
                        let bits: Vec<u64> = part.map(|other| self.get(x, other)).collect();
                        collect(op, ty, &bits)
                    }
                    Op::Gather(source, x, index) => {
                        let index = index.map_or(0, |index| self.get(index, lane) as usize);
                        let place = lane - start;
                        let from = match source {
                            Lane::BroadcastFirst => Some(active[0] - start),
                            Lane::Broadcast | Lane::Shuffle => Some(index),
                            Lane::ShuffleDown => place.checked_add(index),
                            Lane::ShuffleUp => place.checked_sub(index),
                            Lane::ShuffleXor => Some(place ^ index),
                            Lane::QuadBroadcast => (index < 4).then_some((place & !3) + index),
                            Lane::QuadSwapX => Some(place ^ 1),
                            Lane::QuadSwapY => Some(place ^ 2),
                            Lane::QuadSwapDiagonal => Some(place ^ 3),
                        };
                        let from = from.map_or(end, |place| place.saturating_add(start));
                        if from < end && mask[from] { self.get(x, from) } else { 0 }
                    }
                    _ => unreachable!("an operation of one lane"),
                };
                self.set(value, lane, bits);
            }
        }
    }
}

fn collect(op: Collective, ty: Scalar, bits: &[u64]) -> u64 {
    let (binary, identity) = match op {
        Collective::All => (Binary::And, 1),
        Collective::Any => (Binary::Or, 0),
        Collective::Add => (Binary::Add, 0),
        Collective::Multiply => (Binary::Multiply, a::convert(Scalar::U32, ty, 1)),
        Collective::And => (Binary::And, a::ones(ty)),
        Collective::Or => (Binary::Or, 0),
        Collective::Xor => (Binary::Xor, 0),
        Collective::Min | Collective::Max => {
            let op = if op == Collective::Min { Binary::Min } else { Binary::Max };
            let extreme = if a::is_float(ty) {
                a::float(ty, if op == Binary::Min { f64::INFINITY } else { f64::NEG_INFINITY })
            } else {
                // The one that loses against every other.
                let all = [0, 1 << (ty.size() * 8 - 1), a::ones(ty), a::ones(ty) >> 1];
                let loses = |&x: &u64| {
                    all.iter().all(|&y| {
                        let order =
                            if op == Binary::Min { Compare::GreaterEqual } else { Compare::LessEqual };
                        a::compare(order, ty, x, y)
                    })
                };
                all.into_iter().find(loses).expect("one is the last")
            };
            (op, extreme)
        }
    };
    bits.iter().fold(identity, |all, &x| a::binary(binary, ty, all, x).expect("an operation of that type"))
}
