//! What people read of a bench: a table, what is missing in it, and where GPUs begin to win.
//!
//! Knows findings only.

use super::findings::{Finding, Findings, Missing, Times};
use crate::devices::plain;
use crate::record::seconds;

/// The whole report.
pub(crate) fn text(findings: &Findings) -> String {
    let mut text = table(&findings.results);
    let software = findings.results.iter().any(|f| f.kind == "software");
    if software {
        text += "\n`software` is a GPU API executed on the CPU: good for tests, compared with nothing.\n";
    }
    for crossover in &findings.crossovers {
        let location = crossover.location.replace('_', " ");
        text += &match crossover.size {
            Some(size) => {
                format!(
                    "\n{}: {} is faster than the CPU from {size} on ({location})",
                    crossover.kernel, crossover.placement
                )
            }
            None => format!(
                "\n{}: {} is faster than the CPU at no measured size ({location})",
                crossover.kernel, crossover.placement
            ),
        };
    }
    for Missing { kernel, size: n, placement, reason } in &findings.failed {
        text += &format!("\nFailed: {kernel} at {} on {placement}: {reason}", size(*n));
    }
    text += &list("Skipped", &findings.skipped);
    if findings.interrupted {
        text += "\nInterrupted: the table holds what was measured until then.";
    } else if findings.skipped.iter().any(|missing| missing.reason.contains("budget")) {
        text += "\nA larger budget would add what is skipped for time, as in `warpweft bench --budget 30m`.";
    }
    text += &format!(
        "\nMedians of checked results, ± half the distance between the quartiles, seed {}, {} of {} in all.",
        findings.seed,
        seconds(findings.elapsed_seconds),
        seconds(findings.budget_seconds)
    );
    text
}

fn table(results: &[Finding]) -> String {
    if results.is_empty() {
        return "Nothing was measured.\n".into();
    }
    let mut table =
        plain(&["kernel", "size", "--on", "path", "resident", "rate", "upload", "round trip", "first run"]);
    for finding in results {
        table.add_row([
            finding.kernel.to_string(),
            size(finding.size),
            finding.placement.clone(),
            finding.path.to_string(),
            times(&finding.resident),
            rate(finding),
            times(&finding.upload),
            times(&finding.round_trip),
            seconds(finding.first_seconds),
        ]);
    }
    format!("{table}\n")
}

/// The median, and half the distance between the quartiles as a part of it.
fn times(times: &Times) -> String {
    let spread = 50.0 * (times.upper_quartile - times.lower_quartile) / times.median.max(1e-9);
    format!("{} ±{spread:.0}%", seconds(times.median))
}

fn rate(finding: &Finding) -> String {
    match finding.counts_flops {
        true => format!("{:.3} GFLOP/s", finding.resident.gflops_per_second),
        false => format!("{:.3} GB/s", finding.resident.gbytes_per_second),
    }
}

fn size(size: u64) -> String {
    match size.is_power_of_two() {
        true => format!("2^{}", size.ilog2()),
        false => size.to_string(),
    }
}

/// One line for each run of sizes that a device lacks for about the same reason.
fn list(title: &str, missing: &[Missing]) -> String {
    let mut text = String::new();
    let mut rest: Vec<&Missing> = missing.iter().collect();
    while let Some(&first) = rest.first() {
        let alike = |m: &&Missing| (m.kernel, &m.placement) == (first.kernel, &first.placement);
        let (same, others): (Vec<&Missing>, Vec<&Missing>) = rest.into_iter().partition(alike);
        rest = others;
        let Missing { kernel, placement, reason, .. } = first;
        let sizes: Vec<String> = same.iter().map(|m| size(m.size)).collect();
        text += &format!("\n{title}: {kernel} at {} on {placement}: {reason}", sizes.join(", "));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_one_line_per_device() {
        let missing = |size, placement: &str| Missing {
            kernel: "triad",
            size,
            placement: placement.into(),
            reason: format!("too large: {size}"),
        };
        let text = list("Skipped", &[missing(1024, "cpu"), missing(1024, "gpu:0"), missing(3000, "cpu")]);
        let lines: Vec<&str> = text.trim().lines().collect();
        assert_eq!(
            lines,
            [
                "Skipped: triad at 2^10, 3000 on cpu: too large: 1024",
                "Skipped: triad at 2^10 on gpu:0: too large: 1024"
            ]
        );
        assert_eq!(list("Skipped", &[]), "");
    }

    #[test]
    fn times_show_their_spread() {
        let sample = Times::new(vec![0.9, 1.0, 1.1], 1.0, 1.0);
        assert_eq!(sample.map(|sample| times(&sample)).as_deref(), Some("1.00 s ±5%"));
    }
}
