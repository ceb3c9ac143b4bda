//! What makes compiled kernels lean, seen in their code: tests and masks that are gone from where kernels spend their
//! time, loops that ask for nothing that is known, and the widths of gangs.
//!
//! Looks at vector programs as the generators of x86-64 get them, on whatever machine this runs. Knows nothing of how
//! they come about, and measures nothing: results are other tests' business.

mod harness;

use harness::kernel;
use warpweft_compiler::{Generator, Options, stage_vector};
use warpweft_shaders::{MANDELBROT, REDUCE_SUM, TRIAD};
use warpweft_vector::ir::{Convert, Effect, Function, Hint, Inst, Kind, Op, SpaceId};

const BLACK_SCHOLES: &str = include_str!("../../../benches/problems/kernels/black_scholes.wgsl");
const MATMUL: &str = include_str!("../../../benches/problems/kernels/matmul.wgsl");
const NBODY_TILED: &str = include_str!("../../../benches/problems/kernels/nbody_tiled.wgsl");
const SPMV: &str = include_str!("../../../benches/problems/kernels/spmv_csr.wgsl");

/// Those that need no machine of their own to be asked.
const GENERATORS: [Generator; 2] = [Generator::Avx2, Generator::Avx512];

/// The vector program of a kernel.
fn program(wgsl: &str, generator: Generator, lanes: Option<u16>) -> Function {
    with(wgsl, &Options { generator, strict: false, lanes, streaming: false })
}

fn with(wgsl: &str, options: &Options) -> Function {
    programs(wgsl, options).remove(0)
}

/// The vector program of a kernel, and those of functions that it calls.
fn programs(wgsl: &str, options: &Options) -> Vec<Function> {
    let text = stage_vector(&kernel(wgsl).unwrap(), options).unwrap();
    let parse = |text| Function::parse(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    text.split("\n; function ")
        .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()))
        .map(parse)
        .collect()
}

/// The lists of an instruction that are expected to run.
fn expected(inst: &Inst) -> Vec<&[Inst]> {
    match inst {
        Inst::If { then, hint: Hint::Likely, .. } => vec![then],
        Inst::If { otherwise, hint: Hint::Unlikely, .. } => vec![otherwise],
        Inst::If { then, otherwise, .. } => vec![then, otherwise],
        Inst::Block { body, .. } | Inst::Loop { body, .. } => vec![body],
        _ => vec![],
    }
}

/// Calls `f` with every instruction of a list that is expected to run, the outer before the inner.
fn walk<'a>(list: &'a [Inst], f: &mut dyn FnMut(&'a Inst)) {
    for inst in list {
        f(inst);
        expected(inst).into_iter().for_each(|list| walk(list, f));
    }
}

/// How an instruction reaches a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// For all lanes at once, one beside the other.
    Whole,
    /// For those of a mask, or lane by lane.
    Masked,
    /// As one step that other threads see.
    Atomic,
}

fn reached(inst: &Inst) -> Option<(SpaceId, Way)> {
    match inst {
        Inst::Let { op, .. } => match op {
            Op::Load(at) | Op::LoadStrided(at, _) => Some((at.space, Way::Whole)),
            Op::LoadMasked(at, _) => Some((at.space, Way::Masked)),
            Op::Gather(at, _) => Some((at.space, Way::Masked)),
            Op::Atomic(_, at, _) | Op::CompareExchange(at, ..) | Op::AtomicLoad(at) => {
                Some((at.space, Way::Atomic))
            }
            _ => None,
        },
        Inst::Do { effect, .. } => match effect {
            Effect::Store(at, _) | Effect::StoreStrided(at, ..) => Some((at.space, Way::Whole)),
            Effect::StoreMasked(at, ..) => Some((at.space, Way::Masked)),
            Effect::Scatter(at, ..) => Some((at.space, Way::Masked)),
            Effect::AtomicStore(at, _) => Some((at.space, Way::Atomic)),
            Effect::Call(..) => None,
        },
        _ => None,
    }
}

/// How a memory is reached by all instructions of a list, whether they are expected to run or not.
fn reached_anywhere(list: &[Inst], space: SpaceId) -> Vec<Way> {
    let mut ways = vec![];
    for inst in list {
        ways.extend(reached(inst).filter(|&(at, _)| at == space).map(|(_, way)| way));
        match inst {
            Inst::If { then, otherwise, .. } => {
                ways.extend(reached_anywhere(then, space));
                ways.extend(reached_anywhere(otherwise, space));
            }
            Inst::Block { body, .. } | Inst::Loop { body, .. } => ways.extend(reached_anywhere(body, space)),
            _ => {}
        }
    }
    ways
}

/// Some of a function's code.
struct Code<'a> {
    function: &'a Function,
    list: &'a [Inst],
}

