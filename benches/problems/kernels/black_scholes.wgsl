// Prices of European call and put options (Black, Scholes, "The Pricing of Options and Corporate Liabilities", Journal of
// Political Economy 81(3), 1973). The normal distribution's integral is the polynomial 26.2.17 of Abramowitz and Stegun,
// "Handbook of Mathematical Functions", 1964, whose error is below 7.5e-8.
//
// Cost for each option: 58 flops (1 root, 1 logarithm, 3 exponentials, 4 divisions, 49 others); 20 bytes (read price, strike
// and years, write call and put).
// Limits: all inputs and the volatility are positive; the arrays are equally long.

@group(0) @binding(0) var<storage, read> price: array<f32>;
@group(0) @binding(1) var<storage, read> strike: array<f32>;
@group(0) @binding(2) var<storage, read> years: array<f32>;
@group(0) @binding(3) var<storage, read_write> call: array<f32>;
@group(0) @binding(4) var<storage, read_write> put: array<f32>;
@group(0) @binding(5) var<uniform> rate: f32;
@group(0) @binding(6) var<uniform> volatility: f32;

// The integral of the normal distribution up to d.
fn normal(d: f32) -> f32 {
    let k = 1.0 / (1.0 + 0.2316419 * abs(d));
    let series = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
    let tail = 0.3989422804 * exp(-0.5 * d * d) * series;
    return select(tail, 1.0 - tail, d > 0.0);
}

@compute @workgroup_size(256)
fn black_scholes(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= arrayLength(&call) {
        return;
    }
    let s = price[i];
    let k = strike[i];
    let t = years[i];
    let deviation = volatility * sqrt(t);
    let d1 = (log(s / k) + (rate + 0.5 * volatility * volatility) * t) / deviation;
    let d2 = d1 - deviation;
    let n1 = normal(d1);
    let n2 = normal(d2);
    let discounted = k * exp(-rate * t);
    call[i] = s * n1 - discounted * n2;
    put[i] = discounted * (1.0 - n2) - s * (1.0 - n1);
}
