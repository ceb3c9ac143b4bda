//! File tests: each of `tests/files/*.vec` names a stage, holds a function, and what the stage makes of it.
//!
//! The first line is `; test: STAGE`, what is expected stands behind a line `; ---`. `WARPWEFT_BLESS=1` writes down what
//! the stages give instead of comparing. Functions that come out must be valid, and leave the same in memory as what went
//! in: see `runs_alike`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use warpweft_vector::ir::{Access, Effect, Function, Kind, Op, Type, Width};
use warpweft_vector::passes::{self, Options, Room};
use warpweft_vector::{Builder, Evaluation, verify};

const STAGES: [&str; 20] = [
    "parse",
    "parse-error",
    "verify-error",
    "simplify",
    "dce",
    "licm",
    "sink",
    "rotate",
    "induce",
    "overwritten",
    "unread",
    "demand",
    "strides",
    "strides-32",
    "unroll",
    "contract",
    "renumber",
    "schedule",
    "pipeline",
    "pipeline-strict",
];

const END: &str = "; ---\n";

fn pass(stage: &str, mut function: Function) -> Function {
    match stage {
        "simplify" => return passes::simplify(function),
        "pipeline" => {
            return passes::pipeline(function, Options { contract: true, register: 16, registers: 16 });
        }
        "pipeline-strict" => {
            return passes::pipeline(function, Options { contract: false, register: 16, registers: 16 });
        }
        "parse" => {}
        "dce" => passes::dce(&mut function),
        "licm" => _ = passes::licm(&mut function),
        "sink" => passes::sink(&mut function),
        "rotate" => _ = passes::rotate(&mut function),
        "unroll" => _ = passes::unroll(&mut function, 16),
        "strides" => _ = passes::strides(&mut function, 16),
        "strides-32" => _ = passes::strides(&mut function, 32),
        "induce" => _ = passes::induce(&mut function),
        "overwritten" => _ = passes::overwritten(&mut function),
        "unread" => _ = passes::unread(&mut function),
        "demand" => _ = passes::demand(&mut function),
        "contract" => _ = passes::contract(&mut function),
        "renumber" => passes::renumber(&mut function),
        "schedule" => {
            passes::schedule(&mut function, Room { vectors: 8, masks: None, parts: 1 });
        }
        _ => panic!("there is no stage `{stage}`"),
    }
    function
}

fn comment(text: &str) -> String {
    text.lines().map(|line| format!("; {line}\n")).collect()
}

/// What a stage makes of a text.
fn output(stage: &str, input: &str) -> Result<String, String> {
    match (stage, Function::parse(input)) {
        ("parse-error", Err(error)) => Ok(comment(&error.to_string())),
        ("parse-error", Ok(_)) => Err("it was expected not to parse".into()),
        ("verify-error", Ok(function)) => match verify(&function) {
            Err(error) => Ok(comment(&error.to_string())),
            Ok(()) => Err("it was expected not to be valid".into()),
        },
        (_, Err(error)) => Err(error.to_string()),
        (_, Ok(function)) => {
            verify(&function).map_err(|error| format!("input: {error}"))?;
            let after = pass(stage, function.clone());
            verify(&after).map_err(|error| format!("output: {error}\n{after}"))?;
            runs_alike(&function, &after)?;
            let text = after.to_string();
            let again = Function::parse(&text).map_err(|error| format!("output: {error}\n{text}"))?;
            if again.to_string() != text {
                return Err(format!("the output does not read back:\n{text}"));
            }
            Ok(text)
        }
    }
}

/// What functions call.
fn callee(caller: &Function) -> Function {
    let mut b = Builder::new("callee", caller.lanes);
    for space in &caller.spaces {
        let base = b.param(Kind::I64);
        let space = (b.space(&space.name, space.constant), space.constant);
        let at = Access {
            base,
            index: None,
            scale: 1,
            offset: 0,
            space: space.0,
            width: Width::Full,
            always: false,
        };
        if !space.1 {
            let one = b.i32(1);
            let before = b.define(Type::scalar(Kind::I32), Op::Load(at));
            let after = b.add(before, one);
            b.act(Effect::Store(at, after));
        }
    }
    b.yields(&[]);
    b.finish()
}

/// Runs both with a memory of 4 KiB for each space, where whole numbers up to 8 lie. The first parameters are the
/// addresses of the spaces, all others are 5. What is called takes those addresses and adds one to the first number of
/// each memory. What is in a space that is fleeting does not count.
fn runs_alike(before: &Function, after: &Function) -> Result<(), String> {
    let run = |function: &Function| {
        let mut evaluation = Evaluation::new();
        evaluation.steps = 1_000_000;
        let mut arguments = vec![];
        for (index, space) in function.spaces.iter().enumerate() {
            let number = |at: u32| {
                let number = (at + index as u32) * 7 % 9;
                if space.name.starts_with('f') { (number as f32).to_bits() } else { number }
            };
            arguments.push(evaluation.map((0..1024).flat_map(|at| number(at).to_le_bytes()).collect()));
        }
        arguments.resize(function.params.len(), 5);
        if function.params.iter().any(|&param| function.ty(param) != Type::scalar(Kind::I64)) {
            return Err("parameters are i64".into());
        }
        evaluation.add(callee(function));
        evaluation.run(function, &arguments).map_err(|error| format!("{error}\n{function}"))?;
        Ok::<Vec<Vec<u8>>, String>(
            (0..function.spaces.len())
                .filter(|&space| !function.spaces[space].fleeting)
                .map(|space| evaluation.memory(space).into())
                .collect(),
        )
    };
    if run(before)? == run(after)? { Ok(()) } else { Err(format!("results differ with\n{after}")) }
}

#[test]
fn files() {
    let bless = std::env::var_os("WARPWEFT_BLESS").is_some_and(|value| value == "1");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    let mut missing: BTreeSet<&str> = STAGES.into_iter().collect();
    let mut failures = vec![];
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let stage =
            text.lines().next().and_then(|line| line.strip_prefix("; test: ")).unwrap_or_default().to_owned();
        missing.remove(stage.as_str());
        let (input, expected) = text.split_once(END).unwrap_or((&text, ""));
        match output(&stage, input) {
            Err(what) => failures.push(format!("{name}: {what}")),
            Ok(output) if output == expected => {}
            Ok(output) if bless => {
                std::fs::write(&path, format!("{input}{END}{output}")).expect("writable");
            }
            Ok(output) => failures.push(format!("{name}: expected\n{expected}but found\n{output}")),
        }
    }
    assert!(failures.is_empty(), "{}\n(WARPWEFT_BLESS=1 writes down what there is)", failures.join("\n"));
    assert!(missing.is_empty(), "no file tests {missing:?}");
}
