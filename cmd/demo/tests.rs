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
    let parse = |line: &str, is_terminal| {
        let args = Demo::try_parse_from(line.split_whitespace()).unwrap().args;
        Options::new(args, is_terminal)
    };
    let at_terminal = parse("demo", true);
    assert_eq!((at_terminal.headless, at_terminal.duration.as_secs()), (false, 60));
    let in_pipe = parse("demo", false);
    assert_eq!((in_pipe.headless, in_pipe.duration.as_secs()), (true, 20));
    assert_eq!(parse("demo --headless", true), in_pipe);
    let options = parse("demo --headless --seconds 5 --port 8080 --dir d", true);
    assert_eq!(options.duration.as_secs(), 5);
    assert_eq!(options.port.unwrap().get(), 8080);
    assert_eq!(options.directory.unwrap().to_str(), Some("d"));
    assert!(Demo::try_parse_from(["demo", "--seconds", "0"]).is_err());
}
