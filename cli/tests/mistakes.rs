//! Every mistake ends in one helpful paragraph, a code that is not 0, and no output file.

mod common;

use common::{Folder, SAXPY, bytes, exists, npy};

/// A folder with a good kernel, good and bad arrays.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("saxpy.wgsl", SAXPY);
    folder.write("broken.wgsl", "@compute @workgroup_size(1) fn k() {\n    let x = 1.0 +;\n}");
    folder.write("invalid.wgsl", "@compute @workgroup_size(1)\nfn k() {\n    let x: u32 = 1.5;\n}");
    folder.write("vertex.wgsl", "fn helper() {}");
    folder.write("binary.wgsl", [0xff, 0xfe, 0x00]);
    folder.write(
        "two.wgsl",
        "@compute @workgroup_size(1) fn one() {}\n@compute @workgroup_size(1) fn two() {}",
    );
    folder.write(
        "params.wgsl",
        "struct Params { n: u32, h: f32 }
         @group(0) @binding(0) var<uniform> params: Params;
         @group(0) @binding(1) var<storage, read_write> y: array<f32>;
         override TILE: u32;
         @compute @workgroup_size(64) fn k(@builtin(global_invocation_id) id: vec3<u32>) {
             y[id.x] = params.h * f32(params.n * TILE);
         }",
    );
    folder.f32s("x.npy", &[1.0; 100]);
    folder.f32s("y.npy", &[2.0; 100]);
    folder.npy("double.npy", "<f8", "(100,)", &[0; 800]);
    folder.npy("bools.npy", "|b1", "(100,)", &[0; 100]);
    folder.npy("huge.npy", "<f4", "(1152921504606846976,)", &[0; 400]);
    let whole = npy("<f4", "(100,)", &bytes(&[1f32; 100]));
    folder.write("short.npy", &whole[..whole.len() - 8]);
    folder.write("long.npy", [&whole[..], b"more"].concat());
    folder.write("text.npy", "1 2 3");
    folder
}

