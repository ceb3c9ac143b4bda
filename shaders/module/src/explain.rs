//! naga's findings as this crate's errors: positions traced back to the files, and advice where naga gives none.
//!
//! Knows naga's messages; does not know how they are printed.

use crate::error::{Diagnostic, ModuleError};
use crate::source::Joined;
use naga::valid::ValidationError;
use naga::{Span, WithSpan};
use std::error::Error;

/// A text that naga's parser refuses.
pub(crate) fn syntax(joined: &Joined, error: &naga::front::wgsl::ParseError) -> ModuleError {
    let labels = error
        .labels()
        .map(|(span, text)| (span, text.to_string()))
        .collect();
    let notes = error.notes().map(str::to_string).collect();
    ModuleError::Syntax(diagnostic(joined, error.message(), labels, notes))
}

/// A module that naga's validator refuses.
pub(crate) fn invalid(joined: &Joined, error: &WithSpan<ValidationError>) -> ModuleError {
    let labels = error.spans().cloned().collect();
    let mut notes = Vec::new();
    let mut cause: &dyn Error = error.as_inner();
    while let Some(next) = cause.source() {
        notes.push(without_handles(&next.to_string()));
        cause = next;
    }
    ModuleError::Invalid(diagnostic(
        joined,
        &without_handles(&error.as_inner().to_string()),
        labels,
        notes,
    ))
}

/// A diagnostic from spans of the joined text.
pub(crate) fn diagnostic(
    joined: &Joined,
    message: &str,
    labels: Vec<(Span, String)>,
    mut notes: Vec<String>,
) -> Box<Diagnostic> {
    let labels = labels
        .into_iter()
        .filter_map(|(span, text)| {
            joined
                .origin(span)
                .map(|(file, range)| (file, range, without_handles(&text)))
        })
        .collect::<Vec<_>>();
    notes.extend(advice(joined, message, &labels, &notes));
    Diagnostic::new(&joined.sources, message.to_string(), labels, notes)
}

/// naga names parts of its arenas by number, as in `Function [3] 'main'`: of no use to who wrote the WGSL.
fn without_handles(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(" [") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let digits = after[2..].chars().take_while(char::is_ascii_digit).count();
        let named = before.ends_with(|c: char| c.is_ascii_alphabetic());
        if named && digits > 0 && after[2 + digits..].starts_with(']') {
            rest = &after[digits + 3..];
        } else {
            out.push_str(" [");
            rest = &after[2..];
        }
    }
    out + rest
}

/// What to write instead, where naga does not say so itself.
fn advice(
    joined: &Joined,
    message: &str,
    labels: &[(usize, std::ops::Range<usize>, String)],
    _notes: &[String],
) -> Vec<String> {
    let mut advice = Vec::new();
    if let Some((file, ..)) = labels.iter().find(|(file, ..)| *file >= joined.given) {
        let name = joined.sources[*file]
            .name
            .trim_start_matches("<alias ")
            .trim_end_matches('>');
        if message.contains("redefinition") {
            advice.push(format!(
                "`{name}` is supplied from outside as an alias: remove its declaration from the source, or do not supply it"
            ));
        }
    }
    advice
}
