//! `warpweft ir` and `warpweft verify` from outside.

mod common;

use common::{Folder, SAXPY};

/// Products and sums of which a contraction can be seen.
const POLYNOMIAL: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec3<f32>>;
@compute @workgroup_size(64) fn polynomial(@builtin(global_invocation_id) id: vec3<u32>) {
    let v = x[id.x];
    y[id.x] = vec3f((v * 0.3 + 0.7) * v - 0.1, v * v - 1.1 * v, v);
}";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("saxpy.wgsl", SAXPY);
    folder.write("polynomial.wgsl", POLYNOMIAL);
    folder
}

#[test]
fn every_stage_is_shown() {
    let folder = folder();
    for (stage, part) in
        [("module", "saxpy"), ("ssa", "saxpy.wgsl"), ("vector", "saxpy.wgsl"), ("asm", "ret")]
    {
        for generator in ["", "--generator cranelift", "--generator cranelift --lanes 4 --strict"] {
            let text = folder.good(&format!("ir saxpy.wgsl --stage {stage} {generator}"));
            assert!(text.contains(part), "{stage}: {text}");
        }
    }
    assert_eq!(folder.good("ir saxpy.wgsl"), folder.good("ir saxpy.wgsl --stage ssa"));
    let ids = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(64) fn ids(@builtin(global_invocation_id) id: vec3u) { y[id.x] = id.x; }";
    folder.write("ids.wgsl", ids);
    for (how, streamed) in [("", false), ("--streaming", true)] {
        let text = folder.good(&format!("ir ids.wgsl --stage vector --generator cranelift {how}"));
        assert_eq!(text.contains("streamed"), streamed, "{text}");
    }
}

#[test]
fn mistakes_of_ir_are_told() {
    let folder = folder();
    for (line, code, part) in [
        ("ir saxpy.wgsl --stage soup", 2, "soup"),
        ("ir saxpy.wgsl --generator sse9", 2, "`sse9` is no code generator"),
        ("ir saxpy.wgsl --lanes 3", 2, "a power of two up to 64"),
        ("ir missing.wgsl", 1, "missing.wgsl"),
        ("ir saxpy.wgsl --entry saxpi", 1, "`saxpi`"),
    ] {
        let ended = folder.run(line);
        assert_eq!(ended.code, Some(code), "{line}: {ended:?}");
        assert!(ended.stderr.contains(part), "{line}: {ended:?}");
    }
}

const STRICT: &str = "verify polynomial.wgsl --bind x=random:f32:1000 --bind y=zeros:f32:1000x3 --strict";

#[test]
fn strict_paths_agree_to_the_last_bit() {
    let folder = folder();
    let text = folder.good(STRICT);
    assert!(text.contains("interpreter") && text.contains("cranelift"), "{text}");
    let record = folder.json(STRICT);
    assert_eq!(record["agree"], true);
    for way in record["ways"].as_array().unwrap() {
        let gpu = way["failed"].as_str().is_some_and(|failed| failed.contains("strict"));
        let cpu = way["failed"].is_null() && way["differences"].as_array().unwrap().is_empty();
        assert!(gpu || cpu, "{way}");
    }
    assert_eq!(record["ways"][0]["path"], "interpreter");
}

#[test]
fn differences_are_found_and_measured() {
    let folder = folder();
    let loose = STRICT.replace(" --strict", "");
    let ended = folder.run(&loose);
    // Somebody contracts: on x86-64 the code generators do.
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("y[") && ended.stdout.contains("ULP"), "{ended:?}");
    assert!(ended.stderr.contains("--ulps"), "{ended:?}");
    let json: serde_json::Value =
        serde_json::from_str(&folder.run(&format!("{loose} --json")).stdout).unwrap();
    let ways = json["ways"].as_array().unwrap();
    let difference = ways.iter().find_map(|way| way["differences"].get(0)).unwrap();
    assert_eq!((&difference["binding"], &difference["of"]), (&"y".into(), &3000.into()));
    assert!(difference["most_ulps"].as_u64().unwrap() >= 1);
    // Cancellation makes some of them large in units of a small result.
    folder.good(&format!("{loose} --ulps 10000000"));
}

/// What lanes without an invocation do in the loop decides whether the ninth invocation stores.
const ROUNDS: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
var<workgroup> rounds: u32;
@compute @workgroup_size(9) fn rounds_of_nine(@builtin(local_invocation_index) lane: u32) {
    loop {
        if lane == 0u { rounds += 1u; }
        if workgroupUniformLoad(&rounds) == 3u { break; }
    }
    y[lane] = 7u;
}";

#[test]
fn what_a_device_is_known_to_get_wrong_is_told_where_it_differs() {
    let folder = folder();
    folder.write("rounds.wgsl", ROUNDS);
    let line = "verify rounds.wgsl --bind y=zeros:u32:9";
    let ended = folder.run(line);
    let record: serde_json::Value =
        serde_json::from_str(&folder.run(&format!("{line} --json")).stdout).unwrap();
    let devices = folder.json("devices");
    let devices = devices["devices"].as_array().unwrap();
    for way in record["ways"].as_array().unwrap() {
        assert!(way["failed"].is_null(), "{way}");
        let device = devices.iter().find(|device| device["placement"] == way["name"]);
        let doubted = device.is_some_and(|device| device["idle_lanes"].is_u64());
        let told = way["cautions"].to_string().contains("idle lanes");
        let differs = !way["differences"].as_array().unwrap().is_empty();
        assert_eq!((told, differs), (doubted, doubted), "{way}");
    }
    assert_eq!(ended.stdout.contains("Caution"), record["agree"] == false, "{ended:?}");
}

#[test]
fn verify_refuses_what_it_does_not_do() {
    let folder = folder();
    for more in ["--repeat 3", "--out y=y.npy", "--cpu avx2", "--on cpu"] {
        let ended = folder.run(&format!("{STRICT} {more}"));
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

#[test]
fn the_way_of_the_cpu_can_be_chosen() {
    let folder = folder();
    let line =
        "run saxpy.wgsl --bind x=zeros:f32:1000 --bind y=ones:f32:1000 --set a=1 --out y=y.npy --on cpu";
    let record = folder.json(&format!("{line} --cpu interpreter"));
    assert_eq!((&record["path"], &record["compiled"]), (&"interpreter".into(), &serde_json::Value::Null));
    let record = folder.json(&format!("{line} --cpu cranelift --lanes 4"));
    assert_eq!(
        (&record["path"], &record["compiled"]["generator"]),
        (&"compiled".into(), &"cranelift".into())
    );
    assert_eq!(record["compiled"]["lanes"], 4);
    let ended = folder.run_with(line, |command| {
        command.env("WARPWEFT_CPU", "abacus");
    });
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("WARPWEFT_CPU") && ended.stderr.contains("cranelift"), "{ended:?}");
    let ended = folder.run_with(&format!("{line} --json"), |command| {
        command.env("WARPWEFT_CPU", "interpreter");
    });
    assert!(ended.stdout.contains("\"interpreter\""), "{ended:?}");
    let ended = folder.run(&format!("{} --strict", line.replace("--on cpu", "--on software")));
    assert!(ended.code == Some(1) && ended.stderr.contains("strict"), "{ended:?}");
}
