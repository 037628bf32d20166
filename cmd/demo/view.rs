//! The live view: a picture of one moment, made from that moment's numbers and nothing else.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Sparkline, Wrap};

use super::meter::{Phase, Recent};
use super::plan::{STEPS, STORY, Version, Weights};
use super::report::StepReport;

/// Below this, the blocks of the versions stand one above the other.
const SIDE_BY_SIDE: u16 = 60;

/// Where something went wrong, its sentence needs more than one.
const TROUBLE_LINES: u16 = 2;
/// Columns that the names and numbers beside the bars take.
const BESIDE_BARS: usize = 30;

/// All that is shown.
pub struct View<'a> {
    pub phase: Phase,
    pub elapsed: Duration,
    pub total: Duration,
    /// As the gateway says; `None` where it doesn't.
    pub weights: Option<Weights>,
    pub recent: [Recent; 2],
    pub steps: &'a [StepReport],
    pub lost: u64,
    /// What went wrong.
    pub trouble: Option<&'a str>,
    /// Commands to try, and what each is for.
    pub commands: &'a [(String, &'static str)],
    pub farewell: &'a str,
}

pub fn draw(frame: &mut Frame<'_>, view: &View<'_>) {
    let tries = view.commands.len() as u16 + 2;
    let last_lines = if view.trouble.is_some() { TROUBLE_LINES } else { 1 };
    let [title, steps, shares, versions, commands, last] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(STEPS.len() as u16 + 2),
        Constraint::Length(2),
        Constraint::Min(6),
        Constraint::Length(tries),
        Constraint::Length(last_lines),
    ])
    .areas(frame.area());
    draw_title(frame, title, view);
    draw_steps(frame, steps, view);
    draw_shares(frame, shares, view);
    draw_versions(frame, versions, view);
    draw_commands(frame, commands, view);
    let last_words = match view.trouble {
        Some(trouble) => Paragraph::new(trouble).wrap(Wrap { trim: true }).red().bold(),
        None => Paragraph::new(view.farewell).dim(),
    };
    frame.render_widget(last_words, last);
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let left = Line::from("meshctl demo: from v1 to v2").bold();
    let clock = match view.phase {
        Phase::After => "the plan is done: edit the weights yourself".to_owned(),
        _ => format!("{} of {}", minutes(view.elapsed), minutes(view.total)),
    };
    frame.render_widget(left, area);
    frame.render_widget(Line::from(clock).alignment(Alignment::Right), area);
}

fn minutes(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn draw_steps(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let current = view.phase.step().unwrap_or(STEPS.len());
    let lines: Vec<Line<'_>> = view
        .steps
        .iter()
        .enumerate()
        .map(|(position, step)| {
            let line = format!(" {:>7}  {}", step.asked.to_string(), progress(position, view));
            match position.cmp(&current) {
                std::cmp::Ordering::Greater => Line::from(format!("  {line}")).dim(),
                std::cmp::Ordering::Equal => Line::from(format!(" ▶{line}")).bold(),
                std::cmp::Ordering::Less if step.problems(position + 1).is_empty() => {
                    Line::from(vec![" ✓".green(), Span::from(line)])
                }
                std::cmp::Ordering::Less => Line::from(vec![" ✗".red(), Span::from(line).red()]),
            }
        })
        .collect();
    let title = " weights of v1/v2 that route.yaml asks for, step by step ";
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

/// What a step has brought so far.
fn progress(position: usize, view: &View<'_>) -> String {
    let step = &view.steps[position];
    if view.phase == Phase::Settling(position) {
        return "the file is written; the gateway will see it in a moment".to_owned();
    }
    let story = STORY[position];
    match step.measured(Version::V2) {
        Some(v2) => format!(
            "{story:<33}  v2 {:5.1} %  {:>6} req  {} lost",
            v2 * 100.0,
            step.counts.measured(),
            step.counts.losses(),
        ),
        None => story.to_owned(),
    }
}

/// Two bars: what is asked for, and what the last seconds brought.
fn draw_shares(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let asked = view.weights.and_then(|weights| weights.share(Version::V1));
    let [v1, v2] = view.recent.each_ref().map(|recent| recent.per_second);
    let measured = (v1 + v2 > 0.0).then(|| v1 / (v1 + v2));
    let served = match view.weights {
        Some(weights) => weights.to_string(),
        None => "?".to_owned(),
    };
    let rate = format!("{:.0}/s  {} lost", v1 + v2, view.lost);
    let width = usize::from(area.width).saturating_sub(BESIDE_BARS);
    let lines = vec![bar(" gateway", asked, width, served), bar(" traffic", measured, width, rate)];
    frame.render_widget(Paragraph::new(lines), area);
}

fn bar<'a>(name: &'a str, share: Option<f64>, width: usize, after: String) -> Line<'a> {
    let (first, second) = match share {
        Some(share) => {
            let first = (share * width as f64).round() as usize;
            ("█".repeat(first), "░".repeat(width - first))
        }
        None => (String::new(), " ".repeat(width)),
    };
    Line::from(vec![
        format!("{name}  ").into(),
        Span::styled(first, style_of(Version::V1)),
        Span::styled(second, style_of(Version::V2)),
        format!("  {after}").into(),
    ])
}

