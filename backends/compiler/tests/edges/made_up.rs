//! Kernels of guards, counters and indices, each made up from a number.
//!
//! Knows no edge by name: what it finds becomes a test beside those in the other files.

use super::{Case, NUMBERS, noise, same_everywhere, text};

/// Kernels of guards, counters and indices, each from a number.
struct Maker {
    state: u64,
    /// Names of numbers and of conditions in scope.
    numbers: Vec<String>,
    conditions: Vec<String>,
    names: u32,
    /// A workgroup's memory is there.
    tile: bool,
}

impl Maker {
    fn below(&mut self, n: usize) -> usize {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 33) as usize) % n
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn constant(&mut self) -> &'static str {
        self.one(&[
            "0u",
            "1u",
            "1u",
            "2u",
            "3u",
            "5u",
            "31u",
            "32u",
            "64u",
            "0x7fffffffu",
            "0x80000000u",
            "0xffffffffu",
        ])
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 || self.below(4) == 0 {
            return match self.below(7) {
                // Not constant to whoever reads the text.
                0 => format!("(z + {})", self.constant()),
                1 => self.one(&["u.x", "u.y", "u.z", "arrayLength(&data)", "arrayLength(&out)"]).into(),
                2 => self.one(&["l", "lid.x", "lid.y", "wg.x"]).into(),
                3 => "i".into(),
                _ => {
                    let at = self.below(self.numbers.len());
                    self.numbers[at].clone()
                }
            };
        }
        let a = self.number(depth - 1);
        match self.below(12) {
            0 => format!("({a} * {})", self.constant()),
            1 => format!("({a} << {})", self.one(&["1u", "2u", "30u", "31u"])),
            2 => format!("({a} & {})", self.one(&["7u", "15u", "31u", "0xfffffff0u"])),
            3 => format!("({a} % {})", self.one(&["3u", "16u", "33u"])),
            4 => format!("({a} >> {})", self.one(&["1u", "4u"])),
            5 => format!("bitcast<u32>(-bitcast<i32>({a}))"),
            6 => format!("min({a}, {})", self.number(depth - 1)),
            7 => format!("select({a}, {}, {})", self.number(depth - 1), self.condition(depth - 1)),
            8 | 9 => format!("({a} - {})", self.number(depth - 1)),
            _ => format!("({a} + {})", self.number(depth - 1)),
        }
    }

    fn condition(&mut self, depth: u32) -> String {
        if !self.conditions.is_empty() && self.below(4) == 0 {
            let at = self.below(self.conditions.len());
            return self.conditions[at].clone();
        }
        match self.below(if depth == 0 { 6 } else { 10 }) {
            6 => format!("({} && {})", self.condition(depth - 1), self.condition(depth - 1)),
            7 => format!("({} || {})", self.condition(depth - 1), self.condition(depth - 1)),
            8 => format!("!({})", self.condition(depth - 1)),
            9 => format!("((data[{}] & 1u) == 1u)", self.number(1)),
            n => {
                let op = self.one(&["<", "<", "<=", ">", ">=", "==", "!="]);
                let (a, b) = (self.number(depth.min(2)), self.number(1));
                if n == 0 {
                    format!("(bitcast<i32>({a}) {op} bitcast<i32>({b}))")
                } else {
                    format!("({a} {op} {b})")
                }
            }
        }
    }

    fn list(&mut self, depth: u32) -> String {
        let (numbers, conditions) = (self.numbers.len(), self.conditions.len());
        let count = 1 + self.below(4);
        let text: Vec<String> = (0..count).map(|_| self.statement(depth)).collect();
        self.numbers.truncate(numbers);
        self.conditions.truncate(conditions);
        text.join("\n")
    }

    fn counter(&mut self) -> (String, String, String) {
        let start = if self.below(2) == 0 { "0u".into() } else { self.number(1) };
        let limit = if self.below(3) == 0 { self.number(1) } else { self.one(&["u.x", "u.y", "u.z"]).into() };
        (self.name(), start, limit)
    }

    fn statement(&mut self, depth: u32) -> String {
        match self.below(if depth == 0 { 8 } else { 17 }) {
            0 => {
                let (name, value) = (self.name(), self.number(2));
                self.numbers.push(name.clone());
                format!("let {name} = {value};")
            }
            1 => {
                let (name, value) = (self.name(), self.condition(1));
                self.conditions.push(name.clone());
                format!("let {name} = {value};")
            }
            2 => format!("out[{}] = 7u;", self.number(2)),
            3 => format!("s += table[{}][{}];", self.number(1), self.number(1)),
            4 => format!("atomicAdd(&steps[{}], {});", self.number(1), self.number(0)),
            5 => format!("own[{}] += {}; s ^= own[{}];", self.number(1), self.number(0), self.number(1)),
            6 | 7 => format!("s += data[{}];", self.number(2)),
            8 => format!(
                "if {} {{ {} return; }}",
                self.condition(1),
                self.one(&["", "out[i] = 7u;", "sums[g] = s;"])
            ),
            9 | 10 => format!("if {} {{ {} }}", self.condition(2), self.list(depth - 1)),
            11 | 12 => {
                format!(
                    "if {} {{ {} }} else {{ {} }}",
                    self.condition(1),
                    self.list(depth - 1),
                    self.list(depth - 1)
                )
            }
            13 | 14 => {
                let (k, start, limit) = self.counter();
                let op = self.one(&["<", "<", "<="]);
                let step = self.one(&["1u", "1u", "3u", "1000u"]);
                self.numbers.push(k.clone());
                let body = self.list(depth - 1);
                let leave =
                    self.one(&["", "if (s & 31u) == 5u { break; }", "if (s & 7u) == 5u { continue; }"]);
                let text = format!(
                    "for (var {k} = {start}; {k} {op} {limit}; {k} += {step}) {{ if n > 40u {{ break; }} n++; {body} {leave} s += data[{k}]; }}"
                );
                self.numbers.pop();
                text
            }
            15 => {
                let (k, start, limit) = self.counter();
                self.numbers.push(k.clone());
                let (last, body) = (self.list(0), self.list(depth - 1));
                let leave = self.one(&["break;", "break;", "sums[g] = s; return;"]);
                let text = format!(
                    "for (var {k} = {start}; ; {k}++) {{ if {k} >= {limit} {{ {last} {leave} }} if n > 40u {{ break; }} n++; {body} s += data[{k}]; }}"
                );
                self.numbers.pop();
                text
            }
            _ => {
                let (k, start, limit) = self.counter();
                self.numbers.push(k.clone());
                let (body, again) = (self.list(depth - 1), self.list(0));
                let text = format!(
                    "var {k} = {start}; loop {{ if {k} >= {limit} {{ continue; }} {body} s += data[{k}]; continuing {{ {again} n++; {k}++; break if n > 40u; }} }}"
                );
                self.numbers.pop();
                text
            }
        }
    }

    fn kernel(&mut self) -> String {
        self.tile = self.below(3) == 0;
        let size = self.one(&["32", "16", "33", "8, 4", "64", "5, 3", "32, 2"]);
        let count: u32 = size.split(',').map(|n| n.trim().parse::<u32>().unwrap()).product();
        let mut body = vec!["var s = 0u; var n = 0u; var z = 0u; var own = array<u32, 16>();".to_string()];
        for _ in 0..2 + self.below(3) {
            body.push(self.statement(2));
            if self.tile {
                let at = self.number(1);
                body.push(format!("t[l] = s; workgroupBarrier(); s += t[{at}]; workgroupBarrier();"));
            }
        }
        body.push("sums[g] = s;".into());
        let tile = if self.tile { format!("var<workgroup> t: array<u32, {count}>;") } else { String::new() };
        let more = format!(
            "@group(0) @binding(3) var<storage, read> table: array<array<u32, 16>>;
             @group(0) @binding(4) var<storage, read_write> sums: array<u32>;
             @group(0) @binding(5) var<storage, read_write> steps: array<atomic<u32>>;
             {tile}"
        );
        text(size, &more, &body.join("\n"))
    }

    fn cases(&mut self) -> Vec<Case> {
        let length = [0, 1, 7, 16, 31, 32, 33, 64, 100, 130];
        (0..12)
            .map(|_| {
                let mut lengths = || length[self.below(length.len())];
                let (out, data, sums, steps) = (lengths(), lengths(), lengths(), lengths());
                let rows = self.below(4);
                let mut uniform = || match self.below(3) {
                    0 => NUMBERS[self.below(NUMBERS.len())],
                    1 => [out, data, sums][self.below(3)] as u32,
                    _ => self.below(40) as u32,
                };
                let uniforms = (0..4).map(|_| uniform()).collect();
                let seed = self.below(1000) as u32;
                let table = noise(16 * rows, seed);
                let inputs =
                    vec![vec![7; out], noise(data, seed), uniforms, table, vec![0; sums], noise(steps, seed)];
                Case { inputs, workgroups: [3, 1, 1], over: None }
            })
            .collect()
    }
}

/// `WARPWEFT_EDGES=1000` makes that many kernels, `WARPWEFT_EDGES_FIRST=17` begins at that number, and
/// `WARPWEFT_EDGES_TRACE=1` tells each before it runs, should one take the process with it.
#[test]
fn kernels_made_of_edges() {
    let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = setting("WARPWEFT_EDGES_FIRST").unwrap_or(0);
    for seed in first..first + setting("WARPWEFT_EDGES").unwrap_or(8) {
        let mut maker = Maker {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            numbers: vec!["i".into()],
            conditions: vec![],
            names: 0,
            tile: false,
        };
        let wgsl = maker.kernel();
        if setting("WARPWEFT_EDGES_TRACE").is_some() {
            eprintln!("kernel {seed}\n{wgsl}");
        }
        let cases = maker.cases();
        let outcome = std::panic::catch_unwind(|| same_everywhere(&wgsl, &cases));
        assert!(outcome.is_ok(), "kernel {seed}");
    }
}
