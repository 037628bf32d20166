use super::*;

#[test]
fn what_could_forge_a_line_or_steer_a_terminal_is_escaped() {
    let check = |text: &[u8], json: &str, plain: &str| {
        let mut line = Vec::new();
        push_json(&mut line, text);
        assert_eq!(String::from_utf8_lossy(&line), json);
        line.clear();
        push_text(&mut line, text);
        assert_eq!(String::from_utf8_lossy(&line), plain);
    };
    check(b"/cart?x=1", "/cart?x=1", "/cart?x=1");
    check(b"a\r\nb", "a\\u000d\\u000ab", "a\\x0d\\x0ab");
    check(b"\x1b[2J\0\x7f", "\\u001b[2J\\u0000\\u007f", "\\x1b[2J\\x00\\x7f");
    check(b"\" \\", "\\\" \\\\", "\\\" \\\\");
    check("größe 🦀".as_bytes(), "größe 🦀", "größe 🦀");
    check("\u{9b}31m".as_bytes(), "\\u009b31m", "\\xc2\\x9b31m");
    check("\u{2028}\u{202e}".as_bytes(), "\\u2028\\u202e", "\\xe2\\x80\\xa8\\xe2\\x80\\xae");
    check(b"\xff\xc3", "\u{fffd}\u{fffd}", "\\xff\\xc3");
}
