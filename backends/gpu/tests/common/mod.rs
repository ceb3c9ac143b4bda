//! What the tests share: a device, and a launch in few words.
//!
//! The software device is preferred, so that tests mean the same everywhere. No device is a failure, never a skip.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::sync::Arc;

use bytemuck::Pod;
use warpweft_gpu::{Gpu, Settings, devices};
use warpweft_hal::{
    Argument, Command, Completion, Device, DeviceKind, Dispatch, Error, Grid, HostBlock, KernelId, MemoryId,
    Program, Region, Submission, Submitted,
};
use warpweft_module::{Kernel, Module, Source};

pub fn gpu() -> Gpu {
    gpu_with(Settings::default())
}

pub fn gpu_with(settings: Settings) -> Gpu {
    let mut found: Vec<_> = devices().into_iter().filter(|f| f.obstacle().is_none()).collect();
    found.sort_by_key(|f| f.info().kind != DeviceKind::Software);
    let first =
        found.first().expect("no graphics device was found: run scripts/test, which installs a software one");
    first.open(settings).expect("the device opens")
}

pub fn kernel(wgsl: &str) -> Kernel {
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"))
}

pub fn load(gpu: &Gpu, wgsl: &str) -> KernelId {
    gpu.load(&Program { kernel: kernel(wgsl), native: None }).unwrap_or_else(|e| panic!("{e}")).kernel
}

/// Executes a list and waits.
pub fn execute(gpu: &Gpu, commands: Vec<Command>) -> Result<Completion, Error> {
    // SAFETY: the blocks that the tests hand out are touched by nothing else until this returns.
    let submission = unsafe { Submission::new(commands) };
    match gpu.submit(submission)? {
        Submitted::Done(completion) => Ok(completion),
        Submitted::Pending(fence) => gpu.wait(fence),
    }
}

/// Memory on the device, with content.
pub fn upload<T: Pod>(gpu: &Gpu, data: &[T]) -> MemoryId {
    let bytes = size_of_val(data) as u64;
    let memory = gpu.allocate(bytes).unwrap();
    let block = Arc::new(HostBlock::copy_of(bytemuck::cast_slice(data)).unwrap());
    let command =
        Command::Upload { from: Region::host(&block, 0..bytes), to: Region::device(memory, 0..bytes) };
    execute(gpu, vec![command]).unwrap();
    memory
}

/// Memory of the device, on the host.
pub fn download<T: Pod>(gpu: &Gpu, memory: MemoryId, bytes: std::ops::Range<u64>) -> Vec<T> {
    let size = bytes.end - bytes.start;
    let block = Arc::new(HostBlock::zeroed(size).unwrap());
    let command =
        Command::Download { from: Region::device(memory, bytes), to: Region::host(&block, 0..size) };
    execute(gpu, vec![command]).unwrap();
    // SAFETY: the download is done.
    bytemuck::pod_collect_to_vec(unsafe { block.bytes(0..size) })
}

/// A launch: a kernel, its bindings by name, a grid.
pub struct Launch<'a> {
    gpu: &'a Gpu,
    kernel: Kernel,
    id: KernelId,
    arguments: Vec<Option<Argument>>,
    sizes: Vec<u64>,
}

impl<'a> Launch<'a> {
    pub fn new(gpu: &'a Gpu, wgsl: &str) -> Self {
        let kernel = kernel(wgsl);
        let loaded = gpu.load(&Program { kernel: kernel.clone(), native: None });
        let id = loaded.unwrap_or_else(|e| panic!("{e}")).kernel;
        let bindings = kernel.interface().bindings.len();
        Self { gpu, kernel, id, arguments: vec![None; bindings], sizes: vec![0; bindings] }
    }

    fn position(&self, name: &str) -> usize {
        self.kernel.interface().position(name).unwrap_or_else(|| panic!("no binding `{name}`"))
    }

    /// Binds fresh memory with that content.
    pub fn bind<T: Pod>(self, name: &str, data: &[T]) -> Self {
        let memory = upload(self.gpu, data);
        self.view(name, memory, 0..size_of_val(data) as u64)
    }

    /// Binds a range of memory.
    pub fn view(mut self, name: &str, memory: MemoryId, bytes: std::ops::Range<u64>) -> Self {
        let position = self.position(name);
        self.sizes[position] = bytes.end - bytes.start;
        self.arguments[position] = Some(Argument::Region(Region::device(memory, bytes)));
        self
    }

    pub fn value<T: Pod>(mut self, name: &str, value: T) -> Self {
        let position = self.position(name);
        self.arguments[position] = Some(Argument::Value(bytemuck::bytes_of(&value).into()));
        self
    }

    pub fn dispatch(&self, grid: Grid, range: std::ops::Range<u64>) -> Command {
        let arguments = self.arguments.iter().map(|a| a.clone().expect("every binding is bound")).collect();
        Command::Dispatch(Dispatch { kernel: self.id, grid, range, arguments })
    }

    /// Runs exactly so many invocations.
    pub fn over(&self, over: [u32; 3]) -> &Self {
        let grid = grid_over(over, self.kernel.interface().workgroup_size);
        execute(self.gpu, vec![self.dispatch(grid, 0..grid.len())]).unwrap_or_else(|e| panic!("{e}"));
        self
    }

    /// Runs whole workgroups.
    pub fn workgroups(&self, workgroups: [u32; 3]) -> &Self {
        let grid = Grid { workgroups, over: None };
        execute(self.gpu, vec![self.dispatch(grid, 0..grid.len())]).unwrap_or_else(|e| panic!("{e}"));
        self
    }

    /// What a binding holds.
    pub fn read<T: Pod>(&self, name: &str) -> Vec<T> {
        match self.arguments[self.position(name)].as_ref().unwrap() {
            Argument::Region(region) => {
                let warpweft_hal::Memory::Device(id) = region.memory else { unreachable!() };
                download(self.gpu, id, region.bytes())
            }
            Argument::Value(bytes) => bytemuck::pod_collect_to_vec(bytes),
        }
    }
}

pub fn grid_over(over: [u32; 3], workgroup: [u32; 3]) -> Grid {
    let workgroups = std::array::from_fn(|axis| over[axis].div_ceil(workgroup[axis]));
    Grid { workgroups, over: Some(over) }
}
