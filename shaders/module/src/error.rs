//! What can be wrong with WGSL or with the way a kernel was asked for, said so that it can be mended.
//!
//! Knows nothing of naga: [`crate::explain`] turns its findings into these.

use crate::source::{self, Location, Source};
use crate::types::Scalar;
use codespan_reporting::diagnostic::{Diagnostic as Report, Label};
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term;
use std::fmt;
use std::ops::Range;

/// Why there is no [`Module`](crate::Module), or no [`Kernel`](crate::Kernel) from it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// The text is not WGSL.
    #[error("{0}")]
    Syntax(Box<Diagnostic>),
    /// It is WGSL that breaks one of WGSL's rules.
    #[error("{0}")]
    Invalid(Box<Diagnostic>),
    /// It is valid WGSL that needs what no compute device of Warpweft offers.
    #[error("{0}")]
    Unsupported(Box<Diagnostic>),
    /// Two bindings of one kernel have the same `@group` and `@binding`.
    #[error("{0}")]
    BindingClash(Box<Diagnostic>),
    /// More text than is accepted.
    #[error("the WGSL sources have {bytes} bytes in all; at most {limit} are accepted: split the module")]
    TooLarge {
        /// Bytes given.
        bytes: usize,
        /// Bytes accepted.
        limit: usize,
    },
    /// A supplied alias has a name that WGSL could not declare.
    #[error(
        "the alias name `{name}` is not a WGSL identifier: use letters, digits and `_`, not starting with a digit or `__`"
    )]
    AliasName {
        /// The name as given.
        name: String,
    },
    /// An alias was supplied twice.
    #[error("the alias `{name}` is supplied twice: supply it once")]
    DuplicateAlias {
        /// Its name.
        name: String,
    },
    /// The sources have no compute entry point.
    #[error("there is no kernel in {sources}: {}", no_kernel(others))]
    NoKernel {
        /// The names of the sources.
        sources: String,
        /// Entry points of other stages.
        others: Vec<String>,
    },
    /// There is no compute entry point of that name.
    #[error("there is no kernel `{name}`{}; the module has {}", suggestion(similar), listing(known))]
    UnknownKernel {
        /// The name asked for.
        name: String,
        /// The kernels that there are.
        known: Vec<String>,
        /// The one that was probably meant.
        similar: Option<String>,
    },
    /// No kernel was named and there are several.
    #[error("the module has {} kernels: name one of {}", known.len(), listing(known))]
    SeveralKernels {
        /// The kernels that there are.
        known: Vec<String>,
    },
    /// There is no override of that name or `@id`.
    #[error("there is no override `{name}`{}; {}", suggestion(similar), overrides(known))]
    UnknownConstant {
        /// The name or `@id` given.
        name: String,
        /// The overrides that there are.
        known: Vec<String>,
        /// The one that was probably meant.
        similar: Option<String>,
    },
    /// An override was given two values.
    #[error("the override `{name}` is given two values, {first} and {second}: give one")]
    DuplicateConstant {
        /// Its name.
        name: String,
        /// The first value.
        first: f64,
        /// The second value.
        second: f64,
    },
    /// A value does not fit the type of its override.
    #[error("the override `{name}: {scalar}` cannot be {value}: {reason}")]
    ConstantValue {
        /// Its name.
        name: String,
        /// Its type.
        scalar: Scalar,
        /// The value given.
        value: f64,
        /// What is allowed.
        reason: String,
    },
    /// The kernel uses an override that has neither a default nor a given value.
    #[error(
        "{location}: kernel `{kernel}` needs a value for the override `{name}: {scalar}`, which has no default: give it one as a constant"
    )]
    MissingConstant {
        /// The kernel.
        kernel: String,
        /// The override.
        name: String,
        /// Its type.
        scalar: Scalar,
        /// Where it is declared.
        location: Location,
    },
    /// With these constants an expression of overrides has no value.
    #[error("{}kernel `{kernel}` cannot be specialised with {constants}: {reason}", at(location))]
    Specialisation {
        /// The kernel.
        kernel: String,
        /// The constants, as text.
        constants: String,
        /// What went wrong.
        reason: String,
        /// Where the kernel is declared.
        location: Option<Location>,
    },
    /// The WGSL front end broke down.
    #[error(
        "the WGSL front end (naga) broke down on this input, which is a defect of naga: {message}; change the code near what is unusual in it"
    )]
    FrontEnd {
        /// What it said.
        message: String,
    },
}

