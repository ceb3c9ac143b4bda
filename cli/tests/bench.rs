//! `warpweft bench` from outside: it checks, measures, tells what is missing, and ends when it is told to.

mod common;

use common::{Folder, placements};
use serde_json::Value;

#[test]
fn every_kernel_is_checked_and_measured_everywhere() {
    let folder = Folder::new();
    let [cpu, software] = placements(&folder);
    let text = folder.good("bench --sizes 100,2^10 --budget 60s --json r.json --seed 3");
    let record: Value = serde_json::from_slice(&std::fs::read(folder.path("r.json")).unwrap()).unwrap();
    assert_eq!(record["failed"], serde_json::json!([]), "{text}");
    assert_eq!(
        (&record["version"], &record["seed"], &record["interrupted"]),
        (&1.into(), &3.into(), &false.into())
    );
    let results = record["results"].as_array().unwrap();
    for kernel in ["triad", "reduce_sum", "jacobi2d", "nbody", "mandelbrot"] {
        for kind in [cpu, software] {
            for size in [100, 1024] {
                let found =
                    results.iter().find(|r| r["kernel"] == kernel && r["kind"] == kind && r["size"] == size);
                let found = found.unwrap_or_else(|| panic!("{kernel} {size} {kind} is not in {record}"));
                for location in ["resident", "upload", "round_trip"] {
                    let times = &found[location];
                    let of = |field: &str| times[field].as_f64().unwrap();
                    assert!(
                        of("min") > 0.0 && of("min") <= of("median") && of("median") <= of("max"),
                        "{found}"
                    );
                    assert!(of("lower_quartile") <= of("upper_quartile") && of("samples") >= 3.0, "{found}");
                }
                let rate = found["resident"]["gflops_per_second"].as_f64().unwrap();
                let flops = rate * 1e9 * found["resident"]["median"].as_f64().unwrap();
                assert!((flops / found["flops"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{found}");
                assert!(found["first_seconds"].as_f64().unwrap() > 0.0);
            }
        }
        assert!(text.contains(kernel), "{text}");
    }
    // It calibrated first, and the next run of anything knows.
    let devices: Value = serde_json::from_str(&folder.good("devices --json")).unwrap();
    assert_eq!(devices["devices"][0]["rates"]["calibrated"], true);
    // Software devices are in no comparison.
    assert!(!record["crossovers"].to_string().contains("software"));
}

#[test]
fn what_does_not_fit_is_listed_with_the_reason() {
    let folder = Folder::new();
    let [cpu, _] = placements(&folder);
    // 2^22 bodies would take hours, 2^40 floats no machine holds.
    let text =
        folder.good(&format!("bench nbody triad --sizes 64,2^22,2^40 --budget 6s --on {cpu} --json r.json"));
    let record: Value = serde_json::from_slice(&std::fs::read(folder.path("r.json")).unwrap()).unwrap();
    let skipped = record["skipped"].as_array().unwrap();
    let reason = |kernel: &str, size: u64| {
        let found = skipped.iter().find(|s| s["kernel"] == kernel && s["size"] == size);
        found.unwrap_or_else(|| panic!("{kernel} {size}: {record}"))["reason"].as_str().unwrap().to_string()
    };
    assert!(reason("nbody", 1 << 22).contains("of the budget"));
    assert!(reason("triad", 1 << 40).contains("32-bit"));
    assert!(text.contains("Skipped: nbody at 2^22") && text.contains("--budget 30m"), "{text}");
    assert!(record["results"].as_array().unwrap().iter().all(|r| r["kind"] == cpu));
}

#[test]
fn every_way_of_the_cpu_is_checked_and_measured_or_says_why_not() {
    let folder = Folder::new();
    placements(&folder);
    let kernels = ["saxpy", "histogram", "prefix_scan"];
    // So short a budget leaves nothing for the large sizes.
    let line = format!("bench --cpu-paths {} --budget 0.001s --json r.json", kernels.join(" "));
    let text = folder.good(&line);
    let record: Value = serde_json::from_slice(&std::fs::read(folder.path("r.json")).unwrap()).unwrap();
    assert_eq!((&record["version"], &record["failed"]), (&1.into(), &serde_json::json!([])), "{text}");
    let list = |name: &str| record[name].as_array().unwrap().clone();
    for kernel in kernels {
        for way in ["interpreter", "cranelift", "avx2", "avx512", "software"] {
            let of = |v: &Value| v["kernel"] == kernel && v["way"] == way;
            let (results, skipped) = (list("results"), list("skipped"));
            match results.iter().find(|v| of(v)) {
                Some(result) => {
                    let times = &result["times"];
                    assert!(
                        times["median"].as_f64().unwrap() > 0.0 && times["samples"].as_u64().unwrap() >= 3
                    );
                    assert_eq!(result["full"], false);
                }
                None => assert!(
                    skipped.iter().any(|v| of(v) && !v["reason"].as_str().unwrap().is_empty())
                        && !["interpreter", "software"].contains(&way),
                    "{kernel} in the way {way} is not in {record}"
                ),
            }
        }
        assert!(text.contains(kernel), "{text}");
    }
    let ended = folder.run("bench --cpu-paths nonsense");
    assert!(ended.code == Some(2) && ended.stderr.contains("spmv_random"), "{ended:?}");
    assert_eq!(folder.run("bench --cpu-paths --on cpu").code, Some(2));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_the_table() {
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let folder = Folder::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_warpweft"))
        .args(["bench", "triad", "--sizes", "64,2^10..2^24", "--budget", "1h", "--on", "cpu"])
        .env("WARPWEFT_CACHE_DIR", folder.path("cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Calibration is over once its file is there; by then the handler is set and something is being measured.
    let started = Instant::now();
    while !folder.path("cache/calibration.json").exists() {
        assert!(started.elapsed() < Duration::from_secs(120), "no calibration");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{text}");
    assert!(text.contains("Interrupted") && text.contains("of checked results"), "{text}");
}
