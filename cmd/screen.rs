//! The terminal while the view is on it: taken over, read from, and given back as it was.

use std::io::{self, Stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc;

/// How soon the reader of keys notices that nobody wants them any more.
const LOOK: Duration = Duration::from_millis(100);

/// Gives the terminal back when dropped.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    quits: mpsc::Receiver<()>,
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Screen {
    pub fn take() -> io::Result<Self> {
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let (tell, quits) = mpsc::channel(1);
        let over = Arc::new(AtomicBool::new(false));
        // From here on, whatever fails, the terminal is given back.
        let mut screen = Self { terminal, quits, over: Arc::clone(&over), reader: None };
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen)?;
        screen.terminal.hide_cursor()?;
        let reader = std::thread::Builder::new().name("keys".to_owned());
        screen.reader = Some(reader.spawn(move || read_keys(&tell, &over))?);
        Ok(screen)
    }

    pub fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(picture).map(drop)
    }

    /// Until somebody wants to leave. A terminal that can't be read any more is left, too.
    pub async fn quit(&mut self) {
        self.quits.recv().await;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // It held the terminal's input; what is typed from here on is the shell's.
            let _ = reader.join();
        }
        // A terminal that is gone can't be told.
        let _ = self.terminal.show_cursor();
        let _ = execute!(io::stdout(), LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

fn read_keys(tell: &mpsc::Sender<()>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let event = match event::poll(LOOK) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let is_gone = event.is_err();
        if event.map_or(true, |event| is_quit(&event)) {
            // Where the channel is full, the wish is known.
            let _ = tell.try_send(());
        }
        if is_gone {
            return;
        }
    }
}

/// `q`, and Ctrl-C, which is a key like any other here.
fn is_quit(event: &Event) -> bool {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else {
        return false;
    };
    match code {
        KeyCode::Char('q') => true,
        KeyCode::Char('c') => modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