/// One mistake: what is typed after `warpweft`, the exit code, and what the message must name.
type Mistake = (&'static str, i32, &'static [&'static str]);

const MISTAKES: &[Mistake] = &[
    // Names.
    ("run saxpy.wgsl --bind z=x.npy --bind y=y.npy --set a=1 --out y=o.npy", 1, &["`z`", "`x`", "`y`"]),
    (
        "run saxpy.wgsl --bind xx=x.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["`xx`", "Did you mean `x`"],
    ),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set b=1 --out y=o.npy", 1, &["`b`", "`a`"]),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --out y=o.npy", 1, &["`--set a=…` (`f32`)"]),
    ("run saxpy.wgsl --set a=1 --bind x=x.npy", 1, &["`--bind y=…` (`array<f32>`)"]),
    (
        "run params.wgsl --const TILE=2 --bind y=y.npy",
        1,
        &["`--set params.n=…` (`u32`)", "`--set params.h=…`"],
    ),
    (
        "run params.wgsl --bind y=y.npy --set params.n=1 --set params.h=1 --out y=o.npy",
        1,
        &["TILE", "`--const NAME=VALUE`"],
    ),
    ("run params.wgsl --const TILE=2 --bind y=y.npy --set params.m=1", 1, &["`m`", "`n`, `h`"]),
    (
        "run params.wgsl --const TILE=2 --bind y=y.npy --set params=1",
        1,
        &["`--set params=1`", "struct", "`.n`"],
    ),
    ("run params.wgsl --const TILES=2 --bind y=y.npy", 1, &["`TILES`", "`TILE`"]),
    (
        "run saxpy.wgsl --bind x=x.npy --bind x=y.npy --bind y=y.npy --set a=1",
        2,
        &["`--bind x=…` is given twice"],
    ),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --set a=2", 2, &["`--set a=…` is given twice"]),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set y=1 --set a=2", 2, &["`y`", "`--bind`"]),
    ("run saxpy.wgsl --bind x=x.npy --set y=1 --set a=2", 1, &["`y` is in storage", "`--bind y=y.npy`"]),
    // Values.
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=abc --out y=o.npy",
        1,
        &["`--set a=abc`", "`f32`"],
    ),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1e40 --out y=o.npy", 1, &["`1e40`", "`f32`"]),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1,2 --out y=o.npy",
        1,
        &["`--set a=1,2`", "one number"],
    ),
    (
        "run params.wgsl --const TILE=2 --bind y=y.npy --set params.n=3.5",
        1,
        &["`--set params.n=3.5`", "`u32`", "whole"],
    ),
    (
        "run params.wgsl --const TILE=2 --bind y=y.npy --set params.n=-1",
        1,
        &["`--set params.n=-1`", "0 to 4294967295"],
    ),
    ("run params.wgsl --const TILE=x --bind y=y.npy", 2, &["--const", "`x` is not a number"]),
    ("run params.wgsl --const TILE=-1 --bind y=y.npy", 1, &["`TILE: u32`", "-1"]),
    // Files.
    (
        "run saxpy.wgsl --bind x=double.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["x=double.npy", "f64", "float32"],
    ),
    (
        "run saxpy.wgsl --bind x=bools.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["bools.npy", "`|b1`", "uint32"],
    ),
    (
        "run saxpy.wgsl --bind x=short.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["short.npy", "cut short", "392"],
    ),
    (
        "run saxpy.wgsl --bind x=long.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["long.npy", "longer than"],
    ),
    (
        "run saxpy.wgsl --bind x=huge.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["huge.npy", "cut short"],
    ),
    (
        "run saxpy.wgsl --bind x=text.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["text.npy", "not a .npy file"],
    ),
    (
        "run saxpy.wgsl --bind x=none.npy --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["none.npy", "no such file"],
    ),
    ("run saxpy.wgsl --bind x=. --bind y=y.npy --set a=1 --out y=o.npy", 1, &["`.`", "folder"]),
    (
        "run saxpy.wgsl --bind x=ones:f32 --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["ones:f32", "ones:DTYPE:SHAPE"],
    ),
    ("run saxpy.wgsl --bind x=ones:f33:4 --bind y=y.npy --set a=1 --out y=o.npy", 1, &["`f33`", "f16, f32"]),
    (
        "run saxpy.wgsl --bind x=ones:f32:2^59 --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["ones:f32:2^59", "bytes"],
    ),
    (
        "run saxpy.wgsl --bind x=zeros:f32:2^59 --bind y=y.npy --set a=1 --out y=o.npy",
        1,
        &["zeros:f32:2^59", "bytes"],
    ),
    // WGSL.
    ("run broken.wgsl", 1, &["broken.wgsl:2:", "^"]),
    ("run invalid.wgsl", 1, &["invalid.wgsl:3:", "^"]),
    ("run vertex.wgsl", 1, &["vertex.wgsl", "no kernel"]),
    ("run binary.wgsl", 1, &["binary.wgsl", "UTF-8"]),
    ("run none.wgsl", 1, &["none.wgsl", "no such file"]),
    ("run two.wgsl", 1, &["`one`", "`two`", "--entry"]),
    ("run two.wgsl --entry three", 1, &["`three`", "`one`"]),
    ("run saxpy.wgsl --alias real=f33", 2, &["--alias", "`f33`"]),
    // Grids.
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o.npy --over nan",
        2,
        &["--over", "nan"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o.npy --over -3",
        2,
        &["--over", "negative"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o.npy --over 1e30",
        2,
        &["--over", "too large"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o.npy --over 2^31,2^31",
        1,
        &["--over", "larger"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o.npy --over @z",
        1,
        &["`--over @z`", "`x`"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --over 3 --workgroups 1",
        2,
        &["--over", "--workgroups"],
    ),
    ("run two.wgsl --entry one", 1, &["`--over NX,NY,NZ`"]),
    // Outputs.
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=none/o.npy",
        1,
        &["`--out y=none/o.npy`", "folder `none`"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out x=o.npy",
        1,
        &["`--out x=o.npy`", "writes `y`"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out a=o.npy",
        1,
        &["`--out a=o.npy`", "no array"],
    ),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out z=o.npy", 1, &["`z`"]),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o.npy --out y=./o.npy",
        2,
        &["two outputs"],
    ),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=.", 1, &["folder"]),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o_{step}.npy", 2, &["--every"]),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=./saxpy.wgsl",
        2,
        &["`--out y=./saxpy.wgsl`", "overwrite the WGSL"],
    ),
    (
        "run params.wgsl --with two.wgsl --entry k --const TILE=2 --bind y=y.npy --set params.n=1 --set params.h=1 \
         --out y=two.wgsl",
        2,
        &["overwrite the WGSL"],
    ),
    // Steps.
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --steps 4 --every 2 --out y=o.npy",
        2,
        &["{step}"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --steps 4 --every 8 --out y=o{step}.npy",
        2,
        &["nothing"],
    ),
    ("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --every 2 --out y=o{step}.npy", 2, &["--steps"]),
    (
        "run saxpy.wgsl --bind x=ones:f32:50 --bind y=y.npy --set a=1 --steps 4 --swap x,y --out y=o.npy",
        1,
        &["[50]"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --steps 4 --swap x,z --out y=o.npy",
        1,
        &["`z`"],
    ),
    (
        "run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --steps 0 --out y=o.npy",
        2,
        &["--steps", "at least 1"],
    ),
    // Flags.
    ("run saxpy.wgsl --blind x=x.npy --out y=o.npy", 2, &["--blind", "--bind"]),
    ("run", 2, &["KERNEL.wgsl"]),
    ("", 2, &["run, explain"]),
    ("rum saxpy.wgsl", 2, &["rum", "run"]),
    ("run saxpy.wgsl --bind x --out y=o.npy", 2, &["--bind", "NAME=VALUE"]),
    ("run saxpy.wgsl --on tpu --out y=o.npy", 2, &["--on", "`tpu`"]),
    ("run saxpy.wgsl --threads 0 --out y=o.npy", 2, &["--threads"]),
    ("bench nothing", 2, &["`nothing`", "triad"]),
    ("bench --sizes 9..8", 2, &["--sizes", "backwards"]),
    ("bench --budget never", 2, &["--budget", "`never`"]),
    ("bench --budget -1s", 2, &["--budget", "`-1s`"]),
    ("bench --sizes -2", 2, &["--sizes", "negative"]),
    ("bench --json none/r.json", 1, &["`--json none/r.json`", "folder `none`"]),
];

#[test]
fn every_mistake_is_told_and_touches_nothing() {
    let folder = folder();
    let before = folder.names();
    for (line, code, parts) in MISTAKES {
        let ended = folder.run(line);
        let text = &ended.stderr;
        assert_eq!(ended.code, Some(*code), "{line}: {ended:?}");
        assert_eq!(ended.stdout, "", "{line}");
        assert!(text.starts_with("error: ") && text.matches("error: ").count() == 1, "{line}: {text}");
        for part in *parts {
            assert!(text.contains(part), "{line}\n{text}\ndoes not name {part:?}");
        }
        for never in ["panicked", "backtrace", "a bug of"] {
            assert!(!text.contains(never), "{line}: {text}");
        }
        assert_eq!(folder.names(), before, "{line}");
    }
}

#[test]
fn a_gpu_that_is_not_there_is_told_with_what_is() {
    let folder = folder();
    let found: serde_json::Value = serde_json::from_str(&folder.good("devices --json")).unwrap();
    let gpus = found["devices"].as_array().unwrap().iter().filter(|d| d["kind"] == "gpu").count();
    // Beyond the last GPU there is none, on any machine.
    let on = if gpus == 0 { "gpu".to_string() } else { format!("gpu:{gpus}") };
    let ended = folder
        .run(&format!("run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=1 --out y=o.npy --on {on}"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("GPU") && ended.stderr.contains("(cpu)"), "{ended:?}");
    assert!(!exists(&folder, "o.npy"));
}

#[test]
fn a_kernel_that_fails_leaves_the_old_output() {
    let folder = folder();
    folder.write("o.npy", "what was there");
    let ended = folder.run("run saxpy.wgsl --bind x=double.npy --bind y=y.npy --set a=1 --out y=o.npy");
    assert_eq!(ended.code, Some(1));
    assert_eq!(std::fs::read_to_string(folder.path("o.npy")).unwrap(), "what was there");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_is_told() {
    use std::process::Command;
    let folder = folder();
    let before = folder.names();
    // At most 8 blocks of 512 or 1024 bytes.
    let line = "ulimit -f 8; exec \"$0\" run saxpy.wgsl --bind x=ones:f32:2^16 --bind y=ones:f32:2^16 --set a=1 \
                --out y=o.npy --on cpu";
    let ended = Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_warpweft")])
        .env("WARPWEFT_CACHE_DIR", folder.path("cache"))
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("`o.npy`: a file may not be that large here"), "{stderr}");
    assert_eq!(folder.names(), before);
}

#[test]
fn help_teaches() {
    let folder = Folder::new();
    for (line, parts) in [
        ("--help", &["devices", "calibrate", "run", "explain", "bench", "Examples:"][..]),
        ("run --help", &["zeros:DTYPE:SHAPE", "--steps 1000 --swap src,dst", "Exit code"]),
        ("bench --help", &["round trip", "--sizes"]),
        ("--version", &["warpweft 0."]),
    ] {
        let text = folder.good(line);
        for part in parts {
            assert!(text.contains(part), "{line}: {part}");
        }
    }
}
