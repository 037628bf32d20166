#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::demo::meter::StepCounts;
use crate::demo::report;
use crate::screen::tests::picture;

/// In the midst of the third step.
fn steps() -> Vec<StepReport> {
    let answered = [[1_600, 0], [1_445, 155], [421, 399], [0, 0], [0, 0]];
    let counts = answered.map(|answered| {
        let mut counts = StepCounts { answered, ..StepCounts::default() };
        if answered == [1_445, 155] {
            counts.lost.insert("refused".to_owned(), 2);
        }
        counts
    });
    report::steps(counts.to_vec())
}

fn recent(per_second: f64, errors: u64, answered: impl Fn(u64) -> u64) -> Recent {
    Recent {
        per_second,
        errors,
        p50_ms: Some(8.13),
        p99_ms: Some(14.0),
        answered: (0..60).map(answered).collect(),
        p99_micros: (0..60).map(|tick| 9_000 + 500 * (tick % 11)).collect(),
    }
}

fn commands() -> Vec<(String, &'static str)> {
    vec![
        ("curl http://127.0.0.1:8080/".to_owned(), "a request; ask several times"),
        ("cd /tmp/meshctl-demo-abcdef".to_owned(), "the files"),
    ]
}

fn drawn(width: u16, height: u16, view: &View<'_>) -> String {
    picture::drawn(width, height, |frame| draw(frame, view))
}

fn check(name: &str, picture: &str) {
    picture::check(&format!("demo/view/tests/{name}"), picture);
}

fn in_the_midst<'a>(steps: &'a [StepReport], commands: &'a [(String, &'static str)]) -> View<'a> {
    View {
        phase: Phase::Measured(2),
        elapsed: Duration::from_secs(10),
        total: Duration::from_secs(60),
        weights: Some(Weights([50, 50])),
        recent: [
            recent(204.5, 0, |tick| 200 - tick),
            recent(195.5, 3, |tick| if tick < 20 { 0 } else { 2 * tick }),
        ],
        steps,
        lost: 2,
        trouble: None,
        commands,
        farewell: " q or Ctrl-C ends everything and removes the directory",
    }
}

#[test]
fn the_midst_of_the_plan() {
    let (steps, commands) = (steps(), commands());
    let view = in_the_midst(&steps, &commands);
    check("80.txt", &drawn(80, 24, &view));
    check("120.txt", &drawn(120, 36, &view));
    check("narrow.txt", &drawn(48, 36, &view));
}

#[test]
fn an_edit_on_its_way_and_something_wrong() {
    let (steps, commands) = (steps(), commands());
    let view = View {
        phase: Phase::Settling(3),
        weights: None,
        recent: [Recent::default(), Recent::default()],
        trouble: Some(
            "/tmp/meshctl-demo-abcdef/route.yaml:14:9: error[MC0012]: unknown field `wieght`, did \
             you mean `weight`?",
        ),
        ..in_the_midst(&steps, &commands)
    };
    check("trouble.txt", &drawn(80, 24, &view));
}

#[test]
fn no_size_of_a_terminal_is_too_small_to_draw_on() {
    let (steps, commands) = (steps(), commands());
    let view = in_the_midst(&steps, &commands);
    for width in [1, 2, 10, 29, 30, 31, 59, 60] {
        for height in (1..30).step_by(3) {
            drawn(width, height, &view);
        }
    }
}
