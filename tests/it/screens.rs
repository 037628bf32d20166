//! Views on a real terminal, tmux's, of 80 and of 200 columns: what stands on it while they run, and
//! how they leave it.

use std::process::{Command, Output};
use std::time::Duration;

use super::present;
use rustix::process::Signal;

use super::rollouts::{START, Shop};
use super::support::within;

/// A shell in a terminal, in the directory of a shop.
struct Terminal<'a> {
    shop: &'a Shop,
    columns: usize,
}

const ROWS: usize = 24;

/// What a view changes of a terminal, in one word.
const TTY: &str = r#"
stty -a | tr ' ;' '\n\n' | grep -xE -e '-?(echo|icanon|isig)' | tr '\n' =
echo end
"#;

impl<'a> Terminal<'a> {
    async fn open(shop: &'a Shop, columns: usize) -> Self {
        let terminal = Self { shop, columns };
        std::fs::write(shop.path(".tty"), TTY).unwrap();
        // The shell's own environment is what the command's is.
        let line = format!("new-session -d -x {columns} -y {ROWS} env PS1='$ ' sh");
        terminal.told(&line);
        terminal.until("the prompt", |screen| screen.starts_with('$')).await;
        terminal
    }

    fn tmux(&self, line: &str) -> Output {
        let socket = self.shop.path(&format!(".tmux-{}", self.columns)).display().to_string();
        let mut command: Command =
            self.shop.command(&format!("exec tmux -u -f /dev/null -S {socket} {line}"));
        command.output().unwrap()
    }

