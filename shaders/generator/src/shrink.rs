//! Makes a failing kernel smaller, line by line and block by block.
//!
//! Knows only how generated kernels are laid out: one statement a line, blocks between lines that end in `{` and that
//! start with `}`. Whether what is left is valid, and still fails, is the caller's to say.

/// The smallest kernel found from which nothing more can be taken without `fails` becoming false.
///
/// `fails` is asked about texts that may not be valid; it must say `false` for those. Barriers, and what bounds a
/// loop, go only with the whole block around them, so that no race and no endless loop is made.
pub fn shrink(wgsl: &str, mut fails: impl FnMut(&str) -> bool) -> String {
    let mut lines: Vec<&str> = wgsl.lines().collect();
    loop {
        let before = lines.len();
        let mut at = lines.len();
        while at > 0 {
            at -= 1;
            if let Some(smaller) = attempts(&lines, at).into_iter().find(|lines| fails(&join(lines))) {
                lines = smaller;
                at = at.min(lines.len());
            }
        }
        if lines.len() == before {
            return join(&lines);
        }
    }
}

fn join(lines: &[&str]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Texts without the statement that starts at a line, the smallest first.
fn attempts<'a>(lines: &[&'a str], at: usize) -> Vec<Vec<&'a str>> {
    // Without the lines from `start` up to `end`, of which those from `keep` up to `kept` stay.
    let without = |start: usize, end: usize, keep: usize, kept: usize| {
        [&lines[..start], &lines[keep..kept], &lines[end..]].concat()
    };
    let line = lines[at].trim();
    if line.starts_with('}') || !line.ends_with('{') {
        let held = line.starts_with('}') || line.contains("// bound") || line.contains("Barrier()");
        return if held { Vec::new() } else { vec![without(at, at + 1, at, at)] };
    }
    let Some((middle, end)) = block(lines, at) else {
        return Vec::new();
    };
    let mut attempts = vec![without(at, end + 1, at, at)];
    // What comes before the first `} else {` alone, or without the block around it.
    if let Some(&first) = middle.first() {
        attempts.push(without(first, end, end, end));
    }
    let first = middle.first().copied().unwrap_or(end);
    attempts.push(without(at, end + 1, at + 1, first));
    attempts
}

/// The lines of a block's `} else {`s, and of its end.
fn block(lines: &[&str], at: usize) -> Option<(Vec<usize>, usize)> {
    let (mut depth, mut middle) = (1, Vec::new());
    for (n, line) in lines.iter().enumerate().skip(at + 1) {
        let line = line.trim();
        let closes = line.starts_with('}');
        if closes && depth == 1 {
            if !line.ends_with('{') {
                return Some((middle, n));
            }
            middle.push(n);
            continue;
        }
        depth -= usize::from(closes);
        depth += usize::from(line.ends_with('{'));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let text = "fn main() {\n    let a = 1;\n    if c {\n        b();\n        bad();\n    } else {\n        d();\n    }\n    e();\n}\n";
        let valid = |text: &str| text.matches('{').count() == text.matches('}').count();
        let small = shrink(text, |text| valid(text) && text.contains("bad();") && text.contains("fn main"));
        assert_eq!(small.lines().map(str::trim).collect::<Vec<_>>(), ["fn main() {", "bad();", "}"]);
    }

    #[test]
    fn barriers_stay_unless_their_block_goes() {
        let text = "fn main() {\n    w = 1;\n    workgroupBarrier();\n    bad();\n}\n";
        let small = shrink(text, |text| text.contains("bad();") && text.contains("fn main"));
        assert!(small.contains("workgroupBarrier();"), "{small}");
        let text = "fn main() {\n    if u {\n        workgroupBarrier();\n    }\n    bad();\n}\n";
        let small = shrink(text, |text| text.contains("bad();") && text.contains("fn main"));
        assert!(!small.contains("workgroupBarrier();"), "{small}");
    }
}
