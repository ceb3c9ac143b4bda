//! A small policy that explores by slices under a time budget: the reference that shows the contract to be enough.
//!
//! Not Warpweft's planner. It knows per kernel and device how many times longer than the static model launches take: the
//! median of the last three ratios at the same size, else at the nearest. Where it has none, the ratio may be anything within
//! the model's error, uniform in its logarithm. Inputs that others replaced before a launch, and results that were needed
//! elsewhere after it, are expected to be so again; moves are otherwise taken to be for good.
//!
//! * A sliceable launch runs doubling slices on every device that is unknown and may be best, for 5 % of the time that the best
//!   should take, latency, compilation and moves included.
//! * What costs more than that (compilations, moves, whole runs of unsliceable launches) is bought when the gain that was to be
//!   expected of it, summed over launches, has reached its price: renting skis, which costs at most twice the optimum's.

use std::collections::HashMap;

use crate::baseline::{Series, least, median, note};
use crate::policy::{Candidate, Decision, Measurement, Policy, Request};

/// The share of a launch's time that exploring one device may take.
const BUDGET: f64 = 0.05;
/// The same for ratios measured at another size.
const SCALED_ERROR: f64 = 1.3;
/// Ratios kept per size.
const SAMPLES: usize = 3;

/// The reference policy.
#[derive(Clone, Debug)]
pub struct Slices {
    /// The static model is wrong by up to this factor, either way.
    model_error: f64,
    /// Per kernel and device: sizes with their last ratios of measured to static time.
    ratios: HashMap<(usize, usize), Series>,
    /// Per kernel, size and device: what it would have been expected to gain so far.
    rents: HashMap<(usize, u64, usize), f64>,
    /// Seconds that this launch has spent on exploring each device.
    spent: Vec<f64>,
}

/// What is expected of a device.
#[derive(Clone, Copy, Debug)]
struct Outlook {
    /// Seconds of every such launch, execution apart.
    fixed: f64,
    /// Seconds that the rest executes by the static model.
    model: f64,
    /// How many times longer it should take.
    factor: f64,
    /// By how much that may be wrong, either way.
    error: f64,
    /// Nothing was measured.
    unknown: bool,
    /// Seconds that are paid once.
    once: f64,
    /// What was gained in expectation while it was not paid.
    rent: f64,
}

impl Outlook {
    fn recurring(&self) -> f64 {
        self.fixed + self.factor * self.model
    }

    /// What counts when choosing.
    fn now(&self) -> f64 {
        self.recurring() + (self.once - self.rent).max(0.0)
    }

    /// Expected seconds by which it is faster than `rival`, where it is.
    fn gain(&self, rival: f64) -> f64 {
        let (room, model) = (rival - self.fixed, self.factor * self.model);
        if self.error <= 1.0 || model <= 0.0 {
            return (room - model).max(0.0);
        }
        // The mean of max(0, room - f · model) over f log-uniform in [1/error, error].
        let up_to = (room / model).min(self.error);
        let from = 1.0 / self.error;
        if up_to <= from {
            return 0.0;
        }
        (room * (up_to / from).ln() - model * (up_to - from)) / (2.0 * self.error.ln())
    }

    /// Expected seconds by which it is slower than `rival`, where it is.
    fn loss(&self, rival: f64) -> f64 {
        let mean =
            if self.error <= 1.0 { 1.0 } else { (self.error - 1.0 / self.error) / (2.0 * self.error.ln()) };
        self.gain(rival) + self.fixed + mean * self.factor * self.model - rival
    }
}

impl Slices {
    /// A policy that knows nothing yet, and takes the static model to be wrong by up to `model_error`, either way.
    pub fn new(model_error: f64) -> Self {
        Self { model_error, ratios: HashMap::new(), rents: HashMap::new(), spent: Vec::new() }
    }

    fn factor(&self, kernel: usize, device: usize, size: u64) -> (f64, f64) {
        let Some(sizes) = self.ratios.get(&(kernel, device)) else {
            return (1.0, self.model_error);
        };
        let distance = |at: u64| (at as f64 / size as f64).ln().abs();
        match sizes.iter().min_by(|a, b| distance(a.0).total_cmp(&distance(b.0))) {
            Some((at, ratios)) if *at == size => (median(ratios), 1.0),
            Some((_, ratios)) => (median(ratios), SCALED_ERROR),
            None => (1.0, self.model_error),
        }
    }

