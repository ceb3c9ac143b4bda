//! Loads, stores, gathers, scatters and atomic steps: what they touch, and what they must not.

mod common;

use common::{Memory, Random, call, check, generate, levels, values};
use warpweft_executable::Executable;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

const WIDTHS: [u16; 7] = [1, 2, 4, 8, 16, 32, 64];
const ALL: [Kind; 4] = [Kind::I32, Kind::I64, Kind::F32, Kind::F64];

fn at(base: Value, space: SpaceId, width: Width) -> Access {
    Access { base, index: None, scale: 1, offset: 0, space, width, always: false }
}

/// The mask that a vector (or scalar) of integers in memory stands for.
fn mask(b: &mut Builder, base: Value, space: SpaceId) -> Value {
    let ty = b.vector(Kind::I32);
    let loaded = b.define(ty, Op::Load(at(base, space, Width::Full)));
    let zero = b.like(loaded, 0.0);
    b.compare(Compare::Ne, loaded, zero)
}

fn patterns(lanes: u16) -> Vec<Vec<u64>> {
    let lanes = u64::from(lanes);
    let mut random = Random(17);
    vec![
        vec![0; lanes as usize],
        vec![1; lanes as usize],
        (0..lanes).map(|lane| u64::from(lane == 0)).collect(),
        (0..lanes).map(|lane| u64::from(lane + 1 == lanes)).collect(),
        (0..lanes).map(|lane| u64::from(lane * 2 < lanes)).collect(),
        (0..lanes).map(|_| random.next() >> 63).collect(),
    ]
}

#[test]
fn masked_loads_and_stores() {
    for kind in ALL {
        for width in [Width::Full, Width::Half] {
            if width == Width::Half && kind != Kind::I32 {
                continue;
            }
            for &lanes in &WIDTHS[1..] {
                let mut b = Builder::new("masked", lanes);
                let bases: Vec<Value> = (0..3).map(|_| b.param(Kind::I64)).collect();
                let [mask_space, from, to] = ["mask", "from", "to"].map(|name| b.space(name, false));
                let lanes_on = mask(&mut b, bases[0], mask_space);
                let ty = b.vector(kind);
                let loaded = b.define(ty, Op::LoadMasked(at(bases[1], from, width), lanes_on));
                // Where the mask does not hold: zeros, and memory stays.
                let all = Access { offset: 1024, ..at(bases[2], to, width) };
                b.act(Effect::Store(all, loaded));
                let one = b.like(loaded, 1.0);
                let more = b.add(loaded, one);
                b.act(Effect::StoreMasked(at(bases[2], to, width), more, lanes_on));
                b.yields(&[]);
                let function = b.finish();
                for pattern in patterns(lanes) {
                    let memories = [
                        Memory::of(Kind::I32, &pattern),
                        Memory::of(kind, &values(kind, 300, 3)),
                        Memory::of(kind, &values(kind, 600, 4)),
                    ];
                    check(&function, &memories, &[vec![]]);
                }
            }
        }
    }
}

#[test]
fn gathers_and_scatters() {
    for kind in ALL {
        for &lanes in &WIDTHS[1..] {
            for scale in [1u8, 2, 4, 8] {
                for constant in [false, true] {
                    let mut b = Builder::new("gather", lanes);
                    let bases: Vec<Value> = (0..4).map(|_| b.param(Kind::I64)).collect();
                    let [mask_space, places, from, to] =
                        ["mask", "places", "from", "to"].map(|name| b.space(name, false));
                    let lanes_on = if constant {
                        let ty = b.vector(Kind::Bool);
                        b.constant(ty, 1)
                    } else {
                        mask(&mut b, bases[0], mask_space)
                    };
                    let ty = b.vector(Kind::I32);
                    let index = b.define(ty, Op::Load(at(bases[1], places, Width::Full)));
                    let ty = b.vector(kind);
                    let middle = Scattered {
                        base: bases[2],
                        index,
                        scale,
                        offset: 1024,
                        space: from,
                        width: Width::Full,
                    };
                    let loaded = b.define(ty, Op::Gather(middle, lanes_on));
                    let two = b.like(loaded, 2.0);
                    let more = b.add(loaded, two);
                    let middle = Scattered { base: bases[3], space: to, ..middle };
                    b.act(Effect::Scatter(middle, more, lanes_on));
                    b.yields(&[]);
                    let function = b.finish();
                    for (n, pattern) in patterns(lanes).into_iter().enumerate() {
                        let mut random = Random(91 + n as u64);
                        // Some lanes meet at one place; some indices are negative.
                        let index: Vec<u64> = (0..lanes)
                            .map(|_| {
                                let place = random.below(200) as i32 - 100;
                                (place * 8 / i32::from(scale)) as u32 as u64
                            })
                            .collect();
                        let memories = [
                            Memory::of(Kind::I32, &pattern),
                            Memory::of(Kind::I32, &index),
                            Memory::of(kind, &values(kind, 600, 8)),
                            Memory::of(kind, &values(kind, 600, 9)),
                        ];
                        check(&function, &memories, &[vec![]]);
                    }
                }
            }
        }
    }
}

