use super::*;

#[test]
fn a_record_stays_small_enough_to_live_in_every_exchange() {
    assert!(size_of::<Record>() <= 1024, "{} bytes", size_of::<Record>());
}

#[test]
fn a_text_is_kept_up_to_its_bound() {
    let mut text = Inline::<4>::new(b"GET");
    assert_eq!((text.as_bytes(), text.is_cut()), (&b"GET"[..], false));
    text.set(b"DELETE");
    assert_eq!((text.as_bytes(), text.is_cut()), (&b"DELE"[..], true));
    text.set(b"");
    assert!(text.is_empty() && !text.is_cut());
}
