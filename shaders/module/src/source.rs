//! WGSL files joined into one text, with every position traceable to its own file.
//!
//! Directives are hoisted: WGSL wants them before every declaration, and a joined text has many beginnings.
//! Knows the lexical shape of WGSL only, through [`crate::scan`]; nothing of its grammar.

use crate::error::{Diagnostic, ModuleError};
use crate::lines::Lines;
use crate::scan::{self, Fault};
use crate::types::Scalar;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

/// One WGSL file: a name for messages, and its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// What messages call it, such as `kernels/saxpy.wgsl`.
    pub name: String,
    /// The WGSL.
    pub text: String,
}

impl Source {
    /// A file of that name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into() }
    }
}

/// A place in one of the given sources.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The name of the source.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Bytes of WGSL that are accepted in all; far above real kernels, and what keeps 32-bit spans safe.
const LIMIT: usize = 4 << 20;

/// A stretch of the joined text that was taken, byte for byte, from one file.
#[derive(Clone, Debug)]
struct Segment {
    start: usize,
    len: usize,
    file: usize,
    offset: usize,
}

/// What naga gets to read, and the way back from it.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) text: String,
    /// The sources, followed by one virtual source per alias.
    pub(crate) sources: Vec<Source>,
    /// How many of `sources` were written by the user.
    pub(crate) given: usize,
    /// The deepest nesting that the lexical scan saw.
    pub(crate) nesting: usize,
    /// Global declarations.
    pub(crate) declarations: usize,
    segments: Vec<Segment>,
    /// Of each source, once somebody asks for many places.
    lines: OnceLock<Vec<Lines>>,
}

impl Joined {
    /// Joins `sources` and supplies `aliases`.
    pub(crate) fn new(sources: &[Source], aliases: &[(String, Scalar)]) -> Result<Joined, ModuleError> {
        let bytes = sources.iter().map(|s| s.text.len()).sum::<usize>();
        if bytes > LIMIT {
            return Err(ModuleError::TooLarge { bytes, limit: LIMIT });
        }
        let mut all = sources.to_vec();
        all.extend(virtual_sources(aliases)?);
        let mut joined = Joined {
            text: String::new(),
            given: sources.len(),
            sources: all,
            nesting: 0,
            declarations: 0,
            segments: Vec::new(),
            lines: OnceLock::new(),
        };
        for (_, scalar) in aliases {
            joined.text.push_str(needed_directive(*scalar));
        }
        let mut bodies = Vec::new();
        for file in 0..joined.sources.len() {
            bodies.push(joined.scan_file(file)?);
        }
        for (file, body) in bodies.into_iter().enumerate() {
            joined.push(file, 0..body.len(), &body);
            joined.text.push('\n');
        }
        Ok(joined)
    }