#[test]
fn halves() {
    for lanes in WIDTHS {
        let mut b = Builder::new("halves", lanes);
        let bases: Vec<Value> = (0..3).map(|_| b.param(Kind::I64)).collect();
        let [from, to, floats] = ["from", "to", "floats"].map(|name| b.space(name, false));
        let ty = b.vector(Kind::I32);
        let bits = b.define(ty, Op::Load(at(bases[0], from, Width::Half)));
        let number = b.convert(Convert::FromHalf, bits, Kind::F32);
        b.act(Effect::Store(at(bases[2], floats, Width::Full), number));
        let twice = b.add(number, number);
        let bits = b.convert(Convert::ToHalf, twice, Kind::I32);
        b.act(Effect::Store(at(bases[1], to, Width::Half), bits));
        // Upper halves are cut off.
        let next = Access { offset: 512, ..at(bases[0], from, Width::Full) };
        let wide = b.define(ty, Op::Load(next));
        b.act(Effect::Store(Access { offset: 256, ..at(bases[1], to, Width::Half) }, wide));
        b.yields(&[]);
        let halves: Vec<u8> = (0..512u32).flat_map(|n| ((n * 61 % 0x7c00) as u16).to_le_bytes()).collect();
        let from = Memory { bytes: halves, kind: Kind::I32 };
        check(&b.finish(), &[from, Memory::zeros(Kind::I32, 128), Memory::zeros(Kind::F32, 64)], &[vec![]]);
    }
}

#[test]
fn addresses_are_sums() {
    for (scale, offset) in [(1, 0), (2, -8), (4, 16), (8, 100), (4, -400), (8, 1000)] {
        for extra in [0i64, 24, -32, i64::from(i32::MAX), 1 << 40] {
            let mut b = Builder::new("addresses", 8);
            let (from, to, i) = (b.param(Kind::I64), b.param(Kind::I64), b.param(Kind::I64));
            let [x, y] = ["x", "y"].map(|name| b.space(name, false));
            let far = b.i64((-extra) as u64);
            let base = b.add(from, far);
            let near = b.i64(extra as u64);
            let base = b.add(base, near);
            let two = b.i64(2);
            let i2 = b.add(i, two);
            let access =
                Access { base, index: Some(i2), scale, offset, space: x, width: Width::Full, always: false };
            let ty = b.vector(Kind::F32);
            let value = b.define(ty, Op::Load(access));
            let sum = b.add(value, value);
            b.act(Effect::Store(Access { base: to, space: y, ..access }, sum));
            b.yields(&[]);
            let memories =
                [Memory::of(Kind::F32, &values(Kind::F32, 1000, 2)), Memory::zeros(Kind::F32, 1000)];
            check(&b.finish(), &memories, &[vec![200], vec![130]]);
        }
    }
}

