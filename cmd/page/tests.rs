use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;

fn page(rows: usize) -> Page {
    let mut page = Page::default();
    page.line("cluster prod, 2 proxies\n");
    let row = |number: usize| vec![format!("shop/route-{number}"), number.to_string()];
    page.table(&["ROUTE", "REQ/S"], (0..rows).map(row).collect());
    page
}

fn drawn(page: &Page, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("it has a size");
    terminal.draw(|frame| page.draw(frame)).expect("it takes everything");
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| line(y).trim_end().to_owned()).collect()
}

#[test]
fn a_page_stands_above_the_way_out() {
    let lines = drawn(&page(2), 40, 8);
    let expected = [
        "cluster prod, 2 proxies",
        "",
        "ROUTE         REQ/S",
        "shop/route-0  0",
        "shop/route-1  1",
        "",
        "",
        FAREWELL,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_has_no_room_is_counted() {
    let lines = drawn(&page(10), 40, 6);
    let expected = [
        "cluster prod, 2 proxies",
        "",
        "ROUTE         REQ/S",
        "shop/route-0  0",
        "… 9 more lines",
        FAREWELL,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn no_size_of_a_terminal_is_too_small_to_draw_on() {
    for (width, height) in [(1, 1), (1, 3), (3, 2), (12, 1), (25, 2)] {
        drawn(&page(3), width, height);
    }
}
