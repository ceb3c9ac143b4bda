//! The rewrite's output is valid, and says what it should: text for text.

use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::{Launch, rewrite};

/// Rewrites WGSL and gives WGSL; panics where either side is invalid.
fn rewritten(wgsl: &str, exact: bool) -> Result<String, String> {
    let module = naga::front::wgsl::parse_str(wgsl).expect("the test's WGSL parses");
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    let info = validator.validate(&module).expect("the test's WGSL is valid");
    let new = rewrite(&module, &info, exact)?;
    validator.reset();
    let info = match validator.validate(&new) {
        Ok(info) => info,
        Err(e) => panic!("the rewritten module is invalid: {:?}\n{new:#?}", e.into_inner()),
    };
    let flags = naga::back::wgsl::WriterFlags::empty();
    Ok(naga::back::wgsl::write_string(&new, &info, flags).expect("valid modules are written"))
}

fn body(wgsl: &str) -> String {
    let text = rewritten(wgsl, false).unwrap();
    text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
}

const HEAD: &str = "@group(0) @binding(0) var<storage, read_write> out: array<f32>;\n\
                    @group(0) @binding(1) var<storage, read> inp: array<f32>;\n\
                    @group(0) @binding(2) var<storage, read> idx: array<u32>;\n";

fn kernel(body: &str) -> String {
    format!(
        "{HEAD}@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>, \
         @builtin(local_invocation_index) l: u32) {{ {body} }}"
    )
}

#[test]
fn the_launch_is_laid_out_as_declared() {
    assert_eq!(std::mem::offset_of!(Launch, fold), 12);
    assert_eq!(std::mem::offset_of!(Launch, grid), 16);
    assert_eq!(std::mem::offset_of!(Launch, unfold), 28);
    assert_eq!(std::mem::offset_of!(Launch, over), 32);
    assert_eq!(size_of::<Launch>(), 48);
}

#[test]
fn loads_are_clamped_and_selected_and_stores_are_under_an_if() {
    let text = body(&kernel("out[id.x] = inp[id.y];"));
    assert_eq!(text.matches("arrayLength").count(), 2, "{text}");
    assert_eq!(text.matches("min(").count(), 1, "{text}");
    assert_eq!(text.matches("select(").count(), 1, "{text}");
    assert!(text.contains("inp[min("), "{text}");
}

#[test]
fn indices_that_cannot_leave_cost_nothing() {
    for index in
        ["idx[0] & 7u", "idx[0] % 8u", "idx[0] >> 29u", "l / 8u", "min(idx[0], 7u)", "(l & 3u) * 2u + 1u"]
    {
        let text = body(&kernel(&format!("var a = array<f32, 8>(); a[{index}] = 1.0; out[0] = a[{index}];")));
        assert_eq!(text.matches("select(").count(), 0, "{index}\n{text}");
    }
    for index in
        ["idx[0] & 8u", "idx[0] % 9u", "idx[0] >> 28u", "l / 7u", "(l & 3u) * 2u + 2u", "i32(l) % 8 - 1"]
    {
        let text = body(&kernel(&format!("var a = array<f32, 8>(); out[0] = a[{index}];")));
        assert_eq!(text.matches("select(").count(), 1, "{index}\n{text}");
    }
}

#[test]
fn wrapping_products_are_no_bound() {
    // 65536 · 65536 wraps to 0 in 32 bits: whatever follows from the factors does not hold for the product.
    let text = body(&kernel(
        "var a = array<f32, 8>(); out[0] = a[((idx[0] & 65535u) + 1u) * ((idx[0] & 65535u) + 1u)];",
    ));
    assert_eq!(text.matches("select(").count(), 1, "{text}");
}

#[test]
fn only_exact_kernels_ask_where_they_end() {
    let wgsl = kernel("out[id.x] = 1.0;");
    assert!(rewritten(&wgsl, true).unwrap().contains("any("));
    assert!(!rewritten(&wgsl, false).unwrap().contains("any("));
}

