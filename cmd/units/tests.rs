use super::*;

#[test]
fn times_are_short() {
    assert_eq!(
        [0.0, 0.000_85, 0.012, 1.5, 75.0].map(seconds),
        ["0µs", "850µs", "12ms", "1.50s", "75.00s"]
    );
    assert_eq!([0, 119, 120, 7_200, 172_800].map(age), ["0s", "119s", "2m", "2h", "2d"]);
    assert_eq!((ago(1_000, 61_000), ago(2_000, 1_000)), ("60s".to_owned(), "0s".to_owned()));
    assert_eq!(time_of_day(1_795_510_501_250), "2026-11-24T08:55:01.250Z");
    assert_eq!([0, 1, 2].map(|n| count(n, "route")), ["0 routes", "1 route", "2 routes"]);
}