impl<'a> Code<'a> {
    fn of(function: &'a Function) -> Self {
        Code { function, list: &function.body }
    }

    /// What is expected to run of it.
    fn path(&self) -> Vec<&'a Inst> {
        let mut path = vec![];
        walk(self.list, &mut |inst| path.push(inst));
        path
    }

    /// The one loop on the path that has no loop on its own and reaches a memory.
    fn inner_loop(&self, space: &str) -> Self {
        let mut found = vec![];
        for inst in self.path() {
            let Inst::Loop { body, .. } = inst else { continue };
            let code = Code { function: self.function, list: body };
            let inner = !code.path().iter().any(|inst| matches!(inst, Inst::Loop { .. }));
            if inner && !code.ways(space).is_empty() {
                found.push(code);
            }
        }
        assert_eq!(found.len(), 1, "inner loops that reach `{space}`:\n{}", self.function);
        found.remove(0)
    }

    /// How a memory is reached on the path, access by access.
    fn ways(&self, space: &str) -> Vec<Way> {
        let reached = self.path().into_iter().filter_map(reached);
        reached.filter(|&(at, _)| self.name(at) == space).map(|(_, way)| way).collect()
    }

    /// The memories that are reached in any case: no choice is made about it.
    fn certain(&self) -> Vec<&'a str> {
        self.list.iter().filter_map(reached).map(|(at, _)| self.name(at)).collect()
    }

    fn space(&self, name: &str) -> SpaceId {
        let at = self.function.spaces.iter().position(|space| space.name == name);
        SpaceId(at.unwrap_or_else(|| panic!("no `{name}`:\n{}", self.function)) as u32)
    }

    fn name(&self, space: SpaceId) -> &'a str {
        &self.function.spaces[space.0 as usize].name
    }

    /// How many choices are made on the path.
    fn choices(&self) -> usize {
        self.path().into_iter().filter(|inst| matches!(inst, Inst::If { .. })).count()
    }

    /// How many masks are computed on the path.
    fn masks(&self) -> usize {
        let is_mask = |inst: &&Inst| match inst {
            Inst::Let { result, .. } => {
                let ty = self.function.ty(*result);
                ty.kind == Kind::Bool && !ty.is_scalar()
            }
            _ => false,
        };
        self.path().iter().filter(|inst| is_mask(inst)).count()
    }
}

#[test]
fn gangs_of_a_row_are_whole_and_ask_for_nothing() {
    for generator in GENERATORS {
        let function = program(TRIAD.source, generator, None);
        let gangs = Code::of(&function).inner_loop("a");
        for space in ["a", "b", "c"] {
            assert_eq!(gangs.ways(space), [Way::Whole], "`{space}`:\n{function}");
        }
        assert_eq!(gangs.masks(), 0, "{function}");
        // Whether there is another gang.
        assert_eq!(gangs.choices(), 1, "{function}");
        assert_eq!(gangs.ways("cancelled"), [], "{function}");
    }
}

/// Long code does not stand twice at the width of gangs: what is not inside is as wide as one vector.
#[test]
fn the_rest_of_a_row_is_one_vector_wide() {
    for (generator, native) in [(Generator::Avx2, 8), (Generator::Avx512, 16)] {
        let options = Options { generator, strict: false, lanes: Some(2 * native), streaming: false };
        let [gangs, rest] = &programs(BLACK_SCHOLES, &options)[..] else { panic!("two programs") };
        assert_eq!((gangs.lanes, rest.lanes), (2 * native, native));
        let code = Code::of(gangs);
        for space in ["price", "strike", "years", "call", "put"] {
            // Anywhere, expected to run or not.
            assert_eq!(reached_anywhere(&gangs.body, code.space(space)), [Way::Whole], "`{space}`:\n{gangs}");
        }
        assert_eq!(Code::of(rest).ways("price"), [Way::Masked], "{rest}");
        // What is short stands in one place.
        assert_eq!(programs(TRIAD.source, &options).len(), 1);
    }
}

/// Beside loops, a region's code stands once. (Where there are no scatters, each is many stores.)
#[test]
fn what_is_small_beside_loops_has_one_version() {
    let function = program(NBODY_TILED, Generator::Avx512, None);
    let code = Code::of(&function);
    assert_eq!(reached_anywhere(&function.body, code.space("acc")).len(), 4, "four components:\n{function}");
    // What is brought into the tile stands in a loop.
    assert_eq!(code.ways("tile"), [Way::Whole; 9], "{function}");
}

#[test]
fn a_loop_asks_for_bounds_that_data_decides_and_no_others() {
    for generator in GENERATORS {
        let function = program(SPMV, generator, Some(1));
        let entries = Code::of(&function).inner_loop("values");
        let mut certain = entries.certain();
        certain.sort_unstable();
        // No word of being cancelled: there are few enough rounds.
        assert_eq!(certain, ["columns", "values"], "{function}");
        assert_eq!(entries.ways("cancelled"), [], "{function}");
        // Whether a column lies within x, and whether there is another entry: that is asked at the end.
        assert_eq!(entries.choices(), 2, "{function}");
        assert!(matches!(entries.list.last(), Some(Inst::If { .. })), "{function}");
    }
}

