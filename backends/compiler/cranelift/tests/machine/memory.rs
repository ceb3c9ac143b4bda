//! Loads, stores and atomic steps: the right elements are touched, and no others.

use crate::agreement::{Memory, Random, check};
use warpweft_vector::ir::Function;

const KINDS: [(&str, usize); 4] = [("i32", 4), ("i64", 8), ("f32", 4), ("f64", 8)];

fn vector(kind: &str, lanes: usize) -> String {
    if lanes == 1 { kind.into() } else { format!("{kind}x{lanes}") }
}

fn parse(text: &str) -> Function {
    Function::parse(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

/// Bytes of which no two elements are the same, and none is a float that is not a number.
fn filled(bytes: usize) -> Memory {
    let words: Vec<u32> = (0..bytes.div_ceil(4) as u32).map(|word| 0x3f00_0000 + word * 0x101).collect();
    let mut memory = Memory::of_u32(&words);
    memory.bytes.truncate(bytes);
    memory
}

/// Masks as bits: none, all, the first ones, single ones, any.
fn masks(lanes: usize) -> Vec<u64> {
    let all = u64::MAX >> (64 - lanes);
    let mut random = Random(lanes as u64);
    let mut masks = vec![0, all, 1, 1 << (lanes - 1), all >> (lanes / 2)];
    masks.extend((0..4).map(|_| random.next() & all));
    masks
}

#[test]
fn consecutive_elements() {
    for lanes in [1, 2, 4, 8, 16, 32, 64] {
        for (kind, size) in KINDS {
            for (scale, offset) in [(1, 0), (2, 4), (4, -8), (8, 16)] {
                let ty = vector(kind, lanes);
                let text = format!(
                    "function f(%0: i64, %1: i64, %2: i64) lanes {lanes} {{
                        space a constant
                        space b
                        %3: {ty} = load a[%0 + %2 * {scale} + {offset}]
                        %4: {ty} = load b[%1 + 24]
                        store b[%1 + %2 * {scale} + {offset}] = %3
                        store b[%1 + {end}] = %4
                        yield
                    }}",
                    end = 48 + lanes * size
                )
                .replace("+ -", "- ");
                let bytes = 2 * (48 + lanes * size);
                check(&parse(&text), &[filled(bytes), filled(bytes)], &[2]);
            }
        }
    }
}

#[test]
fn halves_of_words() {
    for lanes in [1, 2, 4, 8, 16, 32, 64] {
        let ty = vector("i32", lanes);
        let text = format!(
            "function f(%0: i64, %1: i64) lanes {lanes} {{
                space a
                space b
                %3: {ty} = load.half a[%0 + 2]
                store b[%1 + 16] = %3
                %4: {ty} = load a[%0 + 4]
                store.half b[%1 + {end}] = %4
                yield
            }}",
            end = 16 + lanes * 4
        );
        check(&parse(&text), &[filled(16 + lanes * 4), filled(32 + lanes * 6)], &[]);
    }
}

#[test]
fn consecutive_elements_under_a_mask() {
    for lanes in [2, 4, 8, 16, 32, 64] {
        let bool_ty = vector("bool", lanes);
        for (kind, size, half) in
            KINDS.into_iter().map(|(kind, size)| (kind, size, "")).chain([("i32", 2, ".half")])
        {
            let ty = vector(kind, lanes);
            let text = format!(
                "function f(%0: i64, %1: i64, %2: i64) lanes {lanes} {{
                    space a
                    space b
                    %3: {bool_ty} = mask %2
                    %4: {ty} = load{half} a[%0] where %3
                    store b[%1] = %4
                    %5: {ty} = load{half} a[%0]
                    store{half} b[%1 + {end}] = %5 where %3
                    yield
                }}",
                end = lanes * 8
            );
            let function = parse(&text);
            for mask in masks(lanes) {
                check(&function, &[filled(lanes * size), filled(lanes * 16)], &[mask]);
            }
        }
    }
}

#[test]
fn lanes_that_take_no_part_touch_nothing() {
    for lanes in [2, 4, 8, 16] {
        let (bool_ty, index) = (vector("bool", lanes), vector("i32", lanes));
        for (kind, size) in KINDS {
            let ty = vector(kind, lanes);
            let zeros = if kind.starts_with('f') { "0.0" } else { "0" };
            // The addresses of the first half belong to nobody.
            let text = format!(
                "function f(%0: i64, %1: i64, %2: i64) lanes {lanes} {{
                    space a
                    space b
                    %3: {bool_ty} = mask %2
                    %4: i64 = 64
                    %5: {ty} = load a[%4] where %3
                    store a[%4] = %5 where %3
                    %6: {index} = load b[%1]
                    %7: {ty} = gather a[%4 + %6 * 8] where %3
                    scatter a[%4 + %6 * 8] = %7 where %3
                    %8: {ty} = add %5, %7
                    store b[%1] = %8
                    %9: {ty} = {zeros}
                    %10: {ty} = load b[%1]
                    store b[%1] = %9
                    store b[%1 + {end}] = %10
                    yield
                }}",
                end = lanes * size
            );
            let places: Vec<u32> = (0..lanes * size / 2).map(|lane| (lane * 0x1234_5678) as u32).collect();
            check(&parse(&text), &[filled(8), Memory::of_u32(&places)], &[0]);
        }
    }
}

