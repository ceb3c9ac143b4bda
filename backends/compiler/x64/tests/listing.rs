//! What the code looks like: where operands are folded, where marks are, what lies out of the way.

mod common;

use common::{at, count, generate, only_where};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;
use warpweft_x64::{Level, listing};

fn text(level: Level, lanes: u16, make: impl Fn(&mut Builder, [Value; 2], [SpaceId; 2])) -> String {
    let mut b = Builder::new("listing", lanes);
    let bases = [(); 2].map(|()| b.param(Kind::I64));
    let spaces = ["x", "y"].map(|name| b.space(name, false));
    make(&mut b, bases, spaces);
    b.yields(&[]);
    listing(&generate(&b.finish(), level))
}

#[test]
fn loads_and_constants_are_operands() {
    let make = |b: &mut Builder, [from, to]: [Value; 2], [x, y]: [SpaceId; 2]| {
        let ty = b.vector(Kind::F32);
        let one = b.define(ty, Op::Load(at(from, 0, x)));
        let two = b.define(ty, Op::Load(at(from, 64, x)));
        let three = b.like(one, 3.0);
        let sum = b.add(one, two);
        let scaled = b.mul(sum, three);
        let scalar = b.define(Type::scalar(Kind::F32), Op::Load(at(from, 128, x)));
        let every = b.splat(scalar);
        let more = b.sub(scaled, every);
        b.act(Effect::Store(at(to, 0, y), more));
    };
    let wide = text(Level::Avx512, 16, make);
    assert!(wide.contains("vaddps zmm") && wide.contains("[rdi+40h]"), "{wide}");
    assert_eq!(count(&wide, "{1to16}"), 2, "{wide}");
    assert_eq!(count(&wide, "\n"), 8, "{wide}");
    let narrow = text(Level::Avx2, 8, make);
    assert!(narrow.contains("vmulps ymm") && narrow.contains(", [rip+"), "{narrow}");
    assert_eq!(count(&narrow, "vbroadcastss"), 1, "{narrow}");
}

#[test]
fn sums_take_the_place_of_their_constants() {
    for (level, lanes) in [(Level::Avx2, 8), (Level::Avx512, 16)] {
        let text = text(level, lanes, |b, [from, to], [x, y]| {
            let ty = b.vector(Kind::F32);
            let value = b.define(ty, Op::Load(at(from, 0, x)));
            let sums: Vec<Value> = (0..12)
                .map(|number| {
                    let factor = b.like(value, 0.5 + f64::from(number));
                    let more = b.like(value, 100.5 + f64::from(number));
                    b.fma(value, factor, more)
                })
                .collect();
            for (number, sum) in sums.into_iter().enumerate() {
                b.act(Effect::Store(at(to, number as i32 * 64, y), sum));
            }
        });
        assert_eq!(count(&text, "vbroadcastss"), 12, "{text}");
        assert_eq!(count(&text, "vfmadd231ps"), 12, "{text}");
        assert_eq!(count(&text, "vmovaps") + count(&text, "[rsp"), 0, "{text}");
    }
}

#[test]
fn constants_beyond_the_first_few_are_made_where_they_are_used() {
    let text = text(Level::Avx512, 16, |b, [from, to], [x, y]| {
        let ty = b.vector(Kind::F32);
        for number in 0..40 {
            let value = b.define(ty, Op::Load(at(from, number * 64, x)));
            let sum = b.add(value, value);
            // The first operand cannot lie in memory.
            let constant = b.like(value, 0.5 + f64::from(number));
            let greater = b.max(constant, sum);
            b.act(Effect::Store(at(to, number * 64, y), greater));
        }
    });
    assert_eq!(count(&text, "vbroadcastss"), 40, "{text}");
    assert_eq!(count(&text, "[rsp"), 0, "{text}");
}

#[test]
fn masks_are_part_of_operations() {
    let wide = text(Level::Avx512, 16, |b, [from, to], [x, y]| {
        let ty = b.vector(Kind::F32);
        let one = b.define(ty, Op::Load(at(from, 0, x)));
        let two = b.define(ty, Op::Load(at(from, 64, x)));
        let (less, positive) = (b.lt(one, two), {
            let zero = b.like(one, 0.0);
            b.gt(one, zero)
        });
        let both = b.and(less, positive);
        let sum = b.add(one, two);
        let chosen = b.select(both, sum, one);
        let zero = b.like(one, 0.0);
        let product = b.mul(one, two);
        let other = b.select(less, product, zero);
        b.act(Effect::Store(at(to, 0, y), chosen));
        b.act(Effect::Store(at(to, 64, y), other));
    });
    assert_eq!(count(&wide, "kand"), 0, "{wide}");
    assert_eq!(count(&wide, "blend"), 0, "{wide}");
    assert_eq!(count(&wide, "{z}"), 1, "{wide}");
}

