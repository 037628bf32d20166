use super::*;

#[test]
fn it_is_read_as_it_is_written() {
    let text = "2026-11-24T12:00:00Z 0=100,0 2=1,0";
    let read: Returning = text.parse().unwrap();
    assert_eq!(read.rules, BTreeMap::from([(0, vec![100, 0]), (2, vec![1, 0])]));
    assert_eq!(read.to_string(), text);
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        "soon 0=1",
        "2026-11-24T12:00:00Z",
        "2026-11-24 0=1",
        "2026-11-24T12:00:00Z 0",
        "2026-11-24T12:00:00Z 0=",
        "2026-11-24T12:00:00Z 0=1,",
        "2026-11-24T12:00:00Z 0=-1",
        "2026-11-24T12:00:00Z 0=1000001",
        "2026-11-24T12:00:00Z x=1",
        "2026-11-24T12:00:00Z 0=1 0=2",
    ] {
        assert_eq!(text.parse::<Returning>(), Err(NotReturning), "{text}");
    }
}

#[test]
fn weights_are_others_from_its_time_on_where_the_rule_is_still_the_same() {
    let read: Returning = "1970-01-01T00:01:40Z 1=100,0".parse().unwrap();
    assert_eq!(read.weights(1, 2, 99), None);
    assert_eq!(read.weights(1, 2, 100), Some(&[100, 0][..]));
    assert_eq!(read.weights(0, 2, 100), None);
    assert_eq!(read.weights(1, 3, 100), None, "somebody has added a backend");
}
