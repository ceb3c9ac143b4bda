//! The kernel files against the facts that the library states about them.

use warpweft_module::{Kernel, Module, Source, Space};
use warpweft_shaders::{ALL, ShaderFile};

fn kernel(file: &ShaderFile) -> Kernel {
    let source = Source::new(format!("{}.wgsl", file.name), file.source);
    let module = Module::new(&[source], &[]).unwrap_or_else(|e| panic!("{e}"));
    module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"))
}

fn named(name: &str) -> &'static ShaderFile {
    ALL.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("{name} is in the library"))
}

#[test]
fn every_file_is_a_kernel_of_its_name() {
    for file in ALL {
        let kernel = kernel(file);
        let interface = kernel.interface();
        assert_eq!(interface.entry, file.name);
        assert!(interface.features.is_empty(), "{} runs everywhere", file.name);
        // WebGPU's default limits: 256 invocations, 16 KiB of workgroup memory.
        assert!(interface.workgroup_invocations() <= 256, "{}", file.name);
        assert!(interface.workgroup_memory <= 16384, "{}", file.name);
    }
}

#[test]
fn names_are_in_order_and_different() {
    let names = ALL.map(|file| file.name);
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
}

#[test]
fn every_file_opens_with_what_it_costs_and_where_it_ends() {
    for file in ALL {
        let header =
            file.source.lines().take_while(|line| line.starts_with("//")).collect::<Vec<_>>().join("\n");
        for part in ["Cost for each", "Limits:", "flop", "bytes"] {
            assert!(header.contains(part), "{}.wgsl says nothing of `{part}`", file.name);
        }
    }
}

/// The kernel's storage bindings as `name` (read), `=name` (written) or `+name` (both), its uniforms as `name:type`.
#[track_caller]
fn check_bindings(name: &str, expected: &str) {
    let kernel = kernel(named(name));
    let describe = |b: &warpweft_module::Binding| match (b.space, b.access.reads, b.access.writes) {
        (Space::Uniform, ..) => format!("{}:{}", b.name, b.ty),
        (_, true, true) => format!("+{}", b.name),
        (_, false, true) => format!("={}", b.name),
        _ => b.name.clone(),
    };
    let found = kernel.interface().bindings.iter().map(describe).collect::<Vec<_>>().join(" ");
    assert_eq!(found, expected);
}

#[test]
fn bindings() {
    check_bindings("jacobi2d", "src =dst size:vec2<u32>");
    check_bindings("mandelbrot", "=iterations params:Params");
    check_bindings("nbody", "pos =acc eps:f32");
    check_bindings("perona_malik", "src =dst params:Params");
    check_bindings("reduce_sum", "x =sums");
    check_bindings("saxpy", "x +y a:f32");
    check_bindings("transpose", "src =dst size:vec2<u32>");
    check_bindings("triad", "=a b c s:f32");
}

#[test]
fn blocks_are_what_a_workgroup_covers() {
    for file in ALL {
        let invocations = kernel(file).interface().workgroup_size;
        let per_invocation = if file.name == "reduce_sum" { 8 } else { 1 };
        assert_eq!(
            file.block,
            [invocations[0] * per_invocation, invocations[1], invocations[2]],
            "{}",
            file.name
        );
    }
    assert_eq!(named("transpose").workgroups([33, 16, 1]), [3, 1, 1]);
    assert_eq!(named("reduce_sum").workgroups([2049, 1, 1]), [2, 1, 1]);
}

#[test]
fn stated_bytes_are_those_of_the_code() {
    // Where every element is touched by one invocation and once, the static cost must agree with the convention.
    for name in ["saxpy", "triad", "mandelbrot", "transpose"] {
        let file = named(name);
        let cost = kernel(file).interface().cost;
        assert_eq!(cost.bytes_read + cost.bytes_written, file.bytes(1), "{name}");
    }
}

#[test]
fn uniforms_are_laid_out_as_their_rust_twins() {
    let size = |name: &str| {
        let kernel = kernel(named(name));
        let interface = kernel.interface();
        interface.bindings[interface.position("params").unwrap()].ty.size() as usize
    };
    assert_eq!(size("mandelbrot"), size_of::<warpweft_shaders::mandelbrot::Params>());
    assert_eq!(size("perona_malik"), size_of::<warpweft_shaders::perona_malik::Params>());
}
