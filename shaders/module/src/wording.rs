//! naga's messages in the words of WGSL: without the numbers of naga's arenas and the names of its Rust types.
//!
//! Knows how naga's `Debug` output looks; text in, text out.

/// A message of naga's, readable for who knows WGSL only.
pub(crate) fn plain(message: &str) -> String {
    if message.starts_with("Type flags TypeFlags(") && message.contains("HOST_SHAREABLE") {
        return "its type cannot be shared with the host".to_string();
    }
    let mut text = without_numbers(message);
    // From the inside out: scalars, then what is made of them.
    for (kind, name) in [("Sint", "i"), ("Uint", "u"), ("Float", "f")] {
        for bytes in [2, 4, 8] {
            let from = format!("Scalar {{ kind: {kind}, width: {bytes} }}");
            text = text.replace(&from, &format!("{name}{}", bytes * 8));
        }
    }
    text = text.replace("Scalar { kind: Bool, width: 1 }", "bool");
    text = text.replace("Scalar { kind: AbstractInt, width: 8 }", "an abstract integer");
    text = text.replace("Scalar { kind: AbstractFloat, width: 8 }", "an abstract float");
    for scalar in ["bool", "i16", "u16", "f16", "i32", "u32", "f32", "i64", "u64", "f64"] {
        text = text.replace(&format!("Scalar({scalar})"), scalar);
        for (size, n) in SIZES {
            let vector = format!("Vector {{ size: {size}, scalar: {scalar} }}");
            text = text.replace(&vector, &format!("vec{n}<{scalar}>"));
            for (columns, c) in SIZES {
                let matrix = format!("Matrix {{ columns: {columns}, rows: {size}, scalar: {scalar} }}");
                text = text.replace(&matrix, &format!("mat{c}x{n}<{scalar}>"));
            }
        }
    }
    text
}

const SIZES: [(&str, u32); 3] = [("Bi", 2), ("Tri", 3), ("Quad", 4)];

/// A remark at a place, which naga likes to fill with the name of its own type: `naga::ir::Expression [3]`.
pub(crate) fn remark(text: &str) -> String {
    let text = plain(text);
    match text.strip_prefix("naga::ir::") {
        Some("GlobalVariable") => "this variable".to_string(),
        Some("LocalVariable") => "this local variable".to_string(),
        Some(name) => format!("this {}", name.to_lowercase()),
        None if text == "see msg" => String::new(),
        None => text,
    }
}

/// naga numbers the parts of its modules, as in `Function [3] 'main'`.
fn without_numbers(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(" [") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let digits = after[2..].chars().take_while(char::is_ascii_digit).count();
        let named = before.ends_with(|c: char| c.is_ascii_alphabetic());
        if named && digits > 0 && after[2 + digits..].starts_with(']') {
            rest = &after[digits + 3..];
        } else {
            out.push_str(" [");
            rest = &after[2..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_and_types_are_wgsl() {
        let check = |message: &str, expected: &str| assert_eq!(plain(message), expected);
        check("Function [3] 'main' is invalid", "Function 'main' is invalid");
        check("Loading of [12] can't be done", "Loading of can't be done");
        check("index [x] and [", "index [x] and [");
        check("got Scalar(Scalar { kind: Uint, width: 4 })", "got u32");
        check("Vector { size: Tri, scalar: Scalar { kind: Float, width: 8 } }", "vec3<f64>");
        check("Matrix { columns: Bi, rows: Quad, scalar: Scalar { kind: Float, width: 2 } }", "mat2x4<f16>");
    }
}
