//! What the evaluator refuses, and values that were computed by hand.
//!
//! Knows no passes: functions run as they were written.

use warpweft_vector::ir::Function;
use warpweft_vector::{Evaluation, Reason};

fn run(text: &str, memory: &[u32], number: u64) -> Result<Vec<u32>, Reason> {
    let function = Function::parse(text).expect("it parses");
    let mut evaluation = Evaluation::new();
    evaluation.steps = 10_000;
    let base = evaluation.map(memory.iter().flat_map(|word| word.to_le_bytes()).collect());
    evaluation.run(&function, &[base, number]).map_err(|error| error.reason)?;
    let words =
        evaluation.memory(0).chunks(4).map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four")));
    Ok(words.collect())
}

fn body(lines: &str) -> String {
    format!("function f(%0: i64, %1: i64) lanes 4 {{\n    space x\n{lines}\n    yield\n}}\n")
}

#[test]
fn accesses_stay_inside_of_their_memory() {
    let load = body("%2: i32x4 = load x[%0 + %1]\nstore x[%0] = %2");
    assert_eq!(run(&load, &[1, 2, 3, 4, 5, 6], 8), Ok(vec![3, 4, 5, 6, 5, 6]));
    for outside in [12, u64::MAX, 1 << 63] {
        assert!(matches!(run(&load, &[0; 6], outside), Err(Reason::OutOfBounds { .. })), "{outside}");
    }
}

#[test]
fn an_access_to_another_space_s_memory_is_an_error() {
    let text = "function f(%0: i64, %1: i64) lanes 1 {\n space x\n space y\n store y[%0] = %1\n yield\n}";
    let function = Function::parse(text).expect("it parses");
    let mut evaluation = Evaluation::new();
    let x = evaluation.map(vec![0; 64]);
    let y = evaluation.map(vec![0; 64]);
    assert!(evaluation.run(&function, &[y, 7]).is_ok());
    let error = evaluation.run(&function, &[x, 7]).expect_err("it is the memory of x");
    assert_eq!(error.reason, Reason::OutOfBounds { space: "y".into(), address: x });
    assert_eq!(error.at, "store y[%0] = %1");
}

#[test]
fn lanes_that_are_off_touch_nothing() {
    let text = body(
        "%2: boolx4 = mask %1\n%3: i32x4 = load x[%0 + 8] where %2\n%4: i32x4 = [0, 1000000, 3, 2]\n\
         %5: i32x4 = gather x[%0 + %4 * 4] where %2\n%6: i32x4 = add %3, %5\nscatter x[%0 + %4 * 4] = %6 where %2",
    );
    // Lanes 0 and 3: words 2 and 5, plus words 0 and 2.
    assert_eq!(run(&text, &[10, 20, 30, 40, 50, 60], 9), Ok(vec![40, 20, 90, 40, 50, 60]));
    assert!(matches!(run(&text, &[10, 20, 30, 40, 50, 60], 10), Err(Reason::OutOfBounds { .. })));
}

#[test]
fn divisions_without_a_result_are_errors() {
    let text = body("%2: i32 = truncate %1\n%3: i32 = -2147483648\n%4: i32 = div_s %3, %2\nstore x[%0] = %4");
    assert_eq!(run(&text, &[0], 2), Ok(vec![0xc000_0000]));
    assert_eq!(run(&text, &[0], 0), Err(Reason::Division));
    assert_eq!(run(&text, &[0], u64::MAX), Err(Reason::Division));
}

#[test]
fn loops_without_end_are_stopped() {
    let text =
        "function f(%0: i64, %1: i64) lanes 1 {\n space x\n loop L0(%2: i64 = %1) {\n branch L0(%2)\n }\n}";
    assert_eq!(run(text, &[0], 1), Err(Reason::Steps));
}

