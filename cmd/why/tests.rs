use super::*;

fn failed(number: u64, began: u64) -> Failed {
    Failed {
        number,
        began,
        request_id: format!("id-{number}"),
        route: "shop/cart".into(),
        status: 503,
        cause: Some("no_endpoint".to_owned()),
        ..Failed::default()
    }
}

fn anything() -> Wanted {
    let route = wanted::of_route(None, None);
    Wanted { id: None, route, status: None, cause: None, since: None }
}

#[test]
fn every_filter_must_hold() {
    let check = |wanted: Wanted, expected: bool| {
        assert_eq!(wanted.takes(&failed(1, 1_000), 61_000), expected);
    };
    check(anything(), true);
    for (id, expected) in [("id-1", true), ("id", false)] {
        check(Wanted { id: Some(id.to_owned()), ..anything() }, expected);
    }
    for (route, expected) in
        [("cart", true), ("shop/cart", true), ("a/cart", false), ("shop", false)]
    {
        let route = wanted::of_route(Some(route.to_owned()), None);
        check(Wanted { route, ..anything() }, expected);
    }
    for (namespace, expected) in [("shop", true), ("cart", false), ("sho", false)] {
        check(Wanted { route: wanted::of_route(None, Some(namespace)), ..anything() }, expected);
    }
    for (text, expected) in [("5xx", true), ("503", true), ("502", false), ("4XX", false)] {
        check(Wanted { status: statuses(text).ok(), ..anything() }, expected);
    }
    for (seconds, expected) in [(60, true), (59, false)] {
        check(Wanted { since: Some(Duration::from_secs(seconds)), ..anything() }, expected);
    }
    check(Wanted { cause: cause("NO_ENDPOINT").ok(), ..anything() }, true);
    check(Wanted { cause: cause("panic").ok(), ..anything() }, false);
}

#[test]
fn a_slip_is_told() {
    for text in ["", "5", "xx", "6xx", "99", "600", "5x", "-1xx"] {
        assert!(statuses(text).is_err(), "{text}");
    }
    let slip = cause("no_endpiont").expect_err("a slip");
    assert!(slip.contains("did you mean `no_endpoint`?"), "{slip}");
}

#[test]
fn what_was_seen_is_no_news_and_a_restart_is() {
    let mut known = Known::default();
    let mut news = |proxy: &str, last, failures| {
        let told = Failures { last, left_out: 0, failures };
        let answers = vec![(proxy.to_owned(), told)];
        let answers = Answers { target: String::new(), answers, silent: Vec::new() };
        let news = known.news(answers, &anything());
        news.iter().map(|one| one.failure.number).collect::<Vec<_>>()
    };
    assert_eq!(news("a", 2, vec![failed(2, 9), failed(1, 8)]), [1, 2]);
    assert_eq!(news("a", 3, vec![failed(1, 8), failed(2, 9), failed(3, 10)]), [3]);
    assert_eq!(news("b", 1, vec![failed(1, 5)]), [1]);
    assert_eq!(news("a", 1, vec![failed(1, 20)]), [1], "another process under its name");
}

#[test]
fn what_clients_send_steers_no_terminal() {
    let failure =
        Failed { method: "GET".to_owned(), path: "/\u{1b}[2J".to_owned(), ..failed(1, 1) };
    let one = Remembered { proxy: "1".to_owned(), failure };
    for text in [shown::line(&one), shown::story(&one, 1), shown::row(&one, true, 1).concat()] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn what_met_no_route_is_its_gateways() {
    let lost = Failed { route: "".into(), gateway: "edge/front".into(), ..failed(1, 0) };
    let nowhere = Failed { gateway: "".into(), ..lost.clone() };
    let takes = |name: Option<&str>, namespace: Option<&str>, failure: &Failed| {
        let route = wanted::of_route(name.map(str::to_owned), namespace);
        Wanted { route, ..anything() }.takes(failure, 0)
    };
    assert!(takes(None, Some("edge"), &lost) && !takes(None, Some("shop"), &lost));
    assert!(takes(None, None, &nowhere) && !takes(None, Some("edge"), &nowhere));
    assert!(!takes(Some("front"), None, &lost), "a Gateway is no route");
}
