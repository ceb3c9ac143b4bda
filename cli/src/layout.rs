//! How an array lies in the memory that WGSL describes, and back: scalar types matched, three-component vectors
//! padded to four.
//!
//! Knows types and bytes; nothing of buffers, files or devices.

use warpweft::{ElementType, Scalar};
use warpweft_module::Type;

use crate::array::{Array, byte_len, numpy_name};

/// How an array's bytes become a binding's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// What core is told of the elements.
    pub(crate) element: ElementType,
    /// The shape in such elements.
    pub(crate) shape: Vec<usize>,
    /// The shape in elements of the WGSL array: what `--over @name` means.
    pub(crate) grid: Vec<usize>,
    /// Bytes in every so many, where vectors of three are padded to four.
    padding: Option<Padding>,
}

/// Groups of `dense` bytes of an array take `padded` bytes of a buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Padding {
    dense: usize,
    padded: usize,
}

impl Layout {
    /// The layout of an array bound as `ty`.
    ///
    /// # Errors
    /// When scalar types differ, or the bytes are no whole number of elements.
    pub(crate) fn new(ty: &Type, array: &Array) -> Result<Self, String> {
        let (given, shape) = (array.scalar, &array.shape);
        let element = innermost(ty);
        let bytes = byte_len(given, shape).ok_or("it has more bytes than can be addressed")?;
        let structure = matches!(element, Type::Struct { .. });
        let scalar = check_scalar(given, ty, structure)?;
        if let Some((columns, scalar_size)) = rows_of_three(element) {
            if let Some(padded) = Self::padded(given, shape, columns, scalar_size) {
                return Ok(padded);
            }
            if shape.last() != Some(&4) {
                let axes = if columns == 1 { "3".into() } else { format!("{columns}, 3") };
                return Err(format!(
                    "its shape {shape:?} does not end in {axes}, as a `{ty}` needs (the fourth component that WGSL pads \
                     with is added here)"
                ));
            }
        }
        let stride = element.size().next_multiple_of(element.align().max(1)) as usize;
        let counted = ty.runtime_array().is_none_or(|(offset, ..)| offset == 0);
        if counted && !bytes.is_multiple_of(stride) {
            return Err(format!(
                "its {bytes} bytes (shape {shape:?} of {given}) are no whole number of elements of `{ty}`, which take \
                 {stride} bytes each"
            ));
        }
        // Three components and their padding, or a structure's words, are told as whole elements.
        let size = if rows_of_three(element).is_some() { stride } else { given.size() as usize };
        let name = scalar.name();
        let fold = |size| fold(shape, given.size() as usize, size).unwrap_or_else(|| vec![bytes / size]);
        let outer = ty.runtime_array().filter(|r| r.0 == 0).map_or(stride, |(_, _, stride)| stride as usize);
        let grid = if counted && bytes.is_multiple_of(outer) { fold(outer) } else { shape.clone() };
        let element = ElementType { name, size: size as u32, scalar: Some(scalar) };
        let shape = if size == given.size() as usize { shape.clone() } else { fold(size) };
        Ok(Self { element, shape, grid, padding: None })
    }

    /// The layout of vectors of three, if the shape ends in such.
    fn padded(given: Scalar, shape: &[usize], columns: usize, scalar_size: usize) -> Option<Self> {
        let rest = match shape {
            [rest @ .., 3] if columns == 1 => rest,
            [rest @ .., c, 3] if *c == columns => rest,
            _ => return None,
        };
        let size = (columns * 4 * scalar_size) as u32;
        let element = ElementType { name: given.name(), size, scalar: Some(given) };
        let padding = Some(Padding { dense: 3 * scalar_size, padded: 4 * scalar_size });
        Some(Self { element, shape: rest.to_vec(), grid: rest.to_vec(), padding })
    }

    /// Bytes of the buffer.
    pub(crate) fn buffer_len(&self) -> usize {
        match self.shape.contains(&0) {
            true => 0,
            false => self.shape.iter().product::<usize>() * self.element.size as usize,
        }
    }

