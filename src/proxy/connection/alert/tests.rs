use super::*;

#[test]
fn of_many_refusals_one_is_told_and_the_rest_counted() {
    let refusals = Refusals::default();
    let start = clock::now();
    assert_eq!(refusals.due(start), Some(0), "the first is news");
    let soon = start + limits::REFUSAL_LOG / 2;
    assert_eq!([(); 1_000].map(|()| refusals.due(soon)), [None; 1_000]);
    let later = start + limits::REFUSAL_LOG;
    assert_eq!((refusals.due(later), refusals.due(later)), (Some(1_000), None));
}
