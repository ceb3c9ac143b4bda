//! Footprints against what the interpreter really touches, on random kernels.
//!
//! Every word that changes is one that may be written; every word that must be written no longer holds what was there
//! before, whatever that was; and a word that may not be read can be anything without anybody noticing.

use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use warpweft_interpreter::{Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Kernel, Module, Source};
use warpweft_ssa::footprint::{Evaluation, Footprint, LaunchFacts};
use warpweft_ssa::ir::Function;

/// Kernels by default; `WARPWEFT_FOOTPRINTS` asks for more, `WARPWEFT_SEED` for one.
const KERNELS: u64 = 250;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
}

/// What a kernel may be made of.
struct Author<'r> {
    random: &'r mut Random,
    text: String,
    names: Vec<String>,
    next: u32,
}

impl Author<'_> {
    fn atom(&mut self) -> String {
        let at = self.random.below(self.names.len() as u64) as usize;
        self.names[at].clone()
    }

    fn number(&mut self) -> String {
        let choice =
            self.random.one(&["0u", "1u", "2u", "3u", "4u", "7u", "8u", "16u", "29u", "64u", "u.n", "u.m"]);
        choice.to_string()
    }

    /// A sum of ids, counters and numbers.
    fn sum(&mut self) -> String {
        let mut text = self.atom();
        for _ in 0..self.random.below(3) {
            let (factor, atom) = (self.number(), self.atom());
            let operator = self.random.one(&["+", "+", "+", "-"]);
            text = match self.random.below(4) {
                0 => format!("({text} {operator} {atom})"),
                1 => format!("({text} {operator} {factor})"),
                2 => format!("({text} * {factor} {operator} {atom})"),
                _ => format!("({text} {operator} {factor} * {atom})"),
            };
        }
        match self.random.below(10) {
            0 => format!("({text} / {})", self.random.one(&["2u", "3u", "8u", "29u", "u.n"])),
            1 => format!("({text} % {})", self.random.one(&["2u", "3u", "8u", "29u", "u.n"])),
            2 => format!("min({text}, {})", self.number()),
            3 => format!("max({text}, {})", self.number()),
            4 => format!("({text} & 15u)"),
            5 => format!("({text} >> 2u)"),
            6 => format!("u32(clamp(i32({text}) - 3, 0, 40))"),
            _ => text,
        }
    }

    fn condition(&mut self) -> String {
        let operator = self.random.one(&["<", "<", "<=", ">", ">=", "==", "!="]);
        let left = self.sum();
        let right = match self.random.below(5) {
            0 => self.sum(),
            1 => "arrayLength(&b)".to_string(),
            _ => self.number(),
        };
        let one = match self.random.below(6) {
            0 => format!("i32({left}) {operator} i32({right})"),
            1 => format!("a[{left}] {operator} 0x80000000u"),
            _ => format!("{left} {operator} {right}"),
        };
        match self.random.below(5) {
            0 => format!("{one} && {}", self.condition()),
            1 => format!("{one} || {}", self.condition()),
            2 => format!("!({one})"),
            _ => one,
        }
    }

    fn statements(&mut self, depth: u32, loops: u32) {
        for _ in 0..1 + self.random.below(3) {
            let names = self.names.len();
            match self.random.below(if depth == 0 { 3 } else { 8 }) {
                0 => {
                    let (to, from) = (self.sum(), self.sum());
                    let _ = writeln!(self.text, "b[{to}] = a[{from}] + {}u;", 1 + self.random.below(1000));
                }
                1 => {
                    let to = self.sum();
                    let member =
                        self.random.one(&["x = 3u", "y.x = 4u", "y.y = 5u", "y = vec2<u32>(6u, 7u)"]);
                    let _ = writeln!(self.text, "c[{to}].{member};");
                }
                2 => {
                    let sum = self.sum();
                    let name = format!("v{}", self.next);
                    self.next += 1;
                    let _ = writeln!(self.text, "let {name} = {sum};");
                    self.names.push(name);
                    continue;
                }
                3 | 4 => {
                    let condition = self.condition();
                    let _ = writeln!(self.text, "if ({condition}) {{");
                    self.statements(depth - 1, loops);
                    if self.random.below(2) == 0 {
                        self.text.push_str("} else {\n");
                        self.names.truncate(names);
                        self.statements(depth - 1, loops);
                    }
                    self.text.push_str("}\n");
                }
                5 => {
                    let leave = match loops {
                        0 => "return;",
                        _ => self.random.one(&["break;", "continue;", "return;"]),
                    };
                    let condition = self.condition();
                    let _ = writeln!(self.text, "if ({condition}) {{ {leave} }}");
                }
                _ if loops < 2 => {
                    let (name, start) = (format!("k{}", self.next), self.sum());
                    self.next += 1;
                    let (bound, step) = (self.number(), 1 + self.random.below(9));
                    let _ = match self.random.below(4) {
                        0 => writeln!(
                            self.text,
                            "for (var {name} = i32({bound}); {name} >= 0; {name} -= {step}) {{ let j{name} = u32({name});"
                        ),
                        1 => writeln!(
                            self.text,
                            "for (var {name} = {start}; {name} < 50u; {name} += {step}u) {{"
                        ),
                        2 => writeln!(self.text, "for (var {name} = x; {name} <= {bound}; {name} += 64u) {{"),
                        _ => writeln!(self.text, "for (var {name} = 0u; {name} < {bound}; {name}++) {{"),
                    };
                    let signed = self.text.trim_end().ends_with(';');
                    self.names.push(if signed { format!("j{name}") } else { name });
                    self.statements(depth - 1, loops + 1);
                    self.text.push_str("}\n");
                }
                _ => {}
            }
            self.names.truncate(names);
        }
    }
}