#[test]
fn what_is_not_valid_does_not_run() {
    assert!(matches!(run(&body("store x[%0] = %7"), &[0], 1), Err(Reason::Invalid(_))));
    let function = Function::parse(&body("")).expect("it parses");
    let mut evaluation = Evaluation::new();
    evaluation.map(vec![]);
    assert_eq!(evaluation.run(&function, &[0]).map_err(|error| error.reason), Err(Reason::Arguments));
}

#[test]
fn parameters_change_places_all_at_once() {
    let text = body(
        "%2: i32 = 1\n%3: i32 = 2\n%4: i32 = 3\n%5: i32, %6: i32 = block L0 {\n\
         loop L1(%7: i32 = %2, %8: i32 = %3, %9: i32 = %4) {\n%10: bool = eq %9, %2\nif %10 {\nbranch L0(%7, %8)\n}\n\
         %11: i32 = sub %9, %2\nbranch L1(%8, %7, %11)\n}\n}\nstore x[%0] = %5\nstore x[%0 + 4] = %6",
    );
    assert_eq!(run(&text, &[0, 0], 0), Ok(vec![1, 2]));
}

#[test]
fn reductions_combine_halves() {
    // (a + c) + (b + d), with rounding that tells: 1e8 + 1 is 1e8 in f32.
    let text = body(
        "%2: f32x4 = [1e8, 1.0, -1e8, 1.0]\n%3: f32 = reduce add, %2\nstore x[%0] = %3\n\
         %4: f32x4 = [1e8, -1e8, 1.0, 1.0]\n%5: f32 = reduce add, %4\nstore x[%0 + 4] = %5",
    );
    assert_eq!(run(&text, &[0, 0], 0), Ok(vec![2f32.to_bits(), 0f32.to_bits()]));
}

#[test]
fn fused_products_round_once() {
    let text = body("%2: f32 = 1.0000001\n%3: f32 = -1.0000002\n%4: f32 = fma %2, %2, %3\nstore x[%0] = %4");
    let one = f64::from(1.0000001f32);
    let exact = one * one - f64::from(1.0000002f32);
    assert_eq!(run(&text, &[0], 0), Ok(vec![(exact as f32).to_bits()]));
    assert_ne!(exact, 0.0);
}

#[test]
fn calls_run_functions_that_were_added() {
    let parse = |text: &str| Function::parse(text).expect("it parses");
    let outer =
        parse("function f(%0: i64, %1: i64) lanes 1 {\n space x\n call 1 (%0)\n call 1 (%1)\n yield\n}");
    let inner =
        parse("function g(%0: i64) lanes 1 {\n space x\n call 0 (%0, %0)\n call 0 (%0, %0)\n yield\n}");
    let add = parse(
        "function h(%0: i64, %1: i64) lanes 1 {\n space x\n %2: i64 = load x[%0]\n %3: i64 = 1\n\
         %4: i64 = add %2, %3\n store x[%1] = %4\n yield\n}",
    );
    let run = |functions: &[&Function]| {
        let mut evaluation = Evaluation::new();
        let base = evaluation.map(vec![0; 16]);
        functions.iter().for_each(|&function| _ = evaluation.add(function.clone()));
        evaluation.run(&outer, &[base, base + 8]).map_err(|error| error.reason)?;
        Ok::<_, Reason>(evaluation.memory(0).to_vec())
    };
    assert_eq!(run(&[&add, &inner]), Ok([2u64.to_le_bytes(), 2u64.to_le_bytes()].concat()));
    assert_eq!(run(&[&add]), Err(Reason::Call(1)));
    assert_eq!(run(&[&add, &add]), Err(Reason::Call(1)), "two parameters");
    assert_eq!(run(&[&outer, &inner]), Err(Reason::Call(1)), "without end");
    let elsewhere = parse("function g(%0: i64) lanes 1 {\n space y\n yield\n}");
    assert_eq!(run(&[&add, &elsewhere]), Err(Reason::Call(1)), "another space");
}
