use super::*;

#[test]
fn words_and_our_own_colours_stay() {
    for text in ["", "shop\t5%\n", "größer → 25%", "\x1b[1mROUTE\x1b[0m", "\x1b[1;31mno\x1b[m"]
    {
        assert_eq!(tame(text), text);
    }
}

#[test]
fn nothing_steers_the_terminal() {
    for (text, shown) in [
        ("\x1b]0;title\x07", "\u{fffd}]0;title\u{fffd}"),
        ("\x1b[2J\x1b[H", "\u{fffd}[2J\u{fffd}[H"),
        ("\x1b[31", "\u{fffd}[31"),
        ("\x1b", "\u{fffd}"),
        ("over\rwritten", "over\u{fffd}written"),
        ("\u{9b}2J", "\u{fffd}2J"),
        ("gnp.\u{202e}exe", "gnp.\u{fffd}exe"),
        ("\x1b[\x1b[1mx", "\u{fffd}[\x1b[1mx"),
    ] {
        assert_eq!(tame(text), shown, "{text:?}");
    }
}
