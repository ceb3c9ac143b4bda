//! Black and Scholes' options.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

fn normal(d: f32) -> f32 {
    let k = 1.0 / (1.0 + 0.231_641_9 * d.abs());
    let series =
        k * (0.319_381_53 + k * (-0.356_563_78 + k * (1.781_477_9 + k * (-1.821_255_9 + k * 1.330_274_5))));
    let tail = 0.398_942_3 * (-0.5 * d * d).exp() * series;
    if d > 0.0 { 1.0 - tail } else { tail }
}

pub(super) fn black_scholes(problem: &Problem, outputs: &mut [Words]) {
    const CHUNK: usize = 1 << 12;
    let [price, strike, years] = ["price", "strike", "years"].map(|name| problem.array(name).f32());
    let [rate, volatility] = ["rate", "volatility"].map(|name| problem.value::<f32>(name));
    let [call, put] = outputs else { panic!("two outputs") };
    let inputs = price.par_chunks(CHUNK).zip(strike.par_chunks(CHUNK)).zip(years.par_chunks(CHUNK));
    let outputs = call.f32_mut().par_chunks_mut(CHUNK).zip(put.f32_mut().par_chunks_mut(CHUNK));
    outputs.zip(inputs).for_each(|((call, put), ((price, strike), years))| {
        let inputs = price.iter().zip(strike).zip(years);
        for ((call, put), ((&s, &k), &t)) in call.iter_mut().zip(put).zip(inputs) {
            let deviation = volatility * t.sqrt();
            let d1 = ((s / k).ln() + (rate + 0.5 * volatility * volatility) * t) / deviation;
            let (n1, n2) = (normal(d1), normal(d1 - deviation));
            let discounted = k * (-rate * t).exp();
            *call = s * n1 - discounted * n2;
            *put = discounted * (1.0 - n2) - s * (1.0 - n1);
        }
    });
}
