//! Machine code as text.
//!
//! Knows how to read what was encoded; nothing of where it came from but the marks.

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};
use warpweft_vector::MachineCode;

/// One instruction a line, with its offset; where the mark changes, a line `@mark` comes first. Constants are left out.
pub fn listing(code: &MachineCode) -> String {
    let mut text = String::new();
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_space_after_operand_separator(true);
    formatter.options_mut().set_rip_relative_addresses(true);
    formatter.options_mut().set_branch_leading_zeros(false);
    let mut marks = code.marks.iter().peekable();
    for instruction in Decoder::with_ip(64, &code.bytes[..code.code], 0, DecoderOptions::NONE).iter() {
        while let Some((_, mark)) = marks.next_if(|(at, _)| u64::from(*at) <= instruction.ip()) {
            text.push_str(&format!("@{}\n", mark.0));
        }
        text.push_str(&format!("{:6x}  ", instruction.ip()));
        formatter.format(&instruction, &mut text);
        text.push('\n');
    }
    text
}
