//! Numbers as people type them: `1024`, `2^20`, `1e6`, `0xff`; sizes, grids, ranges, durations.
//!
//! Knows text and integers; WGSL's types are [`crate::values`]'s business.

use std::time::Duration;

/// The largest extent of a grid along one axis, in invocations or workgroups.
const WIDEST: u64 = u32::MAX as u64;

/// An integer: decimal, hexadecimal (`0xff`), a power (`2^20`) or in scientific notation (`1e6`).
///
/// # Errors
/// When the text is no number, no whole number, or beyond 128 bits.
pub(crate) fn integer(text: &str) -> Result<i128, String> {
    let text = text.trim();
    let large = || format!("`{text}` is too large");
    if text.is_empty() {
        return Err("a number is missing".into());
    }
    if let Some((base, exponent)) = text.split_once('^') {
        let base = base.parse::<i128>().map_err(|_| nonsense(text))?;
        let exponent = exponent.parse::<u32>().map_err(|_| nonsense(text))?;
        return base.checked_pow(exponent).ok_or_else(large);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let sign = if negative { -1 } else { 1 };
    if let Some(hex) = digits.strip_prefix("0x") {
        if hex.is_empty() || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(nonsense(text));
        }
        return i128::from_str_radix(hex, 16).map(|n| sign * n).map_err(|_| large());
    }
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits.parse::<i128>().map(|n| sign * n).map_err(|_| large());
    }
    scientific(digits).map(|n| sign * n).map_err(|why| match why {
        Scientific::Nonsense => nonsense(text),
        Scientific::Fraction => format!("`{text}` is not a whole number"),
        Scientific::Large => large(),
    })
}

enum Scientific {
    Nonsense,
    Fraction,
    Large,
}

/// Reads `2.5e3` exactly: its digits, shifted by its exponent.
fn scientific(text: &str) -> Result<i128, Scientific> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| Scientific::Nonsense)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Scientific::Nonsense);
    }
    let significant = digits.trim_start_matches('0');
    let kept = significant.trim_end_matches('0');
    if kept.is_empty() {
        return Ok(0);
    }
    let dropped = (significant.len() - kept.len()) as i64;
    let shift = i64::from(exponent) - fraction.len() as i64 + dropped;
    let shift =
        u32::try_from(shift).map_err(|_| if shift < 0 { Scientific::Fraction } else { Scientific::Large })?;
    let power = 10i128.checked_pow(shift).ok_or(Scientific::Large)?;
    kept.parse::<i128>().ok().and_then(|n| n.checked_mul(power)).ok_or(Scientific::Large)
}

fn nonsense(text: &str) -> String {
    format!("`{text}` is not a number: write 1024, 2^20 or 1e6")
}

/// A number of things.
///
/// # Errors
/// As [`integer`]; when it is negative or beyond 64 bits.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let n = integer(text)?;
    if n < 0 {
        return Err(format!("`{}` is negative", text.trim()));
    }
    u64::try_from(n).map_err(|_| format!("`{}` is too large", text.trim()))
}

/// A number of things, at least one.
///
/// # Errors
/// As [`count`]; when it is zero.
pub(crate) fn positive(text: &str) -> Result<u64, String> {
    match count(text)? {
        0 => Err("it must be at least 1".into()),
        n => Ok(n),
    }
}

/// One to three extents, `N[,M[,K]]`; missing ones are 1.
///
/// # Errors
/// As [`count`]; when there are more than three, or one is wider than any device takes.
pub(crate) fn extents(text: &str) -> Result<[u64; 3], String> {
    let mut extents = [1; 3];
    let parts: Vec<&str> = text.split(',').collect();
    if parts.len() > 3 {
        return Err(format!("`{text}` has {} extents, a grid has at most three", parts.len()));
    }
    for (extent, part) in extents.iter_mut().zip(parts) {
        *extent = count(part)?;
        if *extent > WIDEST {
            return Err(format!("`{}` is too large: an extent is at most {WIDEST}", part.trim()));
        }
    }
    Ok(extents)
}

