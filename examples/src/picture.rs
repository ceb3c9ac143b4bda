//! Numbers as pictures: colours for values, and PNG files.
//!
//! Knows nothing of where the numbers come from.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::Context;

/// Shades of gray for values from `low` (black) to `high` (white).
pub fn gray(values: &[f32], low: f32, high: f32) -> Vec<[u8; 3]> {
    let scale = 255.0 / (high - low).max(f32::MIN_POSITIVE);
    // A float converts to u8 saturating, NaN to 0.
    values.iter().map(|v| [((v - low) * scale).round() as u8; 3]).collect()
}

/// The colour of a glowing body: black at 0, through red and yellow, to white at 1.
pub fn glow(heat: f32) -> [u8; 3] {
    let heat = 3.0 * heat;
    [0.0, 1.0, 2.0].map(|from| ((heat - from).clamp(0.0, 1.0) * 255.0).round() as u8)
}

/// Writes pixels, rows one after another, as a PNG.
///
/// # Errors
/// When there are not width × height pixels, or the file cannot be written.
pub fn write_png(
    path: impl AsRef<Path>,
    width: usize,
    height: usize,
    pixels: &[[u8; 3]],
) -> anyhow::Result<()> {
    let path = path.as_ref();
    let show = || path.display().to_string();
    let file = BufWriter::new(File::create(path).with_context(show)?);
    let mut encoder = png::Encoder::new(file, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().with_context(show)?;
    writer.write_image_data(pixels.as_flattened()).with_context(show)?;
    writer.finish().with_context(show)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_span_their_range() {
        let shades = [0, 0, 128, 255, 255].map(|shade| [shade; 3]);
        assert_eq!(gray(&[-1.0, 2.0, 3.0, 4.0, 9.0], 2.0, 4.0), shades);
        assert_eq!(glow(0.0), [0, 0, 0]);
        assert_eq!(glow(0.5), [255, 128, 0]);
        assert_eq!(glow(1.0), [255, 255, 255]);
    }

    #[test]
    fn a_png_decodes_to_its_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flag.png");
        let pixels = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 2, 3], [4, 5, 6], [7, 8, 9]];
        write_png(&path, 3, 2, &pixels).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut decoded = vec![0; 18];
        let info = reader.next_frame(&mut decoded).unwrap();
        assert_eq!((info.width, info.height), (3, 2));
        assert_eq!(decoded, pixels.as_flattened());
        assert!(write_png(&path, 4, 2, &pixels).is_err());
    }
}
