use super::*;
use crate::clock;

#[test]
fn what_came_since_the_last_word_is_told_by_the_second() {
    let (mut pace, start) = (Pace::default(), clock::now());
    let mut at = |millis: u64, stable: u64, canary: u64| {
        let counts = |requests| Counts { requests, ..Counts::default() };
        let totals = Pair { stable: counts(stable), canary: counts(canary) };
        pace.saw(start + Duration::from_millis(millis), totals);
        pace.say().map(|rates| (rates.stable, rates.canary))
    };
    assert_eq!(at(0, 7, 9), None, "one look is no rate");
    assert_eq!(at(900, 70, 90), None);
    assert_eq!(at(2_000, 207, 30), Some((100.0, 10.5)));
    // Too early for another word.
    assert_eq!(at(2_500, 9_000, 9_000), Some((100.0, 10.5)));
    assert_eq!(at(6_000, 207, 30), Some((0.0, 0.0)));
}