/// A numpy shape, `1024x1024`: the last axis varies fastest.
///
/// # Errors
/// As [`count`]; when the number of elements is beyond 64 bits.
pub(crate) fn shape(text: &str) -> Result<Vec<usize>, String> {
    let axes = text.split('x').map(|axis| {
        usize::try_from(count(axis)?).map_err(|_| format!("`{axis}` is too large for this machine"))
    });
    let axes = axes.collect::<Result<Vec<_>, _>>().map_err(|why| format!("the shape `{text}`: {why}"))?;
    match axes.iter().try_fold(1usize, |product, &n| product.checked_mul(n)) {
        Some(_) => Ok(axes),
        None => Err(format!("the shape `{text}` has too many elements")),
    }
}

/// Sizes: a list (`1000,2^14`), or a range of powers of two in steps of four (`2^10..2^24`); ascending, each once.
///
/// # Errors
/// As [`positive`]; when a range runs backwards.
pub(crate) fn sizes(text: &str) -> Result<Vec<u64>, String> {
    let mut sizes = Vec::new();
    for part in text.split(',') {
        match part.split_once("..") {
            None => sizes.push(positive(part)?),
            Some((from, to)) => {
                let (from, to) = (positive(from)?, positive(to)?);
                if from > to {
                    return Err(format!("the range `{part}` runs backwards"));
                }
                let steps = std::iter::successors(Some(from), |n| n.checked_mul(4));
                sizes.extend(steps.take_while(|&n| n <= to));
                if sizes.last() != Some(&to) {
                    sizes.push(to);
                }
            }
        }
    }
    sizes.sort_unstable();
    sizes.dedup();
    Ok(sizes)
}

/// A duration: `90s`, `2m`, `1.5h`, or plain seconds.
///
/// # Errors
/// When it is no number, not positive, or longer than a year.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    let seconds =
        number.parse::<f64>().map_err(|_| format!("`{text}` is not a duration: write 90s, 2m or 1h"))? * unit;
    match seconds > 0.0 && seconds <= 365.0 * 86400.0 {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(format!("`{text}` is not a duration between nothing and a year: write 90s, 2m or 1h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_people_type_them() {
        let cases = [
            ("1024", 1024),
            (" 7 ", 7),
            ("2^20", 1 << 20),
            ("1e6", 1_000_000),
            ("2.5E3", 2500),
            ("100e-2", 1),
            ("10.0", 10),
            ("-3", -3),
            ("+3", 3),
            ("0xFf", 255),
            ("0e999999", 0),
            ("18446744073709551615", u64::MAX.into()),
        ];
        for (text, expected) in cases {
            assert_eq!(integer(text), Ok(expected), "{text}");
        }
        let wrong = [
            ("", "missing"),
            ("nan", "not a number"),
            ("inf", "not a number"),
            ("abc", "not a number"),
            ("1e", "not a number"),
            ("--1", "not a number"),
            ("0x", "not a number"),
            ("0x-1", "not a number"),
            ("3.5", "not a whole number"),
            ("1e-1", "not a whole number"),
            ("2^200", "too large"),
            ("1e300", "too large"),
            ("1e2000000000", "too large"),
            ("1e99999999999", "not a number"),
        ];
        for (text, part) in wrong {
            let why = integer(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn extents_fill_up_with_one() {
        assert_eq!(extents("64"), Ok([64, 1, 1]));
        assert_eq!(extents("2^4,8"), Ok([16, 8, 1]));
        assert_eq!(extents("1,2,3"), Ok([1, 2, 3]));
        for text in ["", "nan", "-1", "1,2,3,4", "1e10", "1,,2", "1e400"] {
            assert!(extents(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shapes_sizes_and_durations() {
        assert_eq!(shape("1024x2^3"), Ok(vec![1024, 8]));
        assert!(shape("2^40x2^40").unwrap_err().contains("too many"));
        assert!(shape("4x").is_err() && shape("4x-1").unwrap_err().contains("negative"));
        assert_eq!(sizes("2^10..2^14,100"), Ok(vec![100, 1024, 4096, 16384]));
        assert_eq!(sizes("8..100"), Ok(vec![8, 32, 100]));
        assert!(sizes("9..8").is_err() && sizes("0").is_err() && sizes("").is_err());
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "m", "-1s", "nan", "inf", "0", "1e9h", "ä"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
