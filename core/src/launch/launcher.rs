//! Collects what a launch needs, checks it once, and starts it.

use std::sync::{Arc, OnceLock};

use bytemuck::Pod;
use warpweft_hal::Grid;
use warpweft_module::Space;

use super::bind::{self, Given, ResolvedArgument};
use super::brought::Brought;
use super::execute::Mode;
use super::grid::{self, Extent};
use super::in_flight::Launch;
use super::report::Report;
use super::values::Value;
use super::work::Work;
use crate::buffer::{AnyBuffer, Bindable, Buffer, View};
use crate::kernel::KernelInner;
use crate::planner::Plan;
use crate::{Placement, Result};

/// A launch in the making: see [`Kernel::launch`](crate::Kernel::launch).
///
/// Mistakes are kept until the launch is run, submitted, prepared or explained; the first one is returned then.
#[must_use = "a launch does nothing until it is run, submitted or prepared"]
pub struct Launcher {
    kernel: Arc<KernelInner>,
    given: Vec<Option<Given>>,
    extent: Extent,
    placement: Placement,
    mistake: Option<crate::Error>,
}

/// A value or a buffer for [`Launcher::set`].
pub trait Settable: sealed::Sealed {
    #[doc(hidden)]
    fn give(&self) -> Setting<'_>;
}

#[doc(hidden)]
pub enum Setting<'a> {
    Buffer(&'a dyn Bindable),
    Bytes(&'a [u8], crate::element::ElementType),
}

mod sealed {
    pub trait Sealed {}
    impl<T: bytemuck::Pod> Sealed for T {}
    impl<T> Sealed for &crate::Buffer<T> {}
    impl<T> Sealed for &crate::View<T> {}
    impl Sealed for &crate::AnyBuffer {}
}

impl<T: Pod> Settable for T {
    fn give(&self) -> Setting<'_> {
        Setting::Bytes(bytemuck::bytes_of(self), crate::element::ElementType::of::<T>())
    }
}

macro_rules! settable {
    ($($t:ty),*) => {$(
        impl<T> Settable for &$t {
            fn give(&self) -> Setting<'_> {
                Setting::Buffer(*self)
            }
        }
    )*};
}
settable!(Buffer<T>, View<T>);

impl Settable for &AnyBuffer {
    fn give(&self) -> Setting<'_> {
        Setting::Buffer(*self)
    }
}

impl Launcher {
    pub(crate) fn new(kernel: Arc<KernelInner>) -> Self {
        let given = vec![None; kernel.interface().bindings.len()];
        Self { kernel, given, extent: Extent::default(), placement: Placement::default(), mistake: None }
    }

    fn attempt(mut self, action: impl FnOnce(&mut Self) -> Result<()>) -> Self {
        if self.mistake.is_none() {
            self.mistake = action(&mut self).err();
        }
        self
    }

    /// Binds a buffer to the WGSL variable of that name.
    pub fn bind(self, name: &str, buffer: &(impl Bindable + ?Sized)) -> Self {
        self.attempt(|launch| {
            let position = bind::position(&launch.kernel, name)?;
            if launch.given[position].is_some() {
                return Err(launch.kernel.binding_error(format!("`{name}` is given twice")));
            }
            launch.given[position] = Some(Given::Part(buffer.bound().0));
            Ok(())
        })
    }

    /// Sets a uniform: a value of the WGSL type, a member of it (`"params.dt"`), or a buffer of one element, so that
    /// a device's scalar never visits the host.
    pub fn set(self, name: &str, value: impl Settable) -> Self {
        match value.give() {
            Setting::Buffer(buffer) => self.bind(name, buffer),
            Setting::Bytes(bytes, element) => {
                self.with_value(name, |value, binding, path| value.set(binding, path, bytes, element))
            }
        }
    }

    /// Sets a uniform, or a member of it, to raw bytes of WGSL's layout.
    pub fn set_bytes(self, name: &str, bytes: &[u8]) -> Self {
        self.with_value(name, |value, binding, path| value.set_bytes(binding, path, bytes))
    }