#[test]
fn elements_at_their_own_places() {
    for lanes in [2, 4, 8, 16, 32, 64] {
        let (bool_ty, index) = (vector("bool", lanes), vector("i32", lanes));
        for (kind, size, half) in
            KINDS.into_iter().map(|(kind, size)| (kind, size, "")).chain([("i32", 2, ".half")])
        {
            let ty = vector(kind, lanes);
            for all in [false, true] {
                let mask = if all { "true".into() } else { "mask %3".to_string() };
                let text = format!(
                    "function f(%0: i64, %1: i64, %2: i64, %3: i64) lanes {lanes} {{
                        space a
                        space b
                        space places constant
                        %4: {bool_ty} = {mask}
                        %5: {index} = load places[%2]
                        %6: {ty} = gather{half} a[%0 + %5 * {size} + 64] where %4
                        store b[%1] = %6
                        %7: {index} = load places[%2 + {next}]
                        %8: {ty} = load{half} a[%0]
                        scatter{half} b[%1 + %7 * {size} + {end}] = %8 where %4
                        yield
                    }}",
                    next = lanes * 4,
                    end = lanes * 8 + 64
                );
                let function = parse(&text);
                for mask in masks(lanes) {
                    let mut random = Random(mask ^ 99);
                    // Some before the base, and several lanes at the same place.
                    let lowest = -((64 / size) as i32);
                    let range = (lanes as i32 + 1 - lowest) as u64;
                    let places: Vec<u32> =
                        (0..lanes * 2).map(|_| (lowest + (random.next() % range) as i32) as u32).collect();
                    let a = filled(64 + (lanes + 1) * size);
                    let b = filled(lanes * 8 + 64 + (lanes + 1) * size);
                    check(&function, &[a, b, Memory::of_u32(&places)], &[mask]);
                }
            }
        }
    }
}

#[test]
fn atomic_steps() {
    let ints = ["add", "sub", "and", "or", "xor", "min_s", "max_s", "min_u", "max_u", "exchange"];
    let floats = ["add", "sub", "exchange"];
    for lanes in [1, 4] {
        for (kind, size) in KINDS {
            let steps = if kind.starts_with('f') { &floats[..] } else { &ints[..] };
            for step in steps {
                let text = format!(
                    "function f(%0: i64, %1: i64) lanes {lanes} {{
                        space a
                        space b
                        %2: {kind} = load b[%1]
                        %3: {kind} = atomic_{step} a[%0 + 8], %2
                        store b[%1 + 8] = %3
                        %4: {kind} = atomic_{step} a[%0 + 16], %2
                        yield
                    }}"
                );
                for (operand, memory) in [(5.0, 7.0), (-3.0, 2.0), (1e9, -1.0), (0.5, 0.25)] {
                    let bits = |number: f64| match kind {
                        "i32" => (number as i32 as u32).into(),
                        "i64" => number as i64 as u64,
                        "f32" => (number as f32).to_bits().into(),
                        _ => number.to_bits(),
                    };
                    let a = Memory::of_u64(&[1, bits(memory), bits(memory), 4]);
                    check(&parse(&text), &[a, Memory::of_u64(&[bits(operand), 0])], &[]);
                }
            }
            let exchange = if kind.starts_with('f') { "atomic_exchange" } else { "compare_exchange" };
            let expected = if kind.starts_with('f') { "" } else { "%2, " };
            let text = format!(
                "function f(%0: i64, %1: i64) lanes {lanes} {{
                    space a
                    space b
                    %2: {kind} = load b[%1]
                    %3: {kind} = load b[%1 + 8]
                    %4: {kind} = {exchange} a[%0], {expected}%3
                    store b[%1 + 16] = %4
                    %5: {kind} = {exchange} a[%0 + {size}], {expected}%3
                    store b[%1 + 24] = %5
                    %6: {kind} = atomic_load a[%0 + {size}]
                    atomic_store a[%0 + {third}] = %6
                    yield
                }}",
                third = 2 * size
            );
            let a = if size == 4 { Memory::of_u32(&[7, 8, 9, 10]) } else { Memory::of_u64(&[7, 8, 9, 10]) };
            check(&parse(&text), &[a, Memory::of_u64(&[8, 100, 0, 0])], &[]);
        }
    }
}

/// Loads of one space may be kept while another is written, but not while the same is.
#[test]
fn stores_are_seen() {
    let text = "function f(%0: i64, %1: i64) lanes 4 {
        space a
        space b
        %2: i32x4 = load a[%0]
        %3: i32 = load b[%1]
        %4: i32x4 = splat %3
        %5: i32x4 = add %2, %4
        store a[%0] = %5
        %6: i32x4 = load a[%0]
        store b[%1] = %6
        %7: i32 = load b[%1]
        %8: i32x4 = splat %7
        %9: i32x4 = mul %6, %8
        store a[%0 + 4] = %9
        %10: i32x4 = load a[%0]
        store b[%1] = %10
        yield
    }";
    check(&parse(text), &[filled(32), filled(16)], &[]);
}
