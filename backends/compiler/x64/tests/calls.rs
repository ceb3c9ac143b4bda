//! Calls: whatever lives over one is as it was, and memory is as the callee left it.

mod common;

use common::{Memory, call, levels};
use warpweft_executable::Executable;
use warpweft_vector::ir::*;
use warpweft_vector::{Builder, Evaluation, MachineCode, legalise, link};
use warpweft_x64::{Level, Target, compile};

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

fn generated(function: &Function, level: Level) -> MachineCode {
    let mut function = function.clone();
    legalise::legalise(&mut function, &Target(level));
    compile(&function, level).unwrap_or_else(|refusal| panic!("{level:?} refuses: {refusal:?}\n{function}"))
}

#[test]
fn what_lives_over_a_call_is_kept() {
    for lanes in [1, 4, 8, 16, 32] {
        let functions = [caller(lanes), doubling(lanes), stepping(lanes)];
        let words: Vec<u64> =
            (0..20 * u64::from(lanes).max(8) + 64).map(|word| word * 0x9e37_79b9 % 1009).collect();
        let memories = [Memory::of(Kind::I32, &words), Memory::zeros(Kind::I32, 256)];
        let mut evaluation = Evaluation::new();
        functions[1..].iter().for_each(|function| _ = evaluation.add(function.clone()));
        let [x, y] = [0, 1].map(|n: usize| evaluation.map(memories[n].bytes.clone()));
        evaluation.run(&functions[0], &[x, y, 7]).unwrap();
        for level in levels() {
            let codes: Vec<MachineCode> =
                functions.iter().map(|function| generated(function, level)).collect();
            assert_eq!(codes[0].calls.len(), 2);
            let code = Executable::new(&link(&codes).unwrap()).unwrap();
            let mut native = memories.clone().map(|memory| memory.bytes);
            let [x, y] = native.each_mut().map(|bytes| bytes.as_mut_ptr() as u64);
            call(&code, &[x, y, 7]);
            for (space, bytes) in native.iter().enumerate() {
                assert!(bytes == evaluation.memory(space), "{level:?}, {lanes} lanes, memory {space}");
            }
        }
    }
}