#[test]
fn every_kind_of_access_stays_valid() {
    let wgsl = "
        struct Particle { position: vec3<f32>, weights: array<f32, 4>, basis: mat3x3<f32> }
        struct Tail { count: atomic<u32>, items: array<Particle> }
        @group(0) @binding(0) var<storage, read_write> tail: Tail;
        @group(0) @binding(1) var<uniform> small: array<vec4<u32>, 3>;
        @group(2) @binding(7) var<storage, read_write> hits: array<atomic<i32>>;
        var<workgroup> tile: array<array<f32, 8>, 8>;
        var<workgroup> totals: array<atomic<u32>, 4>;
        var<private> stack: array<i32, 5>;
        const TABLE = array<f32, 3>(1.0, 2.0, 3.0);

        struct Inputs { @builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                        @builtin(local_invocation_id) l: vec3<u32> }

        fn bump(p: ptr<function, array<f32, 4>>, i: i32) -> f32 { (*p)[i] += 1.0; return (*p)[i + 1]; }
        fn whole(i: Inputs) -> u32 { return i.id.x + i.n.y; }

        @compute @workgroup_size(8, 8)
        fn main(in: Inputs, @builtin(workgroup_id) w: vec3<u32>) {
            let i = i32(in.id.x) - 5;
            let u = small[i][w.x];
            var local = tail.items[u];
            local.weights[i] = local.position[u];
            local.position[i] *= 2.0;
            let r = bump(&local.weights, i);
            local.basis[u][i] = r + TABLE[u];
            let column = local.basis[i];
            let component = column[u];
            tail.items[i] = local;
            tail.items[3].position.y = component;
            let p = &tail.items[u].weights[i];
            *p = *p + 1.0;
            tile[u][in.l.x] = component;
            tile[in.l.y][i] += 1.0;
            workgroupBarrier();
            let shared_row = workgroupUniformLoad(&tile[u]);
            let shared_cell = workgroupUniformLoad(&tile[u][i]);
            stack[i] = i;
            let old = atomicAdd(&hits[i], 1);
            atomicMax(&totals[u], 3u);
            let swapped = atomicCompareExchangeWeak(&hits[old], 1, 2);
            if (swapped.exchanged) { atomicStore(&hits[i], swapped.old_value + atomicLoad(&hits[u])); }
            for (var k = 0; k < stack[i]; k += stack[k]) {
                switch stack[k] { case 1: { tile[k][k] = 0.0; } case 2, default: { continue; } }
            }
            var j = 0u;
            loop { if (j > 3u) { break; } continuing { j += u32(stack[j]) + 1u; break if stack[j] == 7; } }
            let v = array<vec2<f32>, 2>(vec2(1.0), vec2(2.0))[u];
            tile[0][0] = v[i] + shared_row[i] + shared_cell + f32(whole(in) + arrayLength(&tail.items));
        }";
    for exact in [false, true] {
        rewritten(wgsl, exact).unwrap();
    }
}

#[test]
fn functions_that_gpus_lack_for_f64_are_named() {
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<f64>;
                fn f(v: f64) -> f64 { return sqrt(v) + exp(v); }
                @compute @workgroup_size(1) fn main() { x[0] = f(x[1]); }";
    let refusal = rewritten(wgsl, false).unwrap_err();
    assert!(refusal.contains("`exp` of f64"), "{refusal}");
    rewritten(&wgsl.replace("exp(v)", "floor(v)"), false).unwrap();
}

#[test]
fn a_long_chain_of_lets_stays_one() {
    // Written out as one expression it would overflow the stack of naga's text back ends, and be hard to read.
    let chain: String = (1..20_000).map(|i| format!("let a{i} = a{} * 3u;\n", i - 1)).collect();
    let text = body(&kernel(&format!("let a0 = idx[id.x];\n{chain}out[0] = f32(a19999);")));
    assert!(text.contains("let a19999_ = (a19998_ * 3u);"), "{}", &text[text.len() - 300..]);
}
