use super::*;

#[test]
fn durations_are_gep_2257() {
    let good = [
        ("0s", 0),
        ("1h", 3_600_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1s500ms", 1_500),
        ("99999h99999m99999s99999ms", 99999 * 3_600_000 + 99999 * 60_000 + 99999 * 1_001),
        ("1s1s", 2_000),
    ];
    for (text, milliseconds) in good {
        assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    for text in [
        "",
        "5",
        "s",
        "1d",
        "1.5s",
        "-1s",
        "+1s",
        "1 s",
        "100000s",
        "1h1h1h1h1h",
        "1S",
        "1us",
        "١s",
        "1s ",
        "99999999999999999999999s",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn an_error_says_what_to_write() {
    let check = |text, part| {
        let error = parse(text).expect_err(text);
        assert!(error.contains(part), "{text:?}: {error}");
    };
    check("30", "30s or 30m");
    check("1.5s", "`1s500ms`");
    check("5d", "`24h`");
    check("100000s", "larger unit");
    check("-5s", "no sign");
    check("5 m", "`500ms`");
    check("", "`500ms`");
    check("1h1h1h1h1h", "four parts");
}
