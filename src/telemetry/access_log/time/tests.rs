use super::*;

fn rfc3339(seconds: u64, micros: u32) -> String {
    let mut line = Vec::new();
    Civil::new(Duration::new(seconds, micros * 1000)).push_rfc3339(&mut line);
    String::from_utf8(line).expect("digits")
}

#[test]
fn moments_read_as_a_calendar_says_them() {
    for (seconds, expected) in [
        (0, "1970-01-01T00:00:00.000007Z"),
        (951_782_400, "2000-02-29T00:00:00.000007Z"),
        (951_868_800, "2000-03-01T00:00:00.000007Z"),
        (1_709_251_199, "2024-02-29T23:59:59.000007Z"),
        (1_795_460_139, "2026-11-23T18:55:39.000007Z"),
        (4_107_542_399, "2100-02-28T23:59:59.000007Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000007Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000007Z"),
    ] {
        assert_eq!(rfc3339(seconds, 7), expected);
    }
    let mut line = Vec::new();
    Civil::new(Duration::from_secs(1_795_460_139)).push_common(&mut line);
    assert_eq!(line, b"23/Nov/2026:18:55:39 +0000");
}

#[test]
fn every_day_follows_the_one_before() {
    let mut before = date(0);
    assert_eq!(before, (1970, 1, 1));
    for days in 1..150_000 {
        let (year, month, day) = date(days);
        let every = |years| before.0.is_multiple_of(years);
        let leap = every(4) && (!every(100) || every(400));
        let length = match before.1 {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let expected = match before {
            (year, 12, 31) => (year + 1, 1, 1),
            (year, month, day) if day == length => (year, month + 1, 1),
            (year, month, day) => (year, month, day + 1),
        };
        assert_eq!((year, month, day), expected);
        before = (year, month, day);
    }
}

#[test]
fn durations_have_six_decimals() {
    let mut line = Vec::new();
    push_seconds(&mut line, Duration::new(61, 1_234_567));
    assert_eq!(line, b"61.001234");
}
