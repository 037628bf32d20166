//! What a view says at one moment: lines and tables. In a pipe they stand as they are, on a screen as
//! they fit, drawn again with each look.

use std::time::Duration;

use ratatui::Frame;
use ratatui::style::Stylize;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use tokio::sync::mpsc;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::screen::{Screen, fit};

/// From the top down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page(Vec<Block>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Block {
    Line(String),
    Table { headings: Vec<&'static str>, rows: Vec<Vec<String>> },
}

/// The last line of a screen.
const FAREWELL: &str = "q or Ctrl-C leaves";

impl Page {
    pub fn line(&mut self, line: impl ToString) {
        self.0.push(Block::Line(line.to_string()));
    }

    pub fn table(&mut self, headings: &[&'static str], rows: Vec<Vec<String>>) {
        self.0.push(Block::Table { headings: headings.to_vec(), rows });
    }

    pub fn print(self, output: &mut Output) -> Result<(), Failure> {
        self.0.into_iter().try_for_each(|block| match block {
            Block::Line(line) => output.line(line),
            Block::Table { headings, rows } => output.table(&headings, rows),
        })
    }

    /// As many lines as there is room for; the last of them says how many there are more.
    fn lines(&self, width: usize, height: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for block in &self.0 {
            match block {
                Block::Line(text) => {
                    lines.extend(text.split('\n').map(|line| Line::from(fit::line(line, width))));
                }
                Block::Table { headings, rows } => {
                    let table = fit::table(headings, rows, width).into_iter().map(Line::from);
                    lines.extend(
                        table
                            .enumerate()
                            .map(|(at, line)| if at == 0 { line.bold() } else { line }),
                    );
                }
            }
        }
        if lines.len() > height {
            let more = lines.len() - height.saturating_sub(1);
            lines.truncate(height.saturating_sub(1));
            lines.push(Line::from(fit::line(&format!("… {more} more lines"), width)).dim());
        }
        lines
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let mut lines = self.lines(width, height.saturating_sub(1));
        lines.resize(height.saturating_sub(1), Line::default());
        lines.push(Line::from(fit::line(FAREWELL, width)).dim());
        frame.render_widget(Paragraph::new(lines), area);
    }
}

/// Shows what each look brings, until somebody leaves. A first look that fails is the answer; what
/// goes wrong later stands on the screen until it passes.
pub fn watch(
    every: Duration,
    look: impl FnMut() -> Result<Page, Failure> + Send + 'static,
) -> Result<Exit, Failure> {
    let failed = |what: &str, error: std::io::Error| {
        Failure::new(Exit::CouldNotAsk, format!("can't {what}: {error}"))
    };
    let mut looks = looks(every, look).map_err(|error| failed("start a thread", error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed("start the runtime", error))?;
    runtime.block_on(async {
        let Some(first) = looks.recv().await else { return Ok(Exit::Interrupted) };
        let mut page = first?;
        let mut screen = Screen::take().map_err(|error| failed("use the terminal", error))?;
        loop {
            screen
                .draw(|frame| page.draw(frame))
                .map_err(|error| failed("use the terminal", error))?;
            tokio::select! {
                exit = screen.quit() => return Ok(exit),
                Some(next) = looks.recv() => page = next.unwrap_or_else(|failure| {
                    let mut page = Page::default();
                    page.line(failure);
                    page
                }),
            }
        }
    })
}

/// A thread of its own, so that who leaves waits for no answer; it ends with the process.
fn looks(
    every: Duration,
    mut look: impl FnMut() -> Result<Page, Failure> + Send + 'static,
) -> std::io::Result<mpsc::Receiver<Result<Page, Failure>>> {
    let (tell, looks) = mpsc::channel(1);
    std::thread::Builder::new().name("looks".to_owned()).spawn(move || {
        while tell.blocking_send(look()).is_ok() {
            std::thread::sleep(every);
        }
    })?;
    Ok(looks)
}

#[cfg(test)]
mod tests;