    fn outlook(&self, request: &Request<'_>, device: usize) -> Outlook {
        let candidate = &request.candidates[device];
        let (factor, error) = self.factor(request.kernel, device, request.size);
        let key = (request.kernel, request.size, device);
        // Inputs that were replaced before will be again; otherwise a move may be for good.
        let (each, once) = match request.replaced {
            Some(true) => (candidate.transfer, 0.0),
            _ => (0.0, candidate.transfer),
        };
        Outlook {
            fixed: candidate.launch + each + candidate.delivery,
            model: candidate.part(request, request.remaining),
            factor,
            error,
            unknown: !self.ratios.contains_key(&(request.kernel, device)),
            once: once + candidate.compile,
            rent: self.rents.get(&key).copied().unwrap_or(0.0),
        }
    }

    /// The next slice of an unknown device, if it is worth one now.
    fn slice(
        &self,
        request: &Request<'_>,
        outlooks: &[Outlook],
        best: usize,
        device: usize,
    ) -> Option<Decision> {
        let (outlook, candidate) = (&outlooks[device], &request.candidates[device]);
        let budget = BUDGET * outlooks[best].now();
        let left = budget - self.spent[device];
        let expected = |items: u64| candidate.launch + outlook.factor * candidate.part(request, items);
        let bought = device == best || outlook.rent >= candidate.compile + candidate.entrance;
        let entrance = if bought { 0.0 } else { candidate.compile + candidate.entrance };
        // The first slice fits even where the model is as wrong as it may be; later ones double while there is room.
        let share = if outlook.unknown { outlook.error.max(4.0) } else { 2.0 };
        let mut items = request.remaining / 4;
        while items > 1 && share * expected(items) + entrance > left {
            items /= 2;
        }
        let useful = items >= 1 && items >= candidate.fill.min(request.items / 8);
        (useful && share * expected(items) + entrance <= left).then_some(Decision::Slice { device, items })
    }
}

impl Policy for Slices {
    fn decide(&mut self, request: &Request<'_>) -> Decision {
        let devices = request.candidates.len();
        let key = |device| (request.kernel, request.size, device);
        let first = request.remaining == request.items;
        if first {
            self.spent = vec![0.0; devices];
        }
        let outlooks: Vec<Outlook> = (0..devices).map(|device| self.outlook(request, device)).collect();
        let best = least(request.candidates, |device, _| outlooks[device].now()).unwrap_or(0);
        let rival = outlooks[best].now();
        let contender = |device: &usize| {
            *device != best && outlooks[*device].error > 1.0 && outlooks[*device].gain(rival) > 0.0
        };
        let contenders: Vec<usize> = (0..devices).filter(contender).collect();
        if request.sliceable && (!contenders.is_empty() || self.spent.iter().any(|spent| *spent > 0.0)) {
            let order = std::iter::once(best).chain(contenders.iter().copied());
            let wanted = order.filter(|device| outlooks[*device].unknown || self.spent[*device] > 0.0);
            for device in wanted {
                if let Some(decision) = self.slice(request, &outlooks, best, device) {
                    return decision;
                }
            }
        }
        if first {
            for (device, outlook) in outlooks.iter().enumerate().filter(|(device, _)| *device != best) {
                *self.rents.entry(key(device)).or_insert(0.0) += outlook.gain(outlooks[best].recurring());
            }
            // A device that only a whole run can tell of.
            for device in contenders {
                let outlook = self.outlook(request, device);
                if !outlooks[best].unknown && outlook.rent >= outlook.once + outlook.loss(rival) {
                    return Decision::Run { device };
                }
            }
        }
        Decision::Run { device: best }
    }

    fn measured(&mut self, request: &Request<'_>, measurement: &Measurement) {
        let device = measurement.device;
        let candidate: &Candidate = &request.candidates[device];
        let whole = measurement.items == request.remaining;
        if !whole {
            let entrance = measurement.transfer + measurement.compile;
            self.spent[device] += entrance + candidate.launch + measurement.execution;
        }
        let model = candidate.part(request, measurement.items);
        if model > 0.0 {
            let sizes = self.ratios.entry((request.kernel, device)).or_default();
            note(sizes, request.size, measurement.execution / model, SAMPLES);
        }
        if whole {
            // What was paid for is paid for; the next purchase is saved for anew.
            self.rents.remove(&(request.kernel, request.size, device));
        }
    }
}
