//! Two-dimensional fields of f32 in .npy files.
//!
//! Knows nothing of other types and shapes: it refuses them.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use npyz::{DType, NpyFile, Order, WriterBuilder};

/// A field: rows one after another.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The values, height × width of them.
    pub values: Vec<f32>,
}

/// Reads a field.
///
/// # Errors
/// When the file cannot be read, is cut short, or does not hold two axes of f32 in C order.
pub fn read_npy(path: impl AsRef<Path>) -> anyhow::Result<Field> {
    let path = path.as_ref();
    let show = || path.display().to_string();
    let file = NpyFile::new(BufReader::new(File::open(path).with_context(show)?)).with_context(show)?;
    let shape = match file.dtype() {
        DType::Plain(ty) if ty.to_string() == "<f4" => file.shape().to_vec(),
        other => bail!(
            "{}: the elements are {}, this example reads f32 (`<f4`): convert with numpy's astype",
            show(),
            other.descr()
        ),
    };
    let (&[height, width], Order::C) = (&shape[..], file.order()) else {
        bail!("{}: the shape {shape:?} is not that of an image, (rows, columns) in C order", show());
    };
    let values = file.into_vec().with_context(show)?;
    Ok(Field { height: height as usize, width: width as usize, values })
}

/// Writes a field.
///
/// # Errors
/// When the file cannot be written.
pub fn write_npy(path: impl AsRef<Path>, field: &Field) -> anyhow::Result<()> {
    let path = path.as_ref();
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let mut npy = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&[field.height as u64, field.width as u64])
            .writer(&mut file)
            .begin_nd()?;
        npy.extend(&field.values)?;
        npy.finish()?;
        file.flush()
    };
    write().with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_comes_back_and_a_torn_or_foreign_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("field.npy");
        let field = Field { height: 2, width: 3, values: vec![1.0, -2.5, 0.1, f32::MIN_POSITIVE, 1e30, 6.0] };
        write_npy(&path, &field).unwrap();
        assert_eq!(read_npy(&path).unwrap(), field);

        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(format!("{:#}", read_npy(&path).unwrap_err()).contains("field.npy"));

        let mut foreign = bytes.clone();
        let at = bytes.windows(3).position(|w| w == b"<f4").unwrap();
        foreign[at..at + 3].copy_from_slice(b"<i4");
        std::fs::write(&path, &foreign).unwrap();
        assert!(read_npy(&path).unwrap_err().to_string().contains("reads f32"));
    }
}
