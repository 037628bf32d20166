use super::*;

#[test]
fn every_code_is_explained_in_its_own_range() {
    let mut last = Code(199);
    for row in TABLE {
        assert!(last < row.code && row.code < Code(300), "{}", row.code);
        last = row.code;
        assert!(!row.title.ends_with('.') && row.text.len() > 80, "{}", row.code);
        assert!(row.text.ends_with('\n'), "{}", row.code);
        assert!(row.text.lines().all(|line| line.chars().count() <= 100), "{}", row.code);
    }
    assert_eq!(explain(NOT_UTF8).map(|row| row.title), Some("not text"));
    assert!(explain(Code(1)).is_none());
}