#[test]
fn comparisons_are_part_of_branches_and_cold_code_comes_last() {
    for level in [Level::Avx2, Level::Avx512] {
        let text = text(level, 8, |b, [from, to], [x, y]| {
            let count = b.define(Type::scalar(Kind::I32), Op::Load(at(from, 0, x)));
            let five = b.i32(5);
            let less = b.lt_s(count, five);
            only_where(b, less, Hint::Unlikely, |b| {
                let seven = b.i32(7);
                b.act(Effect::Store(at(to, 0, y), seven));
            });
            let nine = b.i32(9);
            b.act(Effect::Store(at(to, 4, y), nine));
        });
        assert!(text.contains("cmp dword ptr [rdi], 5") || text.contains("cmp [rdi], 5"), "{text}");
        assert_eq!(count(&text, "set"), 0, "{text}");
        let (hot, cold) = (text.find(", 9\n").unwrap(), text.find(", 7\n").unwrap());
        assert!(hot < text.find("ret").unwrap() && text.find("ret").unwrap() < cold, "{text}");
    }
}

#[test]
fn marks_say_where_code_comes_from() {
    for level in [Level::Avx2, Level::Avx512] {
        let mut b = Builder::new("marks", 8);
        let base = b.param(Kind::I64);
        let x = b.space("x", false);
        let ty = b.vector(Kind::I32);
        b.set_mark(Mark(3));
        let value = b.define(ty, Op::Load(at(base, 0, x)));
        let double = b.add(value, value);
        b.set_mark(Mark(8));
        b.act(Effect::Store(at(base, 0, x), double));
        b.yields(&[]);
        let code = generate(&b.finish(), level);
        let offsets: Vec<u32> = code.marks.iter().map(|mark| mark.0).collect();
        assert!(offsets.is_sorted() && offsets.iter().all(|&at| (at as usize) < code.code));
        let text = listing(&code);
        let (three, add, eight) =
            (text.find("@3").unwrap(), text.find("vpaddd").unwrap(), text.find("@8").unwrap());
        assert!(three < add && add < eight, "{text}");
    }
}

#[test]
fn what_is_expected_is_asked_part_by_part() {
    for (hint, together) in [(Hint::Likely, 0), (Hint::None, 3)] {
        let text = text(Level::Avx2, 8, |b, [from, to], [x, y]| {
            let number =
                |b: &mut Builder, offset| b.define(Type::scalar(Kind::I32), Op::Load(at(from, offset, x)));
            let [one, two, three] = [0, 4, 8].map(|offset| number(b, offset));
            let parts = [b.lt_s(one, two), b.lt_s(two, three), b.lt_s(one, three)];
            let all = b.and(parts[0], parts[1]);
            let all = b.and(all, parts[2]);
            only_where(b, all, hint, |b| {
                let seven = b.i32(7);
                b.act(Effect::Store(at(to, 0, y), seven));
            });
            b.act(Effect::Store(at(to, 4, y), one));
        });
        assert_eq!(count(&text, "set"), together, "{text}");
    }
}

/// Blocks of 4 KiB, one a round.
#[test]
fn what_the_next_round_reads_is_asked_for_where_memory_feeds() {
    for (stores, lines) in [("", 0), (" streamed", 2)] {
        let function = format!(
            "function f(%0: i64, %1: i64, %2: i64) lanes 32 {{
                space x constant
                space y{stores}
                %3: i64 = 1
                %4: i64 = 10
                block L0 {{
                    loop L1(%5: i64 = %2) {{
                        %6: i64 = shl %5, %4
                        %7: f32x32 = load x[%0 + %6 * 4]
                        store y[%1 + %6 * 4] = %7
                        %8: i64 = add %5, %3
                        %9: bool = lt_u %8, %4
                        if %9 {{
                            branch L1(%8)
                        }} else {{
                            branch L0
                        }}
                    }}
                }}
                yield
            }}"
        );
        let text = listing(&generate(&Function::parse(&function).unwrap(), Level::Avx512));
        assert_eq!(count(&text, "prefetch"), lines, "{text}");
    }
}

#[test]
fn a_flag_is_asked_where_it_lies_and_integers_are_as_wide_as_registers() {
    for level in [Level::Avx2, Level::Avx512] {
        let text = text(level, 4, |b, [from, to], [x, y]| {
            let flag = b.define(Type::scalar(Kind::I32), Op::AtomicLoad(at(from, 0, x)));
            let zero = b.i32(0);
            let stop = b.compare(Compare::Ne, flag, zero);
            b.open();
            b.yields(&[]);
            let then = b.close();
            b.open();
            let index = b.define(Type::scalar(Kind::I32), Op::Load(at(from, 4, x)));
            let index = b.convert(Convert::ZeroExtend, index, Kind::I64);
            let one = b.define(Type::scalar(Kind::F32), Op::Load(at(from, 8, x)));
            b.act(Effect::Store(Access { index: Some(index), scale: 4, ..at(to, 0, y) }, one));
            b.yields(&[]);
            let otherwise = b.close();
            b.branch_on(stop, then, otherwise, &[], Hint::Unlikely);
        });
        assert_eq!(count(&text, "cmp dword ptr [rdi], 0"), 1, "{text}");
        assert_eq!(count(&text, " mov "), 1, "{text}");
    }
}
