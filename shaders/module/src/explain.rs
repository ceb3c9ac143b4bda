//! naga's findings as this crate's errors: positions traced back to the files, advice where naga gives none.
//!
//! Knows how naga builds its errors; single messages are the business of [`crate::wording`] and [`crate::quirks`].

use crate::error::{Diagnostic, ModuleError};
use crate::quirks;
use crate::source::Joined;
use crate::wording;
use naga::valid::{EntryPointError, ValidationError};
use naga::{GlobalVariable, Handle, ShaderStage, Span, WithSpan};
use std::error::Error;
use std::ops::Range;

/// A remark at a place: source, bytes of it, text.
type Label = (usize, Range<usize>, String);

/// Notes of naga's that send the reader elsewhere; ours say what to do.
const SENDS_AWAY: [&str; 2] = ["Naga maintainers", "See available extensions"];

/// A text that naga's parser refuses.
pub(crate) fn syntax(joined: &Joined, error: &naga::front::wgsl::ParseError) -> ModuleError {
    let labels = labels(joined, error.labels());
    let notes = error
        .notes()
        .filter(|note| !SENDS_AWAY.iter().any(|part| note.contains(part)))
        .map(str::to_string)
        .collect();
    ModuleError::Syntax(finish(joined, error.message().to_string(), labels, notes))
}

/// A module that naga's validator refuses.
pub(crate) fn invalid(
    joined: &Joined,
    module: &naga::Module,
    error: &WithSpan<ValidationError>,
) -> ModuleError {
    if let ValidationError::EntryPoint { name, source: EntryPointError::BindingCollision(second), .. } =
        error.as_inner()
    {
        return clash(joined, module, name, *second);
    }
    let mut labels = labels(joined, error.spans().map(|(span, text)| (*span, text.as_str())));
    if let (true, ValidationError::EntryPoint { name, .. }) = (labels.is_empty(), error.as_inner()) {
        labels.extend(joined.function(name).map(|(file, range)| (file, range, "declared here".to_string())));
    }
    ModuleError::Invalid(finish(joined, headline(error.as_inner()), labels, Vec::new()))
}

/// Two variables of one kernel at the same place.
fn clash(
    joined: &Joined,
    module: &naga::Module,
    kernel: &str,
    second: Handle<GlobalVariable>,
) -> ModuleError {
    let variables = &module.global_variables;
    let place = variables[second].binding;
    let first = variables.iter().find(|(handle, v)| *handle != second && v.binding == place);
    let name = |handle: Handle<GlobalVariable>| {
        format!("`{}`", variables[handle].name.as_deref().unwrap_or_default())
    };
    let handles = [Some(second), first.map(|(handle, _)| handle)].into_iter().flatten();
    let spans =
        handles.map(|handle| (variables.get_span(handle), format!("{} is declared here", name(handle))));
    let (group, binding) = place.map_or((0, 0), |place| (place.group, place.binding));
    let message = format!(
        "kernel `{kernel}` uses {} and {}, both at @group({group}) @binding({binding})",
        first.map_or_else(String::new, |(handle, _)| name(handle)),
        name(second),
    );
    let note = "give each binding of a kernel its own @binding number".to_string();
    ModuleError::BindingClash(diagnostic(joined, message, &spans.collect::<Vec<_>>(), vec![note]))
}

/// A finding of this crate's own, at spans of the joined text.
pub(crate) fn diagnostic(
    joined: &Joined,
    message: String,
    spans: &[(Span, String)],
    notes: Vec<String>,
) -> Box<Diagnostic> {
    let labels = labels(joined, spans.iter().map(|(span, text)| (*span, text.as_str())));
    Diagnostic::new(&joined.sources, message, labels, notes)
}

fn labels<'a>(joined: &Joined, spans: impl Iterator<Item = (Span, &'a str)>) -> Vec<Label> {
    let label = |(span, text)| joined.origin(span).map(|(file, range)| (file, range, wording::remark(text)));
    spans.filter_map(label).collect()
}

/// Adds advice, and puts it all together.
fn finish(joined: &Joined, message: String, labels: Vec<Label>, mut notes: Vec<String>) -> Box<Diagnostic> {
    let codes = labels.iter().map(|(file, range, _)| joined.code(*file, range)).collect::<Vec<_>>();
    notes.extend(quirks::advice(&message, &codes, &joined.text).map(str::to_string));
    if let Some((file, ..)) = labels.iter().find(|(file, ..)| *file >= joined.given) {
        let name = joined.sources[*file].name.trim_start_matches("<alias ").trim_end_matches('>');
        if message.contains("redefinition") {
            notes.push(format!(
                "`{name}` is supplied from outside as an alias: remove its declaration from the source, or do not supply it"
            ));
        }
    }
    Diagnostic::new(&joined.sources, message, labels, notes)
}

/// What is wrong, and with what.
fn headline(error: &ValidationError) -> String {
    let about = match error {
        ValidationError::Function { name, .. } => format!("function `{name}`"),
        ValidationError::EntryPoint { name, stage: ShaderStage::Compute, .. } => format!("kernel `{name}`"),
        ValidationError::EntryPoint { name, .. } => format!("entry point `{name}`"),
        ValidationError::GlobalVariable { name, .. } => format!("variable `{name}`"),
        ValidationError::Type { name, .. } if !name.is_empty() => format!("type `{name}`"),
        ValidationError::Constant { name, .. } => format!("constant `{name}`"),
        ValidationError::Override { name, .. } => format!("override `{name}`"),
        _ => return cause(error),
    };
    format!("{about}: {}", cause(error))
}

/// The chain of causes as one line.
pub(crate) fn cause(error: &ValidationError) -> String {
    let mut causes = Vec::new();
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        causes.push(wording::plain(&next.to_string()).trim_end_matches('.').to_string());
        cause = next;
    }
    // Layers that only say that something inside is wrong are of no use beside what is inside.
    let last = causes.pop().unwrap_or_else(|| wording::plain(&error.to_string()));
    causes.retain(|cause| cause != "Expression is invalid");
    causes.push(last);
    causes.join(": ")
}
