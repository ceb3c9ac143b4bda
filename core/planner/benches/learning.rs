//! How long a decision waits for what was learnt, and how long learning takes.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use warpweft_planner::{History, Key, Moment, Series, Store};

/// Twelve sizes, seven samples each: as much as a series holds.
fn full() -> Series {
    let mut series = Series::new();
    for at in 0..7 * 12 {
        let size = 1024.0 * 2f64.powi(at % 12);
        let seconds = 1e-5 + 1e-9 * size * (1.0 + 0.01 * f64::from(at % 7));
        series.observe(size, seconds, Moment::from_micros(at as u64)).expect("possible");
    }
    series
}

fn series(c: &mut Criterion) {
    let known = full();
    c.bench_function("series, known size", |b| b.iter(|| known.predict(black_box(65536.0))));
    c.bench_function("series, new size", |b| b.iter(|| known.predict(black_box(50000.0))));
    c.bench_function("series, far size", |b| b.iter(|| known.predict(black_box(1e9))));
    c.bench_function("series, first new size", |b| {
        b.iter_batched_ref(full, |series| series.predict(black_box(50000.0)), BatchSize::SmallInput);
    });
    let mut at = 1000;
    let mut learning = full();
    c.bench_function("series, observation", |b| {
        b.iter(|| {
            at += 1;
            learning.observe(black_box(65536.0), 7.5e-5, Moment::from_micros(at))
        });
    });
    c.bench_function("series, observation and new size", |b| {
        b.iter(|| {
            at += 1;
            learning.observe(black_box(65536.0), 7.5e-5, Moment::from_micros(at)).expect("possible");
            learning.predict(black_box(50000.0))
        });
    });
}

fn history(c: &mut Criterion) {
    let mut history = History::new();
    let store = Store::in_memory();
    let place = (history.place("cpu", "compiled"), store.place("cpu", "compiled"));
    let mut keys = Vec::new();
    for kernel in 0..400u32 {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&kernel.wrapping_mul(0x9e37_79b9).to_le_bytes());
        for at in 0..7 * 12u64 {
            let size = 1024.0 * 2f64.powi((at % 12) as i32);
            let now = Moment::from_micros(at);
            let key = Key { kernel: hash, place: place.0 };
            history.observe(key, "k", size, 1e-9 * size, now).expect("possible");
            let key = Key { kernel: hash, place: place.1 };
            store.observe(key, "k", size, 1e-9 * size, now).expect("possible");
        }
        keys.push(hash);
    }
    let mut next = 0;
    let mut key = |place| {
        next = (next + 1) % keys.len();
        Key { kernel: keys[next], place }
    };
    let now = Moment::from_micros(1_000_000);
    c.bench_function("history of 400 series, known size", |b| {
        b.iter(|| history.predict(&key(place.0), black_box(65536.0), now));
    });
    c.bench_function("store of 400 series, known size", |b| {
        b.iter(|| store.predict(&key(place.1), black_box(65536.0), now));
    });
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Store::open(folder.path().join(warpweft_planner::FILE_NAME));
    let place = kept.place("cpu", "compiled");
    for kernel in 0..50u8 {
        for at in 0..7 * 12u64 {
            let size = 1024.0 * 2f64.powi((at % 12) as i32);
            let key = Key { kernel: [kernel; 32], place };
            kept.observe(key, "k", size, 1e-9 * size, Moment::from_micros(at)).expect("possible");
        }
    }
    c.bench_function("store of 50 full series, one observation and saving", |b| {
        b.iter(|| {
            kept.observe(Key { kernel: [1; 32], place }, "k", 1024.0, 1e-6, now).expect("possible");
            kept.save()
        });
    });
}

criterion_group!(benches, series, history);
criterion_main!(benches);