#[test]
fn neighbours_along_a_row_are_reached_from_one_start() {
    for generator in GENERATORS {
        let function = program(SPMV, generator, Some(1));
        let loads = Code::of(&function).path().into_iter().filter_map(|inst| match inst {
            Inst::Let { op: Op::Load(at), .. } if function.spaces[at.space.0 as usize].name == "starts" => {
                Some((at.base, at.index, at.offset))
            }
            _ => None,
        });
        // Where the row's entries end, which is where the next row's start.
        let [end, start] = loads.collect::<Vec<_>>()[..] else { panic!("{function}") };
        assert_eq!((start.0, start.1, start.2 + 4), end, "{function}");
    }
}

#[test]
fn rounds_of_known_number_are_in_bounds_together() {
    for generator in GENERATORS {
        let function = program(REDUCE_SUM.source, generator, None);
        let gangs = Code::of(&function).inner_loop("x");
        // The kernel's eight items, without a loop around them.
        assert_eq!(gangs.ways("x"), [Way::Whole; 8], "{function}");
        assert_eq!(gangs.masks(), 0, "{function}");
        // Whether all of them lie within x, and whether there is another gang.
        assert_eq!(gangs.choices(), 2, "{function}");
    }
}

#[test]
fn regions_between_barriers_run_by_whole_gangs() {
    for generator in GENERATORS {
        let function = program(REDUCE_SUM.source, generator, None);
        let partial = Code::of(&function).ways("partial");
        assert!(
            !partial.is_empty() && partial.iter().all(|&way| way == Way::Whole),
            "{partial:?}\n{function}"
        );
    }
}

/// What neighbours left in workgroup memory is found by addresses that go along from gang to gang.
#[test]
fn regions_go_along_memory() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        var<workgroup> all: array<u32, 1024>;
        @compute @workgroup_size(1024)
        fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) at: u32) {
            all[at] = x[id.x];
            workgroupBarrier();
            var sum = 0u;
            for (var step = 1u; step < 512; step *= 2) {
                if at >= step {
                    sum = all[at - step];
                }
                workgroupBarrier();
                all[at] += sum;
                workgroupBarrier();
            }
            y[id.x] = all[at];
        }";
    for generator in GENERATORS {
        let function = program(wgsl, generator, None);
        let mut loops = vec![];
        for inst in Code::of(&function).path() {
            let Inst::Loop { body, .. } = inst else { continue };
            let code = Code { function: &function, list: body };
            if !code.path().iter().any(|inst| matches!(inst, Inst::Loop { .. }))
                && !code.ways("all").is_empty()
            {
                loops.push(code);
            }
        }
        // What is brought, added and taken away.
        assert!(loops.len() >= 3, "{function}");
        for code in loops {
            let converts = code.path().iter().any(|inst| {
                matches!(
                    inst,
                    Inst::Let { op: Op::Convert(Convert::SignExtend | Convert::ZeroExtend, _), .. }
                )
            });
            let loads_x = !code.ways("x").is_empty() || !code.ways("y").is_empty();
            assert!(loads_x || !converts, "an address is worked out for each gang:\n{function}");
            // Going on is one jump.
            let Some(Inst::If { then, .. }) = code.list.last() else { panic!("{function}") };
            assert!(matches!(then[..], [Inst::Branch { .. }]), "{function}");
        }
    }
}

/// Zeroes that variables start with are not stored where what they become is.
#[test]
fn variables_are_not_written_twice() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u) {
            var items: array<u32, 4>;
            for (var at = 0u; at < 4; at++) {
                items[at] = x[id.x] * at;
            }
            y[id.x] = items[x[id.x] % 4];
        }";
    for generator in GENERATORS {
        let function = program(wgsl, generator, Some(16));
        let gangs = Code::of(&function).inner_loop("x");
        let stores = gangs.path().into_iter().filter(|inst| match inst {
            Inst::Do { effect, .. } => effect.touches().is_some_and(|space| gangs.name(space) == "items"),
            _ => false,
        });
        assert_eq!(stores.count(), 4, "{function}");
    }
}

