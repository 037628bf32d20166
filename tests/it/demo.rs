//! `meshctl demo` as a script and as a person run it, and what is left of it afterwards.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{present, shell};

/// A demo, and the directory in which it makes its own.
struct Demo {
    home: tempfile::TempDir,
    child: Child,
    /// What it has said so far on standard error, and the rest of it.
    said: BufReader<std::process::ChildStderr>,
}

fn command(home: &Path, line: &str) -> Command {
    let mut command = shell(home, line);
    command.env("TMPDIR", home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Demo {
    fn start(arguments: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        // exec: signals are for the demo, and not for the shell.
        let line = format!("exec meshctl demo {arguments}");
        let mut child = command(home.path(), &line).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { home, child, said }
    }

    /// The next line that it says.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }

    /// The address in its first line.
    fn gateway(&mut self) -> String {
        let line = self.line();
        let address = line.strip_prefix("http://").and_then(|line| line.split('/').next());
        address.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned()
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Exit code, standard output, and the rest of standard error.
    fn end(mut self) -> (Option<i32>, String, String, tempfile::TempDir) {
        let (mut told, mut said) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), told, said, self.home)
    }
}

/// Everything below, but the directory itself.
fn left_in(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                waiting.push(path.clone());
            }
            found.push(path);
        }
    }
    found
}

fn assert_nobody_listens(address: &str) {
    let connected = TcpStream::connect(address).map_err(|error| error.kind());
    assert_eq!(connected.err(), Some(ErrorKind::ConnectionRefused), "{address}");
}

/// Numbers that differ from run to run as `#`.
fn masked(cell: &str) -> String {
    let mut masked = String::new();
    for c in cell.chars() {
        match c {
            '0'..='9' if masked.ends_with('#') => {}
            '0'..='9' => masked.push('#'),
            c => masked.push(c),
        }
    }
    masked
}

#[test]
fn without_a_terminal_it_prints_a_table_and_leaves_nothing() {
    let mut demo = Demo::start("--seconds 5");
    let address = demo.gateway();
    let (code, told, said, home) = demo.end();
    assert_eq!(code, Some(0), "{told}\n{said}");
    assert_eq!(
        said,
        "step 1 of 5: 100/0, dark launch: half is copied to v2\n\
         step 2 of 5: 90/10, canary of a bad v2\n\
         step 3 of 5: 100/0, taken back by itself\n\
         step 4 of 5: 50/50, canary of a good v2\n\
         step 5 of 5: 0/100, promoted by itself\n"
    );
    let rows: Vec<Vec<&str>> = told
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let shape = rows.iter().skip(1).map(|row| {
        let mut cells: Vec<String> = row.iter().map(|cell| (*cell).to_owned()).collect();
        // Where a version is to get nothing, that is exact.
        let by_chance: &[usize] = if row[1].contains("100") { &[] } else { &[2, 3, 4] };
        by_chance.iter().chain(&[5, 6, 8, 9]).for_each(|at| cells[*at] = masked(row[*at]));
        cells.truncate(10);
        cells.join("|")
    });
    assert_eq!(rows[0].join("|"), "STEP|ASKED|V1|V2|V2 ALLOWED|REQUESTS|FAILED|LOST|P50|P99|WHAT");
    assert_eq!(
        shape.collect::<Vec<_>>(),
        [
            "1|100/0|100.0 %|0.0 %|0.0 %|#|#|0|#.# ms|#.# ms",
            "2|90/10|#.# %|#.# %|#.# % - #.# %|#|#|0|#.# ms|#.# ms",
            "3|100/0|100.0 %|0.0 %|0.0 %|#|#|0|#.# ms|#.# ms",
            "4|50/50|#.# %|#.# %|#.# % - #.# %|#|#|0|#.# ms|#.# ms",
            "5|0/100|0.0 %|100.0 %|100.0 %|#|#|0|#.# ms|#.# ms",
        ]
    );
    // 400 a second are asked for; a busy machine may leave some out, not most.
    let requests: u64 = rows.iter().skip(1).map(|row| row[5].parse::<u64>().unwrap()).sum();
    assert!(requests > 500, "{told}");
    let failed: Vec<bool> = rows.iter().skip(1).map(|row| row[6] != "0").collect();
    assert_eq!(failed, [false, true, false, false, false], "{told}");
    assert_eq!(left_in(home.path()), Vec::<PathBuf>::new());
    assert_nobody_listens(&address);
}

#[test]
fn a_signal_ends_it_at_once_and_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut demo = Demo::start("--headless --seconds 600");
        let address = demo.gateway();
        assert!(demo.line().starts_with("step 1 of 5: 100/0, "));
        TcpStream::connect(&address).unwrap();
        assert_eq!(fs::read_dir(demo.home.path()).unwrap().count(), 1, "its directory");
        demo.signal(signal);
        let (code, told, _, home) = demo.end();
        assert_eq!((code, told.as_str()), (Some(130), ""), "{signal:?}");
        assert_eq!(left_in(home.path()), Vec::<PathBuf>::new(), "{signal:?}");
        assert_nobody_listens(&address);
    }
}

