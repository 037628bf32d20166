//! What tests see of a view: a terminal of a size, and the pictures that are kept.

#![allow(clippy::unwrap_used, reason = "only tests draw here")]

use std::path::Path;

use ratatui::backend::TestBackend;
use ratatui::{Frame, Terminal};

/// What stands on a terminal of that size.
pub fn drawn(width: u16, height: u16, draw: impl FnOnce(&mut Frame<'_>)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(draw).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
}

/// Compares with the file below `cmd`, or rewrites it.
#[expect(clippy::disallowed_methods, reason = "this is where the test asks")]
pub fn check(file: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cmd").join(file);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(path, picture).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == picture, "UPDATE=1 rewrites {}; now it is\n{picture}", path.display());
}
