//! What people read of a session: markdown for the README, ratios, and the bars.
//!
//! Knows findings only.

use std::fmt::Write;

use crate::findings::{Findings, Row, geometric_mean};

/// Our paths, the one that is chosen by itself first.
const OURS: [&str; 3] = ["avx512", "avx2", "cranelift"];
/// The Rust rival.
pub const RUST: &str = "Rust + rayon";
/// The software device.
pub const SOFTWARE: &str = "lavapipe";
/// The OpenCL rival.
pub const OPENCL: &str = "PoCL";
/// How names of loops by hand begin.
const BY_HAND: &str = "by hand";

/// The whole report, in markdown.
pub fn markdown(findings: &Findings) -> String {
    let mut text = findings.machine.join("; ") + &format!("; {} threads.\n", findings.threads);
    if findings.quick {
        text += "Quick: small sizes, not to be recorded.\n";
    }
    text += &format!("The Rust rivals were compiled for vectors of {} bits.\n", findings.native_bits);
    text += &limits(findings);
    text += &times(findings);
    text += &ratios(findings);
    text += &compile(findings);
    for row in &findings.kernels {
        for missing in row.missing.iter().filter(|missing| missing.failed) {
            line(
                &mut text,
                format_args!("\nFailed: {} by {}: {}", row.kernel, missing.rival, missing.reason),
            );
        }
    }
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes everything");
}

fn limits(findings: &Findings) -> String {
    let mut text = String::from("\n| limit | rates | best |\n|---|---|---|\n");
    for bound in &findings.limits {
        let rates: Vec<String> = bound.rates.iter().map(|rate| digits(*rate)).collect();
        line(
            &mut text,
            format_args!("| {} | {} | {} {} |", bound.name, rates.join(", "), digits(bound.best), bound.unit),
        );
    }
    text
}

/// Milliseconds, with half the distance between the quartiles.
fn times(findings: &Findings) -> String {
    let mut rivals: Vec<&str> = Vec::new();
    for entry in findings.kernels.iter().flat_map(|row| &row.times) {
        if !rivals.contains(&&*entry.rival) {
            rivals.push(&entry.rival);
        }
    }
    let mut text = format!(
        "\nMilliseconds: medians ± half the distance between the quartiles.\n\n| kernel | size | ideal | {} |\n|",
        rivals.join(" | ")
    );
    text += &"---|".repeat(rivals.len() + 3);
    text.push('\n');
    for row in &findings.kernels {
        let cell = |rival: &&str| {
            let entry = row.times.iter().find(|entry| entry.rival == **rival);
            entry.map_or(String::new(), |entry| {
                format!("{} ±{:.0} %", digits(1e3 * entry.times.median), 100.0 * entry.times.spread())
            })
        };
        let cells: Vec<String> = rivals.iter().map(cell).collect();
        let ideal = ideal(findings, row).map_or(String::new(), |seconds| digits(1e3 * seconds));
        line(&mut text, format_args!("| {} | {} | {ideal} | {} |", row.kernel, row.size, cells.join(" | ")));
    }
    text
}

/// What the kernel's compulsory bytes, or flops in its mix, take at the best rate that was measured.
fn ideal(findings: &Findings, row: &Row) -> Option<f64> {
    let (unit, amount) =
        if row.counts_flops { ("GFLOP/s", row.flops / row.mix) } else { ("GB/s", row.bytes) };
    // Sums only read; everything else writes too.
    let fits = |name: &str| match (row.counts_flops, row.kernel) {
        (true, _) => true,
        (false, "reduce_sum" | "histogram") => name == "read",
        (false, "saxpy") => name == "axpy in place",
        (false, _) => name.starts_with("copy") || name.starts_with("triad"),
    };
    let rates = findings.limits.iter().filter(|bound| bound.unit == unit && fits(bound.name));
    let best = rates.map(|bound| bound.best).fold(0.0, f64::max);
    (best > 0.0).then(|| amount / best / 1e9)
}

/// What a row says of us against others: theirs divided by ours.
struct Ratios {
    rust: Option<f64>,
    software: Option<f64>,
    opencl: Option<f64>,
    by_hand: Option<f64>,
    wide: [Option<f64>; 2],
    ideal: Option<f64>,
}

impl Ratios {
    fn new(findings: &Findings, row: &Row) -> Option<Self> {
        let (ours, median) = OURS.iter().find_map(|path| Some((path, row.median(path)?)))?;
        let by_hand = row.times.iter().filter(|entry| entry.rival.starts_with(BY_HAND));
        let by_hand = by_hand.min_by(|a, b| a.times.median.total_cmp(&b.times.median));
        Some(Self {
            rust: row.ratio(RUST, ours),
            software: row.ratio(SOFTWARE, ours),
            opencl: row.ratio(OPENCL, ours),
            by_hand: by_hand.and_then(|entry| row.ratio(&entry.rival, ours)),
            wide: ["avx2", "avx512"].map(|path| row.ratio("cranelift", path)),
            ideal: ideal(findings, row).map(|ideal| ideal / median),
        })
    }
}

