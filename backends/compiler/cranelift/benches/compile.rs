//! How long code generation takes, and how fast the code is: all pairs of bodies that attract each other, and points of
//! the Mandelbrot set.
//!
//! `cargo bench -p warpweft-cranelift`. Prints medians and the least times; outputs are checked against plain Rust.

use std::time::Instant;

use warpweft_executable::Executable;
use warpweft_vector::ir::Function;

/// Called with the bases of its arrays and a number.
#[cfg(target_arch = "x86_64")]
type Code = extern "sysv64" fn(u64, u64, u64, u64, u64);
#[cfg(not(target_arch = "x86_64"))]
type Code = extern "C" fn(u64, u64, u64, u64, u64);

fn parse(text: &str) -> Function {
    let function = Function::parse(text).unwrap_or_else(|error| panic!("{error:?}"));
    warpweft_vector::verify(&function).unwrap_or_else(|error| panic!("{error}"));
    function
}

/// Accelerations of all bodies, as many at a time as there are lanes: x, y and z are arrays of `%4` bytes.
fn bodies(lanes: usize) -> Function {
    let v = format!("f32x{lanes}");
    parse(&format!(
        "function bodies(%0: i64, %1: i64, %2: i64, %3: i64, %4: i64) lanes {lanes} {{
            space x constant
            space y constant
            space z constant
            space out
            %5: i64 = 0
            %6: i64 = 4
            %8: {v} = 0.0
            %9: {v} = 1.0
            %10: {v} = 0.01
            %45: i64 = {step}
            block L2 {{
                loop L3(%7: i64 = %5) {{
                    %11: {v} = load x[%0 + %7]
                    %12: {v} = load y[%1 + %7]
                    %13: {v} = load z[%2 + %7]
                    %40: {v}, %41: {v}, %42: {v} = block L0 {{
                        loop L1(%14: i64 = %5, %15: {v} = %8, %16: {v} = %8, %17: {v} = %8) {{
                            %18: f32 = load x[%0 + %14]
                            %19: {v} = splat %18
                            %20: f32 = load y[%1 + %14]
                            %21: {v} = splat %20
                            %22: f32 = load z[%2 + %14]
                            %23: {v} = splat %22
                            %24: {v} = sub %19, %11
                            %25: {v} = sub %21, %12
                            %26: {v} = sub %23, %13
                            %27: {v} = fma %24, %24, %10
                            %28: {v} = fma %25, %25, %27
                            %29: {v} = fma %26, %26, %28
                            %30: {v} = sqrt %29
                            %31: {v} = div %9, %30
                            %32: {v} = mul %31, %31
                            %33: {v} = mul %32, %31
                            %34: {v} = fma %24, %33, %15
                            %35: {v} = fma %25, %33, %16
                            %36: {v} = fma %26, %33, %17
                            %37: i64 = add %14, %6
                            %38: bool = lt_s %37, %4
                            if %38 {{
                                branch L1(%37, %34, %35, %36)
                            }} else {{
                                branch L0(%34, %35, %36)
                            }}
                        }}
                    }}
                    %43: {v} = add %40, %41
                    %44: {v} = add %43, %42
                    store out[%3 + %7] = %44
                    %46: i64 = add %7, %45
                    %47: bool = lt_s %46, %4
                    if %47 {{
                        branch L3(%46)
                    }} else {{
                        branch L2
                    }}
                }}
            }}
            yield
        }}",
        step = lanes * 4
    ))
}

