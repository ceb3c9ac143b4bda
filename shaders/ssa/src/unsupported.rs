//! Why a kernel has no SSA form.

use std::fmt;
use warpweft_module::Location;

/// A kernel uses something that is not translated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}the compiler does not take {what}", At(location))]
pub struct Unsupported {
    /// What it uses.
    pub what: String,
    /// Where.
    pub location: Option<Location>,
}

struct At<'a>(&'a Option<Location>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(location) => write!(f, "{location}: "),
            None => Ok(()),
        }
    }
}
