//! The file: what was learnt comes back, broken files are set aside with one warning, nothing keeps learning from going on.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::Random;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use warpweft_planner::{FILE_NAME, Key, Moment, Saved, Store};

fn at(seconds: u64) -> Moment {
    Moment::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
}

fn key(store: &Store, kernel: u8) -> Key {
    Key { kernel: [kernel; 32], place: store.place("cpu | \"Zen\" \u{b7} 8", "compiled") }
}

/// Three kernels at a few sizes, and a change of speed.
fn teach(store: &Store) {
    for kernel in 0..3 {
        let key = key(store, kernel);
        for launch in 0..24 {
            let size = 1000.0 * f64::from(1 + launch % 3);
            let speed = if kernel == 2 && launch >= 21 { 3.0 } else { 1.0 };
            let at = at(u64::from(launch as u32));
            store.observe(key, &format!("kernel {kernel}"), size, speed * 1e-6 / 3.0 * size, at).unwrap();
        }
        store.observe(key, &format!("kernel {kernel}"), 77.5, 1.0 / 3.0, at(30)).unwrap();
    }
}

fn predictions(store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    for kernel in 0..3 {
        for size in [10.0, 77.5, 1000.0, 1500.0, 2000.0, 3000.0, 1e9] {
            all.push(format!("{:?}", store.predict(&key(store, kernel), size, at(99))));
        }
    }
    all
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|n| !n.ends_with(".lock"));
    names.sort();
    names
}

/// Counts warnings.
struct Warnings(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event, _: Context<S>) {
        if *event.metadata().level() <= tracing::Level::WARN {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn warnings_of(work: impl FnOnce()) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let subscriber = tracing_subscriber::registry().with(Warnings(Arc::clone(&count)));
    tracing::subscriber::with_default(subscriber, work);
    count.load(Ordering::Relaxed)
}

/// A folder that does not exist yet, in one that goes at the end.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine").join(FILE_NAME);
    (folder, path)
}

#[test]
fn what_was_learnt_comes_back() {
    let (_folder, path) = folder();
    let store = Store::open(&path);
    assert_eq!(store.save(), Saved::Nothing);
    teach(&store);
    assert_eq!(store.unsaved(), 75);
    assert_eq!(store.save(), Saved::Kept);
    assert_eq!((store.unsaved(), store.save()), (0, Saved::Nothing));
    let again = Store::open(&path);
    assert_eq!(predictions(&again), predictions(&store));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().count() < 40 && text.contains("\"kernel 1\""), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["series"].as_array().unwrap().len(), 3);
    assert_eq!(files(path.parent().unwrap()), [FILE_NAME]);
}

#[test]
fn later_first_launches_do_not_disturb_what_is_known() {
    let (_folder, path) = folder();
    let store = Store::open(&path);
    teach(&store);
    store.save();
    let later = Store::open(&path);
    let before = later.predict(&key(&later, 0), 1000.0, at(99)).unwrap();
    later.observe(key(&later, 0), "kernel 0", 1000.0, 0.5, at(100)).unwrap();
    assert_eq!(later.predict(&key(&later, 0), 1000.0, at(101)).unwrap(), before);
}

#[test]
fn two_stores_learn_from_each_other() {
    let (_folder, path) = folder();
    let (a, b) = (Store::open(&path), Store::open(&path));
    for launch in 0..4 {
        a.observe(key(&a, 1), "k", 10.0, 1.0, at(launch)).unwrap();
        b.observe(key(&b, 1), "k", 20.0, 2.0, at(launch)).unwrap();
    }
    assert_eq!((a.save(), b.save()), (Saved::Kept, Saved::Kept));
    let known = |store: &Store| {
        store.with(|h| h.entries()[0].series.sizes().map(|s| (s.size, s.samples)).collect::<Vec<_>>())
    };
    assert_eq!(known(&b), [(10.0, 3), (20.0, 3)]);
    assert_eq!(known(&a), [(10.0, 3)]);
    a.observe(key(&a, 1), "k", 10.0, 1.0, at(9)).unwrap();
    a.save();
    assert_eq!(known(&a), [(10.0, 4), (20.0, 3)]);
}

#[test]
fn what_was_forgotten_stays_forgotten() {
    let (_folder, path) = folder();
    let a = Store::open(&path);
    teach(&a);
    a.save();
    let b = Store::open(&path);
    assert_eq!(a.forget(Some("kernel 1"), at(40)), 1);
    assert_eq!(a.save(), Saved::Kept);
    // The other still knows it, but neither it nor the file brings it back.
    b.observe(key(&b, 0), "kernel 0", 1000.0, 1e-3, at(50)).unwrap();
    assert_eq!(b.save(), Saved::Kept);
    for store in [&a, &b, &Store::open(&path)] {
        assert_eq!(store.predict(&key(store, 1), 1000.0, at(60)), None);
        assert!(store.predict(&key(store, 0), 1000.0, at(60)).is_some());
    }
    b.forget(None, at(60));
    b.save();
    assert!(Store::open(&path).with(|h| h.is_empty()));
}

