//! Residency against a naive model that keeps, for every single word, its value and where it is valid.
//!
//! Random reads, writes, views, discards, swaps and launches over a host-memory device and two devices behind links:
//! after each, the runtime's counters and the devices' own must be exactly those of the model, and every value read
//! must be right. Snapshots are kept for a while and must not change.

mod common;

use common::{Machine, Random, machine, mix};
use warpweft::{Buffer, Placement, Snapshot};

const WORDS: usize = 200;
const BUFFERS: usize = 5;
const HOST: usize = 0;

#[derive(Clone, Copy)]
struct Word {
    value: u32,
    /// The value is known: it was not discarded.
    defined: bool,
    /// Zero since the buffer was made.
    zero: bool,
    /// Valid in host memory, on device 1, on device 2.
    valid: [bool; 3],
}

/// Words up, down and zeroed, per device.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counts {
    up: [u64; 3],
    down: [u64; 3],
    zeroed: [u64; 3],
}

struct Model {
    buffers: Vec<Vec<Word>>,
    counts: Counts,
}

impl Model {
    /// Makes a word valid at a location.
    fn bring(&mut self, buffer: usize, at: usize, to: usize) {
        let word = &mut self.buffers[buffer][at];
        if word.valid[to] {
            return;
        }
        if word.zero {
            word.valid[to] = true;
            if to != HOST {
                self.counts.zeroed[to] += 1;
            }
            return;
        }
        let Some(from) = (0..3).find(|&l| word.valid[l]) else {
            return;
        };
        if from != HOST {
            self.counts.down[from] += 1;
            word.valid[HOST] = true;
        }
        if to != HOST {
            self.counts.up[to] += 1;
            word.valid[to] = true;
        }
    }

    fn written(&mut self, buffer: usize, at: usize, location: usize) {
        let word = &mut self.buffers[buffer][at];
        word.zero = false;
        word.valid = std::array::from_fn(|l| l == location);
    }
}

struct World {
    machine: Machine,
    buffers: Vec<Buffer<u32>>,
    model: Model,
    kept: Vec<(Snapshot<u32>, Vec<Option<u32>>)>,
}

impl World {
    fn new(random: &mut Random, asynchronous: bool) -> Self {
        let machine = machine(2, |spec| {
            spec.asynchronous = asynchronous;
            spec.polls = 2;
        });
        let (mut buffers, mut model) = (Vec::new(), Vec::new());
        for i in 0..BUFFERS {
            if i == 0 {
                buffers.push(machine.rt.zeros::<u32>([WORDS]).unwrap());
                model.push(vec![Word { value: 0, defined: true, zero: true, valid: [false; 3] }; WORDS]);
            } else {
                let data: Vec<u32> = (0..WORDS).map(|_| random.next() as u32).collect();
                let word = |&value| Word { value, defined: true, zero: false, valid: [true, false, false] };
                model.push(data.iter().map(word).collect());
                buffers.push(machine.rt.buffer(data).unwrap());
            }
        }
        let model = Model { buffers: model, counts: Counts::default() };
        Self { machine, buffers, model, kept: Vec::new() }
    }

    fn read(&mut self, random: &mut Random) {
        let b = random.below(BUFFERS);
        let range = if random.below(3) == 0 { 0..WORDS } else { random.range(WORDS) };
        let snapshot = self.buffers[b].view(range.clone()).unwrap().read().unwrap();
        range.clone().for_each(|w| self.model.bring(b, w, HOST));
        let expected: Vec<Option<u32>> =
            self.model.buffers[b][range].iter().map(|w| w.defined.then_some(w.value)).collect();
        agree(&snapshot, &expected);
        if random.below(2) == 0 {
            self.kept.push((snapshot, expected));
        }
        if self.kept.len() > 6 {
            let (snapshot, expected) = self.kept.swap_remove(random.below(6));
            agree(&snapshot, &expected);
        }
    }

    fn write(&mut self, random: &mut Random) {
        let b = random.below(BUFFERS);
        let range = if random.below(3) == 0 { 0..WORDS } else { random.range(WORDS) };
        let data: Vec<u32> = range.clone().map(|_| random.next() as u32).collect();
        match range.len() == WORDS {
            true => self.buffers[b].write(&data).unwrap(),
            false => self.buffers[b].view(range.clone()).unwrap().write(&data).unwrap(),
        }
        for (w, value) in range.zip(data) {
            self.model.written(b, w, HOST);
            let word = &mut self.model.buffers[b][w];
            (word.value, word.defined) = (value, true);
        }
    }