#[test]
fn a_load_is_not_moved_behind_a_store() {
    for lanes in [1, 8, 32] {
        let mut b = Builder::new("order", lanes);
        let base = b.param(Kind::I64);
        let x = b.space("x", false);
        let ty = b.vector(Kind::I32);
        let before = b.define(ty, Op::Load(at(base, x, Width::Full)));
        let other = b.define(ty, Op::Load(Access { offset: 4, ..at(base, x, Width::Full) }));
        b.act(Effect::Store(Access { offset: 8, ..at(base, x, Width::Full) }, other));
        let sum = b.add(other, before);
        b.act(Effect::Store(Access { offset: 4, ..at(base, x, Width::Full) }, sum));
        b.yields(&[]);
        check(&b.finish(), &[Memory::of(Kind::I32, &values(Kind::I32, 128, 6))], &[vec![]]);
    }
}

#[test]
fn atomic_steps() {
    for kind in ALL {
        let operations: &[AtomicOp] = if kind.is_float() {
            &[AtomicOp::Add, AtomicOp::Sub, AtomicOp::Exchange]
        } else {
            &[
                AtomicOp::Add,
                AtomicOp::Sub,
                AtomicOp::And,
                AtomicOp::Or,
                AtomicOp::Xor,
                AtomicOp::MinS,
                AtomicOp::MaxS,
                AtomicOp::MinU,
                AtomicOp::MaxU,
                AtomicOp::Exchange,
            ]
        };
        for &op in operations {
            for used in [false, true] {
                let mut b = Builder::new("atomic", 1);
                let (base, out, i) = (b.param(Kind::I64), b.param(Kind::I64), b.param(Kind::I64));
                let [x, y] = ["x", "y"].map(|name| b.space(name, false));
                let indexed = |base, space| Access {
                    index: Some(i),
                    scale: kind.size() as u8,
                    ..at(base, space, Width::Full)
                };
                let ty = Type::scalar(kind);
                let value = b.define(ty, Op::Load(indexed(out, y)));
                let old = b.define(ty, Op::Atomic(op, indexed(base, x), value));
                let shown = if used { old } else { value };
                b.act(Effect::Store(Access { offset: 400, ..indexed(out, y) }, shown));
                b.yields(&[]);
                let rounds: Vec<Vec<u64>> = (0..40).map(|i| vec![i]).collect();
                let memories =
                    [Memory::of(kind, &values(kind, 40, 1)), Memory::of(kind, &values(kind, 200, 12)[3..])];
                check(&b.finish(), &memories, &rounds);
            }
        }
        let mut b = Builder::new("exchange", 1);
        let (base, out, i) = (b.param(Kind::I64), b.param(Kind::I64), b.param(Kind::I64));
        let [x, y] = ["x", "y"].map(|name| b.space(name, false));
        let indexed =
            |base, space| Access { index: Some(i), scale: kind.size() as u8, ..at(base, space, Width::Full) };
        let ty = Type::scalar(kind);
        let expected = b.define(ty, Op::Load(indexed(out, y)));
        let seen = b.define(ty, Op::AtomicLoad(indexed(base, x)));
        b.act(Effect::AtomicStore(Access { offset: 400, ..indexed(out, y) }, seen));
        if kind.is_int() {
            let new = b.constant(ty, 77);
            let old = b.define(ty, Op::CompareExchange(indexed(base, x), expected, new));
            b.act(Effect::Store(Access { offset: 800, ..indexed(out, y) }, old));
        }
        b.yields(&[]);
        let rounds: Vec<Vec<u64>> = (0..40).map(|i| vec![i]).collect();
        let start = values(kind, 300, 1);
        check(&b.finish(), &[Memory::of(kind, &start[..40]), Memory::of(kind, &start)], &rounds);
    }
}