fn style_of(version: Version) -> Style {
    match version {
        Version::V1 => Style::new().fg(Color::Blue),
        Version::V2 => Style::new().fg(Color::Green),
    }
}

fn draw_versions(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let areas: [Rect; 2] = if area.width < SIDE_BY_SIDE {
        Layout::vertical(halves).areas(area)
    } else {
        Layout::horizontal(halves).areas(area)
    };
    let highest = Highest {
        answered: highest(view.recent.iter().flat_map(|recent| &recent.answered)),
        p99_micros: highest(view.recent.iter().flat_map(|recent| &recent.p99_micros)),
    };
    for version in Version::ALL {
        let index = version.index();
        draw_version(frame, areas[index], version, &view.recent[index], &highest);
    }
}

/// The ends of the scales: one for both versions, so that they can be compared.
struct Highest {
    answered: u64,
    p99_micros: u64,
}

fn highest<'a>(values: impl Iterator<Item = &'a u64>) -> u64 {
    values.copied().max().unwrap_or(0).max(1)
}

fn draw_version(
    frame: &mut Frame<'_>,
    area: Rect,
    version: Version,
    recent: &Recent,
    highest: &Highest,
) {
    let title = Line::from(format!(" {} ", version.name())).style(style_of(version)).bold();
    let block = Block::bordered().title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [rate, answered, latency, p99] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Fill(1),
    ])
    .areas(inner);
    let errors = format!("{} errors", recent.errors);
    let errors = if recent.errors == 0 { errors.into() } else { errors.red().bold() };
    let counts = vec![format!(" {:.0}/s   ", recent.per_second).into(), errors];
    frame.render_widget(Line::from(counts), rate);
    draw_bars(frame, answered, &recent.answered, highest.answered, style_of(version));
    let ms = |quantile: Option<f64>| match quantile {
        Some(ms) => format!("{ms:.1} ms"),
        None => "-".to_owned(),
    };
    let quantiles = format!(" p99 {}   p50 {}", ms(recent.p99_ms), ms(recent.p50_ms));
    frame.render_widget(Line::from(quantiles), latency);
    draw_bars(frame, p99, &recent.p99_micros, highest.p99_micros, style_of(version));
}

/// The newest that fit.
fn draw_bars(frame: &mut Frame<'_>, area: Rect, values: &[u64], highest: u64, style: Style) {
    let shown = values.len().min(usize::from(area.width));
    let newest = &values[values.len() - shown..];
    frame.render_widget(Sparkline::default().data(newest).max(highest).style(style), area);
}

fn draw_commands(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let widest = view.commands.iter().map(|(command, _)| command.chars().count()).max();
    let widest = widest.unwrap_or(0);
    let lines: Vec<Line<'_>> = view
        .commands
        .iter()
        .map(|(command, about)| {
            let command = format!(" {command:<widest$}");
            Line::from(vec![command.bold(), format!("   {about}").dim()])
        })
        .collect();
    let block = Block::bordered().title(" in another terminal ");
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

#[cfg(test)]
mod tests;
