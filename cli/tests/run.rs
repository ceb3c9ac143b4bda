//! `warpweft run` from outside: right bytes in right files, on every kind of device.

mod common;

use common::{Folder, SAXPY, bytes, npy, placements};
use half::f16;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("saxpy.wgsl", SAXPY);
    folder
}

#[test]
fn saxpy_is_right_everywhere() {
    let folder = folder();
    let x: Vec<f32> = (0..1000).map(|i| i as f32 * 0.5).collect();
    let y: Vec<f32> = (0..1000).map(|i| 1000.0 - i as f32).collect();
    folder.f32s("x.npy", &x);
    folder.f32s("y.npy", &y);
    let expected: Vec<f32> = x.iter().zip(&y).map(|(x, y)| 2.5 * x + y).collect();
    let [cpu, software] = placements(&folder);
    for on in [cpu, software, "auto"] {
        let line =
            format!("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=2.5 --out y={on}.npy --on {on}");
        folder.good(&line);
        let (header, _) = folder.read(&format!("{on}.npy"));
        assert!(header.contains("'shape': (1000, )"), "{header}");
        assert_eq!(folder.read_f32s(&format!("{on}.npy")), expected, "{on}");
    }
}

#[test]
fn json_tells_what_happened() {
    let folder = folder();
    let [cpu, software] = placements(&folder);
    for (on, path, uploaded, downloaded) in [(cpu, "compiled", 0, 0), (software, "wgpu", 4000, 4000)] {
        // The zeros are never moved; y is.
        let record = folder.json(&format!(
            "run saxpy.wgsl --bind x=zeros:f32:1000 --bind y=ones:f32:1000 --set a=1 --out y=y.npy --on {on} --repeat 3 \
             --explain"
        ));
        assert_eq!(
            (&record["kind"], &record["path"], &record["placement"]),
            (&on.into(), &path.into(), &on.into())
        );
        assert!(!record["device"].as_str().unwrap().is_empty());
        assert_eq!(record["bytes_uploaded"], uploaded, "{record}");
        assert_eq!(record["bytes_downloaded"], downloaded, "{record}");
        let seconds = record["seconds"].as_array().unwrap();
        assert!(seconds.len() == 3 && seconds.iter().all(|s| s.as_f64().unwrap() > 0.0), "{record}");
        for field in ["compile_seconds", "predicted_seconds", "elapsed_seconds", "first_seconds"] {
            assert!(record[field].as_f64().unwrap() > 0.0, "{field}: {record}");
        }
        assert!(record["clock"].is_string());
        assert_eq!(record["bytes_while_timed"], 0, "repeats find their data on the device: {record}");
        assert_eq!((&record["steps"], &record["over"][0]), (&1.into(), &1000.into()));
        let output = &record["outputs"][0];
        assert_eq!(
            (&output["name"], &output["path"], &output["dtype"]),
            (&"y".into(), &"y.npy".into(), &"f32".into())
        );
        assert_eq!(record["plan"]["candidates"][0]["kind"], "cpu");
        assert_eq!(folder.read_f32s("y.npy"), [1.0; 1000], "outputs are those of one run");
    }
}

#[test]
fn repeats_start_from_the_original_inputs() {
    let folder = folder();
    folder.f32s("y.npy", &[1.0; 64]);
    folder.write(
        "count.wgsl",
        "@group(0) @binding(0) var<storage, read_write> y: array<f32>;
         @group(0) @binding(1) var<storage, read_write> seen: array<atomic<u32>>;
         @compute @workgroup_size(64) fn count(@builtin(global_invocation_id) id: vec3<u32>) {
             atomicAdd(&seen[u32(y[id.x])], 1u);
             y[id.x] += 1.0;
         }",
    );
    for on in placements(&folder) {
        folder.good(&format!(
            "run count.wgsl --bind y=y.npy --bind seen=zeros:u32:8 --over @y --out y=o.npy --out seen=s.npy --repeat 5 \
             --on {on} --quiet"
        ));
        assert_eq!(folder.read_f32s("o.npy"), [2.0; 64]);
        assert_eq!(folder.read("s.npy").1, bytes(&[0u32, 64, 0, 0, 0, 0, 0, 0]));
    }
}

