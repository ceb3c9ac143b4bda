//! The files that hold the cases: gzipped JSON with base64 arrays.
//!
//! Knows the format, not what the numbers mean.

use crate::expectation::{Alternative, Expectation};
use crate::layout::{self, Scalar};
use crate::{Case, Set};
use base64::prelude::{BASE64_STANDARD, Engine};
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Why the cases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// Which one.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {what}")]
    Format {
        /// Which one.
        path: String,
        /// What is wrong.
        what: String,
    },
}

#[derive(Deserialize)]
struct Group {
    case_sets: BTreeMap<String, RawSet>,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct RawSet {
    params: Vec<String>,
    param_comps: Vec<usize>,
    result_comps: usize,
    n: usize,
    in_b64: Vec<String>,
    expect: String,
    bits_b64: Option<String>,
    lo_b64: Option<String>,
    hi_b64: Option<String>,
    alts: Option<Vec<Option<Vec<RawAlternative>>>>,
}

#[derive(Deserialize)]
struct RawAlternative {
    b: Option<Vec<u32>>,
    lo: Option<Vec<String>>,
    hi: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Entry {
    query: String,
    set: String,
    vectorize: usize,
    n: usize,
    parameter_types: Vec<String>,
    result_type: String,
    in_stride: usize,
    in_offsets: Vec<usize>,
    in_comp_offsets: Vec<Option<Vec<usize>>>,
    out_stride: usize,
    out_comp_offsets: Option<Vec<usize>>,
    wgsl: String,
}

/// Reads every case of a folder, in the order of file names.
///
/// # Errors
///
/// When a file cannot be read or does not have the format.
pub fn load(folder: &Path) -> Result<Vec<Case>, Error> {
    let read = |error| Error::Read { path: folder.display().to_string(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.to_string_lossy().ends_with(".json.gz") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let display = path.display().to_string();
        let file = File::open(&path).map_err(|error| Error::Read { path: display.clone(), error })?;
        let format = |what: String| Error::Format { path: display.clone(), what };
        let groups: BTreeMap<String, Group> =
            serde_json::from_reader(GzDecoder::new(file)).map_err(|error| format(error.to_string()))?;
        let area = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let area = area.trim_end_matches(".json.gz");
        for (name, group) in groups {
            read_group(area, group, &mut cases).map_err(|what| format(format!("{name}: {what}")))?;
        }
    }
    Ok(cases)
}

fn read_group(area: &str, group: Group, cases: &mut Vec<Case>) -> Result<(), String> {
    let mut sets = BTreeMap::new();
    for (name, raw) in group.case_sets {
        let set = read_set(raw).map_err(|what| format!("{name}: {what}"))?;
        sets.insert(name, Arc::new(set));
    }
    for entry in group.entries {
        let set = sets.get(&entry.set).ok_or_else(|| format!("no set {}", entry.set))?;
        cases.push(case(area, entry, Arc::clone(set))?);
    }
    Ok(())
}

fn case(area: &str, entry: Entry, set: Arc<Set>) -> Result<Case, String> {
    let vectorize = entry.vectorize.max(1);
    let input = input(&entry, &set, vectorize)?;
    let out_offsets = match entry.out_comp_offsets {
        Some(offsets) => offsets,
        None => layout::offsets(&entry.result_type).ok_or("an unknown result type")?.0,
    };
    if out_offsets.len() != vectorize * set.output_components {
        return Err(format!("{}: {} output scalars", entry.query, out_offsets.len()));
    }
    Ok(Case {
        area: area.to_string(),
        name: entry.query,
        wgsl: entry.wgsl,
        input,
        output_bytes: entry.n * entry.out_stride,
        workgroups: entry.n.div_ceil(64) as u32,
        out_stride: entry.out_stride,
        out_offsets,
        out_scalar: Scalar::of(&entry.result_type),
        vectorize,
        set,
    })
}

/// The bytes of the input binding: the parameters of each row at their offsets.
fn input(entry: &Entry, set: &Set, vectorize: usize) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; entry.n * entry.in_stride];
    for (p, ty) in entry.parameter_types.iter().enumerate() {
        let scalar = Scalar::of(ty);
        let components = set.input_components[p];
        let offsets = match &entry.in_comp_offsets[p] {
            Some(offsets) => offsets.clone(),
            None => layout::offsets(ty).ok_or("an unknown parameter type")?.0,
        };
        if offsets.len() != vectorize * components {
            return Err(format!("{}: {} scalars of parameter {p}", entry.query, offsets.len()));
        }
        for row in 0..entry.n {
            for (n, offset) in offsets.iter().enumerate() {
                // The last row of packed cases repeats the last case.
                let case = (row * vectorize + n / components).min(set.count - 1);
                let bits = set.inputs[p][case * components + n % components];
                let at = row * entry.in_stride + entry.in_offsets[p] + offset;
                scalar.write(bytes.get_mut(at..).ok_or("an offset beyond the row")?, bits);
            }
        }
    }
    Ok(bytes)
}

fn read_set(raw: RawSet) -> Result<Set, String> {
    let inputs = raw.in_b64.iter().map(|text| words(text)).collect::<Result<Vec<_>, _>>()?;
    let missing = || format!("nothing that `{}` expects", raw.expect);
    let expectation = match raw.expect.as_str() {
        "bits" => Expectation::Bits(words(raw.bits_b64.as_deref().ok_or_else(missing)?)?),
        "interval" => Expectation::Interval {
            low: doubles(raw.lo_b64.as_deref().ok_or_else(missing)?)?,
            high: doubles(raw.hi_b64.as_deref().ok_or_else(missing)?)?,
        },
        "mixed" => {
            let cases = raw.alts.as_ref().ok_or_else(missing)?;
            let one = |case: &Option<Vec<RawAlternative>>| {
                case.as_ref().map(|list| list.iter().map(alternative).collect()).transpose()
            };
            Expectation::Mixed(cases.iter().map(one).collect::<Result<_, _>>()?)
        }
        other => return Err(format!("the expectation `{other}`")),
    };
    let given = match &expectation {
        Expectation::Bits(bits) => bits.len(),
        Expectation::Interval { low, high } => low.len().min(high.len()),
        Expectation::Mixed(cases) => cases.len() * raw.result_comps,
    };
    let short = inputs.iter().zip(&raw.param_comps).any(|(input, n)| input.len() != raw.n * n);
    if raw.n == 0 || short || inputs.len() != raw.params.len() || given != raw.n * raw.result_comps {
        return Err(format!("not {} cases", raw.n));
    }
    Ok(Set {
        inputs,
        input_components: raw.param_comps,
        output_components: raw.result_comps,
        count: raw.n,
        expectation,
    })
}

fn alternative(raw: &RawAlternative) -> Result<Alternative, String> {
    match (&raw.b, &raw.lo, &raw.hi) {
        (Some(bits), _, _) => Ok(Alternative::Bits(bits.clone())),
        (None, Some(low), Some(high)) => {
            let double = |text: &String| {
                u64::from_str_radix(text, 16).map(f64::from_bits).map_err(|error| format!("{text}: {error}"))
            };
            let bounds = low.iter().zip(high).map(|(low, high)| Ok((double(low)?, double(high)?)));
            Ok(Alternative::Interval(bounds.collect::<Result<_, String>>()?))
        }
        _ => Err("an alternative without values".to_string()),
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    BASE64_STANDARD.decode(text).map_err(|error| error.to_string())
}

fn words(text: &str) -> Result<Vec<u32>, String> {
    let bytes = decode(text)?;
    Ok(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

fn doubles(text: &str) -> Result<Vec<f64>, String> {
    let bytes = decode(text)?;
    Ok(bytes.chunks_exact(8).map(|b| f64::from_le_bytes(std::array::from_fn(|n| b[n]))).collect())
}
