use super::*;

#[test]
fn paths_become_prefixes_where_they_mean_one() {
    let check = |(path, path_type, rewrite, regex): (&str, &str, Option<&str>, bool),
                 expected: &str| {
        let said = match translate(path, path_type, rewrite, regex) {
            Err(_) => "none".to_owned(),
            Ok(found) => {
                let rewrite = found.rewrite.as_ref().map_or(String::new(), |rewrite| {
                    let of = |key: &str| rewrite[key].as_str().unwrap_or_default().to_owned();
                    format!(" -> {}{}", of("replacePrefixMatch"), of("replaceFullPath"))
                });
                let differs = if found.differs.is_some() { " differs" } else { "" };
                format!("{} {}{rewrite}{differs}", found.kind, found.value)
            }
        };
        assert_eq!(said, expected, "{path} {path_type} {rewrite:?} {regex}");
    };
    check(("/", "Prefix", None, false), "PathPrefix /");
    check(("/a", "Prefix", None, false), "PathPrefix /a");
    check(("/a", "Exact", None, true), "Exact /a");
    check(("/a", "ImplementationSpecific", None, false), "PathPrefix /a differs");
    check(("/a/", "ImplementationSpecific", None, false), "PathPrefix /a/");
    check(("/a(/|$)(.*)", "ImplementationSpecific", Some("/$2"), true), "PathPrefix /a -> /");
    check(("/a(/|$)(.*)", "Prefix", Some("/b/$2"), true), "PathPrefix /a -> /b");
    check(("/a(/|$)(.*)", "Prefix", Some("/$1"), true), "none");
    check(("/a/(.*)", "Prefix", Some("/$1"), true), "PathPrefix /a -> / differs");
    check(("/(.*)", "Prefix", Some("/$1"), true), "PathPrefix /");
    check(("/(.*)", "Prefix", Some("/b/$1"), true), "PathPrefix / -> /b");
    check(("/a", "Prefix", Some("/"), true), "PathPrefix /a -> / differs");
    check(("/", "Prefix", Some("/b/$2"), true), "PathPrefix / -> /b/");
    check(("/", "Prefix", Some("/b"), true), "PathPrefix / -> /b");
    check(("/a/[0-9]+$", "Prefix", None, true), "RegularExpression (?i)/a/[0-9]+");
    check(("/a/[0-9]+", "Prefix", None, true), "RegularExpression (?i)/a/[0-9]+.*");
    check(("/a/([0-9]+)/b", "Prefix", Some("/$1"), true), "none");
    check(("/a(?!b)", "Prefix", None, true), "none");
    check(("a", "Prefix", None, false), "none");
    check(("/a//b", "Prefix", None, false), "none");
}
