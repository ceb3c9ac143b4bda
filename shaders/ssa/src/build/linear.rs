//! WGSL's operators and builtin functions on whole vectors and matrices.
//!
//! Matrices are column-major. Sums go from the first component to the last, as the interpreter's do.

use super::types::Ty;
use super::{Builder, Parts};
use crate::arithmetic::is_float;
use crate::ir::{Binary, Compare, Unary, Value};
use naga::MathFunction;
use smallvec::smallvec;
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    /// The matrix product; vectors count as matrices of one column (right) or one row (left).
    pub(super) fn product(&mut self, left: &[Value], right: &[Value], rows: usize, terms: usize) -> Parts {
        let columns = right.len() / terms.max(1);
        let mut parts = Parts::new();
        for column in 0..columns {
            for row in 0..rows {
                let a: Parts = (0..terms).map(|term| left[term * rows + row]).collect();
                parts.push(self.dot(&a, &right[column * terms..(column + 1) * terms]));
            }
        }
        parts
    }

    /// The sum of the products of components.
    fn dot(&mut self, a: &[Value], b: &[Value]) -> Value {
        let mut sum = self.binary(Binary::Multiply, a[0], b[0]);
        for (&a, &b) in a.iter().zip(b).skip(1) {
            let product = self.binary(Binary::Multiply, a, b);
            sum = self.binary(Binary::Add, sum, product);
        }
        sum
    }

    fn each(&mut self, op: Binary, a: &[Value], b: &[Value]) -> Parts {
        a.iter().zip(b).map(|(&a, &b)| self.binary(op, a, b)).collect()
    }

    fn length_of(&mut self, a: &[Value]) -> Value {
        if let [one] = *a {
            return self.unary(Unary::Abs, one);
        }
        let square = self.dot(a, a);
        self.unary(Unary::Sqrt, square)
    }

    /// A builtin function of whole values; `None` where it is no such function.
    pub(super) fn geometry(&mut self, fun: MathFunction, shape: Ty, operands: &[Parts; 4]) -> Option<Parts> {
        use MathFunction as M;
        let [a, b, c, _] = operands;
        if fun == M::Dot {
            return Some(smallvec![self.dot(a, b)]);
        }
        if !is_float(self.ty(*a.first()?)) {
            return None;
        }
        Some(match fun {
            M::Length => smallvec![self.length_of(a)],
            M::Distance => {
                let difference = self.each(Binary::Subtract, a, b);
                smallvec![self.length_of(&difference)]
            }
            M::Normalize => {
                let length = self.length_of(a);
                a.iter().map(|&a| self.binary(Binary::Divide, a, length)).collect()
            }
            M::Cross => {
                let mut minor = |p: usize, q: usize| {
                    let left = self.binary(Binary::Multiply, a[p], b[q]);
                    let right = self.binary(Binary::Multiply, a[q], b[p]);
                    self.binary(Binary::Subtract, left, right)
                };
                smallvec![minor(1, 2), minor(2, 0), minor(0, 1)]
            }
            M::FaceForward => {
                let (dot, zero) = (self.dot(b, c), self.like(a[0], 0.0));
                let facing = self.compare(Compare::Less, dot, zero);
                a.iter()
                    .map(|&a| {
                        let turned = self.unary(Unary::Negate, a);
                        self.select(facing, a, turned)
                    })
                    .collect()
            }
            M::Reflect => {
                let (dot, two) = (self.dot(b, a), self.like(a[0], 2.0));
                let twice = self.binary(Binary::Multiply, two, dot);
                let along: Parts = b.iter().map(|&n| self.binary(Binary::Multiply, twice, n)).collect();
                self.each(Binary::Subtract, a, &along)
            }
            M::Refract => self.refract(a, b, c[0]),
            M::Transpose => {
                let Ty::Matrix(columns, rows, _) = shape else { return None };
                let (columns, rows) = (columns as usize, rows as usize);
                (0..columns * rows).map(|n| a[n % columns * rows + n / columns]).collect()
            }
            M::Determinant => {
                let Ty::Matrix(size, ..) = shape else { return None };
                let ty = self.ty(a[0]);
                // In f64: minors cancel, and WGSL leaves their accuracy open.
                let wide: Parts = a.iter().map(|&a| self.convert(Scalar::F64, a)).collect();
                let determinant = self.determinant(&wide, size as usize);
                smallvec![self.convert(ty, determinant)]
            }
            _ => return None,
        })
    }

    fn refract(&mut self, incident: &[Value], normal: &[Value], ratio: Value) -> Parts {
        let dot = self.dot(normal, incident);
        let (one, zero) = (self.like(ratio, 1.0), self.like(ratio, 0.0));
        let ratio_squared = self.binary(Binary::Multiply, ratio, ratio);
        let dot_squared = self.binary(Binary::Multiply, dot, dot);
        let rest = self.binary(Binary::Subtract, one, dot_squared);
        let product = self.binary(Binary::Multiply, ratio_squared, rest);
        let k = self.binary(Binary::Subtract, one, product);
        let none = self.compare(Compare::Less, k, zero);
        let along = self.binary(Binary::Multiply, ratio, dot);
        let root = self.unary(Unary::Sqrt, k);
        let along = self.binary(Binary::Add, along, root);
        incident
            .iter()
            .zip(normal)
            .map(|(&incident, &normal)| {
                let left = self.binary(Binary::Multiply, ratio, incident);
                let right = self.binary(Binary::Multiply, along, normal);
                let refracted = self.binary(Binary::Subtract, left, right);
                self.select(none, zero, refracted)
            })
            .collect()
    }

    /// Of a square matrix, by its first row's cofactors; `cells[column * size + row]`.
    fn determinant(&mut self, cells: &[Value], size: usize) -> Value {
        match size {
            1 => cells[0],
            2 => {
                let left = self.binary(Binary::Multiply, cells[0], cells[3]);
                let right = self.binary(Binary::Multiply, cells[2], cells[1]);
                self.binary(Binary::Subtract, left, right)
            }
            _ => {
                let mut sum = None;
                for column in 0..size {
                    let minor: Parts = (0..size * size)
                        .filter(|n| n / size != column && n % size != 0)
                        .map(|n| cells[n])
                        .collect();
                    let mut cofactor = self.determinant(&minor, size - 1);
                    if column % 2 == 1 {
                        cofactor = self.unary(Unary::Negate, cofactor);
                    }
                    let term = self.binary(Binary::Multiply, cells[column * size], cofactor);
                    sum = Some(match sum {
                        None => term,
                        Some(sum) => self.binary(Binary::Add, sum, term),
                    });
                }
                sum.unwrap_or(cells[0])
            }
        }
    }
}