#[test]
fn the_file_holds_no_more_than_memory() {
    let (_folder, path) = folder();
    for process in 0..4u32 {
        let store = Store::open(&path);
        let place = store.place("cpu", "compiled");
        for kernel in 0..200u32 {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&(process * 1000 + kernel).to_le_bytes());
            let now = at(u64::from(process * 1000 + kernel));
            store.observe(Key { kernel: hash, place }, "k", 10.0, 1.0, now).unwrap();
        }
        assert_eq!(store.save(), Saved::Kept);
    }
    let entries = Store::open(&path).with(|h| h.entries().iter().map(|e| e.used).collect::<Vec<_>>());
    assert_eq!(entries.len(), warpweft_planner::SERIES);
    // The latest 512 of 800.
    assert!(entries.iter().all(|used| *used >= at(1088)), "{:?}", entries.iter().min());
}

#[test]
fn broken_files_are_set_aside_with_one_warning() {
    let (_folder, path) = folder();
    let name = |ending: &str| format!("{FILE_NAME}.{ending}");
    let good = {
        let store = Store::open(&path);
        teach(&store);
        store.save();
        fs::read(&path).unwrap()
    };
    let text = String::from_utf8(good.clone()).unwrap();
    let cases: [(&str, Vec<u8>); 8] = [
        ("broken-1", Vec::new()),
        ("broken-2", b"\n\n".to_vec()),
        ("broken-3", b"[1, 2, 3]".to_vec()),
        ("broken-4", b"{\"magic\": \"something else\", \"version\": 1}".to_vec()),
        ("broken-5", good[..good.len() / 2].to_vec()),
        ("broken-6", text.replace("kernel 1", "kernel 9").into_bytes()),
        ("broken-7", vec![0xff; 1000]),
        ("old-1", text.replace("\"version\": 1", "\"version\": 2").into_bytes()),
    ];
    let mut expected = vec![FILE_NAME.to_string()];
    for (ending, bytes) in cases {
        fs::write(&path, &bytes).unwrap();
        let warnings = warnings_of(|| {
            let store = Store::open(&path);
            assert!(store.with(|h| h.is_empty()), "{ending}");
            teach(&store);
            assert_eq!(store.save(), Saved::Kept, "{ending}");
        });
        assert_eq!(warnings, 1, "{ending}");
        expected.push(name(ending));
        expected.sort();
        assert_eq!(files(path.parent().unwrap()), expected);
        assert_eq!(fs::read(path.with_file_name(name(ending))).unwrap(), bytes, "{ending}: nothing is lost");
        assert_eq!(fs::read(&path).unwrap(), good, "{ending}: learnt anew");
    }
}

#[test]
fn a_file_that_breaks_while_in_use_is_set_aside_and_what_is_known_is_kept() {
    let (_folder, path) = folder();
    let store = Store::open(&path);
    teach(&store);
    store.save();
    fs::write(&path, "{").unwrap();
    let warnings = warnings_of(|| {
        store.observe(key(&store, 1), "kernel 1", 1000.0, 1e-3 / 3.0, at(50)).unwrap();
        assert_eq!(store.save(), Saved::Kept);
    });
    assert_eq!(warnings, 1);
    // All of it, not only what changed since.
    assert_eq!(predictions(&Store::open(&path)), predictions(&store));
}

#[test]
fn where_nothing_can_be_written_learning_goes_on_with_one_warning() {
    let folder = tempfile::tempdir().unwrap();
    let blocker = folder.path().join("file");
    fs::write(&blocker, "not a folder").unwrap();
    let warnings = warnings_of(|| {
        let store = Store::open(blocker.join(FILE_NAME));
        for _ in 0..3 {
            teach(&store);
            assert_eq!(store.save(), Saved::Impossible);
        }
        assert!(store.predict(&key(&store, 0), 1000.0, at(60)).is_some());
        assert_eq!(store.unsaved(), 225);
    });
    assert_eq!(warnings, 1);
}

#[test]
fn no_bytes_make_it_panic_or_believe_nonsense() {
    let (_folder, path) = folder();
    let store = Store::open(&path);
    teach(&store);
    store.save();
    let good = fs::read(&path).unwrap();
    let seed = 20_260_101;
    println!("seed {seed}");
    let mut random = Random::new(seed);
    for round in 0..600 {
        let mut bytes = good.clone();
        match round % 4 {
            0 => bytes.truncate(random.below(good.len())),
            1 => {
                for _ in 0..1 + random.below(3) {
                    let at = random.below(bytes.len());
                    bytes[at] ^= 1 << random.below(8);
                }
            }
            2 => bytes = (0..random.below(2000)).map(|_| random.bits() as u8).collect(),
            _ => {
                // A piece of it comes twice.
                let from = random.below(good.len());
                let piece = good[from..(from + 40).min(good.len())].to_vec();
                let to = random.below(good.len());
                bytes.splice(to..to, piece);
            }
        }
        fs::write(&path, &bytes).unwrap();
        let known = Store::open(&path);
        let intact = bytes.trim_ascii_end() == good.trim_ascii_end();
        assert_eq!(known.with(|h| h.is_empty()), !intact, "round {round}");
        for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn while_others_save_it_is_tried_later_and_nothing_is_lost() {
    let (_folder, path) = folder();
    let store = Store::open(&path);
    teach(&store);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let lock = fs::File::create(path.with_file_name(format!("{FILE_NAME}.lock"))).unwrap();
    lock.lock().unwrap();
    assert_eq!(store.save(), Saved::Busy);
    assert_eq!(store.unsaved(), 75);
    assert!(!path.exists());
    drop(lock);
    assert_eq!(store.save(), Saved::Kept);
    assert_eq!(predictions(&Store::open(&path)), predictions(&store));
}
