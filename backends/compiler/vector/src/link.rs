//! The machine code of several functions that call each other, as one.
//!
//! Knows where calls say what they call; nothing of what functions do.

use crate::ir::Mark;
use crate::machine::{CallForm, CallSite, MachineCode, Refusal};

/// The stack belongs to the caller: all functions of the longest chain of calls together take no more bytes of it.
const MOST_STACK: u64 = 512 << 10;

/// Where each function starts: at a multiple of so many bytes.
const ALIGNMENT: usize = 64;

/// Puts functions one behind the other, the first of which is called from outside; `Effect::Call(n)` is the function
/// that comes `n` places behind the first.
///
/// # Errors
/// When a function calls one that is not there, or itself; when the longest chain of calls needs more stack than is
/// good, or when all of them are too large for calls to reach.
pub fn link(functions: &[MachineCode]) -> Result<Vec<u8>, Refusal> {
    let mut starts = Vec::with_capacity(functions.len());
    let mut bytes = vec![];
    for function in functions {
        bytes.resize(usize::next_multiple_of(bytes.len(), ALIGNMENT), 0);
        starts.push(bytes.len());
        bytes.extend_from_slice(&function.bytes);
    }
    for (function, &start) in functions.iter().zip(&starts) {
        for call in &function.calls {
            let at = start + call.at as usize;
            let Some(&to) = starts.get(call.function as usize + 1) else {
                return Err(refusal(format!("a call of function {}, which is not there", call.function)));
            };
            fill_in(&mut bytes, at, to, call).ok_or_else(|| refusal("calls that do not reach".into()))?;
        }
    }
    // What one function alone may take is its generator's business.
    let mut depths = vec![None; functions.len()];
    if functions.len() < 2 || deepest(functions, 0, &mut depths)? <= MOST_STACK {
        return Ok(bytes);
    }
    Err(refusal(format!("calls that take more than {} KiB of stack", MOST_STACK >> 10)))
}

fn fill_in(bytes: &mut [u8], at: usize, to: usize, call: &CallSite) -> Option<()> {
    let field: &mut [u8; 4] = bytes.get_mut(at..at + 4)?.try_into().ok()?;
    let (at, to) = (i64::try_from(at).ok()?, i64::try_from(to).ok()?);
    *field = match call.form {
        CallForm::Distance => i32::try_from(to - (at + 4)).ok()?.to_le_bytes(),
        CallForm::Instructions => {
            const BITS: u32 = 26;
            let distance =
                i32::try_from((to - at) / 4).ok().filter(|far| (-(1 << 25)..1 << 25).contains(far))?;
            let opcode = u32::from_le_bytes(*field) >> BITS << BITS;
            (opcode | distance as u32 & ((1 << BITS) - 1)).to_le_bytes()
        }
    };
    Some(())
}

/// What is known of the stack that a function takes.
#[derive(Clone, Copy)]
enum Depth {
    Open,
    Bytes(u64),
}

/// Bytes of stack that a function takes with all that it calls.
fn deepest(functions: &[MachineCode], number: usize, depths: &mut [Option<Depth>]) -> Result<u64, Refusal> {
    match depths[number] {
        Some(Depth::Bytes(bytes)) => return Ok(bytes),
        Some(Depth::Open) => return Err(refusal("a function that calls itself".into())),
        None => depths[number] = Some(Depth::Open),
    }
    let mut below = 0;
    for call in &functions[number].calls {
        below = deepest(functions, call.function as usize + 1, depths)?.max(below);
    }
    let bytes = below + u64::from(functions[number].stack);
    depths[number] = Some(Depth::Bytes(bytes));
    Ok(bytes)
}

fn refusal(what: String) -> Refusal {
    Refusal { what, mark: Mark::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8], stack: u32, calls: &[(u32, u32, CallForm)]) -> MachineCode {
        let calls = calls.iter().map(|&(at, function, form)| CallSite { at, function, form }).collect();
        MachineCode { bytes: bytes.to_vec(), code: bytes.len(), stack, calls, ..MachineCode::default() }
    }

    #[test]
    fn calls_reach_forwards_and_backwards() {
        let main = code(&[0xe8, 0, 0, 0, 0], 8, &[(1, 1, CallForm::Distance)]);
        let first = code(&[0xc3; 70], 8, &[]);
        let second = code(&[0xe8, 0, 0, 0, 0], 8, &[(1, 0, CallForm::Distance)]);
        let linked = link(&[main, first, second]).unwrap();
        assert_eq!(linked.len(), 192 + 5);
        assert_eq!(linked[1..5], (192i32 - 5).to_le_bytes());
        assert_eq!(linked[193..197], (64i32 - 197).to_le_bytes());
    }

    #[test]
    fn aarch64_counts_instructions() {
        let bl = 0x9400_0000u32.to_le_bytes();
        let main = code(&bl, 16, &[(0, 1, CallForm::Instructions)]);
        let back = code(&bl, 16, &[(0, 0, CallForm::Instructions)]);
        let linked = link(&[main, code(&[0; 4], 0, &[]), back]).unwrap();
        assert_eq!(linked[..4], 0x9400_0020u32.to_le_bytes());
        assert_eq!(linked[128..132], 0x97ff_fff0u32.to_le_bytes());
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        let to = |function| code(&[0xe8, 0, 0, 0, 0], 8, &[(1, function, CallForm::Distance)]);
        let what = |functions: &[MachineCode]| link(functions).unwrap_err().what;
        assert_eq!(what(&[to(0)]), "a call of function 0, which is not there");
        assert_eq!(what(&[to(0), to(0)]), "a function that calls itself");
        let large = code(&[0xe8, 0, 0, 0, 0], 300 << 10, &[(1, 0, CallForm::Distance)]);
        assert_eq!(what(&[large, code(&[], 300 << 10, &[])]), "calls that take more than 512 KiB of stack");
    }
}
