//! Which way of running kernels is wanted, and which ways this machine has.
//!
//! Knows no kernel.

use std::fmt;
use std::str::FromStr;

use warpweft_compiler::Generator;
use warpweft_hal::Error;

/// The environment variable that decides where [`CpuPath::Auto`] does not.
pub(crate) const VARIABLE: &str = "WARPWEFT_CPU";

/// How kernels without a hand-written implementation are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CpuPath {
    /// As `WARPWEFT_CPU` says; else compiled by the best generator that this machine has, and interpreted where that
    /// cannot be.
    #[default]
    Auto,
    /// By the reference interpreter.
    Interpreter,
    /// Compiled by that generator, and interpreted where that cannot be.
    Compiled(Generator),
}

impl CpuPath {
    /// The generators to be tried, the best first: none for the interpreter.
    ///
    /// # Errors
    /// When this machine lacks the generator that was asked for, or the variable's value is no path.
    pub(crate) fn generators(self, variable: Option<&str>) -> Result<Vec<Generator>, Error> {
        let available = Generator::available();
        let (path, asked) = match (self, variable.map(str::trim)) {
            (CpuPath::Auto, Some(value)) if !value.is_empty() => {
                let path = value.parse().map_err(|reason| setting(format!("{VARIABLE}: {reason}")))?;
                (path, format!("{VARIABLE}={value}"))
            }
            (path, _) => (path, path.to_string()),
        };
        match path {
            CpuPath::Auto => Ok(available),
            CpuPath::Interpreter => Ok(Vec::new()),
            CpuPath::Compiled(generator) if available.contains(&generator) => Ok(vec![generator]),
            CpuPath::Compiled(generator) => {
                let names: Vec<_> = available.iter().map(|generator| generator.name()).collect();
                let others = match names.is_empty() {
                    true => "it has no code generator at all".to_owned(),
                    false => format!("it has {}", names.join(", ")),
                };
                Err(setting(format!("{asked}: this machine cannot run code of `{generator}`; {others}")))
            }
        }
    }
}

fn setting(reason: String) -> Error {
    Error::Setting { device: "cpu".into(), reason }
}

impl fmt::Display for CpuPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CpuPath::Auto => f.write_str("auto"),
            CpuPath::Interpreter => f.write_str("interpreter"),
            CpuPath::Compiled(generator) => f.write_str(generator.name()),
        }
    }
}

impl FromStr for CpuPath {
    type Err = String;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(CpuPath::Auto),
            "interpreter" => Ok(CpuPath::Interpreter),
            name => Generator::from_name(name).map(CpuPath::Compiled).ok_or_else(|| {
                format!("`{name}` is no way to run kernels: use auto, interpreter, cranelift, avx2 or avx512")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let paths = [Generator::Cranelift, Generator::Avx2, Generator::Avx512].map(CpuPath::Compiled);
        for path in paths.into_iter().chain([CpuPath::Auto, CpuPath::Interpreter]) {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        let error = "sse9".parse::<CpuPath>().unwrap_err();
        assert!(error.contains("auto, interpreter, cranelift, avx2 or avx512"), "{error}");
    }

    #[test]
    fn the_variable_decides_where_nothing_else_does() {
        assert_eq!(CpuPath::Auto.generators(Some("interpreter")).unwrap(), []);
        assert_eq!(CpuPath::Auto.generators(Some("")).unwrap(), Generator::available());
        assert_eq!(CpuPath::Auto.generators(None).unwrap(), Generator::available());
        assert_eq!(CpuPath::Interpreter.generators(Some("nonsense")).unwrap(), []);
        let error = CpuPath::Auto.generators(Some("nonsense")).unwrap_err().to_string();
        assert!(error.contains("WARPWEFT_CPU") && error.contains("avx512"), "{error}");
        for generator in [Generator::Cranelift, Generator::Avx2, Generator::Avx512] {
            match CpuPath::Compiled(generator).generators(None) {
                Ok(generators) => assert_eq!(generators, [generator]),
                Err(error) => assert!(error.to_string().contains(generator.name()), "{error}"),
            }
        }
    }
}
