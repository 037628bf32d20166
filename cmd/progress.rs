//! How far something is: a bar that redraws itself on a terminal, one line per step elsewhere.

use std::fmt::Display;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// Redrawn this often while nothing else happens, so that a terminal shows that we live.
const TICK: Duration = Duration::from_millis(120);

pub struct Progress<'o> {
    output: &'o mut Output,
    /// `None` where nobody watches a bar.
    bar: Option<ProgressBar>,
    last: String,
}

impl<'o> Progress<'o> {
    pub fn new(output: &'o mut Output, steps: usize) -> Self {
        let bar = output.draws().then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(steps as u64),
                ProgressDrawTarget::stderr_with_hz(10),
            );
            let style = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {wide_msg}")
                .expect("the template is a constant");
            bar.set_style(style.progress_chars("=> "));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { output, bar, last: String::new() }
    }

    /// One step is done.
    pub fn step(&mut self, what: impl Display) {
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.set_message(what.to_string());
            }
            None => self.output.note(what),
        }
    }

    /// How it stands; said once where nobody watches.
    pub fn state(&mut self, what: impl Display) {
        let what = what.to_string();
        match &self.bar {
            Some(bar) => bar.set_message(what),
            None if what != self.last => {
                self.output.note(&what);
                self.last = what;
            }
            None => {}
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
