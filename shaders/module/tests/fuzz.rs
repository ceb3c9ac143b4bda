//! Damaged WGSL: whatever it is, there is a kernel or a message, and never a panic or a hang.
//!
//! Deterministic: the seed is in the message of a failure. `WARPWEFT_FUZZ_SECONDS=600 cargo test -p warpweft-module --test
//! fuzz` goes on for longer.

use std::time::{Duration, Instant};
use warpweft_module::{Module, Scalar, Source};

/// WGSL that touches most of what compute kernels are written with.
const SEEDS: [&str; 4] = [
    "@group(0) @binding(0) var<storage, read_write> x: array<f32>;
override N = 4u; @id(3) override K: f32 = 2.5;
struct Params { n: u32, s: vec3<f32>, m: mat3x3<f32> }
@group(0) @binding(1) var<uniform> p: Params;
var<workgroup> tile: array<f32, N * 2>;
fn f(a: f32, b: ptr<function, f32>) -> f32 { *b += a; return select(a, *b, a > K); }
@compute @workgroup_size(N, 2) fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) l: u32) {
    var s = 0.0; let i = id.x + 16u * id.y;
    for (var k = 0u; k < p.n; k++) { s += x[k] * p.s.y; if s > 3.0 { continue; } else if s < -1.0 { break; } }
    tile[l] = f(s, &s); workgroupBarrier();
    switch l { case 0, 1: { s = tile[l + 1]; } default: { s = -s; } }
    if i < arrayLength(&x) { x[i] = s + determinant(p.m); }
}",
    "enable f16; enable subgroups; diagnostic(off, derivative_uniformity);
alias v = vec4<f16>; const PI = 3.14159; const T = array<u32, 3>(1, 0xFFu, 1 << 3);
@group(0) @binding(0) var<storage, read_write> a: array<atomic<u32>>; @group(0) @binding(1) var<storage> h: array<v>;
@compute @workgroup_size(64, 1, 1) fn count(@builtin(subgroup_invocation_id) s: u32) {
    let r = atomicCompareExchangeWeak(&a[0], T[s % 3], 2u); /* nested /* comment */ */
    if r.exchanged && subgroupAny(s > 3) { atomicMax(&a[1], u32(dot(h[s], h[0]))); }
    loop { var q = i32(s); q -= 1; continuing { break if q < 3; } } // end
    let m = modf(f32(PI)); _ = m.fract;
}
@compute @workgroup_size(1) fn second() { storageBarrier(); atomicStore(&a[2], bitcast<u32>(1.5f)); }",
    "@group(0) @binding(0) var<storage, read_write> d: array<array<real, 2>>; @group(2) @binding(9) var<storage, read_write> l: i64;
var<private> g: real = 1; const_assert 1 < 2;
@vertex fn corner() -> @builtin(position) vec4<f32> { return vec4f(0); }
@compute @workgroup_size(8, 8) fn main(@builtin(num_workgroups) n: vec3u) {
    g = real(n.x) * d[0][1]; let i = &d[n.y]; (*i)[0] = abs(g) - sqrt(g); l = l + 1li;
    { var z: vec2<bool> = vec2(true, false); if all(z) { return; } }
}",
    "@group(0) @binding(0) var t: texture_2d<f32>; @group(0) @binding(1) var s: sampler; var<immediate> c: u32;
@compute @workgroup_size(1) fn main() { var q = textureSampleLevel(t, s, vec2(0.5), 0.0).x + f32(c); q = q; }",
];

/// Pieces that break things.
const PIECES: [&str; 32] = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ";",
    ",",
    ":",
    "=",
    "-",
    "--",
    "&",
    "*",
    "@",
    "/*",
    "*/",
    "//",
    "0",
    "4294967296",
    "1e400",
    "u32",
    "array<",
    "fn main",
    "struct S { a: S }",
    "override X: bool;",
    "é",
    "\u{0}",
    "\u{2028}",
    "enable f16;",
];

/// xorshift64*, from Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }

    /// A character boundary of `text`.
    fn cut(&mut self, text: &str) -> usize {
        let at = self.below(text.len() + 1);
        (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
    }
}

/// `text` with one thing wrong.
fn damage(text: &str, random: &mut Random) -> String {
    let (a, b) = (random.cut(text), random.cut(text));
    let (a, b) = (a.min(b), a.max(b));
    match random.below(6) {
        0 => text[..b].to_string(),
        1 => format!("{}{}", &text[..a], &text[b..]),
        2 => format!("{}{}{}", &text[..b], &text[a..b], &text[b..]),
        3 => format!(
            "{}{}{}",
            &text[..a],
            PIECES[random.below(PIECES.len())].repeat(1 + random.below(3)),
            &text[a..]
        ),
        4 => {
            let words = text.split_inclusive(|c: char| !c.is_alphanumeric()).collect::<Vec<_>>();
            let (from, to) = (random.below(words.len()), random.below(words.len()));
            let swapped = words.iter().enumerate().map(|(i, w)| if i == to { words[from] } else { w });
            swapped.collect()
        }
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            format!("{}{piece}{}", &text[..a], text[a..].chars().skip(1).collect::<String>())
        }
    }
}

/// Reads one damaged module and makes all its kernels; false where nothing came of it.
fn survives(seed: u64) -> bool {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut text = SEEDS[random.below(SEEDS.len())].to_string();
    for _ in 0..=random.below(2) {
        text = damage(&text, &mut random);
    }
    let mut sources = vec![Source::new("a.wgsl", text)];
    if random.below(4) == 0 {
        sources.push(Source::new("b.wgsl", "const OTHER = 1;"));
    }
    let scalar = [Scalar::F32, Scalar::F64, Scalar::F16][random.below(3)];
    let module = match Module::new(&sources, &[("real".to_string(), scalar)]) {
        Err(error) => {
            assert!(!error.to_string().trim().is_empty(), "seed {seed}: an error without a message");
            return false;
        }
        Ok(module) => module,
    };
    let constants =
        module.overrides().iter().map(|o| (o.name.clone(), random.below(3) as f64)).collect::<Vec<_>>();
    for entry in module.entries() {
        for constants in [&[][..], &constants] {
            match module.kernel(Some(entry), constants) {
                Err(error) => {
                    assert!(!error.to_string().trim().is_empty(), "seed {seed}: an error without a message")
                }
                Ok(kernel) => {
                    assert!(!kernel.dump().is_empty() && kernel.interface().entry == entry, "seed {seed}")
                }
            }
        }
    }
    true
}

#[test]
fn damaged_sources_end_in_a_kernel_or_a_message() {
    let seconds = std::env::var("WARPWEFT_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2.0);
    let start = Instant::now();
    let (mut accepted, mut seed) = (0, 0_u64);
    while start.elapsed() < Duration::from_secs_f64(seconds) || seed < 500 {
        let result = std::panic::catch_unwind(|| survives(seed));
        accepted += u64::from(result.unwrap_or_else(|_| panic!("seed {seed} panics")));
        seed += 1;
    }
    println!("{seed} sources, {accepted} accepted, in {:?}", start.elapsed());
    // Small damage leaves some sources valid: if none were, the later stages would not have been tried at all.
    assert!(accepted * 200 > seed, "only {accepted} of {seed} sources were accepted");
}

#[test]
fn the_undamaged_seeds_are_accepted() {
    for text in SEEDS {
        Module::new(&[Source::new("a.wgsl", text)], &[("real".to_string(), Scalar::F64)])
            .unwrap_or_else(|e| panic!("{e}"));
    }
}
