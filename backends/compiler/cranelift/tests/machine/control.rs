//! Structure: arms, blocks and loops in each other, left from everywhere.

use crate::agreement::{Memory, check};
use warpweft_vector::ir::{Function, Mark};

fn parse(text: &str) -> Function {
    Function::parse(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

fn words(count: u32) -> Memory {
    Memory::of_u32(&(0..count).map(|word| word * 7 + 3).collect::<Vec<_>>())
}

#[test]
fn an_if_gives_the_results_of_its_arm() {
    for (number, lanes) in [(0, 1), (1, 1), (0, 8), (1, 8), (2, 16)] {
        let ty = if lanes == 1 { "i32".into() } else { format!("i32x{lanes}") };
        let mask = if lanes == 1 { "bool".into() } else { format!("boolx{lanes}") };
        let wide = if lanes == 1 { "i64".into() } else { format!("i64x{lanes}") };
        let text = format!(
            "function f(%0: i64, %1: i64) lanes {lanes} {{
                space a
                %2: i64 = 0
                %3: bool = ne %1, %2
                %4: {ty} = load a[%0]
                %5: {ty} = load a[%0 + {half}]
                %6: {wide} = sign_extend %4
                %7: {wide} = sign_extend %5
                %20: {ty}, %21: {mask}, %22: {mask}, %23: i64 = if %3 unlikely {{
                    %8: {mask} = lt_s %4, %5
                    %9: {mask} = lt_s %6, %7
                    yield %4, %8, %9, %1
                }} else {{
                    %10: {mask} = gt_s %4, %5
                    %11: {mask} = gt_s %6, %7
                    yield %5, %10, %11, %2
                }}
                %24: {ty} = 1
                %25: {ty} = 0
                %26: {ty} = select %21, %20, %25
                %27: {ty} = select %22, %24, %20
                %28: {ty} = add %26, %27
                %29: {wide} = select %22, %6, %7
                store a[%0] = %28
                store a[%0 + {end}] = %29
                yield
            }}",
            half = lanes * 4,
            end = lanes * 8
        );
        check(&parse(&text), &[words(lanes * 4)], &[number]);
    }
}

#[test]
fn loops_in_loops_are_left_over_several_levels() {
    // Sums i * j over a triangle; leaves both loops at a limit, and skips odd rows.
    let text = "function f(%0: i64, %1: i64, %2: i64) lanes 1 {
        space a
        %3: i64 = 0
        %4: i64 = 1
        %30: i64, %31: i64 = block L0 {
            loop L1(%5: i64 = %3, %6: i64 = %3) {
                %7: bool = ge_s %5, %1
                if %7 {
                    branch L0(%5, %6)
                }
                %33: i64 = block L2 {
                    %8: i64 = and %5, %4
                    %9: bool = eq %8, %4
                    if %9 {
                        branch L2(%6)
                    }
                    loop L3(%10: i64 = %3, %11: i64 = %6) {
                        %12: bool = gt_s %10, %5
                        if %12 {
                            branch L2(%11)
                        }
                        %13: i64 = mul %5, %10
                        %14: i64 = add %11, %13
                        %15: bool = gt_s %14, %2
                        if %15 unlikely {
                            branch L0(%10, %14)
                        }
                        %16: i64 = add %10, %4
                        branch L3(%16, %14)
                    }
                }
                %34: i64 = add %5, %4
                branch L1(%34, %33)
            }
        }
        store a[%0] = %30
        store a[%0 + 8] = %31
        yield
    }";
    let function = parse(text);
    for (rows, limit) in [(0, 100), (1, 100), (7, 1000), (20, 100_000), (20, 500), (5, 0)] {
        check(&function, &[words(4)], &[rows, limit]);
    }
}

