//! Moves between vector registers and the stack, as bytes: what crowded programs consist of by half.
//!
//! Says the same as the general encoder, of which it knows nothing, in a tenth of the time.

use crate::program::Length;

/// The bytes of an instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    bytes: [u8; 11],
    length: usize,
}

impl Short {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

/// `vmovaps` of a whole register from or to the stack pointer plus some bytes.
pub(crate) fn vector_move(register: usize, length: Length, displacement: i32, store: bool) -> Short {
    let mut code = Short { bytes: [0; 11], length: 0 };
    let register = register as u8;
    let clear = |bit: u8| u8::from(register >> bit & 1 == 0);
    let opcode = if store { 0x29 } else { 0x28 };
    // What a displacement of one byte counts: EVEX has it in vectors.
    let unit = if length == Length::Z || register >= 16 {
        let lengths = (length as u8) << 5 | 0x08;
        code.push(&[0x62, clear(3) << 7 | 0x60 | clear(4) << 4 | 0x01, 0x7c, lengths, opcode]);
        length.bytes() as i32
    } else {
        code.push(&[0xc5, clear(3) << 7 | 0x78 | (length as u8) << 2, opcode]);
        1
    };
    // A base of rsp takes a byte of its own, 0x24.
    let place = (register & 7) << 3 | 4;
    match i8::try_from(displacement / unit) {
        _ if displacement == 0 => code.push(&[place, 0x24]),
        Ok(short) if displacement % unit == 0 => code.push(&[0x40 | place, 0x24, short as u8]),
        _ => {
            code.push(&[0x80 | place, 0x24]);
            code.push(&displacement.to_le_bytes());
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions, Encoder, Register};

    #[test]
    fn the_decoder_reads_what_is_meant() {
        let displacements =
            [0, 1, 8, 16, 32, 64, 96, 127, 128, 992, 4064, 4096, 8128, 8192, 100_000, -64, -8192];
        for number in 0..32 {
            for length in [Length::X, Length::Y, Length::Z] {
                for displacement in displacements {
                    for store in [false, true] {
                        let short = vector_move(number, length, displacement, store);
                        let mut read = Decoder::new(64, short.as_slice(), DecoderOptions::NONE).decode();
                        let register = crate::encode::register(length.view(), number);
                        assert_eq!(read.len(), short.as_slice().len(), "{short:02x?}");
                        assert_eq!(read.op_register(u32::from(store)), register, "{short:02x?}");
                        assert_eq!(read.memory_base(), Register::RSP);
                        assert_eq!(read.memory_index(), Register::None);
                        assert_eq!(read.memory_displacement64(), displacement as i64 as u64, "{short:02x?}");
                        assert_eq!(read.mnemonic(), iced_x86::Mnemonic::Vmovaps);
                        // Nor is there a shorter way.
                        read.set_memory_displ_size(u32::from(displacement != 0));
                        let mut encoder = Encoder::new(64);
                        let size = encoder.encode(&read, 0).expect("a valid instruction");
                        assert_eq!(size, short.as_slice().len());
                        assert_eq!(encoder.take_buffer(), short.as_slice());
                    }
                }
            }
        }
    }
}
