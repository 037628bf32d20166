//! The terminal while the view is on it: taken over, read from, and given back as it was.

pub mod fit;

use std::io::{self, IsTerminal, Stdout};
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
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::exit::Exit;

/// How soon the reader of keys notices that nobody wants them any more.
const LOOK: Duration = Duration::from_millis(100);

/// Gives the terminal back when dropped.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    quits: mpsc::Receiver<Exit>,
    /// Nobody's wish to see more: the terminal is given back before the process ends.
    ended: [Signal; 2],
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Screen {
    /// Both ends of a terminal are there.
    pub fn is_there() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Within a runtime, which hears of signals.
    pub fn take() -> io::Result<Self> {
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let (tell, quits) = mpsc::channel(1);
        let over = Arc::new(AtomicBool::new(false));
        // From here on, whatever fails, the terminal is given back.
        let ended = [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
        let mut screen = Self { terminal, quits, ended, over: Arc::clone(&over), reader: None };
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

    /// Until somebody wants to leave: `Yes` for q, `Interrupted` for Ctrl-C and signals. A terminal
    /// that can't be read any more is left, too.
    pub async fn quit(&mut self) -> Exit {
        let [terminate, hangup] = &mut self.ended;
        tokio::select! {
            exit = self.quits.recv() => exit.unwrap_or(Exit::Interrupted),
            _ = terminate.recv() => Exit::Interrupted,
            _ = hangup.recv() => Exit::Interrupted,
        }
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

fn read_keys(tell: &mpsc::Sender<Exit>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let event = match event::poll(LOOK) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let is_gone = event.is_err();
        if let Some(exit) = event.map_or(Some(Exit::Interrupted), |event| quit(&event)) {
            // Where the channel is full, the wish is known.
            let _ = tell.try_send(exit);
        }
        if is_gone {
            return;
        }
    }
}

/// `q`, and Ctrl-C, which is a key like any other here.
fn quit(event: &Event) -> Option<Exit> {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else {
        return None;
    };
    match code {
        KeyCode::Char('q') => Some(Exit::Yes),
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Exit::Interrupted),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