#[test]
fn threads_do_not_lose_steps() {
    for level in levels() {
        for (kind, op) in [
            (Kind::I32, AtomicOp::Add),
            (Kind::F32, AtomicOp::Add),
            (Kind::I64, AtomicOp::Xor),
            (Kind::I32, AtomicOp::Sub),
        ] {
            let mut b = Builder::new("race", 1);
            let (base, out) = (b.param(Kind::I64), b.param(Kind::I64));
            let [x, y] = ["x", "y"].map(|name| b.space(name, false));
            let one = match kind {
                Kind::F32 => 1f32.to_bits().into(),
                _ => 1,
            };
            let one = b.constant(Type::scalar(kind), one);
            let old = b.define(Type::scalar(kind), Op::Atomic(op, at(base, x, Width::Full), one));
            b.act(Effect::Store(at(out, y, Width::Full), old));
            b.yields(&[]);
            let code = Executable::new(&generate(&b.finish(), level).bytes).unwrap();
            let shared = std::sync::atomic::AtomicU64::new(0);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let mut old = 0u64;
                        for _ in 0..10_001 {
                            call(&code, &[shared.as_ptr() as u64, (&raw mut old) as u64]);
                        }
                    });
                }
            });
            let end = shared.into_inner();
            match (kind, op) {
                (Kind::F32, _) => assert_eq!(f32::from_bits(end as u32), 40_004.0),
                (_, AtomicOp::Sub) => assert_eq!(end as u32, 0u32.wrapping_sub(40_004)),
                (Kind::I64, _) => assert_eq!(end, 0),
                _ => assert_eq!(end, 40_004),
            }
        }
    }
}

/// Two pages, the second of which nobody may touch.
#[cfg(unix)]
struct Guarded(*mut u8);

#[cfg(unix)]
impl Guarded {
    fn new() -> Self {
        // SAFETY: fresh pages of our own.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let pages =
                libc::mmap(std::ptr::null_mut(), 8192, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            assert_ne!(pages, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(pages.add(4096), 4096, libc::PROT_NONE), 0);
            Self(pages.cast())
        }
    }

    /// The address from which so many bytes are left.
    fn end(&self, bytes: usize) -> u64 {
        self.0 as u64 + 4096 - bytes as u64
    }
}

#[cfg(unix)]
impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: mapped above.
        unsafe { libc::munmap(self.0.cast(), 8192) };
    }
}

#[test]
#[cfg(unix)]
fn lanes_outside_of_masks_do_not_fault() {
    let guarded = Guarded::new();
    for level in levels() {
        for kind in ALL {
            for width in [Width::Full, Width::Half] {
                if width == Width::Half && kind != Kind::I32 {
                    continue;
                }
                for lanes in WIDTHS {
                    let mut b = Builder::new("edge", lanes);
                    let (base, masks) = (b.param(Kind::I64), b.param(Kind::I64));
                    let [mask_space, x] = ["mask", "x"].map(|name| b.space(name, false));
                    let lanes_on = mask(&mut b, masks, mask_space);
                    let ty = b.vector(kind);
                    let loaded = b.define(ty, Op::LoadMasked(at(base, x, width), lanes_on));
                    b.act(Effect::StoreMasked(at(base, x, width), loaded, lanes_on));
                    if width == Width::Full {
                        let numbers: Vec<u64> = (0..u64::from(lanes)).collect();
                        let index = b.lane_constants(Kind::I32, &numbers);
                        let scale = kind.size() as u8;
                        let places = Scattered { base, index, scale, offset: 0, space: x, width };
                        let loaded = b.define(ty, Op::Gather(places, lanes_on));
                        b.act(Effect::Scatter(places, loaded, lanes_on));
                    }
                    b.yields(&[]);
                    let code = Executable::new(&generate(&b.finish(), level).bytes).unwrap();
                    let element = if width == Width::Half { 2 } else { kind.size() as usize };
                    for on in 0..=usize::from(lanes) {
                        let mask: Vec<u32> =
                            (0..usize::from(lanes)).map(|lane| u32::from(lane < on)).collect();
                        call(&code, &[guarded.end(on * element), mask.as_ptr() as u64]);
                    }
                }
            }
        }
        // Unmasked accesses of small gangs read no more than they say either.
        for (kind, lanes) in [(Kind::I32, 2), (Kind::F32, 2), (Kind::F64, 2), (Kind::I32, 4), (Kind::F32, 1)]
        {
            let mut b = Builder::new("small", lanes);
            let base = b.param(Kind::I64);
            let x = b.space("x", false);
            let ty = b.vector(kind);
            let loaded = b.define(ty, Op::Load(at(base, x, Width::Full)));
            let sum = b.add(loaded, loaded);
            let again = b.define(ty, Op::Load(at(base, x, Width::Full)));
            let sum = b.add(sum, again);
            b.act(Effect::Store(at(base, x, Width::Full), sum));
            b.yields(&[]);
            let code = Executable::new(&generate(&b.finish(), level).bytes).unwrap();
            call(&code, &[guarded.end(usize::from(lanes) * kind.size() as usize)]);
        }
    }
}

