//! Where a launch may run, as the user says it.

use std::fmt;
use std::str::FromStr;

use warpweft_hal::DeviceKind;

/// Where a launch may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Placement {
    /// Wherever the planner expects it to finish first.
    #[default]
    Auto,
    /// On the CPU.
    Cpu,
    /// On a GPU: the one that is expected to finish first.
    Gpu,
    /// On the GPU of that number, counting GPUs only, from 0.
    GpuNumber(usize),
    /// On a software device: a GPU API executed on the CPU.
    Software,
    /// On the software device of that number, counting software devices only, from 0.
    SoftwareNumber(usize),
    /// On the device of that number in [`Runtime::devices`](crate::Runtime::devices).
    Device(usize),
}

impl Placement {
    /// Whether the placement allows a device, given its number and its number among those of its kind.
    pub(crate) fn allows(self, device: usize, kind: DeviceKind, among_kind: usize) -> bool {
        match self {
            Placement::Auto => true,
            Placement::Cpu => kind == DeviceKind::Cpu,
            Placement::Gpu => kind == DeviceKind::Gpu,
            Placement::GpuNumber(n) => kind == DeviceKind::Gpu && among_kind == n,
            Placement::Software => kind == DeviceKind::Software,
            Placement::SoftwareNumber(n) => kind == DeviceKind::Software && among_kind == n,
            Placement::Device(n) => device == n,
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Placement::Auto => f.write_str("auto"),
            Placement::Cpu => f.write_str("cpu"),
            Placement::Gpu => f.write_str("gpu"),
            Placement::GpuNumber(n) => write!(f, "gpu:{n}"),
            Placement::Software => f.write_str("software"),
            Placement::SoftwareNumber(n) => write!(f, "software:{n}"),
            Placement::Device(n) => write!(f, "device:{n}"),
        }
    }
}

impl FromStr for Placement {
    type Err = String;

    /// Reads `auto`, `cpu`, `gpu`, `gpu:1`, `software`, `software:1`, `device:2`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "`{text}` is no placement: say auto, cpu, gpu, gpu:N, software, software:N or device:N \
                 (`warpweft devices` lists them)"
            )
        };
        let (kind, number) = match text.split_once(':') {
            Some((kind, number)) => (kind, Some(number.parse::<usize>().map_err(|_| refuse())?)),
            None => (text, None),
        };
        match (kind, number) {
            ("auto", None) => Ok(Placement::Auto),
            ("cpu", None) => Ok(Placement::Cpu),
            ("gpu", None) => Ok(Placement::Gpu),
            ("gpu", Some(n)) => Ok(Placement::GpuNumber(n)),
            ("software", None) => Ok(Placement::Software),
            ("software", Some(n)) => Ok(Placement::SoftwareNumber(n)),
            ("device", Some(n)) => Ok(Placement::Device(n)),
            ("split", None) => Err("`split` is not available yet: a launch runs on one device".into()),
            _ => Err(refuse()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_nonsense_is_refused() {
        for word in ["auto", "cpu", "gpu", "gpu:1", "software", "software:0", "device:3"] {
            assert_eq!(word.parse::<Placement>().unwrap().to_string(), word);
        }
        for word in ["", "GPU", "cpu:1", "gpu:", "gpu:x", "device", "split"] {
            assert!(word.parse::<Placement>().is_err(), "{word}");
        }
    }
}
