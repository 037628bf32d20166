pub mod picture;

use super::*;

#[test]
fn q_and_ctrl_c_leave_and_other_keys_do_not() {
    assert_eq!(quit(b"q"), Some(Exit::Yes));
    assert_eq!(quit(b"\x03"), Some(Exit::Interrupted));
    assert_eq!(quit(b"jq"), Some(Exit::Yes), "typed faster than they are read");
    for other in [&b"c"[..], b"\r", b"Q", b"\x1b[A", b"\x1bOq"] {
        assert_eq!(quit(other), None, "{other:?}");
    }
}