fn ratios(findings: &Findings) -> String {
    let rows: Vec<(&Row, Ratios)> =
        findings.kernels.iter().filter_map(|row| Some((row, Ratios::new(findings, row)?))).collect();
    if rows.is_empty() {
        return "\nNothing was compiled: there are no ratios.\n".into();
    }
    let mut text = String::from(
        "\nTheir time divided by that of our widest path, round by round, and the median of that (more than 1: we are \
         faster).\n\n\
         | kernel | ideal | by hand | Rust + rayon | lavapipe | PoCL | AVX2 : Cranelift | AVX-512 : Cranelift |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let cell = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    for (row, r) in &rows {
        let other = if row.other_algorithm { " (another algorithm)" } else { "" };
        let cells = [r.ideal, r.by_hand, r.rust, r.software, r.opencl, r.wide[0], r.wide[1]].map(cell);
        let [ideal, by_hand, rust, software, opencl, avx2, avx512] = cells;
        line(
            &mut text,
            format_args!(
                "| {} | {ideal} | {by_hand} | {rust}{other} | {software} | {opencl} | {avx2} | {avx512} |",
                row.kernel
            ),
        );
    }
    let rust = rows.iter().filter(|(row, _)| !row.other_algorithm).filter_map(|(_, r)| r.rust).collect();
    let of = |ratio: fn(&Ratios) -> Option<f64>| rows.iter().filter_map(|(_, r)| ratio(r)).collect();
    let bars: [(&str, Vec<f64>, f64, f64); 4] = [
        (RUST, rust, 3.0, 0.97),
        (SOFTWARE, of(|r| r.software), 10.0, 2.0),
        (OPENCL, of(|r| r.opencl), 4.0, 0.0),
        (BY_HAND, of(|r| r.by_hand), 0.0, 0.95),
    ];
    text.push('\n');
    for (name, ratios, bar, least) in bars {
        let (Some(mean), Some(worst)) =
            (geometric_mean(&ratios), ratios.iter().copied().min_by(f64::total_cmp))
        else {
            continue;
        };
        let met = if mean >= bar && worst >= least { "met" } else { "missed" };
        let n = ratios.len();
        line(
            &mut text,
            format_args!(
                "* against {name}: geometric mean {mean:.2} (bar {bar}) over {n} kernels, worst {worst:.2} (bar {least}): {met}"
            ),
        );
    }
    text
}

fn compile(findings: &Findings) -> String {
    if findings.compile.is_empty() {
        return String::new();
    }
    let paths: Vec<&str> = findings.compile[0].code.iter().map(|(path, _)| *path).collect();
    let mut text = format!(
        "\nCompiling, in microseconds: naga's own part (parsing, validation), the rest of reading, and code.\n\n\
         | kernel | lines | naga | reading beyond | {} |\n|{}\n",
        paths.join(" | "),
        "---|".repeat(4 + paths.len())
    );
    for c in &findings.compile {
        let micro = |seconds: f64| digits(1e6 * seconds);
        let code = c.code.iter().map(|(_, seconds)| seconds.map_or("interpreted".into(), micro));
        let code: Vec<String> = code.collect();
        line(
            &mut text,
            format_args!(
                "| {} | {} | {} | {} | {} |",
                c.kernel,
                c.lines,
                micro(c.naga),
                micro(c.reading),
                code.join(" | ")
            ),
        );
    }
    text
}

/// Three digits that count.
fn digits(x: f64) -> String {
    match x.abs() {
        x if x >= 100.0 => format!("{x:.0}"),
        x if x >= 10.0 => format!("{x:.1}"),
        x if x >= 1.0 => format!("{x:.2}"),
        _ => format!("{x:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::{Bound, Compilation, Entry, Missing, Times};

    fn row(kernel: &'static str, other_algorithm: bool, medians: &[(&str, f64)]) -> Row {
        let entry = |(rival, median): &(&str, f64)| Entry {
            rival: (*rival).into(),
            times: Times::new(vec![*median]).expect("one time"),
            turns: vec![*median],
        };
        Row {
            kernel,
            size: "2²".into(),
            flops: 1e9,
            bytes: 1e9,
            counts_flops: false,
            mix: 1.0,
            other_algorithm,
            times: medians.iter().map(entry).collect(),
            missing: vec![Missing { rival: "PoCL".into(), reason: "a wrong result".into(), failed: true }],
        }
    }

    #[test]
    fn bars_are_judged() {
        let mut findings = Findings {
            limits: vec![Bound { name: "copy", unit: "GB/s", rates: vec![10.0], best: 10.0 }],
            kernels: vec![
                row("triad", false, &[("avx512", 0.2), ("cranelift", 0.4), (RUST, 0.2), (SOFTWARE, 4.1)]),
                row("nbody", false, &[("avx512", 0.1), ("cranelift", 0.4), (RUST, 1.6), (SOFTWARE, 0.5)]),
                row("matmul", true, &[("avx512", 0.1), (RUST, 0.01), (SOFTWARE, 1.0)]),
            ],
            compile: vec![Compilation {
                kernel: "triad".into(),
                lines: 10,
                naga: 1e-4,
                reading: 2e-5,
                code: vec![("avx512", Some(5e-4)), ("avx2", None)],
            }],
            ..Findings::default()
        };
        let text = markdown(&findings);
        assert!(
            text.contains(
                "against Rust + rayon: geometric mean 4.00 (bar 3) over 2 kernels, worst 1.00 (bar 0.97): met"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "against lavapipe: geometric mean 10.08 (bar 10) over 3 kernels, worst 5.00 (bar 2): met"
            ),
            "{text}"
        );
        assert!(text.contains("| triad | 0.50 |  | 1.00 | 20.50 |  |  | 2.00 |"), "{text}");
        assert!(text.contains("| triad | 2² | 100 | 200 ±0 % | 400 ±0 % | 200 ±0 % | 4100 ±0 % |"), "{text}");
        assert!(text.contains("| triad | 10 | 100 | 20.0 | 500 | interpreted |"), "{text}");
        assert!(text.contains("Failed: nbody by PoCL: a wrong result"), "{text}");
        findings.kernels[1].times.remove(2);
        assert!(markdown(&findings).contains("worst 1.00 (bar 0.97): missed"));
    }
}
