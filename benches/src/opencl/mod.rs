//! An OpenCL driver for the CPU as a rival: the same kernels, in OpenCL C.
//!
//! A kernel's arguments are the pass's bindings in order, each followed by its length in words, and then its values.

use std::ptr;

use opencl3::command_queue::CommandQueue;
use opencl3::context::Context;
use opencl3::device::{CL_DEVICE_TYPE_CPU, Device, get_all_devices};
use opencl3::error_codes::ClError;
use opencl3::kernel::{ExecuteKernel, Kernel};
use opencl3::memory::{Buffer, CL_MEM_READ_WRITE};
use opencl3::program::Program;
use opencl3::types::CL_BLOCKING;
use warpweft_problems::{Pass, Problem, Words};

use crate::rival::Rival;

/// A CPU behind OpenCL.
pub struct OpenCl {
    context: Context,
    queue: CommandQueue,
    /// Name and driver.
    pub name: String,
}

impl OpenCl {
    /// The first CPU of any driver.
    ///
    /// # Errors
    /// When the system has no OpenCL, or no driver for CPUs.
    pub fn new() -> Result<Self, String> {
        let devices = get_all_devices(CL_DEVICE_TYPE_CPU).map_err(|error| format!("no OpenCL: {error}"))?;
        let device = Device::new(*devices.first().ok_or("OpenCL has no driver for CPUs")?);
        let error = |error: ClError| error.to_string();
        let name = format!("{}, {}", device.name().map_err(error)?, device.version().map_err(error)?);
        let context = Context::from_device(&device).map_err(error)?;
        let queue = CommandQueue::create_default(&context, 0).map_err(error)?;
        Ok(Self { context, queue, name })
    }
}

/// A problem on an OpenCL device.
pub struct OnOpenCl<'p> {
    cl: &'p OpenCl,
    problem: &'p Problem,
    arrays: Vec<Buffer<u32>>,
    kernels: Vec<Kernel>,
}

fn source(problem: &str) -> Option<&'static str> {
    Some(match problem {
        "triad" | "saxpy" | "jacobi2d" | "reduce_sum" | "transpose" => include_str!("streaming.cl"),
        "prefix_scan" | "histogram" => include_str!("counting.cl"),
        "spmv_poisson" | "spmv_random" => include_str!("sparse.cl"),
        "nbody" | "nbody_tiled" | "mandelbrot" | "black_scholes" => include_str!("compute.cl"),
        "matmul" | "matmul_tiled" => include_str!("dense.cl"),
        _ => return None,
    })
}

impl<'p> OnOpenCl<'p> {
    /// Compiles the kernels and makes buffers.
    ///
    /// # Errors
    /// When the driver refuses one of them.
    pub fn new(cl: &'p OpenCl, problem: &'p Problem) -> Result<Self, String> {
        let source = source(problem.name).ok_or_else(|| format!("{} is not in OpenCL C", problem.name))?;
        // WGSL leaves the device as free as this does: products and sums may be fused.
        let program = Program::create_and_build_from_source(&cl.context, source, "-cl-mad-enable")?;
        let error = |error: ClError| error.to_string();
        let kernel = |pass: &Pass| Kernel::create(&program, pass.entry).map_err(error);
        let kernels = problem.passes.iter().map(kernel).collect::<Result<_, _>>()?;
        let buffer = |(_, words): &(&str, Words)| {
            // SAFETY: no host memory is given.
            unsafe { Buffer::create(&cl.context, CL_MEM_READ_WRITE, words.len(), ptr::null_mut()) }
        };
        let arrays = problem.arrays.iter().map(buffer).collect::<Result<_, _>>().map_err(error)?;
        Ok(Self { cl, problem, arrays, kernels })
    }

    fn enqueue(&self, pass: &Pass, kernel: &Kernel) -> Result<(), ClError> {
        let mut launch = ExecuteKernel::new(kernel);
        for (_, array) in &pass.bindings {
            let words = self.problem.arrays[*array].1.len() as u32;
            // SAFETY: the kernel takes a buffer and its length.
            unsafe { launch.set_arg(&self.arrays[*array]).set_arg(&words) };
        }
        for name in &pass.values {
            let (_, bytes) = self.problem.values.iter().find(|(n, _)| n == name).expect("values are given");
            // SAFETY: the kernel takes a value of so many bytes.
            unsafe {
                match bytes.len() {
                    4 => launch.set_arg(&bytemuck::pod_read_unaligned::<[u32; 1]>(bytes)),
                    8 => launch.set_arg(&bytemuck::pod_read_unaligned::<[u32; 2]>(bytes)),
                    24 => launch.set_arg(&bytemuck::pod_read_unaligned::<[u32; 6]>(bytes)),
                    n => panic!("no kernel takes a value of {n} bytes"),
                }
            };
        }
        let local = pass.workgroup_size.map(|n| n as usize);
        let global: [usize; 3] = std::array::from_fn(|axis| local[axis] * pass.workgroups[axis] as usize);
        launch.set_global_work_sizes(&global).set_local_work_sizes(&local);
        // SAFETY: the arguments are those of the kernel; it stays within its buffers, as its lengths say.
        unsafe { launch.enqueue_nd_range(&self.cl.queue) }.map(drop)
    }
}

impl Rival for OnOpenCl<'_> {
    fn reset(&mut self) -> Result<(), String> {
        for (array, (_, words)) in self.arrays.iter_mut().zip(&self.problem.arrays) {
            let words = bytemuck::cast_slice(words.bytes());
            // SAFETY: the buffer has as many words; the call returns when they are written.
            unsafe { self.cl.queue.enqueue_write_buffer(array, CL_BLOCKING, 0, words, &[]) }
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), String> {
        let launch = |(pass, kernel): (&Pass, &Kernel)| self.enqueue(pass, kernel);
        let mut passes = self.problem.passes.iter().zip(&self.kernels);
        let result = passes.try_for_each(launch).and_then(|()| self.cl.queue.finish());
        result.map_err(|error| error.to_string())
    }

    fn results(&mut self) -> Result<Vec<Words>, String> {
        let mut results = Vec::new();
        for output in &self.problem.outputs {
            let mut words = vec![0u32; self.problem.arrays[output.array].1.len()];
            // SAFETY: there is room for the buffer's words; the call returns when they are read.
            unsafe {
                self.cl.queue.enqueue_read_buffer(&self.arrays[output.array], CL_BLOCKING, 0, &mut words, &[])
            }
            .map_err(|error| error.to_string())?;
            results.push(match self.problem.arrays[output.array].1 {
                Words::F32(_) => Words::F32(bytemuck::cast_slice(&words).to_vec()),
                Words::U32(_) => Words::U32(words),
            });
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warpweft_problems::{ALL, Scale};

    #[test]
    fn every_kernel_is_there_and_right() {
        assert!(ALL.iter().all(|case| source(case.name).is_some()));
        let cl = match OpenCl::new() {
            Ok(cl) => cl,
            Err(reason) => return eprintln!("the OpenCL kernels are not run: {reason}"),
        };
        for case in ALL {
            let problem = case.problem(Scale::Tiny, 2);
            let mut rival = OnOpenCl::new(&cl, &problem).unwrap_or_else(|e| panic!("{}: {e}", case.name));
            for _ in 0..2 {
                rival.reset().unwrap();
                rival.run().unwrap();
                let results = rival.results().unwrap();
                problem.judge(&results).unwrap_or_else(|wrong| panic!("{}: {wrong}", case.name));
            }
        }
    }
}
