//! The terminal while the view is on it: taken over, read from, and given back as it was.

pub mod fit;

use std::io::{self, IsTerminal, Stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::exit::Exit;

/// How soon the reader of keys notices that nobody wants them any more.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
const ESC: u8 = 0x1b;
const CTRL_C: u8 = 0x03;

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

/// Reads the keys itself: what crossterm has for it never comes back from a terminal that is gone.
fn read_keys(tell: &mpsc::Sender<Exit>, over: &AtomicBool) {
    let keys = io::stdin();
    let mut bytes = [0; 64];
    while !over.load(Ordering::Relaxed) {
        let mut waits = [PollFd::new(&keys, PollFlags::IN)];
        match poll(&mut waits, Some(&LOOK)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) | Err(_) => {}
        }
        let read = rustix::io::read(&keys, &mut bytes).unwrap_or(0);
        let exit = if read == 0 { Some(Exit::Interrupted) } else { quit(&bytes[..read]) };
        if let Some(exit) = exit {
            // Where the channel is full, the wish is known.
            let _ = tell.try_send(exit);
        }
        if read == 0 {
            return;
        }
    }
}

/// `q`, and Ctrl-C, which is a key like any other here. What begins with ESC is one key of many
/// bytes.
fn quit(typed: &[u8]) -> Option<Exit> {
    if typed.first() == Some(&ESC) {
        return None;
    }
    typed.iter().find_map(|key| match *key {
        b'q' => Some(Exit::Yes),
        CTRL_C => Some(Exit::Interrupted),
        _ => None,
    })
}

#[cfg(test)]
pub mod tests;
