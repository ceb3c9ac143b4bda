//! Lanes of two vectors brought together, by numbers that are known.
//!
//! Each register of the result is put together from those that it takes lanes from, one after the other. AVX-512 takes
//! lanes of any two registers at once; AVX2 moves lanes within a register, and blends. Numbers of lanes are read where
//! they are used: there are too many of them to keep in registers. What an instruction does without numbers is left to it.
//! Knows nothing of what lanes mean.

use regalloc2::VReg;
use warpweft_vector::ir::{Type, Value};

use super::vector::lanes;
use super::{Lower, Parts, Selected, Shape};
use crate::opcodes::V;
use crate::program::{Action, Address, Length, Rm};

/// Lanes of one register of the result: the source of each, by number, and the lane in it.
type Wanted = Vec<(usize, u8)>;

impl Lower<'_> {
    pub(super) fn shuffle(&mut self, a: Value, b: Value, from: &[u8], ty: Type) -> Selected<Parts> {
        let shape = self.shape(ty);
        let size = ty.kind.size() as usize;
        let mut result = Parts::new();
        for from in from.chunks(shape.lanes as usize) {
            let lanes = shape.lanes as u8;
            let wanted: Wanted = from.iter().map(|&lane| (usize::from(lane / lanes), lane % lanes)).collect();
            let mut sources: Vec<usize> = wanted.iter().map(|&(source, _)| source).collect();
            sources.sort_unstable();
            sources.dedup();
            let mut registers = Vec::with_capacity(sources.len());
            for (place, &source) in sources.iter().enumerate() {
                let (value, part) =
                    if source < shape.parts { (a, source) } else { (b, source - shape.parts) };
                // The last one can stay in memory, where nothing else asks for it.
                let last = place > 0 && place + 1 == sources.len() && shape.parts == 1 && self.wide();
                registers.push(if last {
                    self.rm(value, part, false)?
                } else {
                    Rm::Reg(self.reg(value, part)?)
                });
            }
            let in_turn = self.in_turn(&sources, &registers, &wanted, shape.length, size);
            result.push(if let Some(whole) = in_turn {
                whole
            } else if self.wide() {
                self.chosen_wide(&sources, &registers, &wanted, shape, ty)
            } else {
                self.chosen_narrow(&sources, &registers, &wanted, shape, size)
            });
        }
        Ok(result)
    }

    /// Of each 16 bytes the lower halves of two registers, or the upper ones: lane by lane in turn, or 8 bytes by 8 bytes.
    fn in_turn(
        &mut self,
        sources: &[usize],
        registers: &[Rm],
        wanted: &Wanted,
        length: Length,
        size: usize,
    ) -> Option<VReg> {
        let (&[first, second], &[a, b]) = (sources, registers) else { return None };
        let piece = 16 / size;
        let (lead, start) = wanted[0];
        let (start, other) = (usize::from(start), first + second - lead);
        let turn = if wanted[1].0 == lead { 2 } else { 1 };
        let fits = |(place, &(source, lane)): (usize, &(usize, u8))| {
            let within = place % piece;
            let own = if (within / turn).is_multiple_of(2) { lead } else { other };
            source == own
                && usize::from(lane) == place - within + start + within / (2 * turn) * turn + within % turn
        };
        if 2 * turn > piece || ![0, piece / 2].contains(&start) || !wanted.iter().enumerate().all(fits) {
            return None;
        }
        let v = match (turn * size, start) {
            (4, 0) => V::PunpckLoD,
            (4, _) => V::PunpckHiD,
            (_, 0) => V::PunpckLoQ,
            _ => V::PunpckHiQ,
        };
        let (a, b) = if lead == first { (a, b) } else { (b, a) };
        let a = match a {
            Rm::Reg(register) => register,
            memory => self.v2(V::MovuPs, length, memory),
        };
        Some(self.v3(v, length, a, b))
    }

    /// AVX-512: two registers at a time.
    fn chosen_wide(
        &mut self,
        sources: &[usize],
        registers: &[Rm],
        wanted: &Wanted,
        shape: Shape,
        ty: Type,
    ) -> VReg {
        let size = ty.kind.size() as usize;
        let view = shape.length.view();
        let mut whole = match registers[0] {
            Rm::Reg(register) => register,
            memory => self.v2(V::MovuPs, shape.length, memory),
        };
        if sources.len() == 1 {
            return self.within(whole, wanted, shape.length, size);
        }
        let table = (shape.length.bytes() as usize / size) as u8;
        for (step, &register) in registers.iter().enumerate().skip(1) {
            let numbers: Vec<u8> = (0..)
                .zip(wanted)
                .map(|(place, &(source, lane))| match source {
                    _ if source == sources[step] => table + lane,
                    // The first step puts the first source's lanes into their places too.
                    _ if step == 1 && source == sources[0] => lane,
                    _ => place,
                })
                .collect();
            let numbers = self.numbers(&numbers, shape.length, size);
            let result = self.vec();
            let action = Action::Vector(lanes!(ty.kind, Permi2D, Permi2Q), shape.length);
            self.p.build(action).tied(result, numbers, view).uses(whole, view).rm(register, view).finish();
            whole = result;
        }
        whole
    }

    /// AVX2: lanes are brought into their places, then blended.
    fn chosen_narrow(
        &mut self,
        sources: &[usize],
        registers: &[Rm],
        wanted: &Wanted,
        shape: Shape,
        size: usize,
    ) -> VReg {
        let registers: Vec<VReg> = registers
            .iter()
            .map(|&register| match register {
                Rm::Reg(register) => register,
                memory => self.v2(V::MovuPs, shape.length, memory),
            })
            .collect();
        if let Some(whole) = self.pieces(sources, &registers, wanted, shape.length, size) {
            return whole;
        }
        if let Some(whole) = self.halves(sources, &registers, wanted, shape, size) {
            return whole;
        }
        let mut whole = None;
        for (&source, &register) in sources.iter().zip(&registers) {
            // Lanes of other sources may be anything: where they are already is least work.
            let own: Wanted = (0..)
                .zip(wanted)
                .map(|(place, &(of, lane))| if of == source { (0, lane) } else { (0, place) })
                .collect();
            let moved = self.within(register, &own, shape.length, size);
            whole = Some(match whole {
                None => moved,
                Some(before) => {
                    let words = size / 4;
                    let mut taken = 0u8;
                    for (place, _) in wanted.iter().enumerate().filter(|(_, (of, _))| *of == source) {
                        taken |= ((1 << words) - 1) << (place * words);
                    }
                    self.v3i(V::Pblendd, shape.length, before, moved, taken)
                }
            });
        }
        whole.unwrap_or(registers[0])
    }

    /// AVX2: two pieces of 16 bytes.
    fn pieces(
        &mut self,
        sources: &[usize],
        registers: &[VReg],
        wanted: &Wanted,
        length: Length,
        size: usize,
    ) -> Option<VReg> {
        let (&[first, _], &[a, b]) = (sources, registers) else { return None };
        if length != Length::Y {
            return None;
        }
        let piece = 16 / size;
        let mut order = 0;
        for (at, wanted) in wanted.chunks(piece).enumerate() {
            let (source, start) = wanted[0];
            let whole = (start..).zip(wanted).all(|(place, &(of, lane))| (of, lane) == (source, place));
            if usize::from(start) % piece != 0 || !whole {
                return None;
            }
            let half = start / piece as u8 + if source == first { 0 } else { 2 };
            order |= half << (4 * at);
        }
        Some(self.v3i(V::Perm2X128, Length::Y, a, b, order))
    }

    /// AVX2, 8 lanes of 32 bits: the same two lanes of each half of two registers.
    fn halves(
        &mut self,
        sources: &[usize],
        registers: &[VReg],
        wanted: &Wanted,
        shape: Shape,
        size: usize,
    ) -> Option<VReg> {
        let (&[first, second], &[a, b]) = (sources, registers) else { return None };
        if shape.length != Length::Y || size != 4 || wanted.len() != 8 {
            return None;
        }
        let mut order = 0;
        for (at, quarter) in [(0, first), (4, second)] {
            for place in at..at + 2 {
                let (source, lane) = wanted[place];
                if source != quarter || lane >= 4 || wanted[place + 2] != (quarter, lane + 4) {
                    return None;
                }
                order |= lane << (2 * (place - at / 2));
            }
        }
        let mixed = self.v3i(V::ShufPs, Length::Y, a, b, order);
        Some(self.v2i(V::PermQI, Length::Y, mixed, 0xd8))
    }

    /// Lanes of one register.
    fn within(&mut self, register: VReg, wanted: &Wanted, length: Length, size: usize) -> VReg {
        if (0..).zip(wanted).all(|(place, &(_, lane))| lane == place) {
            return register;
        }
        let order = |bits: u8| {
            (0..).zip(wanted).fold(0u8, |order, (place, &(_, lane))| order | lane << (place * bits))
        };
        match (length, size) {
            (Length::X, 4) => self.v2i(V::PshufD, Length::X, register, order(2)),
            (Length::X, _) => {
                let order = (0..).zip(wanted).fold(0u8, |order, (place, &(_, lane))| {
                    let pair = if lane == 0 { 0b0100 } else { 0b1110 };
                    order | pair << (place * 4)
                });
                self.v2i(V::PshufD, Length::X, register, order)
            }
            (Length::Y, 8) => self.v2i(V::PermQI, Length::Y, register, order(2)),
            _ => {
                let lanes: Vec<u8> = wanted.iter().map(|&(_, lane)| lane).collect();
                let numbers = self.numbers(&lanes, length, size);
                let v = if size == 8 { V::PermQ } else { V::PermD };
                self.v3(v, length, numbers, register)
            }
        }
    }

    /// Numbers of lanes in a register.
    fn numbers(&mut self, numbers: &[u8], length: Length, size: usize) -> VReg {
        let mut bytes = vec![0; length.bytes() as usize];
        for (place, &number) in numbers.iter().enumerate() {
            bytes[place * size] = number;
        }
        let address = Address::pool(self.p.pool.constant(&bytes), false);
        self.v2(V::MovuPs, length, Rm::Mem(address))
    }
}
