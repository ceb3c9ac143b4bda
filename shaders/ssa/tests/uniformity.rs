//! Shapes of values in small kernels, made by hand statement by statement.

use warpweft_module::Scalar::{self, Bool, F32, U32};
use warpweft_ssa::ir::*;
use warpweft_ssa::uniformity::{Ganging, Shape, Uniformity};

/// Puts a function together.
struct Kernel(Function);

impl Kernel {
    fn new(workgroup_size: [u32; 3]) -> Self {
        let binding = |name: &str, uniform, written| Binding {
            name: name.into(),
            uniform,
            read: true,
            written,
            min_size: 4,
        };
        Kernel(Function {
            name: "main".into(),
            workgroup_size,
            bindings: vec![
                binding("settings", true, false),
                binding("constant", false, false),
                binding("changing", false, true),
            ],
            variables: vec![Variable { name: "own".into(), workgroup: false, size: 64, shared: false }],
            values: Vec::new(),
            labels: 2,
            locations: Vec::new(),
            body: Vec::new(),
            functions: Vec::new(),
        })
    }

    fn value(&mut self, ty: Scalar, op: Op) -> Value {
        self.0.values.push(Definition { ty, op, mark: Mark(0) });
        Value(self.0.values.len() as u32 - 1)
    }

    /// Defines a value at the end of the body.
    fn push(&mut self, ty: Scalar, op: Op) -> Value {
        let value = self.value(ty, op);
        self.0.body.push(Statement::Let(value));
        value
    }

    fn number(&mut self, number: u32) -> Value {
        self.push(U32, Op::Constant(number.into()))
    }

    fn builtin(&mut self, builtin: Builtin) -> Value {
        self.push(U32, Op::Builtin(builtin))
    }

    fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        self.push(U32, Op::Binary(op, a, b))
    }

    fn compare(&mut self, op: Compare, a: Value, b: Value) -> Value {
        self.push(Bool, Op::Compare(op, a, b))
    }

    fn load(&mut self, binding: u32, index: Option<Value>) -> Value {
        self.push(
            U32,
            Op::Load { place: place(Root::Binding(binding), index), atomic: false, uniform: false },
        )
    }

    fn end(mut self) -> Function {
        self.0.body.push(Statement::Yield { arguments: vec![] });
        self.0
    }
}

fn place(root: Root, index: Option<Value>) -> Place {
    let indices = index.map(|value| Index { value, stride: 4, limit: Limit::Runtime { offset: 0 } });
    Place { root, offset: 0, indices: indices.into_iter().collect(), ty: U32 }
}

const ALIGNED: Ganging = Ganging::Rows { lanes: 16, aligned: true };
const UNALIGNED: Ganging = Ganging::Rows { lanes: 16, aligned: false };
const WORKGROUP: Ganging = Ganging::Workgroup { lanes: 16 };

#[test]
fn builtins_follow_the_gangs() {
    let shapes = |size, ganging| {
        let mut k = Kernel::new(size);
        let values = [
            Builtin::GlobalId(0),
            Builtin::GlobalId(1),
            Builtin::LocalId(0),
            Builtin::LocalId(1),
            Builtin::WorkgroupId(0),
            Builtin::LocalIndex,
            Builtin::NumWorkgroups(0),
        ]
        .map(|builtin| k.builtin(builtin));
        let k = k.end();
        let u = Uniformity::new(&k, ganging);
        values.map(|value| u.shape(value))
    };
    use Shape::*;
    let lane = Affine(1);
    assert_eq!(shapes([64, 1, 1], ALIGNED), [lane, Gang, lane, Launch, Gang, lane, Launch]);
    assert_eq!(shapes([16, 4, 1], ALIGNED), [lane, Gang, lane, Gang, Gang, lane, Launch]);
    assert_eq!(shapes([20, 4, 1], UNALIGNED), [lane, Gang, Varying, Gang, Varying, Varying, Launch]);
    assert_eq!(shapes([1, 1, 1], UNALIGNED), [lane, Gang, Launch, Launch, lane, Launch, Launch]);
    assert_eq!(shapes([20, 1, 1], WORKGROUP), [lane, Workgroup, lane, Launch, Workgroup, lane, Launch]);
    assert_eq!(shapes([32, 8, 1], WORKGROUP), [lane, Gang, lane, Gang, Workgroup, lane, Launch]);
    assert_eq!(shapes([8, 8, 1], WORKGROUP), [Varying, Varying, Varying, Varying, Workgroup, lane, Launch]);
    assert_eq!(shapes([1, 64, 1], WORKGROUP), [Workgroup, lane, Launch, lane, Workgroup, lane, Launch]);
    let one = Ganging::Workgroup { lanes: 1 };
    assert_eq!(shapes([8, 8, 1], one), [Gang, Gang, Gang, Gang, Workgroup, Gang, Launch]);
}