    /// An array's bytes as the buffer's.
    ///
    /// # Errors
    /// When memory is short.
    pub(crate) fn pad(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        let Some(Padding { dense, padded }) = self.padding else {
            return Ok(bytes);
        };
        let mut out = Vec::new();
        let len = self.buffer_len();
        out.try_reserve_exact(len)
            .map_err(|_| format!("{len} bytes do not fit into this machine's memory"))?;
        for group in bytes.chunks_exact(dense) {
            out.extend_from_slice(group);
            out.resize(out.len() + padded - dense, 0);
        }
        Ok(out)
    }

    /// The buffer's bytes as the array's; `None` where they are the same.
    pub(crate) fn unpad(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Padding { dense, padded } = self.padding?;
        Some(bytes.chunks_exact(padded).flat_map(|group| &group[..dense]).copied().collect())
    }
}

/// The scalar that the array's elements are told to be: the type's own, if it fits.
fn check_scalar(given: Scalar, ty: &Type, structure: bool) -> Result<Scalar, String> {
    match ty.scalar() {
        Some(needed) if needed == given => Ok(given),
        // A structure takes any 4-byte words.
        Some(needed) if structure && given.size() == 4 && needed.size() == 4 => Ok(needed),
        None if structure && given.size() == 4 => Ok(given),
        Some(needed) => Err(format!(
            "it holds {given}, the kernel declares `{ty}` (of {needed}): convert it (numpy: a.astype('{}'))",
            numpy_name(needed)
        )),
        None => Err(format!(
            "it holds {given}; `{ty}` has members of several types and is bound as 4-byte words: save its bytes as such \
             (numpy: a.view('uint32'))"
        )),
    }
}

/// The element of (nested) arrays, or the type itself.
fn innermost(ty: &Type) -> &Type {
    match ty {
        Type::Array { element, .. } => innermost(element),
        other => other,
    }
}

/// Columns of three components, and the bytes of a component.
fn rows_of_three(ty: &Type) -> Option<(usize, usize)> {
    match *ty {
        Type::Vector { len: 3, scalar } => Some((1, scalar.size() as usize)),
        Type::Matrix { columns, rows: 3, scalar } => Some((columns as usize, scalar.size() as usize)),
        _ => None,
    }
}

