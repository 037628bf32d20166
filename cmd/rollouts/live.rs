//! The live view of a rollout: a picture of one moment, drawn again each second.

use std::collections::VecDeque;
use std::time::Duration;

use meshctl::limits;
use meshctl::rollout::RolloutKind;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Sparkline};

use super::drive;
use super::place::{Known, Place};
use super::show::{self, Shown};
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, fit};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Columns beside a bar.
const BESIDE_BAR: usize = 24;

/// Requests per second of both versions, the newest last.
#[derive(Default)]
pub struct Rates([VecDeque<u64>; 2]);

impl Rates {
    pub fn push(&mut self, shown: &Shown) {
        let rate = |rate: Option<f64>| rate.unwrap_or(0.0).round() as u64;
        let stable = shown.view.stable.as_ref().and_then(|arm| arm.per_second);
        for (all, now) in self.0.iter_mut().zip([stable, shown.view.canary.per_second]) {
            all.push_back(rate(now));
            if all.len() > limits::DEMO_TICKS {
                all.pop_front();
            }
        }
    }
}

/// A terminal with the view on it.
pub struct Live {
    screen: Screen,
    rates: Rates,
    farewell: &'static str,
}

impl Live {
    /// `farewell`: what leaving means.
    pub fn take(farewell: &'static str) -> Result<Self, Failure> {
        let screen = Screen::take().map_err(failed)?;
        Ok(Self { screen, rates: Rates::default(), farewell })
    }

    /// Draws the next moment.
    pub fn show(&mut self, shown: &Shown) -> Result<(), Failure> {
        self.rates.push(shown);
        let Self { screen, rates, farewell } = self;
        screen.draw(|frame| draw(frame, shown, rates, farewell)).map_err(failed)
    }

