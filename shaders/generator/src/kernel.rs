//! A whole kernel: its bindings, functions and entry point, and the inputs that fit them.
//!
//! Knows no statement.

use crate::author::{Author, Exit, Flow, Parameter, Signature};
use crate::collective::Together;
use crate::memory::Shape;
use crate::place::{Part, Place};
use crate::types::{Scalar, Ty};
use crate::{Profile, Random};

/// Workgroup sizes, odd ones above all.
const SIZES: [[u32; 3]; 22] = [
    [1, 1, 1],
    [2, 1, 1],
    [3, 1, 1],
    [4, 1, 1],
    [5, 1, 1],
    [7, 1, 1],
    [8, 1, 1],
    [16, 1, 1],
    [17, 1, 1],
    [31, 1, 1],
    [32, 1, 1],
    [33, 1, 1],
    [63, 1, 1],
    [64, 1, 1],
    [65, 1, 1],
    [96, 1, 1],
    [128, 1, 1],
    [8, 8, 1],
    [5, 3, 2],
    [1, 7, 1],
    [4, 1, 9],
    [16, 2, 1],
];

/// The longest that a storage array is, in words.
const MOST_WORDS: u32 = 1 << 16;

pub(crate) fn kernel(seed: u64, profile: Profile) -> Random {
    let mut author = Author::new(seed, profile);
    let mut size = *author.dice.pick(&SIZES);
    if profile == Profile::Subgroups {
        // naga has no subgroups in workgroups of several dimensions.
        size = [size.iter().product(), 1, 1];
    }
    let invocations: u32 = size.iter().product();
    let most = (320 / invocations).clamp(1, 9);
    let mut workgroups = [1 + author.dice.roll(most), 1, 1];
    for axis in [1, 2] {
        if author.dice.chance(25) {
            workgroups[axis] = 1 + author.dice.roll(3);
        }
    }
    let total: u32 = invocations * workgroups.iter().product::<u32>();
    let meets = author.meets();
    author.shared.invocations = invocations;
    author.shared.early = !meets || (profile != Profile::Portable && author.dice.chance(40));
    author.budget = match profile {
        Profile::Small => 3 + author.dice.roll(8) as i32,
        _ => 8 + author.dice.roll(40) as i32,
    };

    match profile {
        Profile::Wide => author.line("enable f16;"),
        Profile::Subgroups => author.line("enable subgroups;"),
        Profile::Small | Profile::Full | Profile::Portable => {}
    }
    let mut inputs = Vec::new();
    let record = bindings(&mut author, total, &mut inputs);
    if meets {
        workgroup_memory(&mut author);
    }
    privates(&mut author);
    functions(&mut author);
    let over = (!meets && author.dice.chance(35)).then(|| {
        std::array::from_fn(|axis| {
            let all = size[axis] * workgroups[axis];
            all - author.dice.roll(all.min(size[axis] + 3))
        })
    });
    entry(&mut author, size, workgroups, &record, meets);
    Random {
        seed,
        profile,
        wgsl: author.into_text(),
        inputs,
        workgroups,
        over,
        subgroups: profile == Profile::Subgroups,
    }
}

