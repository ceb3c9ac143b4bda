//! How the tool fails: one paragraph on stderr and an exit code.
//!
//! Knows nothing of what was asked; every module turns its own mistakes into a [`Failure`].

use std::fmt;
use std::io;

use warpweft_module::ModuleError;

/// A mistake, as the person at the keyboard will read it.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    text: String,
}

/// A result that ends in a paragraph on stderr when it is an error.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// What was asked for failed: data, kernel, device. Exit code 1.
    pub(crate) fn failed(text: impl fmt::Display) -> Self {
        Self { code: 1, text: text.to_string() }
    }

    /// The command line itself makes no sense. Exit code 2.
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self { code: 2, text: text.to_string() }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// What is wrong, without the word `error`.
    pub(crate) fn reason(&self) -> &str {
        self.text.trim()
    }

    /// The same failure with a remedy behind it.
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        let end = if self.text.ends_with(['.', '\n', '?']) { "" } else { "." };
        self.text = format!("{}{end} {hint}", self.text.trim_end());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.text.trim())
    }
}

impl From<warpweft::Error> for Failure {
    fn from(error: warpweft::Error) -> Self {
        let failure = Self::failed(&error);
        match error {
            warpweft::Error::Grid { .. } => failure.hint(
                "On the command line the grid is `--over NX,NY,NZ` (invocations), `--over @NAME` (the shape of what is \
                 bound to NAME) or `--workgroups X,Y,Z`.",
            ),
            warpweft::Error::Module(error) if matches!(*error, ModuleError::MissingConstant { .. }) => {
                failure.hint("On the command line that is `--const NAME=VALUE`.")
            }
            warpweft::Error::Placement(_) => failure.hint("`--on auto` takes the best device that may be taken."),
            warpweft::Error::HostMemory { .. } => failure.hint("Use smaller inputs, or close what else fills the memory."),
            _ => failure,
        }
    }
}

/// An error of the file system, with the file's name before it.
pub(crate) fn of_file(path: &std::path::Path, doing: &str, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {doing} `{}`: {}", path.display(), reason(error)))
}

/// What an error of the file system means, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "permission is denied".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::NotADirectory => "a part of its path is not a folder".into(),
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::FileTooLarge => "a file may not be that large here".into(),
        io::ErrorKind::InvalidFilename => "its name is too long, or not one that a file can have".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_paragraph_with_its_remedy() {
        let failure = Failure::failed("the grid is odd").hint("Give an even one.");
        assert_eq!(failure.to_string(), "error: the grid is odd. Give an even one.");
        assert_eq!((failure.code(), Failure::usage("x").code()), (1, 2));
    }

    #[test]
    fn grid_errors_name_the_flags() {
        let error = warpweft::Error::Grid { kernel: "k".into(), reason: "no shape".into() };
        let text = Failure::from(error).to_string();
        assert!(
            text.starts_with("error: kernel `k`: no shape. ") && text.contains("`--over @NAME`"),
            "{text}"
        );
    }
}
