//! Functions of `F64` against numbers of 128 bits: special values, and samples all over the format, through the
//! evaluator; before and after the passes.

#![allow(clippy::approx_constant, clippy::excessive_precision)] // Numbers near constants are what is tested.

mod support;

use astro_float::{BigFloat, Consts, RoundingMode};
use support::*;
use warpweft_vector::ir::Kind;

const BITS: usize = 128;
const NEAREST: RoundingMode = RoundingMode::ToEven;

fn specials() -> Vec<f64> {
    let numbers = [
        0.0,
        1.0,
        0.5,
        2.0,
        3.0,
        0.25,
        1e-300,
        5e-324,
        1e-310,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
        1e-20,
        1e-8,
        1e20,
        1e100,
        1e300,
        0.1,
        10.0,
        1.5,
        2.5,
        9007199254740993.0,
        4503599627370495.5,
        0.9999999999999999,
        1.0000000000000002,
        709.782712893384,
        709.7827128933841,
        710.4758600739439,
        745.1332191019411,
        745.13321910195,
        1023.9999999999999,
        1024.0,
        1022.0,
        1074.0,
        1075.0,
        1075.5,
        0.34657359027997264,
        0.7071067811865475,
        1.414213562373095,
        1.4142135623730951,
        0.41421356237309503,
        2.414213562373095,
        40.0,
        22.0,
        1.5707963267948966,
        3.141592653589793,
        4.71238898038469,
        6.283185307179586,
        0.7853981633974483,
        1073741824.0,
        1073741825.0,
        6381956970095103.0 * 2f64.powi(797),
        5e5,
        1e9,
        1e15,
        33.0,
        20.0,
        1e-5,
        0.999,
        1e154,
        1e155,
        2f64.powi(500),
    ];
    numbers.iter().flat_map(|&x| [x, -x]).collect()
}

/// The function in many digits, where its `f64` sibling says that the result is an ordinary number.
fn precise(name: &str, x: f64, y: f64, about: f64, constants: &mut Consts) -> BigFloat {
    let (a, b) = (big(x), big(y));
    let one = BigFloat::from_f64(1.0, BITS);
    match name {
        "exp" => a.exp(BITS, NEAREST, constants),
        "exp2" => BigFloat::from_f64(2.0, BITS).pow(&a, BITS, NEAREST, constants),
        "log" => a.ln(BITS, NEAREST, constants),
        "log2" => a.log2(BITS, NEAREST, constants),
        "sin" => a.sin(BITS, NEAREST, constants),
        "cos" => a.cos(BITS, NEAREST, constants),
        "tan" => a.tan(BITS, NEAREST, constants),
        "asin" => a.asin(BITS, NEAREST, constants),
        "acos" => a.acos(BITS, NEAREST, constants),
        "atan" => a.atan(BITS, NEAREST, constants),
        "sinh" => a.sinh(BITS, NEAREST, constants),
        "cosh" => a.cosh(BITS, NEAREST, constants),
        "tanh" => a.tanh(BITS, NEAREST, constants),
        "asinh" => a.asinh(BITS, NEAREST, constants),
        "acosh" => a.acosh(BITS, NEAREST, constants),
        "atanh" => a.atanh(BITS, NEAREST, constants),
        "inverse_sqrt" | "inverse_sqrt, strict" => one.div(&a.sqrt(BITS, NEAREST), BITS, NEAREST),
        "divide" => a.div(&b, BITS, NEAREST),
        "pow" => {
            let size = a.abs().pow(&b, BITS, NEAREST, constants);
            if about < 0.0 { size.neg() } else { size }
        }
        "atan2" => {
            // Here the first operand is the ordinate.
            let angle = a.div(&b, BITS, NEAREST).atan(BITS, NEAREST, constants);
            let pi = constants.pi(BITS, NEAREST);
            match (y < 0.0, x.is_sign_negative()) {
                (false, _) => angle,
                (true, false) => angle.add(&pi, BITS, NEAREST),
                (true, true) => angle.sub(&pi, BITS, NEAREST),
            }
        }
        _ => panic!("no oracle for {name}"),
    }
}