/// Declares the bindings and makes their contents; gives the shape of an element of `records`.
fn bindings(author: &mut Author, total: u32, inputs: &mut Vec<Vec<u32>>) -> Shape {
    author.line("struct Params {");
    for member in ["n: u32,", "k: u32,", "s: i32,", "f: f32,", "v: vec4<u32>,", "w: vec3<f32>,", "t: u32,"] {
        author.line(member);
    }
    author.line("}");
    let structure = author.structure("Part");
    author.structures.push(structure);
    let record = if author.dice.chance(50) {
        let structure = author.structure("Record");
        Shape::Struct(structure)
    } else {
        Shape::Plain(author.shared_ty())
    };
    author.line("struct Counters {");
    for (name, ty) in [
        ("sum", "u32"),
        ("least", "i32"),
        ("most", "i32"),
        ("highest", "u32"),
        ("all", "u32"),
        ("any", "u32"),
        ("odd", "u32"),
    ] {
        author.line(format!("{name}: array<atomic<{ty}>, 4>,"));
    }
    author.line("}");

    author.line("@group(0) @binding(0) var<uniform> params: Params;");
    author.line("@group(0) @binding(1) var<storage, read> data: array<u32>;");
    author.line("@group(0) @binding(2) var<storage, read> reals: array<vec2<f32>>;");
    author.line("@group(0) @binding(3) var<storage, read_write> out: array<u32>;");
    author.line(format!("@group(0) @binding(4) var<storage, read_write> records: array<{}>;", record.name()));
    author.line("@group(0) @binding(5) var<storage, read_write> counters: Counters;");
    author.line("@group(0) @binding(6) var<storage, read_write> slots: array<atomic<u32>>;");
    author.line("@group(0) @binding(7) var<storage, read_write> board: array<u32>;");

    let each = 1 + author.dice.roll(3);
    author.each = each;
    let near = total + author.dice.roll(5);
    let params = [
        near.saturating_sub(author.dice.roll(5)),
        author.dice.roll(8),
        author.dice.roll(41).wrapping_sub(20),
        (author.dice.roll(16) as f32).to_bits(),
        author.dice.roll(1 << 10),
        author.dice.roll(32),
        author.dice.word() as u32,
        author.dice.roll(3),
        (author.dice.roll(9) as f32).to_bits(),
        (author.dice.roll(9) as f32).to_bits(),
        (author.dice.roll(9) as f32).to_bits(),
        author.dice.roll(100),
    ];
    inputs.push(params.to_vec());
    let data_length = length(author, total);
    inputs.push((0..data_length).map(|_| integer(author)).collect());
    let reals_length = length(author, total);
    inputs.push((0..2 * reals_length).map(|_| real(author)).collect());
    // Now and then somewhat short: what is written beyond is dropped.
    let out_length =
        (total * each).saturating_sub(if author.dice.chance(15) { author.dice.roll(9) } else { 0 });
    inputs.push((0..out_length.max(1)).map(|n| n.wrapping_mul(0x9e37_79b9)).collect());
    let (align, size) = record.layout();
    let words = (total * (size.next_multiple_of(align) / 4).max(1)).min(MOST_WORDS);
    inputs.push(vec![0; words as usize + 4]);
    let counters = [0u32, i32::MAX as u32, i32::MIN as u32, 0, u32::MAX, 0, 0];
    inputs.push(counters.iter().flat_map(|&word| [word; 4]).collect());
    inputs.push((0..total).collect());
    inputs.push((0..total).map(|n| n ^ 0x55).collect());

    for (member, ty) in [
        ("n", Ty::U32),
        ("k", Ty::U32),
        ("s", Ty::I32),
        ("f", Ty::of(Scalar::F32)),
        ("v", Ty::new(Scalar::U32, 4)),
        ("w", Ty::new(Scalar::F32, 3)),
        ("t", Ty::U32),
    ] {
        let place = Place { uniform: true, ..Place::new("params", ty) };
        author.places.push(place.member(member, ty));
    }
    // Read at an index that is the same for all, what lies there is the same for all.
    let data = Place { uniform: true, ..Place::new("data", Ty::U32) };
    author.places.push(data.index(data_length, Ty::U32));
    let pair = Ty::new(Scalar::F32, 2);
    let reals = Place { uniform: true, ..Place::new("reals", pair) };
    author.places.push(reals.index(reals_length, pair));
    record
}

/// Elements of an array that everyone reads.
fn length(author: &mut Author, total: u32) -> u32 {
    match author.dice.roll(4) {
        0 => 1 + author.dice.roll(20),
        1 => total,
        _ => 1 + author.dice.roll(2 * total.max(4)),
    }
}

fn integer(author: &mut Author) -> u32 {
    match author.dice.roll(6) {
        0 => author.dice.roll(4),
        1 | 2 => author.dice.roll(100),
        3 => *author.dice.pick(&[0, 1, u32::MAX, 1 << 31, i32::MAX as u32, 31, 32, 33]),
        4 => author.dice.roll(64).wrapping_neg(),
        _ => author.dice.word() as u32,
    }
}

