use super::*;

/// A text that is kept up to four bytes.
#[derive(Default)]
struct Note(String);

impl Spare for Note {
    fn renew(&mut self) -> bool {
        let keep = self.0.len() <= 4;
        self.0.clear();
        keep
    }
}

fn address(note: &Lent<Note>) -> *const Note {
    &raw const **note
}

#[test]
fn what_comes_back_is_lent_again_and_clean() {
    let spares = Spares::<Note>::default();
    let mut first = spares.lend();
    first.0.push_str("old");
    let place = address(&first);
    drop(first);
    let again = spares.lend();
    assert_eq!(address(&again), place);
    assert_eq!(again.0, "");
    assert_ne!(address(&spares.lend()), place, "nothing is lent twice");
}

#[test]
fn what_grew_too_large_is_not_kept() {
    let spares = Spares::<Note>::default();
    spares.lend().0.push_str("too long");
    assert!(spares.0.borrow().is_empty());
}

#[test]
fn no_more_are_kept_than_the_limit() {
    let spares = Spares::<Note>::default();
    let lent: Vec<_> = (0..limits::SPARES + 10).map(|_| spares.lend()).collect();
    drop(lent);
    assert_eq!(spares.0.borrow().len(), limits::SPARES);
}

#[test]
fn a_loan_may_outlive_its_worker() {
    let spares = Spares::<Note>::default();
    let lent = spares.lend();
    drop(spares);
    drop(lent);
}
