//! Calls: whatever lives over one is as it was, and memory is as the callee left it.

#[path = "../../../vector/tests/programs/calls.rs"]
mod programs;

use warpweft_executable::Executable;
use warpweft_vector::{Evaluation, MachineCode, legalise, link};

#[test]
fn what_lives_over_a_call_is_kept() {
    for lanes in [1, 4, 8, 16] {
        let mut functions = programs::functions(lanes);
        let memories: [Vec<u32>; 2] =
            [(0..20 * u32::from(lanes).max(8) + 64).map(|word| word * 7919 % 1009).collect(), vec![0; 256]];
        let mut evaluation = Evaluation::new();
        functions[1..].iter().for_each(|function| _ = evaluation.add(function.clone()));
        let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let [x, y] = [0, 1].map(|n: usize| evaluation.map(bytes(&memories[n])));
        evaluation.run(&functions[0], &[x, y, 7]).unwrap();
        let target = warpweft_cranelift::Target::host().unwrap();
        let codes: Vec<MachineCode> = functions
            .iter_mut()
            .map(|function| {
                legalise::legalise(function, &target);
                #[cfg(feature = "cross")]
                warpweft_cranelift::listing_arm64(function)
                    .unwrap_or_else(|refusal| panic!("for aarch64: {}\n{function}", refusal.what));
                warpweft_cranelift::compile(function)
                    .unwrap_or_else(|refusal| panic!("{}\n{function}", refusal.what))
            })
            .collect();
        assert_eq!(codes[0].calls.len(), 2);
        assert!(codes.iter().all(|code| code.stack > 0));
        let code = Executable::new(&link(&codes).unwrap()).unwrap();
        let mut native = memories.clone();
        let [x, y] = native.each_mut().map(|words| words.as_mut_ptr() as u64);
        macro_rules! call {
            ($abi:literal) => {{
                // SAFETY: the code was generated as such a function; the evaluator found its accesses to be in order.
                let code: extern $abi fn(u64, u64, u64) = unsafe { std::mem::transmute(code.address()) };
                code(x, y, 7);
            }};
        }
        #[cfg(target_arch = "x86_64")]
        call!("sysv64");
        #[cfg(not(target_arch = "x86_64"))]
        call!("C");
        for (space, words) in native.iter().enumerate() {
            assert!(bytes(words) == evaluation.memory(space), "{lanes} lanes, memory {space}");
        }
    }
}
