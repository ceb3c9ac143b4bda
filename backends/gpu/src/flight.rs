//! Submissions in flight: when they are done, what then comes home, and how long it may take.
//!
//! A completion is handed out once, by whoever asks first. Downloads are copied to the host once, at that moment or
//! when a later submission is seen to be done: then all before it are, and what they hold is given back though nobody
//! may ever ask. What is kept of those is their times, of so many at most.
//! The clock of a limit runs for the *oldest* submission that is not done, so waiting behind a long list is no
//! timeout of the next. Knows nothing of commands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use warpweft_hal::{Completion, Error, Fence, Timing, TimingSource};

use crate::device::Gpu;
use crate::encode::Download;
use crate::staging::Mapping;
use crate::stamps::Stamps;

/// A submission in flight.
pub(crate) struct Flight {
    pub(crate) index: wgpu::SubmissionIndex,
    /// Set by wgpu when the submission is done and somebody polls.
    pub(crate) done: Arc<AtomicBool>,
    pub(crate) limit: Duration,
    pub(crate) submitted: Instant,
    /// Taken by whoever hands out the completion.
    pub(crate) work: Mutex<Option<Work>>,
}

/// What is to be done when a submission is done.
pub(crate) struct Work {
    pub(crate) downloads: Vec<(Download, Mapping)>,
    pub(crate) stamps: Option<Stamps>,
    /// One per dispatch: whether it ran anything.
    pub(crate) dispatches: Vec<bool>,
}

impl Work {
    /// The completion of a list that had nothing to do.
    pub(crate) fn idle(self) -> Completion {
        let nothing = Timing { seconds: 0.0, source: TimingSource::RoundTrip };
        Completion { dispatches: vec![nothing; self.dispatches.len()] }
    }
}

/// Submissions in flight before a new one looks for those that are done.
const CROWD: usize = 1024;
/// Completions that wait for somebody to ask.
const KEPT: usize = 4096;

/// The submissions of a device that nobody has asked for yet.
#[derive(Default)]
pub(crate) struct Flights {
    flying: Mutex<BTreeMap<u64, Arc<Flight>>>,
    /// Submissions that are done and brought home, of which the completion was not handed out.
    landed: Mutex<BTreeMap<u64, Result<Completion, Error>>>,
    /// The fence given out last.
    last: Mutex<u64>,
}

impl Flights {
    pub(crate) fn insert(&self, flight: Flight) -> Fence {
        let mut last = self.last.lock();
        *last += 1;
        self.flying.lock().insert(*last, Arc::new(flight));
        Fence(*last)
    }

    /// Looks after submissions that nobody asks for, when there are many. Not to be called with the device's state
    /// locked.
    pub(crate) fn clear(&self, gpu: &Gpu) -> Result<(), Error> {
        if self.flying.lock().len() < CROWD {
            return Ok(());
        }
        let oldest = || self.flying.lock().first_key_value().map(|(id, flight)| (*id, flight.clone()));
        while let Some((id, flight)) = oldest()
            && is_over(gpu, &flight)?
        {
            self.bring_home(gpu, id + 1);
        }
        Ok(())
    }

    /// Brings home what every submission before that one has for the host: they are done.
    fn bring_home(&self, gpu: &Gpu, before: u64) {
        let done: Vec<_> = self.flying.lock().range(..before).map(|(id, f)| (*id, f.clone())).collect();
        for (id, flight) in done {
            let mut place = flight.work.lock();
            if let Some(work) = place.take() {
                let completion = self.arrived(gpu, &flight, work);
                let mut landed = self.landed.lock();
                landed.insert(id, completion);
                if landed.len() > KEPT {
                    landed.pop_first();
                }
            }
            self.flying.lock().remove(&id);
        }
    }

    /// The completion of a submission that is not in flight: what is kept of it, unless it was handed out.
    fn kept(&self, fence: Fence) -> Result<Completion, Error> {
        self.landed.lock().remove(&fence.0).unwrap_or_else(|| Ok(Completion::default()))
    }

    /// `None` when it was brought home.
    fn get(&self, gpu: &Gpu, fence: Fence) -> Result<Option<Arc<Flight>>, Error> {
        if fence.0 == 0 || fence.0 > *self.last.lock() {
            return Err(gpu.fault.internal(format!("{fence:?} was never given out")));
        }
        Ok(self.flying.lock().get(&fence.0).cloned())
    }

    /// The oldest submission up to that fence that is not done.
    fn oldest(&self, gpu: &Gpu, fence: Fence) -> Result<Option<(u64, Duration)>, Error> {
        let flying: Vec<_> = self.flying.lock().range(..=fence.0).map(|(id, f)| (*id, f.clone())).collect();
        for (id, flight) in flying {
            if !is_over(gpu, &flight)? {
                return Ok(Some((id, flight.limit)));
            }
        }
        Ok(None)
    }

    pub(crate) fn poll(&self, gpu: &Gpu, fence: Fence) -> Result<Option<Completion>, Error> {
        let Some(flight) = self.get(gpu, fence)? else {
            return self.kept(fence).map(Some);
        };
        if !is_over(gpu, &flight)? {
            return Ok(None);
        }
        self.land(gpu, fence, &flight).map(Some)
    }