/// A client that keeps its connection open can't keep the demo alive.
#[test]
fn an_open_connection_does_not_hold_it() {
    let mut demo = Demo::start("--headless --seconds 600");
    let address = demo.gateway();
    demo.line();
    let mut client = TcpStream::connect(&address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /half").unwrap();
    assert!(client.read(&mut [0; 64]).unwrap() > 0);
    demo.signal(Signal::INT);
    assert_eq!(demo.end().0, Some(130));
}

#[test]
fn a_directory_that_was_asked_for_stays_and_is_not_overwritten() {
    let demo = Demo::start("--headless --seconds 3 --dir shop");
    let (code, told, said, home) = demo.end();
    assert_eq!(code, Some(0), "{told}\n{said}");
    let shop = home.path().join("shop");
    let route = fs::read_to_string(shop.join("route.yaml")).unwrap();
    let weights: Vec<&str> =
        route.lines().filter_map(|l| l.trim().strip_prefix("weight: ")).collect();
    assert_eq!(weights, ["0", "100"], "{route}");
    assert!(left_in(&shop.join(".meshctl/run")).is_empty(), "its sockets are gone");
    let again = command(home.path(), "meshctl demo --dir shop").output().unwrap();
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"), "{again:?}");
    assert_eq!(fs::read_to_string(shop.join("route.yaml")).unwrap(), route);
}

/// Somebody gives the good v2 an address where nobody listens: it is taken back, and the demo says no.
#[test]
fn lost_requests_are_told_and_the_answer_is_no() {
    let mut demo = Demo::start("--headless --seconds 25 --dir shop");
    demo.gateway();
    while !demo.line().starts_with("step 4") {}
    let path = demo.home.path().join("shop/backends.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let (first, second) = text.split_once("---").unwrap();
    let at = second.find("127.0.0.1").unwrap();
    // Port 1 (tcpmux) is nobody's.
    fs::write(&path, format!("{first}---{}127.0.0.1:1\n", &second[..at])).unwrap();
    let (code, told, said, _home) = demo.end();
    assert_eq!(code, Some(1), "{told}\n{said}");
    assert!(said.contains("error: the good version was not promoted"), "{said}");
    assert!(said.contains("note: step 4 (50/50) lost "), "{said}");
    assert!(said.contains("x 502 (upstream_connect_refused)"), "{said}");
}

#[test]
fn a_weight_that_nobody_serves_is_told() {
    let mut demo = Demo::start("--headless --seconds 4 --dir shop");
    demo.gateway();
    demo.line();
    let path = demo.home.path().join("shop/route.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("weight: 100", "weight: many")).unwrap();
    let (code, _, said, _home) = demo.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("HTTPRoute default/app in "), "{said}");
    assert!(said.contains(" has errors"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, _, said, home) = Demo::start(&format!("--headless --port {port}")).end();
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains(&format!("could not listen on 127.0.0.1:{port}")), "{said}");
    assert!(said.contains("without --port a free one is found"), "{said}");
    assert_eq!(left_in(home.path()), Vec::<PathBuf>::new());
}

/// util-linux' script(1) is the terminal; what comes through the pipe is typed.
fn at_terminal(home: &Path, typed: &[u8], line: &str) -> Output {
    let inner = format!("stty cols 100 rows 30; {line}");
    let mut command = command(home, &format!("exec script -qec '{inner}' /dev/null"));
    let mut child = command.env("TERM", "xterm").stdin(Stdio::piped()).spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    // Until the first requests are in the picture.
    sleep(Duration::from_secs(3));
    keyboard.write_all(typed).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(keyboard);
    output
}

#[test]
fn on_a_terminal_there_is_a_view_until_q_or_ctrl_c() {
    if !present("script") {
        return;
    }
    for typed in [&b"q"[..], b"\x03"] {
        let home = tempfile::tempdir().unwrap();
        let output = at_terminal(home.path(), typed, "meshctl demo");
        let screen = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{screen}");
        let (enter, leave) = ("\x1b[?1049h", "\x1b[?1049l");
        let (enter, leave) = (screen.find(enter).unwrap(), screen.rfind(leave).unwrap());
        let view = &screen[enter..leave];
        for part in ["v1", "v2", "p99", "100/0", "curl http://127.0.0.1:"] {
            assert!(view.contains(part), "{part} in {view}");
        }
        assert!(screen[..].contains("\x1b[?25h"), "the cursor is shown again");
        assert_eq!(left_in(home.path()), Vec::<PathBuf>::new());
    }
}
