//! One problem on one device: the launch with its own buffers, run three ways.
//!
//! Knows what each way includes; when and how often they are run is [`super::schedule`]'s.

use std::time::Instant;

use warpweft::{AnyBuffer, Buffer, DeviceInfo, Error, Kernel, Placement, Prepared, Report, Result, Runtime};

use super::problems::Problem;

/// Where the data is when the clock starts, and where it must be when it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Location {
    /// On the device: the kernel alone.
    Resident,
    /// Inputs fresh on the host: upload and kernel.
    Upload,
    /// Inputs fresh on the host, the result back there: upload, kernel, read back.
    RoundTrip,
}

pub(crate) const LOCATIONS: [Location; 3] = [Location::Resident, Location::Upload, Location::RoundTrip];

impl Location {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Location::Resident => "resident",
            Location::Upload => "upload",
            Location::RoundTrip => "round_trip",
        }
    }
}

/// A problem bound to buffers, to be run on one device.
pub(crate) struct Rig<'p> {
    problem: &'p Problem,
    launch: Prepared,
    inputs: Vec<(Buffer<f32>, &'p [f32])>,
    output: AnyBuffer,
    /// The device's memory is the host's: the three ways are one.
    host: bool,
}

/// What the first run showed.
pub(crate) struct First {
    pub(crate) report: Report,
    /// What is wrong with the result.
    pub(crate) verdict: std::result::Result<(), String>,
}

impl<'p> Rig<'p> {
    /// Makes buffers and checks the launch; nothing runs yet.
    ///
    /// # Errors
    /// When the device cannot take the problem.
    pub(crate) fn new(
        runtime: &Runtime,
        kernel: &Kernel,
        problem: &'p Problem,
        device: usize,
        info: &DeviceInfo,
    ) -> Result<Self> {
        let output = runtime.zeros::<f32>([problem.output.1])?.erase();
        let output = match problem.kernel.name {
            "mandelbrot" => output.reinterpret(warpweft::ElementType::of::<u32>(), [problem.output.1])?,
            _ => output,
        };
        let mut launcher = kernel.launch().on(Placement::Device(device)).workgroups(problem.workgroups);
        let mut inputs = Vec::new();
        for (name, data) in &problem.inputs {
            let buffer = runtime.buffer(data.clone())?;
            launcher = launcher.bind(name, &buffer);
            inputs.push((buffer, &data[..]));
        }
        for (name, bytes) in &problem.values {
            launcher = launcher.set_bytes(name, bytes);
        }
        let launch = launcher.bind(problem.output.0, &output).prepare()?;
        launch.explain()?;
        Ok(Self { problem, launch, inputs, output, host: info.host_memory })
    }

    /// What the planner expects of one launch, in seconds.
    pub(crate) fn predicted(&self) -> f64 {
        self.launch.explain().ok().and_then(|plan| Some(plan.choice().prediction()?.total())).unwrap_or(0.0)
    }

    /// The first run, which compiles, and its result against the reference.
    ///
    /// # Errors
    /// When the launch fails.
    pub(crate) fn first(&self) -> Result<First> {
        let report = self.launch.run()?;
        let verdict = self.problem.expected.judge(&self.output.read_bytes()?);
        Ok(First { report, verdict })
    }

    /// The ways that differ on this device.
    pub(crate) fn ways(&self) -> &'static [Location] {
        if self.host { &LOCATIONS[2..] } else { &LOCATIONS }
    }

    /// Runs one way; gives a time for each location that it stands for, and the kernel's report.
    ///
    /// # Errors
    /// When the launch fails.
    pub(crate) fn run(&self, way: Location) -> Result<(Vec<(Location, f64)>, Report)> {
        if way != Location::Resident && !self.host {
            for (buffer, data) in &self.inputs {
                buffer.write(data)?;
            }
        }
        let start = Instant::now();
        let report = self.launch.run()?;
        let upload = start.elapsed().as_secs_f64();
        let times = match way {
            Location::Resident => vec![(way, report.seconds())],
            Location::Upload => vec![(way, upload)],
            Location::RoundTrip => {
                let result = self.output.read_bytes()?;
                let round_trip = start.elapsed().as_secs_f64();
                if result.len() != 4 * self.problem.output.1 {
                    return Err(Error::Buffer("the result was cut short".into()));
                }
                match self.host {
                    // Nothing is moved: one run shows all three.
                    true => vec![
                        (Location::Resident, report.seconds()),
                        (Location::Upload, upload),
                        (way, round_trip),
                    ],
                    false => vec![(way, round_trip)],
                }
            }
        };
        Ok((times, report))
    }

    /// The result after all timed runs against the reference once more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn last(&self) -> Result<std::result::Result<(), String>> {
        Ok(self.problem.expected.judge(&self.output.read_bytes()?))
    }
}
