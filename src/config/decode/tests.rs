//! Whole documents in, rendered diagnostics out.

use super::*;
use crate::config::render;

pub(super) fn decoded(text: &str) -> (Vec<Decoded>, Vec<Diagnostic>) {
    let file: Arc<str> = "shop.yaml".into();
    let mut diagnostics = Vec::new();
    let read = |document| read(&document, &file, Store::Files, &mut diagnostics);
    let decoded = yaml::documents(text).map(read).flat_map(Decoded::flatten).collect();
    (decoded, diagnostics)
}

#[test]
fn smoke() {
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: shop\nspec:\n  hostnmes: [a.example.com]\n  rules:\n  - backendRefs:\n    - name: x\n      port: yes\n";
    let (_, diagnostics) = decoded(text);
    panic!("{}", render::render(&diagnostics, &|_| Some(text.into()), false));
}