/// What goes past the caches arrives at every alignment, and only whole wide vectors go that way.
#[test]
fn streamed_stores() {
    let ways = [Stores::Streamed, Stores::StreamedInPieces];
    for (kind, stores) in ALL.into_iter().flat_map(|kind| ways.map(|stores| (kind, stores))) {
        for lanes in WIDTHS {
            let mut b = Builder::new("streamed", lanes);
            let bases: Vec<Value> = (0..2).map(|_| b.param(Kind::I64)).collect();
            let start = b.param(Kind::I64);
            let [from, to] = ["from", "to"].map(|name| b.space(name, false));
            b.stores(to, stores);
            let ty = if lanes == 1 { Type::scalar(kind) } else { b.vector(kind) };
            let loaded = b.define(ty, Op::Load(at(bases[0], from, Width::Full)));
            let one = b.like(loaded, 1.0);
            let more = b.add(loaded, one);
            b.act(Effect::Store(Access { index: Some(start), ..at(bases[1], to, Width::Full) }, more));
            b.yields(&[]);
            let function = b.finish();
            let memories = [Memory::of(kind, &values(kind, 64, 3)), Memory::of(kind, &values(kind, 128, 4))];
            let starts: Vec<Vec<u64>> = (0..=64).step_by(kind.size() as usize).map(|n| vec![n]).collect();
            check(&function, &memories, &starts);
            for level in levels() {
                let text = warpweft_x64::listing(&generate(&function, level));
                let wide = u32::from(lanes) * kind.size() >= 32;
                assert_eq!(text.contains("vmovntps"), wide, "{level:?}\n{function}\n{text}");
            }
        }
    }
}

/// Elements that lie apart, as wide accesses: the last one ends with the last element.
#[test]
#[cfg(unix)]
fn elements_apart_do_not_fault() {
    let guarded = Guarded::new();
    for level in levels() {
        for kind in [Kind::F32, Kind::I64] {
            for &lanes in &WIDTHS[1..] {
                for stride in STRIDES.filter(|&stride| u16::from(stride) <= lanes) {
                    for members in [1, stride - 1, stride] {
                        let mut b = Builder::new("apart", lanes);
                        let base = b.param(Kind::I64);
                        let x = b.space("x", false);
                        let ty = b.vector(kind);
                        let size = kind.size() as i32;
                        let all: Vec<Access> = (0..i32::from(members))
                            .map(|member| Access { offset: member * size, ..at(base, x, Width::Full) })
                            .collect();
                        let values: Vec<Value> =
                            all.iter().map(|&access| b.define(ty, Op::LoadStrided(access, stride))).collect();
                        for (&access, &value) in all.iter().zip(&values) {
                            let one = b.like(value, 1.0);
                            let more = b.add(value, one);
                            b.act(Effect::StoreStrided(access, stride, more));
                        }
                        b.yields(&[]);
                        let mut function = b.finish();
                        let register = if level == warpweft_x64::Level::Avx512 { 64 } else { 32 };
                        assert!(warpweft_vector::passes::strides(&mut function, register));
                        let code = Executable::new(&generate(&function, level).bytes).unwrap();
                        let elements = usize::from(lanes - 1) * usize::from(stride) + usize::from(members);
                        call(&code, &[guarded.end(elements * kind.size() as usize)]);
                        let memory = Memory::of(kind, &values_of(kind, elements));
                        check(&function, &[memory], &[vec![]]);
                    }
                }
            }
        }
    }
}

/// Small whole numbers.
#[cfg(unix)]
fn values_of(kind: Kind, count: usize) -> Vec<u64> {
    let number = |at: usize| match kind {
        Kind::F32 => u64::from((at as f32).to_bits()),
        _ => at as u64,
    };
    (0..count).map(number).collect()
}
