//! A history as text: JSON, one line per size, with a magic word, a version and a checksum.
//!
//! Knows nothing of files. Reading refuses what no history can hold: impossible numbers, and text that was changed or
//! cut since it was written.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::Moment;
use crate::history::{Entry, History, KernelHash};
use crate::sample::{Kind, Refused, Sample, checked_size};
use crate::series::Series;
use crate::size::Size;

const MAGIC: &str = "warpweft-history";
/// Raised when older versions could not read the text any more.
const VERSION: u32 = 1;
/// What precedes the checksum, which covers all text before it.
const SEAL: &str = "\"checksum\": \"";
/// Series, and sizes of a series, that a text holds at most: beyond, it is none of ours.
const SERIES: usize = 100_000;
const SIZES: usize = 1000;

/// Why a text is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is empty")]
    Empty,
    #[error("it is not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("it is not a history of launches")]
    Foreign,
    #[error("it is of version {0}, and this program reads version {VERSION}")]
    Version(u32),
    #[error("it was cut or changed since it was written")]
    Seal,
    #[error("it holds {0}")]
    Nonsense(String),
}

impl From<Refused> for Unreadable {
    fn from(refused: Refused) -> Self {
        Self::Nonsense(refused.to_string())
    }
}

/// What every version has.
#[derive(Deserialize)]
struct Head {
    magic: Option<String>,
    version: Option<u32>,
}

#[derive(Deserialize)]
struct Body {
    forgotten: Vec<(Option<String>, u64)>,
    series: Vec<SeriesText>,
}

#[derive(Serialize, Deserialize)]
struct SeriesHead<'a> {
    name: std::borrow::Cow<'a, str>,
    kernel: String,
    device: std::borrow::Cow<'a, str>,
    path: std::borrow::Cow<'a, str>,
    /// Microseconds since 1970, as all moments.
    used: u64,
    since: u64,
}

#[derive(Deserialize)]
struct SeriesText {
    #[serde(flatten)]
    head: SeriesHead<'static>,
    sizes: Vec<SizeText>,
}

/// Samples as (moment, seconds), by kind.
#[derive(Serialize, Deserialize)]
struct SizeText {
    size: f64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    samples: Vec<(u64, f32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    first: Vec<(u64, f32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rescaled: Vec<(u64, f32)>,
}

/// The text of a history.
pub(crate) fn write(history: &History) -> String {
    let mut text = format!("{{\n\"magic\": \"{MAGIC}\",\n\"version\": {VERSION},\n\"forgotten\": ");
    text.push_str(&json(&history.forgotten().iter().map(|(n, m)| (n, m.micros())).collect::<Vec<_>>()));
    text.push_str(",\n\"series\": [");
    for (i, entry) in history.entries().iter().enumerate() {
        text.push_str(if i > 0 { ",\n" } else { "\n" });
        write_entry(&mut text, entry);
    }
    text.push_str("\n],\n");
    let sum = checksum(&text);
    let _ = write!(text, "{SEAL}{sum:016x}\"\n}}\n");
    text
}

fn write_entry(text: &mut String, entry: &Entry) {
    let head = json(&SeriesHead {
        name: entry.name.into(),
        kernel: entry.kernel.iter().map(|byte| format!("{byte:02x}")).collect(),
        device: entry.device.into(),
        path: entry.path.into(),
        used: entry.used.micros(),
        since: entry.series.since.micros(),
    });
    // The head is an object, which the sizes join.
    text.push_str(head.trim_end_matches('}'));
    text.push_str(",\"sizes\":[");
    for (i, size) in entry.series.sizes.iter().enumerate() {
        let of = |kind| {
            let samples = size.samples().iter().filter(|s| s.kind == kind);
            samples.map(|s| (s.at.micros(), s.seconds as f32)).collect()
        };
        text.push_str(if i > 0 { ",\n " } else { "\n " });
        text.push_str(&json(&SizeText {
            size: size.size,
            samples: of(Kind::Steady),
            first: of(Kind::First),
            rescaled: of(Kind::Rescaled),
        }));
    }
    text.push_str("]}");
}

/// One line of JSON. What is written here are numbers and text, which cannot fail.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// FNV-1a: any change of a single byte changes it.
fn checksum(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The history that a text holds.
pub(crate) fn read(bytes: &[u8]) -> Result<History, Unreadable> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Unreadable::Empty);
    }
    let head: Head = serde_json::from_slice(bytes)?;
    if head.magic.as_deref() != Some(MAGIC) {
        return Err(Unreadable::Foreign);
    }
    match head.version {
        Some(VERSION) => {}
        Some(other) => return Err(Unreadable::Version(other)),
        None => return Err(Unreadable::Foreign),
    }
    check_seal(bytes)?;
    let body: Body = serde_json::from_slice(bytes)?;
    if body.series.len() > SERIES {
        return Err(Unreadable::Nonsense(format!("{} series", body.series.len())));
    }
    let mut history = History::new();
    for (name, until) in &body.forgotten {
        history.forget_until(name.as_deref(), moment(*until)?);
    }
    for text in body.series {
        let kernel = hash(&text.head.kernel)?;
        if text.sizes.len() > SIZES {
            return Err(Unreadable::Nonsense(format!("{} sizes of one series", text.sizes.len())));
        }
        let sizes = text.sizes.iter().map(size).collect::<Result<Vec<_>, _>>()?;
        let series = Series::from_parts(moment(text.head.since)?, sizes);
        history.absorb(&Entry {
            name: &text.head.name,
            kernel: &kernel,
            device: &text.head.device,
            path: &text.head.path,
            used: moment(text.head.used)?,
            series: &series,
        });
    }
    Ok(history)
}

fn check_seal(bytes: &[u8]) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Seal)?;
    let at = text.rfind(SEAL).ok_or(Unreadable::Seal)?;
    let (covered, rest) = text.split_at(at);
    let expected = format!("{SEAL}{:016x}\"\n}}", checksum(covered));
    if rest.trim_end() == expected { Ok(()) } else { Err(Unreadable::Seal) }
}

fn moment(micros: u64) -> Result<Moment, Unreadable> {
    if micros > Moment::LATEST.micros() {
        return Err(Unreadable::Nonsense(format!("the time {micros} µs, which is far in the future")));
    }
    Ok(Moment::from_micros(micros))
}

fn hash(text: &str) -> Result<KernelHash, Unreadable> {
    let nonsense = || Unreadable::Nonsense(format!("the kernel hash `{text}`"));
    let mut hash = KernelHash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(nonsense());
    }
    for (i, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| nonsense())?;
    }
    Ok(hash)
}

fn size(text: &SizeText) -> Result<Size, Unreadable> {
    let mut size = Size::new(checked_size(text.size)?);
    let kinds = [(Kind::Steady, &text.samples), (Kind::First, &text.first), (Kind::Rescaled, &text.rescaled)];
    for (kind, samples) in kinds {
        for &(at, seconds) in samples {
            size.add(Sample::new(moment(at)?, f64::from(seconds), kind)?);
        }
    }
    Ok(size)
}
