use super::*;

#[test]
fn a_name_is_full_or_of_any_namespace() {
    let takes = |name: Option<&str>, namespace: Option<&str>, label: &str| {
        let [name, namespace] = [name, namespace].map(|text| text.map(str::to_owned));
        Wanted { name, namespace }.takes_label(label)
    };
    for label in ["shop/cart", "shop/cart:8080", "cart"] {
        assert!(takes(None, None, label) && takes(Some("cart"), None, label), "{label}");
        assert!(!takes(Some("car"), None, label) && !takes(Some("shop"), None, label), "{label}");
    }
    assert!(takes(Some("shop/cart"), None, "shop/cart:8080"));
    assert!(takes(Some("cart:8080"), Some("shop"), "shop/cart:8080"));
    assert!(!takes(Some("cart:80"), None, "shop/cart:8080"));
    assert!(!takes(Some("other/cart"), None, "shop/cart"));
    assert!(takes(None, Some("shop"), "shop/cart") && !takes(None, Some("shop"), "shopping/cart"));
    assert!(!takes(Some("shop/cart"), Some("other"), "shop/cart"), "both hold");
    assert!(!takes(None, Some("shop"), ""), "what is nobody's");
}