    pub(crate) fn wait(&self, gpu: &Gpu, fence: Fence) -> Result<Completion, Error> {
        let Some(flight) = self.get(gpu, fence)? else {
            return self.kept(fence);
        };
        // The submission that is watched, since when, and its limit: at first the one waited for, which is nearly
        // always the oldest.
        let mut watched = (fence.0, Instant::now(), flight.limit);
        while !reached(gpu, &flight.index, watched.2.saturating_sub(watched.1.elapsed()))? {
            let Some((oldest, limit)) = self.oldest(gpu, fence)? else {
                continue;
            };
            if oldest != watched.0 {
                watched = (oldest, Instant::now(), limit);
            } else if watched.1.elapsed() >= watched.2 {
                gpu.fault.lose(format!("a submission did not end within {:?}", watched.2));
                return Err(Error::Timeout { device: gpu.info.name.clone(), limit: watched.2 });
            }
        }
        self.land(gpu, fence, &flight)
    }

    /// Hands out a completion, if nobody has.
    fn land(&self, gpu: &Gpu, fence: Fence, flight: &Flight) -> Result<Completion, Error> {
        // Held while the downloads are copied: a second thread must not go on before they are there.
        let mut place = flight.work.lock();
        let Some(work) = place.take() else {
            return self.kept(fence);
        };
        let completion = self.arrived(gpu, flight, work);
        self.flying.lock().remove(&fence.0);
        drop(place);
        self.bring_home(gpu, fence.0);
        completion
    }

    /// Brings home what a submission that is done has for the host, and gives back what it held.
    fn arrived(&self, gpu: &Gpu, flight: &Flight, mut work: Work) -> Result<Completion, Error> {
        let elapsed = flight.submitted.elapsed();
        let completion = gpu.fault.calm(|| arrive(gpu, &mut work, flight.limit, elapsed))??;
        if let Some(stamps) = work.stamps.take() {
            gpu.state.lock().stamps.push(stamps);
        }
        Ok(completion)
    }
}

/// Whether a submission is done; does not wait.
///
/// Not a wait of no time: when that runs out while another thread's poll empties the queue, wgpu 30 takes its own state
/// for broken and panics.
fn is_over(gpu: &Gpu, flight: &Flight) -> Result<bool, Error> {
    // Polled even when the flag is set: mappings that were asked for after the submission come with a poll, too.
    let answer = gpu.fault.calm(|| gpu.device.poll(wgpu::PollType::Poll))?;
    gpu.fault.check()?;
    answer.map_err(|e| gpu.fault.internal(e.to_string()))?;
    Ok(flight.done.load(Ordering::Acquire))
}

/// Whether a submission is done, within some time.
fn reached(gpu: &Gpu, index: &wgpu::SubmissionIndex, timeout: Duration) -> Result<bool, Error> {
    let poll = wgpu::PollType::Wait { submission_index: Some(index.clone()), timeout: Some(timeout) };
    let answer = gpu.fault.calm(|| gpu.device.poll(poll))?;
    gpu.fault.check()?;
    match answer {
        Ok(_) => Ok(true),
        Err(wgpu::PollError::Timeout) => Ok(false),
        Err(e) => Err(gpu.fault.internal(e.to_string())),
    }
}

/// Brings home what a submission that is done has for the host.
fn arrive(gpu: &Gpu, work: &mut Work, limit: Duration, elapsed: Duration) -> Result<Completion, Error> {
    for (download, mapping) in work.downloads.drain(..) {
        if !mapping.wait(limit) {
            gpu.fault.check()?;
            return Err(gpu.fault.internal("a download's buffer could not be mapped"));
        }
        {
            let size = download.bytes.end - download.bytes.start;
            let view =
                download.staging.get_mapped_range(..size).map_err(|e| gpu.fault.internal(e.to_string()))?;
            // SAFETY: whoever made the submission promised that nothing else touches the range until its fence is
            // done, and this is the one place that says so.
            unsafe { download.target.bytes_mut(download.bytes.clone()) }.copy_from_slice(&view);
        }
        download.staging.unmap();
        gpu.staging.downloaded(download.staging);
    }
    let period = gpu.period;
    let stamped = work.stamps.as_mut().and_then(|stamps| stamps.seconds(period, limit));
    let ran = work.dispatches.iter().filter(|ran| **ran).count().max(1);
    let share = Timing { seconds: elapsed.as_secs_f64() / ran as f64, source: TimingSource::RoundTrip };
    let mut stamped = stamped.map(Vec::into_iter);
    let dispatches = work.dispatches.iter().map(|ran| match &mut stamped {
        _ if !ran => Timing { seconds: 0.0, ..share },
        None => share,
        Some(seconds) => {
            seconds.next().map_or(share, |seconds| Timing { seconds, source: TimingSource::Timestamp })
        }
    });
    Ok(Completion { dispatches: dispatches.collect() })
}
