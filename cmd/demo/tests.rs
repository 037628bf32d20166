#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Demo {
    #[command(flatten)]
    args: Args,
}

#[test]
fn a_script_waits_for_less_than_a_person() {
    let parse = |line: &str| -> Options {
        Demo::try_parse_from(line.split_whitespace()).unwrap().args.into()
    };
    assert_eq!(parse("demo").duration.as_secs(), 60);
    assert_eq!(parse("demo --headless").duration.as_secs(), 20);
    let options = parse("demo --headless --seconds 5 --port 8080 --dir d");
    assert_eq!(options.duration.as_secs(), 5);
    assert_eq!(options.port.unwrap().get(), 8080);
    assert_eq!(options.directory.unwrap().to_str(), Some("d"));
    assert!(Demo::try_parse_from(["demo", "--seconds", "0"]).is_err());
}
