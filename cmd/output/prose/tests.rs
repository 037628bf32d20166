use super::render;

fn check(markdown: &str, width: usize, expected: &str) {
    let plain = anstream::adapter::strip_str(&render(markdown, width)).to_string();
    assert_eq!(plain, expected, "{markdown:?} at {width}");
}

#[test]
fn paragraphs_wrap_lists_hang_and_indented_lines_stay() {
    check("one two three four", 9, "one two\nthree\nfour\n");
    check("one\ntwo\n\nthree", 20, "one two\n\nthree\n");
    check("# Files\n\ntext", 20, "Files\n\ntext\n");
    check("- one two three\n- four", 12, "  - one two\n    three\n  - four\n");
    check(
        "a\n\n    kept   as it is, however long\n",
        10,
        "a\n\n    kept   as it is, however long\n",
    );
    check("an_unbreakable_word_longer_than_that x", 8, "an_unbreakable_word_longer_than_that\nx\n");
    check("", 10, "");
}