impl ModuleError {
    /// Where in the sources the error lies, if it lies in one place.
    pub fn location(&self) -> Option<&Location> {
        match self {
            ModuleError::Syntax(d)
            | ModuleError::Invalid(d)
            | ModuleError::Unsupported(d)
            | ModuleError::BindingClash(d) => d.location.as_ref(),
            ModuleError::MissingConstant { location, .. } => Some(location),
            ModuleError::Specialisation { location, .. } => location.as_ref(),
            _ => None,
        }
    }
}

/// A finding in the sources: a message, the WGSL lines that it is about, and advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub location: Option<Location>,
    /// Further remarks: causes, and how to mend it.
    pub notes: Vec<String>,
    text: String,
}

impl Diagnostic {
    /// Labels are (source, bytes of it, remark); the first is where the error lies.
    pub(crate) fn new(
        sources: &[Source],
        message: String,
        labels: Vec<(usize, Range<usize>, String)>,
        notes: Vec<String>,
    ) -> Box<Diagnostic> {
        let location = labels.first().map(|(file, range, _)| source::locate(&sources[*file], range.start));
        let text = render(sources, &message, &labels, &notes);
        Box::new(Diagnostic { message, location, notes, text })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn render(
    sources: &[Source],
    message: &str,
    labels: &[(usize, Range<usize>, String)],
    notes: &[String],
) -> String {
    let mut files = SimpleFiles::new();
    for source in sources {
        files.add(printable(&source.name), printable(&source.text));
    }
    let labels = labels.iter().enumerate().map(|(index, (file, range, text))| {
        let label = if index == 0 { Label::primary } else { Label::secondary };
        label(*file, range.clone()).with_message(text)
    });
    let report =
        Report::error().with_message(message).with_labels(labels.collect()).with_notes(notes.to_vec());
    let mut text = String::new();
    if term::emit_to_string(&mut text, &term::Config::default(), &files, &report).is_err() {
        return message.to_string();
    }
    // Whoever prints an error says that it is one.
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_string()
}

/// The text with control characters replaced by as many bytes: a file must not steer the reader's terminal.
fn printable(text: &str) -> String {
    let replace = |c: char| match c {
        '\n' | '\r' | '\t' => c,
        c if c.is_control() && c.len_utf8() == 1 => '?',
        c if c.is_control() => '·',
        c => c,
    };
    text.chars().map(replace).collect()
}

/// The candidate that `name` was probably meant to be.
pub(crate) fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = |known: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let best = known.min_by_key(near)?;
    (near(&best) <= 1.max(name.chars().count() / 3)).then(|| best.to_string())
}

fn at(location: &Option<Location>) -> String {
    location.as_ref().map_or(String::new(), |location| format!("{location}: "))
}

fn suggestion(similar: &Option<String>) -> String {
    similar.as_ref().map_or(String::new(), |name| format!(" (did you mean `{name}`?)"))
}

fn listing(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn overrides(known: &[String]) -> String {
    if known.is_empty() {
        return "the module declares none".to_string();
    }
    format!("the module has {}", listing(known))
}

fn no_kernel(others: &[String]) -> String {
    let wanted = "a kernel is a function with `@compute @workgroup_size(…)`";
    if others.is_empty() {
        return wanted.to_string();
    }
    format!("{wanted}; there are entry points of other stages: {}", listing(others))
}
