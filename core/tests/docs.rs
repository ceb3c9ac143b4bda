//! The documents name only what exists, and the README's samples compile and run (as doc-tests of the library).

use std::path::Path;

/// Words in backticks that look like paths of this repository.
fn paths(text: &str) -> Vec<&str> {
    let folders = ["core", "shaders", "backends", "cli", "examples", "benches", "scripts", ".ci"];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| folders.iter().any(|f| code.strip_prefix(f).is_some_and(|rest| rest.starts_with('/'))))
        .filter(|code| !code.contains(char::is_whitespace))
        .collect()
}

#[test]
fn documents_name_only_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let named = paths(&text);
        assert!(!named.is_empty() || document == "CONTRIBUTING.md", "{document} names nothing");
        for path in named {
            assert!(root.join(path).exists(), "{document} names `{path}`, which does not exist");
        }
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = !link.starts_with("http");
            assert!(!local || root.join(link).exists(), "{document} links to {link}, which does not exist");
        }
    }
}
