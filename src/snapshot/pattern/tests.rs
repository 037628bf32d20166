use super::*;

#[test]
fn a_pattern_takes_whole_values() {
    let check = |text: &str, takes: &[&str], refuses: &[&str]| {
        let compiled = Compiled::new(text);
        for value in takes {
            assert!(compiled.takes(value), "{text} takes {value}");
        }
        for value in refuses {
            assert!(!compiled.takes(value), "{text} does not take {value}");
        }
    };
    check("/a|/b", &["/a", "/b"], &["/ax", "x/b", ""]);
    check("a|ab", &["a", "ab"], &["abb"]);
    check("^/a$", &["/a"], &["/a\n", "/a/"]);
    check("(?m)^a$", &["a"], &["a\nb", "b\na"]);
    check("(?i)/A", &["/a", "/A"], &["/b"]);
    check("", &[""], &["a"]);
    // No expression by itself: between the parentheses that anchor it, it would be one.
    check("a)|(b", &[], &["a", "b", "ax", "xb"]);
    check("(", &[], &["", "("]);
    // More than REGEX_BYTES.
    check(r"(?u:\w){500}", &[], &[""]);
}

#[test]
fn a_literal_start_is_told_in_whole_segments() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(Compiled::new(text).below.as_deref(), expected, "{text}");
    };
    check("/api/v1/users", Some("/api/v1/users"));
    check("^/api/v1/users$", Some("/api/v1"));
    check("/api/v1/.*", Some("/api/v1"));
    check("/api/v1.*", Some("/api"));
    check("/api/(v1|v2)/x", Some("/api"));
    check("/api(/v1)?", Some(""));
    check("(/api/v1)/.+", Some("/api/v1"));
    check("((/api)/(v1/.))", Some("/api/v1"));
    check("/api/?", Some(""));
    check("/api//[0-9]", Some("/api/"));
    check("/api/*", Some(""));
    check("/[0-9]+", Some(""));
    check("/ü/.", Some("/ü"));
    check("/a|/b", Some(""));
    check("/api/v1|/api/v2/x", Some("/api"));
    check("^(?:/api/a/.|/api/a/b/c)", Some("/api/a"));
    check("/x(?:/a|/a/b)/c", Some("/x"));
    check("/x/(?:a/b|a/c)/d", Some("/x/a"));
    check("/a/b|x", None);
    check("/a|", None);
    check("/é/a|/è/a", Some(""));
    check("(?i)/api/v1", Some(""));
    check("(?i:/api)/v1/x", Some(""));
    check("(?:/a/){2}/x", None);
    check("(?m)^/api/x", None);
    check(r"\b/api/x", None);
    check(r"\/api\/v1\/[a-z]", Some("/api/v1"));
    check(".*", None);
    check("api", Some("api"));
    check("api.", None);
    check("", Some(""));
    check("(", None);
}

#[test]
fn what_is_taken_stands_below_the_literal_start() {
    let paths = ["/", "", "*", "/a", "/a/", "/a/b", "/a/b/", "/a/bc", "//a/b", "/A/b", "/a/b/c/d"];
    let patterns =
        ["/a/b.*", "/a(/b)*", "/a/?.*", "(?i)/a/b", "/+a/b", "/a/b", ".*", "", r"\*", "(/a)/[^/]*"];
    for text in patterns {
        let compiled = Compiled::new(text);
        let Some(below) = &compiled.below else { continue };
        for path in paths.iter().filter(|path| compiled.takes(path)) {
            let stands = path
                .strip_prefix(&**below)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            assert!(stands, "{text} takes {path}, which is not below {below}");
        }
    }
}

#[test]
fn equal_patterns_are_compiled_once_while_someone_uses_them() {
    let mut patterns = Patterns::default();
    let pattern = Pattern::checked("/a/.*");
    let first = patterns.acquire(&pattern);
    assert!(Arc::ptr_eq(&first, &patterns.acquire(&pattern)));
    patterns.release(&pattern);
    assert!(Arc::ptr_eq(&first, &patterns.acquire(&pattern)));
    patterns.release(&pattern);
    patterns.release(&pattern);
    assert!(patterns.by_text.is_empty());
}

#[test]
fn an_expression_that_nobody_asks_is_not_compiled() {
    let mut patterns = Patterns::default();
    let compiled = patterns.acquire(&Pattern::checked("/shop/[0-9]+"));
    assert_eq!(compiled.below.as_deref(), Some("/shop"));
    assert!(compiled.regex.get().is_none());
    assert!(compiled.takes("/shop/7"));
    assert!(compiled.regex.get().is_some(), "once");
}
