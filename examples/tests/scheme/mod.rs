//! Perona and Malik's scheme once more, in f64, with a bound for each pixel of what rounding in f32 can do to it.
//!
//! The scheme is u' = u + λ Σ φ(dₖ) over the four neighbours in the image, dₖ = uₖ - u, φ(d) = d exp(-(d/κ)²) (Perona,
//! Malik, "Scale-Space and Edge Detection Using Anisotropic Diffusion", IEEE PAMI 12(7), 1990, equations 7 and 8).
//! It knows neither the kernel nor its scalar reference.
//!
//! The bound is a running error analysis. With x = (d/κ)² and e = 2⁻²⁴, and the accuracies that WGSL grants (division
//! 2.5 ULP, exp 3 + 2|x| ULP, the rest correctly rounded or fused), d/κ has a relative error of 6 e, x of 13 e, exp of
//! (6 + 17 x) e, φ of (8 + 17 x) e. Three additions and the product with λ add 4 e, the last addition e |u'|:
//!
//!     rounding ≤ e (|u'| + λ Σ |φ(dₖ)| (12 + 17 xₖ))
//!
//! Errors E of u and Eₖ of the neighbours are carried on by φ' = (1 - 2 x) exp(-x), which is negative on steep edges, and
//! there they grow; and, since |φ''| < 2/κ, to second order by less than (E + Eₖ)²/κ:
//!
//!     E' ≤ |1 - λ Σ φ'(dₖ)| E + λ Σ (|φ'(dₖ)| Eₖ + (E + Eₖ)²/κ) + rounding

use warpweft_examples::Field;

/// The exact result (but for f64's rounding), and how far a result in f32 may be from it.
pub(crate) struct Exact {
    /// The pixels.
    pub(crate) values: Vec<f64>,
    /// Their bounds.
    pub(crate) bounds: Vec<f64>,
}

impl Exact {
    /// Runs the scheme.
    pub(crate) fn new(input: &Field, kappa: f32, lambda: f32, steps: u64) -> Self {
        let values: Vec<f64> = input.values.iter().map(|&v| f64::from(v)).collect();
        let mut now = Self { bounds: vec![0.0; values.len()], values };
        for _ in 0..steps {
            now = now.step(input.width, f64::from(kappa), f64::from(lambda));
        }
        now
    }

    fn step(&self, width: usize, kappa: f64, lambda: f64) -> Self {
        const E: f64 = 1.0 / (1 << 24) as f64;
        let (values, bounds) = (&self.values, &self.bounds);
        let mut next =
            Self { values: Vec::with_capacity(values.len()), bounds: Vec::with_capacity(values.len()) };
        for (i, (&u, &bound)) in values.iter().zip(bounds).enumerate() {
            let (mut flow, mut own, mut carried, mut rounding) = (0.0, 1.0, 0.0, 0.0);
            let mut neighbour = |k: usize| {
                let d = values[k] - u;
                let x = (d / kappa) * (d / kappa);
                let g = (-x).exp();
                let slope = (1.0 - 2.0 * x) * g;
                flow += lambda * g * d;
                own -= lambda * slope;
                carried += lambda * (slope.abs() * bounds[k] + (bound + bounds[k]).powi(2) / kappa);
                rounding += lambda * g * d.abs() * (12.0 + 17.0 * x);
            };
            let column = i % width;
            if column > 0 {
                neighbour(i - 1);
            }
            if column + 1 < width {
                neighbour(i + 1);
            }
            if i >= width {
                neighbour(i - width);
            }
            if i + width < values.len() {
                neighbour(i + width);
            }
            next.values.push(u + flow);
            next.bounds.push(own.abs() * bound + carried + E * ((u + flow).abs() + rounding));
        }
        next
    }
}