#[test]
fn parameters_of_loops_change_places() {
    for (kind, lanes) in [("i32", 1), ("i32", 4), ("f32", 8), ("i64", 4), ("f64", 16)] {
        let ty = if lanes == 1 { kind.into() } else { format!("{kind}x{lanes}") };
        let size = lanes * if kind.ends_with("64") { 8 } else { 4 };
        let text = format!(
            "function f(%0: i64, %1: i64) lanes {lanes} {{
                space a
                %2: {ty} = load a[%0]
                %3: {ty} = load a[%0 + {size}]
                %4: i64 = 1
                %5: i64 = 0
                %20: {ty}, %21: {ty} = block L0 {{
                    loop L1(%6: {ty} = %2, %7: {ty} = %3, %8: i64 = %1) {{
                        %9: bool = le_s %8, %5
                        if %9 {{
                            branch L0(%7, %6)
                        }}
                        %10: i64 = sub %8, %4
                        branch L1(%7, %6, %10)
                    }}
                }}
                store a[%0] = %20
                store a[%0 + {size}] = %21
                yield
            }}"
        );
        for rounds in [0, 1, 2, 7] {
            check(&parse(&text), &[words(size / 2)], &[rounds]);
        }
    }
}

#[test]
fn masks_go_around_loops() {
    // Each lane counts down at its own pace until none is left.
    for (kind, lanes) in [("i32", 2), ("i32", 8), ("i64", 2), ("i64", 8), ("f32", 16), ("f64", 4)] {
        let size = lanes * if kind.ends_with("64") { 8 } else { 4 };
        let (zero, one) = if kind.starts_with('f') { ("0.0", "1.0") } else { ("0", "1") };
        let more = if kind.starts_with('f') { "gt" } else { "gt_s" };
        let text = format!(
            "function f(%0: i64) lanes {lanes} {{
                space a
                %1: {kind}x{lanes} = load a[%0]
                %2: {kind}x{lanes} = {zero}
                %3: {kind}x{lanes} = {one}
                %4: boolx{lanes} = true
                %20: {kind}x{lanes} = block L0 {{
                    loop L1(%5: {kind}x{lanes} = %1, %6: {kind}x{lanes} = %2, %7: boolx{lanes} = %4) {{
                        %8: boolx{lanes} = {more} %5, %2
                        %9: boolx{lanes} = and %7, %8
                        %10: bool = any %9
                        %11: bool = not %10
                        if %11 {{
                            branch L0(%6)
                        }}
                        %12: {kind}x{lanes} = add %6, %3
                        %13: {kind}x{lanes} = select %9, %12, %6
                        %14: {kind}x{lanes} = sub %5, %3
                        branch L1(%14, %13, %9)
                    }}
                }}
                store a[%0 + {size}] = %20
                yield
            }}"
        );
        let numbers = (0..lanes as u32).map(|lane| lane * 5 % 11);
        let mut memory = match kind {
            "i32" => Memory::of_u32(&numbers.collect::<Vec<_>>()),
            "i64" => Memory::of_u64(&numbers.map(u64::from).collect::<Vec<_>>()),
            "f32" => Memory::of_u32(&numbers.map(|x| (x as f32).to_bits()).collect::<Vec<_>>()),
            _ => Memory::of_u64(&numbers.map(|x| f64::from(x).to_bits()).collect::<Vec<_>>()),
        };
        memory.bytes.resize(2 * size, 0);
        check(&parse(&text), &[memory], &[]);
    }
}

#[test]
fn more_parameters_than_registers() {
    let text = "function f(%0: i64, %1: i64, %2: i64, %3: i64, %4: i64, %5: i64, %6: i64, %7: i64) lanes 4 {
        space a
        %8: i64 = add %6, %7
        %9: i64 = add %8, %5
        store a[%0] = %9
        store a[%0 + 8] = %7
        yield
    }";
    check(&parse(text), &[words(4)], &[1, 2, 3, 4, 5, 600, 7000]);
}