fn kernel(random: &mut Random) -> String {
    let size = random.one(&["64", "16", "8, 4", "4, 4, 2", "7", "1"]);
    let names = ["x", "x", "y", "g.z", "l.x", "l.y", "w.x", "w.y", "i"].map(String::from).to_vec();
    let mut author = Author { random, text: String::new(), names, next: 0 };
    author.statements(3, 0);
    format!(
        "struct Part {{ x: u32, y: vec2<u32> }}
        struct Numbers {{ n: u32, m: u32 }}
        @group(0) @binding(0) var<uniform> u: Numbers;
        @group(0) @binding(1) var<storage, read> a: array<u32>;
        @group(0) @binding(2) var<storage, read_write> b: array<u32>;
        @group(0) @binding(3) var<storage, read_write> c: array<Part>;
        @compute @workgroup_size({size}) fn main(
            @builtin(global_invocation_id) g: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>,
            @builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) i: u32) {{
            let x = g.x; let y = g.y;
            let keep = u.n + a[0] + b[0] + c[0].x;
            {}
        }}",
        author.text
    )
}

/// The words of all bindings after a launch, or nothing where it takes too long.
fn run(program: &Program, words: &[Vec<u32>], bytes: &[u64], grid: Grid) -> Option<Vec<Vec<u32>>> {
    let shared: Vec<Vec<AtomicU32>> =
        words.iter().map(|words| words.iter().map(|&word| AtomicU32::new(word)).collect()).collect();
    let memories: Vec<Memory<'_>> =
        shared.iter().zip(bytes).map(|(words, &bytes)| Memory::new(words, bytes)).collect();
    let asked = AtomicU32::new(0);
    let cancelled = || asked.fetch_add(1, Ordering::Relaxed) > 200_000;
    let launch = Launch { bindings: &memories, grid, subgroup_size: 4, cancelled: &cancelled };
    let mut scratch = Scratch::default();
    let total = grid.workgroups.iter().map(|&n| u64::from(n)).product();
    for workgroup in 0..total {
        program.run_workgroup(&launch, workgroup, &mut scratch).ok()?;
    }
    drop(memories);
    Some(shared.into_iter().map(|words| words.into_iter().map(AtomicU32::into_inner).collect()).collect())
}

/// What was found sure, to see that the test is not about nothing.
#[derive(Default, Debug)]
struct Sure {
    must: usize,
    not_read: usize,
    exact: usize,
}