#[test]
fn arithmetic_keeps_what_is_affine() {
    let mut k = Kernel::new([64, 1, 1]);
    let i = k.builtin(Builtin::GlobalId(0));
    let n = k.load(0, None);
    let [two, sixteen, fifteen, hundred] = [2, 16, 15, 100].map(|number| k.number(number));
    let row = k.binary(Binary::Multiply, n, hundred);
    let cases = [
        (k.binary(Binary::Add, row, i), Shape::Affine(1)),
        (k.binary(Binary::Subtract, n, i), Shape::Affine(-1)),
        (k.binary(Binary::Multiply, i, hundred), Shape::Affine(100)),
        (k.binary(Binary::Multiply, i, n), Shape::Varying),
        (k.binary(Binary::Multiply, i, i), Shape::Varying),
        (k.binary(Binary::ShiftLeft, i, two), Shape::Affine(4)),
        (k.binary(Binary::Subtract, i, i), Shape::Gang),
        (k.binary(Binary::Divide, i, sixteen), Shape::Gang),
        (k.binary(Binary::Modulo, i, sixteen), Shape::Affine(1)),
        (k.binary(Binary::And, i, fifteen), Shape::Affine(1)),
        (k.binary(Binary::Divide, i, hundred), Shape::Varying),
        (k.binary(Binary::Divide, n, hundred), Shape::Launch),
        (k.compare(Compare::Less, i, n), Shape::Varying),
        (k.compare(Compare::Less, i, sixteen), Shape::Gang),
        (k.compare(Compare::Less, i, hundred), Shape::Varying),
        (k.compare(Compare::Greater, n, hundred), Shape::Launch),
        (k.load(1, Some(n)), Shape::Launch),
        (k.load(1, Some(i)), Shape::Varying),
        (k.load(2, Some(n)), Shape::Gang),
    ];
    let k = k.end();
    let u = Uniformity::new(&k, ALIGNED);
    for (value, shape) in cases {
        assert_eq!(u.shape(value), shape, "{value:?} = {:?}", k.definition(value).op);
    }
    let unaligned = Uniformity::new(&k, UNALIGNED);
    for case in [7, 8, 9, 13] {
        assert_eq!(unaligned.shape(cases[case].0), Shape::Varying, "{:?}", k.definition(cases[case].0).op);
    }
}

/// `block { loop (n = 0) { if (done) { leave with n } next n + 1 } }`: the n inside, and the n that leaves.
fn counting(done: impl Fn(&mut Kernel, Value) -> Value) -> (Function, Value, Value) {
    let mut k = Kernel::new([64, 1, 1]);
    let zero = k.number(0);
    let one = k.number(1);
    let n = k.value(U32, Op::Parameter);
    let left = k.value(U32, Op::Parameter);
    let outside = std::mem::take(&mut k.0.body);
    let condition = done(&mut k, n);
    let mark = Mark(0);
    k.0.body.push(Statement::If {
        condition,
        then: vec![Statement::Branch { label: Label(0), arguments: vec![n] }],
        otherwise: vec![Statement::Yield { arguments: vec![] }],
        results: vec![],
        mark,
    });
    let next = k.binary(Binary::Add, n, one);
    k.0.body.push(Statement::Branch { label: Label(1), arguments: vec![next] });
    let body = std::mem::replace(&mut k.0.body, outside);
    let body = vec![Statement::Loop { label: Label(1), params: vec![(n, zero)], body, mark }];
    k.0.body.push(Statement::Block { label: Label(0), body, results: vec![left] });
    (k.end(), n, left)
}

#[test]
fn counters_are_uniform_though_lanes_leave_and_what_leaves_is_not() {
    let (k, n, left) = counting(|k, n| {
        let i = k.builtin(Builtin::GlobalId(0));
        k.compare(Compare::GreaterEqual, n, i)
    });
    let u = Uniformity::new(&k, ALIGNED);
    assert_eq!((u.shape(n), u.shape(left)), (Shape::Gang, Shape::Varying));
    assert!(u.divergent_label(Label(0)) && u.divergent_label(Label(1)));
}

#[test]
fn counters_of_loops_that_everyone_leaves_together_are_the_launch_s() {
    let (k, n, left) = counting(|k, n| {
        let limit = k.load(0, None);
        k.compare(Compare::GreaterEqual, n, limit)
    });
    let u = Uniformity::new(&k, WORKGROUP);
    assert_eq!((u.shape(n), u.shape(left)), (Shape::Launch, Shape::Launch));
    assert!(!u.divergent_label(Label(0)) && !u.divergent_label(Label(1)));
}

