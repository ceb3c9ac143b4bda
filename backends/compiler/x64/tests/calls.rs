//! Calls: whatever lives over one is as it was, and memory is as the callee left it.

mod common;
#[path = "../../vector/tests/programs/calls.rs"]
mod programs;

use common::{Memory, call, generate, levels};
use warpweft_executable::Executable;
use warpweft_vector::ir::Kind;
use warpweft_vector::{Evaluation, MachineCode, link};

#[test]
fn what_lives_over_a_call_is_kept() {
    for lanes in [1, 4, 8, 16, 32] {
        let functions = programs::functions(lanes);
        let words: Vec<u64> =
            (0..20 * u64::from(lanes).max(8) + 64).map(|word| word * 0x9e37_79b9 % 1009).collect();
        let memories = [Memory::of(Kind::I32, &words), Memory::zeros(Kind::I32, 256)];
        let mut evaluation = Evaluation::new();
        functions[1..].iter().for_each(|function| _ = evaluation.add(function.clone()));
        let [x, y] = [0, 1].map(|n: usize| evaluation.map(memories[n].bytes.clone()));
        evaluation.run(&functions[0], &[x, y, 7]).unwrap();
        for level in levels() {
            let codes: Vec<MachineCode> =
                functions.iter().map(|function| generate(function, level)).collect();
            assert_eq!(codes[0].calls.len(), 2);
            let code = Executable::new(&link(&codes).unwrap()).unwrap();
            let mut native = memories.clone().map(|memory| memory.bytes);
            let [x, y] = native.each_mut().map(|bytes| bytes.as_mut_ptr() as u64);
            call(&code, &[x, y, 7]);
            for (space, bytes) in native.iter().enumerate() {
                assert!(bytes == evaluation.memory(space), "{level:?}, {lanes} lanes, memory {space}");
            }
        }
    }
}
