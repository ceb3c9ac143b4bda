//! The arguments of an example: values by position, and `--on` for where to run.
//!
//! Does not know what the values mean.

use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use warpweft::Placement;

/// The arguments that an example was started with.
pub struct Arguments {
    /// Where to run: `--on cpu|gpu|software|auto`, by default `auto`.
    pub on: Placement,
    usage: &'static str,
    values: Vec<String>,
}

impl Arguments {
    /// Reads the program's arguments; the usage names the values in their order, such as `[size] [steps]`.
    ///
    /// # Errors
    /// When there is an unknown flag, more values than the usage names, or a wrong placement.
    pub fn read(usage: &'static str) -> anyhow::Result<Self> {
        Self::parse(usage, std::env::args().skip(1))
    }

    fn parse(usage: &'static str, arguments: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        let mut read = Self { on: Placement::Auto, usage, values: Vec::new() };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument == "--on" {
                let place = arguments.next().context("`--on` needs a placement after it")?;
                read.on = place.parse().map_err(anyhow::Error::msg)?;
            } else if argument.starts_with("--") {
                bail!("there is no flag `{argument}`; {}", read.expected());
            } else {
                read.values.push(argument);
            }
        }
        let most = usage.split_whitespace().count();
        ensure!(
            read.values.len() <= most,
            "`{}` is one value too many; {}",
            read.values[most],
            read.expected()
        );
        Ok(read)
    }

    /// The value at a position, counted from 0, or the default where it was not given.
    ///
    /// # Errors
    /// When the value cannot be read as a `T`.
    pub fn value<T: FromStr>(&self, position: usize, default: T) -> anyhow::Result<T> {
        match self.values.get(position) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(value) => Ok(value),
                Err(_) => bail!("`{text}` is no {}; {}", std::any::type_name::<T>(), self.expected()),
            },
        }
    }

    fn expected(&self) -> String {
        format!("the arguments are {} [--on cpu|gpu|software|auto]", self.usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Arguments> {
        Arguments::parse("[size] [steps]", line.split_whitespace().map(String::from))
    }

    #[test]
    fn values_by_position_and_the_placement_anywhere() {
        let arguments = parse("12 --on cpu 7").unwrap();
        assert_eq!(arguments.on, Placement::Cpu);
        assert_eq!(arguments.value(0, 1usize).unwrap(), 12);
        assert_eq!(arguments.value(1, 1u64).unwrap(), 7);
        assert_eq!(parse("").unwrap().value(0, 0.5f32).unwrap(), 0.5);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, culprit) in [
            ("--fast", "--fast"),
            ("--on", "needs a placement"),
            ("--on moon", "`moon`"),
            ("1 2 3", "`3` is one value too many; the arguments are [size] [steps]"),
        ] {
            let error = parse(line).err().expect(line).to_string();
            assert!(error.contains(culprit), "{line}: {error}");
        }
        let error = parse("many").unwrap().value(0, 1usize).unwrap_err().to_string();
        assert!(error.contains("`many` is no usize"), "{error}");
    }
}
