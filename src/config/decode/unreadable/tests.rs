use super::*;

#[test]
fn the_object_that_a_broken_text_was_going_to_be() {
    let check = |text: &str, expected: Option<&str>| {
        let found = key(text, Store::Files).map(|key| key.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    };
    let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n";
    let named = format!("{gateway}metadata:\n  labels: {{name: x}}\n  name: web # the first\n");
    check(&format!("{named}spec: ["), Some("Gateway default/web"));
    check(&named.replace("  name", "  namespace: \"shop\"\n  name"), Some("Gateway shop/web"));
    check(
        &format!("metadata:\r\n    name: 'web'\r\n{gateway}spec: ["),
        Some("Gateway default/web"),
    );
    check(&format!("{gateway}metadata:\n  labels:\n    name: x\nspec:\n  name: y"), None);
    check(&named.replace("Gateway", "Gatewy"), Some("Gateway default/web"));
    check(&named.replace("networking.k8s.io", "network.k8s.io"), Some("Gateway default/web"));
    check(&named.replace("gateway.networking.k8s.io", "networking.istio.io"), None);
    check(&named.replace("web", &"w".repeat(300)), None);
    check(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: b\n- x",
        Some("Namespace a"),
    );
    check("", None);
    check(":\n :\n  : \n", None);
}

#[test]
fn the_line_that_is_out_of_place() {
    let check = |text: &str, line: u32, column: u32, expected: Option<&str>| {
        let found = misplaced(text, Place { line, column });
        assert_eq!(found.as_deref(), expected, "{text}");
    };
    let said = "this line begins in column 4, the one above in column 5: align them";
    check("a:\n  - name: x\n   port: 1", 3, 4, Some(said));
    check("a:\n  - name: x\n\n# why\n   port: 1", 5, 4, Some(said));
    check("a:\n  - name: x\n    port: 1", 3, 5, None);
    check("a:\n  - name: x\n   port", 3, 4, None);
    check("port: 1", 1, 1, None);
}
