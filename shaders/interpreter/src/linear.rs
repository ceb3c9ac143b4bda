//! WGSL's builtin functions and operators on whole vectors and matrices as column functions.
//!
//! Matrices are column-major, as their columns of components are stored. Component-wise functions live in `math`.

use crate::column::{Args, Function, View, lanewise, words, words_mut};
use crate::lane::{Float, Lane, Number};
use crate::operator::{with_float, with_number};
use naga::MathFunction;
use warpweft_module::Scalar;

/// The function of a builtin on whole values with components of type `scalar`.
pub(crate) fn function(fun: MathFunction, scalar: Scalar) -> Option<Function> {
    fn geometry<T: Float>(fun: MathFunction) -> Option<Function> {
        use MathFunction as M;
        Some(match fun {
            M::Length => {
                |out, args| lanewise(out, args, |lane| [length(args, |n, c| at::<T>(args, n, c, lane))])
            }
            M::Distance => |out, args| {
                lanewise(out, args, |lane| {
                    [length(args, |_, c| at::<T>(args, 0, c, lane).sub(at(args, 1, c, lane)))]
                })
            },
            M::Normalize => normalize::<T>,
            M::Cross => cross::<T>,
            M::FaceForward => face_forward::<T>,
            M::Reflect => reflect::<T>,
            M::Refract => refract::<T>,
            M::Transpose => transpose::<T>,
            M::Determinant => |out, args| {
                lanewise(out, args, |lane| [T::from_f64(Square::new::<T>(args, lane).determinant())])
            },
            _ => return None,
        })
    }
    if fun == MathFunction::Dot {
        return product(scalar);
    }
    with_float!(scalar, geometry(fun))
}

/// The matrix product; vectors count as matrices of one column (right) or one row (left). [`Args::dims`] tell the
/// shape: rows of the result, terms of each sum, columns of the result.
pub(crate) fn product(scalar: Scalar) -> Option<Function> {
    fn of<T: Number>() -> Option<Function> {
        Some(product_of::<T>)
    }
    with_number!(scalar, of())
}

fn product_of<T: Number>(out: &mut [u32], args: &Args<'_>) {
    let [rows, terms, _] = args.dims.map(usize::from);
    let lanes = args.mask.len();
    let left = words::<T>(args.operands[0]);
    let right = words::<T>(args.operands[1]);
    let component = |n: usize| n * lanes..(n + 1) * lanes;
    for (n, out) in words_mut::<T>(out).chunks_exact_mut(lanes).enumerate() {
        let (column, row) = (n / rows, n % rows);
        for term in 0..terms {
            let a = &left[component(term * rows + row)];
            let b = &right[component(column * terms + term)];
            let pairs = a.iter().zip(b).map(|(&a, &b)| T::get(a).mul(T::get(b)));
            for (out, value) in out.iter_mut().zip(pairs) {
                *out = if term == 0 { value } else { T::get(*out).add(value) }.put();
            }
        }
    }
}

#[inline(always)]
fn at<T: Lane>(args: &Args<'_>, operand: usize, component: usize, lane: usize) -> T {
    T::get(words::<T>(args.operands[operand])[component * args.mask.len() + lane])
}

fn components<T: Lane>(args: &Args<'_>) -> usize {
    words::<T>(args.operands[0]).len() / args.mask.len()
}

/// The sum of `f(c)` over the components of the first operand.
fn sum<T: Float>(args: &Args<'_>, f: impl Fn(usize) -> T) -> T {
    (1..components::<T>(args)).fold(f(0), |sum, c| sum.add(f(c)))
}

/// The length of the vector that `f(operand, component)` gives; of a scalar, its size.
fn length<T: Float>(args: &Args<'_>, f: impl Fn(usize, usize) -> T) -> T {
    if components::<T>(args) == 1 {
        return f(0, 0).abs();
    }
    sum(args, |c| f(0, c).mul(f(0, c))).sqrt()
}

fn normalize<T: Float>(out: &mut [u32], args: &Args<'_>) {
    lanewise::<T, 4>(out, args, |lane| {
        let length = length(args, |n, c| at::<T>(args, n, c, lane));
        View::<T>::new(args, 0).all(lane).map(|x| x.div(length))
    });
}