/// More values are alive than there are registers.
#[test]
fn many_values_at_once() {
    for lanes in [4, 8, 32] {
        let count = 40;
        let mut text = format!("function f(%0: i64) lanes {lanes} {{\n space a\n");
        for value in 1..=count {
            text += &format!(" %{value}: f32x{lanes} = load a[%0 + {}]\n", value * 4);
        }
        let mut next = count + 1;
        for value in 1..=count {
            let other = (value * 7) % count + 1;
            text += &format!(" %{next}: f32x{lanes} = fma %{value}, %{other}, %{}\n", next - 1);
            next += 1;
        }
        for value in 1..next {
            text += &format!(" store a[%0 + {}] = %{value}\n", value * 4);
        }
        text += " yield\n}";
        let words: Vec<u32> = (0..next + lanes).map(|word| (1.0 + word as f32 / 64.0).to_bits()).collect();
        let memory = Memory { holds: crate::agreement::Holds::F32, ..Memory::of_u32(&words) };
        check(&parse(&text), &[memory], &[]);
    }
}

/// As deep as a function may be.
#[test]
fn deep_nesting() {
    let depth = 120;
    let mut text = "function f(%0: i64, %1: i64) lanes 1 {\n space a\n".to_string();
    let mut value = 2;
    for level in 0..depth {
        text += &format!("%{value}: i64 = {level}\n%{}: bool = gt_s %1, %{value}\n", value + 1);
        text += &format!("if %{} {{\nstore a[%0] = %{value}\n", value + 1);
        value += 2;
    }
    for _ in 0..depth {
        text += "yield\n}\n";
    }
    text += "yield\n}";
    for number in [0, 1, 60, 1000] {
        check(&parse(&text), &[words(2)], &[number]);
    }
}

#[test]
fn marks_say_where_code_comes_from() {
    let text = "function f(%0: i64) lanes 4 {
        space a
        %1: f32x4 = load a[%0] @7
        %2: f32x4 = sqrt %1 @9
        store a[%0] = %2 @11
        yield
    }";
    let code = warpweft_cranelift::compile(&parse(text)).unwrap();
    let marks: Vec<Mark> = code.marks.iter().map(|&(_, mark)| mark).collect();
    assert!(marks.contains(&Mark(11)), "{:?}", code.marks);
    assert!(marks.contains(&Mark(9)) || marks.contains(&Mark(7)), "{:?}", code.marks);
    assert!(code.marks.is_sorted_by(|a, b| a.0 < b.0));
    assert!(code.marks.iter().all(|&(offset, _)| (offset as usize) < code.code));
}

/// Constants lie behind the code.
#[test]
fn code_ends_before_constants() {
    let text = "function f(%0: i64) lanes 4 {
        space a
        %1: f32x4 = load a[%0]
        %2: f32x4 = [1.5, 2.5, 3.5, 4.5]
        %3: f32x4 = mul %1, %2
        store a[%0] = %3
        yield
    }";
    let code = warpweft_cranelift::compile(&parse(text)).unwrap();
    let constant: Vec<u8> = [1.5f32, 2.5, 3.5, 4.5].iter().flat_map(|x| x.to_le_bytes()).collect();
    let place = code.bytes.windows(16).position(|window| window == constant).unwrap();
    assert!(code.code <= place && place < code.code + 16, "{place} {}", code.code);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let text = "function f(%0: i64) lanes 4 {
        space a
        %1: i32x4 = load a[%0] @3
        %2: f32x4 = from_half %1 @4
        store a[%0] = %2
        yield
    }";
    let refusal = warpweft_cranelift::compile(&parse(text)).unwrap_err();
    assert_eq!(refusal.mark, Mark(4));
    assert!(refusal.what.contains("FromHalf"), "{}", refusal.what);
    let text = "function f(%0: i32) lanes 1 {
        yield
    }";
    assert!(warpweft_cranelift::compile(&parse(text)).is_err());
}

#[test]
fn the_listing_shows_instructions() {
    let text = "function f(%0: i64) lanes 4 {
        space a
        %1: f32x4 = load a[%0]
        %2: f32x4 = sqrt %1
        store a[%0] = %2
        yield
    }";
    let listing = warpweft_cranelift::listing(&parse(text)).unwrap();
    assert!(listing.contains("sqrt"), "{listing}");
}
