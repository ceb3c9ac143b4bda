//! Every problem against the interpreter, and what the data says of the WGSL against the WGSL.

use std::collections::HashSet;

use warpweft::prelude::*;
use warpweft_problems::{ALL, Problem, Scale, Words};

fn run(rt: &Runtime, problem: &Problem) -> Vec<Words> {
    let words = |words: &Words| match words {
        Words::F32(words) => rt.buffer(words.clone()).unwrap().erase(),
        Words::U32(words) => rt.buffer(words.clone()).unwrap().erase(),
    };
    let arrays: Vec<_> = problem.arrays.iter().map(|(_, content)| words(content)).collect();
    let module = rt.module(problem.source).unwrap();
    for pass in &problem.passes {
        let kernel = module.kernel(pass.entry).unwrap();
        assert_eq!(kernel.interface().workgroup_size, pass.workgroup_size, "{}", problem.name);
        let mut launch = kernel.launch().workgroups(pass.workgroups.map(u64::from));
        for (name, array) in &pass.bindings {
            launch = launch.bind(name, &arrays[*array]);
        }
        for name in &pass.values {
            let (_, bytes) = problem.values.iter().find(|(n, _)| n == name).unwrap();
            launch = launch.set_bytes(name, bytes);
        }
        launch.run().unwrap_or_else(|e| panic!("{}: {e}", problem.name));
    }
    let result = |array: usize| {
        let bytes = arrays[array].read_bytes().unwrap();
        match problem.arrays[array].1 {
            Words::F32(_) => Words::F32(bytemuck::pod_collect_to_vec(&bytes)),
            Words::U32(_) => Words::U32(bytemuck::pod_collect_to_vec(&bytes)),
        }
    };
    problem.outputs.iter().map(|output| result(output.array)).collect()
}

#[test]
fn kernels_compute_what_is_expected_of_them() {
    let rt = Runtime::builder().gpu(false).build().unwrap();
    for case in ALL {
        let problem = case.problem(Scale::Tiny, 7);
        assert_eq!(problem.name, case.name);
        let results = run(&rt, &problem);
        problem.judge(&results).unwrap_or_else(|wrong| panic!("{}: {wrong}", case.name));
        // Nothing was right already.
        let before: Vec<Words> =
            problem.outputs.iter().map(|output| problem.arrays[output.array].1.clone()).collect();
        assert!(problem.judge(&before).is_err(), "{}", case.name);
    }
}

#[test]
fn every_kernel_says_what_it_costs_and_where_it_ends() {
    for case in ALL {
        let problem = case.problem(Scale::Tiny, 1);
        let comment = |line: &&str| line.starts_with("//");
        let header = problem.source.lines().take_while(comment).collect::<Vec<_>>().join("\n");
        for part in ["Cost for each", "Limits:"] {
            assert!(header.contains(part), "{} says nothing of `{part}`", case.name);
        }
        assert!(problem.bytes > 0.0 && problem.flops >= 0.0);
    }
}

#[test]
fn names_differ_and_inputs_follow_the_seed() {
    let names: HashSet<&str> = ALL.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), ALL.len());
    for case in ALL {
        let [a, b, c] = [1, 1, 2].map(|seed| {
            let problem = case.problem(Scale::Tiny, seed);
            (problem.arrays, problem.values)
        });
        assert!(a == b && a != c, "{}", case.name);
    }
}
