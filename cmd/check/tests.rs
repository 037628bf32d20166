#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Check {
    #[command(flatten)]
    args: Args,
}

fn parse(line: &str) -> Options {
    let args = Check::try_parse_from(line.split_whitespace()).unwrap().args;
    Options::new(args, &Environment::from_variables(|_| None)).unwrap()
}

#[test]
fn errors_say_no_and_warnings_only_when_asked() {
    let lax = parse("check -f x");
    assert_eq!(lax.exit(0, 0), Exit::Yes);
    assert_eq!(lax.exit(0, 3), Exit::Yes);
    assert_eq!(lax.exit(1, 0), Exit::No);
    let strict = parse("check -f x --strict -o json -q --port 80=8080");
    assert_eq!(strict.exit(0, 0), Exit::Yes);
    assert_eq!(strict.exit(0, 1), Exit::No);
    assert_eq!(strict.format, Format::Json);
    assert!(strict.quiet);
    assert_eq!(strict.overrides.ports.len(), 1);
}

#[test]
fn what_a_cluster_lacks_says_no() {
    use meshctl::install::{Need, State};
    let need = |state: State| {
        let text = || "x".to_owned();
        [Need { what: text(), state, found: text(), advice: text() }]
    };
    for (state, lax, strict) in [
        (State::Good, Exit::Yes, Exit::Yes),
        (State::Warning, Exit::Yes, Exit::No),
        (State::Unknown, Exit::Yes, Exit::No),
        (State::Missing, Exit::No, Exit::No),
        (State::Wrong, Exit::No, Exit::No),
    ] {
        assert_eq!(cluster::exit(&need(state), &[], false), lax, "{state:?}");
        assert_eq!(cluster::exit(&need(state), &[], true), strict, "{state:?}");
    }
}
