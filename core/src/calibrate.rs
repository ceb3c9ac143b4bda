//! Measures what the devices of a runtime can do: seconds of work, once per machine and driver.
//!
//! Every figure comes from launches through the public interface, forced onto the device. Medians are taken, first
//! runs (which compile) are dropped, and results are checked, so that a device that computes nothing is not fast.

use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

use crate::planner::{Calibration, LinkRates, Rates};
use crate::{Error, Kernel, NativeArguments, Placement, Result, Runtime};

const ARITHMETIC: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn arithmetic(@builtin(global_invocation_id) id: vec3<u32>) {
    var a = y[id.x];
    var b = a + 1.0;
    for (var i = 0u; i < 64u; i++) {
        a = a * 0.5 + 1.0;
        b = b * 0.25 + a;
    }
    y[id.x] = a + b;
}";

const TRIAD: &str = "
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> c: array<f32>;
@compute @workgroup_size(64) fn triad(@builtin(global_invocation_id) id: vec3<u32>) {
    a[id.x] = b[id.x] + 3.0 * c[id.x];
}";

const TOUCH: &str = "
@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(1) fn touch(@builtin(global_invocation_id) id: vec3<u32>) {
    x[id.x] += 1u;
}";

/// Seconds that one measured launch should take at least, so that latency does not count.
const ENOUGH: f64 = 10e-3;
/// Elements beyond which a size is large enough, however quick the device.
const LARGEST: usize = 1 << 24;
const REPEATS: usize = 5;

impl Runtime {
    /// Measures every device and keeps the rates in [`Calibration::file`] for later runtimes.
    ///
    /// Takes a few seconds. This runtime goes on planning with the rates that it has.
    ///
    /// # Errors
    /// When no device could be measured, or the file cannot be written. A device on which a launch fails or computes
    /// nonsense is left out, and `tracing` told.
    pub fn calibrate(&self) -> Result<Calibration> {
        match Calibration::file() {
            Some(file) => self.calibrate_into(&file),
            None => self.measure_all(Calibration::empty()),
        }
    }

    /// Measures every device and adds the rates to those in a file.
    ///
    /// # Errors
    /// As [`calibrate`](Self::calibrate).
    pub fn calibrate_into(&self, file: &std::path::Path) -> Result<Calibration> {
        // A file that cannot be read is no loss: it is about to be replaced.
        let calibration =
            self.measure_all(Calibration::load(file).unwrap_or_else(|_| Calibration::empty()))?;
        calibration.save(file)?;
        Ok(calibration)
    }

    fn measure_all(&self, mut calibration: Calibration) -> Result<Calibration> {
        let mut failure = None;
        let mut measured = 0;
        for (device, info) in self.devices().iter().enumerate() {
            match self.measure(device) {
                Ok(rates) => {
                    calibration.set(info, rates);
                    measured += 1;
                }
                Err(error) => {
                    tracing::warn!(device = info.name, %error, "the device cannot be calibrated");
                    failure = Some(error);
                }
            }
        }
        if let (0, Some(error)) = (measured, failure) {
            return Err(error);
        }
        Ok(calibration)
    }

    fn measure(&self, device: usize) -> Result<Rates> {
        let on = Placement::Device(device);
        let host = self.inner.devices[device].host_memory();
        let coarse = Rates::coarse(self.inner.devices[device].info());
        let touch = self.kernel(TOUCH)?;
        let (upload, download) = match host {
            true => (coarse.upload, coarse.download),
            false => self.measure_link(&touch, on)?,
        };
        Ok(Rates {
            operations: self.measure_arithmetic(on)?,
            native_operations: if host { measure_native(self, on)? } else { coarse.native_operations },
            bandwidth: self.measure_triad(on)?,
            launch: self.measure_launch(&touch, on)?,
            upload,
            download,
        })
    }

    fn measure_launch(&self, touch: &Kernel, on: Placement) -> Result<f64> {
        let x = self.zeros::<u32>([1])?;
        let launch = touch.launch().bind("x", &x).over([1, 1, 1]).on(on).prepare()?;
        launch.run()?;
        let runs = 30;
        let mut seconds = Vec::with_capacity(runs);
        for _ in 0..runs {
            seconds.push(launch.run()?.elapsed_seconds);
        }
        expect(x.read()?[0] == runs as u32 + 1, on)?;
        Ok(median(&mut seconds))
    }

