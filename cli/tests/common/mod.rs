//! What the tests share: a folder of their own, the binary run in it, and .npy files written and read by hand.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

pub const SAXPY: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> a: f32;
@compute @workgroup_size(64) fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = a * x[id.x] + y[id.x];
}";

/// A folder that goes when it is dropped.
pub struct Folder(TempDir);

/// What a run of the binary left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Writes an array: `descr` is numpy's type string, `shape` the text of a Python tuple.
    pub fn npy(&self, name: &str, descr: &str, shape: &str, data: &[u8]) {
        self.write(name, npy(descr, shape, data));
    }

    pub fn f32s(&self, name: &str, data: &[f32]) {
        self.npy(name, "<f4", &format!("({},)", data.len()), &bytes(data));
    }

    /// The header's dictionary without its padding, and the data.
    pub fn read(&self, name: &str) -> (String, Vec<u8>) {
        let file = std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(file[..8], *b"\x93NUMPY\x01\x00", "{name}");
        let data = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
        assert_eq!(data % 64, 0, "numpy aligns the data");
        (String::from_utf8(file[10..data].to_vec()).unwrap().trim().to_string(), file[data..].to_vec())
    }

    pub fn read_f32s(&self, name: &str) -> Vec<f32> {
        let (header, data) = self.read(name);
        assert!(header.contains("'<f4'"), "{header}");
        data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "cache")
            .collect();
        names.sort();
        names
    }

    /// Runs the binary in the folder; the arguments are separated by spaces.
    pub fn run(&self, line: &str) -> Ended {
        self.run_with(line, |_| {})
    }

    pub fn run_with(&self, line: &str, change: impl FnOnce(&mut Command)) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warpweft"));
        command.args(line.split_whitespace()).current_dir(self.0.path());
        command
            .env("WARPWEFT_CACHE_DIR", self.path("cache"))
            .env_remove("WARPWEFT_LOG")
            .env_remove("WARPWEFT_CPU")
            .env("RUST_BACKTRACE", "1");
        change(&mut command);
        let output = command.output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: said(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// Runs the binary and expects it to be fine.
    pub fn good(&self, line: &str) -> String {
        let ended = self.run(line);
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
        ended.stdout
    }

    /// As [`good`](Self::good), with `--json`.
    pub fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.good(&format!("{line} --json"))).unwrap()
    }
}

/// Without what a driver's libraries print by themselves where there is no desktop.
fn said(stderr: &str) -> String {
    stderr.lines().filter(|line| !line.contains("XDG_RUNTIME_DIR")).collect::<Vec<_>>().join("\n")
}

pub fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

pub fn bytes<T: bytemuck::Pod>(data: &[T]) -> Vec<u8> {
    bytemuck::cast_slice(data).to_vec()
}

pub fn exists(folder: &Folder, name: &str) -> bool {
    Path::new(&folder.path(name)).exists()
}

/// The placements to test on: the CPU and a software device, without which this fails.
pub fn placements(folder: &Folder) -> [&'static str; 2] {
    let found: Value = serde_json::from_str(&folder.good("devices --json")).unwrap();
    let kinds: Vec<&str> =
        found["devices"].as_array().unwrap().iter().filter_map(|d| d["kind"].as_str()).collect();
    assert!(
        kinds.contains(&"software"),
        "no software device was found: run scripts/test, which installs one"
    );
    ["cpu", "software"]
}