/// In the portable profile small whole numbers, else of every kind.
fn real(author: &mut Author) -> u32 {
    if author.profile == Profile::Portable {
        return (author.dice.roll(401) as f32 - 200.0).to_bits();
    }
    match author.dice.roll(8) {
        0 => author.dice.word() as u32,
        1 => *author.dice.pick(&[
            0,
            1 << 31,
            f32::INFINITY.to_bits(),
            f32::NEG_INFINITY.to_bits(),
            f32::NAN.to_bits(),
            1,
            f32::MAX.to_bits(),
            f32::MIN_POSITIVE.to_bits(),
            0x4f00_0000,
            0xcf00_0001,
        ]),
        2..=4 => (author.dice.roll(4001) as f32 - 2000.0).to_bits(),
        _ => ((author.dice.word() as u32 as f32 - 2e9) / 1e7).to_bits(),
    }
}

fn workgroup_memory(author: &mut Author) {
    author.line("var<workgroup> tally: array<atomic<u32>, 3>;");
    author.line("var<workgroup> least: array<atomic<i32>, 3>;");
    author.line("var<workgroup> word: u32;");
    author.shared.board = true;
    let count = author.shared.invocations;
    for _ in 0..1 + author.dice.roll(2) {
        let (name, ty) = (author.name("w"), author.ty());
        author.line(format!("var<workgroup> {name}: array<{}, {count}>;", ty.name()));
        author.shared.exchanges.push((name, ty));
    }
}

fn privates(author: &mut Author) {
    for _ in 0..author.dice.roll(3) {
        let name = author.name("p");
        let shape = author.shape();
        author.line(format!("var<private> {name}: {};", shape.name()));
        // Functions use them directly, so no function gets a pointer to one.
        let base = Place { pointable: false, ..Place::variable(name, Ty::U32) };
        author.places.extend(shape.places(&base));
    }
}

/// The functions that the kernel may call, each of which may call those before it.
fn functions(author: &mut Author) {
    author.line("fn bits(x: f32) -> u32 {");
    if author.profile == Profile::Portable {
        // Devices need not keep the sign of zero.
        author.line("return select(bitcast<u32>(x), 0u, x == 0.0);");
    } else {
        author.line("return select(bitcast<u32>(x), 0x7fc00000u, x != x);");
    }
    author.line("}");
    let budget = author.budget;
    for _ in 0..author.dice.roll(3) {
        let name = author.name("g");
        let mut parameters = vec![Parameter::Value(Ty::U32)];
        for _ in 0..author.dice.roll(3) {
            let ty = author.ty();
            let pointer = author.dice.chance(40);
            parameters.push(if pointer { Parameter::Pointer(ty) } else { Parameter::Value(ty) });
        }
        let result = author.ty();
        let mut names = Vec::new();
        author.scope(|author| {
            let mut texts = Vec::new();
            for parameter in &parameters {
                let name = author.name("a");
                match *parameter {
                    Parameter::Value(ty) => {
                        texts.push(format!("{name}: {}", ty.name()));
                        author.places.push(Place::new(&*name, ty));
                    }
                    Parameter::Pointer(ty) => {
                        texts.push(format!("{name}: ptr<function, {}>", ty.name()));
                        let place = Place::variable(format!("(*{name})"), ty);
                        author.places.push(Place { pointable: false, ..place });
                    }
                }
                names.push(name);
            }
            author.anchor = names[0].clone();
            author.weight = 4;
            author.budget = 3 + author.dice.roll(8) as i32;
            author.line(format!("fn {name}({}) -> {} {{", texts.join(", "), result.name()));
            let flow = Flow { can_break: false, can_continue: false, exit: Exit::Value(result) };
            while author.budget > 0 {
                author.statement(2, flow);
            }
            let value = author.runtime(result, 2);
            let value = author.tamed(result, value);
            author.line(format!("return {value};"));
            author.line("}");
        });
        author.functions.push(Signature { name, parameters, result });
    }
    author.weight = 1;
    author.budget = budget;
}

