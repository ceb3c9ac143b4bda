//! An array as files and generators give it: scalar type, shape, bytes.
//!
//! Bytes are little-endian, in C order, as numpy and WGSL have them. Knows nothing of kernels.

use half::f16;
use warpweft::Scalar;

use crate::numbers;
use crate::random::Random;

/// An array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    /// The type of its elements.
    pub(crate) scalar: Scalar,
    /// Its shape, as numpy has it: the last axis varies fastest.
    pub(crate) shape: Vec<usize>,
    /// Its elements.
    pub(crate) content: Content,
}

/// The elements of an [`Array`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// Their bytes.
    Bytes(Vec<u8>),
    /// Nothing but zeros, which need no memory here.
    Zeros,
}

/// The words before the colon of what is no file.
const GENERATORS: [&str; 4] = ["zeros", "ones", "random", "range"];

/// Bytes of an array; `None` where they cannot be addressed.
pub(crate) fn byte_len(scalar: Scalar, shape: &[usize]) -> Option<usize> {
    // An axis of zero elements makes an empty array, however long the others are.
    let elements =
        if shape.contains(&0) { Some(0) } else { shape.iter().try_fold(1usize, |n, &a| n.checked_mul(a)) };
    elements?.checked_mul(scalar.size() as usize).filter(|&n| n <= isize::MAX as usize)
}

/// numpy's name of a scalar type.
pub(crate) fn numpy_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::I16 => "int16",
        Scalar::U16 => "uint16",
        Scalar::I32 => "int32",
        Scalar::U32 => "uint32",
        Scalar::I64 => "int64",
        Scalar::U64 => "uint64",
        Scalar::F16 => "float16",
        Scalar::F32 => "float32",
        Scalar::F64 => "float64",
    }
}

/// What `--bind` names is made, not read from a file.
pub(crate) fn is_generator(text: &str) -> bool {
    text.split_once(':').is_some_and(|(word, _)| GENERATORS.contains(&word))
}

/// Makes an array: `zeros:DTYPE:SHAPE`, `ones:…`, `range:…` (0, 1, 2, …) or `random:DTYPE:SHAPE[:SEED]` (floats in
/// [0, 1), integers over their whole range; seed 0 unless given). `memory` is what this machine has, in bytes.
///
/// # Errors
/// When a part cannot be read, or the array would not fit into the machine.
pub(crate) fn generate(text: &str, memory: Option<u64>) -> Result<Array, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (word, dtype, extent, seed) = match parts[..] {
        [word, dtype, extent] => (word, dtype, extent, None),
        ["random", dtype, extent, seed] => ("random", dtype, extent, Some(seed)),
        _ => {
            let seed = if parts[0] == "random" { "[:SEED]" } else { "" };
            return Err(format!(
                "`{text}` is not of the form {}:DTYPE:SHAPE{seed}, as in {0}:f32:1024x1024",
                parts[0]
            ));
        }
    };
    let scalar = Scalar::from_name(dtype).filter(|&s| s != Scalar::Bool).ok_or_else(|| {
        format!("`{dtype}` is no element type: use f16, f32, f64, i16, u16, i32, u32, i64 or u64")
    })?;
    let shape = numbers::shape(extent)?;
    let seed = seed.map_or(Ok(0), numbers::count).map_err(|why| format!("the seed: {why}"))?;
    let bytes =
        byte_len(scalar, &shape).ok_or_else(|| format!("`{text}` has more bytes than can be addressed"))?;
    if let Some(memory) = memory.filter(|&memory| bytes as u64 > memory) {
        return Err(format!("`{text}` needs {bytes} bytes, this machine has {memory}: make it smaller"));
    }
    let content = match word {
        "zeros" => Content::Zeros,
        _ => Content::Bytes(fill(word, scalar, bytes, seed)?),
    };
    Ok(Array { scalar, shape, content })
}

