use super::*;

#[test]
fn a_line_never_ends_within_a_number() {
    for (text, width, expected) in [
        ("weight 25%", 10, "weight 25%"),
        ("weight 25%", 9, "weight…"),
        ("weight 1250 of", 12, "weight 1250…"),
        ("weight 1250 of", 11, "weight…"),
        ("took 1.25 s", 8, "took…"),
        ("shop/cart", 6, "shop/…"),
        ("shop", 1, "…"),
        ("shop", 0, ""),
        ("1234", 3, "…"),
    ] {
        assert_eq!(line(text, width), expected, "{text} in {width}");
    }
}

fn rows() -> Vec<Vec<String>> {
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    vec![
        row(["a-namespace/a-route-with-a-name", "75.2", "1.5%", "it has no backend that is ready"]),
        row(["shop/cart", "1234", "0%", "-"]),
    ]
}

#[test]
fn a_table_that_fits_is_whole() {
    let lines = table(&["ROUTE", "REQ/S", "ERRORS", "WHY"], &rows(), 80);
    assert_eq!(
        lines,
        [
            "ROUTE                            REQ/S  ERRORS  WHY",
            "a-namespace/a-route-with-a-name  75.2   1.5%    it has no backend that is ready",
            "shop/cart                        1234   0%      -",
        ]
    );
}

#[test]
fn words_give_way_to_numbers() {
    let lines = table(&["ROUTE", "REQ/S", "ERRORS", "WHY"], &rows(), 50);
    assert_eq!(
        lines,
        [
            "ROUTE              REQ/S  ERRORS  WHY",
            "a-namespace/a-ro…  75.2   1.5%    it has no backe…",
            "shop/cart          1234   0%      -",
        ]
    );
}

#[test]
fn columns_that_have_no_room_are_left_out_whole() {
    let lines = table(&["ROUTE", "REQ/S", "ERRORS", "WHY"], &rows(), 30);
    assert_eq!(
        lines,
        [
            "ROUTE            REQ/S  ERRORS",
            "a-namespace/a-…  75.2   1.5%",
            "shop/cart        1234   0%"
        ]
    );
    for width in 0..100 {
        let lines = table(&["ROUTE", "REQ/S", "ERRORS", "WHY"], &rows(), width);
        assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:?}");
        let cut = lines.iter().any(|line| line.ends_with("12") || line.ends_with("75."));
        assert!(!cut, "{width}: {lines:?}");
    }
}