/// Two of the three stages of shuffles that part elements lying eight apart, or weave them, stay within 16 bytes.
#[test]
fn elements_apart_are_moved_within_16_bytes_first() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u) {
            for (var item = 0u; item < 8; item++) {
                if id.x * 8 + item < min(arrayLength(&x), arrayLength(&y)) {
                    y[id.x * 8 + item] = sqrt(x[id.x * 8 + item]);
                }
            }
        }";
    for (generator, lanes) in [(Generator::Avx2, 8), (Generator::Avx512, 16)] {
        let function = program(wgsl, generator, Some(lanes));
        let within = |from: &[u8]| {
            let piece = |lane: usize| lane % usize::from(lanes) / 4;
            from.iter().enumerate().all(|(place, &lane)| piece(lane.into()) == piece(place))
        };
        let mut shuffles = [0, 0];
        for inst in Code::of(&function).path() {
            if let Inst::Let { op: Op::Shuffle(_, _, from), .. } = inst {
                shuffles[usize::from(within(from))] += 1;
            }
        }
        assert_eq!(shuffles, [16, 32], "others, and those within 16 bytes:\n{function}");
    }
}

#[test]
fn gangs_are_as_wide_as_pays() {
    for (wgsl, lanes) in [(MANDELBROT.source, 32), (BLACK_SCHOLES, 32), (SPMV, 1)] {
        let function = program(wgsl, Generator::Avx512, None);
        assert_eq!(function.lanes, lanes, "{}", function.name);
    }
    // Rounds that read rows: four vectors.
    for wgsl in [MATMUL, REDUCE_SUM.source] {
        for (generator, lanes) in GENERATORS.into_iter().zip([32, 64]) {
            assert_eq!(program(wgsl, generator, None).lanes, lanes, "{wgsl}");
        }
        let apart = wgsl.replace("x[i]", "x[2u * i]").replace("+ id.x]", "+ 2u * id.x]");
        assert_eq!(program(&apart, Generator::Avx512, None).lanes, 32, "{apart}");
    }
}

/// Only where workgroups meet in one line, and nobody can tell: else the width that was chosen has its reasons.
#[test]
fn what_memory_feeds_runs_in_single_vectors() {
    let wgsl = |size: &str, index: &str| {
        format!(
            "@group(0) @binding(0) var<storage, read> x: array<f32>;
             @group(0) @binding(1) var<storage, read_write> y: array<f32>;
             var<workgroup> all: array<f32, 256>;
             @compute @workgroup_size({size})
             fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) at: u32,
                     @builtin(subgroup_size) size: u32) {{
                 let i = id.x + 4096 * id.y;
                 all[at] = x[i];
                 workgroupBarrier();
                 y[i] = all[{index}] + all[255 - at];
             }}"
        )
    };
    let lanes = |wgsl: &str, streaming| {
        with(wgsl, &Options { generator: Generator::Avx512, strict: false, lanes: None, streaming }).lanes
    };
    for (size, index, streamed) in [("256", "at", 16), ("32, 8", "at", 32), ("256", "at % size", 32)] {
        let wgsl = wgsl(size, index);
        assert_eq!((lanes(&wgsl, false), lanes(&wgsl, true)), (32, streamed), "{wgsl}");
    }
}

#[test]
fn what_one_invocation_does_is_asked_of_one_gang() {
    let wgsl = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         var<workgroup> t: array<u32, 256>;
         @compute @workgroup_size(256)
         fn main(@builtin(local_invocation_index) l: u32, @builtin(global_invocation_id) id: vec3<u32>) {
             t[l] = out[id.x];
             workgroupBarrier();
             if l == 0u { out[id.x] = t[17]; }
         }";
    for generator in GENERATORS {
        let mut loops = 0;
        walk(&program(wgsl, generator, Some(16)).body, &mut |inst| {
            loops += usize::from(matches!(inst, Inst::Loop { .. }));
        });
        assert_eq!(
            loops, 3,
            "workgroups, and gangs that write to their memory, on the inside of it and elsewhere"
        );
    }
}

#[test]
fn nobody_waits_where_gangs_run_in_order() {
    let kernel_with = |size: u32, read: &str| {
        format!(
            "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
             var<workgroup> t: array<u32, 256>;
             @compute @workgroup_size({size})
             fn main(@builtin(local_invocation_index) l: u32, @builtin(global_invocation_id) id: vec3<u32>) {{
                 t[l] = out[id.x];
                 workgroupBarrier();
                 let before = {read};
                 workgroupBarrier();
                 t[l] += before;
                 workgroupBarrier();
                 out[id.x] = t[l];
             }}"
        )
    };
    for generator in GENERATORS {
        let keeps = |size, read| {
            let text = stage_vector(
                &kernel(&kernel_with(size, read)).unwrap(),
                &Options { generator, strict: false, lanes: Some(16), streaming: false },
            );
            text.unwrap().contains("context[")
        };
        assert!(!keeps(256, "t[l + 9u]"), "in ascending order nothing crosses the barrier");
        assert!(keeps(256, "t[255u - l]"), "the value has to wait for everybody's");
        assert!(!keeps(16, "t[15u - l]"), "a single gang comes to every barrier together");
    }
}