    fn measure_arithmetic(&self, on: Placement) -> Result<f64> {
        let kernel = self.kernel(ARITHMETIC)?;
        let operations = Cell::new(0.0);
        let (_, seconds) = grow(1 << 12, |n| {
            let y = self.zeros::<f32>([n])?;
            let launch = kernel.launch().bind("y", &y).on(on).prepare()?;
            let seconds = repeat(|| Ok(launch.run()?.seconds()))?;
            // Both recurrences have long converged: a to 2, b to 8/3.
            expect((y.read()?[n - 1] - 14.0 / 3.0).abs() < 1e-4, on)?;
            // Counted as predictions count.
            operations.set(launch.checked.work().operations);
            Ok(seconds)
        })?;
        Ok(operations.get() / seconds)
    }

    fn measure_triad(&self, on: Placement) -> Result<f64> {
        let kernel = self.kernel(TRIAD)?;
        let (n, seconds) = grow(1 << 14, |n| {
            let (b, c) = (self.buffer(vec![1.0f32; n])?, self.buffer(vec![2.0f32; n])?);
            let a = self.zeros::<f32>([n])?;
            let launch = kernel.launch().bind("a", &a).bind("b", &b).bind("c", &c).on(on).prepare()?;
            let seconds = repeat(|| Ok(launch.run()?.seconds()))?;
            expect(a.read()?[n - 1] == 7.0, on)?;
            Ok(seconds)
        })?;
        Ok(12.0 * n as f64 / seconds)
    }

    /// Times the same launch with its buffer on the host and on the device, at two sizes.
    fn measure_link(&self, touch: &Kernel, on: Placement) -> Result<(LinkRates, LinkRates)> {
        let at = |words: usize| {
            let x = self.zeros::<u32>([words])?;
            let launch = touch.launch().bind("x", &x).over([1, 1, 1]).on(on).prepare()?;
            launch.run()?;
            let data = vec![1u32; words];
            let (mut up, mut down) = (Vec::new(), Vec::new());
            for _ in 0..REPEATS {
                x.write(&data)?;
                let cold = launch.run()?.elapsed_seconds;
                let warm = launch.run()?.elapsed_seconds;
                up.push((cold - warm).max(1e-9));
                let start = Instant::now();
                let got = x.read()?;
                down.push(start.elapsed().as_secs_f64());
                expect(got[0] == 3 && got[words - 1] == if words > 1 { 1 } else { 3 }, on)?;
            }
            Ok::<_, Error>((median(&mut up), median(&mut down)))
        };
        let (few, many) = (1 << 10, 1 << 22);
        let (small, large) = (at(few)?, at(many)?);
        let rates = |small: f64, large: f64| LinkRates {
            latency: small,
            bandwidth: 4.0 * (many - few) as f64 / (large - small).max(1e-9),
        };
        Ok((rates(small.0, large.0), rates(small.1, large.1)))
    }
}

/// The rate of native code: one thread's multiply-adds, times the threads.
fn measure_native(runtime: &Runtime, on: Placement) -> Result<f64> {
    let n = 1 << 14;
    let rounds = 64;
    let kernel = runtime.kernel(ARITHMETIC)?.with_native(move |arguments: &NativeArguments| {
        for y in arguments.slice_mut::<f32>("y")? {
            *y = black_box((0..rounds).fold(*y, |a, _| a * 0.5 + 1.0));
        }
        Ok(())
    });
    let y = runtime.zeros::<f32>([n])?;
    let launch = kernel.launch().bind("y", &y).on(on).prepare()?;
    let seconds = repeat(|| Ok(launch.run()?.seconds()))?;
    expect((y.read()?[0] - 2.0).abs() < 1e-4, on)?;
    let threads = runtime.inner.devices.iter().find_map(|d| d.info().threads).unwrap_or(1);
    Ok(2.0 * f64::from(rounds) * n as f64 / seconds * threads as f64)
}

/// Doubles the size until a launch takes long enough.
fn grow(mut n: usize, run: impl Fn(usize) -> Result<f64>) -> Result<(usize, f64)> {
    loop {
        let seconds = run(n)?;
        if seconds >= ENOUGH || n >= LARGEST {
            return Ok((n, seconds));
        }
        // Aim past the mark, so that a quick device needs few rounds.
        let factor = (1.5 * ENOUGH / seconds.max(1e-9)).clamp(2.0, 16.0);
        n = ((n as f64 * factor) as usize).next_multiple_of(64).min(LARGEST);
    }
}

/// The median of a few runs after one that warms up.
fn repeat(mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    run()?;
    let mut seconds = (0..REPEATS).map(|_| run()).collect::<Result<Vec<_>>>()?;
    Ok(median(&mut seconds).max(1e-9))
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn expect(right: bool, on: Placement) -> Result<()> {
    match right {
        true => Ok(()),
        false => Err(Error::Placement(format!(
            "{on} computes wrong results in calibration: do not use it, and report its driver"
        ))),
    }
}