/// The error in units of the last place.
fn error(case: &Case, x: f64, y: f64, got: f64, constants: &mut Consts) -> f64 {
    let about = (case.exact)(x, y);
    if about.is_nan() || got.is_nan() {
        return if about.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let ordinary = |x: f64| x != 0.0 && x.is_finite();
    if !ordinary(about) || !ordinary(x) || !ordinary(y) {
        // Zeros, poles, overflow: as the standard library has it, but for the last place.
        return if got == about && got.is_sign_negative() == about.is_sign_negative() {
            0.0
        } else {
            (got.to_bits() as i64).wrapping_sub(about.to_bits() as i64).unsigned_abs() as f64
        };
    }
    if got.is_infinite() {
        return if about.abs() == f64::MAX && (got < 0.0) == (about < 0.0) { 1.0 } else { f64::INFINITY };
    }
    let exact = precise(case.name, x, y, about, constants);
    let exponent = ((about.to_bits() >> 52 & 0x7ff) as i32 - 1023).max(-1022);
    // In units of 2^(exponent - 52), in two steps, since that may be no normal number.
    let unit = exponent - 52;
    let (half, rest) = (2f64.powi(-(unit / 2)), 2f64.powi(-(unit - unit / 2)));
    let difference = big(got).sub(&exact, BITS, NEAREST);
    let scaled = difference.mul(&big(half), BITS, NEAREST).mul(&big(rest), BITS, NEAREST);
    scaled.to_string().parse::<f64>().unwrap_or(f64::NAN).abs()
}

/// The same number, denormal ones included.
fn big(x: f64) -> BigFloat {
    if x.is_normal() {
        return BigFloat::from_f64(x, BITS);
    }
    let scale = 2f64.powi(200);
    BigFloat::from_f64(x * scale, BITS).div(&BigFloat::from_f64(scale, BITS), BITS, NEAREST)
}

#[test]
fn errors_stay_below_their_limits() {
    let mut constants = Consts::new().expect("memory");
    let specials = specials();
    let mut dice = Random(0xfeed_5678_9abc_def1);
    println!("{:24} {:>10}", "function", "ULP");
    for case in CASES {
        let mut pairs: Vec<(f64, f64)> = vec![];
        if case.operands == 1 {
            pairs.extend(specials.iter().map(|&x| (x, 1.0)));
        } else {
            let few = &specials[..specials.len() / 2];
            let all = few.iter().flat_map(|&x| few.iter().map(move |&y| (x, y))).enumerate();
            // Of ordinary numbers some: the oracle is slow.
            let usual = |x: f64| x.is_normal() && x != 1.0;
            pairs.extend(
                all.filter(|&(i, (x, y))| !usual(x) || !usual(y) || i % 23 == 0).map(|(_, pair)| pair),
            );
        }
        for i in 0..320 {
            let number = |bits: u64| {
                f64::from_bits(
                    0x3f50_0000_0000_0000 + (bits >> 1) % 0x0150_0000_0000_0000 + (bits & 1) * (1 << 63),
                )
            };
            let (x, y) = (dice.next(), dice.next());
            // A few from anywhere.
            let x = if i % 8 == 0 { f64::from_bits(x) } else { number(x) };
            pairs.push((x, if case.operands == 1 { 1.0 } else { number(y) }));
        }
        while !pairs.len().is_multiple_of(64) {
            pairs.push((1.0, 1.0));
        }
        let functions = forms(program(Kind::F64, 64, case.build));
        let x: Vec<u64> = pairs.iter().map(|(x, _)| x.to_bits()).collect();
        let y: Vec<u64> = pairs.iter().map(|(_, y)| y.to_bits()).collect();
        let mut worst = (0.0, 0.0, 0.0, 0.0);
        for function in &functions {
            for (got, &(x, y)) in evaluate(function, Kind::F64, &x, &y).into_iter().zip(&pairs) {
                let got = f64::from_bits(got);
                let error = error(case, x, y, got, &mut constants);
                if error > worst.0 || error.is_nan() {
                    worst = (error, x, y, got);
                }
            }
        }
        let (error, x, y, got) = worst;
        let expected = (case.exact)(x, y);
        println!("{:24} {error:10.3} of {x:?}, {y:?}: {got:?}, not {expected:?}", case.name);
        assert!(
            error <= case.limits[1],
            "{}({x:?}, {y:?}) = {got:?}, not {expected:?}: {error} ULP",
            case.name
        );
    }
}
