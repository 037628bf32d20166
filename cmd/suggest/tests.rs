use super::nearest;

#[test]
fn a_slip_is_mended_and_another_word_is_not() {
    let words = ["no_endpoint", "no_backend", "bad_path", "files"];
    let check = |word, expected| assert_eq!(nearest(word, words), expected, "{word}");
    check("no_endpiont", Some("no_endpoint"));
    check("noendpoint", Some("no_endpoint"));
    check("file", Some("files"));
    check("fils", Some("files"));
    check("bad_pa", Some("bad_path"));
    check("weather", None);
    check("", None);
    check("x", None);
}