    /// Until somebody leaves.
    pub async fn quit(&mut self) -> Exit {
        self.screen.quit().await
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(Exit::CouldNotAsk, format!("can't use the terminal: {error}"))
}

/// Until the rollout is over, or somebody leaves; neither changes anything.
pub async fn watch(place: &Place, known: Known) -> Result<(Shown, Exit), Failure> {
    let mut shown = show::look(place, known).await?;
    let mut live = Live::take(" q or Ctrl-C leaves the view; the rollout goes on as it does")?;
    loop {
        live.show(&shown)?;
        let Known { state, rollout, .. } = &shown.known;
        let exit = show::exit([state.phase].into_iter());
        if state.phase.is_over() && state.answers(rollout) {
            return Ok((shown, exit));
        }
        tokio::select! {
            next = next(place, &shown) => shown = next,
            left = live.quit() => {
                let exit = if left == Exit::Interrupted { left } else { exit };
                return Ok((shown, exit));
            }
        }
    }
}

/// The next moment; what can't be read, or is gone, is told beside what was seen last.
async fn next(place: &Place, shown: &Shown) -> Shown {
    tokio::time::sleep(LOOK).await;
    let look = async || show::look(place, place.again(&shown.known).await?).await;
    look().await.unwrap_or_else(|failure| {
        let mut shown = shown.clone();
        shown.view.error = Some(failure.to_string());
        shown
    })
}

fn draw(frame: &mut Frame<'_>, shown: &Shown, rates: &Rates, farewell: &str) {
    let [head, steps, shares, arms, versions, history, last] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(4),
        Constraint::Min(4),
        Constraint::Length(7),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_head(frame, head, shown);
    draw_steps(frame, steps, shown);
    draw_shares(frame, shares, shown);
    draw_arms(frame, arms, shown);
    draw_versions(frame, versions, shown, rates);
    draw_history(frame, history, shown);
    let farewell = fit::line(farewell, last.width.into());
    frame.render_widget(Paragraph::new(farewell).dim(), last);
}

/// What it is, and why; what is wrong is more than that.
fn draw_head(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let width = usize::from(area.width);
    let state = &shown.known.state;
    let name =
        fit::line(&format!("{}  {}  ", shown.known.name(), shown.known.rollout.route), width);
    let phase = Span::styled(state.phase.as_str(), style_of(shown));
    let message = match &shown.view.error {
        Some(error) => fit::line(error, width).red(),
        None => fit::line(&state.message, width).into(),
    };
    let lines = vec![Line::from(vec![name.bold(), phase]), Line::from(message)];
    frame.render_widget(Paragraph::new(lines), area);
}

/// What somebody across the room has to see.
fn style_of(shown: &Shown) -> Style {
    match drive::exit_of(shown.known.state.phase) {
        Some(Exit::Yes) => Style::new().fg(Color::Green).bold(),
        Some(_) => Style::new().fg(Color::Red).bold(),
        None => Style::new().fg(Color::Yellow).bold(),
    }
}

/// Of steps that have no room for all, those around the one that is.
fn draw_steps(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    if let RolloutKind::DarkLaunch(dark) = &shown.known.rollout.kind {
        let words = format!(" copies   {}% of the requests", dark.percent);
        return frame.render_widget(Line::from(fit::line(&words, area.width.into())), area);
    }
    let weight = shown.known.state.weight;
    let mut words: Vec<Span<'_>> = shown
        .steps()
        .into_iter()
        .map(|step| match step.cmp(&weight) {
            std::cmp::Ordering::Less => format!("✓ {step}%  ").green(),
            std::cmp::Ordering::Equal => format!("▶ {step}%  ").bold(),
            std::cmp::Ordering::Greater => format!("· {step}%  ").dim(),
        })
        .collect();
    let done = shown.steps().iter().filter(|step| **step < weight).count();
    let first: Span<'_> = " steps    ".into();
    let room = usize::from(area.width).saturating_sub(first.width());
    let (mut left, mut right) = (false, false);
    while words.iter().map(Span::width).sum::<usize>() > room.saturating_sub(4) && words.len() > 1 {
        // The steps before are the first to go, as long as the one that is stays in sight.
        if !left && done > 1 || left && words[0].content.starts_with('✓') {
            words.remove(0);
            left = true;
        } else {
            words.pop();
            right = true;
        }
    }
    let more = |is_more: bool| is_more.then(|| Span::from("… "));
    let line: Vec<Span<'_>> =
        [first].into_iter().chain(more(left)).chain(words).chain(more(right)).collect();
    frame.render_widget(Line::from(line), area);
}

/// Two bars: what is asked, and what is.
fn draw_shares(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let width = usize::from(area.width).saturating_sub(BESIDE_BAR);
    let bar = |name: &str, percent: Option<f64>| {
        let of_new = percent.unwrap_or(0.0).clamp(0.0, 100.0) / 100.0;
        let new = (of_new * width as f64).round() as usize;
        let after = percent.map_or("nothing yet".to_owned(), |percent| format!("{percent}%"));
        Line::from(vec![
            format!(" {name:<8} ").into(),
            Span::styled("█".repeat(new), Color::Green),
            Span::styled("░".repeat(width - new), Color::Blue),
            format!("  {after}").into(),
        ])
    };
    let asked = bar("asked", Some(shown.known.state.weight.into()));
    let measured = bar("measured", shown.view.measured);
    frame.render_widget(Paragraph::new(vec![asked, measured]), area);
}

fn draw_arms(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let width = usize::from(area.width).saturating_sub(1);
    let table = fit::table(&show::ARMS, &shown.arms(), width);
    let mut lines: Vec<Line<'_>> = table
        .into_iter()
        .enumerate()
        .map(|(at, row)| {
            let line = Line::from(format!(" {row}"));
            if at == 0 { line.bold() } else { line }
        })
        .collect();
    let verdict = shown.view.verdict.as_deref().unwrap_or("none yet");
    lines.push(Line::from(format!(" {}", fit::line(&format!("verdict  {verdict}"), width))));
    frame.render_widget(Paragraph::new(lines), area);
}

fn draw_versions(frame: &mut Frame<'_>, area: Rect, shown: &Shown, rates: &Rates) {
    let (stable, new, _) = shown.known.rollout.versions();
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let areas: [Rect; 2] = Layout::horizontal(halves).areas(area);
    // One scale for both, so that they can be compared.
    let highest = rates.0.iter().flatten().copied().max().unwrap_or(0).max(1);
    let names = [stable.map(ToString::to_string), Some(new.to_string())];
    let colours = [Color::Blue, Color::Green];
    for (((name, area), values), colour) in names.into_iter().zip(areas).zip(&rates.0).zip(colours)
    {
        let Some(name) = name else { continue };
        let room = usize::from(area.width).saturating_sub(4);
        let title = fit::line(&format!("{name}, requests/s"), room);
        let block = Block::bordered().title(format!(" {title} "));
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let shown = values.len().min(usize::from(inner.width));
        let newest: Vec<u64> = values.iter().skip(values.len() - shown).copied().collect();
        let bars = Sparkline::default().data(&newest).max(highest).style(Style::new().fg(colour));
        frame.render_widget(bars, inner);
    }
}

/// The newest last.
fn draw_history(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let block = Block::bordered().title(" what happened ");
    let inner = block.inner(area);
    let name = shown.known.name();
    let all = &shown.known.state.history;
    let first = all.len().saturating_sub(inner.height.into());
    let fitted = |event| fit::line(&drive::line(&name, event), inner.width.into());
    let lines: Vec<Line<'_>> = all.iter().skip(first).map(|event| fitted(event).into()).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

#[cfg(test)]
mod tests;