#[test]
fn every_dtype_keeps_type_and_shape() {
    let folder = folder();
    let kernel = |ty: &str| {
        format!(
            "{}@group(0) @binding(0) var<storage, read_write> x: array<{ty}>;
             @compute @workgroup_size(64) fn double(@builtin(global_invocation_id) id: vec3<u32>) {{
                 x[id.x] = x[id.x] + x[id.x];
             }}",
            if ty == "f16" { "enable f16;" } else { "" }
        )
    };
    let halves: Vec<f16> = [1.5, -2.0, 3.0].map(f16::from_f64).to_vec();
    let doubled: Vec<f16> = [3.0, -4.0, 6.0].map(f16::from_f64).to_vec();
    let cases = [
        ("f16", "<f2", bytes(&halves), bytes(&doubled)),
        ("f32", "<f4", bytes(&[1.5f32, -2.0, 3.0]), bytes(&[3.0f32, -4.0, 6.0])),
        ("f64", "<f8", bytes(&[0.1f64, -2.0, 1e300]), bytes(&[0.2f64, -4.0, 2e300])),
        ("i32", "<i4", bytes(&[1i32, -2, 3]), bytes(&[2i32, -4, 6])),
        ("u32", "<u4", bytes(&[1u32, 2, 1 << 30]), bytes(&[2u32, 4, 1 << 31])),
        ("i64", "<i8", bytes(&[1i64, -2, 1 << 40]), bytes(&[2i64, -4, 1 << 41])),
        ("u64", "<u8", bytes(&[1u64, 2, 1 << 62]), bytes(&[2u64, 4, 1 << 63])),
    ];
    for on in placements(&folder) {
        for (ty, descr, input, output) in &cases {
            folder.write("k.wgsl", kernel(ty));
            folder.npy("x.npy", descr, "(3, 1)", input);
            folder.good(&format!("run k.wgsl --bind x=x.npy --out x=x.npy --on {on}"));
            let (header, data) = folder.read("x.npy");
            assert!(header.contains(&format!("'{descr}'")) && header.contains("(3, 1, )"), "{ty}: {header}");
            assert_eq!(data, *output, "{ty} on {on}");
        }
    }
}

#[test]
fn vec3_is_padded_and_unpadded() {
    let folder = folder();
    folder.write(
        "k.wgsl",
        "struct P { shift: vec3<f32>, n: u32 }
         @group(0) @binding(0) var<storage, read_write> v: array<vec3<f32>>;
         @group(0) @binding(1) var<storage, read> m: array<mat2x3<f32>>;
         @group(0) @binding(2) var<uniform> p: P;
         @compute @workgroup_size(4) fn turn(@builtin(global_invocation_id) id: vec3<u32>) {
             v[id.x] = v[id.x].zxy + p.shift + m[id.x][1] * f32(p.n);
         }",
    );
    let v: Vec<f32> = (0..15).map(|i| i as f32).collect();
    folder.npy("v.npy", "<f4", "(5, 3)", &bytes(&v));
    let m: Vec<f32> = (0..30).map(|i| i as f32).collect();
    folder.npy("m.npy", "<f4", "(5, 2, 3)", &bytes(&m));
    let expected: Vec<f32> = (0..5)
        .flat_map(|i| {
            let (v, m) = (&v[i * 3..i * 3 + 3], &m[i * 6 + 3..i * 6 + 6]);
            [v[2] + 0.5 + 2.0 * m[0], v[0] + 1.5 + 2.0 * m[1], v[1] - 2.5 + 2.0 * m[2]]
        })
        .collect();
    for on in placements(&folder) {
        folder.good(&format!(
            "run k.wgsl --bind v=v.npy --bind m=m.npy --set p.shift=0.5,1.5,-2.5 --set p.n=2 --out v=o.npy --on {on}"
        ));
        assert!(folder.read("o.npy").0.contains("(5, 3, )"));
        assert_eq!(folder.read_f32s("o.npy"), expected, "{on}");
    }
}

#[test]
fn structs_are_words_and_uniforms_may_be_files() {
    let folder = folder();
    folder.write(
        "k.wgsl",
        "struct Particle { x: vec2<f32>, mass: f32, id: u32 }
         struct Setup { scale: f32, add: u32 }
         @group(0) @binding(0) var<storage, read_write> p: array<Particle>;
         @group(0) @binding(1) var<uniform> s: Setup;
         @compute @workgroup_size(4) fn k(@builtin(global_invocation_id) id: vec3<u32>) {
             p[id.x].mass *= s.scale;
             p[id.x].id += s.add;
         }",
    );
    let words = |mass: f32, id: u32| [1f32.to_bits(), 2f32.to_bits(), mass.to_bits(), id];
    folder.npy("p.npy", "<u4", "(2, 4)", &bytes(&[words(3.0, 7), words(5.0, 8)]));
    folder.npy("s.npy", "<u4", "(2,)", &bytes(&[2f32.to_bits(), 10]));
    for on in placements(&folder) {
        folder.good(&format!("run k.wgsl --bind p=p.npy --bind s=s.npy --out p=o.npy --on {on}"));
        assert_eq!(folder.read("o.npy").1, bytes(&[words(6.0, 17), words(10.0, 18)]), "{on}");
    }
}

