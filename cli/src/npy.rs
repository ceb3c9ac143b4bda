//! .npy files (numpy's format, versions 1 to 3): header and bytes, read with suspicion and written plainly.
//!
//! What a header claims is compared with the file before anything is allocated. Big-endian and Fortran-ordered
//! files are converted as they are read. Knows nothing of kernels.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use npyz::{DType, Endianness, TypeChar, TypeStr, WriterBuilder};
use py_literal::Value;
use warpweft::Scalar;

use crate::array::{Array, Content, byte_len};
use crate::failure::{Failure, Outcome, of_file};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Bytes of header that are accepted: numpy's own limit for files that it does not trust.
const LONGEST_HEADER: usize = 10_000;
/// Brackets within brackets that are accepted; a dtype that can be bound needs two.
const DEEPEST: usize = 8;

/// What a header says.
#[derive(Debug)]
struct Header {
    scalar: Scalar,
    big_endian: bool,
    fortran: bool,
    shape: Vec<usize>,
}

/// Reads a file.
///
/// # Errors
/// When it cannot be read, is no .npy of a type that can be bound, or is shorter or longer than its header says.
pub(crate) fn read(path: &Path) -> Outcome<Array> {
    let mut file = File::open(path).map_err(|error| of_file(path, "read", &error))?;
    let metadata = file.metadata().map_err(|error| of_file(path, "read", &error))?;
    if metadata.is_dir() {
        return Err(Failure::failed(format!(
            "cannot read `{}`: it is a folder, a .npy file is needed",
            path.display()
        )));
    }
    // Pipes do not know their length.
    let len = metadata.is_file().then_some(metadata.len());
    parse(&mut file, len).map_err(|why| Failure::failed(format!("`{}`: {why}", path.display())))
}

/// Reads a stream of a known or unknown number of bytes.
fn parse(reader: &mut dyn Read, len: Option<u64>) -> Result<Array, String> {
    let (text, before) = header_text(reader)?;
    let header = header(&text)?;
    let expected = byte_len(header.scalar, &header.shape).ok_or_else(|| {
        format!("the header claims the shape {:?}, more bytes than can be addressed", header.shape)
    })?;
    let cut = |have: u64| {
        let (scalar, shape) = (header.scalar, &header.shape);
        format!(
            "the file is cut short: its header promises {expected} bytes of {scalar} in the shape {shape:?}, it has {have}: copy or save it again"
        )
    };
    let trailing =
        "the file is longer than its header says: is it one .npy, saved by numpy.save?".to_string();
    if let Some(have) = len.map(|len| len.saturating_sub(before as u64)) {
        if have < expected as u64 {
            return Err(cut(have));
        }
        if have > expected as u64 {
            return Err(trailing);
        }
    }
    let mut bytes = Vec::new();
    if len.is_some() {
        let short = |_| format!("its {expected} bytes do not fit into this machine's memory");
        bytes.try_reserve_exact(expected).map_err(short)?;
    }
    // One byte more than expected tells what comes after the end.
    let limit = expected as u64 + 1;
    reader.take(limit).read_to_end(&mut bytes).map_err(|error| format!("cannot read it: {error}"))?;
    match bytes.len() {
        n if n < expected => return Err(cut(n as u64)),
        n if n > expected => return Err(trailing),
        _ => {}
    }
    if header.big_endian {
        bytes.chunks_exact_mut(header.scalar.size() as usize).for_each(<[u8]>::reverse);
    }
    if header.fortran && header.shape.len() > 1 {
        bytes = c_order(&bytes, &header.shape, header.scalar.size() as usize);
    }
    Ok(Array { scalar: header.scalar, shape: header.shape, content: Content::Bytes(bytes) })
}

