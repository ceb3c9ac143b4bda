//! Everything that goes wrong in wgpu, turned into typed errors: nothing panics, a loss is remembered.
//!
//! wgpu reports in four ways: error scopes (per thread), the uncaptured-error handler, the device-lost callback, and
//! panics. A [`Fault`] is where they meet. It knows nothing of commands or memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use warpweft_hal::Error;

/// What has gone wrong on one device.
pub(crate) struct Fault {
    device: String,
    /// Set once, before `is_lost`.
    lost: Mutex<Option<Error>>,
    is_lost: AtomicBool,
    /// Errors that no scope caught.
    uncaught: Mutex<Vec<wgpu::Error>>,
    any_uncaught: AtomicBool,
}

impl Fault {
    /// Installs the handlers of a device of that name.
    pub(crate) fn watch(name: &str, device: &wgpu::Device) -> Arc<Self> {
        let fault = Arc::new(Self {
            device: name.to_owned(),
            lost: Mutex::new(None),
            is_lost: AtomicBool::new(false),
            uncaught: Mutex::new(Vec::new()),
            any_uncaught: AtomicBool::new(false),
        });
        let watched = Arc::downgrade(&fault);
        device.on_uncaptured_error(Arc::new(move |error| {
            if let Some(fault) = watched.upgrade() {
                tracing::debug!(device = fault.device, %error, "an error that no scope caught");
                fault.uncaught.lock().push(error);
                fault.any_uncaught.store(true, Ordering::Release);
            }
        }));
        let watched = Arc::downgrade(&fault);
        device.set_device_lost_callback(move |reason, message| {
            if let Some(fault) = watched.upgrade() {
                fault.lose(format!("{message} ({reason:?})"));
            }
        });
        fault
    }

    /// The device's name.
    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    /// Fails when the device is lost, always with the same error.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_lost.load(Ordering::Acquire) {
            let lost = self.lost.lock().clone();
            return Err(lost.unwrap_or_else(|| self.internal("lost without a reason")));
        }
        Ok(())
    }

    /// Takes the device as lost; the first reason stays.
    pub(crate) fn lose(&self, reason: String) -> Error {
        let mut lost = self.lost.lock();
        let error = lost.get_or_insert_with(|| {
            tracing::warn!(device = self.device, reason, "the device was lost");
            Error::Lost { device: self.device.clone(), reason }
        });
        self.is_lost.store(true, Ordering::Release);
        error.clone()
    }

    /// An error that should not be.
    pub(crate) fn internal(&self, reason: impl Into<String>) -> Error {
        Error::Internal { device: self.device.clone(), reason: reason.into() }
    }

    /// An error that no scope caught waits to be taken.
    pub(crate) fn any_uncaught(&self) -> bool {
        self.any_uncaught.load(Ordering::Acquire)
    }

    /// The first error that no scope caught since the last time.
    pub(crate) fn take_uncaught(&self) -> Option<wgpu::Error> {
        if !self.any_uncaught.swap(false, Ordering::AcqRel) {
            return None;
        }
        let mut uncaught = self.uncaught.lock();
        let first = (!uncaught.is_empty()).then(|| uncaught.swap_remove(0));
        uncaught.clear();
        first
    }

    /// A wgpu error in the contract's terms; `requested` is what was to be allocated.
    pub(crate) fn translate(&self, error: &wgpu::Error, requested: u64) -> Error {
        match error {
            wgpu::Error::OutOfMemory { .. } => {
                Error::OutOfMemory { device: self.device.clone(), requested, free: None }
            }
            other => self.internal(words(other)),
        }
    }

    /// Runs calls into wgpu; a panic in there is a lost device and not a panic of the caller.
    pub(crate) fn calm<T>(&self, body: impl FnOnce() -> T) -> Result<T, Error> {
        // wgpu's panics on a lost device come before its callback.
        caught(body).map_err(|said| self.lose(format!("wgpu gave up: {said}")))
    }

    /// Runs calls into wgpu that make something; the first error that they raise on this thread is returned. What
    /// panics there has made nothing: that is a refusal too (naga's translators panic on modules they do not know).
    pub(crate) fn scoped<T>(&self, device: &wgpu::Device, body: impl FnOnce() -> T) -> Result<T, Scoped> {
        let result = caught(|| {
            let filters =
                [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation];
            let scopes = filters.map(|filter| device.push_error_scope(filter));
            let value = body();
            let mut first = None;
            for scope in scopes.into_iter().rev() {
                if let Some(error) = pollster::block_on(scope.pop()) {
                    first.get_or_insert(error);
                }
            }
            match first {
                None => Ok(value),
                Some(error) => Err(error),
            }
        });
        match result {
            Err(said) => Err(Scoped::Panicked(said)),
            Ok(Err(error)) => Err(Scoped::Refused(error)),
            // A lost device hands out objects that do nothing.
            Ok(Ok(value)) => self.check().map(|()| value).map_err(Scoped::Lost),
        }
    }
}

/// Why scoped calls failed.
pub(crate) enum Scoped {
    /// The device is gone.
    Lost(Error),
    /// wgpu or the driver said no.
    Refused(wgpu::Error),
    /// wgpu panicked.
    Panicked(String),
}

impl Scoped {
    /// The contract's error; `requested` is what was to be allocated.
    pub(crate) fn into_error(self, fault: &Fault, requested: u64) -> Error {
        match self {
            Scoped::Lost(lost) => lost,
            Scoped::Refused(error) => fault.translate(&error, requested),
            Scoped::Panicked(said) => fault.internal(format!("wgpu panicked: {said}")),
        }
    }
}

/// Runs `body`; a panic becomes what it said.
pub(crate) fn caught<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| match panic.downcast::<String>() {
        Ok(said) => *said,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or("a panic without words").to_owned(),
    })
}

/// What an error says, without indentation, rulers and repetitions.
pub(crate) fn words(error: &wgpu::Error) -> String {
    let text = error.to_string();
    let mut said: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = line.trim_matches(|c: char| !c.is_alphanumeric() && !"`'\"()[].".contains(c));
        let ruler = line.chars().all(|c| c.is_ascii_digit()) || line == "Caused by";
        if !ruler && !said.iter().any(|other| other.contains(line)) {
            said.push(line);
        }
    }
    said.join("; ")
}
