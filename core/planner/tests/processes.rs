//! Several processes at once, and processes that are killed: the file is always whole, and loses nothing.
//!
//! The test binary runs itself as those processes: `WARPWEFT_PLANNER_CHILD` names the file and the number of the child.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use warpweft_planner::{FILE_NAME, Key, Saved, Store};

const CHILD: &str = "WARPWEFT_PLANNER_CHILD";

fn spawn(test: &str, path: &Path, number: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--test-threads=1"])
        .env(CHILD, format!("{number}:{}", path.display()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// The number and the file, when this process is a child.
fn child() -> Option<(u32, String)> {
    let value = std::env::var(CHILD).ok()?;
    let (number, path) = value.split_once(':').unwrap();
    Some((number.parse().unwrap(), path.to_string()))
}

fn save(store: &Store) {
    let start = Instant::now();
    loop {
        match store.save() {
            Saved::Kept => return,
            Saved::Busy => assert!(start.elapsed() < Duration::from_secs(60), "never got the lock"),
            other => panic!("{other:?}"),
        }
    }
}

fn observe(store: &Store, kernel: u32, size: f64, seconds: f64) {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&kernel.to_le_bytes());
    let key = Key { kernel: hash, place: store.place("cpu", "compiled") };
    store.observe(key, &format!("kernel {kernel}"), size, seconds, SystemTime::now().into()).unwrap();
}

#[test]
fn four_processes_at_once_lose_nothing() {
    const SHARED: u32 = 100;
    if let Some((number, path)) = child() {
        let store = Store::open(path);
        // The first launch of each series is superseded at once.
        for kernel in [number, SHARED] {
            observe(&store, kernel, f64::from(10 + number), 0.5);
        }
        for round in 0..6 {
            for kernel in [number, SHARED] {
                let seconds = 1e-3 * f64::from(number + 1) * (1.0 + 0.001 * f64::from(round));
                observe(&store, kernel, f64::from(10 + number), seconds);
                observe(&store, kernel, 1.0, 1e-4);
            }
            save(&store);
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let children: Vec<_> = (0..4).map(|n| spawn("four_processes_at_once_lose_nothing", &path, n)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = Store::open(&path);
    store.with(|history| {
        let entries = history.entries();
        assert_eq!(entries.len(), 5);
        for entry in entries {
            let sizes: Vec<_> = entry.series.sizes().map(|s| (s.size, s.samples)).collect();
            match entry.name.strip_prefix("kernel ").unwrap().parse::<u32>().unwrap() {
                // As many of the common size as are kept, and all of the others.
                SHARED => assert_eq!(sizes, [(1.0, 7), (10.0, 6), (11.0, 6), (12.0, 6), (13.0, 6)]),
                number => assert_eq!(sizes, [(1.0, 6), (f64::from(10 + number), 6)]),
            }
        }
    });
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 2, "the file and the lock");
}

#[test]
fn a_process_killed_at_any_moment_leaves_a_whole_file() {
    if let Some((number, path)) = child() {
        let store = Store::open(path);
        for round in 0.. {
            for kernel in 0..40 {
                observe(&store, kernel, f64::from(1 + round % 5), 1e-3 * f64::from(number + 1));
            }
            save(&store);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let mut seen = 0;
    for number in 0..60 {
        let mut child = spawn("a_process_killed_at_any_moment_leaves_a_whole_file", &path, number);
        // Until it saves, and then into the middle of its work, a little later each time.
        let start = Instant::now();
        let before = std::fs::read(&path).ok();
        while std::fs::read(&path).ok() == before {
            assert!(start.elapsed() < Duration::from_secs(60), "child {number} does not save");
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(u64::from(number) * 137));
        child.kill().unwrap();
        child.wait().unwrap();
        let known = Store::open(&path).with(|h| h.len());
        assert_eq!(known, 40, "after child {number}");
        seen += 1;
    }
    assert_eq!(seen, 60);
    let names =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.collect();
    assert!(!names.iter().any(|n| n.contains("broken")), "{names:?}");
    // What the last child left half written goes with the next save.
    let store = Store::open(&path);
    observe(&store, 0, 1.0, 1e-3);
    save(&store);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the file and the lock");
}