#[test]
fn a_two_dimensional_grid_is_the_shape() {
    let folder = folder();
    folder.write(
        "k.wgsl",
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<uniform> width: u32;
         @compute @workgroup_size(8, 8) fn k(@builtin(global_invocation_id) id: vec3<u32>) {
             out[id.y * width + id.x] = id.x + 100u * id.y;
         }",
    );
    let expected: Vec<u32> = (0..3).flat_map(|y| (0..5).map(move |x| x + 100 * y)).collect();
    for grid in ["", "--over 5,3", "--over @out", "--workgroups 1"] {
        let width = if grid == "--workgroups 1" { 8 } else { 5 };
        let shape = if width == 8 { "8x8" } else { "3x5" };
        folder.good(&format!(
            "run k.wgsl --bind out=zeros:u32:{shape} --set width={width} --out out=o.npy {grid} --on cpu"
        ));
        let found = folder.read("o.npy").1;
        match width {
            5 => assert_eq!(found, bytes(&expected), "{grid}"),
            _ => assert_eq!(found[found.len() - 4..], 707u32.to_le_bytes(), "{grid}"),
        }
    }
}

#[test]
fn aliases_constants_and_further_files() {
    let folder = folder();
    folder.write("lib.wgsl", "fn grow(x: real) -> real { return x * real(TILE); }\noverride TILE: u32 = 2;");
    folder.write(
        "k.wgsl",
        "@group(0) @binding(0) var<storage, read_write> x: array<real>;
         @compute @workgroup_size(64) fn other(@builtin(global_invocation_id) id: vec3<u32>) { x[id.x] = real(0); }
         @compute @workgroup_size(64) fn k(@builtin(global_invocation_id) id: vec3<u32>) { x[id.x] = grow(x[id.x]); }",
    );
    for (real, tile, descr, out) in [
        ("f64", "", "<f8", bytes(&[0f64, 2.0, 4.0])),
        ("f32", "--const TILE=2^3", "<f4", bytes(&[0f32, 8.0, 16.0])),
    ] {
        folder.good(&format!(
            "run k.wgsl --with lib.wgsl --entry k --alias real={real} {tile} --bind x=range:{real}:3 --out x=o.npy --on cpu"
        ));
        let (header, data) = folder.read("o.npy");
        assert!(header.contains(descr) && data == out, "{header}");
    }
    // A mistake in the second file is told with that file's name and line.
    folder.write("lib.wgsl", "override TILE: u32 = 2;\n\nfn grow(x: real) -> real { return x * missing; }");
    let ended = folder.run("run k.wgsl --with lib.wgsl --entry k --alias real=f32 --bind x=range:f32:3");
    assert!(ended.code == Some(1) && ended.stderr.contains("lib.wgsl:3:"), "{ended:?}");
}

#[test]
fn steps_swap_and_write_frames() {
    let folder = folder();
    // The field moves one place per step: after n steps src[i] is i - n.
    folder.write(
        "shift.wgsl",
        "@group(0) @binding(0) var<storage, read> src: array<i32>;
         @group(0) @binding(1) var<storage, read_write> dst: array<i32>;
         @compute @workgroup_size(64) fn shift(@builtin(global_invocation_id) id: vec3<u32>) {
             dst[id.x] = src[id.x] - 1;
         }",
    );
    let at = |n: i32| bytes(&(0..10).map(|i| i - n).collect::<Vec<i32>>());
    let line = "run shift.wgsl --bind src=range:i32:10 --bind dst=zeros:i32:10 --steps 7 --swap src,dst";
    for on in placements(&folder) {
        let record = folder.json(&format!("{line} --out src=last.npy --on {on}"));
        assert_eq!(folder.read("last.npy").1, at(7), "{on}");
        assert_eq!(record["steps"], 7);
        folder
            .good(&format!("{line} --out src=u_{{step}}.npy --out dst=old_{{step}}.npy --every 3 --on {on}"));
        for step in [3, 6] {
            assert_eq!(folder.read(&format!("u_{step}.npy")).1, at(step), "{on}");
            assert_eq!(folder.read(&format!("old_{step}.npy")).1, at(step - 1), "{on}");
        }
        let frames: Vec<String> = folder.names().into_iter().filter(|n| n.starts_with("u_")).collect();
        assert_eq!(frames, ["u_3.npy", "u_6.npy"]);
        // Every repeat starts anew, and the outputs are those of one run.
        let record = folder.json(&format!("{line} --out src=again.npy --repeat 2 --on {on}"));
        assert_eq!(record["bytes_while_timed"], 0, "{record}");
        assert_eq!(folder.read("again.npy").1, at(7), "{on}");
    }
}

