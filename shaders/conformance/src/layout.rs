//! Where the scalars of a WGSL type lie in memory, worked out from the type's name.
//!
//! Knows the types that the cases use: scalars, vectors, matrices, and fixed-size arrays of these.

/// A scalar type of the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// 32 bits: `i32`, `u32`, and `bool` as a number.
    Int,
    Bool,
    F32,
    F16,
}

impl Scalar {
    /// The scalar that a type is made of.
    pub(crate) fn of(ty: &str) -> Scalar {
        let name = ty.rsplit('<').next().unwrap_or(ty);
        let name = name.split(['>', ',']).next().unwrap_or(name);
        match name {
            "f16" => Scalar::F16,
            "f32" => Scalar::F32,
            "bool" => Scalar::Bool,
            _ => Scalar::Int,
        }
    }

    pub(crate) fn size(self) -> usize {
        if self == Scalar::F16 { 2 } else { 4 }
    }

    pub(crate) fn read(self, bytes: &[u8]) -> u32 {
        match self {
            Scalar::F16 => u32::from(u16::from_le_bytes([bytes[0], bytes[1]])),
            _ => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        }
    }

    pub(crate) fn write(self, bytes: &mut [u8], bits: u32) {
        bytes[..self.size()].copy_from_slice(&bits.to_le_bytes()[..self.size()]);
    }

    /// The number that these bits stand for.
    pub(crate) fn value(self, bits: u32) -> f64 {
        match self {
            Scalar::F16 => half::f16::from_bits(bits as u16).to_f64(),
            Scalar::F32 => f64::from(f32::from_bits(bits)),
            Scalar::Int | Scalar::Bool => f64::from(bits),
        }
    }
}

/// Byte offsets of a type's scalars, and its size rounded up to its alignment.
pub(crate) fn offsets(ty: &str) -> Option<(Vec<usize>, usize)> {
    let scalar = Scalar::of(ty).size();
    let vector = |n: usize| if n == 2 { 2 * scalar } else { 4 * scalar };
    let digit = |at: usize| ty.as_bytes().get(at).map(|&d| usize::from(d.saturating_sub(b'0')));
    if let Some(rest) = ty.strip_prefix("array<") {
        let (element, count) = rest.strip_suffix('>')?.rsplit_once(',')?;
        let (inner, stride) = offsets(element.trim())?;
        let count: usize = count.trim().parse().ok()?;
        let all = (0..count).flat_map(|n| inner.iter().map(move |offset| n * stride + offset));
        return Some((all.collect(), count * stride));
    }
    if ty.starts_with("vec") {
        let n = digit(3)?;
        return Some(((0..n).map(|c| c * scalar).collect(), vector(n)));
    }
    if ty.starts_with("mat") {
        let (columns, rows) = (digit(3)?, digit(5)?);
        let cells = (0..columns * rows).map(|n| n / rows * vector(rows) + n % rows * scalar);
        return Some((cells.collect(), columns * vector(rows)));
    }
    Some((vec![0], scalar))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        assert_eq!(offsets("f16"), Some((vec![0], 2)));
        assert_eq!(offsets("vec3<f32>"), Some((vec![0, 4, 8], 16)));
        assert_eq!(offsets("mat2x3<f16>"), Some((vec![0, 2, 4, 8, 10, 12], 16)));
        assert_eq!(offsets("array<vec3<f32>, 2>"), Some((vec![0, 4, 8, 16, 20, 24], 32)));
        assert_eq!(Scalar::of("array<mat2x2<f16>, 3>"), Scalar::F16);
        assert_eq!(Scalar::of("array<bool, 3>"), Scalar::Bool);
    }
}