/// The shape without the trailing axes that make up one element of `size` bytes.
fn fold(shape: &[usize], scalar: usize, size: usize) -> Option<Vec<usize>> {
    let (mut rest, mut bytes) = (shape, scalar);
    while let ([outer @ .., last], true) = (rest, bytes < size) {
        bytes = bytes.saturating_mul(*last);
        rest = outer;
    }
    (bytes == size).then(|| rest.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Content;
    use warpweft_module::Member;

    fn array_of(element: Type) -> Type {
        let stride = element.size().next_multiple_of(element.align());
        Type::Array { element: Box::new(element), len: None, stride }
    }

    fn vector(len: u32) -> Type {
        Type::Vector { len, scalar: Scalar::F32 }
    }

    fn array(scalar: Scalar, shape: &[usize]) -> Array {
        Array { scalar, shape: shape.to_vec(), content: Content::Zeros }
    }

    fn check(ty: &Type, scalar: Scalar, shape: &[usize], expected: Result<(u32, &[usize], &[usize]), &str>) {
        let found = Layout::new(ty, &array(scalar, shape));
        match (found, expected) {
            (Ok(layout), Ok((size, shape, grid))) => {
                assert_eq!(
                    (layout.element.size, &layout.shape[..], &layout.grid[..]),
                    (size, shape, grid),
                    "{ty}"
                );
            }
            (Err(why), Err(part)) => assert!(why.contains(part), "{ty}: {why}"),
            (found, expected) => panic!("{ty} from {shape:?}: found {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn dense_types_take_any_shape() {
        check(&array_of(Type::Scalar(Scalar::F32)), Scalar::F32, &[2, 3], Ok((4, &[2, 3], &[2, 3])));
        check(&array_of(vector(4)), Scalar::F32, &[5, 4], Ok((4, &[5, 4], &[5])));
        check(&array_of(vector(4)), Scalar::F32, &[20], Ok((4, &[20], &[5])));
        check(
            &array_of(vector(4)),
            Scalar::F32,
            &[5],
            Err("no whole number of elements of `array<vec4<f32>>`"),
        );
        check(&array_of(Type::Scalar(Scalar::F32)), Scalar::F64, &[2], Err("a.astype('float32')"));
        check(&Type::Scalar(Scalar::U32), Scalar::U32, &[], Ok((4, &[], &[])));
        check(&array_of(array_of(vector(2))), Scalar::F32, &[6, 2], Ok((4, &[6, 2], &[6])));
    }

    #[test]
    fn three_components_are_padded_to_four_and_back() {
        let ty = array_of(vector(3));
        check(&ty, Scalar::F32, &[5, 3], Ok((16, &[5], &[5])));
        check(&ty, Scalar::F32, &[2, 5, 3], Ok((16, &[2, 5], &[2, 5])));
        check(&ty, Scalar::F32, &[5, 4], Ok((16, &[5], &[5])));
        check(&ty, Scalar::F32, &[15], Err("does not end in 3"));
        check(&vector(3), Scalar::F32, &[3], Ok((16, &[], &[])));
        let matrix = array_of(Type::Matrix { columns: 2, rows: 3, scalar: Scalar::F32 });
        check(&matrix, Scalar::F32, &[7, 2, 3], Ok((32, &[7], &[7])));
        check(&matrix, Scalar::F32, &[7, 3, 3], Err("does not end in 2, 3"));

        let layout = Layout::new(&ty, &array(Scalar::F32, &[2, 3])).unwrap();
        let dense: Vec<u8> = (1..=24).collect();
        let padded = layout.pad(dense.clone()).unwrap();
        assert_eq!((padded.len(), layout.buffer_len()), (32, 32));
        assert_eq!(
            (&padded[..16], padded[16]),
            (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0][..], 13)
        );
        assert_eq!(layout.unpad(&padded), Some(dense));
        let plain = Layout::new(&array_of(vector(4)), &array(Scalar::F32, &[1, 4])).unwrap();
        assert_eq!((plain.pad(vec![7; 16]).unwrap(), plain.unpad(&[7; 16])), (vec![7; 16], None));
    }

    #[test]
    fn structures_take_words() {
        let member = |name: &str, offset, ty| Member { name: name.into(), offset, ty };
        let members = vec![member("p", 0, vector(3)), member("id", 12, Type::Scalar(Scalar::U32))];
        let mixed = array_of(Type::Struct { name: "P".into(), members, size: 16, align: 16 });
        check(&mixed, Scalar::I32, &[6, 4], Ok((4, &[6, 4], &[6])));
        check(&mixed, Scalar::F32, &[24], Ok((4, &[24], &[6])));
        check(&mixed, Scalar::F64, &[8], Err("bound as 4-byte words"));
        check(&mixed, Scalar::F32, &[7], Err("no whole number"));
        let members = vec![member("x", 0, Type::Scalar(Scalar::F32)), member("v", 16, vector(3))];
        let floats = array_of(Type::Struct { name: "Q".into(), members, size: 32, align: 16 });
        check(&floats, Scalar::U32, &[3, 8], Ok((4, &[3, 8], &[3])));
        // A runtime-sized array behind a head: any number of words.
        let members = vec![
            member("n", 0, Type::Scalar(Scalar::U32)),
            member("x", 4, array_of(Type::Scalar(Scalar::F32))),
        ];
        let tail = Type::Struct { name: "T".into(), members, size: 8, align: 4 };
        check(&tail, Scalar::U32, &[5], Ok((4, &[5], &[5])));
    }
}
