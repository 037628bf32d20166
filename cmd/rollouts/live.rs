//! The live view of a rollout: a picture of one moment, drawn again each second.

use std::collections::VecDeque;
use std::time::Duration;

use meshctl::limits;
use meshctl::rollout::RolloutKind;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Sparkline, Wrap};

use super::drive;
use super::place::{Known, Place};
use super::show::{self, Shown};
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

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

/// Until the rollout is over, or somebody leaves; neither changes anything.
pub async fn watch(place: &Place, known: Known) -> Result<(Shown, Exit), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::CouldNotAsk, format!("can't use the terminal: {error}"))
    };
    let mut screen = Screen::take().map_err(failed)?;
    let mut shown = show::look(place, known).await?;
    let mut rates = Rates::default();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let known = place.again(&shown.known).await?;
                shown = show::look(place, known).await?;
                rates.push(&shown);
                screen.draw(|frame| draw(frame, &shown, &rates)).map_err(failed)?;
            }
            () = screen.quit() => break,
        }
        if shown.known.state.phase.is_over() {
            break;
        }
    }
    let exit = show::exit([shown.known.state.phase].into_iter());
    Ok((shown, exit))
}

pub fn draw(frame: &mut Frame<'_>, shown: &Shown, rates: &Rates) {
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
    let farewell = " q or Ctrl-C leaves the view; the rollout goes on as it does";
    frame.render_widget(Paragraph::new(farewell).dim(), last);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let state = &shown.known.state;
    let name = format!("{}  {}  ", shown.known.name(), shown.known.rollout.route);
    let phase = Span::styled(state.phase.as_str(), style_of(shown));
    let mut words = vec![name.bold(), phase];
    if !state.message.is_empty() {
        words.push(format!(": {}", state.message).into());
    }
    frame.render_widget(Paragraph::new(Line::from(words)).wrap(Wrap { trim: true }), area);
}

/// What somebody across the room has to see.
fn style_of(shown: &Shown) -> Style {
    match drive::exit_of(shown.known.state.phase) {
        Some(Exit::Yes) => Style::new().fg(Color::Green).bold(),
        Some(_) => Style::new().fg(Color::Red).bold(),
        None => Style::new().fg(Color::Yellow).bold(),
    }
}

fn draw_steps(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let weight = shown.known.state.weight;
    let mut words: Vec<Span<'_>> = vec![" steps    ".into()];
    for step in shown.steps() {
        words.push(match step.cmp(&weight) {
            std::cmp::Ordering::Less => format!("✓ {step}%  ").green(),
            std::cmp::Ordering::Equal => format!("▶ {step}%  ").bold(),
            std::cmp::Ordering::Greater => format!("· {step}%  ").dim(),
        });
    }
    if let RolloutKind::DarkLaunch(dark) = &shown.known.rollout.kind {
        words = vec![format!(" copies   {}% of the requests", dark.percent).into()];
    }
    frame.render_widget(Line::from(words), area);
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
    let mut rows = vec![show::ARMS.map(str::to_owned).to_vec()];
    rows.extend(shown.arms());
    let columns = rows.first().map_or(0, Vec::len);
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let mut lines: Vec<Line<'_>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  "));
            let line = Line::from(format!(" {}", cells.collect::<String>().trim_end()));
            if at == 0 { line.bold() } else { line }
        })
        .collect();
    let verdict = shown.view.verdict.as_deref().unwrap_or("none yet");
    lines.push(Line::from(format!(" verdict  {verdict}")));
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
        let block = Block::bordered().title(format!(" {name}, requests/s "));
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
    let lines: Vec<Line<'_>> =
        all.iter().skip(first).map(|event| drive::line(&name, event).into()).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

#[cfg(test)]
mod tests;
