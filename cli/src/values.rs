//! Text to the bytes that a WGSL type has in memory: what `--set` and `--const` mean.
//!
//! Knows WGSL's types and layout, not which binding the value is for.

use half::f16;
use warpweft::Scalar;
use warpweft_module::Type;

use crate::numbers::integer;

/// The bytes of a value: a number, or comma-separated numbers for vectors, matrices (column by column) and arrays.
///
/// # Errors
/// When a number does not fit its type, or their count does not fit the type.
pub(crate) fn encode(ty: &Type, text: &str) -> Result<Vec<u8>, String> {
    if let Type::Struct { members, .. } = ty {
        let names: Vec<String> = members.iter().map(|m| format!("`.{}`", m.name)).collect();
        return Err(format!("it is a struct: set its members one by one ({})", names.join(", ")));
    }
    let Some(scalar) = ty.scalar() else {
        return Err(format!("a `{ty}` cannot be typed: bind a .npy with its bytes instead"));
    };
    let offsets = scalars(ty, 0);
    let parts: Vec<&str> = text.split(',').collect();
    if parts.len() != offsets.len() {
        let needed = match offsets.len() {
            1 => "one number".to_string(),
            n => format!("{n} numbers separated by commas"),
        };
        return Err(format!("`{ty}` takes {needed}, `{text}` has {}", parts.len()));
    }
    let mut bytes = vec![0; ty.size() as usize];
    for (offset, part) in offsets.into_iter().zip(parts) {
        let value = encode_scalar(scalar, part)?;
        bytes[offset..offset + value.len()].copy_from_slice(&value);
    }
    Ok(bytes)
}

/// The offsets of all scalars of a type, in order.
fn scalars(ty: &Type, at: usize) -> Vec<usize> {
    match ty {
        Type::Scalar(_) | Type::Atomic(_) => vec![at],
        Type::Vector { len, scalar } => (0..*len as usize).map(|i| at + i * scalar.size() as usize).collect(),
        Type::Matrix { columns, rows, scalar } => {
            let column = Type::Vector { len: *rows, scalar: *scalar };
            let stride = (ty.size() / columns) as usize;
            (0..*columns as usize).flat_map(|i| scalars(&column, at + i * stride)).collect()
        }
        Type::Array { element, len, stride } => {
            (0..len.unwrap_or(1) as usize).flat_map(|i| scalars(element, at + i * *stride as usize)).collect()
        }
        Type::Struct { members, .. } => {
            members.iter().flat_map(|m| scalars(&m.ty, at + m.offset as usize)).collect()
        }
    }
}

/// The bytes of one scalar.
///
/// # Errors
/// When the text is no number, not whole where it must be, or out of the type's range.
pub(crate) fn encode_scalar(scalar: Scalar, text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let fits = |bytes: Option<Vec<u8>>, range: String| {
        bytes.ok_or_else(|| format!("`{text}` does not fit `{scalar}`, which holds {range}"))
    };
    macro_rules! int {
        ($t:ty) => {{
            let n = integer(text).map_err(|why| format!("{why}; `{scalar}` takes whole numbers"))?;
            let bytes = <$t>::try_from(n).ok().map(|n| n.to_le_bytes().to_vec());
            fits(bytes, format!("{} to {}", <$t>::MIN, <$t>::MAX))
        }};
    }
    match scalar {
        Scalar::I16 => int!(i16),
        Scalar::U16 => int!(u16),
        Scalar::I32 => int!(i32),
        Scalar::U32 => int!(u32),
        Scalar::I64 => int!(i64),
        Scalar::U64 => int!(u64),
        Scalar::F16 => {
            let (wide, named) = float(text)?;
            let value = f16::from_f64(wide);
            let bytes = (named || value.is_finite()).then(|| value.to_le_bytes().to_vec());
            fits(bytes, format!("up to ±{}", f16::MAX))
        }
        Scalar::F32 => {
            let (wide, named) = float(text)?;
            // Read at once in the type's own precision: rounded once.
            let value = text.parse::<f32>().unwrap_or(wide as f32);
            let bytes = (named || value.is_finite()).then(|| value.to_le_bytes().to_vec());
            fits(bytes, format!("up to ±{:e}", f32::MAX))
        }
        Scalar::F64 => {
            let (value, named) = float(text)?;
            let bytes = (named || value.is_finite()).then(|| value.to_le_bytes().to_vec());
            fits(bytes, format!("up to ±{:e}", f64::MAX))
        }
        Scalar::Bool => Err("`bool` cannot be in a buffer or uniform".into()),
    }
}

/// A float, and whether it was asked to be `inf` or `nan` by name.
fn float(text: &str) -> Result<(f64, bool), String> {
    if text.contains('^') || text.starts_with("0x") {
        return Ok((integer(text)? as f64, false));
    }
    let value =
        text.parse::<f64>().map_err(|_| format!("`{text}` is not a number: write 2.5, 1e-3, inf or nan"))?;
    Ok((value, !text.bytes().any(|b| b.is_ascii_digit())))
}