fn entry(author: &mut Author, size: [u32; 3], workgroups: [u32; 3], record: &Shape, meets: bool) {
    let [x, y, z] = size;
    author.line("@compute");
    author.line(match (y, z) {
        (1, 1) => format!("@workgroup_size({x})"),
        _ => format!("@workgroup_size({x}, {y}, {z})"),
    });
    author.line("fn main(");
    author.line("@builtin(global_invocation_id) gid: vec3<u32>,");
    author.line("@builtin(local_invocation_id) lid: vec3<u32>,");
    author.line("@builtin(workgroup_id) wid: vec3<u32>,");
    author.line("@builtin(num_workgroups) groups: vec3<u32>,");
    author.line("@builtin(local_invocation_index) lane: u32,");
    if author.profile == Profile::Subgroups {
        author.line("@builtin(subgroup_invocation_id) member: u32,");
        author.line("@builtin(subgroup_size) members: u32,");
        author.subgroups = true;
        author.places.push(Place::new("member", Ty::U32));
        author.places.push(Place { uniform: true, ..Place::new("members", Ty::U32) });
    }
    author.line(") {");
    let invocations = x * y * z;
    if workgroups[1] * workgroups[2] * y * z == 1 {
        author.line("let i = gid.x;");
    } else {
        author.line(format!("let i = gid.x + groups.x * {x}u * (gid.y + groups.y * {y}u * gid.z);"));
    }
    author.line(format!("let total = groups.x * groups.y * groups.z * {invocations}u;"));
    let triple = Ty::new(Scalar::U32, 3);
    for (name, ty, uniform) in [
        ("gid", triple, false),
        ("lid", triple, false),
        ("wid", triple, true),
        ("groups", triple, true),
        ("lane", Ty::U32, false),
        ("total", Ty::U32, true),
        ("i", Ty::U32, false),
        ("i", Ty::U32, false),
    ] {
        author.places.push(Place { uniform, ..Place::new(name, ty) });
    }
    author.anchor = "i".to_owned();
    if meets {
        author.line(format!("let first = (wid.x + groups.x * (wid.y + groups.y * wid.z)) * {invocations}u;"));
    }

    let each = author.each;
    let (before, after) = match author.dice.roll(4) {
        0 | 1 => (format!("i * {each}u + "), ""),
        2 => ("i + total * ".to_owned(), ""),
        _ => (format!("(total - 1u - i) * {each}u + "), ""),
    };
    let own = |name: &str, before: String, count: u32, after: &str| {
        let mut place = Place::variable(name, Ty::U32);
        place.path.push(Part::Own { before, count, after: after.to_owned() });
        Place { visible: true, pointable: false, ..place }
    };
    author.places.push(own("out", before, each, after));
    let base = own("records", "i + ".to_owned(), 1, "");
    let parts = record.places(&base);
    author.places.extend(parts.iter().cloned());
    let mut slots = own("slots", "i + ".to_owned(), 1, "");
    slots.mutable = false;
    slots.ty = Ty::of(Scalar::Bool);
    slots.pointable = false;
    author.special.push(slots);
    author.special.push(Place::new("counters", Ty::U32));

    if author.dice.chance(30) && (!meets || author.shared.early) {
        author.line("if i >= params.n { return; }");
    }
    if meets {
        author.together(Together { depth: 0, repeats: false, breaks: false, returns: author.shared.early });
    } else {
        let flow = Flow { can_break: false, can_continue: false, exit: Exit::Kernel };
        while author.budget > 0 {
            author.statement(0, flow);
        }
    }
    finish(author, &parts, each);
    author.line("}");
}

/// What was computed is written where it can be seen.
fn finish(author: &mut Author, parts: &[Place], each: u32) {
    if let Some(place) = author.places.iter().find(|place| place.name == "out").cloned() {
        for _ in 0..each {
            author.assign_to(&place);
        }
    }
    let place = author.dice.pick(parts).clone();
    author.assign_to(&place);
}
