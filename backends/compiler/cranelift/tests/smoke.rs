//! A loop over a buffer, run.

use warpweft_executable::Executable;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

#[test]
fn y_becomes_a_x_plus_y() {
    for lanes in [1, 2, 4, 8, 16] {
        let mut b = Builder::new("saxpy", lanes);
        let (x, y, count) = (b.param(Kind::I64), b.param(Kind::I64), b.param(Kind::I64));
        let (sx, sy) = (b.space("x", true), b.space("y", false));
        let zero = b.i64(0);
        let a = b.constant(b.vector(Kind::F32), 2.0f32.to_bits().into());
        let step = b.i64(lanes.into());
        let (outer, round) = (b.label(), b.label());
        let index = b.value(Type::scalar(Kind::I64));
        b.open();
        b.open();
        let more = b.lt_s(index, count);
        b.open();
        let access = |base, space| Access {
            base,
            index: Some(index),
            scale: 4,
            offset: 0,
            space,
            width: Width::Full,
            always: false,
        };
        let ty = b.vector(Kind::F32);
        let xs = b.define(ty, Op::Load(access(x, sx)));
        let ys = b.define(ty, Op::Load(access(y, sy)));
        let sum = b.fma(a, xs, ys);
        b.act(Effect::Store(access(y, sy), sum));
        let next = b.add(index, step);
        b.branch(round, &[next]);
        let then = b.close();
        b.open();
        b.branch(outer, &[]);
        let otherwise = b.close();
        b.push(Inst::If { condition: more, then, otherwise, results: vec![], hint: Hint::None });
        let body = b.close();
        b.push(Inst::Loop { label: round, params: vec![(index, zero)], body });
        let body = b.close();
        b.push(Inst::Block { label: outer, body, results: vec![] });
        b.yields(&[]);
        let function = b.finish();

        let code = warpweft_cranelift::compile(&function).unwrap();
        let code = Executable::new(&code.bytes).unwrap();
        // SAFETY: compiled from a function of three 64-bit parameters.
        let call: extern "sysv64" fn(*const f32, *mut f32, i64) =
            unsafe { std::mem::transmute(code.address()) };
        let x: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let mut y = vec![1.0f32; 64];
        call(x.as_ptr(), y.as_mut_ptr(), 64);
        let expected: Vec<f32> = (0..64).map(|i| 2.0 * i as f32 + 1.0).collect();
        assert_eq!(y, expected);
    }
}