fn check(seed: u64, sure: &mut Sure) {
    let mut random = Random(seed);
    let wgsl = kernel(&mut random);
    let context = |what: &str| format!("seed {seed}: {what}\n{wgsl}");
    let module = Module::new(&[Source::new("random.wgsl", &wgsl)], &[]);
    let module = module.unwrap_or_else(|e| panic!("{}", context(&e.to_string())));
    let kernel: Kernel = module.kernel(None, &[]).unwrap_or_else(|e| panic!("{}", context(&e.to_string())));
    let function = Function::new(&kernel).unwrap_or_else(|e| panic!("{}", context(&e.to_string())));
    let program = Program::new(&kernel).unwrap_or_else(|e| panic!("{}", context(&e.to_string())));
    let size = function.workgroup_size;
    let workgroups: [u32; 3] =
        std::array::from_fn(|axis| 1 + random.below(if axis == 2 { 2 } else { 3 }) as u32);
    let over = (random.below(2) == 0).then(|| {
        std::array::from_fn(|axis| workgroups[axis] * size[axis] - random.below(u64::from(size[axis])) as u32)
    });
    let grid = Grid { workgroups, over };
    let all = [2, 1 + random.below(300), 1 + random.below(300), (4 * (1 + random.below(80)))];
    // The interface lists the bindings that the kernel uses.
    let names = ["u", "a", "b", "c"];
    let used: Vec<usize> = function
        .bindings
        .iter()
        .map(|binding| names.iter().position(|name| *name == binding.name).unwrap_or_default())
        .collect();
    let words: Vec<Vec<u32>> = used
        .iter()
        .map(|&at| match at {
            0 => vec![random.below(40) as u32, random.below(70) as u32],
            at => (0..all[at]).map(|_| random.next() as u32 | 0x4000_0000).collect(),
        })
        .collect();
    let bytes: Vec<u64> = words.iter().map(|words| words.len() as u64 * 4).collect();
    let Some(after) = run(&program, &words, &bytes, grid) else { return };
    let uniform: Vec<u8> = used
        .iter()
        .position(|&at| at == 0)
        .map(|at| words[at].iter().flat_map(|word| word.to_le_bytes()).collect())
        .unwrap_or_default();
    let uniforms: Vec<Option<&[u8]>> = used.iter().map(|&at| (at == 0).then_some(&uniform[..])).collect();
    let facts = LaunchFacts::new(workgroups, over, &bytes, &uniforms);
    let found: Evaluation = Footprint::new(&function).evaluate(&facts);
    let word = |w: usize| w as u64 * 4..w as u64 * 4 + 4;
    for (binding, touched) in found.bindings.iter().enumerate() {
        for w in 0..words[binding].len() {
            let name = &function.bindings[binding].name;
            let changed = after[binding][w] != words[binding][w];
            assert!(
                !changed || touched.may_write.covers(word(w)),
                "{}",
                context(&format!("word {w} of {name} was written, which may only {:?}", touched.may_write))
            );
            if touched.must_write.covers(word(w)) {
                assert!(changed, "{}", context(&format!("word {w} of {name} was not written, but must be")));
                sure.must += 1;
            }
            if touched.may_write == touched.must_write && !touched.may_write.is_empty() {
                sure.exact += 1;
            }
        }
    }
    // Other content where nobody may look.
    let mut other = words.clone();
    let mut hidden = vec![Vec::new(); other.len()];
    for (binding, touched) in found.bindings.iter().enumerate() {
        for w in 0..other[binding].len() {
            if used[binding] != 0 && !touched.may_read.covers(word(w)) {
                other[binding][w] ^= 0x1234_5678;
                hidden[binding].push(w);
                sure.not_read += 1;
            }
        }
    }
    let Some(again) = run(&program, &other, &bytes, grid) else { return };
    for binding in 0..words.len() {
        for w in 0..words[binding].len() {
            let kept = again[binding][w] == other[binding][w] && after[binding][w] == words[binding][w];
            let hidden = hidden[binding].contains(&w);
            assert!(
                again[binding][w] == after[binding][w] || hidden && kept,
                "{}",
                context(&format!("word {w} of binding {binding} depends on what may not be read"))
            );
        }
    }
}

#[test]
fn footprints_are_never_too_small_and_certainty_never_too_large() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let mut sure = Sure::default();
    if let Some(seed) = number("WARPWEFT_SEED") {
        check(seed, &mut sure);
        return;
    }
    for seed in 0..number("WARPWEFT_FOOTPRINTS").unwrap_or(KERNELS) {
        check(seed, &mut sure);
    }
    assert!(
        sure.must > 1000 && sure.not_read > 10_000 && sure.exact > 100,
        "the kernels show too little: {sure:?}"
    );
}