fn fill(word: &str, scalar: Scalar, len: usize, seed: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| format!("{len} bytes do not fit into this machine's memory"))?;
    let mut random = Random::new(seed);
    let count = len / scalar.size() as usize;
    macro_rules! ints {
        ($t:ty) => {
            match word {
                "ones" => extend(&mut bytes, count, |_| (1 as $t).to_le_bytes()),
                "range" => extend(&mut bytes, count, |i| (i as $t).to_le_bytes()),
                _ => {
                    extend(&mut bytes, count, |_| ((random.next() >> (64 - <$t>::BITS)) as $t).to_le_bytes())
                }
            }
        };
    }
    macro_rules! floats {
        ($from:expr, $bits:expr) => {
            match word {
                "ones" => extend(&mut bytes, count, |_| $from(1.0).to_le_bytes()),
                "range" => extend(&mut bytes, count, |i| $from(i as f64).to_le_bytes()),
                _ => extend(&mut bytes, count, |_| $from(random.unit($bits)).to_le_bytes()),
            }
        };
    }
    match scalar {
        Scalar::I16 => ints!(i16),
        Scalar::U16 => ints!(u16),
        Scalar::I32 => ints!(i32),
        Scalar::U32 => ints!(u32),
        Scalar::I64 => ints!(i64),
        Scalar::U64 => ints!(u64),
        Scalar::F16 => floats!(f16::from_f64, 11),
        Scalar::F32 => floats!(|x: f64| x as f32, 24),
        Scalar::F64 => floats!(|x: f64| x, 53),
        Scalar::Bool => return Err("`bool` cannot be in a buffer".into()),
    }
    Ok(bytes)
}

/// Appends values, each made from its position.
fn extend<const N: usize>(bytes: &mut Vec<u8>, count: usize, mut next: impl FnMut(usize) -> [u8; N]) {
    for i in 0..count {
        bytes.extend_from_slice(&next(i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        match generate(text, None).unwrap().content {
            Content::Bytes(bytes) => bytes,
            Content::Zeros => panic!("{text} has bytes"),
        }
    }

    #[test]
    fn generators_make_what_they_say() {
        let zeros = generate("zeros:f32:2^20x2^10", None).unwrap();
        assert_eq!((zeros.content, zeros.shape), (Content::Zeros, vec![1 << 20, 1 << 10]));
        assert_eq!(bytes("ones:i32:2"), [1, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(bytes("range:u16:3"), [0, 0, 1, 0, 2, 0]);
        let range = bytes("range:f64:2x2");
        assert_eq!(range[24..], 3f64.to_le_bytes());
        let random = bytes("random:f32:1000");
        let floats: Vec<f32> = bytemuck::pod_collect_to_vec(&random);
        assert!(floats.iter().all(|x| (0.0..1.0).contains(x)) && floats[0] != floats[1]);
        let mean = floats.iter().sum::<f32>() / 1000.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
        assert_eq!(random, bytes("random:f32:1000:0"));
        assert_ne!(random, bytes("random:f32:1000:1"));
        let halves: Vec<f16> = bytemuck::pod_collect_to_vec(&bytes("random:f16:1000"));
        assert!(halves.iter().all(|x| (0.0..1.0).contains(&x.to_f32())));
        assert!(bytes("ones:f32:0").is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("zeros:f32", "form zeros:DTYPE:SHAPE, as in"),
            ("random:f32:1:2:3", "SHAPE[:SEED]"),
            ("zeros:f32:8:1", "form zeros:DTYPE:SHAPE"),
            ("ones:float:8", "`float` is no element type: use f16"),
            ("ones:f32:-8", "`-8` is negative"),
            ("ones:f32:nan", "not a number"),
            ("random:f32:8:x", "the seed: `x`"),
            ("ones:f32:2^60", "needs 4611686018427387904 bytes, this machine has 1000"),
            ("zeros:f64:2^61", "more bytes than can be addressed"),
        ];
        for (text, part) in cases {
            let why = generate(text, Some(1000)).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
        assert!(is_generator("zeros:f32:8") && !is_generator("zeros.npy") && !is_generator("c:zeros.npy"));
    }
}