/// The header's text, and how many bytes come before the data.
fn header_text(reader: &mut dyn Read) -> Result<(String, usize), String> {
    let cut = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file is cut short within its header".to_string(),
        _ => format!("cannot read it: {error}"),
    };
    let mut start = [0; 8];
    let got = reader.take(8).read_to_end_into(&mut start).map_err(cut)?;
    if got < 6 || start[..6] != *MAGIC {
        return Err("it is not a .npy file: save it with numpy.save".into());
    }
    if got < 8 {
        return Err(cut(io::ErrorKind::UnexpectedEof.into()));
    }
    let (len, before) = match start[6] {
        1 => {
            let mut len = [0; 2];
            reader.read_exact(&mut len).map_err(cut)?;
            (usize::from(u16::from_le_bytes(len)), 10)
        }
        2 | 3 => {
            let mut len = [0; 4];
            reader.read_exact(&mut len).map_err(cut)?;
            (u32::from_le_bytes(len) as usize, 12)
        }
        version => {
            return Err(format!("it has version {version} of the .npy format; 1 to 3 are known"));
        }
    };
    if len > LONGEST_HEADER {
        return Err(format!("its header claims {len} bytes; at most {LONGEST_HEADER} are accepted"));
    }
    let mut text = vec![0; len];
    reader.read_exact(&mut text).map_err(cut)?;
    let text = String::from_utf8(text).map_err(|_| "its header is not text".to_string())?;
    Ok((text, before + len))
}

