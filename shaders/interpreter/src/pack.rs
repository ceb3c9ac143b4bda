//! WGSL's packing of small numbers into a `u32`, and the dot products on packed numbers, as column functions.
//!
//! Knows nothing of memory: packed words are ordinary `u32` values.

use crate::column::{Function, View, lanewise, map1, map2};
use half::f16;
use naga::MathFunction;

/// The function of a packing builtin.
pub(crate) fn function(fun: MathFunction) -> Option<Function> {
    use MathFunction as M;
    Some(match fun {
        M::Pack4x8snorm => |out, args| pack(out, args, |v: [f32; 4]| join8(v.map(|x| snorm(x, 127.0) as u8))),
        M::Pack4x8unorm => |out, args| pack(out, args, |v: [f32; 4]| join8(v.map(|x| unorm(x, 255.0) as u8))),
        M::Pack2x16snorm => {
            |out, args| pack(out, args, |v: [f32; 2]| join16(v.map(|x| snorm(x, 32767.0) as u16)))
        }
        M::Pack2x16unorm => {
            |out, args| pack(out, args, |v: [f32; 2]| join16(v.map(|x| unorm(x, 65535.0) as u16)))
        }
        M::Pack2x16float => {
            |out, args| pack(out, args, |v: [f32; 2]| join16(v.map(|x| f16::from_f32(x).to_bits())))
        }
        M::Pack4xI8 | M::Pack4xU8 => |out, args| pack(out, args, |v: [u32; 4]| join8(v.map(|x| x as u8))),
        M::Pack4xI8Clamp => {
            |out, args| pack(out, args, |v: [i32; 4]| join8(v.map(|x| x.clamp(-128, 127) as u8)))
        }
        M::Pack4xU8Clamp => |out, args| pack(out, args, |v: [u32; 4]| join8(v.map(|x| x.min(255) as u8))),
        M::Unpack4x8snorm => {
            |out, args| unpack(out, args, |w| bytes(w).map(|b| (f32::from(b as i8) / 127.0).max(-1.0)))
        }
        M::Unpack4x8unorm => |out, args| unpack(out, args, |w| bytes(w).map(|b| f32::from(b) / 255.0)),
        M::Unpack2x16snorm => {
            |out, args| unpack(out, args, |w| halves(w).map(|h| (f32::from(h as i16) / 32767.0).max(-1.0)))
        }
        M::Unpack2x16unorm => |out, args| unpack(out, args, |w| halves(w).map(|h| f32::from(h) / 65535.0)),
        M::Unpack2x16float => {
            |out, args| unpack(out, args, |w| halves(w).map(|h| f16::from_bits(h).to_f32()))
        }
        M::Unpack4xI8 => |out, args| unpack(out, args, |w| bytes(w).map(|b| i32::from(b as i8))),
        M::Unpack4xU8 => |out, args| unpack(out, args, |w| bytes(w).map(u32::from)),
        M::Dot4I8Packed => |out, args| {
            map2(out, args, |a: u32, b: u32| -> i32 {
                bytes(a).iter().zip(bytes(b)).map(|(&a, b)| i32::from(a as i8) * i32::from(b as i8)).sum()
            })
        },
        M::Dot4U8Packed => |out, args| {
            map2(out, args, |a: u32, b: u32| -> u32 {
                bytes(a).iter().zip(bytes(b)).map(|(&a, b)| u32::from(a) * u32::from(b)).sum()
            })
        },
        _ => return None,
    })
}

fn pack<A: crate::lane::Lane, const N: usize>(
    out: &mut [u32],
    args: &crate::column::Args<'_>,
    f: impl Fn([A; N]) -> u32,
) {
    let vector = View::<A>::new(args, 0);
    lanewise(out, args, |lane| [f(vector.all(lane))]);
}

fn unpack<R: crate::lane::Lane, const N: usize>(
    out: &mut [u32],
    args: &crate::column::Args<'_>,
    f: impl Fn(u32) -> [R; N],
) {
    // One pass per component, so that each stays a plain column function.
    for (c, out) in out.chunks_exact_mut(args.mask.len()).enumerate() {
        map1(out, args, |word: u32| f(word)[c]);
    }
}

/// The specification's `floor(0.5 + scale * clamp(x, -1, 1))`.
fn snorm(x: f32, scale: f32) -> i32 {
    (0.5 + f64::from(scale) * f64::from(x.clamp(-1.0, 1.0))).floor() as i32
}

fn unorm(x: f32, scale: f32) -> u32 {
    (0.5 + f64::from(scale) * f64::from(x.clamp(0.0, 1.0))).floor() as u32
}

fn bytes(word: u32) -> [u8; 4] {
    word.to_le_bytes()
}

fn halves(word: u32) -> [u16; 2] {
    [word as u16, (word >> 16) as u16]
}

fn join8(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes)
}

fn join16([low, high]: [u16; 2]) -> u32 {
    u32::from(low) | u32::from(high) << 16
}
