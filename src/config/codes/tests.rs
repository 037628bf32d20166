use super::*;

#[test]
fn numbers_ascend_and_every_row_says_something() {
    let rows: Vec<_> = all().collect();
    for pair in rows.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
    }
    for row in rows {
        assert!(!row.title.is_empty() && !row.title.ends_with('.'), "{}", row.code);
        assert!(!row.help.is_empty() && !row.help.ends_with('.'), "{}", row.code);
        assert!(row.help.chars().count() <= 100, "{}", row.code);
        assert!(row.text.len() > 80, "{} explains nothing", row.code);
        assert!(row.text.ends_with('\n'), "{}", row.code);
        assert!(row.text.lines().all(|line| line.chars().count() <= 100), "{}", row.code);
    }
}

#[test]
fn codes_are_found_as_they_are_typed() {
    for text in ["MC0012", "mc0012", "mc12", "12"] {
        assert_eq!(parse(text), Some(UNKNOWN_FIELD), "{text}");
    }
    for text in ["", "MC", "MC+12", "x12", "MC99999999", "é1", "M"] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert_eq!(explain(UNKNOWN_FIELD).map(|row| row.title), Some("unknown field"));
    assert!(explain(Code(0)).is_none());
}