/// The value of a `--const`: a number, or `true` and `false`.
///
/// # Errors
/// When it is neither.
pub(crate) fn constant(text: &str) -> Result<f64, String> {
    match text.trim() {
        "true" => Ok(1.0),
        "false" => Ok(0.0),
        text => match float(text)? {
            (value, named) if value.is_finite() || named => Ok(value),
            _ => Err(format!("`{text}` is too large")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn vector(len: u32, scalar: Scalar) -> Type {
        Type::Vector { len, scalar }
    }

    fn floats(bytes: &[u8]) -> Vec<f32> {
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    #[test]
    fn scalars_have_their_types_bytes() {
        let cases: [(Scalar, &str, Vec<u8>); 10] = [
            (Scalar::U32, "2^20", (1u32 << 20).to_le_bytes().into()),
            (Scalar::I32, "-3", (-3i32).to_le_bytes().into()),
            (Scalar::F32, "2.5", 2.5f32.to_le_bytes().into()),
            (Scalar::F32, "2^10", 1024f32.to_le_bytes().into()),
            (Scalar::F32, "-inf", f32::NEG_INFINITY.to_le_bytes().into()),
            (Scalar::F32, "0.1", 0.1f32.to_le_bytes().into()),
            (Scalar::F64, "0.1", 0.1f64.to_le_bytes().into()),
            (Scalar::F16, "65504", f16::MAX.to_le_bytes().into()),
            (Scalar::U64, "18446744073709551615", u64::MAX.to_le_bytes().into()),
            (Scalar::I16, "1e3", 1000i16.to_le_bytes().into()),
        ];
        for (scalar, text, bytes) in cases {
            assert_eq!(encode(&Type::Scalar(scalar), text), Ok(bytes), "{scalar} {text}");
        }
        let nan = encode(&Type::Scalar(Scalar::F32), "nan").unwrap();
        assert!(floats(&nan)[0].is_nan());
    }

    #[test]
    fn what_does_not_fit_names_value_and_type() {
        let cases = [
            (Scalar::U32, "abc", "`abc` is not a number"),
            (Scalar::U32, "3.5", "`3.5` is not a whole number; `u32` takes whole numbers"),
            (Scalar::U32, "-1", "`-1` does not fit `u32`, which holds 0 to 4294967295"),
            (Scalar::I32, "2^31", "does not fit `i32`"),
            (Scalar::U32, "nan", "`nan` is not a number"),
            (Scalar::F16, "65520", "`65520` does not fit `f16`, which holds up to ±65504"),
            (Scalar::F32, "1e39", "does not fit `f32`"),
            (Scalar::F64, "1e400", "does not fit `f64`"),
            (Scalar::F32, "", "`` is not a number"),
            (Scalar::F32, "1,5", "takes one number, `1,5` has 2"),
        ];
        for (scalar, text, part) in cases {
            let why = encode(&Type::Scalar(scalar), text).unwrap_err();
            assert!(why.contains(part), "{scalar} {text}: {why}");
        }
    }

    #[test]
    fn composites_are_padded_as_wgsl_pads() {
        assert_eq!(floats(&encode(&vector(3, Scalar::F32), "1,2, 3").unwrap()), [1.0, 2.0, 3.0]);
        let matrix = Type::Matrix { columns: 2, rows: 3, scalar: Scalar::F32 };
        assert_eq!(
            floats(&encode(&matrix, "1,2,3,4,5,6").unwrap()),
            [1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0]
        );
        let array = Type::Array { element: Box::new(vector(3, Scalar::F32)), len: Some(2), stride: 16 };
        assert_eq!(floats(&encode(&array, "1,2,3,4,5,6").unwrap()), [1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0]);
        assert!(encode(&vector(4, Scalar::F32), "1,2").unwrap_err().contains("takes 4 numbers"));
    }

    #[test]
    fn constants() {
        assert_eq!(constant("32"), Ok(32.0));
        assert_eq!(constant("2^5"), Ok(32.0));
        assert_eq!(constant("true"), Ok(1.0));
        assert!(constant("yes").is_err() && constant("1e999").is_err());
    }

    /// Whatever is typed, the answer is bytes of the right length or a reason; never a panic.
    #[test]
    fn mutated_values_never_panic() {
        let mut random = Random::new(7);
        let alphabet: Vec<char> = "0123456789+-.,eE^xinfa ä\u{0}".chars().collect();
        let types = [
            Type::Scalar(Scalar::F16),
            Type::Scalar(Scalar::U32),
            Type::Scalar(Scalar::I64),
            vector(3, Scalar::F32),
            Type::Matrix { columns: 2, rows: 2, scalar: Scalar::F64 },
        ];
        let started = std::time::Instant::now();
        let (mut good, mut bad) = (0, 0);
        for round in 0..200_000u32 {
            if round % 1000 == 0 && started.elapsed().as_secs_f64() > 0.5 && good > 0 {
                break;
            }
            let length = random.below(8) as usize;
            let text: String =
                (0..length).map(|_| alphabet[random.below(alphabet.len() as u64) as usize]).collect();
            for ty in &types {
                match encode(ty, &text) {
                    Ok(bytes) => {
                        assert_eq!(bytes.len(), ty.size() as usize, "{ty} from {text:?}");
                        good += 1;
                    }
                    Err(why) => {
                        assert!(!why.is_empty());
                        bad += 1;
                    }
                }
            }
            let _ = crate::numbers::shape(&text);
            let _ = crate::numbers::extents(&text);
            let _ = crate::numbers::duration(&text);
        }
        assert!(good > 100 && bad > 100, "{good} good, {bad} bad: the fuzz reaches both sides");
    }
}
