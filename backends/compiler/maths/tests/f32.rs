//! Functions of `F32` against `f64` ones: special values, and samples all over the format, through the evaluator;
//! before and after the passes.

#![allow(clippy::approx_constant, clippy::excessive_precision)] // Numbers near constants are what is tested.

mod support;

use support::*;
use warpweft_vector::ir::Kind;

fn specials() -> Vec<f32> {
    let mut numbers = vec![
        0.0,
        1.0,
        0.5,
        2.0,
        3.0,
        4.0,
        0.25,
        1e-45,
        1e-40,
        1.1754942e-38,
        f32::MIN_POSITIVE,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
        1e-20,
        1e20,
        0.1,
        10.0,
        1.5,
        2.5,
        16777216.0,
        16777217.0,
        8388607.0,
        1.0000001,
        0.99999994,
    ];
    // Where results become infinite, denormal or zero, where formulas change, and where angles are near multiples.
    numbers.extend([
        88.72283, 88.722839, 87.33654, 103.97207, 103.97208, 104.0, 89.4159851, 89.415987, 127.99999,
    ]);
    numbers.extend([
        128.0, 126.0, 149.0, 149.5, 150.0, 151.0, 0.625, 0.34657359, 0.34657363, 1.0397207, 9.0109, 20.0,
    ]);
    numbers.extend([
        0.70710677,
        0.70710683,
        1.4142135,
        1.4142137,
        0.41421357,
        2.4142137,
        0.00024414062,
        131072.0,
    ]);
    numbers.extend([
        131072.02, 1.5707964, 3.1415927, 4.712389, 6.2831855, 0.7853982, 2.3561945, 25735.926, 102943.7,
    ]);
    numbers.extend([
        16367173.0 * 2f32.powi(72),
        1.7014118e38,
        5.0e5,
        1e6,
        1e9,
        1e15,
        33554432.0,
        3.4e37,
        710.0,
    ]);
    numbers.iter().flat_map(|&x| [x, -x]).collect()
}

#[test]
fn errors_stay_below_their_limits() {
    let specials = specials();
    let mut dice = Random(0x1234_5678_9abc_def1);
    println!("{:24} {:>10}", "function", "ULP");
    for case in CASES {
        let mut pairs: Vec<(f32, f32)> = vec![];
        if case.operands == 1 {
            pairs.extend(specials.iter().map(|&x| (x, 0.0)));
            pairs.extend((0..20_000u32).map(|i| (f32::from_bits(i.wrapping_mul(214_748)), 0.0)));
        } else {
            pairs.extend(specials.iter().flat_map(|&x| specials.iter().map(move |&y| (x, y))));
        }
        for _ in 0..20_000 {
            let bits = dice.next();
            let number = |bits: u32| f32::from_bits(0x3a00_0000 + bits % 0x0a00_0000 + (bits & 1 << 31));
            pairs.push((number(bits as u32), number((bits >> 32) as u32)));
        }
        while !pairs.len().is_multiple_of(64) {
            pairs.push((1.0, 1.0));
        }
        let functions = forms(program(Kind::F32, 64, case.build));
        let x: Vec<u64> = pairs.iter().map(|(x, _)| x.to_bits().into()).collect();
        let y: Vec<u64> = pairs.iter().map(|(_, y)| y.to_bits().into()).collect();
        let mut worst = (0.0, 0.0, 0.0, 0.0, 0.0);
        for function in &functions {
            for (got, &(x, y)) in evaluate(function, Kind::F32, &x, &y).into_iter().zip(&pairs) {
                let exact = (case.exact)(x.into(), y.into());
                let got = f32::from_bits(got as u32);
                let error = error_32(got, exact);
                if error > worst.0 {
                    worst = (error, x, y, got, exact as f32);
                }
            }
        }
        let (error, x, y, got, exact) = worst;
        println!("{:24} {error:10.3}  of {x:?}, {y:?}: {got:?}, not {exact:?}", case.name);
        assert!(error <= case.limits[0], "{}({x:?}, {y:?}) = {got:?}, not {exact:?}: {error} ULP", case.name);
    }
}

/// Every width gives the same bits, scalars included.
#[test]
fn widths_agree() {
    let mut dice = Random(77);
    let numbers: Vec<u64> = (0..256).map(|_| dice.next() & 0xffff_ffff).collect();
    let others: Vec<u64> = (0..256).map(|_| dice.next() & 0xffff_ffff).collect();
    for case in CASES {
        let wide = evaluate(&program(Kind::F32, 64, case.build), Kind::F32, &numbers, &others);
        for lanes in [1, 4] {
            let narrow = evaluate(&program(Kind::F32, lanes, case.build), Kind::F32, &numbers, &others);
            for (narrow, wide) in narrow.into_iter().zip(&wide) {
                let both_nan =
                    f32::from_bits(narrow as u32).is_nan() && f32::from_bits(*wide as u32).is_nan();
                assert!(narrow == *wide || both_nan, "{}: {narrow:x}, {wide:x}", case.name);
            }
        }
    }
}