#[test]
fn explain_writes_nothing() {
    let folder = folder();
    let line = "explain saxpy.wgsl --bind x=ones:f32:8 --bind y=ones:f32:8 --set a=1 --out y=y.npy";
    let text = folder.good(line);
    assert!(text.contains("Chosen: ") && text.contains("`saxpy` with placement `auto`"), "{text}");
    let record = folder.json(line);
    assert_eq!((&record["candidates"][0]["kind"], &record["over"][0]), (&"cpu".into(), &8.into()));
    assert_eq!(folder.names(), ["saxpy.wgsl"]);
}

#[test]
fn devices_are_listed() {
    let folder = folder();
    placements(&folder);
    let text = folder.good("devices");
    for part in ["cpu", "software:0", "subgroups", "coarse", "warpweft calibrate"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let record: serde_json::Value = serde_json::from_str(&folder.good("devices --json")).unwrap();
    let cpu = &record["devices"][0];
    assert_eq!((&cpu["placement"], &cpu["rates"]["calibrated"]), (&"cpu".into(), &false.into()));
    assert!(cpu["limits"]["workgroup_invocations"].as_u64().unwrap() >= 256);
}

#[test]
fn a_calibration_is_kept_and_used() {
    let folder = folder();
    placements(&folder);
    let record: serde_json::Value = serde_json::from_str(&folder.good("calibrate --json")).unwrap();
    let file = record["file"].as_str().unwrap();
    assert!(std::path::Path::new(file).starts_with(folder.path("cache")), "{file}");
    for device in record["devices"].as_array().unwrap() {
        let rates = &device["rates"];
        assert_eq!(rates["calibrated"], true);
        for rate in ["operations", "bandwidth", "launch"] {
            assert!(rates[rate].as_f64().unwrap() > 0.0, "{device}");
        }
    }
    let plan =
        folder.json("explain saxpy.wgsl --bind x=ones:f32:8 --bind y=ones:f32:8 --set a=1 --threads 1");
    // Another number of threads is another device, as far as rates go.
    assert_eq!(plan["candidates"][0]["prediction"]["source"], "coarse");
    let plan = folder.json("explain saxpy.wgsl --bind x=ones:f32:8 --bind y=ones:f32:8 --set a=1");
    assert_eq!(plan["candidates"][0]["prediction"]["source"], "calibrated");
}

#[cfg(unix)]
#[test]
fn pipes_can_be_bound_and_written() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let folder = folder();
    let array = npy("<f4", "(8,)", &bytes(&[1f32; 8]));
    for (given, code) in [(&array[..], 0), (&array[..array.len() - 1], 1)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_warpweft"))
            .args("run saxpy.wgsl --bind x=/dev/stdin --bind y=ones:f32:8 --set a=2 --on cpu -q".split(' '))
            .args(["--out", "y=/dev/stdout"])
            .current_dir(folder.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(given).unwrap();
        let ended = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{stderr}");
        match code {
            0 => assert!(ended.stdout.ends_with(&bytes(&[3f32; 8]))),
            _ => assert!(ended.stdout.is_empty() && stderr.contains("cut short"), "{stderr}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_whole_frames_only() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    // Most of the time goes into writing, so that most signals come amidst it.
    for (name, number) in [("INT", 2), ("TERM", 15)].repeat(4) {
        let folder = folder();
        let mut child = Command::new(env!("CARGO_BIN_EXE_warpweft"))
            .args(
                "run saxpy.wgsl --bind x=ones:f32:2^20 --bind y=ones:f32:2^20 --set a=2 --on cpu".split(' '),
            )
            .args("--workgroups 1 --steps 1e9 --every 1 --out y=u_{step}.npy".split(' '))
            .env("WARPWEFT_CACHE_DIR", folder.path("cache"))
            .current_dir(folder.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !folder.path("u_2.npy").exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "no frame");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        let names = folder.names();
        assert!(names.iter().all(|name| name == "saxpy.wgsl" || name.starts_with("u_")), "{names:?}");
        for name in names.iter().filter(|name| name.starts_with("u_")) {
            assert_eq!(folder.read(name).1.len(), 4 << 20, "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_mistake() {
    use std::process::{Command, Stdio};
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_warpweft"))
        .args(["devices", "--json"])
        .env("WARPWEFT_CACHE_DIR", folder.path("cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && !stderr.contains("pipe") && !stderr.contains("bug"), "{stderr}");
}
