use super::*;

fn press(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

#[test]
fn q_and_ctrl_c_leave_and_other_keys_do_not() {
    assert_eq!(quit(&press(KeyCode::Char('q'), KeyModifiers::NONE)), Some(Exit::Yes));
    let ctrl_c = press(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(quit(&ctrl_c), Some(Exit::Interrupted));
    assert_eq!(quit(&press(KeyCode::Char('c'), KeyModifiers::NONE)), None);
    assert_eq!(quit(&press(KeyCode::Enter, KeyModifiers::NONE)), None);
    assert_eq!(quit(&Event::Resize(80, 24)), None);
}