/// Reading what is there of a few bytes.
trait ReadToEndInto {
    fn read_to_end_into(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

impl<R: Read> ReadToEndInto for R {
    fn read_to_end_into(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        while got < buffer.len() {
            match self.read(&mut buffer[got..]) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(got)
    }
}

fn header(text: &str) -> Result<Header, String> {
    let mut depth = 0usize;
    for c in text.bytes() {
        match c {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err("its header is nested deeper than that of any array of numbers".into());
        }
    }
    let odd = || "its header is not one that numpy writes".to_string();
    let Ok(Value::Dict(entries)) = text.trim().parse::<Value>() else {
        return Err(odd());
    };
    let entry = |name: &str| {
        let found = entries.iter().find(|(key, _)| matches!(key, Value::String(key) if key == name));
        found.map(|(_, value)| value).ok_or_else(|| format!("its header does not say `{name}`"))
    };
    let Value::Boolean(fortran) = entry("fortran_order")? else {
        return Err(odd());
    };
    let (Value::Tuple(axes) | Value::List(axes)) = entry("shape")? else {
        return Err(odd());
    };
    let axes = axes.iter().map(|axis| match axis {
        Value::Integer(n) => {
            usize::try_from(n).map_err(|_| format!("its header claims an axis of {n} elements"))
        }
        _ => Err(odd()),
    });
    let shape = axes.collect::<Result<Vec<usize>, String>>()?;
    let (scalar, big_endian) = match entry("descr")? {
        Value::String(descr) => dtype(descr)?,
        Value::List(_) => {
            return Err("it holds records; save each field as an array of its own, or a view of them as 4-byte words \
                        (numpy: a.view('uint32'))"
                .into());
        }
        _ => return Err(odd()),
    };
    Ok(Header { scalar, big_endian, fortran: *fortran, shape })
}

/// The scalar of numpy's type string, and whether its bytes are big-endian.
fn dtype(descr: &str) -> Result<(Scalar, bool), String> {
    // numpy never writes the machine's own order as `=`, but others do.
    let little = descr.replacen('=', "<", usize::from(descr.starts_with('=')));
    let known: TypeStr = little.parse().map_err(|_| format!("`{descr}` is not a dtype of numpy"))?;
    let scalar = match (known.type_char(), known.size_field()) {
        (TypeChar::Float, 2) => Scalar::F16,
        (TypeChar::Float, 4) => Scalar::F32,
        (TypeChar::Float, 8) => Scalar::F64,
        (TypeChar::Int, 2) => Scalar::I16,
        (TypeChar::Int, 4) => Scalar::I32,
        (TypeChar::Int, 8) => Scalar::I64,
        (TypeChar::Uint, 2) => Scalar::U16,
        (TypeChar::Uint, 4) => Scalar::U32,
        (TypeChar::Uint, 8) => Scalar::U64,
        (kind, _) => {
            let remedy = match kind {
                TypeChar::Bool | TypeChar::Uint => "convert it (numpy: a.astype('uint32'))",
                TypeChar::Int => "convert it (numpy: a.astype('int32'))",
                TypeChar::Complex => {
                    "bind real and imaginary parts as a last axis of 2 (numpy: a.view('float32'))"
                }
                TypeChar::Object => "it holds pickled Python objects: make it an array of numbers",
                _ => "convert it to numbers (numpy: a.astype('float32'))",
            };
            return Err(format!("its dtype `{descr}` has no counterpart in WGSL's memory: {remedy}"));
        }
    };
    Ok((scalar, known.endianness() == Endianness::Big))
}

/// Reorders elements from Fortran's order (the first axis varies fastest) to C's.
fn c_order(bytes: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = size;
    for &axis in shape {
        strides.push(stride);
        stride = stride.saturating_mul(axis);
    }
    let mut ordered = Vec::with_capacity(bytes.len());
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    while ordered.len() < bytes.len() {
        ordered.extend_from_slice(&bytes[at..at + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}

/// Writes an array: version 1, little-endian, C order.
///
/// # Errors
/// When the writer fails.
pub(crate) fn write(writer: &mut dyn Write, scalar: Scalar, shape: &[usize], bytes: &[u8]) -> io::Result<()> {
    let descr = match scalar {
        Scalar::F16 => "<f2",
        Scalar::F32 => "<f4",
        Scalar::F64 => "<f8",
        Scalar::I16 => "<i2",
        Scalar::I32 => "<i4",
        Scalar::I64 => "<i8",
        Scalar::U16 => "<u2",
        Scalar::U32 => "<u4",
        Scalar::U64 => "<u8",
        Scalar::Bool => "|b1",
    };
    let dtype = DType::Plain(descr.parse().map_err(io::Error::other)?);
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let options = npyz::WriteOptions::new_header_only().dtype(dtype).shape(&shape);
    options.writer(&mut *writer).write_header_only()?;
    writer.write_all(bytes)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend([1, 0]);
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(data);
        file
    }

    fn dict(descr: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    }

    fn read_bytes(bytes: &[u8]) -> Result<Array, String> {
        let known = parse(&mut &*bytes, Some(bytes.len() as u64));
        // A pipe, whose length is unknown, is read alike.
        let pipe = parse(&mut &*bytes, None);
        assert_eq!(known.is_ok(), pipe.is_ok());
        known
    }

    #[test]
    fn every_dtype_and_shape_comes_back() {
        use Scalar::*;
        for scalar in [F16, F32, F64, I16, U16, I32, U32, I64, U64] {
            for shape in [vec![], vec![3], vec![2, 3], vec![0, 5], vec![2, 1, 3]] {
                let len = byte_len(scalar, &shape).unwrap();
                let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let mut out = Vec::new();
                write(&mut out, scalar, &shape, &bytes).unwrap();
                let array = read_bytes(&out).unwrap();
                assert_eq!(array, Array { scalar, shape, content: Content::Bytes(bytes) });
            }
        }
    }

    #[test]
    fn big_endian_and_fortran_order_are_converted() {
        let data: Vec<u8> = [1u16, 2, 3, 4, 5, 6].iter().flat_map(|n| n.to_be_bytes()).collect();
        let array = read_bytes(&file(&dict("'>u2'", "True", "(2, 3)"), &data)).unwrap();
        let expected = [1u16, 3, 5, 2, 4, 6].iter().flat_map(|n| n.to_le_bytes()).collect();
        assert_eq!((array.shape, array.content), (vec![2, 3], Content::Bytes(expected)));
        let cube: Vec<u8> = (0..24).collect();
        let ordered = c_order(&cube, &[2, 3, 4], 1);
        let at = |i: usize, j: usize, k: usize| ordered[(i * 3 + j) * 4 + k];
        assert_eq!((at(1, 2, 3), at(1, 0, 0), at(0, 1, 0), at(0, 0, 1)), (23, 1, 2, 6));
    }

    #[test]
    fn damage_is_named() {
        let four = dict("'<f4'", "False", "(4,)");
        let good = file(&four, &[0; 16]);
        let mut version = good.clone();
        version[6] = 9;
        let cases: [(Vec<u8>, &str); 17] = [
            (
                good[..good.len() - 1].to_vec(),
                "cut short: its header promises 16 bytes of f32 in the shape [4], it has 15",
            ),
            (good[..20].to_vec(), "cut short within its header"),
            (good[..7].to_vec(), "cut short within its header"),
            (good[..3].to_vec(), "not a .npy file"),
            (vec![], "not a .npy file"),
            (b"PK\x03\x04 some archive".to_vec(), "not a .npy file"),
            ([&good[..], b"x"].concat(), "longer than its header says"),
            (version, "version 9"),
            (
                file(&dict("'<f4'", "False", "(1152921504606846976,)"), &[]),
                "promises 4611686018427387904 bytes",
            ),
            (
                file(&dict("'<f4'", "False", "(4611686018427387904, 4)"), &[]),
                "more bytes than can be addressed",
            ),
            (
                file(&dict("'<f4'", "False", "(99999999999999999999,)"), &[]),
                "an axis of 99999999999999999999",
            ),
            (file(&dict("'<f4'", "False", "(-1,)"), &[]), "an axis of -1"),
            (file(&dict("'|O'", "False", "(1,)"), &[0; 8]), "pickled Python objects"),
            (
                file(&dict("'|b1'", "False", "(1,)"), &[0]),
                "`|b1` has no counterpart in WGSL's memory: convert it",
            ),
            (file(&dict("'<c8'", "False", "(1,)"), &[0; 8]), "real and imaginary parts"),
            (file(&dict("[('a', '<f4')]", "False", "(1,)"), &[0; 4]), "it holds records"),
            (file(&"(".repeat(9000), &[]), "nested deeper"),
        ];
        for (bytes, part) in cases {
            let why = read_bytes(&bytes).unwrap_err();
            assert!(why.contains(part), "{why:?} does not say {part:?}");
        }
        let mut huge = MAGIC.to_vec();
        huge.extend([2, 0, 0xff, 0xff, 0xff, 0xff]);
        assert!(read_bytes(&huge).unwrap_err().contains("4294967295 bytes; at most 10000"));
        for header in
            ["", "{}", "[1]", "{'descr': '<f4'}", "{'descr': 3, 'fortran_order': False, 'shape': ()}"]
        {
            let why = read_bytes(&file(header, &[])).unwrap_err();
            assert!(why.contains("its header"), "{why}");
        }
    }

    /// Whatever the bytes, the answer is an array of the size that its shape says, or a reason; never a panic.
    #[test]
    fn mutated_files_never_panic() {
        let seed = 11;
        let mut random = Random::new(seed);
        let mut out = Vec::new();
        write(&mut out, Scalar::F32, &[2, 3], &[7; 24]).unwrap();
        let seeds = [
            out,
            file(&dict("'>f8'", "True", "(2, 2)"), &[1; 32]),
            file(&dict("'<i2'", "False", "()"), &[1; 2]),
        ];
        let started = std::time::Instant::now();
        let (mut good, mut bad) = (0, 0);
        while started.elapsed().as_secs_f64() < 0.5 || good == 0 || bad == 0 {
            let mut bytes = seeds[random.below(seeds.len() as u64) as usize].clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len() as u64) as usize;
                match random.below(4) {
                    0 => bytes[at] = random.next() as u8,
                    1 => bytes[at] = b"0123456789'(),<>[]{}|"[random.below(21) as usize],
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, bytes[random.below(bytes.len() as u64) as usize]),
                }
            }
            match read_bytes(&bytes) {
                Ok(array) => {
                    let Content::Bytes(data) = &array.content else { panic!("files have bytes") };
                    assert_eq!(
                        Some(data.len()),
                        byte_len(array.scalar, &array.shape),
                        "seed {seed}: {bytes:?}"
                    );
                    good += 1;
                }
                Err(why) => {
                    assert!(!why.is_empty());
                    bad += 1;
                }
            }
        }
    }
}
