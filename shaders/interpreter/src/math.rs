//! WGSL's component-wise builtin functions on numbers as column functions, chosen by scalar type.
//!
//! Formulas are the specification's where it gives one. Functions of whole vectors and matrices live in `linear`,
//! those on bits in `bits`.

use crate::bits::function as bits;
use crate::column::{Function, active1, active2, map1, map2, map3, words_mut};
use crate::lane::{Float, Lane, Number};
use crate::operator::{with_float, with_integer, with_number};
use half::f16;
use naga::MathFunction;
use warpweft_module::Scalar;

/// The function of a component-wise builtin whose first argument has components of type `scalar`.
pub(crate) fn componentwise(fun: MathFunction, scalar: Scalar) -> Option<Function> {
    with_number!(scalar, number(fun))
        .or_else(|| with_float!(scalar, rounding(fun)))
        .or_else(|| with_float!(scalar, transcendental(fun)))
        .or_else(|| with_float!(scalar, mixing(fun)))
        .or_else(|| with_integer!(scalar, bits(fun)))
}

fn number<T: Number>(fun: MathFunction) -> Option<Function> {
    use MathFunction as M;
    Some(match fun {
        M::Abs => |out, args| map1(out, args, T::abs),
        M::Sign => |out, args| map1(out, args, T::sign),
        M::Min => |out, args| map2(out, args, T::min),
        M::Max => |out, args| map2(out, args, T::max),
        M::Clamp => |out, args| map3(out, args, |a: T, low: T, high: T| a.max(low).min(high)),
        _ => return None,
    })
}

fn rounding<T: Float>(fun: MathFunction) -> Option<Function> {
    use MathFunction as M;
    Some(match fun {
        M::Saturate => |out, args| map1(out, args, |a: T| a.max(T::ZERO).min(T::ONE)),
        M::Ceil => |out, args| map1(out, args, T::ceil),
        M::Floor => |out, args| map1(out, args, T::floor),
        M::Round => |out, args| map1(out, args, T::round),
        M::Trunc => |out, args| map1(out, args, T::trunc),
        M::Fract => |out, args| map1(out, args, |a: T| a.sub(a.floor())),
        M::Modf => modf::<T>,
        M::Frexp => frexp::<T>,
        M::Ldexp => |out, args| active2(out, args, ldexp::<T>),
        // The specification rounds f32 to f16 and back.
        M::QuantizeToF16 => |out, args| map1(out, args, |a: f32| f16::from_f32(a).to_f32()),
        _ => return None,
    })
}

fn transcendental<T: Float>(fun: MathFunction) -> Option<Function> {
    use MathFunction as M;
    Some(match fun {
        M::Cos => |out, args| active1(out, args, T::cos),
        M::Cosh => |out, args| active1(out, args, T::cosh),
        M::Sin => |out, args| active1(out, args, T::sin),
        M::Sinh => |out, args| active1(out, args, T::sinh),
        M::Tan => |out, args| active1(out, args, T::tan),
        M::Tanh => |out, args| active1(out, args, T::tanh),
        M::Acos => |out, args| active1(out, args, T::acos),
        M::Asin => |out, args| active1(out, args, T::asin),
        M::Atan => |out, args| active1(out, args, T::atan),
        M::Atan2 => |out, args| active2(out, args, T::atan2),
        M::Asinh => |out, args| active1(out, args, T::asinh),
        M::Acosh => |out, args| active1(out, args, T::acosh),
        M::Atanh => |out, args| active1(out, args, T::atanh),
        M::Exp => |out, args| active1(out, args, T::exp),
        M::Exp2 => |out, args| active1(out, args, T::exp2),
        M::Log => |out, args| active1(out, args, T::ln),
        M::Log2 => |out, args| active1(out, args, T::log2),
        M::Pow => |out, args| active2(out, args, T::pow),
        M::Sqrt => |out, args| map1(out, args, T::sqrt),
        M::InverseSqrt => |out, args| map1(out, args, |a: T| T::ONE.div(a.sqrt())),
        _ => return None,
    })
}

fn mixing<T: Float>(fun: MathFunction) -> Option<Function> {
    use MathFunction as M;
    Some(match fun {
        M::Radians => |out, args| map1(out, args, |a: T| a.mul(T::from_f64(std::f64::consts::PI / 180.0))),
        M::Degrees => |out, args| map1(out, args, |a: T| a.mul(T::from_f64(180.0 / std::f64::consts::PI))),
        M::Fma => |out, args| map3(out, args, T::fma),
        M::Mix => |out, args| map3(out, args, |a: T, b: T, t: T| a.mul(T::ONE.sub(t)).add(b.mul(t))),
        M::Step => |out, args| map2(out, args, |edge: T, x: T| if edge <= x { T::ONE } else { T::ZERO }),
        M::SmoothStep => |out, args| map3(out, args, smoothstep::<T>),
        _ => return None,
    })
}

fn smoothstep<T: Float>(low: T, high: T, x: T) -> T {
    let t = x.sub(low).div(high.sub(low)).max(T::ZERO).min(T::ONE);
    t.mul(t).mul(T::from_f64(3.0).sub(T::from_f64(2.0).mul(t)))
}

