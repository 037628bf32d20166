use super::*;

fn press(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

#[test]
fn q_and_ctrl_c_leave_and_other_keys_do_not() {
    assert!(is_quit(&press(KeyCode::Char('q'), KeyModifiers::NONE)));
    assert!(is_quit(&press(KeyCode::Char('c'), KeyModifiers::CONTROL)));
    assert!(!is_quit(&press(KeyCode::Char('c'), KeyModifiers::NONE)));
    assert!(!is_quit(&press(KeyCode::Enter, KeyModifiers::NONE)));
    assert!(!is_quit(&Event::Resize(80, 24)));
}
