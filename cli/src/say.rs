//! What the tool says: results on stdout, mistakes on stderr; a reader that went away is no mistake.
//!
//! Knows streams only.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// Prints a text on stdout, with a line end.
///
/// # Errors
/// When stdout cannot take it, other than because its reader went away.
pub(crate) fn out(text: &str) -> Outcome {
    let mut stdout = io::stdout().lock();
    let said = writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush());
    match said {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON on stdout.
///
/// # Errors
/// As [`out`].
pub(crate) fn json(value: &impl Serialize) -> Outcome {
    out(&text(value)?)
}

/// A value as readable JSON.
///
/// # Errors
/// When it cannot be told in JSON.
pub(crate) fn text(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Failure::failed(format!("cannot write JSON: {error}")))
}

/// Prints a text on stderr, with a line end; where that cannot take it, nobody can be told.
pub(crate) fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}