    fn discard(&mut self, random: &mut Random) {
        let b = random.below(BUFFERS);
        self.buffers[b].write_discard();
        for word in &mut self.model.buffers[b] {
            (word.defined, word.zero, word.valid) = (false, false, [false; 3]);
        }
    }

    fn swap(&mut self, random: &mut Random) {
        let (a, b) = (random.below(BUFFERS), random.below(BUFFERS));
        let steps = self.machine.rt.steps(1).swap(&self.buffers[a], &self.buffers[b]);
        steps.run().unwrap();
        self.model.buffers.swap(a, b);
    }

    /// `y = 3 y + x` over parts of two buffers, or two disjoint parts of one.
    fn launch(&mut self, random: &mut Random) {
        let kernel = mix(&self.machine.rt);
        let (bx, by) = (random.below(BUFFERS), random.below(BUFFERS));
        let n = 1 + random.below(WORDS / 2);
        let (x, y) = match bx == by {
            true => (random.below(WORDS / 2 - n + 1), WORDS / 2 + random.below(WORDS / 2 - n + 1)),
            false => (random.below(WORDS - n + 1), random.below(WORDS - n + 1)),
        };
        let device = random.below(3);
        let launch = kernel
            .launch()
            .bind("x", &self.buffers[bx].view(x..x + n).unwrap())
            .bind("y", &self.buffers[by].view(y..y + n).unwrap())
            .on(Placement::Device(device));
        match random.below(2) {
            0 => drop(launch.run().unwrap()),
            _ => drop(launch.submit().unwrap()),
        }
        for (buffer, start) in [(bx, x), (by, y)] {
            (start..start + n).for_each(|w| self.model.bring(buffer, w, device));
        }
        for w in 0..n {
            let from = self.model.buffers[bx][x + w];
            let to = &mut self.model.buffers[by][y + w];
            to.value = to.value.wrapping_mul(3).wrapping_add(from.value);
            to.defined &= from.defined;
            // A read-only word that nobody holds stays undefined; a written one belongs to the writer.
            self.model.written(by, y + w, device);
        }
    }

    fn check_counts(&self) {
        let stats = self.machine.rt.stats();
        let of = |get: fn(&warpweft::LinkStats) -> u64| -> [u64; 3] {
            std::array::from_fn(|i| get(&stats.links[i]) / 4)
        };
        let counts = Counts {
            up: of(|l| l.uploaded_bytes),
            down: of(|l| l.downloaded_bytes),
            zeroed: of(|l| l.filled_bytes),
        };
        assert_eq!(counts, self.model.counts);
    }

    /// The devices saw exactly what the runtime counted.
    fn check_devices(&self) {
        for (i, device) in self.machine.far.iter().enumerate() {
            let counters = device.counters();
            assert_eq!(counters.uploaded_bytes / 4, self.model.counts.up[i + 1]);
            assert_eq!(counters.downloaded_bytes / 4, self.model.counts.down[i + 1]);
            assert_eq!(counters.filled_bytes / 4, self.model.counts.zeroed[i + 1]);
        }
        assert_eq!(self.machine.host.counters().uploaded_bytes, 0);
    }
}

fn agree(found: &[u32], expected: &[Option<u32>]) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        if let Some(expected) = expected {
            assert_eq!(found, expected, "word {i}");
        }
    }
}

fn campaign(seed: u64, operations: usize, asynchronous: bool) {
    println!("seed {seed}, asynchronous {asynchronous}");
    let mut random = Random(seed);
    let mut world = World::new(&mut random, asynchronous);
    for _ in 0..operations {
        match random.below(10) {
            0 | 1 => world.read(&mut random),
            2 | 3 => world.write(&mut random),
            4 if random.below(4) == 0 => world.discard(&mut random),
            5 => world.swap(&mut random),
            _ => world.launch(&mut random),
        }
        world.check_counts();
    }
    for b in 0..BUFFERS {
        let expected: Vec<Option<u32>> =
            world.model.buffers[b].iter().map(|w| w.defined.then_some(w.value)).collect();
        (0..WORDS).for_each(|w| world.model.bring(b, w, HOST));
        agree(&world.buffers[b].read().unwrap(), &expected);
    }
    world.check_counts();
    world.check_devices();
    for (snapshot, expected) in &world.kept {
        agree(snapshot, expected);
    }
}

#[test]
fn exactly_the_missing_words_move() {
    for seed in 0..4 {
        campaign(seed, 1000, false);
    }
}

#[test]
fn exactly_the_missing_words_move_with_work_in_flight() {
    for seed in 100..104 {
        campaign(seed, 1000, true);
    }
}
