//! What naga 30 misreads about 16-bit floats: `bitcast` and `frexp`, found and refused.
//!
//! naga takes a bitcast for one between scalars of the source's width, so that `bitcast<vec2<f16>>(u)` is an f32; and the
//! exponents of a 16-bit `frexp` are 16-bit integers to it. With `enable wgpu_int16` the latter types are at least real.

use crate::error::{Diagnostic, ModuleError};
use crate::interface::Features;
use crate::scan::{Token, Tokens};
use crate::source::Joined;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

const BITCAST: &str = "naga has no bitcast to or from f16: use `unpack2x16float(u)` and `pack2x16float(v)`, which convert between u32 and vec2<f32>";
const FREXP: &str = "naga has no `frexp` of f16: convert first, as in `frexp(f32(x))`";

/// Advice for a message about `text` that points at `codes`.
pub(crate) fn advice(message: &str, codes: &[&str], text: &str) -> Option<&'static str> {
    let mentions = |word: &str| codes.iter().any(|code| code.contains(word));
    let unasked = (message.contains("i16") || message.contains("u16")) && !has_int16(text);
    if !text.contains("enable f16") {
        None
    } else if mentions("bitcast") {
        Some(BITCAST)
    } else if unasked && (mentions("frexp") || text.contains("frexp")) {
        Some(FREXP)
    } else if unasked && text.contains("bitcast") {
        Some(BITCAST)
    } else {
        None
    }
}

/// An error if the sources cast bits to 16-bit floats.
pub(crate) fn refuse_casts(joined: &Joined) -> Result<(), ModuleError> {
    // Most sources have no cast of any kind, and a word is found sooner than all tokens.
    if has_int16(&joined.text) || !joined.text.contains("bitcast") {
        return Ok(());
    }
    let halves = halves(joined);
    let place =
        first(joined, |text| casts(text, &halves).into_iter().find(|(_, half)| *half).map(|(at, _)| at));
    place.map_or(Ok(()), |place| Err(refusal(joined, place, "a bitcast to 16-bit floats", BITCAST)))
}

/// An error if a kernel has 16-bit integers that nobody enabled.
pub(crate) fn refuse_unasked_integers(joined: &Joined, features: Features) -> Result<(), ModuleError> {
    if !features.contains(Features::I16) || has_int16(&joined.text) {
        return Ok(());
    }
    if let Some(place) = first(joined, |text| word(text, "frexp")) {
        return Err(refusal(joined, place, "`frexp` of 16-bit floats", FREXP));
    }
    let place = first(joined, |text| casts(text, &HashSet::new()).into_iter().next().map(|(at, _)| at));
    place.map_or(Ok(()), |place| Err(refusal(joined, place, "a bitcast from 16-bit floats", BITCAST)))
}

fn has_int16(text: &str) -> bool {
    text.contains("enable wgpu_int16")
}

/// The first place that `find` finds in any source.
fn first(joined: &Joined, find: impl Fn(&str) -> Option<Range<usize>>) -> Option<(usize, Range<usize>)> {
    let found = |(file, source): (usize, &crate::Source)| Some((file, find(&source.text)?));
    joined.sources.iter().enumerate().find_map(found)
}

fn refusal(joined: &Joined, place: (usize, Range<usize>), what: &str, advice: &str) -> ModuleError {
    let labels = vec![(place.0, place.1, "this one".to_string())];
    let message = format!("{what} is not supported");
    ModuleError::Unsupported(Diagnostic::new(&joined.sources, message, labels, vec![advice.to_string()]))
}

fn word(text: &str, wanted: &str) -> Option<Range<usize>> {
    let mut tokens = Tokens { text, at: 0 };
    let (at, _) = tokens.find(|(_, token)| *token == Token::Word(wanted))?;
    Some(at..at + wanted.len())
}

/// The names of types that hold 16-bit floats: WGSL's own, and aliases of them in any file.
fn halves(joined: &Joined) -> HashSet<&str> {
    let mut halves = HashSet::from(["f16", "vec2h", "vec3h", "vec4h"]);
    // By the words that an alias mentions, which aliases do.
    let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut pending = Vec::new();
    for source in &joined.sources {
        let mut tokens = Tokens { text: &source.text, at: 0 };
        while tokens.any(|(_, token)| token == Token::Word("alias")) {
            let Some((_, Token::Word(name))) = tokens.next() else { continue };
            for (_, token) in tokens.by_ref() {
                match token {
                    Token::Word(word) if halves.contains(word) => pending.push(name),
                    Token::Word(word) => users.entry(word).or_default().push(name),
                    Token::Semicolon | Token::UnclosedComment => break,
                    _ => {}
                }
            }
        }
    }
    while let Some(name) = pending.pop() {
        if halves.insert(name) {
            pending.extend(users.remove(name).unwrap_or_default());
        }
    }
    halves
}

/// The places where a file casts bits, each with whether it says that the result is of one of the `halves`.
fn casts(text: &str, halves: &HashSet<&str>) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, bool)> = None;
    for (at, token) in (Tokens { text, at: 0 }) {
        match (token, &mut open) {
            (Token::Word("bitcast"), _) => open = Some((at, false)),
            (Token::Word(word), Some((_, half))) => *half |= halves.contains(word),
            (Token::Open('('), Some((start, half))) => {
                found.push((*start..at, *half));
                open = None;
            }
            (Token::Word(_) | Token::Operator, _) => {}
            _ => open = None,
        }
    }
    found
}