    fn told(&self, line: &str) -> String {
        let output = self.tmux(line);
        assert!(output.status.success(), "tmux {line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn keys(&self, keys: &str) {
        self.told(&format!("send-keys {keys}"));
    }

    fn run(&self, line: &str) {
        self.told(&format!("send-keys -l '{line}'"));
        self.keys("Enter");
    }

    fn screen(&self) -> String {
        self.told("capture-pane -p")
    }

    async fn until(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let looking = async {
            loop {
                last = self.screen();
                if condition(&last) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let found = tokio::time::timeout(super::support::PATIENCE, looking).await;
        assert!(found.is_ok(), "waited in vain for {what}:\n{last}");
        last
    }

    /// A view that has all of `parts`, each once, and nothing that the terminal had to cut.
    async fn shows(&self, parts: &[&str]) -> String {
        let what = format!("{parts:?}");
        let all = |screen: &str| parts.iter().all(|part| screen.contains(part));
        let screen = self.until(&what, all).await;
        is_whole(&screen, self.columns);
        screen
    }

    /// After a key the shell is back, its screen as it was, keys are echoed and the cursor is there;
    /// the exit code.
    async fn left(&self, key: &str) -> String {
        self.keys(key);
        self.until("the shell's screen", |screen| !screen.contains("q or Ctrl-C")).await;
        self.run("echo is=$?=; sh .tty");
        let screen = self.until("an answer", |screen| screen.contains("=end\n")).await;
        assert!(screen.contains("isig=icanon=echo=end"), "{screen}");
        assert!(screen.contains("before-the-view"), "{screen}");
        let flags =
            self.told("display-message -p '#{cursor_flag}#{alternate_on}#{mouse_any_flag}'");
        assert_eq!(flags.trim(), "100", "cursor, alternate screen, mouse");
        screen
    }

    /// Runs a view on a screen on which something stood before.
    fn view(&self, line: &str) {
        self.run("clear; echo before-the-view");
        self.run(line);
    }
}

/// No line goes to the edge with a number, and nothing of an earlier picture is left: the way out
/// stands there once, at the end.
fn is_whole(screen: &str, columns: usize) {
    for line in screen.lines() {
        let cut = line.chars().nth(columns - 1).is_some_and(|last| last.is_ascii_digit());
        assert!(!cut, "a number at the edge: {line}\n{screen}");
    }
    assert_eq!(screen.matches("q or Ctrl-C").count(), 1, "{screen}");
    let last = screen.lines().rfind(|line| !line.is_empty());
    assert!(last.is_some_and(|line| line.contains("q or Ctrl-C")), "{screen}");
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.tmux("kill-server");
    }
}

fn is_here() -> bool {
    present("tmux")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_is_watched_and_run() {
    if !is_here() {
        return;
    }
    let shop = Shop::open().await;
    let _load = shop.load();
    let first = Terminal::open(&shop, 80).await;
    // What `start` begins goes on before the eyes of who began it.
    first.view(&format!("{START} --steps 25,50 --interval 1h"));
    first
        .shows(&["Progressing", "▶ 25%", "asked", "measured", "P99", "shop-v2", "what happened"])
        .await;
    first.shows(&["0% → 25%", " q or Ctrl-C ends the run"]).await;
    let second = Terminal::open(&shop, 200).await;
    second.view("meshctl canary status -w");
    let screen = second.shows(&["▶ 25%", "asked", "measured", "VERSION", "verdict", " ms"]).await;
    assert!(screen.lines().any(|line| line.chars().count() > 150), "it uses the width: {screen}");
    let left = second.left("q").await;
    assert!(left.contains("is=3=") && left.contains("asked 25%"), "{left}");
    let left = first.left("C-c").await;
    for part in ["is=130=", "shop stays at 25%", "canary run shop", "canary abort shop"] {
        assert!(left.contains(part), "{part}: {left}");
    }
    second.view("meshctl canary run");
    second.shows(&["▶ 25%", " q or Ctrl-C ends the run"]).await;
    assert!(second.left("q").await.contains("shop stays at 25%"));
    first.view("meshctl canary status -w");
    first.shows(&["▶ 25%"]).await;
    assert!(first.left("C-c").await.contains("is=130="));
    // A smaller terminal has nothing of the larger one left.
    second.view("meshctl canary status -w");
    second.shows(&["▶ 25%"]).await;
    second.told("resize-window -x 80 -y 24");
    let screen = within("a drawing of the new size", async {
        loop {
            let screen = second.screen();
            if screen.lines().any(|line| line.starts_with('┌') && line.ends_with('┐')) {
                break screen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    is_whole(&screen.await, 80);
    // Whoever watches sees the end, and is told it again on his own screen.
    shop.done("meshctl canary abort").await;
    let over = second.until("the end", |screen| screen.contains("before-the-view")).await;
    assert!(over.contains("Aborted"), "{over}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn top_and_status_are_drawn_again() {
    if !is_here() {
        return;
    }
    let shop = Shop::open().await;
    let load = shop.load();
    for columns in [80, 200] {
        let terminal = Terminal::open(&shop, columns).await;
        terminal.view("meshctl top routes --interval 200ms");
        let seen = terminal
            .shows(&["this machine, 1 proxy", "ROUTE", "REQ/S", "P99", "default/shop"])
            .await;
        let rate = |screen: &str| {
            let line = screen.lines().find(|line| line.starts_with("default/shop"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        assert!(rate(&seen).is_some_and(|rate| rate > 1.0), "{seen}");
        let first = rate(&seen);
        let changed = |screen: &str| rate(screen).is_some() && rate(screen) != first;
        is_whole(&terminal.until("another look", changed).await, columns);
        assert!(terminal.left("q").await.contains("is=0="));
        terminal.view("meshctl top endpoints --interval 200ms");
        let seen = terminal.shows(&["ENDPOINT", "TRIES/S", "LATENCY", "127.0.0.1:"]).await;
        let row = seen.lines().find(|line| line.starts_with("127.")).unwrap();
        let latency = row.split_whitespace().nth(4).unwrap();
        assert!(latency.ends_with('s') && latency.len() > 2, "{seen}");
        assert!(terminal.left("C-c").await.contains("is=130="));
        terminal.view("meshctl status -w");
        terminal.shows(&["PROXY", "ready", "1 route, 0 errors"]).await;
        assert!(terminal.left("q").await.contains("is=0="));
    }
    drop(load);
    let terminal = Terminal::open(&shop, 80).await;
    terminal.view("meshctl status -w");
    terminal.shows(&["PROXY", "ready"]).await;
    shop.proxy.as_ref().unwrap().signal(Signal::KILL);
    let seen = terminal.shows(&["no proxy", "1 route, 0 errors"]).await;
    assert!(!seen.contains("PROXY") && !seen.contains("ready"), "of before: {seen}");
    assert!(terminal.left("C-c").await.contains("is=130="));
}

/// Nobody can leave a view whose terminal is gone, so it leaves by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_ends_with_its_terminal() {
    if !is_here() {
        return;
    }
    let shop = Shop::open().await;
    shop.done(&format!("{START} --steps 25 --detach")).await;
    for view in ["meshctl canary run", "meshctl canary status -w", "meshctl status -w"] {
        let terminal = Terminal::open(&shop, 80).await;
        terminal.run(&format!("echo $$ > .pid; exec {view}"));
        terminal.shows(&["q or Ctrl-C"]).await;
        let pid = std::fs::read_to_string(shop.path(".pid")).unwrap();
        drop(terminal);
        let process = std::path::PathBuf::from(format!("/proc/{}", pid.trim()));
        within(&format!("the end of {view}"), async {
            while process.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

/// In a pipe a view is text, or a line of JSON for each look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_pipe_views_are_text() {
    let shop = Shop::open().await;
    shop.done(&format!("{START} --steps 25 --detach")).await;
    let first = |line: &str| {
        let line = format!("exec {line}");
        let mut command = shop.command(&line);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut lines, &mut text).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        text
    };
    let status = first("meshctl canary status -w -o json");
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["name"], &status["weight"]), (&"shop".into(), &25.into()));
    assert!(first("meshctl canary status -w").starts_with("shop  HTTPRoute default/shop"));
    let screen: serde_json::Value =
        serde_json::from_str(&first("meshctl status -w -o json")).unwrap();
    let rollout = &screen["rollouts"][0];
    assert_eq!((&rollout["phase"], &rollout["step"]), (&"Progressing".into(), &1.into()));
    assert_eq!(screen["proxies"][0]["ready"], true);
    assert_eq!(first("meshctl status -w"), "this machine\n");
    // Without a view the same stands among all that is configured.
    let table = shop.done("meshctl get rollouts").await;
    let row = table.lines().find(|line| line.starts_with("default/shop")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[1..5], ["canary", "Progressing", "1/1", "25%"], "{table}");
    assert!(shop.done("meshctl get rollouts -n other").await.contains("there is none"));
}
