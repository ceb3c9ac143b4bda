//! Many series: keys, the least recently used, forgetting.

use warpweft_planner::{History, Key, Moment, Refused, Source};

fn at(seconds: u64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

fn key(history: &mut History, kernel: u8, device: &str) -> Key {
    Key { kernel: [kernel; 32], place: history.place(device, "compiled") }
}

#[test]
fn kernels_devices_and_paths_are_told_apart() {
    let mut history = History::new();
    let cpu = history.place("cpu", "compiled");
    let native = history.place("cpu", "native");
    let gpu = history.place("gpu", "compiled");
    assert_eq!(history.place("cpu", "compiled"), cpu);
    let keys = [cpu, native, gpu].map(|place| Key { kernel: [1; 32], place });
    for (i, key) in keys.iter().enumerate() {
        for launch in 0..2 {
            history.observe(*key, "k", 10.0, 1.0 + i as f64, at(launch)).unwrap();
        }
    }
    for (i, key) in keys.iter().enumerate() {
        let prediction = history.predict(key, 10.0, at(9)).unwrap();
        assert_eq!((prediction.seconds, prediction.source), (1.0 + i as f64, Source::Measured));
    }
    assert_eq!(history.predict(&Key { kernel: [2; 32], place: cpu }, 10.0, at(9)), None);
}

#[test]
fn the_least_recently_used_series_goes() {
    let mut history = History::with_capacity(3);
    let keys: Vec<_> = (0..4).map(|k| key(&mut history, k, "cpu")).collect();
    for (k, key) in keys[..3].iter().enumerate() {
        history.observe(*key, "k", 10.0, 1.0, at(k as u64)).unwrap();
    }
    // Asking is using: a device that is never chosen stays known.
    assert!(history.predict(&keys[0], 10.0, at(10)).is_some());
    history.observe(keys[3], "k", 10.0, 1.0, at(11)).unwrap();
    assert_eq!(history.len(), 3);
    assert!(history.series(&keys[1]).is_none());
    assert!(history.series(&keys[0]).is_some());
}

#[test]
fn what_was_learnt_can_be_shown() {
    let mut history = History::new();
    let (a, b) = (key(&mut history, 1, "gpu"), key(&mut history, 2, "cpu"));
    history.observe(a, "saxpy", 10.0, 1.0, at(1)).unwrap();
    history.observe(a, "saxpy", 10.0, 0.5, at(2)).unwrap();
    history.observe(a, "saxpy", 20.0, 1.0, at(3)).unwrap();
    history.observe(b, "dot", 7.0, 3.0, at(4)).unwrap();
    let entries = history.entries();
    let names: Vec<_> = entries.iter().map(|e| (e.name, e.device, e.path)).collect();
    assert_eq!(names, [("dot", "cpu", "compiled"), ("saxpy", "gpu", "compiled")]);
    let saxpy = entries[1].series;
    let sizes: Vec<_> = saxpy.sizes().map(|s| (s.size, s.seconds, s.samples)).collect();
    assert_eq!(sizes, [(10.0, 0.5, 1), (20.0, 1.0, 1)]);
    assert_eq!(saxpy.last(), at(3));
    let (a, b, c) = saxpy.law().unwrap();
    assert!((a * 10f64.powf(b) + c - 0.5).abs() < 0.05);
}

#[test]
fn names_and_all_are_forgotten() {
    let mut history = History::new();
    let keys: Vec<_> = (0..3).map(|k| key(&mut history, k, "cpu")).collect();
    for (key, name) in keys.iter().zip(["a", "a", "b"]) {
        history.observe(*key, name, 10.0, 1.0, at(5)).unwrap();
    }
    assert_eq!(history.forget(Some("c"), at(6)), 0);
    assert_eq!(history.forget(Some("a"), at(6)), 2);
    assert_eq!(history.entries().iter().map(|e| e.name).collect::<Vec<_>>(), ["b"]);
    // A clock that stands still does not keep it from being learnt anew.
    history.observe(keys[0], "a", 10.0, 2.0, at(6)).unwrap();
    assert_eq!(history.predict(&keys[0], 10.0, at(6)).unwrap().seconds, 2.0);
    // Nor does one that went backwards keep anything from being forgotten.
    assert_eq!(history.forget(None, at(0)), 2);
    assert!(history.is_empty());
}

#[test]
fn places_of_other_histories_are_refused() {
    let (mut one, mut other) = (History::new(), History::new());
    one.place("cpu", "compiled");
    let gpu = Key { kernel: [1; 32], place: one.place("gpu", "compiled") };
    assert_eq!(other.observe(gpu, "k", 1.0, 1.0, at(1)), Err(Refused::Place));
    assert_eq!(other.predict(&gpu, 1.0, at(1)), None);
    assert!(other.entries().is_empty());
}