/// `value * 2^exponent`: the product in f64 is exact far beyond the range of f32.
fn ldexp<T: Float>(value: T, exponent: i32) -> T {
    T::from_f64(scale(value.to_f64(), exponent))
}

/// `value * 2^exponent`, rounded once; in steps, because f64's own exponents end at 1023.
fn scale(mut value: f64, exponent: i32) -> f64 {
    let mut left = exponent.clamp(-4400, 4400);
    // Scaling up first and down last keeps all digits until the last step.
    while left > 1000 {
        value *= 2f64.powi(1000);
        left -= 1000;
    }
    while left < -900 {
        if value.abs() < 2f64.powi(-60) {
            // At most one more step can round; everything below is zero.
            return value * 2f64.powi(Ord::max(left + 1000, -1000)) * 2f64.powi(-1000);
        }
        value *= 2f64.powi(-900);
        left += 900;
    }
    value * 2f64.powi(left)
}

/// Fraction, then exponent: `value == fraction * 2^exponent`, the fraction's size in [0.5, 1).
fn split<T: Float>(value: T) -> (T, i32) {
    let wide = value.to_f64();
    if wide == 0.0 || !wide.is_finite() {
        return (value, 0);
    }
    // Subnormals of f64 are made normal first.
    let (normal, shift) = if wide.abs() < f64::MIN_POSITIVE { (wide * 2f64.powi(64), 64) } else { (wide, 0) };
    let bits = normal.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1022;
    (T::from_f64(f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52)), exponent - shift)
}

/// Output: the fractions of all components, then their exponents.
fn frexp<T: Float>(out: &mut [u32], args: &crate::column::Args<'_>) {
    let (fractions, exponents) = out.split_at_mut(args.operands[0].len());
    map1(fractions, args, |a: T| split(a).0);
    map1(exponents, args, |a: T| split(a).1);
}

/// Output: the fractions of all components, then their whole parts.
fn modf<T: Float>(out: &mut [u32], args: &crate::column::Args<'_>) {
    let (fractions, wholes) = out.split_at_mut(args.operands[0].len());
    map1(fractions, args, |a: T| if a.is_infinite() { T::ZERO } else { a.sub(a.trunc()) });
    map1(wholes, args, T::trunc);
}

/// The function of a test for not-a-number or infinity on floats of type `scalar`.
pub(crate) fn classify(infinite: bool, scalar: Scalar) -> Option<Function> {
    fn is_nan<T: Float>() -> Option<Function> {
        Some(|out, args| map1(out, args, T::is_nan))
    }
    fn is_infinite<T: Float>() -> Option<Function> {
        Some(|out, args| map1(out, args, T::is_infinite))
    }
    if infinite { with_float!(scalar, is_infinite()) } else { with_float!(scalar, is_nan()) }
}

/// The function that joins a boolean vector's components.
pub(crate) fn join(all: bool) -> Function {
    fn fold(out: &mut [u32], args: &crate::column::Args<'_>, f: impl Fn(bool, bool) -> bool) {
        let mut components = args.operands[0].chunks_exact(args.mask.len());
        if let Some(first) = components.next() {
            out.copy_from_slice(first);
        }
        for component in components {
            for (out, &c) in words_mut::<bool>(out).iter_mut().zip(component) {
                *out = f(bool::get(*out), bool::get(c)).put();
            }
        }
    }
    if all { |out, args| fold(out, args, |a, b| a & b) } else { |out, args| fold(out, args, |a, b| a | b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_by_powers_of_two_rounds_once() {
        assert_eq!(scale(1.5, 3), 12.0);
        assert_eq!(scale(f64::MIN_POSITIVE, 2046), f64::MIN_POSITIVE * 2f64.powi(1023) * 2f64.powi(1023));
        assert_eq!(scale(1.0, -1074), 5e-324);
        assert_eq!(scale(2f64.powi(1000), -2074), 5e-324);
        assert_eq!(scale(5e-324, 1074), 1.0);
        assert_eq!(scale(1.0, -5000), 0.0);
        assert_eq!(scale(1.0, 5000), f64::INFINITY);
        assert_eq!(scale(-3.0, i32::MAX), f64::NEG_INFINITY);
        // 1.5 + 2^-52 units of the last subnormal place: one rounding gives 2, two would see a tie.
        assert_eq!(scale(1.0 + 2f64.powi(-52), -1075), 5e-324);
        assert_eq!(ldexp(1.0f32, -149), f32::from_bits(1));
    }

    #[test]
    fn splitting_and_scaling_are_inverse() {
        for value in [1.0, -0.1, 6.02e23, 5e-324, -2.5e-310, f64::MAX] {
            let (fraction, exponent) = split::<f64>(value);
            assert!((0.5..1.0).contains(&fraction.abs()), "{value}");
            assert_eq!(scale(fraction, exponent), value);
        }
        assert_eq!(split(0.0f32), (0.0, 0));
        assert_eq!(split(f32::from_bits(1)), (0.5, -148));
    }
}
