use super::*;

fn hosts(names: &[&str]) -> Hosts<String> {
    let mut hosts: Hosts<String> = Hosts::default();
    for name in names {
        let hostname = (*name != "any").then(|| Hostname::parse(name).expect("a literal"));
        *hosts.get_or_default(hostname.as_ref()) = (*name).to_owned();
    }
    hosts
}

/// What is asked for a host, in order, when nobody answers.
fn asked<'a>(hosts: &'a Hosts<String>, host: &str) -> Vec<&'a str> {
    let mut asked = Vec::new();
    let answer: Option<()> = hosts.find_map(host, &mut 0, |found, _| {
        asked.push(found.as_str());
        None
    });
    assert_eq!(answer, None);
    asked
}

#[test]
fn the_most_specific_name_is_asked_first() {
    let hosts =
        hosts(&["any", "*.com", "*.shop.com", "*.a.shop.com", "x.shop.com", "shop.com", "a"]);
    let check = |host: &str, expected: &[&str]| assert_eq!(asked(&hosts, host), expected, "{host}");
    check("x.shop.com", &["x.shop.com", "*.shop.com", "*.com", "any"]);
    check("shop.com", &["shop.com", "*.com", "any"]);
    check("b.a.shop.com", &["*.a.shop.com", "*.shop.com", "*.com", "any"]);
    check("a.shop.com", &["*.shop.com", "*.com", "any"]);
    check("xshop.com", &["*.com", "any"]);
    check("com", &["any"]);
    check(".com", &["any"]);
    check("..com", &["*.com", "any"]);
    check("a", &["a", "any"]);
    check("", &["any"]);
    check(".", &["any"]);
    check("x.shop.com.", &["any"]);
    check("ü.com", &["*.com", "any"]);
}

#[test]
fn a_wildcard_means_what_the_model_says() {
    let names = ["*.com", "*.b.com", "*.a.b.com"];
    let hosts = hosts(&names);
    for host in ["a.b.com", "x.a.b.com", "b.com", "com", ".b.com", "x..com", "b.comx", "xb.com"] {
        let expected: Vec<_> = names
            .iter()
            .rev()
            .filter(|name| Hostname::parse(name).expect("a literal").matches(host))
            .copied()
            .collect();
        assert_eq!(asked(&hosts, host), expected, "{host}");
    }
}

#[test]
fn a_host_of_dots_is_bounded_work() {
    let hosts = hosts(&["*.com", "x.com"]);
    for host in [".".repeat(60_000), "ü".repeat(30_000), format!("{}.com", "a.".repeat(30_000))] {
        let mut visited = 0;
        hosts.find_map(&host, &mut visited, |_, _| None::<()>);
        assert!(visited <= 256, "{visited} probes");
    }
    let long = format!("{}.com", "a.".repeat(30_000));
    assert_eq!(asked(&hosts, &long), ["*.com"]);
}

#[test]
fn what_is_emptied_is_gone() {
    let mut hosts = hosts(&["any", "*.com", "x.com"]);
    for name in ["*.com", "x.com"] {
        hosts.change(Hostname::parse(name).ok().as_ref(), |_| Left::Nothing);
    }
    assert_eq!(asked(&hosts, "x.com"), ["any"]);
    hosts.change(None, |_| Left::Something);
    assert_eq!(asked(&hosts, "x.com"), ["any"]);
    hosts.change(None, |_| Left::Nothing);
    assert!(hosts.is_empty());
}