    fn with_value(
        self,
        name: &str,
        set: impl FnOnce(&mut Value, &warpweft_module::Binding, &[&str]) -> Result<(), String>,
    ) -> Self {
        self.attempt(|launch| {
            let mut path = name.split('.');
            let first = path.next().unwrap_or_default();
            let position = bind::position(&launch.kernel, first)?;
            let binding = &launch.kernel.interface().bindings[position];
            if binding.space != Space::Uniform {
                let reason = format!("`{first}` is in storage (`{}`): bind a buffer to it", binding.ty);
                return Err(launch.kernel.binding_error(reason));
            }
            let mut value = match launch.given[position].take() {
                Some(Given::Value(value)) => value,
                Some(Given::Part(_)) => {
                    return Err(launch.kernel.binding_error(format!("`{first}` is given twice")));
                }
                None => Value::default(),
            };
            set(&mut value, binding, &path.collect::<Vec<_>>())
                .map_err(|r| launch.kernel.binding_error(r))?;
            launch.given[position] = Some(Given::Value(value));
            Ok(())
        })
    }

    /// Runs exactly so many invocations along x, y, z: overhanging ones take no effect.
    pub fn over(mut self, invocations: [u64; 3]) -> Self {
        self.extent = Extent::Over(invocations);
        self
    }

    /// Runs one invocation per element of a buffer, along the axes of its shape: the last axis is x.
    pub fn over_shape(mut self, buffer: &impl Bindable) -> Self {
        self.extent = Extent::Over(grid::over_shape(&buffer.bound().0.shape));
        self
    }

    /// Runs so many workgroups along x, y, z.
    pub fn workgroups(mut self, workgroups: [u64; 3]) -> Self {
        self.extent = Extent::Workgroups(workgroups);
        self
    }

    /// Overrides the planner.
    pub fn on(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Checks the launch once; what comes back is cheap to run again and again.
    ///
    /// # Errors
    /// When a binding is missing, unknown or does not fit, or the grid cannot be told.
    pub fn prepare(self) -> Result<Prepared> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let arguments = bind::resolve(&self.kernel, &self.given)?;
        let grid = grid::resolve(&self.kernel, &arguments, self.extent)?;
        if !grid.is_empty() {
            bind::check_sizes(&self.kernel, &arguments)?;
        }
        let invocations = match grid.over {
            Some(over) => over.iter().map(|&n| u64::from(n)).fold(1, u64::saturating_mul),
            None => grid.len().saturating_mul(self.kernel.interface().workgroup_invocations()),
        };
        let placement = self.placement;
        let brought = self.kernel.brought(&arguments, grid);
        let work = OnceLock::new();
        let checked = Checked { kernel: self.kernel, arguments, brought, grid, placement, invocations, work };
        Ok(Prepared { checked: Arc::new(checked) })
    }

    /// Runs the launch and waits for it.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare); when no device can take it; when it failed.
    pub fn run(self) -> Result<Report> {
        self.prepare()?.run()
    }

    /// Starts the launch and returns at once.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare); when no device can take it or has room for it.
    pub fn submit(self) -> Result<Launch> {
        self.prepare()?.submit()
    }

    /// Plans the launch without running it.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare); when no device can take it.
    pub fn explain(self) -> Result<Plan> {
        self.prepare()?.explain()
    }
}

/// A launch whose arguments and grid were checked: cheap to run again and again.
#[derive(Clone)]
pub struct Prepared {
    pub(crate) checked: Arc<Checked>,
}

/// Everything about a launch but where it runs.
pub(crate) struct Checked {
    pub(crate) kernel: Arc<KernelInner>,
    pub(crate) arguments: Vec<ResolvedArgument>,
    pub(crate) brought: Arc<Brought>,
    pub(crate) grid: Grid,
    pub(crate) placement: Placement,
    pub(crate) invocations: u64,
    /// Asked for where nothing was measured yet.
    pub(crate) work: OnceLock<Work>,
}

impl Prepared {
    /// Runs the launch and waits for it.
    ///
    /// # Errors
    /// When no device can take it, or it failed.
    pub fn run(&self) -> Result<Report> {
        self.checked.start(Mode::Run)?.wait()
    }

    /// Starts the launch and returns at once.
    ///
    /// # Errors
    /// When no device can take it or has room for it.
    pub fn submit(&self) -> Result<Launch> {
        self.checked.start(Mode::Submit)
    }

    /// Plans the launch without running it.
    ///
    /// # Errors
    /// When no device can take it.
    pub fn explain(&self) -> Result<Plan> {
        self.checked.plan(&Default::default())
    }

    /// The grid that it runs over.
    pub fn grid(&self) -> Grid {
        self.checked.grid
    }
}