fn cross<T: Float>(out: &mut [u32], args: &Args<'_>) {
    let (a, b) = (View::<T>::new(args, 0), View::<T>::new(args, 1));
    lanewise(out, args, |lane| {
        let ([ax, ay, az], [bx, by, bz]) = (a.all::<3>(lane), b.all::<3>(lane));
        let minor = |p: T, q: T, r: T, s: T| p.mul(q).sub(r.mul(s));
        [minor(ay, bz, az, by), minor(az, bx, ax, bz), minor(ax, by, ay, bx)]
    });
}

fn face_forward<T: Float>(out: &mut [u32], args: &Args<'_>) {
    lanewise::<T, 4>(out, args, |lane| {
        let dot = sum(args, |c| at::<T>(args, 1, c, lane).mul(at(args, 2, c, lane)));
        View::<T>::new(args, 0).all(lane).map(|x| if dot < T::ZERO { x } else { x.neg() })
    });
}

fn reflect<T: Float>(out: &mut [u32], args: &Args<'_>) {
    lanewise::<T, 4>(out, args, |lane| {
        let (incident, normal) =
            (View::<T>::new(args, 0).all::<4>(lane), View::<T>::new(args, 1).all::<4>(lane));
        let dot = sum(args, |c| normal[c].mul(incident[c]));
        let twice = T::from_f64(2.0).mul(dot);
        std::array::from_fn(|c| incident[c].sub(twice.mul(normal[c])))
    });
}

fn refract<T: Float>(out: &mut [u32], args: &Args<'_>) {
    lanewise::<T, 4>(out, args, |lane| {
        let (incident, normal) =
            (View::<T>::new(args, 0).all::<4>(lane), View::<T>::new(args, 1).all::<4>(lane));
        let ratio = at::<T>(args, 2, 0, lane);
        let dot = sum(args, |c| normal[c].mul(incident[c]));
        let k = T::ONE.sub(ratio.mul(ratio).mul(T::ONE.sub(dot.mul(dot))));
        if k < T::ZERO {
            return [T::ZERO; 4];
        }
        let along = ratio.mul(dot).add(k.sqrt());
        std::array::from_fn(|c| ratio.mul(incident[c]).sub(along.mul(normal[c])))
    });
}

fn transpose<T: Float>(out: &mut [u32], args: &Args<'_>) {
    let [rows, columns, _] = args.dims.map(usize::from);
    let lanes = args.mask.len();
    let from = words::<T>(args.operands[0]);
    for (n, out) in words_mut::<T>(out).chunks_exact_mut(lanes).enumerate() {
        let (column, row) = (n / columns, n % columns);
        let start = (row * rows + column) * lanes;
        out.copy_from_slice(&from[start..start + lanes]);
    }
}

/// A square matrix of one lane, widened to f64: minors cancel, and WGSL leaves their accuracy open.
struct Square {
    size: usize,
    /// `cells[column][row]`.
    cells: [[f64; 4]; 4],
}

impl Square {
    fn new<T: Float>(args: &Args<'_>, lane: usize) -> Self {
        let size = usize::from(args.dims[0]);
        let mut cells = [[0.0; 4]; 4];
        for (c, column) in cells.iter_mut().enumerate().take(size) {
            for (r, cell) in column.iter_mut().enumerate().take(size) {
                *cell = at::<T>(args, 0, c * size + r, lane).to_f64();
            }
        }
        Square { size, cells }
    }

    /// Without one column and one row.
    fn without(&self, column: usize, row: usize) -> Square {
        let mut cells = [[0.0; 4]; 4];
        for (c, cells) in cells.iter_mut().enumerate().take(self.size - 1) {
            for (r, cell) in cells.iter_mut().enumerate().take(self.size - 1) {
                *cell = self.cells[c + usize::from(c >= column)][r + usize::from(r >= row)];
            }
        }
        Square { size: self.size - 1, cells }
    }

    fn cofactor(&self, column: usize, row: usize) -> f64 {
        let minor = self.without(column, row).determinant();
        if (column + row).is_multiple_of(2) { minor } else { -minor }
    }

    fn determinant(&self) -> f64 {
        match self.size {
            1 => self.cells[0][0],
            2 => self.cells[0][0] * self.cells[1][1] - self.cells[1][0] * self.cells[0][1],
            _ => (0..self.size).map(|c| self.cells[c][0] * self.cofactor(c, 0)).sum(),
        }
    }
}
