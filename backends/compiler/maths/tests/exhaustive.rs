//! Every function of one `F32`, on all 2³² of them, as machine code; prints the table of worst errors.
//!
//! ```text
//! cargo test --release -p warpweft-maths --test exhaustive -- --ignored --nocapture
//! ```
//! `WARPWEFT_FUNCTION=sin` takes one function only, `WARPWEFT_EVERY=16` a sixteenth of the numbers, `WARPWEFT_GENERATOR=avx512`
//! (or `avx2`) that generator's code instead of Cranelift's: estimates, and what rests on them, differ.

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use support::*;
use warpweft_vector::ir::Kind;

const CHUNK: usize = 1 << 16;

#[test]
#[ignore = "all numbers of all functions take minutes to an hour, in release mode"]
fn every_number() {
    let chosen = std::env::var("WARPWEFT_FUNCTION").ok();
    let cases: Vec<&Case> = CASES
        .iter()
        .filter(|case| case.operands == 1 && chosen.as_ref().is_none_or(|name| name == case.name))
        .collect();
    assert!(!cases.is_empty(), "no function has that name");
    let every =
        std::env::var("WARPWEFT_EVERY").map_or(1, |text| text.parse().expect("WARPWEFT_EVERY is a number"));
    let generator = std::env::var("WARPWEFT_GENERATOR");
    let generator = generator.map_or(Generator::Cranelift, |name| Generator::named(&name));
    println!("{generator:?}");
    assert!((1..=65536).contains(&every), "WARPWEFT_EVERY is from 1 to 65536");
    println!("| function | worst error in ULP | of | not correctly rounded |");
    println!("|---|---|---|---|");
    for case in cases {
        let (error, at, wrong) = worst(case, every, generator);
        println!(
            "| `{}` | {error:.3} | {at:?} | {:.2} % |",
            case.name,
            wrong as f64 * every as f64 / 2f64.powi(32) * 100.0
        );
        assert!(error <= case.limits[0], "{}({at:?}): {error} ULP", case.name);
    }
}

/// The worst error, where it is, and how many results are not the nearest number; of one number in so many.
fn worst(case: &Case, every: u64, generator: Generator) -> (f64, f32, u64) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(0);
    let total = Mutex::new((0.0, 0.0, 0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let compiled = Compiled::by(generator, Kind::F32, 16, case.build);
                let (mut x, mut out) = (vec![0.0; CHUNK], vec![0.0; CHUNK]);
                let (mut error, mut at, mut wrong) = (0.0, 0.0, 0);
                loop {
                    let chunk = next.fetch_add(1, Ordering::Relaxed);
                    if chunk >= (1 << 16) / every {
                        break;
                    }
                    for (i, x) in x.iter_mut().enumerate() {
                        // With gaps, not always the same last bits.
                        let number = chunk << 16 | i as u64;
                        *x = f32::from_bits((number * every + number % every) as u32);
                    }
                    compiled.run(&x, &x, &mut out);
                    for (&x, &got) in x.iter().zip(&out) {
                        let here = error_32(got, (case.exact)(x.into(), 0.0));
                        wrong += u64::from(here != 0.0);
                        if here > error {
                            (error, at) = (here, x);
                        }
                    }
                }
                let mut total = total.lock().expect("no thread panics while it holds this");
                if error > total.0 {
                    (total.0, total.1) = (error, at);
                }
                total.2 += wrong;
            });
        }
    });
    total.into_inner().expect("no thread panics while it holds this")
}