/// How many rounds each point stays: `%4` points in bytes, their coordinates in two arrays.
fn mandelbrot(lanes: usize) -> Function {
    let (v, i, m) = (format!("f32x{lanes}"), format!("i32x{lanes}"), format!("boolx{lanes}"));
    parse(&format!(
        "function mandelbrot(%0: i64, %1: i64, %2: i64, %3: i64, %4: i64) lanes {lanes} {{
            space x constant
            space y constant
            space z
            space out
            %5: i64 = 0
            %6: {v} = 4.0
            %7: {i} = 0
            %8: i32 = 256
            %9: i32 = 1
            %10: i32 = 0
            %11: {i} = 1
            %12: {m} = true
            %60: i64 = {step}
            block L0 {{
                loop L1(%13: i64 = %5) {{
                    %14: {v} = load x[%0 + %13]
                    %15: {v} = load y[%1 + %13]
                    %40: {i} = block L2 {{
                        loop L3(%16: {v} = %14, %17: {v} = %15, %18: {i} = %7, %19: i32 = %10) {{
                            %20: {v} = mul %16, %16
                            %21: {v} = mul %17, %17
                            %22: {v} = add %20, %21
                            %23: {m} = lt %22, %6
                            %24: {i} = add %18, %11
                            %25: {i} = select %23, %24, %18
                            %26: bool = any %23
                            if %26 {{
                                %27: {v} = sub %20, %21
                                %28: {v} = add %27, %14
                                %29: {v} = add %16, %16
                                %30: {v} = fma %29, %17, %15
                                %31: i32 = add %19, %9
                                %32: bool = lt_s %31, %8
                                if %32 {{
                                    branch L3(%28, %30, %25, %31)
                                }} else {{
                                    branch L2(%25)
                                }}
                            }} else {{
                                branch L2(%25)
                            }}
                        }}
                    }}
                    store out[%3 + %13] = %40
                    %50: i64 = add %13, %60
                    %51: bool = lt_s %50, %4
                    if %51 {{
                        branch L1(%50)
                    }} else {{
                        branch L0
                    }}
                }}
            }}
            yield
        }}",
        step = lanes * 4
    ))
}

/// The least and the middle one.
fn summary(mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    [times[0], times[times.len() / 2]]
}

fn main() {
    let n = 4096usize;
    let coordinates = |seed: usize| -> Vec<f32> {
        (0..n).map(|i| ((i * seed) % 1009) as f32 / 1009.0 * 3.0 - 2.0).collect()
    };
    let (x, y, z) = (coordinates(733), coordinates(389), coordinates(521));
    for lanes in [4, 8, 16, 32] {
        for (name, function) in [("bodies", bodies(lanes)), ("mandelbrot", mandelbrot(lanes))] {
            let times = (0..300).map(|_| {
                let start = Instant::now();
                warpweft_cranelift::compile(&function).unwrap();
                start.elapsed().as_secs_f64() * 1e6
            });
            let [least, compile] = summary(times.collect());
            let machine_code = warpweft_cranelift::compile(&function).unwrap();
            let code = Executable::new(&machine_code.bytes).unwrap();
            let mut out = vec![0u32; n];
            // SAFETY: compiled from a function of five 64-bit parameters.
            let call: Code = unsafe { std::mem::transmute(code.address()) };
            let times = (0..15).map(|_| {
                let start = Instant::now();
                let [x, y, z] = [&x, &y, &z].map(|values| values.as_ptr() as u64);
                call(x, y, z, out.as_mut_ptr() as u64, n as u64 * 4);
                start.elapsed().as_secs_f64() * 1e3
            });
            let [fastest, run] = summary(times.collect());
            for place in (0..n).step_by(101) {
                check(name, [&x, &y, &z], place, out[place]);
            }
            println!(
                "{name:10} lanes {lanes:2}: {compile:6.1} µs to compile (least {least:.1}), \
                 {run:7.3} ms to run (least {fastest:.3}), {} bytes",
                machine_code.code
            );
        }
    }
    if std::env::args().any(|argument| argument == "--listing") {
        println!("{}", warpweft_cranelift::listing(&bodies(8)).unwrap());
        println!("{}", warpweft_cranelift::listing(&mandelbrot(8)).unwrap());
    }
}

fn check(name: &str, [x, y, z]: [&[f32]; 3], place: usize, found: u32) {
    if name == "bodies" {
        let mut sum = 0f64;
        for other in 0..x.len() {
            let d = [x, y, z].map(|c| f64::from(c[other]) - f64::from(c[place]));
            let square = d.iter().map(|d| d * d).sum::<f64>() + 0.01;
            sum += d.iter().sum::<f64>() / (square * square.sqrt());
        }
        let found = f64::from(f32::from_bits(found));
        assert!((found - sum).abs() < 1e-2 * sum.abs().max(100.0), "{place}: {found} is not {sum}");
    } else {
        let (mut a, mut b) = (x[place], y[place]);
        let mut rounds = 0;
        for _ in 0..256 {
            let (aa, bb) = (a * a, b * b);
            if aa + bb >= 4.0 {
                break;
            }
            rounds += 1;
            (a, b) = (aa - bb + x[place], (a + a).mul_add(b, y[place]));
        }
        assert_eq!(found, rounds, "{place}");
    }
}