#[test]
fn counters_of_loops_that_gangs_leave_alone_are_the_gang_s() {
    let (k, n, left) = counting(|k, n| {
        let limit = k.load(2, None);
        k.compare(Compare::GreaterEqual, n, limit)
    });
    let u = Uniformity::new(&k, WORKGROUP);
    assert_eq!((u.shape(n), u.shape(left)), (Shape::Gang, Shape::Gang));
    assert!(!u.uniform_at_workgroup(n));
}

/// `if (condition) { a } else { b }` with `condition` from the id or from a setting.
#[test]
fn results_are_as_uniform_as_the_choice_unless_they_are_the_same_value() {
    let mut k = Kernel::new([64, 1, 1]);
    let i = k.builtin(Builtin::GlobalId(0));
    let [one, two] = [1, 2].map(|number| k.number(number));
    let setting = k.load(0, None);
    let varying = k.compare(Compare::Less, i, setting);
    let uniform = k.compare(Compare::Less, one, setting);
    let shifted = k.binary(Binary::Add, i, one);
    let mut results = Vec::new();
    for (condition, a, b, shape) in [
        (varying, one, two, Shape::Varying),
        (uniform, one, two, Shape::Launch),
        (varying, one, one, Shape::Launch),
        (uniform, i, shifted, Shape::Affine(1)),
        (varying, i, shifted, Shape::Varying),
        (uniform, i, one, Shape::Varying),
    ] {
        let result = k.value(U32, Op::Parameter);
        k.0.body.push(Statement::If {
            condition,
            then: vec![Statement::Yield { arguments: vec![a] }],
            otherwise: vec![Statement::Yield { arguments: vec![b] }],
            results: vec![result],
            mark: Mark(0),
        });
        let selected = k.push(U32, Op::Select(condition, a, b));
        results.push((result, shape));
        results.push((selected, shape));
    }
    let k = k.end();
    let u = Uniformity::new(&k, ALIGNED);
    for (value, shape) in results {
        assert_eq!(u.shape(value), shape, "{value:?}");
    }
}

#[test]
fn lanes_that_returned_are_nobody_s_concern() {
    let mut k = Kernel::new([64, 1, 1]);
    let i = k.builtin(Builtin::GlobalId(0));
    let limit = k.load(0, None);
    let beyond = k.compare(Compare::GreaterEqual, i, limit);
    k.0.body.push(Statement::If {
        condition: beyond,
        then: vec![Statement::Return],
        otherwise: vec![Statement::Yield { arguments: vec![] }],
        results: vec![],
        mark: Mark(0),
    });
    let zero = k.number(0);
    k.0.body.push(Statement::Store {
        place: place(Root::Variable(0), Some(zero)),
        value: limit,
        atomic: false,
        mark: Mark(0),
    });
    let own =
        k.push(U32, Op::Load { place: place(Root::Variable(0), Some(zero)), atomic: false, uniform: false });
    let k = k.end();
    let u = Uniformity::new(&k, ALIGNED);
    assert_eq!(u.shape(own), Shape::Gang);
    assert!(u.uniform_variable(0));
}

#[test]
fn private_arrays_vary_once_lanes_write_apart() {
    for (apart, shape) in [(false, Shape::Gang), (true, Shape::Varying)] {
        let mut k = Kernel::new([64, 1, 1]);
        let i = k.builtin(Builtin::GlobalId(0));
        let limit = k.load(0, None);
        let beyond = k.compare(Compare::GreaterEqual, if apart { i } else { limit }, limit);
        let store = Statement::Store {
            place: place(Root::Variable(0), Some(limit)),
            value: limit,
            atomic: false,
            mark: Mark(0),
        };
        k.0.body.push(Statement::If {
            condition: beyond,
            then: vec![store, Statement::Yield { arguments: vec![] }],
            otherwise: vec![Statement::Yield { arguments: vec![] }],
            results: vec![],
            mark: Mark(0),
        });
        let place = place(Root::Variable(0), Some(limit));
        let own = k.push(U32, Op::Load { place, atomic: false, uniform: false });
        let k = k.end();
        assert_eq!(Uniformity::new(&k, ALIGNED).shape(own), shape);
    }
}

#[test]
fn floats_have_no_steps() {
    let mut k = Kernel::new([64, 1, 1]);
    let i = k.builtin(Builtin::GlobalId(0));
    let x = k.push(F32, Op::Convert(i));
    let k = k.end();
    assert_eq!(Uniformity::new(&k, ALIGNED).shape(x), Shape::Varying);
}