    /// Hoists the directives of a file and returns its text with them blanked out, every byte in its place.
    fn scan_file(&mut self, file: usize) -> Result<String, ModuleError> {
        let text = self.sources[file].text.clone();
        let scan = scan::scan(&text, self.declarations).map_err(|fault| self.fault(file, fault))?;
        self.nesting = self.nesting.max(scan.nesting);
        self.declarations += scan.declarations;
        let mut body = text.clone().into_bytes();
        if text.starts_with('\u{feff}') {
            body[..3].fill(b' ');
        }
        for directive in scan.directives {
            for piece in directive.pieces {
                self.text.push_str(directive.keyword);
                self.text.push(' ');
                self.push(file, piece.clone(), &text[piece]);
                self.text.push_str(";\n");
            }
            for byte in &mut body[directive.range] {
                if !matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
        }
        // Whole directives were overwritten with spaces: what is left is the UTF-8 that was there.
        Ok(String::from_utf8(body).unwrap_or(text))
    }

    fn push(&mut self, file: usize, range: Range<usize>, text: &str) {
        self.segments.push(Segment { start: self.text.len(), len: range.len(), file, offset: range.start });
        self.text.push_str(text);
    }

    fn fault(&self, file: usize, fault: Fault) -> ModuleError {
        let (at, message, label, note) = fault.explain();
        let labels = vec![(file, at, label)];
        ModuleError::Syntax(Diagnostic::new(&self.sources, message, labels, vec![note]))
    }

    /// The file and byte range that a span of the joined text came from.
    pub(crate) fn origin(&self, span: naga::Span) -> Option<(usize, Range<usize>)> {
        let range = span.to_range()?;
        let after = self.segments.partition_point(|s| s.start <= range.start);
        let segment = &self.segments[after.checked_sub(1)?];
        let from = (range.start - segment.start).min(segment.len);
        let to = range.end.saturating_sub(segment.start).clamp(from, segment.len);
        Some((segment.file, segment.offset + from..segment.offset + to))
    }

    /// The code that a range of a source holds.
    pub(crate) fn code(&self, file: usize, range: &Range<usize>) -> &str {
        self.sources[file].text.get(range.clone()).unwrap_or_default()
    }

    /// An estimate of how deeply naga recurses: a level of nesting takes as much stack as several declarations that
    /// each need the next.
    pub(crate) fn recursion(&self) -> usize {
        self.nesting + self.declarations / 16
    }

    /// Where the function `name` is declared.
    pub(crate) fn function(&self, name: &str) -> Option<(usize, Range<usize>)> {
        let found = |(file, source): (usize, &Source)| Some((file, scan::function(&source.text, name)?));
        self.sources.iter().enumerate().find_map(found)
    }

    /// The place where a span starts.
    pub(crate) fn locate(&self, span: naga::Span) -> Option<Location> {
        let (file, range) = self.origin(span)?;
        Some(locate(&self.sources[file], range.start))
    }

    /// The place of a byte of the joined text, and which bytes around it are in the same line of the same source.
    pub(crate) fn line(&self, at: usize) -> Option<(Location, Range<usize>)> {
        let after = self.segments.partition_point(|segment| segment.start <= at);
        let segment = &self.segments[after.checked_sub(1)?];
        let offset = segment.offset + (at - segment.start).min(segment.len);
        let lines =
            self.lines.get_or_init(|| self.sources.iter().map(|source| Lines::new(&source.text)).collect());
        let (line, bytes) = lines[segment.file].line(offset);
        let source = &self.sources[segment.file];
        let before = source.text.get(bytes.start..offset).unwrap_or_default();
        let location = Location {
            file: source.name.clone(),
            line: line as u32 + 1,
            column: before.chars().count() as u32 + 1,
        };
        let joined = |offset: usize| {
            segment.start + offset.clamp(segment.offset, segment.offset + segment.len) - segment.offset
        };
        Some((location, joined(bytes.start)..joined(bytes.end)))
    }
}

/// The place of a byte offset in a source.
pub(crate) fn locate(source: &Source, offset: usize) -> Location {
    let before = source.text.get(..offset).unwrap_or(&source.text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Location {
        file: source.name.clone(),
        line: before.matches('\n').count() as u32 + 1,
        column: before[start..].chars().count() as u32 + 1,
    }
}

fn virtual_sources(aliases: &[(String, Scalar)]) -> Result<Vec<Source>, ModuleError> {
    let mut sources: Vec<Source> = Vec::new();
    for (name, scalar) in aliases {
        if !scan::is_identifier(name) {
            return Err(ModuleError::AliasName { name: name.clone() });
        }
        let file = format!("<alias {name}>");
        if sources.iter().any(|s| s.name == file) {
            return Err(ModuleError::DuplicateAlias { name: name.clone() });
        }
        sources.push(Source::new(file, format!("alias {name} = {scalar};")));
    }
    Ok(sources)
}

fn needed_directive(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::F16 => "enable f16;\n",
        Scalar::I16 | Scalar::U16 => "enable wgpu_int16;\n",
        _ => "",
    }
}
