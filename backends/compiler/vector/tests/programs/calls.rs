//! A program of three functions for tests of code generators: one that calls the two others with many values alive, one
//! that calls in a loop, and one that calls nothing.
//!
//! Knows no generator; those mount this file.

use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// The first takes the addresses of `x` and `y` and how many rounds the second makes; calls know the others as 0 and 1.
/// At `x` lie at least 20 vectors of `i32`, and no fewer than 160 bytes; at `y` 3 of those vectors and 8 bytes.
pub(crate) fn functions(lanes: u16) -> [Function; 3] {
    [caller(lanes), doubling(lanes), stepping(lanes)]
}

fn parse(text: &str) -> Function {
    Function::parse(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

/// Sums with many values of every kind alive over a call.
fn caller(lanes: u16) -> Function {
    let mut b = Builder::new("caller", lanes);
    let [x, y, count] = [0; 3].map(|_| b.param(Kind::I64));
    let [of_x, of_y] = ["x", "y"].map(|name| b.space(name, false));
    let at = |base, offset, space| Access {
        base,
        index: None,
        scale: 1,
        offset,
        space,
        width: Width::Full,
        always: false,
    };
    let ty = b.vector(Kind::I32);
    let wide = b.vector(Kind::F64);
    let size = i32::from(lanes) * 4;
    let vectors: Vec<Value> = (0..20).map(|n| b.define(ty, Op::Load(at(x, n * size, of_x)))).collect();
    let floats: Vec<Value> =
        vectors[..6].iter().map(|&v| b.convert(Convert::FromSigned, v, Kind::F64)).collect();
    let masks: Vec<Value> = vectors.windows(2).map(|pair| b.lt_s(pair[0], pair[1])).collect();
    let scalars: Vec<Value> =
        (0..20).map(|n| b.define(Type::scalar(Kind::I64), Op::Load(at(x, 8 * n, of_x)))).collect();
    b.act(Effect::Call(0, Box::new([x, y, count])));
    let mut sum = b.define(ty, Op::Load(at(x, 0, of_x)));
    for (&vector, &mask) in vectors.iter().zip(&masks) {
        let more = b.add(sum, vector);
        sum = b.select(mask, more, sum);
    }
    b.act(Effect::Call(1, Box::new([x])));
    let mut total = b.define(wide, Op::Load(at(x, 0, of_x)));
    total = b.convert(Convert::Bitcast, total, Kind::I64);
    for &float in &floats {
        let bits = b.convert(Convert::Bitcast, float, Kind::I64);
        total = b.binary(Binary::Xor, total, bits);
    }
    let mut number = count;
    for &scalar in &scalars {
        number = b.add(number, scalar);
    }
    b.act(Effect::Store(at(y, 0, of_y), sum));
    b.act(Effect::Store(at(y, size, of_y), total));
    b.act(Effect::Store(at(y, 3 * size, of_y), number));
    b.yields(&[]);
    b.finish()
}

/// Doubles words, as many as it is told, calling the other function each time.
fn doubling(lanes: u16) -> Function {
    let vector = if lanes == 1 { "i32".into() } else { format!("i32x{lanes}") };
    parse(&format!(
        "function doubling(%0: i64, %1: i64, %2: i64) lanes {lanes} {{
            space x
            space y
            %3: i64 = 0
            %4: i64 = 1
            block L0 {{
                loop L1 (%5: i64 = %3) {{
                    %6: {vector} = load x[%0 + %5 * 4]
                    call 1 (%0)
                    %7: {vector} = add %6, %6
                    store x[%0 + %5 * 4] = %7
                    %8: i64 = add %5, %4
                    %9: bool = lt_u %8, %2
                    if %9 {{
                        branch L1 (%8)
                    }} else {{
                        branch L0
                    }}
                }}
            }}
            yield
        }}"
    ))
}

fn stepping(lanes: u16) -> Function {
    parse(&format!(
        "function stepping(%0: i64) lanes {lanes} {{
            space x
            space y
            %1: i64 = load x[%0 + 16]
            %2: i64 = 5
            %3: i64 = add %1, %2
            store x[%0 + 16] = %3
            yield
        }}"
    ))
}
